"""Terms over the parts of a state in Booleans alone, one for each value that a part can have. All there is to a part is which one it has.

In: the names of parts; terms of the encoding. Out: terms of `formal.netlist` over those Booleans: what is a comparison of numbers in the
encoding is a choice among values here, which a solver sees through by propagation. It must not know what the terms are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from formal.netlist import BINARY, Term, Terms, in_order, signed
from formal.smt.layout import Cell
from formal.smt.parts import Part, Parts
from formal.smt.reading import Reading
from formal.smt.terms import Value
from formal.smt.unroll import cell_term

MAX_CASES: Final = 4096  # combinations of the values that an operation is done on,
MAX_WORK: Final = 200_000  # and of all operations together

Cases: TypeAlias = Mapping[int, Term]  # by value, when it is that


class TooManyCases(Exception):
    """A number depends on too many values at once to be told value by value."""


class Finite:
    """`terms` makes the terms. `parts` and `choices` say what a Boolean stands for: a part, or an input of the step, and its value. A
    Boolean of the encoding that is no part stays as it is."""

    def __init__(self, parts: Parts) -> None:
        self.terms = Terms()
        self.parts: dict[str, tuple[Part, int]] = {}
        self.choices: dict[str, tuple[str, int, int]] = {}  # name of the input, its width, value
        self._by_cell = {part.cell.name: part for part in parts.all}
        self._reading = Reading(self.terms, {})
        self._work = 0
        self._truths: dict[Term, Term] = {}
        self._cases: dict[Term, Cases] = {}
        self._among: dict[tuple[Part, frozenset[int]], Term] = {}

    # ------------------------------------------------------------ parts and their values

    def has(self, part: Part, value: int) -> Term:
        """That a part has one of its values. Of a part with two, one Boolean tells both."""
        told = 1 if part.cell.truth else value if len(part.values) > 2 else part.values[0]
        name = part.name if part.cell.truth else f"{part.name}={part.domain[part.values.index(told)]}"
        self.parts[name] = part, told
        variable = self.terms.var(name, 0)
        return variable if told == value else self.terms.negation(variable)

    def among(self, part: Part, values: frozenset[int]) -> Term:
        """That a part has one of these."""
        term = self._among.get((part, values))
        if term is None:
            inside = [value for value in part.values if value in values]
            outside = [value for value in part.values if value not in values]
            if len(inside) <= len(outside):
                term = self.terms.disjunction(self.has(part, value) for value in inside)
            else:
                term = self.terms.negation(self.terms.disjunction(self.has(part, value) for value in outside))
            self._among[part, values] = term
        return term

    # ------------------------------------------------------------ terms of the encoding

    def truth(self, term: Any) -> Term:
        """A Boolean of the encoding. Raises TooManyCases."""
        return self._truth(self._reading.of(term))

    def values(self, cell: Cell, value: Value) -> Cases:
        """What a cell may get, and when; a truth value is 0 or 1. Raises TooManyCases."""
        term = self._reading.of(cell_term(cell, value))
        if cell.truth:
            holds = self._truth(term)
            cases = {1: holds, 0: self.terms.negation(holds)}
        else:
            cases = {signed(one, term.width) if cell.lo < 0 else one: when for one, when in self._numbers(term).items()}
        return {one: when for one, when in cases.items() if when is not self.terms.false}

    def replaced(self, term: Term, put: Callable[[Part, frozenset[int]], Term | None]) -> Term:
        """A term made here, with other terms for what it says of some parts (None: the same)."""
        known: dict[Term, Term] = {}
        for one in in_order([term]):
            known[one] = self._variable(one, put) if one.op == "var" else self._rebuilt(one, known.__getitem__)
        return known[term]

    def _variable(self, term: Term, put: Callable[[Part, frozenset[int]], Term | None]) -> Term:
        part, value = self.parts.get(str(term.value), (None, 0))
        other = None if part is None else put(part, frozenset((value,)))
        return term if other is None else other

    def _truth(self, term: Term) -> Term:
        if term not in self._truths:
            self._make(term)
        return self._truths[term]

    def _make(self, term: Term) -> None:
        """A term and all below it, operands first: terms may be nested more deeply than calls."""
        work = [term]
        while work:
            top = work[-1]
            missing = [arg for arg in top.args if arg not in (self._cases if arg.width else self._truths)]
            if missing:
                work += missing
                continue
            work.pop()
            if top.width:
                self._cases[top] = self._made_number(top)
            else:
                self._truths[top] = self._made(top)

    def _made(self, term: Term) -> Term:
        if term.op == "var":
            part = self._by_cell.get(str(term.value))
            return term if part is None else self.has(part, 1)
        if term.args and term.args[0].width:
            return self._equal(*term.args) if term.op == "eq" else self._combined(term).get(1, self.terms.false)
        return self._rebuilt(term, self._truth)

    def _rebuilt(self, term: Term, of: Callable[[Term], Term]) -> Term:
        """A term over Booleans."""
        terms, args = self.terms, map(of, term.args)
        match term.op:
            case "const":
                return term
            case "and":
                return terms.conjunction(args)
            case "or":
                return terms.disjunction(args)
            case "not":
                return terms.negation(*args)
            case "ite":
                return terms.ite(*args)
            case _:
                return terms.binary(term.op, *args)

    def _numbers(self, term: Term) -> Cases:
        """What a bit-vector may be, as an unsigned number."""
        if term not in self._cases:
            self._make(term)
        return self._cases[term]

    def _made_number(self, term: Term) -> Cases:
        terms, room = self.terms, 1 << term.width
        if term.number is not None:
            return {term.number: terms.true}
        if term.op == "var":
            part = self._by_cell.get(str(term.value))
            if part is not None:
                return {value % room: self.has(part, value) for value in part.values}
            return {value: self._choice(str(term.value), term.width, value) for value in range(room)}
        if term.op == "ite":
            condition = self._truth(term.args[0])
            sides = (condition, term.args[1]), (terms.negation(condition), term.args[2])
            return self._merged((value, (side, when)) for side, arg in sides for value, when in self._numbers(arg).items())
        return self._combined(term)

    def _equal(self, left: Term, right: Term) -> Term:
        one, other = self._numbers(left), self._numbers(right)
        return self.terms.disjunction(self.terms.conjunction((when, other[value])) for value, when in one.items() if value in other)

    def _choice(self, name: str, width: int, value: int) -> Term:
        self.choices[f"{name}={value}"] = name, width, value
        return self.terms.var(f"{name}={value}", 0)

    def _combined(self, term: Term) -> Cases:
        """An operation on numbers, done on all their values."""
        terms = self.terms
        combinations: list[tuple[tuple[Term, ...], tuple[Term, ...]]] = [((), ())]
        for arg in term.args:
            cases = [(terms.const(value, arg.width), when) for value, when in self._numbers(arg).items()]
            self._work += len(combinations) * len(cases)
            if len(combinations) * len(cases) > MAX_CASES or self._work > MAX_WORK:
                raise TooManyCases
            combinations = [((*values, value), (*whens, when)) for values, whens in combinations for value, when in cases]
        return self._merged((self._done(term, values), whens) for values, whens in combinations)

    def _done(self, term: Term, args: tuple[Term, ...]) -> int:
        match term.op, term.value:
            case "concat", _:
                result = self.terms.concat(args)
            case "extract", (high, low):
                result = self.terms.extract(high, low, args[0])
            case "zext" | "sext", _:
                result = self.terms.extend(term.op, args[0], term.width)
            case op, _:
                assert op in BINARY
                result = self.terms.binary(op, *args)
        assert result.number is not None
        return result.number

    def _merged(self, cases: Iterable[tuple[int, tuple[Term, ...]]]) -> Cases:
        found: dict[int, list[Term]] = {}
        for value, whens in cases:
            when = self.terms.conjunction(whens)
            if when is not self.terms.false:
                found.setdefault(value, []).append(when)
        return {value: self.terms.disjunction(whens) for value, whens in found.items()}
