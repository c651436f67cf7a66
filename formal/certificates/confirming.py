"""A third opinion on a record: every reachable state, by the interpreter alone.

In: a record and the program that it is of. Out: whether each reachable state has the invariant, and nothing is violated that is said to be
proved, or that there are too many states to say. What is found here contradicts solvers that say otherwise: it must not ask them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from formal.certificates.checking import Checked, Confirmed
from formal.certificates.kinds_listing import KindsListing
from formal.certificates.listing import Listing
from formal.certificates.record import Record
from formal.engines.protocol import REDUCTIONS, Event, Finding, Options
from formal.frontend import resized
from formal.invariant import Clause, Invariant, clause_text
from formal.program import Program
from formal.verdict import Verdict

if TYPE_CHECKING:
    from formal.certificates.census import Census
    from formal.engines.exploration import Exploration

MOST_STATES: Final = 200_000
SIZES: Final = 3  # of a record of every size, the smallest ones
_MEMORY: Final = 4096  # mebibytes


def with_states(record: Record, program: Program, checked: Checked, most: int = MOST_STATES) -> Checked:
    """What was found by rechecking, with what all reachable states say of the same invariant, if it could be asked about at all."""
    if not checked.scripts and checked.closed is None:
        return checked
    confirmed = confirm(record, program, most) if record.family is None else of_small_sizes(record, record.family, program, most)
    state = "disagreement" if confirmed.problems and checked.state == "stands" else checked.state
    return replace(checked, state=state, problems=(*checked.problems, *confirmed.problems), confirmed=confirmed)


def confirm(record: Record, program: Program, most: int = MOST_STATES) -> Confirmed:
    """Looks at all reachable states, if there are at most so many. The program's digest is the record's."""
    from formal.certificates.whereabouts import Unplaced
    from formal.engines.exploration import OutOfMemory
    from formal.smt.cfg import EncodingLimitError

    claimed = (*record.proves, *record.rankings)
    if not claimed:
        return Confirmed(None, "it says of nothing that it is proved with a certificate")
    try:
        states = _invariant(record.invariant or (), program, most)
        return states if states.states is None else Confirmed(states.states, "", (*states.problems, *_verdicts(program, claimed)))
    except OutOfMemory:
        return Confirmed(None, f"its states take more than {_MEMORY:,} MiB")
    except (Unplaced, EncodingLimitError) as error:
        return Confirmed(None, f"its states cannot be told by the names in the invariant: {error}")


def of_small_sizes(record: Record, listing: Listing | KindsListing, program: Program, most: int) -> Confirmed:
    """Goes through all states of one size after the other, as long as they are no more than that together: nothing is violated there that
    is proved for every size. What it lists is not compared: those are states of the other reading."""
    from formal.engines.exploration import OutOfMemory

    states = 0
    problems: list[str] = []
    told = 0
    for more in range(SIZES):
        sizes = {name: least + more for name, least in record.unbounded.items()}
        small = resized(program, sizes, record.extra)
        try:
            explored = None if small is None else _explored(small, most - states)
        except OutOfMemory:
            explored = None
        if small is None or explored is None:
            break
        states += len(explored.states)
        told = more + 1
        here = ", ".join(f"{name}={size}" for name, size in sizes.items())
        problems += [f"with {here}, {problem}" for problem in _verdicts(small, listing.proves)]
    if not told:
        return Confirmed(None, f"it has more than {most:,} states with " + _spelled(record.unbounded, 1))
    return Confirmed(states, _spelled(record.unbounded, told), tuple(problems))


def _spelled(least: Mapping[str, int], count: int) -> str:
    """The first few sizes: "N=1 to 3"."""
    return ", ".join(f"{name}={low}" + (f" to {low + count - 1}" if count > 1 else "") for name, low in least.items())


def _explored(program: Program, most: int) -> Exploration | None:
    """All states; None if they are more than that. Raises OutOfMemory."""
    from formal.engines.exploration import Exploration
    from formal.interp import Machine

    exploration = Exploration(Machine(program), _MEMORY)
    while not exploration.exhausted:
        if len(exploration.states) > most:
            return None
        exploration.expand(lambda *_: None, lambda *_: None)
    return exploration


def _invariant(invariant: Invariant, program: Program, most: int) -> Confirmed:
    """Which clauses some reachable state breaks. Raises OutOfMemory, Unplaced, EncodingLimitError."""
    from formal.certificates.census import Census
    from formal.smt.obligations import Obligations

    exploration = _explored(program, most)
    if exploration is None:
        return Confirmed(None, f"it has more than {most:,} states")
    census = Census(exploration, Obligations(program, []).parts)
    broken = [clause for clause in invariant if not _everywhere(clause, census)]
    return Confirmed(len(exploration.states), "", tuple(f"a reachable state does not have {clause_text(clause)}" for clause in broken))


def _everywhere(clause: Clause, census: Census) -> bool:
    """Whether every state has, or may have, one of the values: what the states leave open is no contradiction."""
    parts = {part.name: part for part in census.parts}
    having = 0
    for literal in clause:
        part = parts[literal.part]
        wanted = [number for value, number in part.number_of.items() if (value in literal.values) != literal.negated]
        having |= reduce(or_, (census.having(part, number) for number in wanted), 0)
    return having == census.everybody


def _verdicts(program: Program, claimed: tuple[str, ...]) -> tuple[str, ...]:
    """What of the properties is not proved after all, by a search without reductions."""
    from formal.engines import explicit

    found: dict[str, Finding] = {}

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            found[event.prop] = event

    explicit.run(program, Options(claimed, memory=_MEMORY, without=frozenset(REDUCTIONS)), tell)
    return tuple(f"{name} is violated after {found[name].depth} steps" for name in claimed if found[name].verdict is Verdict.VIOLATED)
