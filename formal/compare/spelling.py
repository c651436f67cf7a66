"""Statements and expressions as values that can be compared across programs: declarations by their names, no places in texts.

In: nodes of a program. Out: nested tuples, equal where the two say the same.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any, Final, get_args

from formal import program as p

_NAMED: Final = (*get_args(p.ObjectDecl), p.ThreadLocalDecl, p.LocalDecl, p.RefParam, p.Binder, p.ProcDecl)
_LEFT_OUT: Final = frozenset({"span", "prop", "targets", "c_source", "text", "uid"})  # places, and numbers that follow from them


class Speller:
    """Spells the nodes of one program."""

    def __init__(self, program: p.Program) -> None:
        self._threads = [thread.name for thread in program.threads]
        self._contexts = [context.name for context in program.contexts]

    def whole(self, node: object) -> Hashable:
        """All of it."""
        return self._spell(node, inside=True)

    def head(self, statement: p.Stmt) -> Hashable:
        """A statement without the blocks in it."""
        return self._spell(statement, inside=False)

    def declaration(self, decl: Any) -> Hashable:
        """What a declaration says besides its name and its body."""
        return tuple(
            (one.name, self.whole(getattr(decl, one.name))) for one in fields(decl) if one.name not in ("span", "body", "c_source")
        )

    def _spell(self, node: object, *, inside: bool) -> Hashable:
        match node:
            case p.Info(label=label):
                return label
            case p.Literal():
                return self._literal(node)
            case p.Block() if not inside:
                return "block"
            case tuple():
                return tuple([self._spell(item, inside=inside) for item in node])
            case _ if isinstance(node, _NAMED):
                return type(node).__name__, node.name
            case _ if is_dataclass(node):
                return self._node(node, inside=inside)
            case _:
                assert isinstance(node, Hashable)
                return node

    def _node(self, node: Any, *, inside: bool) -> Hashable:
        kept = [one.name for one in fields(node) if one.name not in _LEFT_OUT and not (one.name == "type" and _typed(node))]
        types = [(one.name, one.type) for one in declared_by(node) if isinstance(one, p.LocalDecl)]
        return (type(node).__name__, *types, *[(name, self._spell(getattr(node, name), inside=inside)) for name in kept])

    def _literal(self, node: p.Literal) -> Hashable:
        match node.type:
            case p.ThreadType():
                return "thread", self._name(self._threads, node.value)
            case p.ContextType():
                return "context", self._name(self._contexts, node.value)
            case p.EnumType(name=name, members=members):
                return name, members[node.value]
            case _:
                return type(node.type).__name__, node.value

    @staticmethod
    def _name(names: list[str], value: int) -> str:
        return "none" if value == p.NONE else names[value]


def declared_by(node: object) -> tuple[p.LocalDecl | p.Binder, ...]:
    """What a node itself declares: the variable of a `for` or a quantifier, or a local one."""
    match node:
        case p.For(binder=binder) | p.Quantifier(binder=binder):
            return (binder,)
        case p.Assign(info=info, place=p.LocalPlace(decl=decl)) | p.Call(info=info, place=p.LocalPlace(decl=decl)):
            here = info.span.source is decl.span.source and info.span.start <= decl.span.start < info.span.end
            return (decl,) if here else ()
        case _:
            return ()


def _typed(node: object) -> bool:
    """Whether a type follows from the parts: an interval may differ where nothing else does."""
    return isinstance(node, get_args(p.Expr))
