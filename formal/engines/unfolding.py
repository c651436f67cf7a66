"""An execution of the program out of a search that merges steps and takes alike states for one: steps taken apart, names put back.

In: states of such a search, each of which a step leads to from the one before, where alike states have alike steps. Out: who moves and what
comes of it, step by step, from the initial state on. It is not known to be the shortest. Must not know what the execution is for.

A step from a normal form leads to a state that has a normal form of its own: the permutations that make these are undone one after the
other, so that the execution is that of the search, with one permutation for each of its steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from formal.diagnostics import InternalError
from formal.engines.hunt import Hunted
from formal.interp import Machine, Merging, State, Stop, Symmetry
from formal.interp.layout import FINISHED


class Unfolding:
    """Of one search. `merging`, `symmetry`: what it leaves out."""

    def __init__(self, machine: Machine, merging: Merging | None, symmetry: Symmetry | None) -> None:
        self._machine = machine
        self._merging = merging
        self._symmetry = symmetry
        self._step = machine.run if merging is None else merging.step
        self._forms = () if symmetry is None else symmetry.forms
        self._places: list[list[int]] = [
            list(range(form.sort.size)) for form in self._forms
        ]  # of each sort, which element of the program is which

    def execution(self, states: Sequence[State], last: int | None) -> Hunted:
        """Through these states, from one that the search starts from. `last`: who goes wrong in the last one, as it is called there."""
        initial = self._machine.initial()
        starts = [initial] if self._merging is None else self._merging.first(initial)
        start = next(state for state in starts if self._normal(state) == states[0])
        found = [] if self._merging is None else self._merging.from_start(initial, start)
        self._go_to(start)
        for before, normal in pairwise(states):
            thread, after = self._leading(before, normal)
            apart = [(thread, after)] if self._merging is None else self._merging.one_by_one(before, thread, after)
            found += [(self._thread(mover), self._state(state)) for mover, state in apart]
            self._go_to(after)
        return Hunted(tuple(found), None if last is None else self._thread(last))

    def _leading(self, before: State, normal: State) -> tuple[int, State]:
        """The step from one of the search's states to another one."""
        for thread, after in self._successors(before):
            if after == normal or self._normal(after) == normal:
                return thread, after
        raise InternalError("no step leads from a state to the one that was found behind it")

    def _successors(self, state: State) -> Iterable[tuple[int, State]]:
        for thread in range(len(self._machine.program.threads)):
            if state[thread] > FINISHED:
                yield from ((thread, after) for _, after in self._step(state[thread])(state) if not isinstance(after, Stop))

    # ------------------------------------------------------------ names

    def _normal(self, state: State) -> State:
        return state if self._symmetry is None else self._symmetry.normal(state)

    def _go_to(self, state: State) -> None:
        """From now on names are those of the state's normal form."""
        for number, form in enumerate(self._forms):
            to = form.order(state)
            if to is not None:
                state = form.permuted(state, to)
                places = list(self._places[number])
                for element, there in enumerate(to):
                    places[there] = self._places[number][element]
                self._places[number] = places

    def _state(self, state: State) -> State:
        """A state in the program's own names."""
        for form, places in zip(self._forms, self._places, strict=True):
            state = form.permuted(state, places)
        return state

    def _thread(self, thread: int) -> int:
        for form, places in zip(self._forms, self._places, strict=True):
            thread = form.images.threads(places)[thread]
        return thread
