"""What a walk violates, state by state.

In: a machine, states in order. Out: names of properties. Errors are outcomes of steps and need no judge.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal.interp import Machine, Outcome, State
from formal.program import Property

_LONGEST_LOOP = 400  # states; a longer one is not looked through


class Judge:
    """The properties of states of one program."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        properties = machine.program.properties
        self._deadlocks = tuple(prop.name for prop in properties if prop.kind == "deadlock")
        self._liveness = tuple(prop for prop in properties if prop.kind == "liveness")
        self._threads = range(len(machine.program.threads))

    def moves(self, state: State) -> dict[int, list[Outcome]]:
        """The steps that are possible, by thread."""
        found = {thread: self.machine.steps(state, thread) for thread in self._threads}
        return {thread: outcomes for thread, outcomes in found.items() if outcomes}

    def waiting(self, state: State, moves: dict[int, list[Outcome]]) -> list[int]:
        """The running threads that cannot move."""
        return [thread for thread in self._threads if thread not in moves and self.machine.place(state, thread) is not None]

    def broken(self, state: State, waiting: list[int], moving: list[int]) -> tuple[str, ...]:
        """The invariants and deadlock properties that the state violates."""
        broken = self.machine.broken_invariants(state)
        return (*broken, *self.machine.deadlocked(state, waiting, moving, self._deadlocks)) if waiting else broken

    def lassos(self) -> Lassos:
        """A watch on the liveness properties of one walk."""
        return Lassos(self.machine, self._liveness)


class _Watch:
    """One liveness property along one walk: since which state its goal has not held, and since which its trigger is owed."""

    def __init__(self, machine: Machine, prop: Property) -> None:
        assert prop.condition is not None, "a liveness property has a goal"
        self.name = prop.name
        self._goal = machine.condition(prop.condition)
        self._trigger = None if prop.trigger is None else machine.condition(prop.trigger)
        self.missing_since = 0
        self.owed = self._trigger is None

    def see(self, number: int, state: State) -> None:
        """The state of that number, from 0."""
        if self._goal(state):
            self.missing_since = number + 1
            self.owed = False
        elif self._trigger is not None and not self.owed and self._trigger(state):
            self.owed = True

    def violated_by(self, loop_to: int) -> bool:
        """Whether a loop from there to the last state seen keeps the goal away for ever."""
        return self.owed and loop_to >= self.missing_since


class Lassos:
    """Loops of one walk that are fair and violate a liveness property. It does nothing where there is none to violate."""

    def __init__(self, machine: Machine, properties: tuple[Property, ...]) -> None:
        self._watches = [_Watch(machine, prop) for prop in properties]
        self._strong = machine.program.strong_fair
        self._threads = range(len(machine.program.threads))
        self._seen: dict[State, list[int]] = {}
        self._able: list[frozenset[int]] = []
        self._moved: list[int] = []

    def visit(self, state: State, able: frozenset[int], moved: int | None) -> Iterator[tuple[str, int]]:
        """The next state, who can move there, and who has moved to it: what is violated now, and where the loop begins."""
        if not self._watches:
            return
        number = len(self._able)
        self._able.append(able)
        if moved is not None:
            self._moved.append(moved)
        for watch in self._watches:
            watch.see(number, state)
        starts = [number] if not able else self._seen.setdefault(state, [])
        for watch in self._watches:
            for loop_to in starts:
                if watch.violated_by(loop_to) and number - loop_to <= _LONGEST_LOOP and self._fair(loop_to, number):
                    yield watch.name, loop_to
                    break
        if able:
            starts.append(number)

    def _fair(self, loop_to: int, end: int) -> bool:
        """Who could move all along has moved; of the strongly fair, who could move at all."""
        moved = set(self._moved[loop_to:end])
        able = self._able[loop_to : end + 1]
        neglected = [thread for thread in self._threads if thread not in moved and any(thread in one for one in able)]
        return not any(thread in self._strong or all(thread in one for one in able) for thread in neglected)
