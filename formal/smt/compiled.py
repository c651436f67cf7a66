"""Terms over the values of parts (`formal.smt.finite`) as functions, for a state whose values are known.

In: such terms, and where the value that a Boolean stands for is found. Out: functions of a state. It must not know what terms are about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from formal.netlist import Term, in_order
from formal.smt.finite import TooManyCases

DEEPEST: Final = 300  # a term nested more deeply is refused: a function calls those of its operands

Values: TypeAlias = Sequence[int]
Test: TypeAlias = Callable[[Values], bool]


class Compiler:
    """`where`: of a Boolean by name, the position among the values and the value that it stands for."""

    def __init__(self, where: Callable[[str], tuple[int, int]]) -> None:
        self._where = where
        self._tests: dict[Term, tuple[Test, int, frozenset[int]]] = {}

    def test(self, term: Term) -> Test:
        """Whether a term holds. Raises TooManyCases."""
        return self._made(term)[0]

    def positions(self, term: Term) -> frozenset[int]:
        """The positions that it depends on. Raises TooManyCases."""
        return self._made(term)[2]

    def _made(self, term: Term) -> tuple[Test, int, frozenset[int]]:
        if term not in self._tests:
            for one in in_order([term]):
                if one not in self._tests:
                    operands = [self._tests[arg] for arg in one.args]
                    depth = 1 + max((depth for _, depth, _ in operands), default=0)
                    if depth > DEEPEST:
                        raise TooManyCases
                    positions = frozenset().union(*(used for _, _, used in operands))
                    if one.op == "var":
                        position, value = self._where(str(one.value))
                        self._tests[one] = _is(position, value), 1, frozenset((position,))
                    else:
                        self._tests[one] = _combined(one, [test for test, _, _ in operands]), depth, positions
        return self._tests[term]


def _is(position: int, value: int) -> Test:
    return lambda values: values[position] == value


def _combined(term: Term, tests: Sequence[Test]) -> Test:
    match term.op, tests:
        case "const", _:
            return _constant(bool(term.number))
        case "not", [one]:
            return lambda values: not one(values)
        case "and", _:
            return _all(tests)
        case "or", _:
            return _any(tests)
        case "ite", [condition, then, otherwise]:
            return lambda values: then(values) if condition(values) else otherwise(values)
        case "eq", [one, other]:
            return lambda values: one(values) == other(values)
        case "xor", [one, other]:
            return lambda values: one(values) != other(values)
        case _:
            raise TooManyCases


def _constant(value: bool) -> Test:
    return lambda _: value


def _all(tests: Sequence[Test]) -> Test:
    def test(values: Values) -> bool:
        for one in tests:  # noqa: SIM110 - twice as quick as all() over a generator, and this is where the time goes
            if not one(values):
                return False
        return True

    return test


def _any(tests: Sequence[Test]) -> Test:
    def test(values: Values) -> bool:
        for one in tests:  # noqa: SIM110 - as above
            if one(values):
                return True
        return False

    return test
