"""The step case of k-induction: from any state at all, so many steps without a violation, and then one.

In: a relation, properties of states and steps, facts that hold in every reachable state. Out: which of the properties no such execution
violates. It must not know where executions begin, nor who established the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import z3

from formal.program import Property
from formal.smt.badness import badness
from formal.smt.deadlock import Standstill
from formal.smt.inductive import AnyStart
from formal.smt.relation import Relation
from formal.smt.solver import Answer, Session
from formal.smt.terms import any_of, as_term
from formal.smt.unroll import Bundle


@dataclass(slots=True, eq=False)
class _Claim:
    """A property. `bad`: a state violates it, or a step from there does. `free`: the constants in it that a violation may choose (the set
    of a deadlock, the choices within a step). That no choice is bad would need a quantifier; it is said for those in `chosen`, which grows
    on demand. `assumed`: the literal for no violation before the last state."""

    name: str
    bad: Any
    free: tuple[Any, ...]
    assumed: Any
    chosen: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.free:
            self.chosen.append(())

    def with_choice(self, values: Sequence[Any]) -> Any:
        """When this choice is bad."""
        return z3.substitute(self.bad, *zip(self.free, values, strict=True)) if self.free else self.bad


class InductionStep:
    """An execution from any state in which the facts hold, one step longer with each `extend`.

    `simple`: all its states differ. That loses nothing, since the shortest execution to a violation comes to no state twice; and there are
    only so many states, so that in the end every property that holds is proved."""

    def __init__(self, relation: Relation, properties: Sequence[Property], facts: Sequence[Any], memory: int, simple: bool = True) -> None:
        self.session = Session(memory)
        self._unrolling = AnyStart(relation)
        self._simple = simple
        self._facts = Bundle(facts)
        self._claims = {claim.name: claim for claim in _claims(relation, properties)}
        self._bundle = Bundle([claim.bad for claim in self._claims.values()])
        self._proved: list[str] = []
        self._bad: dict[str, Any] = {}
        self._queries = 0
        self._look()

    @property
    def depth(self) -> int:
        return len(self._unrolling.steps)

    def extend(self) -> None:
        """One more step: what was the last state has no violation of what is assumed."""
        for claim in self._claims.values():
            for values in claim.chosen:
                self._rule_out(claim, values, self.depth)
        step = self._unrolling.extend()
        self.session.add(*step.definitions, step.going)
        self._look()

    def _look(self) -> None:
        """Says what holds in the last state, and gathers what is bad about it."""
        depth = self.depth
        pairs = self._unrolling.pairs(depth)
        self.session.add(*self._facts.copy(pairs, False))
        free = {x.get_id(): x for claim in self._claims.values() for x in claim.free}
        pairs = [*pairs, *[(x, _own(x, depth)) for x in free.values()]]
        for claim, term in zip(self._claims.values(), self._bundle.copy(pairs, False), strict=True):
            self._bad[claim.name] = z3.Bool(f"bad {claim.name}@{depth}")
            self.session.add(self._bad[claim.name] == term)

    def _rule_out(self, claim: _Claim, values: Sequence[Any], index: int) -> None:
        """In this state, the choice does not violate the property, where that is assumed."""
        bad = z3.substitute(claim.with_choice(values), *self._unrolling.pairs(index))
        self.session.add(z3.Implies(claim.assumed, z3.Not(bad)))

    # ------------------------------------------------------------ questions

    def inductive(self, names: Sequence[str]) -> tuple[Answer, tuple[str, ...]]:
        """The most of these properties that hold at the end of every such execution before whose end they all hold. They are taken to hold
        from now on, so their base case must have been looked at before. UNKNOWN: the solver gave up."""
        left = list(names)
        while left:
            self._queries += 1
            asked = z3.Bool(f"query {self._queries}")
            self.session.add(z3.Implies(asked, z3.Or(*[self._bad[name] for name in left])))
            assumed = [self._claims[name] for name in (*self._proved, *left)]
            answer = self.session.ask(asked, *[claim.assumed for claim in assumed])
            if answer is Answer.UNKNOWN:
                return answer, ()
            if answer is Answer.UNSAT:
                break
            model = self.session.model()
            states = [tuple(model.value(term) for term in state.values()) for state in self._unrolling.states]
            if not (self._refine(assumed, states) or (self._simple and self._part(states))):
                left = [name for name in left if not model.truth(self._bad[name])]
        self._proved += left
        return Answer.UNSAT, tuple(left)

    def _refine(self, assumed: Sequence[_Claim], states: Sequence[Sequence[Any]]) -> bool:
        """Whether a state of the model does violate what is assumed, by a choice not yet ruled out; rules it out everywhere."""
        found = False
        constants = list(self._unrolling.states[0].values())
        for claim in assumed:
            for values in states[:-1] if claim.free else ():
                choice = _bad_choice(claim, list(zip(constants, values, strict=True)))
                if choice is not None:
                    claim.chosen.append(choice)
                    for index in range(self.depth):
                        self._rule_out(claim, choice, index)
                    found = True
                    break
        return found

    def _part(self, states: Sequence[Sequence[Any]]) -> bool:
        """Whether states of the model are equal; keeps those apart."""
        found = False
        for i, j in combinations(range(len(states)), 2):
            if all(a.eq(b) for a, b in zip(states[i], states[j], strict=True)):
                cells = zip(self._unrolling.states[i].values(), self._unrolling.states[j].values(), strict=True)
                self.session.add(z3.Or(*[one != other for one, other in cells if not one.eq(other)]))
                found = True
        return found

    def figures(self) -> Mapping[str, int | float | str]:
        return {f"step {name}": value for name, value in self.session.figures().items()}


def _own(free: Any, index: int) -> Any:
    """The constant that stands for a free one in the state of this number, apart from those for the choices of the step that led there."""
    return z3.Const(f"free {free.decl().name()}@{index}", free.sort())


def _claims(relation: Relation, properties: Sequence[Property]) -> Iterator[_Claim]:
    found = badness(relation, Standstill(relation), properties)
    occurring = _Occurring((*found.free, *relation.inputs))
    for prop in properties:
        if prop.name in found.terms:
            bad, candidates = as_term(found.terms[prop.name]), found.free
        else:
            bad, candidates = _some_step(relation, relation.failing.get(prop.name, False)), relation.inputs
        inside = occurring.inside(bad)
        free = tuple(x for x in candidates if x.get_id() in inside)
        yield _Claim(prop.name, bad, free, z3.Bool(f"no {prop.name}"))


def _some_step(relation: Relation, failing: Any) -> Any:
    """When somebody's step fails, whoever moves; its choices stay."""
    failing, who = as_term(failing), relation.who
    if who.term is None:
        return failing
    movers = [z3.BitVecVal(t, who.term.size()) for t in range(len(relation.layout.threads))]
    parts = [z3.simplify(z3.substitute(failing, (who.term, mover))) for mover in movers]
    return as_term(any_of([part for part in parts if not z3.is_false(part)]))


