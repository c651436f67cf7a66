"""The encoding's terms in the closed language of `formal.netlist`.

In: z3 terms. Out: `Term`s, shared where the z3 terms are. It must not know what they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import z3

from formal.diagnostics import InternalError
from formal.netlist import Term, Terms

_BINARY: Final = {
    z3.Z3_OP_ULT: ("ult", False, False),  # operator, operands the other way round, result negated
    z3.Z3_OP_ULEQ: ("ult", True, True),
    z3.Z3_OP_UGT: ("ult", True, False),
    z3.Z3_OP_UGEQ: ("ult", False, True),
    z3.Z3_OP_SLT: ("slt", False, False),
    z3.Z3_OP_SLEQ: ("slt", True, True),
    z3.Z3_OP_SGT: ("slt", True, False),
    z3.Z3_OP_SGEQ: ("slt", False, True),
    z3.Z3_OP_EQ: ("eq", False, False),
    z3.Z3_OP_IFF: ("eq", False, False),
    z3.Z3_OP_XOR: ("xor", False, False),
    z3.Z3_OP_BSDIV: ("sdiv", False, False),
    z3.Z3_OP_BSREM: ("srem", False, False),
    z3.Z3_OP_BSUB: ("sub", False, False),
}
_FOLDED: Final = {z3.Z3_OP_BADD: "add", z3.Z3_OP_BMUL: "mul"}


class Reading:
    """Reads z3 terms. `known`: what to put for these constants, by their name in z3; any other becomes a variable of that name."""

    def __init__(self, terms: Terms, known: Mapping[str, Term]) -> None:
        self._terms = terms
        self._known = known
        self._read: dict[int, Term] = {}
        self._kept: list[Any] = []  # z3 gives an id to another term as soon as nobody holds the first one

    def of(self, term: Any) -> Term:
        """A Boolean, of Python or z3, or a bit-vector. Raises InternalError for what the encoding never makes."""
        if isinstance(term, bool):
            return self._terms.const(int(term), 0)
        work = [term]
        while work:
            top = work[-1]
            if top.get_id() in self._read:
                work.pop()
                continue
            children = top.children()
            missing = [child for child in children if child.get_id() not in self._read]
            if missing:
                work += missing
                continue
            work.pop()
            self._kept.append(top)
            self._read[top.get_id()] = self._one(top, [self._read[child.get_id()] for child in children])
        return self._read[term.get_id()]

    def _one(self, term: Any, args: list[Term]) -> Term:
        kind = term.decl().kind()
        if not args:
            return self._leaf(term, kind)
        if kind in _BINARY:
            op, swapped, negated = _BINARY[kind]
            left, right = reversed(args) if swapped else args
            made = self._terms.binary(op, left, right)
            return self._terms.negation(made) if negated else made
        if kind in _FOLDED:
            made = args[0]
            for arg in args[1:]:
                made = self._terms.binary(_FOLDED[kind], made, arg)
            return made
        if kind not in _OTHERS:
            raise InternalError(f"no other tool is told about {term.decl().name()}")
        return _OTHERS[kind](self._terms, term, args)

    def _leaf(self, term: Any, kind: int) -> Term:
        if kind == z3.Z3_OP_TRUE or kind == z3.Z3_OP_FALSE:
            return self._terms.const(int(kind == z3.Z3_OP_TRUE), 0)
        if z3.is_bv_value(term):
            return self._terms.const(term.as_long(), term.size())
        name = term.decl().name()
        return self._known.get(name) or self._terms.var(name, 0 if z3.is_bool(term) else term.size())


_OTHERS: Final[Mapping[int, Callable[[Terms, Any, list[Term]], Term]]] = {
    z3.Z3_OP_AND: lambda terms, _, args: terms.conjunction(args),
    z3.Z3_OP_OR: lambda terms, _, args: terms.disjunction(args),
    z3.Z3_OP_NOT: lambda terms, _, args: terms.negation(args[0]),
    z3.Z3_OP_IMPLIES: lambda terms, _, args: terms.disjunction((terms.negation(args[0]), args[1])),
    z3.Z3_OP_ITE: lambda terms, _, args: terms.ite(*args),
    z3.Z3_OP_DISTINCT: lambda terms, _, args: terms.conjunction(
        terms.negation(terms.binary("eq", left, right)) for i, left in enumerate(args) for right in args[:i]
    ),
    z3.Z3_OP_CONCAT: lambda terms, _, args: terms.concat(args),
    z3.Z3_OP_EXTRACT: lambda terms, term, args: terms.extract(term.params()[0], term.params()[1], args[0]),
    z3.Z3_OP_ZERO_EXT: lambda terms, term, args: terms.extend("zext", args[0], term.size()),
    z3.Z3_OP_SIGN_EXT: lambda terms, term, args: terms.extend("sext", args[0], term.size()),
}
