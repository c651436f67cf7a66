"""Which facts about states are inductive: they hold at the start, and a step that goes on keeps them, if they hold before it.

In: a relation and candidates, terms over its current state. Out: the largest set of candidates that keep each other. None is trusted:
whoever made a candidate may have been wrong. It must not know what the candidates say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import z3

from formal.smt.relation import Relation
from formal.smt.solver import Answer, Session
from formal.smt.terms import Bool, Num, as_term, within
from formal.smt.unroll import Bundle, Unrolling, cell_term, constant


class AnyStart(Unrolling):
    """An execution of growing length from a state of which nothing is known."""

    def __init__(self, relation: Relation) -> None:
        super().__init__(relation)
        self.states[0] = {cell: cell_term(cell, cell.value) for cell in self.cells}


def ranges(relation: Relation) -> Iterator[Bool]:
    """That each cell is in its interval, for those whose representation has room for more. Candidates like any other."""
    for cell in relation.layout.cells:
        if isinstance(cell.value, Num):
            inside = within(Num(*_room(cell.value), cell.value.term), cell.lo, cell.hi)
            if inside is not True:
                yield inside


def _room(value: Num) -> tuple[int, int]:
    """All that a number's bit-vector can say."""
    bits = value.term.size()
    return (0, (1 << bits) - 1) if value.lo >= 0 else (-(1 << bits - 1), (1 << bits - 1) - 1)


def inductive(relation: Relation, candidates: Sequence[Bool], memory: int) -> list[Any]:
    """The candidates that are inductive together; none if the solver gives up. `memory`: mebibytes after which it does."""
    terms = [as_term(term) for term in candidates]
    kept = [i for i, holds in enumerate(_at_the_start(relation, terms)) if holds]
    if not kept:
        return []
    session, bundle = Session(memory), Bundle(terms)
    unrolling = AnyStart(relation)
    step = unrolling.extend()
    session.add(*step.definitions, step.going)
    before = [z3.Bool(f"before {i}") for i in range(len(terms))]
    after = [z3.Bool(f"after {i}") for i in range(len(terms))]
    session.add(*[z3.Implies(literal, term) for literal, term in zip(before, terms, strict=True)])
    session.add(*[literal == term for literal, term in zip(after, bundle.copy(unrolling.pairs(1), False), strict=True)])
    for query in range(len(terms) + 1):
        asked = z3.Bool(f"query {query}")
        session.add(z3.Implies(asked, z3.Or(*[z3.Not(after[i]) for i in kept])))
        answer = session.ask(asked, *[before[i] for i in kept])
        if answer is not Answer.SAT:
            break
        model = session.model()
        kept = [i for i in kept if model.truth(after[i])]
    return [terms[i] for i in kept] if answer is Answer.UNSAT else []


def _at_the_start(relation: Relation, terms: Sequence[Any]) -> Iterator[bool]:
    """Of each term, whether it is true in the initial state."""
    pairs = [(cell_term(cell, cell.value), constant(cell, cell.initial)) for cell in relation.layout.cells]
    for term in Bundle(terms).copy(pairs, True):
        yield z3.is_true(term)
