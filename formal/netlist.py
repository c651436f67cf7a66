"""Words and gates: a small closed language of terms over Booleans and bit-vectors, in which a transition system is handed to printers.

In: nothing (pure data). Out: `Term`s, each made once by a `Terms` and so compared by identity, and `System`. It must not know z3, nor
any file format.

`width` 0 is a Boolean, else a bit-vector of so many bits. Operators and their sorts (b: Boolean, w: some width):

    const  value          a Boolean (0, 1) or an unsigned number below 2^width
    var    name           an input or a state variable
    not b    and b b…    or b b…    xor b b    eq (b b | w w) -> b    ite b x x
    ult w w -> b    slt w w -> b    add sub mul sdiv srem w w -> w    (sdiv, srem: SMT-LIB's, a divisor of 0 included)
    concat x y…           the highest bits first        extract x, value = (high, low)        zext x    sext x
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

Payload: TypeAlias = "int | str | tuple[int, int] | None"


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One operator over terms; see the table above."""

    op: str
    width: int
    args: tuple[Term, ...] = ()
    value: Payload = None

    @property
    def number(self) -> int | None:
        """The value of a constant."""
        return self.value if self.op == "const" and isinstance(self.value, int) else None


def signed(value: int, width: int) -> int:
    """An unsigned number of so many bits, read as two's complement."""
    return value - (1 << width) if value >> (width - 1) else value


def _divide(a: int, b: int, width: int) -> int:
    x, y = signed(a, width), signed(b, width)
    if y == 0:
        return 1 if x < 0 else -1
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


def _remainder(a: int, b: int, width: int) -> int:
    x, y = signed(a, width), signed(b, width)
    return x if y == 0 else abs(x) % abs(y) * (-1 if x < 0 else 1)


BINARY: Final[Mapping[str, Callable[[int, int, int], int]]] = MappingProxyType(
    {  # of unsigned operands and their width; the result is taken modulo 2^width
        "ult": lambda a, b, _: int(a < b),
        "slt": lambda a, b, w: int(signed(a, w) < signed(b, w)),
        "eq": lambda a, b, _: int(a == b),
        "xor": lambda a, b, _: a ^ b,
        "add": lambda a, b, _: a + b,
        "sub": lambda a, b, _: a - b,
        "mul": lambda a, b, _: a * b,
        "sdiv": _divide,
        "srem": _remainder,
    }
)
_TRUTHS: Final = ("ult", "slt", "eq", "xor")


