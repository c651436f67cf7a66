"""The obligations of a certificate as text: what to ask of solvers.

In: a program, an invariant with the properties that it is to prove, rankings. Out: SMT-LIB 2 scripts by name. They are written move by
move; for a program that reckons with too many values for that, as formulas over its whole relation. It must not know who is asked, nor
read files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from formal.invariant import Invariant
from formal.invariant.ranking import Ranking
from formal.program import Program, Property
from formal.smt.finite import TooManyCases
from formal.smt.obligations import Obligations
from formal.smt.parts import UnknownName
from formal.smt.questions import Questions
from formal.smt.ranked import Ranked
from formal.smt.response import Response

Writer: TypeAlias = Callable[[Invariant], Mapping[str, str]]


def scripts(program: Program, invariant: Invariant, proves: Collection[str], rankings: Mapping[str, Ranking]) -> dict[str, str]:
    """`initiation` and so on, and for a ranking `PROPERTY: owed` and so on. Raises UnknownName, EncodingLimitError."""
    try:
        return by_move(program, invariant, proves, rankings)
    except TooManyCases:
        return at_once(program, invariant, proves, rankings)


def by_move(program: Program, invariant: Invariant, proves: Collection[str], rankings: Mapping[str, Ranking]) -> dict[str, str]:
    """The same. Raises TooManyCases besides."""
    questions = Questions(program, [prop for prop in program.properties if prop.name in proves])
    return _all(program, questions.scripts, lambda prop: Ranked(questions, prop, rankings[prop.name]).scripts, invariant, rankings)


def at_once(program: Program, invariant: Invariant, proves: Collection[str], rankings: Mapping[str, Ranking]) -> dict[str, str]:
    """The same, over the whole relation."""
    obligations = Obligations(program, [prop for prop in program.properties if prop.name in proves])
    return _all(program, obligations.scripts, lambda prop: Response(obligations, prop, rankings[prop.name]).scripts, invariant, rankings)


def _all(
    program: Program, of_states: Writer, of: Callable[[Property], Writer], invariant: Invariant, ranked: Container[str]
) -> dict[str, str]:
    with _about("its invariant"):
        found = dict(of_states(invariant))
    for prop in program.properties:
        if prop.name in ranked:
            with _about(f"the ranking of {prop.name}"):
                found |= {f"{prop.name}: {which}": text for which, text in of(prop)(invariant).items()}
    return found


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Says what an unknown name is in."""
    try:
        yield
    except UnknownName as error:
        raise UnknownName(f"{what} speaks of what is not there: {error}") from None
