"""The obligations of a ranking, move by move: questions to a solver, as text, to which `unsat` is the answer if they hold.

In: questions about a program, a liveness property and a ranking of it. Out: the scripts of *owed*, *progress* and *helpful*
(`formal.smt.response` says what they are, and why they are enough). It must not know how the ranking was found.

*Progress* is asked of every move by itself. Whether a step of thread m from levels L to levels L' is in order is a matter of L, L' and m
alone, and so decided here, rule by rule. What is left to ask is which rule counts before the move and which after it. A rule without a
literal that the move may change is met after it exactly if it was before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import TypeAlias

from formal.invariant import Invariant
from formal.invariant.ranking import Level, Ranking, Rule
from formal.netlist import Term, Terms
from formal.program import Expr, Property
from formal.smt.changes import Among, Change, Index
from formal.smt.expressions import Evaluator
from formal.smt.parts import Part, UnknownName
from formal.smt.questions import Questions
from formal.smt.references import declaration_site
from formal.smt.response import HELPFUL, OWED, PROGRESS
from formal.smt.scene import State, set_scene
from formal.smt.terms import number

Levels: TypeAlias = tuple[Level, ...]
Run: TypeAlias = tuple[int, int]  # of rules: the first, and the one behind the last


class Ranked:
    """What to ask of one ranking. Raises UnknownName, TooManyCases."""

    def __init__(self, questions: Questions, prop: Property, ranking: Ranking) -> None:
        self._questions, self._terms = questions, questions.terms
        self._threads = [thread.name for thread in questions.changes.stage.cfg.program.threads]
        unknown = [level.helper for rule in ranking for level in rule.levels if level.helper not in self._threads]
        if unknown:
            raise UnknownName(f"there is no thread `{unknown[0]}`")
        self._goal = self._holds(prop.condition)
        self._trigger = None if prop.trigger is None else self._holds(prop.trigger)
        self._levels = [rule.levels for rule in ranking]
        self._conditions = [self._condition(rule) for rule in ranking]
        self._met = [self._terms.conjunction(questions.changes.finite.among(*one) for one in some) for some in self._conditions]
        self._chain = _Chain(self._terms, "rules")
        self._counts = list(self._first())
        self._order = _Order(self._levels)
        self._index = Index(self._conditions)

    def _condition(self, rule: Rule) -> tuple[Among, ...]:
        found: dict[Part, frozenset[int]] = {}
        for part, values in map(self._questions.changes.literal, rule.when):
            found[part] = found.get(part, values) & values
        return tuple(found.items())

    def _holds(self, condition: Expr | None) -> Term:
        assert condition is not None
        stage = self._questions.changes.stage
        scene = set_scene(stage.cfg, stage.layout, (0,), number(0))
        site = declaration_site(stage.layout.reachable[0][0].root)
        return self._questions.changes.finite.truth(Evaluator(scene, State(), site, number(-1), {}).holds_true(condition))

    def _first(self) -> Iterator[Term]:
        """Of each rule, whether it is the first that is met."""
        for met in self._met:
            yield self._terms.conjunction((self._chain.last, met))
            self._chain.add(self._terms.negation(met))

    # ------------------------------------------------------------ questions

    def scripts(self, invariant: Invariant) -> Mapping[str, str]:
        """By obligation. Raises UnknownName, TooManyCases."""
        terms, questions = self._terms, self._questions
        missed = [*questions.having(invariant), terms.negation(self._goal)]
        free = [counts for counts, levels in zip(self._counts, self._levels, strict=True) if not levels]
        begins = questions.initial if self._trigger is None else (self._trigger,)
        asked = {
            OWED: (*begins, terms.disjunction((*free, self._chain.last))),
            PROGRESS: tuple(self._astray()),
            HELPFUL: (terms.disjunction(self._stuck()),),
        }
        return {which: questions.script([*missed, *self._chain.steps, *roots]) for which, roots in asked.items()}

    def _stuck(self) -> Iterator[Term]:
        """That the innermost helper cannot move."""
        for thread, name in enumerate(self._threads):
            counts = [one for one, levels in zip(self._counts, self._levels, strict=True) if levels and levels[-1].helper == name]
            able = self._questions.changes.finite.truth(self._questions.still.can_move(thread))
            yield self._terms.conjunction((self._terms.disjunction(counts), self._terms.negation(able)))

    # ------------------------------------------------------------ progress

    def _astray(self) -> Iterator[Term]:
        """That some move which does not reach the goal is not in order."""
        changes = self._questions.changes
        found = []
        for number_, change in enumerate(changes.all):
            chain = _Chain(self._terms, f"rules after {number_}")
            wrong = self._terms.disjunction(self._wrong(change, chain))
            if wrong is not self._terms.false:
                goal = changes.finite.replaced(self._goal, lambda *literal, change=change: changes.then(change, *literal))
                found.append(self._terms.conjunction((change.guard, self._terms.negation(goal), wrong)))
                yield from chain.steps
        yield self._terms.disjunction(found)

    def _wrong(self, change: Change, chain: _Chain) -> Iterator[Term]:
        """For each rule that may count before the move, that one counts after it to which the move is not in order."""
        mover = self._threads[change.thread]
        written = self._written(change)
        after = _After(self, change, sorted(written), chain)
        together: dict[tuple[Run, tuple[Term, ...]], list[Term]] = {}
        for before in sorted((written | self._order.open(mover)) - self._index.excluded(change)):
            if not self._levels[before]:
                continue
            for run in self._order.wrong(before, mover):
                if before in after.met or run[0] <= before:  # else it is met after the move, too, and counts before those
                    together.setdefault((run, after.unwritten(before, run[0])), []).append(self._counts[before])
        for (run, unwritten), counts in together.items():
            yield self._terms.conjunction((self._terms.disjunction(counts), after.none(run[0]), *unwritten, after.some(run)))

    def _written(self, change: Change) -> set[int]:
        """The rules with a literal that a move may change."""
        index = self._index
        found: set[int] = set()
        for part in change.after:
            sure = change.sure(part)
            if part in change.known and sure is not None:
                found |= index.allowing(part, change.known[part]) ^ index.allowing(part, sure)
            else:
                found |= index.speaking(part)
        return found

    def then(self, change: Change, rule: int) -> Term:
        """That a rule is met after a move."""
        found = []
        for part, values in self._conditions[rule]:
            found.append(self._questions.changes.then(change, part, values))
            if found[-1] is self._terms.false:
                return found[-1]
        return self._terms.conjunction(found)


class _Chain:
    """Conjunctions of the first so many of some terms, each a Boolean of its own that implies the one before (`steps`). They may only stand
    where what is asked becomes easier as they become true: there they can be taken to be the conjunctions. Nested conjunctions cost solvers
    time that grows with the square of their number."""

    def __init__(self, terms: Terms, name: str) -> None:
        self._terms, self._name = terms, name
        self.last = terms.true
        self.steps: list[Term] = []

    def add(self, term: Term) -> Term:
        """The next one."""
        terms = self._terms
        if term is terms.false or self.last is terms.true:
            self.last = term
        elif term is not terms.true and self.last is not terms.false:
            longer = terms.var(f"step/{self._name} {len(self.steps)}", 0)
            self.steps.append(terms.disjunction((terms.negation(longer), terms.conjunction((self.last, term)))))
            self.last = longer
        return self.last


class _After:
    """Which rules are met after a move. `met`: those whose condition the move writes."""

    def __init__(self, ranked: Ranked, change: Change, written: Sequence[int], chain: _Chain) -> None:
        self._terms, self._before, self._count = ranked._terms, ranked._met, len(ranked._met)
        self._written = written
        self.met = {rule: ranked.then(change, rule) for rule in written}
        self._none = [chain.last]  # [i]: none of the first i of them
        for rule in written:
            self._none.append(chain.add(self._terms.negation(self.met[rule])))

    def none(self, rule: int) -> Term:
        """That no rule is met before this one, of those that the move writes. Another one in front of the rule that counted is not."""
        return self._none[bisect_left(self._written, rule)]

    def unwritten(self, counted: int, rule: int) -> tuple[Term, ...]:
        """The same of the others, behind the one that counted before the move."""
        return tuple(self._terms.negation(self._before[other]) for other in range(counted + 1, rule) if other not in self.met)

    def some(self, run: Run) -> Term:
        """That one of some rules is met; whenever none is met in front of the last ones, one of those is."""
        if run[1] == self._count:
            return self._terms.true
        return self._terms.disjunction(self.met.get(rule, self._before[rule]) for rule in range(*run))


class _Order:
    """Between which rules of a ranking a step of a thread is in order."""

    def __init__(self, levels: Sequence[Levels]) -> None:
        self._levels = levels
        self._ranks = [some[0].rank if some else inf for some in levels]
        self._sorted = all(one <= other for one, other in zip(self._ranks, self._ranks[1:], strict=False))
        self._wrong: dict[tuple[Levels, str], tuple[Run, ...]] = {}
        self._open: dict[str, frozenset[int]] = {}

    def wrong(self, before: int, mover: str) -> tuple[Run, ...]:
        """The rules that must not count after a step of `mover` from where `before` counts."""
        key = self._levels[before], mover
        runs = self._wrong.get(key)
        if runs is None:
            runs = self._wrong[key] = tuple(self._runs(*key))
        return runs

    def open(self, mover: str) -> frozenset[int]:
        """The rules with such a one that is not behind them: that they stay met does not make a step in order."""
        found = self._open.get(mover)
        if found is None:
            rules = (number_ for number_, levels in enumerate(self._levels) if levels)
            found = self._open[mover] = frozenset(one for one in rules if any(run[0] <= one for run in self.wrong(one, mover)))
        return found

    def _runs(self, levels: Levels, mover: str) -> Iterator[Run]:
        rank, count = levels[0].rank, len(self._levels)
        low, high = (bisect_left(self._ranks, rank), bisect_right(self._ranks, rank)) if self._sorted else (0, count)
        first = None
        for rule in range(low, high):
            if in_order(levels, self._levels[rule], mover):
                if first is not None:
                    yield first, rule
                first = None
            elif first is None:
                first = rule
        if first is not None or high < count:
            yield high if first is None else first, count


def in_order(before: Levels, after: Levels, mover: str) -> bool:
    """Whether a step of `mover` between such levels is in order on the first one (`formal.smt.response`)."""
    if not before or not after:
        return False
    (one, *inner), (other, *deeper) = before, after
    if other.rank < one.rank:
        return True
    stays = other == one and one.helper != mover
    return stays and (not inner or not deeper or in_order(tuple(inner), tuple(deeper), mover))
