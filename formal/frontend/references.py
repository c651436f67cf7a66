"""References and places: which declared thing a name stands for, or what can be assigned.

In: surface nodes, a scope, the tables of names, a reader of expressions for indices. Out: `Ref` and `Place`. Raises Mistake or Poisoned.
"""

from __future__ import annotations

from typing import Protocol

from formal.codes import Code
from formal.diagnostics import Note, Span
from formal.frontend.folding import describe
from formal.frontend.names import Mistake, Names, Scope, mistake, similar
from formal.program import (
    RANGE,
    BhDecl,
    Binary,
    Binder,
    Bound,
    CondDecl,
    Conditional,
    ContextDecl,
    Direct,
    EventDecl,
    Expr,
    IntType,
    Literal,
    LocalDecl,
    LocalPlace,
    Member,
    MutexDecl,
    Place,
    Ref,
    RefParam,
    RwlockDecl,
    Self,
    SemDecl,
    ThreadDecl,
    ThreadLocalPlace,
    ThreadType,
    Type,
    Unary,
    ValueType,
    VarDecl,
    ViaParam,
)
from formal.syntax import Node, Tree

KINDS: dict[str, tuple[type, str]] = {
    "mutex": (MutexDecl, "a mutex"),
    "rwlock": (RwlockDecl, "a rwlock"),
    "sem": (SemDecl, "a semaphore"),
    "event": (EventDecl, "an event"),
    "cond": (CondDecl, "a condition variable"),
    "bh": (BhDecl, "a bottom half"),
    "context": (ContextDecl, "a context"),
    "thread": (ThreadDecl, "a thread"),
    "var": (VarDecl, "a variable"),
}


def kind_of(ref: Ref) -> str:
    """mutex, rwlock, sem, … of what a reference stands for."""
    if isinstance(ref, ViaParam):
        return ref.param.kind
    return next(kind for kind, (cls, _) in KINDS.items() if isinstance(ref.decl, cls))


def place_type(place: Place) -> ValueType:
    """The type of what is read or assigned there."""
    match place:
        case Direct(decl=VarDecl(type=type_)):
            return type_
        case ViaParam(param=RefParam(type=type_)) if type_ is not None:
            return type_
        case LocalPlace(decl=decl) | ThreadLocalPlace(decl=decl):
            return decl.type
        case _:
            raise TypeError(place)


def is_fixed(expr: Expr) -> bool:
    """Whether the value cannot change while a thread is inside of one statement: literals, `self`, bound variables, what they make."""
    match expr:
        case Literal() | Self() | Bound():
            return True
        case Member(ref=Direct(index=index)):
            return index is None or is_fixed(index)
        case Unary(operand=operand):
            return is_fixed(operand)
        case Binary(left=left, right=right):
            return is_fixed(left) and is_fixed(right)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return is_fixed(condition) and is_fixed(then) and is_fixed(otherwise)
        case _:
            return False


def fixed(ref: Ref, span: Span) -> Ref:
    """The reference, unless its index could change before the statement comes back to it. Raises a mistake."""
    if isinstance(ref, Direct) and ref.index is not None and not is_fixed(ref.index):
        hint = "give the element to a procedure with a `ref` parameter: its index is then evaluated once"
        raise mistake(Code.FIXED_INDEX, "this index could change before the statement ends", span, hint=hint)
    return ref


class Reader(Protocol):
    """Reads the expressions that stand inside of references."""

    def expr(self, node: Tree, scope: Scope) -> Expr: ...

    def typed(self, node: Tree, scope: Scope, type_: Type) -> Expr: ...