class Terms:
    """Makes terms: each once, with constants folded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, tuple[int, ...], Payload], Term] = {}
        self.true = self.const(1, 0)
        self.false = self.const(0, 0)

    def _make(self, op: str, width: int, args: tuple[Term, ...] = (), value: Payload = None) -> Term:
        key = (op, width, tuple(map(id, args)), value)
        term = self._known.get(key)
        if term is None:
            term = self._known[key] = Term(op, width, args, value)
        return term

    def const(self, value: int, width: int) -> Term:
        return self._make("const", width, (), value & ((1 << max(width, 1)) - 1))

    def var(self, name: str, width: int) -> Term:
        return self._make("var", width, (), name)

    def negation(self, term: Term) -> Term:
        if term.number is not None:
            return self.const(1 - term.number, 0)
        return term.args[0] if term.op == "not" else self._make("not", 0, (term,))

    def conjunction(self, parts: Iterable[Term]) -> Term:
        return self._junction("and", parts, self.true, self.false)

    def disjunction(self, parts: Iterable[Term]) -> Term:
        return self._junction("or", parts, self.false, self.true)

    def _junction(self, op: str, parts: Iterable[Term], neutral: Term, absorbing: Term) -> Term:
        kept: dict[Term, None] = {}
        for part in parts:
            if part is absorbing:
                return absorbing
            if part is not neutral:
                kept[part] = None
        if len(kept) < 2:
            return next(iter(kept), neutral)
        return self._make(op, 0, tuple(kept))

    def ite(self, condition: Term, then: Term, otherwise: Term) -> Term:
        if condition.number is not None:
            return then if condition.number else otherwise
        if then is otherwise:
            return then
        if then.width == 0 and then.number is not None:
            return self.disjunction((condition, otherwise)) if then.number else self.conjunction((self.negation(condition), otherwise))
        if then.width == 0 and otherwise.number is not None:
            return self.disjunction((self.negation(condition), then)) if otherwise.number else self.conjunction((condition, then))
        return self._make("ite", then.width, (condition, then, otherwise))

    def binary(self, op: str, left: Term, right: Term) -> Term:
        """One of BINARY."""
        width = 0 if op in _TRUTHS else left.width
        if left.number is not None and right.number is not None:
            return self.const(BINARY[op](left.number, right.number, left.width), width)
        if op in ("eq", "xor") and left is right:
            return self.const(int(op == "eq"), 0)
        if op in ("eq", "xor") and left.width == 0 and (left.number is not None or right.number is not None):
            known, other = (left, right) if left.number is not None else (right, left)
            return other if (known.number == 1) == (op == "eq") else self.negation(other)
        return self._make(op, width, (left, right))

    def concat(self, parts: Sequence[Term]) -> Term:
        width = sum(part.width for part in parts)
        if all(part.number is not None for part in parts):
            value = 0
            for part in parts:
                value = value << part.width | (part.number or 0)
            return self.const(value, width)
        return parts[0] if len(parts) == 1 else self._make("concat", width, tuple(parts))

    def extract(self, high: int, low: int, term: Term) -> Term:
        width = high - low + 1
        if term.number is not None:
            return self.const(term.number >> low, width)
        if term.op in ("zext", "sext") and high < term.args[0].width:
            return self.extract(high, low, term.args[0])
        if term.op == "extract" and isinstance(term.value, tuple):
            return self.extract(term.value[1] + high, term.value[1] + low, term.args[0])
        return term if width == term.width else self._make("extract", width, (term,), (high, low))

    def extend(self, op: str, term: Term, width: int) -> Term:
        """`zext` or `sext` to that width."""
        if term.number is not None:
            return self.const(signed(term.number, term.width) if op == "sext" else term.number, width)
        return term if width == term.width else self._make(op, width, (term,))


@dataclass(frozen=True, slots=True)
class StateVar:
    """A part of the state. `initial`: as an unsigned number. `lo`, `hi`: what it can be as an integer; `values`: their names, where they
    have any but their digits. `next`: after a step that goes on."""

    name: str
    term: Term
    initial: int
    lo: int
    hi: int
    values: Mapping[int, str]
    next: Term


@dataclass(frozen=True, slots=True)
class Input:
    """What differs from step to step besides the state: who moves, a choice, a member of a deadlock. `values`: names of its numbers."""

    name: str
    term: Term
    values: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Bad:
    """When a property is violated, over state and inputs: by the step taken (`of_step`), or by the state alone."""

    name: str
    kind: str
    term: Term
    of_step: bool


@dataclass(frozen=True, slots=True)
class System:
    """A transition system. A step with inputs for which `going` does not hold is none: the state stays as it is."""

    terms: Terms
    states: tuple[StateVar, ...]
    inputs: tuple[Input, ...]
    going: Term
    bads: tuple[Bad, ...]

    def after(self, state: StateVar) -> Term:
        """The next value, of a step or of none."""
        return self.terms.ite(self.going, state.next, state.term)

    def roots(self) -> list[Term]:
        """All that has to be written down."""
        return [*(self.after(state) for state in self.states), *(bad.term for bad in self.bads)]


def in_order(roots: Iterable[Term]) -> Iterator[Term]:
    """Every term below the roots once, operands first."""
    done: set[Term] = set()
    for root in roots:
        work = [root]
        while work:
            term = work[-1]
            if term in done:
                work.pop()
                continue
            missing = [arg for arg in term.args if arg not in done]
            if missing:
                work += reversed(missing)
                continue
            work.pop()
            done.add(term)
            yield term
