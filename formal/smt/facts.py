"""What control flow and the ranges of values say about states, as far as it was proved to be so in every reachable state.

In: a relation. Out: those of the candidates that are inductive together. It must not know what rests on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from formal.smt.inductive import inductive, ranges
from formal.smt.lemmas import lemmas
from formal.smt.relation import Relation
from formal.smt.standing import standing
from formal.smt.terms import Bool, as_term


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Terms over the current state. `lemmas`: about locks and thread-locals; `standing`: about where threads stand; `ranges`: of cells."""

    lemmas: tuple[Any, ...]
    standing: tuple[Any, ...]
    ranges: tuple[Any, ...]

    @property
    def all(self) -> tuple[Any, ...]:
        return (*self.lemmas, *self.standing, *self.ranges)


def proved_facts(relation: Relation, memory: int, *, offered: bool = True) -> Facts:
    """The facts that were proved; none if the solver gives up. `memory`: mebibytes after which it does; `offered`: without it, ranges
    alone."""
    return _proved(relation, lemmas(relation), standing(relation), memory) if offered else _proved(relation, (), (), memory)


def proved_lemmas(relation: Relation, memory: int) -> tuple[Any, ...]:
    """The lemmas among them. Nothing is asked where there are none to prove."""
    found = lemmas(relation)
    return _proved(relation, found, standing(relation), memory).lemmas if found else ()


def _proved(relation: Relation, about_locks: Iterable[Bool], about_threads: Iterable[Bool], memory: int) -> Facts:
    groups = [tuple(map(as_term, group)) for group in (about_locks, about_threads, ranges(relation))]
    kept = {term.get_id() for term in inductive(relation, [term for group in groups for term in group], memory)}
    return Facts(*(tuple(term for term in group if term.get_id() in kept) for group in groups))
