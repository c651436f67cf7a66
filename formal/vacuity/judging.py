"""Of each proved property, whether it could fail at all, and what its proof needs.

In: a program, the names of the properties that are proved. Out: a `Vacuity` for each. Only what is certain is said: a search that was not
finished says nothing.

The core of P is found by leaving things out (`formal.vacuity.units`). What P fails without, alone, every proof of P needs. If P is proved
without all the rest, these are the core: there is no other. Else one thing after the other is put back, as few as it takes. Each of these
is a search. Where they are too many, an invariant that proves P is asked what it needs (`formal.vacuity.resting`), and what is looked for
is only whether P fails without something of that, alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from formal import program as p
from formal.engines.exploration import Exploration
from formal.engines.survey import survey
from formal.interp import Machine, State
from formal.invariant import Invariant
from formal.rewriting.bodies import place_of, statements_of
from formal.rewriting.rebuilding import Changes, rebuilt
from formal.vacuity.antecedents import antecedents, never
from formal.vacuity.resting import resting
from formal.vacuity.searching import MOST, Late, Looked, look
from formal.vacuity.units import Unit, units_of, without
from formal.verdict import Needed, Vacuity

_OF_STATES: Final = ("deadlock", "liveness")
FEW: Final = 50_000  # states of searches, one a unit, up to which an invariant is not worth while
SOME: Final = 3_000  # states to look at for what fails without a unit that a proof rests on


Learn: TypeAlias = Callable[[Sequence[p.Property]], Invariant | None]


def judge(program: p.Program, proved: Sequence[str], late: Late, learn: Learn = lambda _: None) -> tuple[Vacuity, ...]:
    """In the order of the report. `late`: whether it is time to stop; what was not looked at by then is told as such. `learn`: makes an
    invariant that proves some properties, if it can; asked only where there are many states."""
    return _Judging(program, proved, late, learn).run()


class _Judging:
    def __init__(self, program: p.Program, proved: Sequence[str], late: Late, learn: Learn) -> None:
        self.learn = learn
        self.program = program
        self.late = late
        self.properties = [prop for prop in program.properties if prop.name in set(proved)]
        self.cored = [prop.name for prop in self.properties if prop.kind not in _OF_STATES]
        self.units = units_of(program)
        self.seen = survey(program, MOST)

    def run(self) -> tuple[Vacuity, ...]:
        """Everything."""
        dead = self._never()
        if not self.seen.exhausted:
            why = f"more than {MOST:,} states"
            return tuple(Vacuity(prop.name, False, self._reached(prop), (), None, why) for prop in self.properties)
        rests = self._rests()
        alone = self._alone(rests)
        return tuple(self._one(prop, dead.get(prop.name, ()), alone, rests) for prop in self.properties)

    def _one(self, prop: p.Property, dead: tuple[str, ...], alone: dict[Unit, Looked], rests: Mapping[str, frozenset[Unit]]) -> Vacuity:
        reached = self._reached(prop)
        if prop.kind in _OF_STATES:
            waits = prop.kind == "liveness" or self._somebody_waits(idle=prop.name == p.DEADLOCK_LOCK_ORDER)
            return Vacuity(prop.name, not waits, reached, dead, None, "it is about waiting" if waits else "nobody ever waits")
        if reached is False:
            return Vacuity(prop.name, True, False, dead, (), "no execution reaches it")
        core, reason = self._core(prop.name, alone, rests.get(prop.name))
        return Vacuity(prop.name, bool(dead) or core == (), reached, dead, core, reason)

    # ------------------------------------------------------------ reached, and antecedents

    def _reached(self, prop: p.Property) -> bool | None:
        """Whether one of its assertions is executed; None for a property of states, or where it is not known."""
        mine = [one for one in statements_of(self.program) if isinstance(one, p.Assert) and one.prop == prop.name]
        if not mine:
            return None
        return True if any(one.info.uid in self.seen.executed for one in mine) else (False if self.seen.exhausted else None)

    def _never(self) -> dict[str, tuple[str, ...]]:
        """By property, antecedents that hold in no state; of an assertion, in none in which it is executed."""
        found: dict[str, tuple[str, ...]] = {}
        if not self.seen.exhausted:
            return found
        for prop in self.properties:
            if prop.kind == "invariant" and prop.condition is not None:
                found[prop.name] = self._never_in_states(prop.condition)
        for one in statements_of(self.program):
            if isinstance(one, p.Assert) and one.prop in self.cored and self._reached_by(one):
                told = (antecedent.text for antecedent in antecedents(one.condition) if self._never_at(one, never(antecedent)))
                found[one.prop] = (*found.get(one.prop, ()), *told)
        return found

    def _reached_by(self, statement: p.Assert) -> bool:
        return statement.info.uid in self.seen.executed

    def _never_in_states(self, condition: p.Expr) -> tuple[str, ...]:
        asked = antecedents(condition)
        machine = Machine(self.program)
        open_ones = {one: machine.condition(one.condition) for one in asked}
        exploration = Exploration(machine)

        def visit(_number: int, state: State, _waiting: list[int], _moving: list[int]) -> None:
            for one in [one for one, holds in open_ones.items() if holds(state)]:
                del open_ones[one]

        while open_ones and not exploration.exhausted:
            exploration.expand(visit, lambda *_: None)
        return tuple(one.text for one in asked if one in open_ones)

    def _never_at(self, statement: p.Assert, condition: p.Expr) -> bool:
        """Whether an assertion of the opposite would be proved."""
        changes = Changes()
        changes.set(statement, condition=condition)
        return look(rebuilt(self.program, changes), [statement.prop], self.late).proves(statement.prop)

    def _somebody_waits(self, *, idle: bool) -> bool:
        """Whether somebody waits in some state; `idle`: who waits where that is fine counts, too."""
        machine = Machine(self.program)
        exploration = Exploration(machine)
        waits = False

        def counts(state: State, thread: int) -> bool:
            place = machine.place(state, thread)
            return idle or place is None or not place.info.idle

        def visit(_number: int, state: State, waiting: list[int], _moving: list[int]) -> None:
            nonlocal waits
            waits = waits or any(counts(state, thread) for thread in waiting)

        while not waits and not exploration.exhausted:
            exploration.expand(visit, lambda *_: None)
        return waits

    # ------------------------------------------------------------ cores

    def _rests(self) -> Mapping[str, frozenset[Unit]]:
        """By property, what its proof by an invariant needs, where searches for each unit would go through many states."""
        wanted = [prop for prop in self.properties if prop.name in self.cored and self._reached(prop) is not False]
        if self.seen.states * len(self.units) <= FEW or not wanted:
            return {}
        invariant = self.learn(wanted)
        return {} if invariant is None else resting(self.program, wanted, self.units, invariant, self.late)

    def _alone(self, rests: Mapping[str, frozenset[Unit]]) -> dict[Unit, Looked]:
        """By unit, what is violated without it. A property whose proof does not need it is not asked about."""
        found = {}
        for unit in self.units:
            names = [name for name in self.cored if name != unit.prop and (name not in rests or unit in rests[name])]
            skipped = unit.fixed or self.late() or not names
            most = MOST if any(name not in rests for name in names) else SOME
            found[unit] = Looked(frozenset(), False) if skipped else look(without(self.program, [unit]), names, self.late, most)
        return found

    def _core(self, name: str, alone: Mapping[Unit, Looked], rests: frozenset[Unit] | None) -> tuple[tuple[Needed, ...] | None, str]:
        """The core, in order of the units; or why it is not known. What could not be left out, or not be looked at to the end, is kept."""
        mine = [unit for unit in self.units if unit.prop != name]
        sure = {unit for unit in mine if name in alone[unit].violated}
        if rests is None:
            kept = self._put_back(name, mine, alone, sure)
            if self.late():
                return None, "the time was up"
        else:
            kept = rests
        return tuple(Needed(unit.kind, unit.text, place_of(unit.span), unit in sure) for unit in mine if unit in kept), ""

    def _put_back(self, name: str, mine: Sequence[Unit], alone: Mapping[Unit, Looked], sure: set[Unit]) -> Collection[Unit]:
        """The units without which all at once it is not proved, found by searches. Adds to `sure`."""
        kept = {unit for unit in mine if unit in sure or not alone[unit].whole}
        rest = [unit for unit in mine if unit not in kept]
        if self._without(name, rest).proves(name):
            return kept
        gone: list[Unit] = []
        for unit in rest:
            looked = self._without(name, [*gone, unit])
            if looked.proves(name):
                gone.append(unit)
                continue
            kept.add(unit)
            if name in looked.violated:
                sure.add(unit)
        return kept

    def _without(self, name: str, units: Iterable[Unit]) -> Looked:
        return look(without(self.program, units), [name], self.late)
