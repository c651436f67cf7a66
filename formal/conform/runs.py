"""From the sets of states that a log leaves possible back to single executions.

In: the sets, one before each event, and the events. Out: the statements that executions which show the whole log execute, and one of those
executions. A state in the middle counts only if the rest of the log can be shown from it: that is found from the end backwards. Must not
judge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from formal.conform.following import Crossing, Following
from formal.conform.states import Closure, Possible
from formal.diagnostics import InternalError
from formal.interp import Stop
from formal.interp.execution import Execution, Step
from formal.interp.machine import Outcome


class Runs:
    """The executions that show the events `kinds`, from `sets[0]` to `sets[-1]`."""

    def __init__(self, following: Following, sets: Sequence[int], kinds: Sequence[int]) -> None:
        self._following = following
        self._sets = sets
        self._kinds = kinds
        self._closures: dict[int, Closure] = {}
        self._known: dict[tuple[int, int, frozenset[Possible]], tuple[frozenset[Possible], frozenset[int]]] = {}
        self.controls: set[int] = set()  # from which some such execution makes a step
        self._alive: list[frozenset[Possible]] = []

    def trace_back(self) -> None:
        """Find, before each event, the states from which the rest can be shown."""
        alive = frozenset(self._closure(self._sets[-1]).members)
        self._alive = [alive]
        for place in range(len(self._kinds) - 1, -1, -1):
            alive, controls = self._before(self._sets[place], self._kinds[place], alive)
            self._alive.append(alive)
            self.controls |= controls
        self._alive.reverse()

    def _closure(self, number: int) -> Closure:
        found = self._closures.get(number)
        if found is None:
            found = self._closures[number] = self._following.closure(number, edges=True)
        return found

    def _before(self, number: int, kind: int, alive: frozenset[Possible]) -> tuple[frozenset[Possible], frozenset[int]]:
        key = (number, kind, alive)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._back(self._closure(number), kind, alive)
        return found

    def _back(self, closure: Closure, kind: int, alive: frozenset[Possible]) -> tuple[frozenset[Possible], frozenset[int]]:
        crossings = [one for one in self._following.crossings(closure, self._following.seen(kind)) if one.end in alive]
        controls = {_control(one.step) for one in crossings if one.step is not None}
        into: dict[int, list[int]] = {}
        for place, edge in enumerate(closure.edges):
            into.setdefault(edge.end, []).append(place)
        live = {one.start for one in crossings}
        left = list(live)
        while left:
            for place in into.get(left.pop(), ()):
                edge = closure.edges[place]
                controls.update(_control(step) for step in edge.steps)
                if edge.start not in live:
                    live.add(edge.start)
                    left.append(edge.start)
        return frozenset(closure.members[number] for number in live), frozenset(controls)

    # ------------------------------------------------------------ one execution

    def example(self, count: int | None = None) -> Execution:
        """An execution that shows the first `count` events (all, without), and of the rest nothing yet."""
        machine = self._following.machine
        steps: list[Step] = []
        at = next(member for member in self._following.members(self._sets[0]) if member in self._alive[0])
        for place in range(len(self._kinds) if count is None else count):
            at = self._advance(place, at, steps)
        return Execution(machine, tuple(steps), at.state)

    def violating(self, prop: str, thread: int) -> Execution:
        """As `example`, with the error that this thread's next step is."""
        shown = self.example()
        for choice, after in self._following.machine.run(shown.last[thread])(shown.last):
            if isinstance(after, Stop) and after.prop == prop:
                last = Step(shown.last, Outcome(thread, choice, None, prop))
                return Execution(shown.machine, (*shown.steps, last), shown.last)
        raise InternalError(f"the last step does not violate {prop}")

    def _advance(self, place: int, at: Possible, steps: list[Step]) -> Possible:
        """By silent steps, as few as can be, and the event's."""
        closure = self._closure(self._sets[place])
        ways: dict[int, Crossing] = {}
        for one in self._following.crossings(closure, self._following.seen(self._kinds[place])):
            if one.end in self._alive[place + 1]:
                ways.setdefault(one.start, one)
        out: dict[int, list[tuple[int, tuple[Step, ...]]]] = {}
        for edge in closure.edges:
            out.setdefault(edge.start, []).append((edge.end, edge.steps))
        first = closure.members.index(at)
        came: dict[int, tuple[int, tuple[Step, ...]] | None] = {first: None}
        left = deque((first,))
        while left[0] not in ways:
            here = left.popleft()
            for end, silent in out.get(here, ()):
                if end not in came:
                    came[end] = (here, silent)
                    left.append(end)
        steps += _path(came, left[0])
        crossing = ways[left[0]]
        if crossing.step is not None:
            steps.append(crossing.step)
        return crossing.end


def _control(step: Step) -> int:
    return int(step.before[step.outcome.thread])


def _path(came: dict[int, tuple[int, tuple[Step, ...]] | None], last: int) -> Iterable[Step]:
    parts: list[tuple[Step, ...]] = []
    while (back := came[last]) is not None:
        last, silent = back
        parts.append(silent)
    return [step for part in reversed(parts) for step in part]
