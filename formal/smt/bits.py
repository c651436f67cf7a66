"""Terms over bit-vectors as terms over their single bits.

In: the constants that terms are made of. Out: a Boolean for each bit of them, and terms in those alone; and the way back. It must not know
what the constants stand for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import z3


class Bits:
    """The bits of some constants, lowest first; a Boolean constant is its own bit."""

    def __init__(self, constants: Sequence[Any]) -> None:
        self._of = {constant.get_id(): _bits(constant) for constant in constants}
        self._constants = list(constants)
        vectors = [constant for constant in constants if not z3.is_bool(constant)]
        self._down = [(vector, _assembled(self._of[vector.get_id()])) for vector in vectors]
        self._up = [(bit, _digit(vector, i)) for vector in vectors for i, bit in enumerate(self._of[vector.get_id()])]

    def of(self, constants: Sequence[Any]) -> list[Any]:
        """The bits of these constants, one after the other."""
        return [bit for constant in constants for bit in self._of[constant.get_id()]]

    def lowered(self, terms: Sequence[Any]) -> list[Any]:
        """The bits of terms, one after the other, as terms over bits. All at once, so that what they share is lowered once."""
        digits = [digit for term in terms for digit in _digits(term)]
        if not digits:
            return []
        pack = z3.Function("bits", *[z3.BoolSort() for _ in digits], z3.BoolSort())
        goal = z3.Goal()
        goal.add(z3.substitute(pack(*digits), *self._down))
        (lowered,) = z3.Then("simplify", "bit-blast")(goal)[0]
        return [lowered.arg(i) for i in range(len(digits))]

    def raised(self, term: Any) -> Any | None:
        """A term over bits as one over the constants; None if it speaks of anything else."""
        known = {bit.get_id() for bits in self._of.values() for bit in bits}
        if any(leaf.get_id() not in known for leaf in _leaves(term)):
            return None
        return z3.substitute(term, *self._up)


def _bits(constant: Any) -> list[Any]:
    if z3.is_bool(constant):
        return [constant]
    return [z3.Bool(f"bit {i} of {constant.decl().name()}") for i in range(constant.size())]


def _assembled(bits: Sequence[Any]) -> Any:
    one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
    digits = [z3.If(bit, one, zero) for bit in reversed(bits)]
    return digits[0] if len(digits) == 1 else z3.Concat(*digits)


def _digit(vector: Any, index: int) -> Any:
    return z3.Extract(index, index, vector) == 1


def _digits(term: Any) -> list[Any]:
    return [term] if z3.is_bool(term) else [_digit(term, i) for i in range(term.size())]


def _leaves(term: Any) -> Iterator[Any]:
    """What a term speaks of: constants that are no values, quantifiers, variables, and whatever is no connective."""
    seen: set[int] = set()
    work = [term]
    while work:
        part = work.pop()
        if part.get_id() in seen or z3.is_true(part) or z3.is_false(part):
            continue
        seen.add(part.get_id())
        if z3.is_app(part) and part.num_args() and part.decl().kind() != z3.Z3_OP_UNINTERPRETED:
            work += part.children()
        else:
            yield part
