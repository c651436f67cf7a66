"""Where threads stand in the terms of the other reading, for every control that the exploration has met.

In: an exhausted exploration. Out: by thread and control the places that it may be. A place is followed from step to step; where two look
the same from outside, what comes after tells them apart, or both are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from formal.engines.exploration import FIRST_PLACE, Exploration
from formal.interp import State, Stop
from formal.smt.places import DONE, UNSPAWNED, Place, Places
from formal.verdict import ViewValue

Spot = tuple[int, int]  # a thread and its control


class Unplaced(Exception):
    """The two readings do not name the places of this program alike; its text says where."""


class Whereabouts:
    """`known`: the places, one or more, by thread and control. Raises Unplaced."""

    def __init__(self, exploration: Exploration, places: Places) -> None:
        self._machine = exploration.machine
        self._places = places
        self._shown: dict[int, State] = {}
        self._after: dict[Spot, dict[Spot, None]] = {}
        self._observe(exploration)
        starts = {(thread, exploration.states[0][thread]) for thread in range(exploration.threads)}
        found: dict[Spot, dict[Place, None]] = {}
        ruled_out: set[tuple[Spot, Place]] = set()
        while True:
            found = self._forward(starts, ruled_out)
            wrong = self._dead_ends(found)
            if not wrong:
                break
            ruled_out |= wrong
        self.known = {spot: tuple(some) for spot, some in found.items()}
        for thread, control in self._after:
            if not self.known.get((thread, control)):
                raise Unplaced(f"{self._machine.program.threads[thread].name} stands where the other reading has no place")

    def _observe(self, exploration: Exploration) -> None:
        """Every way in which a thread's control was seen to change."""
        for number, state in enumerate(exploration.states):
            for control in state[: exploration.threads]:
                self._shown.setdefault(control, state)
            for _, after in exploration.successors(number):
                if not isinstance(after, Stop):
                    for thread in range(exploration.threads):
                        if after[thread] != state[thread]:
                            self._after.setdefault((thread, state[thread]), {})[thread, after[thread]] = None

    def _forward(self, starts: Iterable[Spot], ruled_out: set[tuple[Spot, Place]]) -> dict[Spot, dict[Place, None]]:
        found: dict[Spot, dict[Place, None]] = {}
        todo: list[tuple[Spot, Place]] = []

        def add(spot: Spot, place: Place) -> None:
            if (spot, place) not in ruled_out and place not in found.setdefault(spot, {}):
                found[spot][place] = None
                todo.append((spot, place))

        for thread in range(len(self._machine.program.threads)):
            add((thread, 0), UNSPAWNED)
            add((thread, 1), DONE)
        for spot in sorted(starts):
            if spot[1] >= FIRST_PLACE:
                add(spot, self._places.start(spot[0]))
        for spot, place in todo:
            for after in self._after.get(spot, ()):
                for reached in self._nexts(spot, place, after):
                    add(after, reached)
        return found

    def _nexts(self, spot: Spot, place: Place, after: Spot) -> tuple[Place, ...]:
        """Where a thread may be then that was here before."""
        thread, control = after
        if control < FIRST_PLACE:
            return (DONE,) if control else (UNSPAWNED,)
        if spot[1] < FIRST_PLACE:
            return (self._places.start(thread),)
        view, name = self._machine.view(self._shown[control]), self._machine.program.threads[thread].name
        return self._places.follow(place, thread, str(view[f"{name}.at"]), stack_of(view[f"{name}.stack"]))

    def _dead_ends(self, found: dict[Spot, dict[Place, None]]) -> set[tuple[Spot, Place]]:
        """Places from which some move that was seen leads nowhere: they were not it."""
        return {
            (spot, place)
            for spot, some in found.items()
            if len(some) > 1
            for place in some
            if any(not set(self._nexts(spot, place, after)) & set(found.get(after, ())) for after in self._after.get(spot, ()))
        }


def stack_of(value: ViewValue) -> tuple[str, ...]:
    """A view's value that is a tuple of names."""
    return value if isinstance(value, tuple) else (str(value),)