class References:
    """Reads references against one model's names."""

    def __init__(self, names: Names, reader: Reader) -> None:
        self.names = names
        self.reader = reader

    def reference(self, node: Tree, scope: Scope, *kinds: str) -> Ref:
        """A declared thing of one of the kinds, an element of an array of them, or a `ref` parameter."""
        base, index = node, None
        if isinstance(node, Node) and node.kind == "index":
            base, index = node.items[0], node.items[1]
        elif isinstance(node, Node) and node.kind == "object":
            base, index = node.items[0], node.items[1] if len(node.items) > 1 else None
        if not isinstance(base, Node) or base.kind != "name":
            raise mistake(Code.KIND, f"the name of {self._wanted(kinds)} is needed here", node.span)
        name = str(base.items[0])
        local = scope.names.get(name)
        if isinstance(local, RefParam):
            if local.kind not in kinds:
                raise self._wrong_kind(name, KINDS[local.kind][1], kinds, node.span, Note("declared here", local.span))
            if index is not None:
                raise mistake(Code.INDEX, f"`{name}` stands for a single thing; it has no index", node.span)
            return ViaParam(local)
        if local is not None:
            thread = isinstance(local, Binder) and isinstance(local.type, ThreadType) and "thread" in kinds
            hint = "run over the numbers: `for i in 0..N - 1 { … vcpu[i] … }`" if thread else None
            raise self._wrong_kind(name, "a local name", kinds, node.span, hint=hint)
        self.names.used.add(name)
        decl = self.names.objects.get(name)
        if decl is None:
            raise self._not_an_object(name, kinds, base.span)
        if not isinstance(decl, tuple(KINDS[kind][0] for kind in kinds)):
            shown = next(text for cls, text in KINDS.values() if isinstance(decl, cls))
            raise self._wrong_kind(name, shown, kinds, node.span, *self.names.origin(name))
        return Direct(decl, self.index(decl, index, scope, node.span))

    def index(self, decl: object, index: Tree | None, scope: Scope, span: Span) -> Expr | None:
        name, size = getattr(decl, "name", ""), getattr(decl, "size", None)
        if size is None:
            if index is not None:
                raise mistake(Code.INDEX, f"`{name}` is no array; it has no index", span, *self.names.origin(name))
            return None
        if index is None:
            raise mistake(
                Code.INDEX, f"`{name}` is an array of {size}; say which element", span, *self.names.origin(name), hint=f"`{name}[0]`"
            )
        expr = self.reader.expr(index, scope)
        family = decl.family if isinstance(decl, VarDecl) else None
        if family is not None:
            if not isinstance(expr.type, ThreadType):
                hint = f"`{family}[…]` is the thread of an int index"
                raise mistake(
                    Code.INDEX, f"`{name}` is indexed by a thread of `{family}`, not by {describe(expr.type)}", index.span, hint=hint
                )
        elif not isinstance(expr.type, IntType):
            raise mistake(Code.INDEX, f"`{name}` is indexed by an int, not by {describe(expr.type)}", index.span)
        elif isinstance(expr, Literal) and not 0 <= expr.value < size and not self.names.ruled_out:
            raise mistake(Code.OUT_OF_RANGE, f"the index {expr.value} is outside `{name}[{size}]`", index.span, *self.names.origin(name))
        if scope.has_self:
            self.names.site(RANGE)
        return expr

    def _wanted(self, kinds: tuple[str, ...]) -> str:
        return " or ".join(KINDS[kind][1] for kind in kinds)

    def _wrong_kind(self, name: str, shown: str, kinds: tuple[str, ...], span: Span, *notes: Note, hint: str | None = None) -> Mistake:
        return mistake(Code.KIND, f"`{name}` is {shown}; {self._wanted(kinds)} is needed here", span, *notes, hint=hint)

    def _not_an_object(self, name: str, kinds: tuple[str, ...], span: Span) -> Exception:
        if name in self.names.declared and not self.names.is_poisoned(name):
            return self._wrong_kind(name, "something else", kinds, span, *self.names.origin(name))
        return self.names.unknown(name, span)

    def place(self, node: Tree, scope: Scope) -> Place:
        """Something that can be assigned."""
        if isinstance(node, Node) and node.kind == "name":
            name = str(node.items[0])
            local = scope.names.get(name)
            if isinstance(local, LocalDecl):
                return LocalPlace(local)
            if isinstance(local, Binder) or (local is None and name in self.names.constants):
                raise mistake(Code.ASSIGNMENT, f"`{name}` is a constant here and cannot be assigned", node.span, *self.names.origin(name))
            if local is None and name in self.names.thread_locals:
                self.names.used.add(name)
                if not scope.has_self:
                    raise mistake(Code.SELF, f"`{name}` is a thread-local, and there is no running thread here", node.span)
                return ThreadLocalPlace(self.names.thread_locals[name], None)
        if isinstance(node, Node) and node.kind == "member":
            return self.thread_local(node, scope)
        return self.reference(node, scope, "var")

    def thread_local(self, node: Node, scope: Scope) -> ThreadLocalPlace:
        thread, leaf = node.items[0], node.items[1]
        name = str(leaf)
        self.names.used.add(name)
        if name not in self.names.thread_locals:
            hint = similar(name, self.names.thread_locals)
            if self.names.is_poisoned(name):
                raise self.names.unknown(name, leaf.span)
            raise mistake(Code.UNKNOWN_NAME, f"`{name}` is no thread-local variable", leaf.span, hint=hint)
        expr = self.reader.typed(thread, scope, ThreadType())
        if scope.has_self:
            self.names.site(RANGE)
        return ThreadLocalPlace(self.names.thread_locals[name], expr)
