"""A certificate for what was proved: an invariant and rankings that anybody can check, or why there is none.

In: a program and the report of its proof. Out: a `Certificate`. The report's engines are not asked: the states are explored anew,
unreduced, and invariant and rankings are learned from them and proved by the solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from formal.certificates.learning import NotLearned, learn, learn_all
from formal.certificates.whereabouts import Unplaced
from formal.children import Child, Ended, wait
from formal.diagnostics import InternalError
from formal.engines.exploration import Exploration, OutOfMemory
from formal.interp import Machine
from formal.invariant import Invariant
from formal.invariant.ranking import Ranking
from formal.program import Program, Property
from formal.smt.cfg import EncodingLimitError
from formal.smt.pool import Inconclusive
from formal.verdict import Report, Verdict

MOST_STATES: Final = 200_000  # to learn from: beyond that it is no matter of minutes any more
MEMORY: Final = 4096  # mebibytes, for the states and again for the solver

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """`proves`: the properties that `invariant` proves, learned from so many `states`; with `rankings` it proves those of liveness.
    `uncertified`: proved ones without it, and why."""

    invariant: Invariant | None
    proves: tuple[str, ...]
    states: int | None
    uncertified: Mapping[str, str]
    rankings: Mapping[str, Ranking] = field(default_factory=dict)

    @property
    def certified(self) -> frozenset[str]:
        """All that it shows."""
        return frozenset((*self.proves, *self.rankings))


def certify_apart(program: Program, report: Report, deadline: float | None = None, tell: Tell | None = None) -> Certificate:
    """The same in a process of its own. As long as this one has not used the solver itself, the same proof gets the same invariant,
    whatever was proved before. Raises InternalError when that process breaks down."""
    child = Child(lambda send: send(certify(program, report, deadline, send)))
    certificate = None
    try:
        while not child.ended:
            for value in child.receive() if wait([child], 0.2) else ():
                match value:
                    case Certificate():
                        certificate = value
                    case str() if tell is not None:
                        tell(value)
                    case Ended(crash=str() as crash):
                        raise InternalError(crash)
                    case _:
                        pass
    finally:
        child.end()
    if certificate is None:
        raise InternalError("no certificate came")
    return certificate


def certify(program: Program, report: Report, deadline: float | None = None, tell: Tell | None = None) -> Certificate:
    """The certificate. `deadline`: of time.monotonic(); `tell`: gets a note on how far it is."""
    proved = {result.name for result in report.properties if result.verdict is Verdict.PROVED}
    wanted = [prop for prop in program.properties if prop.name in proved]
    if not wanted:
        return Certificate(None, (), None, {})

    def progress(note: str) -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise NotLearned("the time was up")
        if tell is not None:
            tell(note)

    def learning(known: int, left: int) -> None:
        progress(f"{known:,} lemmas, {left:,} to be proved")

    try:
        exploration = _explore(program, progress)
        learned = learn_all(program, wanted, exploration, MEMORY, learning)
    except (NotLearned, Unplaced, Inconclusive, EncodingLimitError, OutOfMemory) as error:
        return Certificate(None, (), None, {prop.name: f"no invariant: {_why(error)}" for prop in wanted})
    names = tuple(prop.name for prop in wanted if prop.kind != "liveness")
    unranked = {name: f"no ranking: {why}" for name, why in learned.unranked.items()}
    return Certificate(learned.invariant, names, len(exploration.states), unranked, learned.rankings)


def invariant_of(program: Program, properties: list[Property], late: Callable[[], bool]) -> Invariant | None:
    """An inductive invariant that proves these, none of liveness; None if none came of it. `late`: whether it is time to stop."""

    def progress(*_: object) -> None:
        if late():
            raise NotLearned("the time was up")

    try:
        return learn(program, properties, _explore(program, progress), MEMORY, progress)
    except (NotLearned, Unplaced, Inconclusive, EncodingLimitError, OutOfMemory):
        return None


def _explore(program: Program, progress: Tell) -> Exploration:
    exploration = Exploration(Machine(program), MEMORY)
    while not exploration.exhausted:
        exploration.expand(lambda *_: None, lambda *_: None)
        states = len(exploration.states)
        progress(f"{states:,} states")
        if states > MOST_STATES:
            raise NotLearned(f"more than {MOST_STATES:,} states to learn it from")
    return exploration


def _why(error: Exception) -> str:
    return str(error) or "out of memory"
