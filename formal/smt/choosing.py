"""The cheapest sets of options under clauses that come one after the other.

In: options with costs, clauses over them. Out: sets of options that satisfy all clauses, the cheapest first. It must not know what the
options are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import z3

from formal.smt.solver import Answer, Session
from formal.smt.terms import any_of, negation

_MEMORY: Final = 2048  # mebibytes
_CTRL_C: Final = "interrupted from keyboard"  # why the solver gave up


class Unsettled(Exception):
    """The solver gave up; the message says why."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A variable, true or false."""

    variable: int
    truth: bool = True


class Chooser:
    """Variables are numbers; the first are the options."""

    def __init__(self, costs: Sequence[int], widths: Sequence[int]) -> None:
        self._session = Session(_MEMORY)
        self._costs = costs
        self._widths = widths
        self._terms: list[tuple[Any, Any]] = []  # each and its negation
        self._bounds: dict[tuple[str, int], Any] = {}
        self._least = 0  # nothing costs less
        self.options = range(len(costs))
        for _ in self.options:
            self.variable()

    def variable(self) -> int:
        """A new one."""
        made = z3.Bool(f"v{len(self._terms)}")
        self._terms.append((made, negation(made)))
        return len(self._terms) - 1

    def clause(self, literals: Iterable[Literal]) -> None:
        """One of these holds from now on."""
        self._session.add(any_of([self._term(one) for one in literals]))

    def at_most_one(self, variables: Sequence[int]) -> None:
        """Of these."""
        if len(variables) > 1:
            self._session.add(z3.AtMost(*[self._terms[one][0] for one in variables], 1))

    def cheapest(self, most: int) -> frozenset[int] | None:
        """Some options that satisfy the clauses and cost no more than `most` together, of those with the same cost the narrowest; None if
        there are none. Clauses are only added, so nothing gets cheaper: it begins at what was the least before. Raises Unsettled."""
        while self._least <= most:
            found = self._ask([self._bound("cost", self._costs, self._least)])
            if found is not None:
                return self._narrower(found)
            self._least += 1
        return None

    def possible(self) -> bool:
        """Whether any options satisfy the clauses, whatever they cost. Raises Unsettled."""
        return self._ask([]) is not None

    def allows(self, chosen: frozenset[int]) -> bool:
        """Whether just these options satisfy the clauses. Raises Unsettled."""
        return self._ask([self._term(Literal(one, one in chosen)) for one in self.options]) is not None

    def _narrower(self, found: frozenset[int]) -> frozenset[int]:
        """As narrow as there is, at the least cost."""
        cost = self._bound("cost", self._costs, self._least)
        while True:
            width = sum(self._widths[one] for one in found)
            better = self._ask([cost, self._bound("width", self._widths, width - 1)]) if width else None
            if better is None:
                return found
            found = better

    def _bound(self, what: str, weights: Sequence[int], most: int) -> Any:
        """A term that limits a weight."""
        known = self._bounds.get((what, most))
        if known is None:
            known = self._bounds[what, most] = z3.Bool(f"{what} {most}")
            sum_ = z3.PbLe([(self._terms[one][0], weights[one]) for one in self.options if weights[one]], most)
            self._session.add(z3.Implies(known, sum_))
        return known

    def _ask(self, assumptions: Sequence[Any]) -> frozenset[int] | None:
        match self._session.ask(*assumptions):
            case Answer.UNSAT:
                return None
            case Answer.UNKNOWN:
                if self._session.reason() == _CTRL_C:
                    raise KeyboardInterrupt  # which the solver has taken for itself
                raise Unsettled(self._session.reason())
            case Answer.SAT:
                model = self._session.model()
                return frozenset(one for one in self.options if model.truth(self._terms[one][0]))

    def _term(self, literal: Literal) -> Any:
        return self._terms[literal.variable][not literal.truth]
