"""Declarations: surface nodes to the tables of names, in an order in which each finds what it needs.

Enums, constants and parameters come first, then threads (so that families can index arrays), objects, procedures' heads, and last the
bodies. A mistaken declaration is told, poisons its name, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.expressions import Expressions
from formal.frontend.folding import BOOL
from formal.frontend.functions import THREAD
from formal.frontend.names import Mistake, Names, Poisoned, Scope, limited, mistake
from formal.frontend.rendering import unquote
from formal.frontend.statements import Statements, default_literal
from formal.frontend.values import Values
from formal.syntax import Node


def complete(declaration: object, **fields: Any) -> None:
    """Fill in what can only be known once every name is declared: bodies and conditions speak of the declarations that they belong to.
    The front end does so before anybody else sees the tree, which is frozen from then on."""
    for name, value in fields.items():
        object.__setattr__(declaration, name, value)


_EMPTY = p.Block(())
_SHOWN = ("status", "stack")  # of each thread, in the views of states (`formal.verdict.View`); `at` is a keyword


class Declarations:
    """Fills the tables of one model."""

    def __init__(self, names: Names, expressions: Expressions, statements: Statements) -> None:
        self.names = names
        self.expressions = expressions
        self.statements = statements
        self.heads: dict[Node, object] = {}  # of each body's node, its declaration
        self.left_out: set[str] = set()  # callbacks whose `if` is false

    def read(self, items: Sequence[Node], defines: Mapping[str, str]) -> None:
        """Read everything but the properties."""
        if len(items) > limits.DECLARATIONS:
            text = f"{len(items)} declarations; the limit is {limits.DECLARATIONS}"
            self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, items[limits.DECLARATIONS].span))
            self.names.blind = True
            return
        by_kind: dict[str, list[Node]] = {}
        for item in items:
            by_kind.setdefault(item.kind, []).append(item)
        self.names.to_come.update(str(item.leaves()[0]) for item in items if item.leaves())
        Values(self.names, self.expressions, defines).read(items)
        self._each(by_kind.get("thread", ()), self._thread)
        readers: dict[str, Callable[[Node], None]] = {
            "mutex": self._mutex,
            "rwlock": self._rwlock,
            "sem": self._sem,
            "event": self._event,
            "cond": self._cond,
            "context": self._context,
            "variable": self._variable,
            "thread_local": self._thread_local,
            "hook": self._hook,
        }
        everything = [item for item in items if item.kind in readers]
        self._each(everything, lambda node: readers[node.kind](node))
        self._each(by_kind.get("bh", ()), self._bh)
        self._each([item for item in items if item.kind in ("proc", "callback")], self._proc)
        self._each(by_kind.get("context", ()), self._context_condition)
        self._each([item for item in items if item.kind in ("proc", "callback", "bh", "thread")], self._body)

    def _each(self, nodes: Iterable[Node], read: Callable[[Node], None]) -> None:
        for node in nodes:
            try:
                read(node)
            except Mistake as error:
                self.names.diagnostics.append(error.diagnostic)
                self.names.poison(node)
            except Poisoned:
                self.names.poison(node)

    # ------------------------------------------------------------ variables

    def _variable(self, node: Node) -> None:
        name = self.names.declare_node(node)
        type_node = node.nodes()[0]
        type_ = self.expressions.value_type(type_node)
        size, family = self._size(node)
        each = node.node("initial_each")
        if each is not None:
            if size is None or len(each.items) != size:
                shown = "a single variable" if size is None else f"an array of {size}"
                raise mistake(Code.ARGUMENTS, f"{len(each.items)} initial values for {shown}", each.span)
            values = tuple(self.expressions.fitting(self.expressions.constant(item), type_, item.span) for item in each.items)
        else:
            values = (self._initial(node, type_),) * (1 if size is None else size)
        self.names.objects[name] = p.VarDecl(name, type_, size, family, values, node.span)

    def _initial(self, node: Node, type_: p.ValueType) -> int | bool:
        initial = node.node("initial_all")
        if initial is None:
            return default_literal(type_, node.span).value
        return self.expressions.fitting(self.expressions.constant(initial.items[0]), type_, initial.items[0].span)

    def _thread_local(self, node: Node) -> None:
        name = self.names.declare_node(node)
        if name in _SHOWN:
            raise mistake(
                Code.TAKEN_NAME, f"`T.{name}` is what states show of every thread T", node.leaves()[0].span, hint="take another name"
            )
        type_ = self.expressions.value_type(node.nodes()[0])
        self.names.thread_locals[name] = p.ThreadLocalDecl(name, type_, self._initial(node, type_), node.span)

    # ------------------------------------------------------------ objects

    def _size(self, node: Node) -> tuple[int | None, str | None]:
        """An array's size, and the family whose threads index it."""
        size = node.node("size")
        if size is None:
            return None, None
        item = size.items[0]
        if isinstance(item, Node) and item.kind == "name" and str(item.items[0]) in self.names.families:
            family = str(item.items[0])
            self.names.used.add(family)
            if node.kind != "variable":
                raise mistake(Code.INDEX, "only variables are indexed by threads", size.span, hint="give the number of elements")
            return len(self.names.families[family]), family
        return limited(self.expressions.constant_int(item), limits.ELEMENTS, "an array", size.span), None

    def _max(self, node: Node, default: int | None, what: str) -> int:
        maximum = node.node("max")
        if maximum is None:
            if default is None:
                hint = "`max N`: what it can count up to; going over it is an error of the model"
                raise mistake(Code.ARGUMENTS, f"{what} needs a capacity", node.leaves()[0].span, hint=hint)
            return default
        return limited(self.expressions.constant_int(maximum.items[0]), limits.INTEGER, "a capacity", maximum.span)

    def _mutex(self, node: Node) -> None:
        name = self.names.declare_node(node)
        recursive = node.has("RECURSIVE")
        if node.node("max") is not None and not recursive:
            raise mistake(Code.ARGUMENTS, "only a recursive mutex counts", node.span, hint="`recursive mutex L max N;`")
        self.names.objects[name] = p.MutexDecl(
            name, self._size(node)[0], recursive, self._max(node, 8 if recursive else 1, "a mutex"), node.span
        )

    def _rwlock(self, node: Node) -> None:
        name = self.names.declare_node(node)
        self.names.objects[name] = p.RwlockDecl(name, self._size(node)[0], node.span)

    def _sem(self, node: Node) -> None:
        name = self.names.declare_node(node)
        capacity = self._max(node, None, "a semaphore")
        type_ = p.IntType(0, capacity)
        self.names.objects[name] = p.SemDecl(name, self._size(node)[0], capacity, int(self._initial(node, type_)), node.span)

    def _event(self, node: Node) -> None:
        name = self.names.declare_node(node)
        self.names.objects[name] = p.EventDecl(name, self._size(node)[0], bool(self._initial(node, BOOL)), node.span)

    def _cond(self, node: Node) -> None:
        name = self.names.declare_node(node)
        self.names.objects[name] = p.CondDecl(name, self._size(node)[0], node.span)

    def _context(self, node: Node) -> None:
        name = self.names.declare_node(node)
        decl = p.ContextDecl(name, None, None, node.span)
        self.names.objects[name] = decl
        self.names.contexts.append(decl)

    def _context_condition(self, node: Node) -> None:
        name = str(node.leaves()[0])
        decl = self.names.objects.get(name)
        if not isinstance(decl, p.ContextDecl) or decl.span is not node.span:
            return
        home, when = node.node("home"), node.node("when")
        if home is not None:
            thread = self.expressions.typed(home.items[0], Scope(), THREAD)
            if not isinstance(thread, p.Literal):
                raise mistake(Code.NOT_CONSTANT, "a context's home is one thread", home.span)
            complete(decl, home=thread.value)
        if when is not None:
            complete(decl, when=self.expressions.boolean(when.items[0], Scope(has_self=True)))

    # ------------------------------------------------------------ bodies

    def _family(self, node: Node) -> tuple[int | None, p.Binder | None]:
        family = node.node("family")
        if family is None:
            return None, None
        size = limited(self.expressions.constant_int(family.items[-1]), limits.ELEMENTS, "a family", family.span)
        leaves = family.leaves()
        return size, p.Binder(str(leaves[0]), p.IntType(0, size - 1)) if leaves else None

    def _anchor(self, node: Node) -> str | None:
        anchor = node.node("anchor")
        return unquote(anchor.items[0]) if anchor is not None else None

    def _thread(self, node: Node) -> None:
        name = self.names.declare_node(node)
        size, binder = self._family(node)
        first = len(self.names.thread_names)
        limited(first + (size or 1), limits.THREADS, "a model with threads", node.span)
        self.names.families[name] = tuple(range(first, first + (size or 1)))
        self.names.thread_names += [name] * (size or 1)
        decl = p.ThreadDecl(name, size, binder, _EMPTY, self._anchor(node), node.span)
        self.names.objects[name] = decl
        self.heads[node] = decl

    def _bh(self, node: Node) -> None:
        name = self.names.declare_node(node)
        context_leaf = node.leaves()[1]
        self.names.used.add(str(context_leaf))
        context = self.names.objects.get(str(context_leaf))
        if context is None:
            raise self.names.unknown(str(context_leaf), context_leaf.span, what="context")
        if not isinstance(context, p.ContextDecl):
            raise mistake(Code.KIND, f"`{context_leaf}` is no context", context_leaf.span, *self.names.origin(str(context_leaf)))
        oneshot = node.has("ONESHOT")
        if node.node("max") is not None and not oneshot:
            raise mistake(Code.ARGUMENTS, "only a oneshot bottom half can be pending more than once", node.span, hint="`oneshot bh …`")
        size, binder = self._family(node)
        capacity = self._max(node, None if oneshot else 1, "a oneshot bottom half")
        decl = p.BhDecl(name, size, binder, context, oneshot, capacity, _EMPTY, self._anchor(node), node.span)
        self.names.objects[name] = decl
        self.heads[node] = decl

    def _hook(self, node: Node) -> None:
        self.names.hooks[self.names.declare_node(node)] = []

    def _proc(self, node: Node) -> None:
        name = self.names.declare_node(node)
        params: list[p.LocalDecl | p.RefParam] = []
        for item in node.nodes():
            if item.kind == "value_parameter":
                assert isinstance(item.items[0], Node)
                params.append(p.LocalDecl(str(item.items[1]), self.expressions.value_type(item.items[0]), item.span))
            elif item.kind == "ref_parameter":
                params.append(self._ref_parameter(item))
        returns = node.node("returns")
        result = self.expressions.value_type(returns.nodes()[0]) if returns is not None else None
        hook = self._registration(node) if node.kind == "callback" else None
        decl = p.ProcDecl(name, tuple(params), result, (), (), _EMPTY, False, hook, self._anchor(node), node.span)
        self.names.procs[name] = decl
        self.heads[node] = decl

    def _ref_parameter(self, item: Node) -> p.RefParam:
        kind, name = item.nodes()[0], str(item.items[-1])
        if kind.nodes():
            return p.RefParam(name, "var", self.expressions.value_type(kind.nodes()[0]), item.span)
        return p.RefParam(name, str(kind.items[0]), None, item.span)

    def _registration(self, node: Node) -> str:
        """Registers a callback, unless its `if` says no; its hook."""
        name, hook = str(node.leaves()[0]), node.leaves()[1]
        if str(hook) not in self.names.hooks:
            if str(hook) in self.names.declared and not self.names.is_poisoned(str(hook)):
                raise mistake(Code.KIND, f"`{hook}` is no hook", hook.span, *self.names.origin(str(hook)))
            raise self.names.unknown(str(hook), hook.span, what="hook")
        guard = node.node("guard")
        if guard is None or self._truth(guard):
            self.names.hooks[str(hook)].append(name)
        else:
            self.left_out.add(name)
        self.names.used.add(name)
        return str(hook)

    def _truth(self, guard: Node) -> bool:
        literal = self.expressions.constant(guard.items[0])
        if literal.type != BOOL:
            raise mistake(Code.TYPE, "bool is needed here", guard.span)
        return bool(literal.value)

    def _body(self, node: Node) -> None:
        decl = self.heads.get(node)
        block = node.nodes("block")[0]
        scope = Scope(has_self=True, c_source=self._anchor(node), body=str(node.leaves()[0]))
        match decl:
            case p.ProcDecl():
                with self.names.ruling_out(decl.name in self.left_out):
                    self._proc_body(node, decl, block, scope)
            case p.ThreadDecl(binder=binder) | p.BhDecl(binder=binder):
                if binder is not None:
                    scope.bind(binder, node.span)
                complete(decl, body=self.statements.block(block, scope))
            case _:
                raise Poisoned

    def _proc_body(self, node: Node, decl: p.ProcDecl, block: Node, scope: Scope) -> None:
        inner = Scope(scope.body, scope.c_source, True, None, decl.result, True)
        for param in decl.params:
            inner.bind(param, param.span)
        after = Scope(scope.body, scope.c_source, True, decl.result, None, True, names=dict(inner.names))
        requires = self._clauses("requires", decl, node, inner)
        ensures = self._clauses("ensures", decl, node, after)
        body = self.statements.block(block, inner)
        complete(decl, requires=requires, ensures=ensures, body=body)

    def _clauses(self, kind: p.PropertyKind, decl: p.ProcDecl, node: Node, scope: Scope) -> tuple[p.Assert, ...]:
        clauses = []
        for position, clause in enumerate(node.nodes(kind)):
            try:
                clauses.append(self.statements.contract(kind, decl.name, clause, scope, position))
            except Mistake as error:
                self.names.diagnostics.append(error.diagnostic)
            except Poisoned:
                continue
        return tuple(clauses)
