"""Expressions, references and places: surface nodes to typed, folded trees.

In: nodes, a scope, the tables of names. Out: `Expr`, `Ref`, `Place`. Raises Mistake or Poisoned.
"""

from __future__ import annotations

from dataclasses import replace

from formal import limits
from formal.codes import Code
from formal.diagnostics import Note, Span
from formal.frontend.folding import BOOL, describe, fold, hull, same_kind
from formal.frontend.functions import CONTEXT, THREAD, Functions, running
from formal.frontend.names import Local, Names, Scope, checked_integer, limited, mistake
from formal.frontend.references import KINDS, References, place_type
from formal.program import (
    NONE,
    RANGE,
    Binary,
    Binder,
    Bound,
    Conditional,
    ContextDecl,
    ContextOf,
    ContextType,
    Direct,
    Expr,
    IntType,
    Literal,
    LocalDecl,
    LocalPlace,
    Member,
    Quantifier,
    Read,
    RefParam,
    Result,
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


class Expressions:
    """Reads expressions against one model's names."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.references = References(names, self)
        self.functions = Functions(names, self.references, self)

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
            case "open_type":
                raise mistake(
                    Code.OPEN_RANGE, "a range without an upper bound", node.span, hint="only a `param` may be as large as one likes"
                )
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
                return running(scope, span)
            case "result":
                if scope.result is None:
                    raise mistake(Code.RESULT, "`result` is only known in `ensures` of a procedure that returns one", span)
                return Result(scope.result, span)
            case "name":
                return self._name(str(items[0]), scope, span)
            case "index":
                return self._element(node, scope)
            case "member":
                place = self.references.thread_local(node, scope)
                return Read(place, place.decl.type, span)
            case "apply":
                return self.functions.application(node, scope)
            case "quantifier" | "number":
                return self._quantifier(node, scope)
            case _:
                return self._operator(node, scope)

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
        if name in names.thread_locals:
            running(scope, span)
            return Read(ThreadLocalPlace(names.thread_locals[name], None), names.thread_locals[name].type, span)
        if name in names.families:
            return self._single_thread(name, span)
        decl = names.objects.get(name)
        match decl:
            case VarDecl():
                return Read(Direct(decl, self.references.index(decl, None, scope, span)), decl.type, span)
            case ContextDecl():
                return Literal(names.contexts.index(decl), CONTEXT, span)
            case None:
                if name in names.procs:
                    raise mistake(Code.CALL, f"`{name}` is a procedure, not a value", span, *names.origin(name))
                raise names.unknown(name, span, scope.names)
            case _:
                shown = next(text for cls, text in KINDS.values() if isinstance(decl, cls))
                raise mistake(Code.TYPE, f"`{name}` is {shown}, not a value", span, *self.names.origin(name))

    def _single_thread(self, name: str, span: Span) -> Literal:
        decl = self.names.objects.get(name)
        if isinstance(decl, ThreadDecl) and decl.size is not None:
            raise mistake(Code.INDEX, f"`{name}` is a family of threads; say which", span, *self.names.origin(name), hint=f"`{name}[0]`")
        return Literal(self.names.families[name][0], THREAD, span)

    def _element(self, node: Node, scope: Scope) -> Expr:
        base = node.items[0]
        name = str(base.items[0]) if isinstance(base, Node) and base.kind == "name" else ""
        ref = self.references.reference(node, scope, "var", "thread")
        if isinstance(ref, Direct) and isinstance(ref.decl, ThreadDecl):
            if isinstance(ref.index, Literal) and 0 <= ref.index.value < len(self.names.families[name]):
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
                return self._connective(node, scope)
            case "compare":
                return self._comparison(node, scope)
            case "expr":
                return self._conditional(node, scope)
            case _:
                return self._arithmetic(node, scope)

    def _connective(self, node: Node, scope: Scope) -> Expr:
        left = self.boolean(node.items[0], scope)
        decided = isinstance(left, Literal) and bool(left.value) == (node.kind == "or_")
        with self.names.ruling_out(decided):
            right = self.boolean(node.items[1], scope)
        match node.kind:
            case "and_":
                return Binary("&&", left, right, BOOL, node.span)
            case "or_":
                return Binary("||", left, right, BOOL, node.span)
            case _:
                return Binary("implies", left, right, BOOL, node.span)

    def _arithmetic(self, node: Node, scope: Scope) -> Expr:
        left, one = self.integer(node.items[0], scope)
        right, other = self.integer(node.items[1], scope)
        op = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}[node.kind]
        if op in "/%" and scope.has_self:
            self.names.site(RANGE)
        interval = hull(op, one, other)
        if max(abs(interval.lo), abs(interval.hi)) >= limits.VALUE:
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
        value = condition.value if isinstance(condition, Literal) else None
        with self.names.ruling_out(value is False):
            then = self.expr(node.items[1], scope)
        with self.names.ruling_out(value is True):
            otherwise = self.expr(node.items[2], scope)
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
