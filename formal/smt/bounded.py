"""Questions about executions of one length: is a property violated by one, with how few context switches, can one go on.

In: a program and its properties. Out: answers and traces. It must not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import z3

from formal.program import Program, Property
from formal.smt.badness import badness
from formal.smt.deadlock import Standstill
from formal.smt.decode import decode
from formal.smt.distances import Distances
from formal.smt.facts import proved_lemmas
from formal.smt.lasso import Lassos
from formal.smt.layout import lay_out
from formal.smt.lower import lower
from formal.smt.relation import relate
from formal.smt.solver import Answer, Model, Session
from formal.smt.unroll import Bundle, Unrolling
from formal.verdict import Move, Trace

# Threads from which on all share one copy of the code: built in two thirds of the time then, and solved as fast. With few threads a copy
# for each is solved twice as fast.
SHARED_FROM = 24

LEMMAS_FROM = 5  # steps: what needs fewer is found sooner than the lemmas are proved


class Bounded:
    """The executions from the initial state, one step longer with each `extend`. `first`: only those in which these threads move first, in
    this order, up to as many context switches (or fewer, where the execution ends before); `patience`: seconds for each question; `alike`:
    groups of threads, each of which moves for the first time behind the one before it."""

    def __init__(
        self,
        program: Program,
        properties: Sequence[Property],
        memory: int,
        without: frozenset[str] = frozenset(),
        shared_from: int = SHARED_FROM,
        first: Sequence[int] = (),
        patience: float | None = None,
        alike: Sequence[Sequence[int]] = (),
    ) -> None:
        cfg = lower(program)
        layout = lay_out(cfg)
        self.relation = relate(cfg, layout, len(layout.threads) >= shared_from)
        self._distances = None if "distances" in without else Distances(self.relation)
        self.unrolling = Unrolling(self.relation, self._distances)
        self._lemmas = Bundle([])
        self._lemmas_from = None if "ownership" in without else LEMMAS_FROM
        self._memory = memory
        self.session = Session(memory, patience)
        self._first = tuple(first)
        self._turns: list[Any] = []
        self._behind = {thread: before for group in alike for before, thread in pairwise(group)}
        self._moved: dict[int, Any] = dict.fromkeys(self._behind.values(), False)
        still = Standstill(self.relation)
        found = badness(self.relation, still, properties)
        self._names = tuple(found.terms)
        self._free = found.free
        self._bundle = Bundle(list(found.terms.values()))
        liveness = [p for p in properties if p.kind == "liveness"]
        self._lassos = Lassos(self.relation, still, liveness) if liveness else None
        self._begun: list[Any] = []
        self._loop: Any = None
        self._steps_fail = {p.name for p in properties} & set(self.relation.failing)
        self._bad: dict[str, Any] = {}
        self._query = 0
        self._look()

    @property
    def depth(self) -> int:
        return len(self.unrolling.steps)

    def extend(self) -> None:
        """One more step."""
        step = self.unrolling.extend()
        self.session.add(*step.definitions)
        if self._first:
            self._take_turns()
        if self._behind:
            self._line_up()
        if self.depth == self._lemmas_from:
            self._lemmas = Bundle(proved_lemmas(self.relation, self._memory))
            for index in range(2, self.depth):
                self._add_lemmas(index)
        self._add_lemmas(self.depth)
        self._look()

    def _take_turns(self) -> None:
        """Says whose turn the last step is: of the same thread as the step before, or of the next one of `first`; after those, anybody's.
        Literals keep whose turn it has been so far."""
        who = self.unrolling.who(self.depth)
        mine = [who == thread for thread in self._first]
        turns = [z3.Bool(f"turn {number}@{self.depth}") for number in range(len(mine))]
        if not self._turns:
            self.session.add(turns[0], mine[0], *map(z3.Not, turns[1:]))
        else:
            stays = [z3.And(turn, own) for turn, own in zip(self._turns, mine, strict=True)]
            over = [z3.And(turn, z3.Not(own)) for turn, own in zip(self._turns, mine, strict=True)]
            for number, turn in enumerate(turns):
                self.session.add(turn == (z3.Or(stays[number], over[number - 1]) if number else stays[0]))
            self.session.add(*[z3.Implies(left, own) for left, own in zip(over, mine[1:], strict=False)])
        self._turns = turns

    def _line_up(self) -> None:
        """The last step is not the first one of a thread that another one has to move before, and has not. Literals keep who has moved."""
        who = self.unrolling.who(self.depth)
        self.session.add(*[z3.Implies(who == thread, self._moved[before]) for thread, before in self._behind.items()])
        moved = {thread: z3.Bool(f"moved {thread}@{self.depth}") for thread in self._moved}
        self.session.add(*[moved[thread] == z3.Or(self._moved[thread], who == thread) for thread in moved])
        self._moved = moved

    def _add_lemmas(self, index: int) -> None:
        """What is proved of every reachable state, of the one after so many steps."""
        going = self.unrolling.steps[index - 1].going
        self.session.add(*[z3.Implies(going, term) for term in self._lemmas.copy(self.unrolling.pairs(index), False)])

    def _look(self) -> None:
        """Gathers what is bad about the last step or the state after it."""
        depth = self.depth
        free = [(x, z3.Bool(f"{x.decl().name()}@{depth}")) for x in self._free]
        terms = self._bundle.copy([*self.unrolling.pairs(depth), *free], depth <= 1)
        bad = dict(zip(self._names, terms, strict=True))
        if self._lassos is not None:
            look = self._lassos.look(depth, self.unrolling.pairs(depth), self._movers(depth))
            self.session.add(*look.definitions)
            self._begun.append(look.begun)
            self._loop = look.loop
            bad.update(look.violations)
        if depth:
            step = self.unrolling.steps[-1]
            bad = {name: z3.And(step.going, term) for name, term in bad.items()}
            bad.update((name, step.failing[name]) for name in step.failing if name in self._steps_fail)
        self._bad = {name: self._named(name, term) for name, term in bad.items() if not z3.is_false(z3.simplify(term))}

    def _movers(self, depth: int) -> list[Any]:
        """Of each thread, whether it takes the step of this number."""
        threads = range(len(self.relation.layout.threads))
        if depth == 0:
            return [False for _ in threads]
        who = self.unrolling.who(depth)
        return [True if who is None else who == t for t in threads]

    def _named(self, name: str, term: Any) -> Any:
        """A literal for the term, so that it can be assumed."""
        literal = z3.Bool(f"bad {name}@{self.depth}")
        self.session.add(literal == term)
        return literal

    def violation(self, names: Sequence[str]) -> tuple[Answer, tuple[str, ...]]:
        """Whether an execution of just this length violates one of the properties, and which of them the one found does."""
        candidates = [name for name in names if name in self._bad]
        if not candidates:
            return Answer.UNSAT, ()
        self._query += 1
        asked = z3.Bool(f"query {self._query}")
        self.session.add(z3.Implies(asked, z3.Or(*[self._bad[name] for name in candidates])))
        answer = self.session.ask(asked)
        if answer is not Answer.SAT:
            return answer, ()
        model = self.session.model()
        return answer, tuple(name for name in candidates if model.truth(self._bad[name]))

    def shortest_in_switches(self, name: str) -> Trace:
        """Of the violations of this length, one with the fewest context switches."""
        literal = self._bad[name]
        self.session.ask(literal)
        model = self.session.model()
        switches = self._switches()
        count = sum(model.truths(switches))
        while count:
            self._query += 1
            fewer = z3.Bool(f"query {self._query}")
            self.session.add(z3.Implies(fewer, z3.AtMost(*switches, count - 1)))
            if self.session.ask(literal, fewer) is not Answer.SAT:
                break
            model = self.session.model()
            count = sum(model.truths(switches))
        return self._trace(name, model)

    def _switches(self) -> list[Any]:
        movers = [self.unrolling.who(k) for k in range(1, self.depth + 1)]
        if not movers or movers[0] is None:
            return []
        return [one != other for one, other in pairwise(movers)]

    def _trace(self, name: str, model: Model) -> Trace:
        moves = []
        for k in range(1, self.depth + 1):
            who = self.unrolling.who(k)
            thread = 0 if who is None else model.integer(who, False)
            dead = k == self.depth and name in self._steps_fail
            moves.append(Move(thread, None if dead else decode(self.relation, model, self.unrolling.states[k])))
        if self._lassos is None or name in self._steps_fail or name in self._names:
            return Trace(name, tuple(moves))
        begun = model.truths(self._begun) if model.truth(self._loop) else []
        return Trace(name, tuple(moves), begun.index(True) if begun else self.depth)

    def go_on(self, names: Sequence[str]) -> None:
        """From now on only executions that can be extended count; what was asked of this length is known not to be."""
        self.session.add(*[z3.Not(self._bad[name]) for name in names if name in self._bad])
        if self.depth:
            self.session.add(self.unrolling.steps[-1].going)

    def can_go_on(self, depth: int) -> Answer:
        """Whether there is an execution of this length that does not end in it."""
        return self.session.ask() if depth else Answer.SAT

    def figures(self) -> Mapping[str, int | float | str]:
        layout = self.relation.layout
        transitions = sum(not node.inner for bodies in layout.reachable for body in bodies for node in body.nodes)
        figures = {
            "state cells": len(layout.cells),
            "locations": self.relation.cfg.locations,
            "transitions": transitions,
            "places with a distance": 0 if self._distances is None else self._distances.places,
            "lemmas about locks": self._lemmas.size,
            "threads kept in order": len(self._behind),
        }
        return {**figures, **self.session.figures()}
