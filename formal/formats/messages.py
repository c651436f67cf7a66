"""Who tells whom in a witness: posts and the waits that they end, bottom halves and who dispatches them, wake-ups, spawns, joins.

In: a witness. Out: for each step that acts on another thread, or was made possible by one, whom and how. All of it is read off the changes,
so that it is what happened and not what the statements look like. Posts are matched to waits in order: the first in is the first out.
It must not draw.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from formal.formats.states import threads
from formal.verdict import ViewValue, Witness, WitnessStep


@dataclass(frozen=True, slots=True)
class Message:
    """`sender` to `receiver`. `since` is the sender's step where that is an earlier one; `what` says what passes."""

    sender: str
    receiver: str
    what: str
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose hold of a lock begins or ends in a step."""

    thread: str
    lock: str
    taken: bool


@dataclass(slots=True)
class Tracker:
    """Follows a witness step by step. `sent`: by the key of what counts them, who sent, and when, what is not received yet."""

    witness: Witness
    threads: tuple[str, ...] = ()
    sent: dict[str, deque[tuple[str, int] | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.threads = threads(self.witness)
        for key, value in self.witness.initial.items():
            if self._kind(key) in ("count", "pending"):
                self.sent[key] = deque([None] * int(value)) if isinstance(value, int) else deque()

    def messages(self, step: WitnessStep) -> tuple[Message, ...]:
        """What passes between threads in this step. Call it once a step, in order."""
        found: list[Message] = []
        for key, (before, after) in step.changes.items():
            match self._kind(key):
                case "count" | "pending" as kind:
                    found += self._counted(step, key, kind, before, after)
                case "waiters":
                    woken = set(_names(before)) - set(_names(after)) - {step.thread}
                    found += [Message(step.thread, thread, f"wakes it from {_name(key)}") for thread in sorted(woken)]
                case "set" if after is True:
                    self.sent[key] = deque([(step.thread, step.step)])
                case "status":
                    found += self._status(step, key, after)
                case _:
                    pass
        return (*found, *self._unchanged(step))

    def holdings(self, step: WitnessStep) -> Iterator[Holding]:
        """The locks that change hands in this step, given back before taken."""
        for key, (before, after) in step.changes.items():
            if self._kind(key) in ("owner", "writer", "readers"):
                was, now = _names(before), _names(after)
                yield from (Holding(thread, _name(key), False) for thread in was if thread not in now)
                yield from (Holding(thread, _name(key), True) for thread in now if thread not in was)

    def variables(self, step: WitnessStep) -> Iterator[tuple[str, ViewValue]]:
        """The variables, thread-locals and locals that the step sets, by the names that the model gives them, and their new values."""
        for key, (_, after) in step.changes.items():
            if after is not None and not self._kind(key):
                yield key.partition("/")[2].partition(".")[2] or key, after

    def _kind(self, key: str) -> str:
        """What a key counts or holds, "" for a variable or local."""
        name, dot, kind = key.rpartition(".")
        if not dot or "/" in key or (name in self.threads) != (kind == "status"):
            return ""
        if kind == "count" and f"{name}.owner" in self.witness.initial:  # of a recursive mutex
            return ""
        return kind

    def _counted(self, step: WitnessStep, key: str, kind: str, before: ViewValue | None, after: ViewValue | None) -> Iterator[Message]:
        """A semaphore's count, or how often a bottom half is pending."""
        queue = self.sent.setdefault(key, deque())
        more = int(after) - int(before) if isinstance(before, int) and isinstance(after, int) else 0
        queue.extend([(step.thread, step.step)] * max(0, more))
        for _ in range(min(len(queue), max(0, -more))):
            source = queue.popleft()
            if source is not None and source[0] != step.thread:
                what = f"{_name(key)} posted" if kind == "count" else f"{_name(key)} scheduled"
                yield Message(source[0], step.thread, what, source[1])

    def _status(self, step: WitnessStep, key: str, after: ViewValue | None) -> Iterator[Message]:
        thread = _name(key)
        if after == "running" and thread != step.thread:
            yield Message(step.thread, thread, "spawns it")
        if after == "finished":
            self.sent[key] = deque([(step.thread, step.step)])

    def _unchanged(self, step: WitnessStep) -> Iterator[Message]:
        """A wait for an event, and a join, leave what they wait for as it is: there the statement tells, where it names it in full."""
        verb, _, name = step.statement.partition(" ")
        key = {"wait": f"{name}.set", "join": f"{name}.status"}.get(verb, "")
        if key in self.sent and self._kind(key) in ("set", "status"):
            source = self.sent[key][-1]
            if source is not None and source[0] != step.thread:
                yield Message(source[0], step.thread, f"{name} set" if verb == "wait" else f"{name} finished", source[1])


def _name(key: str) -> str:
    return key.rpartition(".")[0]


def _names(value: ViewValue | None) -> tuple[str, ...]:
    """The threads in a value of a lock or a condition variable."""
    match value:
        case tuple():
            return value
        case str() if value != "none":
            return (value,)
        case _:
            return ()
