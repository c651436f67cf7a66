"""The functions of the language: holds, owner, pending and the like.

In: a surface node that applies one, a scope. Out: a typed expression. Raises Mistake or Poisoned.
"""

from __future__ import annotations

from formal.codes import Code
from formal.diagnostics import Span
from formal.frontend.folding import BOOL
from formal.frontend.names import BUILTIN_FUNCTIONS, LabelUse, Names, Scope, mistake
from formal.frontend.references import Reader, References, kind_of
from formal.program import (
    NONE,
    At,
    BhDecl,
    Bound,
    ContextType,
    Count,
    CurrentContext,
    Direct,
    Expr,
    Finished,
    Holds,
    InContext,
    IntType,
    IsSet,
    Literal,
    Member,
    Owner,
    PendingBh,
    PendingContext,
    Self,
    SemDecl,
    ThreadType,
    ViaParam,
)
from formal.syntax import Node, Tree

THREAD, CONTEXT = ThreadType(), ContextType()


def running(scope: Scope, span: Span) -> Self:
    """`self`. Raises where no thread is running."""
    if not scope.has_self:
        raise mistake(Code.SELF, "there is no running thread here; name one, or use `forall t in thread: …`", span)
    return Self(THREAD, span)


class Functions:
    """Reads applications of functions against one model's names."""

    def __init__(self, names: Names, references: References, reader: Reader) -> None:
        self.names = names
        self.references = references
        self.reader = reader

    def application(self, node: Node, scope: Scope) -> Expr:
        name, arguments, span = str(node.items[0]), node.items[1:], node.span
        if name in self.names.procs:
            hint = f"assign it first: `x = {name}(…);`"
            raise mistake(Code.CALL, f"`{name}` is a procedure: a call is no part of an expression", span, hint=hint)
        least, most = {"current_context": (0, 1), "holds": (1, 2), "in_context": (1, 2), "at": (2, 2)}.get(name, (1, 1))
        if name in BUILTIN_FUNCTIONS:
            if not least <= len(arguments) <= most:
                wanted = str(least) if least == most else f"{least} or {most}"
                raise mistake(Code.ARGUMENTS, f"`{name}` takes {wanted} argument(s), not {len(arguments)}", span)
            return self._builtin(name, arguments, scope, span)
        raise self.names.unknown(name, node.items[0].span, BUILTIN_FUNCTIONS, "function")

    def _builtin(self, name: str, arguments: tuple[Tree, ...], scope: Scope, span: Span) -> Expr:
        asked = arguments[0] if len(arguments) > (0 if name == "current_context" else 1) else None
        match name:
            case "holds":
                return Holds(
                    self._thread(asked, scope, span), self.references.reference(arguments[-1], scope, "mutex", "rwlock"), BOOL, span
                )
            case "in_context":
                return InContext(self._thread(asked, scope, span), self.references.reference(arguments[-1], scope, "context"), BOOL, span)
            case "current_context":
                return CurrentContext(self._thread(asked, scope, span), CONTEXT, span)
            case "owner":
                return Owner(self.references.reference(arguments[0], scope, "mutex", "rwlock"), THREAD, span)
            case "pending":
                ref = self.references.reference(arguments[0], scope, "bh", "context")
                return PendingContext(ref, BOOL, span) if kind_of(ref) == "context" else PendingBh(ref, BOOL, span)
            case "count":
                return self._count(arguments[0], scope, span)
            case "is_set":
                return IsSet(self.references.reference(arguments[0], scope, "event"), BOOL, span)
            case "finished":
                return Finished(self.reader.typed(arguments[0], scope, THREAD), BOOL, span)
            case _:
                return self._at(arguments, scope, span)

    def _thread(self, node: Tree | None, scope: Scope, span: Span) -> Expr:
        return running(scope, span) if node is None else self.reader.typed(node, scope, THREAD)

    def _count(self, node: Tree, scope: Scope, span: Span) -> Count:
        ref = self.references.reference(node, scope, "sem", "bh")
        if isinstance(ref, ViaParam):  # whatever it stands for
            sizes = [d.max_count for d in self.names.objects.values() if isinstance(d, SemDecl | BhDecl)]
            return Count(ref, IntType(0, max(sizes, default=1)), span)
        assert isinstance(ref.decl, SemDecl | BhDecl)
        return Count(ref, IntType(0, ref.decl.max_count), span)

    def _at(self, arguments: tuple[Tree, ...], scope: Scope, span: Span) -> At:
        label = arguments[1]
        assert isinstance(label, Node)
        body: str | None = None
        match label.kind:
            case "name":
                name = str(label.items[0])
            case "member" if isinstance(label.items[0], Node) and label.items[0].kind == "name":
                body, name = str(label.items[0].items[0]), str(label.items[1])
            case _:
                raise mistake(Code.UNKNOWN_LABEL, "the second argument of `at` is a label, or body.label", label.span)
        thread = self.reader.typed(arguments[0], scope, THREAD)
        node = At(thread, frozenset(), f"{body}.{name}" if body else name, BOOL, span)
        self.names.label_uses.append(LabelUse(node, body, name, self._body_of(thread, scope), label.span))
        return node

    def _body_of(self, thread: Expr, scope: Scope) -> str | None:
        """The thread declaration that a thread is of, where that is known before the run."""
        match thread:
            case Literal(value=value) if value != NONE:
                return self.names.thread_names[value]
            case Member(ref=Direct(decl=decl)):
                return decl.name
            case Bound(binder=binder):
                return self.names.binder_families.get(binder)
            case Self() if scope.body in self.names.families:
                return scope.body
            case _:
                return None
