"""What an invariant's proofs rest on, in units.

In: a program, its properties, its units, an invariant. Out: for each property that follows from the invariant the units of a core, and
those that have no switch; nothing where there is too much to ask. It must not search states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from formal import program as p
from formal.frontend.walking import below
from formal.invariant import Invariant
from formal.rewriting.bodies import statements_of
from formal.smt.cfg import EncodingLimitError
from formal.smt.counted import Counted
from formal.smt.finite import TooManyCases
from formal.smt.parts import UnknownName
from formal.smt.pool import Inconclusive
from formal.vacuity.cores import Cores
from formal.vacuity.searching import Late
from formal.vacuity.units import Unit

_KINDS: Final = (("wait",), ("guard",), ("assumption", "assertion"))  # one after the other


def resting(
    program: p.Program, properties: Sequence[p.Property], units: Sequence[Unit], invariant: Invariant, late: Late
) -> Mapping[str, frozenset[Unit]]:
    """By property. `late`: whether it is time to stop."""
    asked_of_others = _asked_of_others(program)
    switched = {number: unit for number, unit in enumerate(units) if _has_switch(unit, asked_of_others)}
    statements = {unit.node.info.uid: n for n, unit in switched.items() if not isinstance(unit.node, p.MutexDecl | p.RwlockDecl | p.Block)}
    locks = {unit.node: n for n, unit in switched.items() if isinstance(unit.node, p.MutexDecl | p.RwlockDecl)}
    rest = frozenset(unit for number, unit in enumerate(units) if number not in switched)
    try:
        counted = Counted(program, properties, invariant, statements, locks)
        own = {prop.name: [n for n, unit in switched.items() if unit.prop == prop.name] for prop in properties}
        found = Cores(counted, late).cores(own, _groups(switched))
    except (EncodingLimitError, TooManyCases, UnknownName, Inconclusive):
        return {}
    return {name: rest.union(units[number] for number in core) for name, core in found.items()}


def _groups(switched: Mapping[int, Unit]) -> list[list[int]]:
    """The first lock, then the others and waits, guards, and what is taken for granted."""
    locks = [number for number, unit in switched.items() if unit.kind == "lock"]
    others = [[number for number, unit in switched.items() if unit.kind in kinds] for kinds in _KINDS]
    return [locks[:1], [*locks[1:], *others[0]], *others[1:]]


def _has_switch(unit: Unit, asked_of_others: frozenset[int]) -> bool:
    """A lock has one if nobody takes it twice, nor asks who owns it, or in the midst of a step whether another has it."""
    if isinstance(unit.node, p.MutexDecl | p.RwlockDecl):
        recursive = isinstance(unit.node, p.MutexDecl) and unit.node.recursive
        return not unit.fixed and not recursive and id(unit.node) not in asked_of_others
    return True


def _asked_of_others(program: p.Program) -> frozenset[int]:
    """The locks of which some statement or context asks whether a thread holds it that may be another; all, where that is not known."""
    said = (expr for holder in (*statements_of(program), *program.contexts) for expr in below(holder))
    found = [expr.lock for expr in said if isinstance(expr, p.Holds) and not isinstance(expr.thread, p.Self)]
    if any(not isinstance(ref, p.Direct) for ref in found):
        return frozenset(map(id, (*program.mutexes, *program.rwlocks)))
    return frozenset(id(ref.decl) for ref in found if isinstance(ref, p.Direct))
