"""A certificate for what was proved: an invariant that anybody can check, or why there is none.

In: a program and the report of its proof. Out: a `Certificate`. The report's engines are not asked: the states are explored anew,
unreduced, and the invariant is learned from them and proved by the solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from formal.certificates.learning import NotLearned, learn
from formal.certificates.whereabouts import Unplaced
from formal.children import Child, Ended, wait
from formal.diagnostics import InternalError
from formal.engines.exploration import Exploration, OutOfMemory
from formal.interp import Machine
from formal.invariant import Invariant
from formal.program import Program
from formal.smt.cfg import EncodingLimitError
from formal.smt.pool import Inconclusive
from formal.verdict import Report, Verdict

MOST_STATES: Final = 200_000  # to learn from: beyond that it is no matter of minutes any more
MEMORY: Final = 4096  # mebibytes, for the states and again for the solver

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """`proves`: the properties that `invariant` proves, learned from so many `states`. `uncertified`: proved ones without it, and why."""

    invariant: Invariant | None
    proves: tuple[str, ...]
    states: int | None
    uncertified: Mapping[str, str]


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
    uncertified = {
        prop.name: "liveness, proved by exploring all states: an invariant alone does not show it"
        for prop in program.properties
        if prop.name in proved and prop.kind == "liveness"
    }
    wanted = [prop for prop in program.properties if prop.name in proved and prop.kind != "liveness"]
    if not wanted:
        return Certificate(None, (), None, uncertified)
    names = tuple(prop.name for prop in wanted)

    def progress(note: str) -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise NotLearned("the time was up")
        if tell is not None:
            tell(note)

    try:
        exploration = _explore(program, progress)
        invariant = learn(program, wanted, exploration, MEMORY, lambda known, open_: progress(f"{known:,} lemmas, {open_:,} to be proved"))
    except (NotLearned, Unplaced, Inconclusive, EncodingLimitError, OutOfMemory) as error:
        return Certificate(None, (), None, uncertified | dict.fromkeys(names, f"no invariant: {_why(error)}"))
    return Certificate(invariant, names, len(exploration.states), uncertified)


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
