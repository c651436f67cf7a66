"""Expressions, references and places: surface nodes to typed, folded trees.

In: nodes, a scope, the tables of names. Out: `Expr`, `Ref`, `Place`. Raises Mistake or Poisoned.
"""

from __future__ import annotations

from dataclasses import replace

from formal import limits
from formal.codes import Code
from formal.diagnostics import Note, Span
from formal.frontend.folding import BOOL, describe, fold, hull, same_kind
from formal.frontend.names import BUILTIN_FUNCTIONS, Local, Mistake, Names, Poisoned, Scope, checked_integer, limited, mistake, similar
from formal.program import (
    NONE,
    At,
    BhDecl,
    Binary,
    Binder,
    Bound,
    CondDecl,
    Conditional,
    ContextDecl,
    ContextOf,
    ContextType,
    Count,
    CurrentContext,
    Direct,
    EventDecl,
    Expr,
    Finished,
    Holds,
    InContext,
    IntType,
    IsSet,
    Literal,
    LocalDecl,
    LocalPlace,
    Member,
    MutexDecl,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Quantifier,
    Read,
    Ref,
    RefParam,
    Result,
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
from formal.syntax import Leaf, Node, Tree

THREAD, CONTEXT = ThreadType(), ContextType()
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


class Expressions:
    """Reads expressions against one model's names."""

    def __init__(self, names: Names) -> None:
        self.names = names

    # ------------------------------------------------------------ constants and types

    def constant(self, node: Tree) -> Literal:
        """A constant expression's value. Raises when it isn't one."""
        expr = self.expr(node, Scope())
        if not isinstance(expr, Literal):
            raise mistake(Code.NOT_CONSTANT, "a constant is needed here: literals, constants, parameters and operators", node.span)
        if isinstance(expr.type, IntType):
            checked_integer(expr.value, node.span)
        return expr

    def constant_int(self, node: Tree) -> int:
        """An integer constant."""
        literal = self.constant(node)
        if not isinstance(literal.type, IntType):
            raise mistake(Code.TYPE, f"an integer is needed here, this is {describe(literal.type)}", node.span)
        return literal.value

    def value_type(self, node: Node) -> ValueType:
        """bool, lo..hi or the name of an enum."""
        match node.kind:
            case "bool_type":
                return BOOL
            case "range_type":
                low, high = (self.constant_int(item) for item in node.items)
                if low > high:
                    raise mistake(Code.OUT_OF_RANGE, f"the range {low}..{high} is empty", node.span)
                return IntType(low, high)
            case _:
                name = str(node.items[0])
                self.names.used.add(name)
                if name not in self.names.enums:
                    raise self.names.unknown(name, node.span, what="type")
                return self.names.enums[name]

    def fitting(self, literal: Literal, type_: ValueType, span: Span) -> int | bool:
        """A constant's value, checked against the type that it is for, range included."""
        self.assignable(type_, literal, span)
        if isinstance(type_, IntType) and not type_.lo <= literal.value <= type_.hi:
            raise mistake(Code.OUT_OF_RANGE, f"{literal.value} is outside {type_.lo}..{type_.hi}", span)
        return literal.value

    def assignable(self, type_: ValueType, value: Expr, span: Span) -> None:
        """Raises unless the value is of the type, whatever its range: leaving that is an error of the step, if it ever comes to it."""
        if not same_kind(type_, value.type):
            raise mistake(Code.TYPE, f"{describe(type_)} is needed here, this is {describe(value.type)}", span)

    def domain(self, node: Node) -> tuple[Type, tuple[int, ...]]:
        """What a quantifier or a `for` runs over: the type of its variable and the values."""
        names = self.names
        first = node.items[0]
        if isinstance(first, Leaf):
            return THREAD, tuple(range(len(names.thread_names)))
        if len(node.items) == 2:
            low, high = (self.constant_int(item) for item in node.items)
            limited(max(0, high - low + 1), limits.RANGE_VALUES, "a range", node.span, 0)
            return IntType(low, max(low, high)), tuple(range(low, high + 1))
        if isinstance(first, Node) and first.kind == "name":
            name = str(first.items[0])
            names.used.add(name)
            if name in names.families:
                return THREAD, names.families[name]
            if name in names.enums:
                return names.enums[name], tuple(range(len(names.enums[name].members)))
            if name not in names.declared:
                raise names.unknown(name, node.span)
        raise mistake(Code.KIND, "a thread family, a range lo..hi, an enum or `thread` is needed here", node.span)

    # ------------------------------------------------------------ references

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
            raise self._wrong_kind(name, "a local name", kinds, node.span)
        self.names.used.add(name)
        decl = self.names.objects.get(name)
        if decl is None:
            raise self._not_an_object(name, kinds, base.span)
        if not isinstance(decl, tuple(KINDS[kind][0] for kind in kinds)):
            shown = next(text for cls, text in KINDS.values() if isinstance(decl, cls))
            raise self._wrong_kind(name, shown, kinds, node.span, Note("declared here", decl.span))
        return Direct(decl, self._index(decl, index, scope, node.span))

    def _index(self, decl: object, index: Tree | None, scope: Scope, span: Span) -> Expr | None:
        name, size = getattr(decl, "name", ""), getattr(decl, "size", None)
        if size is None:
            if index is not None:
                raise mistake(Code.INDEX, f"`{name}` is no array; it has no index", span, *self.names.origin(name))
            return None
        if index is None:
            raise mistake(
                Code.INDEX, f"`{name}` is an array of {size}; say which element", span, *self.names.origin(name), hint=f"`{name}[0]`"
            )
        expr = self.expr(index, scope)
        family = decl.family if isinstance(decl, VarDecl) else None
        if family is not None:
            if not isinstance(expr.type, ThreadType):
                hint = f"`{family}[…]` is the thread of an int index"
                raise mistake(
                    Code.INDEX, f"`{name}` is indexed by a thread of `{family}`, not by {describe(expr.type)}", index.span, hint=hint
                )
        elif not isinstance(expr.type, IntType):
            raise mistake(Code.INDEX, f"`{name}` is indexed by an int, not by {describe(expr.type)}", index.span)
        elif isinstance(expr, Literal) and not 0 <= expr.value < size:
            raise mistake(Code.OUT_OF_RANGE, f"the index {expr.value} is outside `{name}[{size}]`", index.span, *self.names.origin(name))
        self.names.builtins.add("range")
        return expr

    def _wanted(self, kinds: tuple[str, ...]) -> str:
        return " or ".join(KINDS[kind][1] for kind in kinds)

    def _wrong_kind(self, name: str, shown: str, kinds: tuple[str, ...], span: Span, *notes: Note) -> Mistake:
        return mistake(Code.KIND, f"`{name}` is {shown}; {self._wanted(kinds)} is needed here", span, *notes)

    def _not_an_object(self, name: str, kinds: tuple[str, ...], span: Span) -> Exception:
        if name in self.names.declared and name not in self.names.poisoned:
            return self._wrong_kind(name, "something else", kinds, span, *self.names.origin(name))
        return self.names.unknown(name, span)

    def place(self, node: Tree, scope: Scope) -> Place:
        """Something that can be assigned."""
        if isinstance(node, Node) and node.kind == "name":
            name = str(node.items[0])
            local = scope.names.get(name)
            if isinstance(local, LocalDecl):
                return LocalPlace(local)
            if isinstance(local, Binder) or name in self.names.constants or name in self.names.constant_nodes:
                raise mistake(Code.ASSIGNMENT, f"`{name}` is a constant here and cannot be assigned", node.span, *self.names.origin(name))
            if local is None and name in self.names.thread_locals:
                self.names.used.add(name)
                if not scope.has_self:
                    raise mistake(Code.SELF, f"`{name}` is a thread-local, and there is no running thread here", node.span)
                return ThreadLocalPlace(self.names.thread_locals[name], None)
        if isinstance(node, Node) and node.kind == "member":
            return self._thread_local(node, scope)
        return self.reference(node, scope, "var")

    def _thread_local(self, node: Node, scope: Scope) -> ThreadLocalPlace:
        thread, leaf = node.items[0], node.items[1]
        name = str(leaf)
        self.names.used.add(name)
        if name not in self.names.thread_locals:
            hint = similar(name, self.names.thread_locals)
            if name in self.names.poisoned:
                raise self.names.unknown(name, leaf.span)
            raise mistake(Code.UNKNOWN_NAME, f"`{name}` is no thread-local variable", leaf.span, hint=hint)
        expr = self.typed(thread, scope, THREAD)
        self.names.builtins.add("range")
        return ThreadLocalPlace(self.names.thread_locals[name], expr)

    # ------------------------------------------------------------ expressions

    def boolean(self, node: Tree, scope: Scope) -> Expr:
        """An expression of type bool."""
        return self.typed(node, scope, BOOL)

    def typed(self, node: Tree, scope: Scope, type_: Type) -> Expr:
        """An expression of a type (of any interval)."""
        expr = self.expr(node, scope)
        if not same_kind(type_, expr.type):
            hint = "compare it: types are never converted" if isinstance(type_, type(BOOL)) and isinstance(expr.type, IntType) else None
            raise mistake(Code.TYPE, f"{describe(type_)} is needed here, this is {describe(expr.type)}", node.span, hint=hint)
        return expr

    def integer(self, node: Tree, scope: Scope) -> tuple[Expr, IntType]:
        """An expression of type int, and its interval."""
        expr = self.typed(node, scope, IntType(0, 0))
        assert isinstance(expr.type, IntType)
        return expr, expr.type

    def expr(self, node: Tree, scope: Scope) -> Expr:
        """Any expression, folded."""
        assert isinstance(node, Node)
        return fold(self._expr(node, scope))

    def _expr(self, node: Node, scope: Scope) -> Expr:  # noqa: C901 - one flat match over the kinds of node
        items, span = node.items, node.span
        match node.kind:
            case "int":
                if len(str(items[0])) > 12:
                    raise mistake(Code.INTEGER_SIZE, f"the number is beyond {limits.INTEGER}", span)
                value = checked_integer(int(str(items[0])), span)
                return Literal(value, IntType(value, value), span)
            case "true" | "false":
                return Literal(node.kind == "true", BOOL, span)
            case "none":
                return Literal(NONE, THREAD, span)
            case "self_":
                return self._self(scope, span)
            case "result":
                if scope.result is None:
                    raise mistake(Code.RESULT, "`result` is only known in `ensures` of a procedure that returns one", span)
                return Result(scope.result, span)
            case "name":
                return self._name(str(items[0]), scope, span)
            case "index":
                return self._element(node, scope)
            case "member":
                place = self._thread_local(node, scope)
                return Read(place, place.decl.type, span)
            case "apply":
                return self._function(node, scope)
            case "quantifier" | "number":
                return self._quantifier(node, scope)
            case _:
                return self._operator(node, scope)

    def _self(self, scope: Scope, span: Span) -> Self:
        if not scope.has_self:
            raise mistake(Code.SELF, "there is no running thread here; name one, or use `forall t in thread: …`", span)
        return Self(THREAD, span)

    def _name(self, name: str, scope: Scope, span: Span) -> Expr:
        local = scope.names.get(name)
        return self._global(name, scope, span) if local is None else self._local(local, span)

    def _local(self, local: Local, span: Span) -> Expr:
        match local:
            case Binder(type=type_):
                return Bound(local, type_, span)
            case LocalDecl(type=value_type):
                return Read(LocalPlace(local), value_type, span)
            case RefParam(kind="var", type=value_or_none) if value_or_none is not None:
                return Read(ViaParam(local), value_or_none, span)
            case RefParam(kind="thread"):
                return Member(ViaParam(local), THREAD, span)
            case RefParam(kind="context"):
                return ContextOf(ViaParam(local), CONTEXT, span)
            case RefParam():
                raise mistake(Code.TYPE, f"`{local.name}` is {KINDS[local.kind][1]}, not a value", span, Note("declared here", local.span))

    def _global(self, name: str, scope: Scope, span: Span) -> Expr:
        names = self.names
        names.used.add(name)
        if name in names.constants:
            return replace(names.constants[name], span=span)
        if name in names.evaluating:
            raise mistake(Code.CONST_CYCLE, f"the value of `{name}` depends on itself", span, *names.origin(name))
        if name in names.constant_nodes and name not in names.poisoned:
            return replace(self._constant_named(name), span=span)
        if name in names.thread_locals:
            self._self(scope, span)
            return Read(ThreadLocalPlace(names.thread_locals[name], None), names.thread_locals[name].type, span)
        if name in names.families:
            return self._single_thread(name, span)
        decl = names.objects.get(name)
        match decl:
            case VarDecl():
                return Read(Direct(decl, self._index(decl, None, scope, span)), decl.type, span)
            case ContextDecl():
                return Literal(names.contexts.index(decl), CONTEXT, span)
            case None:
                if name in names.procs:
                    raise mistake(Code.CALL, f"`{name}` is a procedure, not a value", span, *names.origin(name))
                raise names.unknown(name, span, scope.names)
            case _:
                shown = next(text for cls, text in KINDS.values() if isinstance(decl, cls))
                raise mistake(Code.TYPE, f"`{name}` is {shown}, not a value", span, Note("declared here", decl.span))

    def _single_thread(self, name: str, span: Span) -> Literal:
        decl = self.names.objects.get(name)
        if isinstance(decl, ThreadDecl) and decl.size is not None:
            raise mistake(Code.INDEX, f"`{name}` is a family of threads; say which", span, *self.names.origin(name), hint=f"`{name}[0]`")
        return Literal(self.names.families[name][0], THREAD, span)

    def _constant_named(self, name: str) -> Literal:
        names = self.names
        node = names.constant_nodes[name]
        names.evaluating.add(name)
        try:
            literal = self.constant(node.items[1])
        except (Mistake, Poisoned):
            names.poisoned.add(name)
            raise
        finally:
            names.evaluating.discard(name)
        del names.constant_nodes[name]
        names.constants[name] = literal
        return literal

    def _element(self, node: Node, scope: Scope) -> Expr:
        base = node.items[0]
        name = str(base.items[0]) if isinstance(base, Node) and base.kind == "name" else ""
        ref = self.reference(node, scope, "var", "thread")
        if isinstance(ref, Direct) and isinstance(ref.decl, ThreadDecl):
            if isinstance(ref.index, Literal):
                return Literal(self.names.families[name][ref.index.value], THREAD, node.span)
            return Member(ref, THREAD, node.span)
        return Read(ref, place_type(ref), node.span)

    def _operator(self, node: Node, scope: Scope) -> Expr:
        items, span = node.items, node.span
        match node.kind:
            case "not_":
                return Unary("!", self.boolean(items[0], scope), BOOL, span)
            case "neg":
                operand, interval = self.integer(items[0], scope)
                return Unary("-", operand, IntType(-interval.hi, -interval.lo), span)
            case "and_" | "or_" | "implies":
                left, right = self.boolean(items[0], scope), self.boolean(items[1], scope)
                match node.kind:
                    case "and_":
                        return Binary("&&", left, right, BOOL, span)
                    case "or_":
                        return Binary("||", left, right, BOOL, span)
                return Binary("implies", left, right, BOOL, span)
            case "compare":
                return self._comparison(node, scope)
            case "expr":
                return self._conditional(node, scope)
            case _:
                return self._arithmetic(node, scope)

    def _arithmetic(self, node: Node, scope: Scope) -> Expr:
        left, one = self.integer(node.items[0], scope)
        right, other = self.integer(node.items[1], scope)
        op = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}[node.kind]
        if op in "/%":
            self.names.builtins.add("range")
        interval = hull(op, one, other)
        if max(abs(interval.lo), abs(interval.hi)) >= 2**62:
            raise mistake(Code.INTEGER_SIZE, "the value of this expression can go beyond 62 bits", node.span)
        return Binary(op, left, right, interval, node.span)  # type: ignore[arg-type]

    def _comparison(self, node: Node, scope: Scope) -> Expr:
        left, op, right = self.expr(node.items[0], scope), str(node.items[1]), self.expr(node.items[2], scope)
        left, right = self._none_of(left, right.type), self._none_of(right, left.type)
        if op not in ("==", "!="):
            for expr, item in ((left, node.items[0]), (right, node.items[2])):
                if not isinstance(expr.type, IntType):
                    raise mistake(Code.TYPE, f"`{op}` compares ints, this is {describe(expr.type)}", item.span)
        if not same_kind(left.type, right.type):
            raise mistake(Code.TYPE, f"`{op}` compares {describe(left.type)} with {describe(right.type)}", node.span)
        return Binary(op, left, right, BOOL, node.span)  # type: ignore[arg-type]

    def _none_of(self, expr: Expr, other: Type) -> Expr:
        """`none` is a thread or a context, whichever it is compared with."""
        if isinstance(other, ContextType) and isinstance(expr, Literal) and isinstance(expr.type, ThreadType) and expr.value == NONE:
            return Literal(NONE, CONTEXT, expr.span)
        return expr

    def _conditional(self, node: Node, scope: Scope) -> Expr:
        condition = self.boolean(node.items[0], scope)
        then, otherwise = self.expr(node.items[1], scope), self.expr(node.items[2], scope)
        then, otherwise = self._none_of(then, otherwise.type), self._none_of(otherwise, then.type)
        if not same_kind(then.type, otherwise.type):
            raise mistake(Code.TYPE, f"one side is {describe(then.type)}, the other {describe(otherwise.type)}", node.span)
        type_ = then.type
        if isinstance(type_, IntType) and isinstance(otherwise.type, IntType):
            type_ = IntType(min(type_.lo, otherwise.type.lo), max(type_.hi, otherwise.type.hi))
        return Conditional(condition, then, otherwise, type_, node.span)

    def _quantifier(self, node: Node, scope: Scope) -> Expr:
        kind = str(node.leaves("QUANT")[0]) if node.kind == "quantifier" else "number"
        leaf, domain_node, body_node = node.leaves()[0], node.nodes("domain")[0], node.items[-1]
        type_, values = self.domain(domain_node)
        binder = Binder(str(leaf), type_)
        inner = scope.inner()
        inner.bind(binder, leaf.span)
        first = domain_node.items[0]
        if type_ == THREAD and isinstance(first, Node):
            self.names.binder_families[binder] = str(first.items[0])
        body = self.boolean(body_node, inner)
        return Quantifier(kind, binder, values, body, IntType(0, len(values)) if kind == "number" else BOOL, node.span)  # type: ignore[arg-type]

    # ------------------------------------------------------------ functions

    def _function(self, node: Node, scope: Scope) -> Expr:
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
                return Holds(self._thread(asked, scope, span), self.reference(arguments[-1], scope, "mutex", "rwlock"), BOOL, span)
            case "in_context":
                return InContext(self._thread(asked, scope, span), self.reference(arguments[-1], scope, "context"), BOOL, span)
            case "current_context":
                return CurrentContext(self._thread(asked, scope, span), CONTEXT, span)
            case "owner":
                return Owner(self.reference(arguments[0], scope, "mutex", "rwlock"), THREAD, span)
            case "pending":
                ref = self.reference(arguments[0], scope, "bh", "context")
                return PendingContext(ref, BOOL, span) if kind_of(ref) == "context" else PendingBh(ref, BOOL, span)
            case "count":
                return self._count(arguments[0], scope, span)
            case "is_set":
                return IsSet(self.reference(arguments[0], scope, "event"), BOOL, span)
            case "finished":
                return Finished(self.typed(arguments[0], scope, THREAD), BOOL, span)
            case _:
                return self._at(arguments, scope, span)

    def _thread(self, node: Tree | None, scope: Scope, span: Span) -> Expr:
        return self._self(scope, span) if node is None else self.typed(node, scope, THREAD)

    def _count(self, node: Tree, scope: Scope, span: Span) -> Count:
        ref = self.reference(node, scope, "sem", "bh")
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
        thread = self.typed(arguments[0], scope, THREAD)
        node = At(thread, frozenset(), f"{body}.{name}" if body else name, BOOL, span)
        self.names.label_uses.append((node, body, name, label.span))
        return node
