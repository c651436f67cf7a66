"""Steps that go wrong: an assertion, a `requires`, a built-in check.

In: the history of an execution whose last step is an error. Out: a sentence, the values behind it, the objects that it is about. Must not
judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.diagnostics import InternalError
from formal.interp.control import Node
from formal.interp.environment import Env
from formal.interp.explain_steps import about
from formal.interp.explain_values import Values, phrased
from formal.interp.history import History
from formal.interp.items import At, info_of
from formal.interp.layout import State, Target
from formal.interp.machine import Machine
from formal.interp.values import Reader, text
from formal.naming import grouped, listed
from formal.program import (
    ATOMIC,
    NESTING,
    NOT_OWNER,
    RELOCK,
    SPAWN,
    WRONG_CONTEXT,
    AioWaitWhile,
    Assert,
    Assign,
    Assume,
    Await,
    ContextDecl,
    Expr,
    If,
    Info,
    IntType,
    LocalDecl,
    LocalPlace,
    Lock,
    Place,
    PostSem,
    Return,
    Schedule,
    ThreadLocalDecl,
    ValueType,
    VarDecl,
    WaitCond,
    While,
    With,
)
from formal.verdict import Fact


@dataclass(frozen=True, slots=True)
class _Cause:
    """The end of the sentence, and what it rests on."""

    told: str
    facts: tuple[Fact, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """The last step of an execution, and why it is an error."""

    thread: str
    paragraph: str
    facts: tuple[Fact, ...]
    objects: tuple[str, ...]

    @staticmethod
    def of(history: History, prop: str) -> Failure:
        """Of the execution whose last step violates this property."""
        step = history.execution.steps[-1]
        thread, name = step.outcome.thread, history.names[step.outcome.thread]
        state = history.machine.failing(step.before, thread, prop)
        node, place = history.machine.node(state, thread), history.machine.place(state, thread)
        if node is None or not isinstance(node.item, At) or place is None:
            raise InternalError("a thread that goes wrong stands nowhere")
        cause = _Failing(history, state, node, node.item, prop).cause()
        paragraph = f"{name} executes {where(place.info)}: {cause.told}{_inside(history, name)}."
        return Failure(name, paragraph, cause.facts, cause.objects)


def where(info: Info) -> str:
    """A statement with its place in the model, and in the C source if that is known."""
    c_source = "" if info.c_source is None else f", {info.c_source}"
    return f"`{info.text}` ({info.span.source.path}:{info.span.line}{c_source})"


def _inside(history: History, thread: str) -> str:
    """The innermost bottom half that the thread runs at the end, who scheduled it, and when."""
    half = history.runs(thread)
    if half is None:
        return ""
    scheduler = history.thread(half.scheduled)
    who = "it" if scheduler == thread else scheduler
    then = "" if scheduler == thread else f"{thread} "
    return f". It runs {half.body}, which {who} scheduled at step {half.scheduled} and {then}dispatched at step {half.dispatched}"


@dataclass(frozen=True, slots=True)
class _Failing:
    """The statement that goes wrong, in the state in which it does."""

    history: History
    state: State
    node: Node
    at: At
    prop: str

    @property
    def _thread(self) -> str:
        return self.history.names[self.node.env.thread]

    @property
    def _name(self) -> str:
        """The object that the statement is about."""
        stmt = self.at.stmt
        if isinstance(stmt, WaitCond):  # goes wrong for its lock
            target = self.history.machine.target(stmt.lock, self.node.env, self.state)
            return "" if target is None else self.history.machine.views.name_of(target)
        return about(self.history.machine, self.state, self.node.env.thread)

    def cause(self) -> _Cause:
        match self.prop:
            case _ if self.prop in (RELOCK, NOT_OWNER):
                return self._ownership()
            case _ if self.prop == WRONG_CONTEXT:
                return self._wrong_context()
            case _ if self.prop == NESTING:
                return self._nesting()
            case _ if self.prop == SPAWN:
                since = self.history.last_change(f"{self._name}.status")
                return _Cause(f"{self._name} is running already", (Fact(f"status of {self._name}", "running", since),), (self._name,))
            case _ if self.prop == ATOMIC:
                return _Cause("the block has to wait here after it has changed something, or it tests this for ever")
            case _:
                return self._values()

    def _ownership(self) -> _Cause:
        name = self._name
        since, held = self.history.taken(name), {lock: holders for lock, holders, _ in self.history.held()}
        holders = listed(grouped(held.get(name, ()))) or "nobody"
        at = "" if since is None else f" since step {since}"
        if self.prop == RELOCK:
            told = f"it has held {name}{at}"
        else:
            told = f"it does not hold {name}, which {holders} {'holds' if name in held else 'has held'}{at or ' so far'}"
        return _Cause(told, (Fact(f"holder of {name}", holders, since),), (name,))

    def _nesting(self) -> _Cause:
        machine = self.history.machine
        views = machine.views
        bodies = {views.name(bh, index) for bh in machine.program.bhs for index in range(bh.size or 1)}
        nested = [frame for frame in self.node.env.frames if frame in bodies]
        facts = (Fact("bottom halves nested", str(len(nested)), None),) if nested else ()
        return _Cause(f"its stack is as deep as it may get: {' > '.join(self.node.env.frames)}", facts)

    def _wrong_context(self) -> _Cause:
        """It is neither the context's home nor does the context's condition hold, and how that came."""
        stmt, thread = self.at.stmt, self.node.env.thread
        assert isinstance(stmt, AioWaitWhile), "nothing else asks for a context"
        target = self.history.machine.target(stmt.ref, self.node.env, self.state)
        if target is None or not isinstance(target.decl, ContextDecl):
            return _Cause("there is no such context")
        context, values = target.decl, Values(self.history, self.state)
        home = "has no home" if context.home is None else f"is at home in {self.history.names[context.home]}"
        facts = [values.current_context(thread, info_of(stmt).span)]
        objects: tuple[str, ...] = ()
        if context.when is not None:
            facts += values.facts(context.when, Env(thread))
            objects = values.involved(context.when, Env(thread))
        deciding = [f"{one.what} is {one.value}{'' if one.step is None else f' since step {one.step}'}" for one in facts[1:]]
        rest = f"; {listed(deciding)}" if deciding else ""
        return _Cause(f"{self._thread} is not in {context.name}, which {home}{rest}", tuple(facts), objects)

    # ------------------------------------------------------------ values

    def _values(self) -> _Cause:
        match self.at.stmt:
            case Assert(condition=condition):
                facts = Values(self.history, self.state).facts(condition, self.node.env)
                shown = Reader(self.history.machine, self.state).shown(condition, self.node.env)
                return self._of(condition, f"that is {shown}{phrased(facts)}")
            case Assign(value=value, place=place):
                return self._outside(value, self._type_of(place))
            case Return(value=value) if value is not None and self.node.env.result is not None:
                return self._outside(value, self.node.env.layout[self.node.env.result].type)
            case If(condition=value) | While(condition=value) | Await(condition=value) | Assume(condition=value):
                return self._outside(value, None)
            case AioWaitWhile(condition=value):
                return self._outside(value, None)
            case PostSem() | Schedule() | Lock() | With():
                return self._full()
            case _:
                return _Cause("a value or an index is outside of its range")

    def _full(self) -> _Cause:
        name, history = self._name, self.history
        key = next((key for key in (f"{name}.count", f"{name}.pending") if key in history.views[-1]), None)
        if key is None:
            return _Cause("there is no such element")
        value = str(history.views[-1][key])
        return _Cause(f"{name} is at its maximum, {value}", (Fact(key, value, history.last_change(key)),), (name,))

    def _of(self, expr: Expr, told: str) -> _Cause:
        values = Values(self.history, self.state)
        return _Cause(told, values.facts(expr, self.node.env), values.involved(expr, self.node.env))

    def _outside(self, value: Expr, kind: ValueType | None) -> _Cause:
        shown = Reader(self.history.machine, self.state).shown(value, self.node.env)
        limits = f", outside of {kind.lo}..{kind.hi}" if isinstance(kind, IntType) and shown != "undefined" else ""
        facts = Values(self.history, self.state).facts(value, self.node.env)
        return self._of(value, f"`{text(value)}` is {shown}{limits}{phrased(facts)}")

    def _type_of(self, place: Place) -> ValueType | None:
        """The type of the place that is assigned to, if there is such an element."""
        machine: Machine = self.history.machine
        if isinstance(place, LocalPlace):
            return place.decl.type
        match machine.target(place, self.node.env, self.state):
            case Target(decl=VarDecl(type=kind) | ThreadLocalDecl(type=kind) | LocalDecl(type=kind)):
                return kind
            case _:
                return None
