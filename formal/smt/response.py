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

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import z3

from formal.invariant import Invariant
from formal.invariant.ranking import Ranking
from formal.program import Expr, Property
from formal.smt.expressions import Evaluator
from formal.smt.obligations import Obligations, script
from formal.smt.parts import UnknownName
from formal.smt.references import declaration_site
from formal.smt.rungs import Standing, less_rank, same_helper, same_rank
from formal.smt.scene import State, set_scene
from formal.smt.terms import Bool, all_of, any_of, as_term, both, either, equal, negation, number

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
            return [*begins, z3.Not(self._goal), as_term(negation(self._here.owed))]
        owed = [as_term(self._here.owed), z3.Not(self._goal)]
        if which == HELPFUL:
            stuck = [both(helps, negation(obligations.still.can_move(t))) for t, helps in enumerate(self._here.last)]
            return [*owed, as_term(any_of(stuck))]
        return [*owed, obligations.going, z3.Not(obligations.after(self._goal)), as_term(negation(self._in_order()))]

    def formulas(self, invariant: Invariant, which: str) -> list[Any]:
        """What has to be unsatisfiable for an obligation to hold. Raises UnknownName."""
        definitions = self._obligations.definitions if which == PROGRESS else ()
        return [*self._obligations.having(invariant), *definitions, *self.question(which)]

    def scripts(self, invariant: Invariant) -> Mapping[str, str]:
        """Each obligation as an SMT-LIB 2 script in QF_BV that asks one question, to which `unsat` is the answer if it holds."""
        return {which: script(self.formulas(invariant, which)) for which in RESPONSE}

    # ------------------------------------------------------------ terms

    def _holds(self, condition: Expr | None) -> Any:
        assert condition is not None
        relation = self._obligations.relation
        scene = set_scene(relation.cfg, relation.layout, (0,), number(0))
        site = declaration_site(relation.layout.reachable[0][0].root)
        return as_term(Evaluator(scene, State(), site, number(-1), {}).holds_true(condition))

    def _standing(self, after: bool) -> Standing:
        """Where the state here, or the one after the step, stands in the ranking."""
        literal = self._obligations.clause
        conditions = [all_of([literal((one,), after) for one in rule.when]) for rule in self._ranking]
        return Standing(conditions, [rule.levels for rule in self._ranking], self._threads)

    def _in_order(self) -> Bool:
        """Whether the step is in order on the first level. It is not if the goal is not owed after it: then there is no rank at all."""
        here, there, who = self._here, self._there, self._obligations.relation.who
        found: Bool = False
        for level in reversed(range(len(here.levels))):
            one, other = here.levels[level], there.levels[level]
            moves = any_of([both(helps, equal(who, number(t))) for t, helps in enumerate(one.helper)])
            deeper = any_of([negation(one.deeper), negation(other.deeper), found])
            stays = [same_rank(one, other), same_helper(one, other), negation(moves), deeper]
            found = either(less_rank(other, one), all_of(stays))
        return found
