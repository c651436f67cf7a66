"""What an execution's steps have done to each key of the view, for explanations.

In: an execution. Out: who changed a key last, who holds what, and how places are named in messages. Must not judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.interp.execution import Execution
from formal.interp.layout import State
from formal.program import Info
from formal.verdict import View


@dataclass(frozen=True, slots=True)
class Past:
    """One step that did something."""

    number: int
    thread: str
    info: Info


def where(info: Info) -> str:
    """A statement with its place in the model, and in the C source if that is known."""
    c_source = "" if info.c_source is None else f", {info.c_source}"
    return f"`{info.text}` ({info.span.source.path}:{info.span.line}{c_source})"


def listed(names: list[str], word: str = "and") -> str:
    """a, b and c."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)


class History:
    """The views of one execution, and the steps between them."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.machine = execution.machine
        self.names = [thread.name for thread in self.machine.program.threads]
        self.views: list[View] = [self.machine.view(state) for state in execution.states]

    def past(self, number: int) -> Past:
        """The step of that number, from 1."""
        step = self.execution.steps[number - 1]
        place = self.machine.place(step.before, step.outcome.thread)
        assert place is not None, "a thread that moves stands somewhere"
        return Past(number, self.names[step.outcome.thread], place.info)

    def last_change(self, key: str) -> Past | None:
        """The last step that changed the key; None if it is as it was in the beginning."""
        for number in range(len(self.views) - 1, 0, -1):
            if self.views[number].get(key) != self.views[number - 1].get(key):
                return self.past(number)
        return None

    def since(self, key: str) -> str:
        """ ", since step 4 (`lock BQL`)", or nothing for what was always so."""
        past = self.last_change(key)
        return "" if past is None else f" since step {past.number}, {where(past.info)}"

    def held(self) -> list[str]:
        """Who holds which lock at the end, and since when."""
        told = []
        for key, value in self.views[-1].items():
            if key.endswith((".owner", ".writer")) and value != "none":
                told.append(f"{key.rpartition('.')[0]} is held by {value}{self.since(key)}")
            elif key.endswith(".readers") and isinstance(value, tuple) and value:
                told.append(f"{key.rpartition('.')[0]} is read by {listed(list(value))}{self.since(key)}")
        return told

    def dispatched(self, state: State, thread: int) -> str:
        """The innermost bottom half that the thread runs there, who scheduled it, and when; nothing outside of any."""
        place = self.machine.place(state, thread)
        stack = () if place is None else place.stack
        bodies = {key.rpartition(".")[0] for key in self.views[0] if key.endswith(".pending")}
        for depth in range(len(stack) - 1, 0, -1):
            if stack[depth] in bodies:
                return f", inside of {stack[depth]}{self._entered(thread, depth, stack[depth])}"
        return ""

    def _entered(self, thread: int, depth: int, body: str) -> str:
        key = f"{self.names[thread]}.stack"
        entered = len(self.views) - 1
        while entered > 0 and _frame(self.views[entered - 1], key, depth) == body:
            entered -= 1
        pending = f"{body}.pending"
        for number in range(entered - 1, 0, -1):
            before, after = self.views[number - 1][pending], self.views[number][pending]
            if int(after) > int(before):  # type: ignore[arg-type]
                past = self.past(number)
                return f", which {past.thread} scheduled at step {number} and {self.names[thread]} dispatched at step {entered}"
        return f", which {self.names[thread]} dispatched at step {entered}"

    def given_back(self, thread: int) -> Past | None:
        """The last step in which the thread gave a mutex back."""
        name = self.names[thread]
        for number in range(len(self.views) - 1, 0, -1):
            before, after = self.views[number - 1], self.views[number]
            if any(key.endswith(".owner") and before[key] == name != after[key] for key in before):
                return self.past(number)
        return None


def _frame(view: View, key: str, depth: int) -> str | None:
    stack = view.get(key, ())
    return stack[depth] if isinstance(stack, tuple) and len(stack) > depth else None
