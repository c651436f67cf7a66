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
        self._terms: list[Any] = []
        self._bounds: dict[tuple[str, int], Any] = {}
        self.options = range(len(costs))
        for _ in self.options:
            self.variable()

    def variable(self) -> int:
        """A new one."""
        self._terms.append(z3.Bool(f"v{len(self._terms)}"))
        return len(self._terms) - 1

    def clause(self, literals: Iterable[Literal]) -> None:
        """One of these holds from now on."""
        self._session.add(any_of([self._term(one) for one in literals]))

    def at_most_one(self, variables: Sequence[int]) -> None:
        """Of these."""
        if len(variables) > 1:
            self._session.add(z3.AtMost(*[self._terms[one] for one in variables], 1))

    def cheapest(self, most: int | None) -> frozenset[int] | None:
        """Some options that satisfy the clauses and cost no more than `most` together, of those with the same cost the narrowest; None if
        there are none. Raises Unsettled."""
        found = self._ask([] if most is None else [self._bound("cost", self._costs, most)])
        if found is None:
            return None
        for what, weights in (("cost", self._costs), ("width", self._widths)):
            found = self._less(found, what, weights)
        return found

    def allows(self, chosen: frozenset[int]) -> bool:
        """Whether just these options satisfy the clauses. Raises Unsettled."""
        return self._ask([self._term(Literal(one, one in chosen)) for one in self.options]) is not None

    def _less(self, found: frozenset[int], what: str, weights: Sequence[int]) -> frozenset[int]:
        """As little of this weight as there is, at no more cost."""
        cost = self._bound("cost", self._costs, sum(self._costs[one] for one in found))
        while True:
            weight = sum(weights[one] for one in found)
            better = self._ask([cost, self._bound(what, weights, weight - 1)]) if weight else None
            if better is None:
                return found
            found = better

    def _bound(self, what: str, weights: Sequence[int], most: int) -> Any:
        """A term that limits a weight."""
        known = self._bounds.get((what, most))
        if known is None:
            known = self._bounds[what, most] = z3.Bool(f"{what} {most}")
            sum_ = z3.PbLe([(self._terms[one], weights[one]) for one in self.options if weights[one]], most)
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
                return frozenset(one for one in self.options if model.truth(self._terms[one]))

    def _term(self, literal: Literal) -> Any:
        term = self._terms[literal.variable]
        return term if literal.truth else negation(term)
