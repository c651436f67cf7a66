"""The cheapest sets of options under clauses that come one after the other.

In: options with costs, clauses over them. Out: sets of options that satisfy all clauses, the cheapest first. It must not know what the
options are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import z3

from formal.smt.solver import Answer, Session
from formal.smt.terms import any_of, negation
from formal.smt.totals import totals

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
    """Variables are numbers; the first are the options. `most`: costs above this are not told apart."""

    def __init__(self, costs: Sequence[int], most: int) -> None:
        self._session = Session(_MEMORY)
        self._terms: list[tuple[Any, Any]] = []  # each and its negation
        self._least = 0  # nothing costs less
        self._supposed: dict[int, int] = {}  # and what was known to be the least then
        self.options = range(len(costs))
        for _ in self.options:
            self.variable()
        self._totals = totals([(self._terms[one][0], cost) for one, cost in enumerate(costs)], most, self._session.add)

    def variable(self) -> int:
        """A new one."""
        made = z3.Bool(f"v{len(self._terms)}")
        self._terms.append((made, negation(made)))
        return len(self._terms) - 1

    def clause(self, literals: Iterable[Literal]) -> None:
        """One of these holds from now on."""
        self._session.add(any_of([self._term(one) for one in literals]))

    def suppose(self) -> int:
        """A new variable that is true until it is settled: clauses with its negation hold for that time in `cheapest` and `instead`."""
        made = self.variable()
        self._supposed[made] = self._least
        return made

    def settle(self, supposed: int, truth: bool) -> None:
        """It is true for ever, or false."""
        least = self._supposed.pop(supposed)
        self.clause([Literal(supposed, truth)])
        if not truth:
            self._least = min(self._least, least)

    def at_most_one(self, variables: Sequence[int]) -> None:
        """Of these."""
        if len(variables) > 1:
            self._session.add(z3.AtMost(*[self._terms[one][0] for one in variables], 1))

    def cheapest(self, most: int) -> frozenset[int] | None:
        """Some options that satisfy the clauses and cost no more than `most` together; None if there are none. Clauses are only added, so
        nothing gets cheaper, unless what was supposed is false: it begins at what was the least before. Raises Unsettled."""
        while self._least <= most:
            found = self._ask(self._limit())
            if found is not None:
                return found
            self._least += 1
        return None

    def instead(self, chosen: frozenset[int], one: int, others: Collection[int]) -> frozenset[int] | None:
        """What `cheapest` has chosen, with one or more of these others for one of them; None if that does not satisfy the clauses, or
        costs more. Raises Unsettled."""
        rest = [self._term(Literal(option, option in chosen and option != one)) for option in self.options if option not in others]
        return self._ask([*rest, *self._limit()])

    def possible(self) -> bool:
        """Whether any options satisfy the clauses, whatever they cost. Raises Unsettled."""
        return self._ask([]) is not None

    def allows(self, chosen: frozenset[int]) -> bool:
        """Whether just these options satisfy the clauses. Raises Unsettled."""
        return self._ask([self._term(Literal(one, one in chosen)) for one in self.options]) is not None

    def _limit(self) -> list[Any]:
        """That what is chosen costs no more than the least, and what is supposed."""
        above = [cost for cost in self._totals if cost > self._least]
        return [*(negation(self._totals[min(above)]) for _ in above[:1]), *(self._term(Literal(one)) for one in self._supposed)]

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
