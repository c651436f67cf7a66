"""Whether a bad state can be reached at all, as Horn clauses put to Z3's Spacer.

In: a relation, facts that hold in every reachable state, and what is bad. Out: reachable, or clauses that Spacer says are inductive with
the facts and rule it out; or that it did not get so far. Nothing that Spacer says is trusted here or elsewhere: `formal.smt.proofs` checks
the clauses, and a violation is looked for by others. It must not know properties.

    Reach(initial)
    Reach(state) and facts(state) and going(state, inputs) implies Reach(next(state, inputs))
    Reach(state) and facts(state) and bad(state, inputs) implies Violated

States are Booleans, bit by bit, and the step is one clause. Measured against bit-vectors, integers for locations and one Boolean for each
location, this settled the most; a clause for each thread cost up to twice as much, one for each statement many times. Of Spacer's own
options none helped throughout: they differ less than two seeds do. The facts help most, and to ask about one property at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from formal.smt.bits import Bits
from formal.smt.relation import Relation
from formal.smt.solver import Answer
from formal.smt.terms import as_term
from formal.smt.unroll import cell_term, constant

_LATER = ("canceled", "timeout")  # what is in Spacer's words when the time that it was given has passed
_REWRITING = ("xform.slice", "xform.inline_eager", "xform.inline_linear")


@dataclass(frozen=True, slots=True)
class Reply:
    """What Spacer says. `clauses`: its invariant, over the current state; None if it cannot be read back. `reason`: of no answer; `later`:
    more time may help."""

    answer: Answer
    clauses: tuple[Any, ...] | None = None
    reason: str = ""
    later: bool = False


class Horn:
    """The Horn clauses of one relation; each question is a new run of Spacer. `free`: constants in what is bad that may be anything.
    `memory`: mebibytes after which there is no answer."""

    def __init__(self, relation: Relation, free: Sequence[Any], memory: int) -> None:
        state = [cell_term(cell, cell.value) for cell in relation.layout.cells]
        self._bits = Bits([*state, *relation.inputs, *free])
        self._state = self._bits.of(state)
        self._others = self._bits.of([*relation.inputs, *free])
        following = [cell_term(cell, relation.next[cell]) for cell in relation.layout.cells]
        *self._next, self._going = self._bits.lowered([*following, as_term(relation.going)])
        self._initial = self._bits.lowered([constant(cell, cell.initial) for cell in relation.layout.cells])
        self._facts: list[Any] = []
        self._memory = memory
        self.questions = 0

    def learn(self, facts: Sequence[Any]) -> None:
        """From now on only states count in which these hold."""
        self._facts += self._bits.lowered(facts)

    def reachable(self, bad: Any, milliseconds: int, plain: bool = False) -> Reply:
        """Whether a state that is bad, or a step that is, can be reached. `plain`: Spacer is not to rewrite the clauses first. It is slower
        then; but where rewriting makes Reach vanish, what it says of Reach is too weak."""
        self.questions += 1
        (lowered,) = self._bits.lowered([bad])
        reach = z3.Function("is reached", *[bit.sort() for bit in self._state], z3.BoolSort())
        spacer = self._clauses(reach, lowered)
        if plain:
            spacer.set(**dict.fromkeys(_REWRITING, False))
        # How long a run takes varies up to thirty-fold with the seed, so that starting anew with another one pays.
        spacer.set("timeout", milliseconds)
        spacer.set("spacer.random_seed", self.questions)
        z3.set_param("memory_max_size", self._memory)
        try:
            result = spacer.query(z3.Bool("is violated"))
            if result == z3.unsat:
                return Reply(Answer.UNSAT, self._read(spacer.get_cover_delta(-1, reach)))
        except z3.Z3Exception as error:
            return _no_answer(error.value)
        finally:
            z3.set_param("memory_max_size", 0)
        return Reply(Answer.SAT) if result == z3.sat else _no_answer(spacer.reason_unknown())

    def _clauses(self, reach: Any, bad: Any) -> Any:
        spacer = z3.Fixedpoint()
        spacer.set(engine="spacer")
        violated = z3.Bool("is violated")
        spacer.register_relation(reach, violated.decl())
        spacer.declare_var(*self._state, *self._others)
        spacer.rule(reach(*self._initial))
        spacer.rule(reach(*self._next), z3.And(reach(*self._state), *self._facts, self._going))
        spacer.rule(violated, z3.And(reach(*self._state), *self._facts, bad))
        return spacer

    def _read(self, body: Any) -> tuple[Any, ...] | None:
        """The conjuncts of what is said about the arguments of Reach, over the current state."""
        terms = [self._bits.raised(part) for part in _conjuncts(z3.substitute_vars(body, *self._state))]
        return None if any(term is None for term in terms) else tuple(term for term in terms)


def _conjuncts(term: Any) -> Iterator[Any]:
    if z3.is_and(term):
        for part in term.children():
            yield from _conjuncts(part)
    elif not z3.is_true(term):
        yield term


def _no_answer(reason: Any) -> Reply:
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return Reply(Answer.UNKNOWN, reason=text, later=any(word in text for word in _LATER))
