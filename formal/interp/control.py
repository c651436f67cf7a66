"""Where a thread can stand, and how control runs on from there.

In: a program and the environments of its threads. Out: `Node`s, control stacks as linked items, interned so that each has a small number,
and `Jump`s, from the end of one step to the place of the next. Must not know what a statement does to the state.

A stack is read from its top: what is left of a block (`Rest`), then what encloses it. `resume` pops items until a statement wants a step:
the `At` on top is then where the thread stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from formal.diagnostics import InternalError
from formal.interp.environment import Env, thread_env
from formal.interp.items import Again, Arguments, Assigning, At, Called, Each, Frame, Guard, Item, Mode, Rest, Testing, Whole, info_of
from formal.interp.layout import FINISHED, Layout
from formal.interp.references import References, index_of, is_fixed
from formal.program import (
    AioWaitWhile,
    Assign,
    Atomic,
    BhDecl,
    Block,
    Break,
    Call,
    Continue,
    For,
    Invoke,
    LocalDecl,
    LocalPlace,
    Loop,
    ProcDecl,
    RefParam,
    Return,
    Stmt,
    WaitCond,
    While,
    With,
)

ENDLESS: Final = 1_000_000  # items of control in one run: more than any model's text, less than for ever


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A control stack: an item on what lies below it (None: nothing). `env` holds where the item does."""

    id: int
    item: Item
    below: Node | None
    env: Env


@dataclass(frozen=True, slots=True)
class Jump:
    """Where a thread goes at the end of a step: its new control; of its locals it keeps the first `keep` and gets `padding` on top."""

    control: int
    keep: int
    padding: tuple[int | bool, ...]


