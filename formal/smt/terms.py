"""Boolean and integer terms that fold constants, on top of z3's abstract syntax.

In: Python values and terms. Out: terms. Integers are mathematical: a `Num` carries an interval that holds its value, and a bit-vector
just wide enough for it (unsigned when the interval has no negative number, else two's complement), so nothing here ever wraps.
It must not know the language. Conjunctions and disjunctions go straight to z3's C interface: they are most of what is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import z3

Bool: TypeAlias = Any  # a Python bool, or a z3.BoolRef
_CONTEXT = z3.main_ctx()
_REF = _CONTEXT.ref()


@dataclass(frozen=True, slots=True, eq=False)
class Num:
    """An integer in lo..hi; `term` is None when there is only one such integer."""

    lo: int
    hi: int
    term: Any

    @property
    def constant(self) -> int | None:
        """The value, where it is known."""
        return self.lo if self.term is None else None


Value: TypeAlias = Any  # Bool | Num


def number(value: int) -> Num:
    """A constant."""
    return Num(value, value, None)


# ---------------------------------------------------------------- truth values


def _array(parts: Sequence[Any]) -> Any:
    return (z3.Ast * len(parts))(*[part.as_ast() for part in parts])


def all_of(parts: Iterable[Bool]) -> Bool:
    """Conjunction."""
    kept: dict[int, Any] = {}
    for part in parts:
        if part is True:
            continue
        if part is False:
            return False
        kept[part.get_id()] = part
    if len(kept) < 2:
        return next(iter(kept.values()), True)
    terms = list(kept.values())
    return z3.BoolRef(z3.Z3_mk_and(_REF, len(terms), _array(terms)), _CONTEXT)


def check(solver: Any, assumptions: Sequence[Any]) -> Any:
    """`solver.check` under Booleans of which none has to be converted."""
    result = z3.Z3_solver_check_assumptions(_REF, solver.solver, len(assumptions), _array(assumptions))
    return z3.CheckSatResult(result)


def any_of(parts: Iterable[Bool]) -> Bool:
    """Disjunction."""
    kept: dict[int, Any] = {}
    for part in parts:
        if part is False:
            continue
        if part is True:
            return True
        kept[part.get_id()] = part
    if len(kept) < 2:
        return next(iter(kept.values()), False)
    terms = list(kept.values())
    return z3.BoolRef(z3.Z3_mk_or(_REF, len(terms), _array(terms)), _CONTEXT)


def both(left: Bool, right: Bool) -> Bool:
    return all_of((left, right))


def either(left: Bool, right: Bool) -> Bool:
    return any_of((left, right))


def negation(part: Bool) -> Bool:
    if part is True or part is False:
        return not part
    if z3.Z3_get_bool_value(_REF, part.as_ast()) == 0 and z3.is_not(part):
        return part.arg(0)
    return z3.BoolRef(z3.Z3_mk_not(_REF, part.as_ast()), _CONTEXT)


def implied(premise: Bool, conclusion: Bool) -> Bool:
    return either(negation(premise), conclusion)


def same_truth(left: Bool, right: Bool) -> Bool:
    """Equivalence."""
    if isinstance(left, bool):
        return right if left else negation(right)
    if isinstance(right, bool):
        return left if right else negation(left)
    return left == right


def choose_truth(condition: Bool, then: Bool, otherwise: Bool) -> Bool:
    """`condition ? then : otherwise`."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if then is otherwise:
        return then
    if isinstance(then, bool):
        return either(condition, otherwise) if then else both(negation(condition), otherwise)
    if isinstance(otherwise, bool):
        return either(negation(condition), then) if otherwise else both(condition, then)
    if then.eq(otherwise):
        return then
    return z3.If(condition, then, otherwise)


def as_term(part: Bool) -> Any:
    """A z3 term, also for a constant."""
    return z3.BoolVal(part) if isinstance(part, bool) else part


# ---------------------------------------------------------------- integers


def width(lo: int, hi: int) -> int:
    """Bits of the representation of lo..hi."""
    if lo >= 0:
        return max(1, hi.bit_length())
    return max((-lo - 1).bit_length(), max(hi, 0).bit_length()) + 1


def signed_width(*nums: Num) -> int:
    """Bits of a two's complement representation that holds each of them."""
    return max(max((-n.lo - 1).bit_length() if n.lo < 0 else 0, max(n.hi, 0).bit_length()) for n in nums) + 1


@lru_cache(maxsize=4096)
def _digits(value: int, bits: int) -> Any:
    return z3.BitVecVal(value, bits)


def widen(num: Num, bits: int) -> Any:
    """Its bit-vector in so many bits, which are enough."""
    if num.term is None:
        return _digits(num.lo, bits)
    own = num.term.size()
    if own == bits:
        return num.term
    if own > bits:  # the interval says that the upper bits carry nothing
        return z3.Extract(bits - 1, 0, num.term)
    return z3.ZeroExt(bits - own, num.term) if num.lo >= 0 else z3.SignExt(bits - own, num.term)


def from_bits(term: Any, lo: int, hi: int) -> Num:
    """A number in lo..hi from a bit-vector that is at least as wide as its representation."""
    if lo == hi:
        return number(lo)
    bits = width(lo, hi)
    return Num(lo, hi, term if term.size() == bits else z3.Extract(bits - 1, 0, term))


