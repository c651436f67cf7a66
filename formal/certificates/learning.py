"""Inductive invariants learned from the reachable states: lemmas that are true of them all, as many as a proof needs.

What a ranking needs to be a proof of liveness is asked for in the same way: the invariant is one for all the properties.

In: a program whose reachable states are known, and the properties to prove. Out: an invariant, small: what safety follows from, what that
follows from after a step, and so on. Where the solver shows a state that the lemmas so far allow and that goes wrong, that state is not
reachable; the lemma that rules it out is made as general as the reachable states permit: parts that don't matter are left out, and each
that does is widened to all values that no reachable state has in that company. So a lock comes out as the bracket in which it is held.
Nothing is trusted: whatever comes out was proved by the solver, in the other reading of the language.

The way of generalising a state into a clause is that of IC3 (Bradley, 2011), with the reachable states in place of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_

from formal.certificates.census import Census
from formal.certificates.ranking import NotRanked, make_ranking
from formal.engines.exploration import Exploration
from formal.invariant import Clause, Invariant, literal_over
from formal.invariant.ranking import Ranking
from formal.program import Program, Property
from formal.smt.obligations import Obligations
from formal.smt.parts import Part
from formal.smt.pool import Inconclusive, Pool, Question
from formal.smt.response import RESPONSE, Response

Tell = Callable[[int, int], None]  # lemmas learned so far, those still to be proved


class NotLearned(Exception):
    """No invariant came of it; its text says why."""


@dataclass(frozen=True, slots=True)
class Learned:
    """`invariant` proves the properties of states and steps, and with `rankings` those liveness properties; `unranked`: the other ones,
    and why."""

    invariant: Invariant
    rankings: Mapping[str, Ranking]
    unranked: Mapping[str, str]


def learn(program: Program, properties: list[Property], exploration: Exploration, memory: int, tell: Tell | None = None) -> Invariant:
    """The invariant alone, of properties other than liveness."""
    return learn_all(program, properties, exploration, memory, tell).invariant


def learn_all(program: Program, properties: list[Property], exploration: Exploration, memory: int, tell: Tell | None = None) -> Learned:
    """An inductive invariant that proves the properties, and rankings for those of liveness; one that cannot be ranked spoils no other.
    `exploration`: exhausted; `memory`: mebibytes for the solver. Raises NotLearned, Unplaced, Inconclusive, EncodingLimitError."""
    liveness = [prop for prop in properties if prop.kind == "liveness"]
    obligations = Obligations(program, [prop for prop in properties if prop.kind != "liveness"])
    lemmas = _Lemmas(Pool(obligations, memory), Census(exploration, obligations.parts), tell)
    needed = lemmas.closed([], [lemmas.pool.safe, lemmas.pool.in_range])
    rankings: dict[str, Ranking] = {}
    unranked: dict[str, str] = {}
    for prop in liveness:
        try:
            ranking = lemmas.ranking(exploration, prop)
            response = Response(obligations, prop, ranking)
            needed = lemmas.closed(needed, [lemmas.pool.question(response.question(which)) for which in RESPONSE])
        except (NotRanked, NotLearned, Inconclusive) as error:
            unranked[prop.name] = str(error)
        else:
            rankings[prop.name] = ranking
    return Learned(tuple(sorted(lemmas.pool.clauses[number] for number in needed)), rankings, unranked)


class _Lemmas:
    """The pool, and where lemmas come from."""

    def __init__(self, pool: Pool, census: Census, tell: Tell | None) -> None:
        self.pool = pool
        self._census = census
        self._tell = tell
        self._order = sorted(census.parts, key=_importance)

    def ranking(self, exploration: Exploration, prop: Property) -> Ranking:
        """One that the reachable states agree with. Raises NotRanked."""
        return make_ranking(exploration, self._census, self._order, prop, lambda: self._told(0))

    def closed(self, lemmas: Iterable[int], questions: Iterable[Question]) -> list[int]:
        """Lemmas from which what is asked follows, and after a step they themselves; on top of some that are so already."""
        needed = dict.fromkeys(lemmas)
        done = len(needed)
        for question in questions:
            needed.update(dict.fromkeys(sorted(self.support(question))))
        todo = list(needed)
        while done < len(todo):
            self._told(len(todo) - done)
            number = todo[done]
            for other in sorted(self.support(lambda number=number: self.pool.kept(number))):  # type: ignore[misc]
                if other not in needed:
                    needed[other] = None
                    todo.append(other)
            done += 1
        return todo

    def _told(self, open_: int) -> None:
        if self._tell is not None:
            self._tell(len(self.pool.clauses), open_)

    def support(self, question: Question) -> frozenset[int]:
        """The lemmas from which something follows, after as many new ones as that takes."""
        while True:
            answer = question()
            if isinstance(answer, frozenset):
                return answer
            self.pool.add(self._lemma(answer))
            self._told(0)

    def _lemma(self, state: Mapping[str, int]) -> Clause:
        """Rules out an unreachable state, and as many others as may be."""
        core = self._core(state)
        values = {part: {state[part.name]} for part in core}
        masks = {part: self._census.having(part, state[part.name]) for part in core}
        for part in reversed(core):
            others = reduce(and_, (masks[other] for other in core if other is not part), self._census.everybody)
            for value in part.values:
                mask = self._census.having(part, value)
                if not others & mask:
                    values[part].add(value)
                    masks[part] |= mask
        return tuple(sorted(literal_over(part.name, part.domain, _without(part, found)) for part, found in values.items()))

    def _core(self, state: Mapping[str, int]) -> list[Part]:
        """Parts whose values no reachable state has together, none of them needless; those that matter least are left out first."""
        masks = [self._census.having(part, state[part.name]) for part in self._order]
        rest = [self._census.everybody]  # rest[i]: the states that have the last i of the values
        for mask in reversed(masks):
            rest.append(rest[-1] & mask)
        if rest[-1]:
            raise NotLearned("a state that goes wrong cannot be told from a reachable one")
        kept = self._census.everybody
        core = []
        for number, (part, mask) in enumerate(zip(self._order, masks, strict=True)):
            if kept & rest[len(masks) - number - 1]:
                core.append(part)
                kept &= mask
        return core


def _without(part: Part, values: set[int]) -> frozenset[str]:
    return frozenset(name for name, value in part.number_of.items() if value not in values)


def _importance(part: Part) -> tuple[int, str]:
    """What a reader expects a lemma to speak of comes last: who owns a lock, then where threads are, then the rest."""
    name = part.name
    if name.endswith((".owner", ".writer")):
        return 4, name
    if name.endswith(".at"):
        return 3, name
    if "/" in name:
        return 0, name
    return (1 if ".waiter." in name or ".reader." in name else 2), name