class Controls:
    """The control stacks of one program, as far as they were met, by number; `uids` is -1 for one that stands nowhere."""

    def __init__(self, layout: Layout, references: References, uids: list[int]) -> None:
        self.program = layout.program
        self.nodes: list[Node | None] = [None, None]
        self.uids = uids
        self.uids[:] = [-1, -1]
        self._references = references
        self._known: dict[tuple[Item, int], Node] = {}
        self._clauses: dict[tuple[ProcDecl, str], Block] = {}

    def node(self, item: Item, below: Node | None, env: Env) -> Node:
        """The one node of this item on this stack."""
        key = (item, -1 if below is None else below.id)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Node(len(self.nodes), item, below, env)
            self.nodes.append(found)
            self.uids.append(info_of(item.stmt).uid if isinstance(item, At) else -1)
        return found

    def around(self, control: int) -> frozenset[int]:
        """The uids of the statements on a stack: the one that is stood at, and those it is inside of."""
        found: set[int] = set()
        node = self.nodes[control]
        while node is not None:
            if not isinstance(node.item, Rest | Frame):
                found.add(info_of(node.item.stmt).uid)
            node = node.below
        return frozenset(found)

    # ------------------------------------------------------------ running on

    def start(self, thread: int) -> Jump:
        """To where a thread that is started stands first."""
        instance = self.program.threads[thread]
        env = thread_env(instance)
        frame = self.node(Frame(instance.decl, (), thread), None, env)
        return self.resume(self.node(Rest(instance.decl.body, 0), frame, env))

    def resume(self, node: Node | None, mode: Mode = "next") -> Jump:
        """From a stack on whose top something has ended, in this mode, to the next statement that takes a step."""
        keep = 0 if node is None else node.env.depth
        for _ in range(ENDLESS):
            if node is None:
                return Jump(FINISHED, 0, ())
            keep = min(keep, node.env.depth)
            if isinstance(node.item, At):
                return Jump(node.id, keep, node.env.padding(keep))
            node, mode = self._pop(node, mode)
        raise InternalError("control runs on without a step")

    def standing(self, node: Node | None) -> Node | None:
        """Where `resume` gets to; None if that is the end of the thread."""
        return self.nodes[self.resume(node).control]

    def _pop(self, node: Node, mode: Mode) -> tuple[Node | None, Mode]:  # noqa: C901 - one arm a kind
        below = node.below
        match node.item:
            case Rest(block=block, place=place):
                if mode != "next" or place == len(block.statements):
                    return below, mode
                return self._begin(block.statements[place], self._after(block, place, node), node.env)
            case Again(stmt=stmt):
                return (self.turn(stmt, node), "next") if mode in ("next", "continue") else (below, _left(mode))
            case Each(stmt=stmt, place=place):
                if mode in ("next", "continue") and place + 1 < len(stmt.domain):
                    return self._pass(stmt, place + 1, below, self._outer(below)), "next"
                return below, "next" if mode == "continue" else _left(mode)
            case Guard(stmt=stmt, lock=lock):
                return self.node(At(stmt, "leave", mode, (lock,)), below, self._outer(below)), "next"
            case Whole():
                return below, mode
            case Frame():
                return self._leave(node, node.item), "next"
            case Assigning(stmt=stmt):
                return self.node(At(stmt, "assign"), below, node.env), "next"
            case Testing(stmt=stmt):
                return self.node(At(stmt, "test"), below, node.env), "next"
            case Called(stmt=stmt, remaining=remaining):
                return self._call_next(stmt, remaining, node), "next"
            case At():
                raise InternalError("control has not left this statement")
            case _:
                assert_never(node.item)

    def _outer(self, below: Node | None) -> Env:
        if below is None:
            raise InternalError("no frame around a statement")
        return below.env

    def _after(self, block: Block, place: int, node: Node) -> Node:
        """What is left behind the statement at `place`: with one more local if that declares one."""
        env, stmt = node.env, block.statements[place]
        match stmt:
            case Assign(place=LocalPlace(decl=decl)) | Call(place=LocalPlace(decl=decl)) if decl not in env.slots:
                env = env.declare(decl)
            case _:
                pass
        return self.node(Rest(block, place + 1), node.below, env)

    def turn(self, stmt: Loop | While, again: Node) -> Node:
        """One more turn of a loop: its body, or a `while`'s test."""
        if isinstance(stmt, While):
            return self.node(At(stmt), again.below, again.env)
        return self.node(Rest(stmt.body, 0), again, again.env)

    def _pass(self, stmt: For, place: int, below: Node | None, env: Env) -> Node:
        env = env.bind(stmt.binder, stmt.domain[place])
        return self.node(Rest(stmt.body, 0), self.node(Each(stmt, place), below, env), env)

    # ------------------------------------------------------------ statements

    def _begin(self, stmt: Stmt, after: Node, env: Env) -> tuple[Node, Mode]:  # noqa: C901 - one arm a kind
        """Control comes to a statement."""
        match stmt:
            case Block():
                return self.node(Rest(stmt, 0), after, env), "next"
            case Loop(body=body):
                return self.node(Rest(body, 0), self.node(Again(stmt), after, env), env), "next"
            case For(domain=domain):
                return (self._pass(stmt, 0, after, env) if domain else after), "next"
            case Break():
                return after, "break"
            case Continue():
                return after, "continue"
            case Return(value=None):
                return after, "return"
            case Call(place=place):
                if self.call_takes_step(stmt):
                    return self.node(At(stmt, "run" if place is None else "call"), after, env), "next"
                return self.call(stmt, self.fixed_arguments(stmt, env), after, env), "next"
            case Invoke(hook=hook):
                return self.node(Called(stmt, self.program.hooks.get(hook, ())), after, env), "next"
            case With() | AioWaitWhile():
                return self.node(At(stmt, "enter"), after, env), "next"
            case WaitCond():
                return self.node(At(stmt, "wait"), after, env), "next"
            case _:
                return self.node(At(stmt), after, env), "next"

    def into_atomic(self, stmt: Atomic, node: Node) -> Node:
        """The inside of the block that `node` stands at."""
        env = replace(node.env, atomic=True)
        return self.node(Rest(stmt.body, 0), self.node(Whole(stmt), node.below, env), env)

    # ------------------------------------------------------------ bodies

    def call_takes_step(self, stmt: Call) -> bool:
        """Whether calling takes a step of its own: there is something to evaluate, or a bound to watch."""
        proc = self.program.procs[stmt.proc]
        if proc.recursive or any(isinstance(param, LocalDecl) for param in proc.params):
            return True
        indices = [index_of(argument) for argument in stmt.arguments]  # type: ignore[arg-type]
        return any(index is not None and not is_fixed(index) for index in indices)

    def fixed_arguments(self, stmt: Call, env: Env) -> Arguments:
        """The `ref` arguments of a call that takes no step."""
        params = self.program.procs[stmt.proc].params
        targets = [self._references.fixed(argument, env) for argument in stmt.arguments]  # type: ignore[arg-type]
        return tuple((p, t) for p, t in zip(params, targets, strict=True) if isinstance(p, RefParam) and t is not None)

    def call(self, stmt: Call, arguments: Arguments, after: Node, env: Env) -> Node:
        """Into the procedure. Its locals start with the result, if it has one, and the value parameters."""
        proc = self.program.procs[stmt.proc]
        if stmt.place is not None:
            if proc.result is None:
                raise InternalError(f"{proc.name} has no result to assign")
            after = self.node(Assigning(stmt), after, env.reserve(proc.result))
        return self._body(proc, arguments, after, env)

    def callback(self, name: str, after: Node) -> Node:
        """Into a callback."""
        return self._body(self.program.procs[name], (), after, after.env)

    def _body(self, proc: ProcDecl, arguments: Arguments, after: Node, caller: Env) -> Node:
        env = caller.enter(proc.name)
        env = replace(env, refs=dict(arguments), calls=(*env.calls, proc.name))
        if proc.result is not None:
            env = replace(env.reserve(proc.result), result=env.depth)
        for param in proc.params:
            env = env.declare(param) if isinstance(param, LocalDecl) else env
        node = self.node(Frame(proc, arguments), after, env)
        node = self.node(Rest(proc.body, 0), node, env)
        return self.node(Rest(self._clause(proc, "requires"), 0), node, env) if proc.requires else node

    def dispatch(self, bh: BhDecl, index: int, after: Node, caller: Env) -> Node:
        """Into a bottom half, on this thread's stack."""
        env = caller.enter(bh.name if bh.size is None else f"{bh.name}[{index}]")
        env = replace(env, nested=env.nested + 1)
        if bh.binder is not None:
            env = env.bind(bh.binder, index)
        return self.node(Rest(bh.body, 0), self.node(Frame(bh, (), index), after, env), env)

    def _leave(self, node: Node, frame: Frame) -> Node | None:
        """The end of a body: its `ensures`, then what called it."""
        if frame.ended or not isinstance(frame.decl, ProcDecl) or not frame.decl.ensures:
            return node.below
        ended = self.node(replace(frame, ended=True), node.below, node.env)
        return self.node(Rest(self._clause(frame.decl, "ensures"), 0), ended, node.env)

    def _clause(self, proc: ProcDecl, kind: Literal["requires", "ensures"]) -> Block:
        clauses = proc.requires if kind == "requires" else proc.ensures
        return self._clauses.setdefault((proc, kind), Block(clauses))

    def _call_next(self, stmt: Invoke, remaining: tuple[str, ...], node: Node) -> Node | None:
        if not remaining:
            return node.below
        if stmt.any_order:
            return self.node(At(stmt, "run", remaining=remaining), node.below, node.env)
        if self.program.procs[remaining[0]].recursive:
            return self.node(At(stmt, "call", remaining=remaining), node.below, node.env)
        return self.callback(remaining[0], self.node(Called(stmt, remaining[1:]), node.below, node.env))


def _left(mode: Mode) -> Mode:
    """How control goes on behind a loop that it has left in this mode."""
    return "next" if mode == "break" else mode
