"""Who waits for whom: the cycle, who stands behind it, and who hangs on it.

In: the history of an execution, and the threads that wait at its end. Out: `Hop`s in the order in which one tells it, and the names of the
objects that are waited for. Must not judge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from formal.interp.deadlock import Waiting
from formal.interp.history import History
from formal.interp.layout import State
from formal.naming import grouped, listed
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER
from formal.verdict import Hop

_MOST = 5  # threads of whose waiting a sentence tells
_DEEDS = {"semaphore": "post", "event": "set", "condition": "wake"}


def hops(history: History, members: Sequence[Waiting]) -> tuple[Hop, ...]:
    """Those of the members that matter: the cycle first, or where there is none, the one that all the waiting comes from."""
    graph = _Graph(history, members)
    roles = graph.roles()
    return tuple(hop(history, history.execution.last, graph.members[thread], role) for thread, role in roles.items())


def hop(history: History, state: State, member: Waiting, role: str, able: tuple[int, ...] = ()) -> Hop:
    """One thread's wait, as it is in a state."""
    wait, names = member.wait, history.names
    wants = "" if wait.target is None else history.machine.views.name_of(wait.target(state))
    spot = history.spot(state, member.thread)
    since = history.taken(wants) if wait.kind == "lock" else None
    if wait.kind == "lock":
        by = tuple(names[thread] for thread in sorted(wait.holders(state)))
    else:
        by = tuple(names[thread] for thread in member.ends)
    if wait.kind == "spawn":
        wants = ""
    return Hop(names[member.thread], role, wait.kind, wants, by, since, spot, is_idle(history, state, member.thread), able)


def is_idle(history: History, state: State, thread: int) -> bool:
    """Whether a thread's waiting is no harm by itself: its statement is labelled `idle`, or it does not run."""
    place = history.machine.place(state, thread)
    return place is None or place.info.idle


class _Graph:
    """Who could end whose wait, among those that wait."""

    def __init__(self, history: History, members: Sequence[Waiting]) -> None:
        self._history = history
        self._last = history.execution.last
        self.members: Mapping[int, Waiting] = {member.thread: member for member in members}

    def _ends(self, thread: int) -> list[int]:
        """Who else could end a wait."""
        return [other for other in self.members[thread].ends if other != thread and other in self.members]

    def _idle(self, thread: int) -> bool:
        return is_idle(self._history, self._last, thread)

    def roles(self) -> dict[int, str]:
        """Each thread that matters, and what it is in this, in the order of telling."""
        urgent = [thread for thread in self.members if not self._idle(thread)]
        matter = self._within(urgent)
        cycle = self._cycle(matter)
        roles = dict.fromkeys(cycle, "cycle")
        if not cycle:
            roles = {min(urgent, key=lambda thread: (len(self._within([thread])), thread)): "stuck"}
        for thread in self._within(list(roles)):
            roles.setdefault(thread, "needed")
        for thread in matter:
            roles.setdefault(thread, "hangs")
        return roles

    def _within(self, threads: Sequence[int]) -> list[int]:
        """These, and everybody who could end a wait of one of them, and so on."""
        found = list(threads)
        for thread in found:  # grows
            found.extend(other for other in self._ends(thread) if other not in found)
        return found

    def _cycle(self, threads: Sequence[int]) -> list[int]:
        """The shortest cycle, of threads that run and are not idle if there is one of those, and with most locks in it."""
        cycles = [cycle for thread in threads if (cycle := self._back(thread))]
        return min(cycles, key=self._trouble, default=[])

    def _trouble(self, cycle: Sequence[int]) -> tuple[int, int, int]:
        idle = sum(self._idle(thread) for thread in cycle)
        return idle, len(cycle), sum(self.members[thread].wait.kind != "lock" for thread in cycle)

    def _back(self, thread: int) -> list[int]:
        """The shortest way from a thread back to it."""
        before: dict[int, int] = {}
        queue = deque([thread])
        while queue:
            one = queue.popleft()
            for other in sorted(self._ends(one), key=self._idle):
                if other == thread:
                    way = [one]
                    while way[-1] != thread:
                        way.append(before[way[-1]])
                    return way[::-1]
                if other not in before:
                    before[other] = one
                    queue.append(other)
        return []


# ---------------------------------------------------------------- in words


def told(prop: str, found: Sequence[Hop], going: Sequence[str]) -> str:
    """The paragraph. `going`: the threads that can still move."""
    return " ".join((waits(found), _conclusion(prop, going)))


def waits(found: Sequence[Hop]) -> str:
    """Who waits for whom, in a sentence or two."""
    core = [one for one in found if one.role != "hangs"]
    clauses = [_clause(one) for one in core if one.spot is not None]
    if len(clauses) > _MOST:
        clauses = [*clauses[:2], f"and so on, {len(clauses) - 3} more", clauses[-1]]
    sentences = [f"{'; '.join([*clauses, *_dormant(core)])}."]
    hanging = grouped(one.thread for one in found if one.role == "hangs")
    if hanging:
        sentences.append(f"{listed(hanging)} {'waits' if _single(hanging) else 'wait'} behind {'it' if len(core) == 1 else 'them'}.")
    return " ".join(sentences)


def _dormant(hops: Sequence[Hop]) -> Iterator[str]:
    """Threads that do not run, together where the same could spawn them."""
    by: dict[str, list[str]] = {}
    for one in hops:
        if one.spot is None:
            by.setdefault(_could(one), []).append(one.thread)
    for could, threads in by.items():
        names = grouped(threads)
        verb, them = ("does not run", "it") if _single(names) else ("do not run", "them")
        yield f"{listed(names)} {verb}, and {could} spawn {them}"


def _clause(one: Hop) -> str:
    assert one.spot is not None, "who does not run waits for nothing"
    match one.kind:
        case "lock":
            holders = grouped(one.by)
            since = "" if one.since is None else f" since step {one.since}"
            return f"{one.thread} waits for {one.wants}, which {listed(holders)} {'holds' if _single(holders) else 'hold'}{since}"
        case "semaphore" | "event" | "condition":
            return f"{one.thread} waits{' (idle)' if one.idle else ''} for {one.wants}, which {_could(one)} {_DEEDS[one.kind]}"
        case "context":
            return f"{one.thread} polls {one.wants}, where {_could(one)} schedule something"
        case "thread":
            return f"{one.thread} waits for {one.wants} to finish"
        case _:
            return f"{one.thread} waits at `{one.spot.statement}`, which {_could(one)} make true"


def _could(one: Hop) -> str:
    """Who could end a wait, and a verb."""
    others = grouped(name for name in one.by if name != one.thread)
    if one.thread in one.by:
        others.append(f"{one.thread} itself, later on")
    return f"only {listed(others, 'or')} could" if others else "nobody could"


def _single(names: Sequence[str]) -> bool:
    return len(names) == 1 and ".." not in names[0]


def _conclusion(prop: str, going: Sequence[str]) -> str:
    if prop == DEADLOCK_GLOBAL or not going:
        return "No thread can move."
    if prop == DEADLOCK_LOCK_ORDER:
        return "None of them will ever go on."
    return f"{listed(grouped(going))} can go on, and could end none of these waits."
