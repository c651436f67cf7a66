"""Statements: surface nodes to typed trees. A mistaken statement is told and left out; its neighbours are read all the same.

In: a block's node, a scope. Out: a `Block`. The names' tables learn labels, properties and which built-in checks have a site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from formal import program as p
from formal.codes import Code
from formal.diagnostics import Note, Span
from formal.frontend.expressions import Expressions
from formal.frontend.folding import BOOL
from formal.frontend.names import Mistake, Names, Poisoned, Scope, mistake
from formal.frontend.references import fixed, kind_of, place_type
from formal.frontend.rendering import atomic_text, head, unquote
from formal.syntax import Leaf, Node, Tree

_KEYWORD = {"rdlock": "rdlock", "wrlock": "wrlock", "rdunlock": "rdlock", "wrunlock": "wrlock"}


@dataclass(slots=True)
class _Counter:
    """Numbers the unnamed assertions of one body."""

    value: int = 0


class Statements:
    """Reads bodies against one model's names."""

    def __init__(self, names: Names, expressions: Expressions) -> None:
        self.names = names
        self.expressions = expressions
        self.references = expressions.references
        self.asserts: dict[str, _Counter] = {}
        self._readers: dict[str, Callable[[Node, Scope, str | None], p.Stmt]] = {
            "skip": lambda node, _scope, label: p.Skip(self._info(node, _scope, label)),
            "local": self._local,
            "assign": self._assign,
            "call": self._call_statement,
            "return_": self._return,
            "lock": self._mutex,
            "unlock": self._mutex,
            "lockop": self._rwlock,
            "with_": self._with,
            "wait": self._wait,
            "post": self._post,
            "set_": self._event,
            "reset": self._event,
            "signal": self._wake,
            "broadcast": self._wake,
            "schedule": self._schedule,
            "poll": self._poll,
            "aio_wait_while": self._aio_wait_while,
            "await_": self._condition,
            "assume": self._condition,
            "assert_": self._assert,
            "if_": self._if,
            "while_": self._while,
            "loop": self._loop,
            "for_": self._for,
            "break_": self._jump,
            "continue_": self._jump,
            "choose": self._choose,
            "atomic": self._atomic,
            "spawn": self._thread,
            "join": self._thread,
            "invoke": self._invoke,
        }

    def block(self, node: Node, scope: Scope) -> p.Block:
        """A block's statements, in a scope of its own."""
        inner = scope.inner()
        statements: list[p.Stmt] = []
        for item in node.nodes():
            try:
                statements += self.statement(item, inner)
            except (Mistake, Poisoned) as error:
                self._damage(error, scope)
                statements.append(p.Skip(self._info(item, inner, None)))  # some step: nothing else is to look wrong because of this
        return p.Block(tuple(statements))

    def _damage(self, error: Mistake | Poisoned, scope: Scope) -> None:
        """A statement cannot be read."""
        self.names.damaged.add(scope.body)
        if isinstance(error, Mistake):
            self.names.diagnostics.append(error.diagnostic)

    def statement(self, node: Node, scope: Scope, label: str | None = None) -> list[p.Stmt]:
        """One statement; a label, or what is decided before the run, may make it none or two."""
        if node.kind == "labelled":
            return self._labelled(node, scope)
        if node.kind == "block":
            return [self.block(node, scope)]
        return self._decided(self._readers[node.kind](node, scope, label))

    def _decided(self, statement: p.Stmt) -> list[p.Stmt]:
        """What remains of a statement when constants have decided what they decide."""
        match statement:
            case p.While(condition=p.Literal(value=value)):
                return [p.Loop(statement.info, statement.body)] if value else []
            case p.If(condition=p.Literal(value=value)):
                return [statement.then if value else statement.otherwise]
            case p.For(domain=()):
                return []
            case _:
                return [statement]

    # ------------------------------------------------------------ labels and info

    def _labelled(self, node: Node, scope: Scope) -> list[p.Stmt]:
        leaf, inner = node.items[0], node.items[1]
        name = str(leaf)
        key = (scope.body, name)
        if name != "idle" and key in self.names.label_spans:
            note = Note("the first one is here", self.names.label_spans[key])
            raise mistake(Code.DUPLICATE, f"`{scope.body}` has two labels `{name}`", leaf.span, note)
        self.names.label_spans[key] = leaf.span
        self.names.labels.setdefault(key, set())
        assert isinstance(inner, Node)
        statements = self.statement(inner, scope, name)
        first = statements[0] if statements else None
        if first is not None and not isinstance(first, p.Block) and first.info.label == name and self._is_step(first):
            self._place(key, first)
            return statements
        place = p.Skip(self._info(node, scope, name, f"{name}:"))
        self._place(key, place)
        statements = [self._unlabelled(statement, name) for statement in statements]
        if isinstance(first, p.Call):
            call = statements[0]
            assert isinstance(call, p.Call)
            self.names.labelled_calls.append((place, call))
        return [place, *statements]

    def _place(self, key: tuple[str, str], statement: p.Skip | p.Stmt) -> None:
        """Where a label stands; nowhere, if constants rule that out."""
        if not self.names.ruled_out:
            self.names.labels[key].add(statement.info.uid)  # type: ignore[union-attr]

    def _unlabelled(self, statement: p.Stmt, name: str) -> p.Stmt:
        """The label is on the `skip` in front, and on nothing else."""
        if isinstance(statement, p.Block) or statement.info.label != name:
            return statement
        return replace(statement, info=replace(statement.info, label=None))

    def _is_step(self, statement: p.Stmt) -> bool:
        """Whether the statement surely takes a step of its own when control comes to it."""
        match statement:
            case p.Block() | p.Loop() | p.For() | p.Break() | p.Continue() | p.Call() | p.Return(value=None) | p.Invoke(any_order=False):
                return False
            case _:
                return True

    def _info(self, node: Node, scope: Scope, label: str | None, text: str | None = None) -> p.Info:
        anchor = node.node("anchor")
        c_source = unquote(anchor.items[0]) if anchor is not None else scope.c_source
        return p.Info(self.names.uid(), text if text is not None else head(node), scope.body, label, c_source, node.span)

    def _items(self, node: Node) -> list[Tree]:
        return [item for item in node.items if not (isinstance(item, Node) and item.kind == "anchor")]

    # ------------------------------------------------------------ assignments and calls

    def _local(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        assert isinstance(items[0], Node)
        try:
            type_ = self.expressions.value_type(items[0])
        except (Mistake, Poisoned):
            self.names.poisoned.add(str(items[1]))
            raise
        decl = p.LocalDecl(str(items[1]), type_, items[1].span)
        outer = scope.inner()
        scope.bind(decl, items[1].span)  # even if its value is mistaken: its uses are not
        place = p.LocalPlace(decl)
        if len(items) == 2:
            value: p.Expr = default_literal(type_, node.span)
            return p.Assign(self._info(node, scope, label), place, value)
        return self._assignment(node, items[2], place, outer, label)

    def _assign(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        return self._assignment(node, items[1], self.references.place(items[0], scope), scope, label)

    def _assignment(self, node: Node, value: Tree, place: p.Place, scope: Scope, label: str | None) -> p.Stmt:
        type_ = place_type(place)
        if isinstance(value, Node) and value.kind == "apply" and str(value.items[0]) in self.names.procs:
            return self._call(node, value, place, scope, label)
        expr = self.expressions.expr(value, scope)
        self.expressions.assignable(type_, expr, value.span)
        if isinstance(type_, p.IntType):
            self.names.site(p.RANGE)
        return p.Assign(self._info(node, scope, label), place, expr)

    def _call_statement(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        call = self._items(node)[0]
        if not isinstance(call, Node) or call.kind != "apply":
            raise mistake(Code.CALL, "this is no statement", node.span, hint="an assignment is `x = e;`, a call `p();`")
        return self._call(node, call, None, scope, label)

    def _call(self, node: Node, call: Node, place: p.Place | None, scope: Scope, label: str | None) -> p.Stmt:
        name, arguments = str(call.items[0]), call.items[1:]
        self.names.used.add(name)
        proc = self.names.procs.get(name)
        if proc is None:
            if name in self.names.declared and not self.names.is_poisoned(name):
                raise mistake(Code.CALL, f"`{name}` is no procedure", call.items[0].span, *self.names.origin(name))
            raise self.names.unknown(name, call.items[0].span, what="procedure")
        if proc.hook is not None:
            hint = f"`invoke {proc.hook};`"
            raise mistake(Code.CALL, f"`{name}` is a callback: it is invoked by its hook", call.span, *self.names.origin(name), hint=hint)
        if len(arguments) != len(proc.params):
            text = f"`{name}` takes {len(proc.params)} argument(s), not {len(arguments)}"
            raise mistake(Code.ARGUMENTS, text, call.span, *self.names.origin(name))
        read = tuple(self._argument(argument, param, scope) for argument, param in zip(arguments, proc.params, strict=True))
        if place is not None:
            if proc.result is None:
                raise mistake(Code.RESULT, f"`{name}` has no result", call.span, *self.names.origin(name))
            self.expressions.assignable(place_type(place), sample(proc.result, call.span), call.span)
            self.names.site(p.RANGE)
        return p.Call(self._info(node, scope, label), name, read, place)

    def _argument(self, node: Tree, param: p.LocalDecl | p.RefParam, scope: Scope) -> p.Expr | p.Place:
        if isinstance(param, p.LocalDecl):
            value = self.expressions.expr(node, scope)
            self.expressions.assignable(param.type, value, node.span)
            if isinstance(param.type, p.IntType):
                self.names.site(p.RANGE)
            return value
        if param.kind != "var":
            return self.references.reference(node, scope, param.kind)
        place = self.references.place(node, scope)
        if param.type != place_type(place):
            raise mistake(
                Code.ARGUMENTS, "a `ref` parameter takes a variable of exactly its type", node.span, Note("declared here", param.span)
            )
        return place

    def _return(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        value = None
        if items:
            value = self.expressions.expr(items[0], scope)
            if scope.returns is None:
                raise mistake(Code.RESULT, f"`{scope.body}` has no result to return", node.span)
            self.expressions.assignable(scope.returns, value, items[0].span)
            self.names.site(p.RANGE)
        elif scope.returns is not None:
            raise mistake(Code.RESULT, f"`{scope.body}` must return a value", node.span)
        return p.Return(self._info(node, scope, label), value)

    # ------------------------------------------------------------ locks and waiting

    def _mutex(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "mutex")
        if node.kind == "lock":
            self._taking(ref)
            return p.Lock(self._info(node, scope, label), "lock", ref)
        self.names.site(p.NOT_OWNER)
        return p.Unlock(self._info(node, scope, label), "lock", ref)

    def _taking(self, ref: p.Ref) -> None:
        recursive = isinstance(ref, p.Direct) and isinstance(ref.decl, p.MutexDecl) and ref.decl.recursive
        self.names.site(p.RANGE if recursive else p.RELOCK)

    def _rwlock(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        keyword = str(items[0])
        ref = self.references.reference(items[1], scope, "rwlock")
        info = self._info(node, scope, label)
        if "un" in keyword:
            self.names.site(p.NOT_OWNER)
            return p.Unlock(info, _KEYWORD[keyword], ref)  # type: ignore[arg-type]
        self.names.site(p.RELOCK)
        return p.Lock(info, _KEYWORD[keyword], ref)  # type: ignore[arg-type]

    def _with(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        assert isinstance(items[1], Node)
        info, body = self._info(node, scope, label), self.block(items[1], scope)
        ref = fixed(self.references.reference(items[0], scope, "mutex"), items[0].span)
        self._taking(ref)
        self.names.site(p.NOT_OWNER)
        return p.With(info, ref, body)

    def _wait(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        if len(items) == 1:
            ref = self.references.reference(items[0], scope, "sem", "event")
            return (p.WaitEvent if kind_of(ref) == "event" else p.WaitSem)(self._info(node, scope, label), ref)
        condition = fixed(self.references.reference(items[0], scope, "cond"), items[0].span)
        lock = fixed(self.references.reference(items[1], scope, "mutex"), items[1].span)
        if isinstance(lock, p.Direct) and isinstance(lock.decl, p.MutexDecl) and lock.decl.recursive:
            text = f"`{lock.decl.name}` is recursive: a wait would give back one level only"
            raise mistake(Code.CONDITION_LOCK, text, items[1].span, *self.names.origin(lock.decl.name))
        self.names.site(p.NOT_OWNER)
        return p.WaitCond(self._info(node, scope, label), condition, lock)

    def _post(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        self.names.site(p.RANGE)
        return p.PostSem(self._info(node, scope, label), self.references.reference(self._items(node)[0], scope, "sem"))

    def _event(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "event")
        return p.WriteEvent(self._info(node, scope, label), ref, node.kind == "set_")

    def _wake(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "cond")
        return p.Wake(self._info(node, scope, label), ref, node.kind == "broadcast")

    # ------------------------------------------------------------ bottom halves and threads

    def _schedule(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "bh")
        if not isinstance(ref, p.Direct) or (isinstance(ref.decl, p.BhDecl) and ref.decl.oneshot):
            self.names.site(p.RANGE)
        return p.Schedule(self._info(node, scope, label), ref)

    def _poll(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "context")
        self.names.site(p.NESTING)
        return p.Poll(self._info(node, scope, label), ref, node.has("BLOCKING"))

    def _aio_wait_while(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        ref = self.references.reference(items[0], scope, "context")
        condition = self.expressions.boolean(items[1], scope)
        self.names.site(p.NESTING, p.WRONG_CONTEXT)
        return p.AioWaitWhile(self._info(node, scope, label), ref, condition)

    def _thread(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        ref = self.references.reference(self._items(node)[0], scope, "thread")
        info = self._info(node, scope, label)
        if node.kind == "join":
            return p.Join(info, ref)
        self.names.site(p.SPAWN)
        return p.Spawn(info, ref)

    def _invoke(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        leaf = node.leaves()[0]
        self.names.used.add(str(leaf))
        if str(leaf) not in self.names.hooks:
            if str(leaf) in self.names.declared and not self.names.is_poisoned(str(leaf)):
                raise mistake(Code.KIND, f"`{leaf}` is no hook", leaf.span, *self.names.origin(str(leaf)))
            raise self.names.unknown(str(leaf), leaf.span, what="hook")
        return p.Invoke(self._info(node, scope, label), str(leaf), node.has("ANY"))

    # ------------------------------------------------------------ conditions and control

    def _condition(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        condition = self.expressions.boolean(self._items(node)[0], scope)
        info = self._info(node, scope, label)
        if node.kind == "await_":
            return p.Await(info, condition)
        if not self.names.ruled_out:
            self.names.assumptions.append(f"{info.text} ({info.span.source.path}:{info.span.line})")
        return p.Assume(info, condition)

    def _assert(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        named = isinstance(items[0], Leaf)
        if not named:
            counter = self.asserts.setdefault(scope.body, _Counter())
            counter.value += 1
        name = f"assert.{items[0]}" if named else f"assert.{scope.body}.{self.asserts[scope.body].value}"
        self.names.promise(name, "assert", node.span)
        rest = items[1:] if named else items
        why = unquote(rest[1]) if len(rest) > 1 else None
        return p.Assert(self._info(node, scope, label), self.expressions.boolean(rest[0], scope), name, why)

    def _if(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = [item for item in self._items(node) if isinstance(item, Node)]
        condition = self._decision(items[0], scope)
        value = condition.value if isinstance(condition, p.Literal) else None
        with self.names.ruling_out(value is False):
            then = self.block(items[1], scope)
        otherwise = p.Block(())
        if len(items) > 2:
            branch = items[2].nodes()[0]
            with self.names.ruling_out(value is True):
                otherwise = self.block(branch, scope) if branch.kind == "block" else p.Block(tuple(self.statement(branch, scope)))
        return p.If(self._info(node, scope, label), condition, then, otherwise)

    def _while(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        items = self._items(node)
        assert isinstance(items[1], Node)
        info, condition = self._info(node, scope, label), self._decision(items[0], scope)
        with self.names.ruling_out(isinstance(condition, p.Literal) and not condition.value):
            body = self.block(items[1], scope.looping())
        return p.While(info, condition, body)

    def _decision(self, node: Tree, scope: Scope) -> p.Expr:
        """The condition of an `if` or `while`, whose blocks are worth reading even if it is mistaken."""
        try:
            return self.expressions.boolean(node, scope)
        except (Mistake, Poisoned) as error:
            self._damage(error, scope)
            return sample(BOOL, node.span)

    def _loop(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        body = node.nodes("block")[0]
        return p.Loop(self._info(node, scope, label), self.block(body, scope.looping()))

    def _for(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        leaf = node.leaves()[0]
        type_, values = self.expressions.domain(node.nodes("domain")[0])
        inner = scope.looping()
        binder = p.Binder(str(leaf), type_)
        inner.bind(binder, leaf.span)
        info = self._info(node, scope, label)
        with self.names.ruling_out(not values):
            return p.For(info, binder, values, self.block(node.nodes("block")[0], inner))

    def _jump(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        if not scope.loops:
            raise mistake(Code.JUMP, f"`{node.kind.rstrip('_')}` outside of a loop", node.span)
        return (p.Break if node.kind == "break_" else p.Continue)(self._info(node, scope, label))

    def _choose(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        return p.Choose(self._info(node, scope, label), tuple(self.block(branch, scope) for branch in node.nodes("block")))

    def _atomic(self, node: Node, scope: Scope, label: str | None) -> p.Stmt:
        self.names.site(p.ATOMIC)
        body = self.block(node.nodes("block")[0], scope)
        return p.Atomic(self._info(node, scope, label, atomic_text(body)), body)

    def contract(self, kind: p.PropertyKind, proc: str, node: Node, scope: Scope, position: int) -> p.Assert:
        """One `requires` or `ensures` clause."""
        name = f"{kind}.{proc}" + (f".{position + 1}" if position else "")
        condition = self.expressions.boolean(node.items[0], scope)
        self.names.promise(name, kind, node.span)
        return p.Assert(self._info(node, scope, None), condition, name, None)


def default_literal(type_: p.ValueType, span: Span) -> p.Literal:
    """What a variable without an initial value starts with: false, the least value, the first member."""
    match type_:
        case p.BoolType():
            return p.Literal(False, BOOL, span)
        case p.IntType(lo=lo):
            return p.Literal(lo, p.IntType(lo, lo), span)
        case p.EnumType():
            return p.Literal(0, type_, span)


def sample(type_: p.ValueType, span: Span) -> p.Expr:
    """Some expression of a type that is not a constant."""
    return p.Result(type_, span)