class _Occurring:
    """Which of some constants there are in terms, each of which is looked at once."""

    def __init__(self, constants: Iterable[Any]) -> None:
        self._found: dict[int, frozenset[int]] = {x.get_id(): frozenset((x.get_id(),)) for x in constants}

    def inside(self, term: Any) -> frozenset[int]:
        """Their numbers. Goes through Z3's own terms: to have an object for each takes five times as long."""
        context, work = term.ctx_ref(), [(term.as_ast(), term.get_id())]
        while work:
            part, number = work[-1]
            if number not in self._found:
                args = [z3.Z3_get_app_arg(context, part, place) for place in range(z3.Z3_get_app_num_args(context, part))]
                numbers = [z3.Z3_get_ast_id(context, arg) for arg in args]
                missing = [(arg, one) for arg, one in zip(args, numbers, strict=True) if one not in self._found]
                if missing:
                    work += missing
                    continue
                self._found[number] = frozenset().union(*(self._found[one] for one in numbers))
            work.pop()
        return self._found[term.get_id()]


def _bad_choice(claim: _Claim, pairs: Sequence[tuple[Any, Any]]) -> tuple[Any, ...] | None:
    """A choice that violates the property in a state whose cells have these values."""
    bad = z3.simplify(z3.substitute(claim.bad, *pairs))
    if z3.is_false(bad):  # as it is nearly always; spares the solver
        return None
    solver = z3.SolverFor("QF_FD")
    solver.add(bad)
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    return tuple(model.eval(x, model_completion=True) for x in claim.free)
