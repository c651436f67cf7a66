"""Single states and steps (`formal.smt.concrete`), with what of a state each step, each wait and each property looks at.

In: a program, which of its properties are asked for, by what name passes of a `for` are told. Out: positions in a state. It must not know
why that is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from formal.netlist import Term
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER, DEADLOCK_PARTIAL, For, Program
from formal.smt.badness import invariant_broken
from formal.smt.cfg import FIRST
from formal.smt.concrete import Concrete, Snare, State, Through, where
from formal.smt.deadlock import Standstill


@dataclass(frozen=True, slots=True)
class Way:
    """What a way on from a place looks at, what it changes, and where it leads its thread; the places where it puts other threads. Of one
    that violates a property, what that rests on."""

    reads: frozenset[int]
    writes: frozenset[int]
    targets: tuple[int, ...]
    others: tuple[int, ...]


class Sighted(Concrete):
    """One program. `through`: by what name the passes of a `for` are told. Raises EncodingLimitError, TooManyCases."""

    def __init__(self, program: Program, asked: Collection[str], through: Through) -> None:
        super().__init__(program, asked, through)
        self._through = through
        self._pcs = frozenset(self._parts[position] for position in self._at)

    def passes(self, place: int) -> tuple[tuple[For, int], ...]:
        """Of each of those `for`s that a place is in, the number of the pass."""
        return tuple(one for one in self.node(place).site.passes if where(one[0]) in self._through) if place >= FIRST else ()

    def standing(self) -> Iterator[tuple[int, int]]:
        """Each thread, with each place from which there is a way on, where a step may violate something, or where it may wait."""
        yield from sorted({*self._changes_at, *self._blows_at, *self._waits})

    def ways(self, thread: int, place: int) -> Iterator[Way]:
        """All ways on from a place."""
        at = self._parts[self._at[thread]]
        for change in self._changes_at.get((thread, place), ()):
            whens = (when for cases in change.after.values() for when in cases.values())
            writes = frozenset(self._index[part] for part in change.after)
            others = tuple(value for part, cases in change.after.items() if part is not at and part in self._pcs for value in cases)
            yield Way(self._positions([change.guard, *whens]), writes, tuple(change.after.get(at, (place,))), others)
        for blow in self._blows_at.get((thread, place), ()):
            yield Way(self._positions([blow.guard]), frozenset(), (), ())

    def _positions(self, terms: Iterable[Term]) -> frozenset[int]:
        used = frozenset().union(*map(self._compiler.positions, terms))
        return frozenset(position for position in used if position < len(self._parts))

    @cached_property
    def _waits(self) -> dict[tuple[int, int], frozenset[int]]:
        truth, still = self._changes.finite.truth, Standstill(self._changes.stage)
        return {(thread, node.id): self._positions([truth(when)]) for thread, waits in enumerate(still.waiting) for node, when in waits}

    def waits(self, thread: int, place: int) -> frozenset[int]:
        """What it rests on whether a thread that stands there waits."""
        return self._waits.get((thread, place), frozenset())

    @cached_property
    def spoken(self) -> tuple[tuple[str, tuple[frozenset[int], ...]], ...]:
        """Of each invariant asked for, what each of those parts of it looks at of which one is enough to violate it."""
        truth, stage = self._changes.finite.truth, self._changes.stage
        asked = [prop for prop in self._asked if prop.kind == "invariant"]
        return tuple((prop.name, tuple(self._positions([one]) for one in _parts(truth(invariant_broken(stage, prop))))) for prop in asked)

    def broken(self, state: State) -> list[str]:
        """The invariants asked for that do not hold there."""
        return [name for name, broken in self._broken if name != DEADLOCK_GLOBAL and broken(state)]

    @cached_property
    def _traps(self) -> tuple[tuple[frozenset[str], Snare], ...]:
        """Sets of threads that are stuck, and which of the properties asked for one may violate."""
        asked = {prop.name for prop in self._asked}
        stuck, circle = asked & {DEADLOCK_GLOBAL, DEADLOCK_PARTIAL}, asked & {DEADLOCK_LOCK_ORDER}
        found = [(stuck, self._deadlocks.partial)] if stuck else []
        found += [(circle, self._deadlocks.lock_order)] if circle else []
        return tuple((frozenset(names), self._snare(trap)) for names, trap in found)

    def is_stuck(self, state: State, thread: int) -> bool:
        """Whether a thread waits there, and not idly, or may be part of a circle of locks."""
        traps = self._traps
        values = [*state, *(0 for _ in self._choices)]
        for _, snare in traps:
            for position in snare.members:
                values[position] = 1
        return any(snare.telling[thread](values) and snare.may[thread](values) for _, snare in traps)

    def snared(self, state: State) -> list[str]:
        """The deadlock properties asked for that a set of threads violates, whether anybody else moves or not: if nobody does, it is a
        global one, else a partial one, and the one may be told for the other."""
        return sorted(name for names, snare in self._traps if self._holds_any(state, snare) for name in names)


def _parts(term: Term, *, positive: bool = True) -> Iterator[Term]:
    """Terms of which one holds exactly if this one does (or does not)."""
    work = [(term, positive)]
    while work:
        one, sign = work.pop()
        match one.op, sign:
            case "not", _:
                work.append((one.args[0], not sign))
            case ("or", True) | ("and", False):
                work += [(arg, sign) for arg in one.args]
            case _:
                yield one
