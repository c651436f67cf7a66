"""What has to hold for a ranking to be a proof of liveness: three obligations on top of an inductive invariant, each a formula to refute.

In: obligations, a liveness property and a ranking of it. Out, as terms for a solver and as SMT-LIB 2: *owed* (where the goal becomes owed,
the ranking says so), *progress* (a step from where it is owed reaches the goal, or does not take it further away), *helpful* (where it is
owed, the innermost helper can move). It must not know how the ranking was found.

*Progress.* Let r1 h1, …, rd hd be the levels of a state. A step of thread m is in order on level i if ri becomes less; or if ri and hi stay
as they are, m is not hi, and either level i is the last one before or after the step, or the step is in order on level i + 1. A step has to
be in order on level 1; and the goal stays owed.

*Why that is enough* (Manna and Pnueli, "Completing the Temporal Picture", 1991: the rule WELL-JP for a response under justice, with helpful
directions; here nested for compassion). Take a fair execution on which the goal is owed and never comes. r1 never grows, so from some point
on it stays, and h1 with it, and h1 never moves again. A helper that is only weakly fair has to be on the last level (`faults`): then h1 can
move for ever, and has to. If h1 is strongly fair, and level 1 is the last one again and again, h1 can move again and again, and has to.
Otherwise level 1 is not the last one from some point on, and the same holds of level 2. There are only so many levels. An execution that
ends stays where nobody can move: not helpful. One that ends in an error is not looked at; a step into an error counts as one that can be
made (`docs/semantics.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

import z3

from formal.invariant import Invariant
from formal.invariant.ranking import Ranking
from formal.program import Expr, Property
from formal.smt.expressions import Evaluator
from formal.smt.obligations import Obligations, UnknownName, script
from formal.smt.references import declaration_site
from formal.smt.scene import State, set_scene
from formal.smt.terms import all_of, any_of, as_term, both, negation, number

OWED: Final = "owed"
PROGRESS: Final = "progress"
HELPFUL: Final = "helpful"
RESPONSE: Final = (OWED, PROGRESS, HELPFUL)


def faults(ranking: Ranking, threads: Collection[str], strong: Collection[str]) -> Iterator[str]:
    """What is wrong with a ranking before any solver is asked. `strong`: those of the threads that are strongly fair."""
    if not ranking or ranking[-1].when:
        yield "its last rule is not for all other states"
    for place, rule in enumerate(ranking, 1):
        for level in rule.levels:
            if level.helper not in threads:
                yield f"rule {place}: there is no thread `{level.helper}`"
        for level in rule.levels[:-1]:
            if level.helper in threads and level.helper not in strong:
                yield f"rule {place}: {level.helper} is only weakly fair, and has other levels below it"


class Response:
    """The obligations of one ranking. Raises UnknownName."""

    def __init__(self, obligations: Obligations, prop: Property, ranking: Ranking) -> None:
        self._obligations = obligations
        relation = obligations.relation
        self._threads = [thread.name for thread in relation.cfg.program.threads]
        self._ranking = ranking
        self._depth = max((len(rule.levels) for rule in ranking), default=0)
        self._bits = max((level.rank.bit_length() for rule in ranking for level in rule.levels), default=1) or 1
        self._goal = self._holds(prop.condition)
        self._trigger = None if prop.trigger is None else self._holds(prop.trigger)
        unknown = [level.helper for rule in ranking for level in rule.levels if level.helper not in self._threads]
        if unknown:
            raise UnknownName(f"there is no thread `{unknown[0]}`")
        self._here, self._there = self._standing(False), self._standing(True)

    def question(self, which: str) -> list[Any]:
        """What a state that has the invariant must not satisfy; with PROGRESS, together with the step after it."""
        obligations = self._obligations
        if which == OWED:
            begins = [self._trigger] if self._trigger is not None else obligations.initial
            return [*begins, z3.Not(self._goal), z3.Not(self._here.owed)]
        owed = [self._here.owed, z3.Not(self._goal)]
        if which == HELPFUL:
            stuck = [both(self._here.last == t, negation(obligations.still.can_move(t))) for t in range(len(self._threads))]
            return [*owed, as_term(any_of(stuck))]
        return [*owed, obligations.going, z3.Not(obligations.after(self._goal)), z3.Not(self._in_order())]

    def formulas(self, invariant: Invariant, which: str) -> list[Any]:
        """What has to be unsatisfiable for an obligation to hold. Raises UnknownName."""
        definitions = self._obligations.definitions if which == PROGRESS else ()
        return [*self._obligations.having(invariant), *definitions, *self.question(which)]

    def smtlib(self, invariant: Invariant, which: str) -> str:
        """An obligation as an SMT-LIB 2 script in QF_BV that asks one question, to which `unsat` is the answer if it holds."""
        return script(self.formulas(invariant, which))

    # ------------------------------------------------------------ terms

    def _holds(self, condition: Expr | None) -> Any:
        assert condition is not None
        relation = self._obligations.relation
        scene = set_scene(relation.cfg, relation.layout, (0,), number(0))
        site = declaration_site(relation.layout.reachable[0][0].root)
        return as_term(Evaluator(scene, State(), site, number(-1), {}).holds_true(condition))

    def _standing(self, after: bool) -> _Standing:
        """Where the state here, or the one after the step, stands in the ranking."""
        literal = self._obligations.clause
        conditions = [as_term(all_of([literal((one,), after) for one in rule.when])) for rule in self._ranking]
        levels = [rule.levels for rule in self._ranking]

        def choose(values: Sequence[Any], otherwise: Any) -> Any:
            term = otherwise
            for condition, value in zip(reversed(conditions), reversed(values), strict=True):
                term = value if value.eq(term) else z3.If(condition, value, term)
            return term

        return _Standing(levels, self._depth, choose, self._bits, self._threads)

    def _in_order(self) -> Any:
        """Whether the step is in order on the first level."""
        here, there = self._here, self._there
        who = self._obligations.relation.who.term
        found = z3.BoolVal(False)
        for level in reversed(range(self._depth)):
            others = z3.BoolVal(False) if who is None else here.helper[level] != z3.ZeroExt(here.helper[level].size() - who.size(), who)
            stays = [there.rank[level] == here.rank[level], there.helper[level] == here.helper[level], others]
            if level < self._depth - 1:
                stays.append(z3.Or(z3.Not(here.deeper[level]), z3.Not(there.deeper[level]), found))
            found = z3.Or(z3.ULT(there.rank[level], here.rank[level]), z3.And(*stays))
        return z3.And(there.owed, found)


class _Standing:
    """`owed`; by level the `rank`, the `helper` (the number of a thread) and whether there is a `deeper` level; and the `last` helper."""

    def __init__(
        self, levels: Sequence[Sequence[Any]], depth: int, choose: Callable[[Sequence[Any], Any], Any], bits: int, threads: Sequence[str]
    ) -> None:
        size = len(threads).bit_length()

        def helper(some: Sequence[Any], level: int) -> Any:
            return z3.BitVecVal(threads.index(some[level].helper), size)

        def by_rule(value: Callable[[Sequence[Any]], Any], otherwise: Any) -> Any:
            return choose([value(some) for some in levels], otherwise)

        nothing, nobody = z3.BitVecVal(0, bits), z3.BitVecVal(0, size)
        self.owed = by_rule(lambda some: z3.BoolVal(bool(some)), z3.BoolVal(False))
        self.last = by_rule(lambda some: helper(some, -1) if some else nobody, nobody)
        self.rank, self.helper, self.deeper = [], [], []
        for level in range(depth):
            self.rank.append(by_rule(lambda some, at=level: z3.BitVecVal(some[at].rank, bits) if len(some) > at else nothing, nothing))  # type: ignore[misc]
            self.helper.append(by_rule(lambda some, at=level: helper(some, at) if len(some) > at else nobody, nobody))  # type: ignore[misc]
            self.deeper.append(by_rule(lambda some, at=level: z3.BoolVal(len(some) > at + 1), z3.BoolVal(False)))  # type: ignore[misc]