def recast(num: Num, lo: int, hi: int) -> Num:
    """The same number, known by other means to lie in lo..hi (where it doesn't, any value)."""
    if (num.lo, num.hi) == (lo, hi) or lo == hi:
        return num if lo != hi else number(lo)
    if num.term is None:
        return number(min(max(num.lo, lo), hi))
    return from_bits(widen(num, max(num.term.size(), width(lo, hi), signed_width(num))), lo, hi)


def choose_number(condition: Bool, then: Num, otherwise: Num) -> Num:
    """`condition ? then : otherwise`."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    lo, hi = min(then.lo, otherwise.lo), max(then.hi, otherwise.hi)
    if lo == hi:
        return then
    left, right = _fit(then, lo, hi), _fit(otherwise, lo, hi)
    return then if left.eq(right) else Num(lo, hi, z3.If(condition, left, right))


def _fit(num: Num, lo: int, hi: int) -> Any:
    return widen(num, width(lo, hi))


def choose(condition: Bool, then: Value, otherwise: Value) -> Value:
    """`condition ? then : otherwise` of either kind."""
    if isinstance(then, Num):
        return choose_number(condition, then, otherwise)
    return choose_truth(condition, then, otherwise)


def equal(left: Num, right: Num) -> Bool:
    if left.hi < right.lo or right.hi < left.lo:
        return False
    if left.term is None and right.term is None:
        return True
    bits = signed_width(left, right) if min(left.lo, right.lo) < 0 else width(0, max(left.hi, right.hi))
    return widen(left, bits) == widen(right, bits)


def less(left: Num, right: Num) -> Bool:
    """left < right."""
    if left.hi < right.lo:
        return True
    if left.lo >= right.hi:
        return False
    if min(left.lo, right.lo) < 0:
        bits = signed_width(left, right)
        return widen(left, bits) < widen(right, bits)
    bits = width(0, max(left.hi, right.hi))
    return z3.ULT(widen(left, bits), widen(right, bits))


def within(num: Num, lo: int, hi: int) -> Bool:
    """lo <= num <= hi."""
    return both(negation(less(num, number(lo))), negation(less(number(hi), num)))


def same(left: Value, right: Value) -> Bool:
    """Equality of either kind."""
    return equal(left, right) if isinstance(left, Num) else same_truth(left, right)


def add(left: Num, right: Num) -> Num:
    lo, hi = left.lo + right.lo, left.hi + right.hi
    if lo == hi:
        return number(lo)
    bits = max(signed_width(left, right), signed_width(Num(lo, hi, None)))
    return from_bits(widen(left, bits) + widen(right, bits), lo, hi)


def subtract(left: Num, right: Num) -> Num:
    lo, hi = left.lo - right.hi, left.hi - right.lo
    if lo == hi:
        return number(lo)
    bits = max(signed_width(left, right), signed_width(Num(lo, hi, None)))
    return from_bits(widen(left, bits) - widen(right, bits), lo, hi)


def multiply(left: Num, right: Num) -> Num:
    corners = [a * b for a in (left.lo, left.hi) for b in (right.lo, right.hi)]
    lo, hi = min(corners), max(corners)
    if lo == hi:
        return number(lo)
    bits = max(signed_width(left, right), signed_width(Num(lo, hi, None)))
    return from_bits(widen(left, bits) * widen(right, bits), lo, hi)


def divide(left: Num, right: Num) -> Num:
    """Truncating division; any value where right is 0."""
    if left.term is None and right.term is None:
        return number(_truncate(left.lo, right.lo) if right.lo else 0)
    size = max(abs(left.lo), abs(left.hi))
    lo = 0 if left.lo >= 0 and right.lo >= 0 else -size
    hi = max(size, 1)
    bits = max(signed_width(left, right), signed_width(Num(lo, hi, None)))
    return from_bits(widen(left, bits) / widen(right, bits), lo, hi)  # z3: `/` on bit-vectors is signed and truncates


def remainder(left: Num, right: Num) -> Num:
    """The remainder with the dividend's sign; any value where right is 0."""
    if left.term is None and right.term is None:
        return number(left.lo - right.lo * _truncate(left.lo, right.lo) if right.lo else 0)
    size = max(abs(left.lo), abs(left.hi), 1)
    lo, hi = (-size if left.lo < 0 else 0), size
    bits = max(signed_width(left, right), signed_width(Num(lo, hi, None)))
    return from_bits(z3.SRem(widen(left, bits), widen(right, bits)), lo, hi)


def _truncate(dividend: int, divisor: int) -> int:
    size = abs(dividend) // abs(divisor)
    return size if (dividend < 0) == (divisor < 0) else -size


def total(parts: Sequence[Bool]) -> Num:
    """How many of them hold; a balanced sum."""
    sums = [
        number(int(part)) if isinstance(part, bool) else Num(0, 1, z3.If(part, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))) for part in parts
    ]
    while len(sums) > 1:
        paired = [add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=False)]
        sums = paired + ([sums[-1]] if len(sums) % 2 else [])
    return sums[0] if sums else number(0)


def from_truths(bits: Sequence[Bool], lo: int, hi: int) -> Num:
    """A number in lo..hi, 0 <= lo, from its binary digits, the lowest first."""
    if lo == hi:
        return number(lo)
    one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
    digits = [z3.If(as_term(bit), one, zero) for bit in reversed(bits[: width(lo, hi)])]
    return Num(lo, hi, digits[0] if len(digits) == 1 else z3.Concat(*digits))


def select(condition_values: Sequence[tuple[Bool, Value]], otherwise: Value) -> Value:
    """The value of the first condition that holds."""
    result = otherwise
    for condition, value in reversed(condition_values):
        result = choose(condition, value, result)
    return result
