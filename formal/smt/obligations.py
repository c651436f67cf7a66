"""What has to hold for an invariant to be a proof: three obligations over one step of the transition relation, each a formula to refute.

In: a program and the properties to prove. Out, for an invariant in the names of `formal.smt.parts`: *initiation* (the first state has it),
*consecution* (a step from a state that has it leads to one that has it), *safety* (in a state that has it nothing is violated, and no step
from it violates anything); as terms for a solver, and as SMT-LIB 2 that any solver reads. Every part having one of its values belongs to
every invariant. It must not know how the invariant was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import z3

from formal.invariant import Clause, Invariant, Literal
from formal.program import Program, Property
from formal.smt.badness import badness
from formal.smt.deadlock import Standstill
from formal.smt.layout import lay_out
from formal.smt.lower import lower
from formal.smt.parts import Part, Parts
from formal.smt.relation import relate
from formal.smt.terms import as_term
from formal.smt.unroll import cell_term, constant

INITIATION: Final = "initiation"
CONSECUTION: Final = "consecution"
SAFETY: Final = "safety"
OBLIGATIONS: Final = (INITIATION, CONSECUTION, SAFETY)


class Obligations:
    """The obligations of one program and a choice of its properties. Raises EncodingLimitError if the program is too large."""

    def __init__(self, program: Program, properties: Sequence[Property]) -> None:
        cfg = lower(program)
        self.relation = relate(cfg, lay_out(cfg), False)
        self.parts = Parts(self.relation)
        self._here = {part.name: cell_term(part.cell, part.cell.value) for part in self.parts.all}
        self._there = {name: z3.Const(f"{name}+", term.sort()) for name, term in self._here.items()}
        self._literals: dict[tuple[Literal, bool], Any] = {}
        self.definitions = tuple(self._there[part.name] == cell_term(part.cell, self.relation.next[part.cell]) for part in self.parts.all)
        self.going = as_term(self.relation.going)
        self.initial = tuple(self._here[part.name] == constant(part.cell, part.cell.initial) for part in self.parts.all)
        self._properties = tuple(properties)

    @cached_property
    def still(self) -> Standstill:
        """Who can move."""
        return Standstill(self.relation)

    @cached_property
    def unsafe(self) -> Any:
        """That the state here violates something, or the step from it."""
        found = badness(self.relation, self.still, self._properties)
        wanted = {prop.name for prop in self._properties}
        failing = [as_term(term) for name, term in self.relation.failing.items() if name in wanted]
        return _any([*map(as_term, found.terms.values()), *failing])

    # ------------------------------------------------------------ terms

    def ranges(self, after: bool = False) -> list[Any]:
        """That every part has one of its values, here or after the step; those that need saying."""
        terms = [self._among(part, part.values, after) for part in self.parts.all]
        return [term for term in terms if not z3.is_true(term)]

    def clause(self, clause: Clause, after: bool = False) -> Any:
        """A clause of the state here, or of the state after the step. Raises UnknownName."""
        return _any([self._literal(literal, after) for literal in clause])

    def having(self, invariant: Invariant) -> list[Any]:
        """That the state here has an invariant. Raises UnknownName."""
        return [*self.ranges(), *(self.clause(clause) for clause in invariant)]

    def after(self, term: Any) -> Any:
        """A term over the state here, of the state after the step."""
        return z3.substitute(term, *((here, self._there[name]) for name, here in self._here.items()))

    def _literal(self, literal: Literal, after: bool) -> Any:
        term = self._literals.get((literal, after))
        if term is None:
            term = self._literals[literal, after] = self._made(literal, after)
        return term

    def _made(self, literal: Literal, after: bool) -> Any:
        part, values = self.parts.read(literal.part, literal.values)
        term = self._among(part, values, after)
        return z3.Not(term) if literal.negated else term

    def _among(self, part: Part, values: Iterable[int], after: bool) -> Any:
        """Whether a part has one of these values: a disjunction of intervals."""
        term = (self._there if after else self._here)[part.name]
        wanted = sorted(values)
        if part.cell.truth:
            return z3.BoolVal(len(wanted) == 2) if len(wanted) != 1 else term if wanted[0] else z3.Not(term)
        least, most = (-(1 << (term.size() - 1)), (1 << (term.size() - 1)) - 1) if part.cell.lo < 0 else (0, (1 << term.size()) - 1)
        return _any([_between(term, first, last, least, most) for first, last in _runs(wanted)])

    # ------------------------------------------------------------ whole obligations

    def formulas(self, invariant: Invariant, which: str) -> list[Any]:
        """Formulas that no values satisfy together, if the obligation holds. Raises UnknownName."""
        here = self.having(invariant)
        if which == INITIATION:
            return [*self.initial, _any([z3.Not(term) for term in here])]
        if which == SAFETY:
            return [*here, self.unsafe]
        there = [*self.ranges(True), *(self.clause(clause, True) for clause in invariant)]
        return [*here, self.going, *self.definitions, _any([z3.Not(term) for term in there])]

    def scripts(self, invariant: Invariant) -> Mapping[str, str]:
        """Each obligation as an SMT-LIB 2 script in QF_BV that asks one question, to which `unsat` is the answer if it holds. Raises
        UnknownName."""
        return {which: script(self.formulas(invariant, which)) for which in OBLIGATIONS}

    def values(self, model: Any) -> dict[str, int]:
        """The state here in a z3 model, by part."""
        found = {}
        for part in self.parts.all:
            value = model.eval(self._here[part.name], model_completion=True)
            if part.cell.truth:
                found[part.name] = int(z3.is_true(value))
            else:
                found[part.name] = int(value.as_signed_long() if part.cell.lo < 0 else value.as_long())
        return found


def script(formulas: Iterable[Any]) -> str:
    """An SMT-LIB 2 script in QF_BV that asks whether some values satisfy all of the formulas."""
    solver = z3.Solver()
    solver.add(*formulas)
    lines = solver.to_smt2().splitlines()  # twenty times faster than sexpr(), which lays out every line
    return "\n".join(["(set-logic QF_BV)", *(line for line in lines if not line.startswith((";", "(set-info"))), ""])


def _any(terms: Sequence[Any]) -> Any:
    """A disjunction; of one term, that term: `(or x)` is not in SMT-LIB, though z3 reads and writes it."""
    if len(terms) > 1:
        return z3.Or(*terms)
    return terms[0] if terms else z3.BoolVal(False)


def _runs(values: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Maximal intervals of a sorted list."""
    first = last = None
    for value in values:
        if last is not None and value == last + 1:
            last = value
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = value
    if first is not None and last is not None:
        yield first, last


def _between(term: Any, first: int, last: int, least: int, most: int) -> Any:
    if first == last:
        return term == first
    lower = z3.BoolVal(True) if first == least else (term >= first if least < 0 else z3.UGE(term, first))
    upper = z3.BoolVal(True) if last == most else (term <= last if least < 0 else z3.ULE(term, last))
    return z3.simplify(z3.And(lower, upper))
