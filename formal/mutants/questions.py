"""What is asked about the mutants of one model, where there is time for it: in processes of an executor.

In: questions, which can be pickled. Out: answers. What the questions about one model share is made once: before our own processes are
forked, and once a question in those that start from nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, TypeAlias

from formal.diagnostics import InternalError
from formal.mutants.beside import Neighbour
from formal.mutants.judging import Fate, Judge, Kills, graph_of
from formal.mutants.operators import mutants
from formal.program import Program
from formal.rewriting.flattening import flat


@dataclass(frozen=True, slots=True)
class Given:
    """A model as it was loaded, the properties asked for, the models beside it."""

    program: Program
    properties: tuple[str, ...]
    beside: tuple[Program, ...] = ()

    @property
    def key(self) -> str:
        """Different where an answer may be different."""
        return " ".join([*(f"{one.file} {one.digest}" for one in (self.program, *self.beside)), *self.properties])


@dataclass(frozen=True, slots=True)
class Subject:
    """A model by name. `given`: what whoever has not met it makes it from; None for processes that were forked from one that has."""

    key: str
    given: Given | None = field(compare=False)


Kind: TypeAlias = Literal["fate", "alone", "beside"]


@dataclass(frozen=True, slots=True)
class Question:
    """About the mutants of those numbers: their fate; whether they violate `prop` where it is the only clause; which model beside it
    notices them (`NAME: what it notices`, or nothing)."""

    subject: Subject
    kind: Kind
    numbers: tuple[int, ...]
    prop: str = ""


class Bench:
    """A model with all that is needed to judge its mutants. `kills`, `reason`: why it is not proved, if it is not."""

    def __init__(self, given: Given) -> None:
        self.program = flat(given.program)
        self.kills: Kills
        self.kills, self.original, self.reason = graph_of(self.program, given.properties)
        if self.original is not None:
            _ = self.original.executed, self.original.steps  # made here, for all that are forked from here
        self.mutants = mutants(self.program)
        self.judge = Judge(self.program, given.properties, self.original)
        self.beside = tuple(Neighbour(one) for one in given.beside)

    def noticed(self, number: int) -> str:
        """Which model beside this one notices a mutant, and what."""
        name = self.mutants[number].name
        told = ((one.name, one.notices(name)) for one in self.beside)
        return next((f"{model}: {what}" for model, what in told if what), "")


@lru_cache(maxsize=1)
def bench(subject: Subject) -> Bench:
    """The model's. Raises InternalError for a model that nobody here has met."""
    if subject.given is None:
        raise InternalError(f"{subject.key} is asked about, and nobody has said what it is")
    return Bench(subject.given)


def answered(question: Question) -> tuple[object, ...]:
    """One answer a number: a `Fate`, a truth value, or text."""
    made = bench(question.subject)
    match question.kind:
        case "fate":
            return tuple(_timed(made, number) for number in question.numbers)
        case "alone":
            return tuple(made.judge.violated_alone(made.mutants[number], question.prop) for number in question.numbers)
        case "beside":
            return tuple(made.noticed(number) for number in question.numbers)


def _timed(made: Bench, number: int) -> Fate:
    begun = time.monotonic()
    return replace(made.judge.judge(made.mutants[number]), seconds=time.monotonic() - begun)
