"""Solver sessions: assertions that stay, questions under assumptions, and what a question cost.

In: terms. Out: sat with a model, unsat, or unknown with the reason. It must not know what the terms mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from time import perf_counter
from typing import Any

import z3

from formal.diagnostics import InternalError

_RLIMIT = "rlimit count"
_FIGURES = {
    "sat mk var": "variables",
    "sat mk clause nary": "clauses",
    "sat conflicts": "conflicts",
    _RLIMIT: "rlimit",
    "max memory": "peak solver memory (MB)",
}


class Answer(Enum):
    """What the solver said."""

    SAT = "sat"
    UNSAT = "unsat"
    UNKNOWN = "unknown"


class Session:
    """One incremental solver over finite domains. `memory`: mebibytes after which it answers unknown; `patience`: seconds for each
    question, after which it does, too."""

    def __init__(self, memory: int, patience: float | None = None) -> None:
        self._solver = z3.SolverFor("QF_FD")
        self._solver.set("max_memory", memory)
        if patience is not None:
            self._solver.set("timeout", max(1, round(1000 * patience)))
        self._solver.set("phase", "random")  # of a fixed seed; measured: a quarter to a third less work than the default
        self._solver.set("restart", "geometric")  # measured on searches of 15 steps and more: up to a fifth less
        self._assertions = 0
        self._questions = 0
        self._seconds = 0.0
        self._spent = 0  # rlimit
        self._dearest = 0

    def add(self, *terms: Any) -> None:
        """Assertions that hold from now on."""
        self._solver.add(*terms)
        self._assertions += len(terms)

    def ask(self, *assumptions: Any) -> Answer:
        """Whether the assertions and these literals can hold together."""
        start = perf_counter()
        result = self._solver.check(*assumptions)
        self._seconds += perf_counter() - start
        self._questions += 1
        self._count()
        if result == z3.sat:
            return Answer.SAT
        return Answer.UNSAT if result == z3.unsat else Answer.UNKNOWN

    def _count(self) -> None:
        """What the last question cost."""
        statistics = self._solver.statistics()
        spent = statistics.get_key_value(_RLIMIT) if _RLIMIT in set(statistics.keys()) else self._spent
        self._dearest = max(self._dearest, spent - self._spent)
        self._spent = spent

    def model(self) -> Model:
        """The model of the last question, which was answered sat."""
        return Model(self._solver.model())

    def reason(self) -> str:
        """Why the last question has no answer."""
        return str(self._solver.reason_unknown())

    def figures(self) -> Mapping[str, int | float | str]:
        """What the session cost so far."""
        figures: dict[str, int | float | str] = {
            "assertions": self._assertions,
            "questions": self._questions,
            "solver seconds": round(self._seconds, 3),
            "rlimit of the dearest question": self._dearest,
        }
        statistics = self._solver.statistics()
        names = set(statistics.keys())
        for key, name in _FIGURES.items():
            if key in names:
                figures[name] = statistics.get_key_value(key)
        return figures


class Model:
    """A model: Python values of terms, don't-cares completed."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def truth(self, term: Any) -> bool:
        return bool(z3.is_true(self.value(term)))

    def value(self, term: Any) -> Any:
        """The value as a term."""
        return self._model.eval(term, model_completion=True)

    def integer(self, term: Any, signed: bool) -> int:
        """A bit-vector's value."""
        value = self.value(term)
        if not z3.is_bv_value(value):
            raise InternalError(f"the solver gives no value for {term}")
        return int(value.as_signed_long() if signed else value.as_long())

    def truths(self, terms: Sequence[Any]) -> list[bool]:
        return [self.truth(term) for term in terms]
