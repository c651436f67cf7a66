"""A program whose expressions have the intervals that the front end would give them.

In: a program in which declarations were changed by hand: ranges of variables, bounds of semaphores. Out: the same, with each integer
expression's interval as it follows from its parts. Whoever reads a program believes these: a step that cannot leave a range is not asked
whether it does. Raises Refused for an expression that the front end would not take.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from formal import limits
from formal import program as p
from formal.frontend.folding import hull
from formal.nodes import names_of, nodes_below
from formal.rewriting.admitting import Refused
from formal.rewriting.rebuilding import Changes, rebuilt

_EXPRESSIONS: Final = get_args(p.Expr)


def retyped(program: p.Program) -> p.Program:
    """The program, or itself where all intervals are as they should be. Raises Refused."""
    typing = _Typing(program)
    for node in nodes_of(program):
        if isinstance(node, _EXPRESSIONS):
            typing.of(node)
    return rebuilt(program, typing.changes) if typing.changes.fields else program


def nodes_of(program: p.Program) -> Iterator[Any]:
    """Everything that the program is made of, each once."""
    return (node for node in nodes_below(program, _followed) if type(node).__module__ == p.__name__)


def _followed(node: object) -> Iterator[str]:
    return (name for name in names_of(node) if name not in ("span", "sources"))


class _Typing:
    """Finds the types of expressions, from the parts up; those that are to be another are in `changes`."""

    def __init__(self, program: p.Program) -> None:
        self.changes = Changes()
        counted = [*(sem.max_count for sem in program.sems), *(bh.max_count for bh in program.bhs)]
        self._most = max(counted, default=1)
        self._known: dict[p.Expr, p.Type] = {}

    def of(self, expr: p.Expr) -> p.Type:
        """The type of an expression."""
        known = self._known.get(expr)
        if known is None:
            known = self._known[expr] = self._type(expr)
            if known != expr.type:
                self.changes.set(expr, type=known)
        return known

    def _type(self, expr: p.Expr) -> p.Type:
        match expr:
            case p.Read(place=place):
                return _place(place)
            case p.Unary(op="-", operand=operand):
                whole = self._whole(operand)
                return p.IntType(-whole.hi, -whole.lo)
            case p.Binary(op="+" | "-" | "*" | "/" | "%" as op, left=left, right=right):
                found = hull(op, self._whole(left), self._whole(right))
                if max(abs(found.lo), abs(found.hi)) >= limits.VALUE:
                    raise Refused("the value of an expression can go beyond 62 bits")
                return found
            case p.Conditional(then=then, otherwise=otherwise) if isinstance(expr.type, p.IntType):
                one, other = self._whole(then), self._whole(otherwise)
                return p.IntType(min(one.lo, other.lo), max(one.hi, other.hi))
            case p.Count(ref=p.Direct(decl=p.SemDecl(max_count=most) | p.BhDecl(max_count=most))):
                return p.IntType(0, most)
            case p.Count():
                return p.IntType(0, self._most)
            case _:
                return expr.type

    def _whole(self, expr: p.Expr) -> p.IntType:
        found = self.of(expr)
        assert isinstance(found, p.IntType)
        return found


def _place(place: p.Place) -> p.Type:
    match place:
        case p.Direct(decl=p.VarDecl(type=type_)) | p.LocalPlace(decl=p.LocalDecl(type=type_)):
            return type_
        case p.ThreadLocalPlace(decl=p.ThreadLocalDecl(type=type_)):
            return type_
        case p.ViaParam(param=p.RefParam(type=type_)) if type_ is not None:
            return type_
        case _:
            raise Refused("a value is read from what has none")
