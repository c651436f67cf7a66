"""What went wrong, in one paragraph of plain English.

In: a property and an execution that violates it. Out: which thread did what, where, with the values that count, and who was there before.
Must not judge: the replay has.
"""

from __future__ import annotations

from formal.interp.blocked import explain_deadlock
from formal.interp.control import Node
from formal.interp.environment import NOBODY, Env
from formal.interp.execution import Execution
from formal.interp.history import History, listed, where
from formal.interp.items import At
from formal.interp.layout import State, Target
from formal.interp.machine import Machine
from formal.interp.values import Reader, text
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
    IntType,
    LocalDecl,
    LocalPlace,
    Lock,
    Place,
    PostSem,
    Property,
    Return,
    Schedule,
    Spawn,
    ThreadLocalDecl,
    Unlock,
    ValueType,
    VarDecl,
    WaitCond,
    While,
    With,
)


def explain(machine: Machine, prop: Property, execution: Execution, loop_to: int | None) -> str:
    """The paragraph for a violation of any kind."""
    history = History(execution)
    if prop.kind == "deadlock":
        return explain_deadlock(history, machine.deadlocks(execution.last)[prop.name])
    if prop.kind == "invariant" and prop.condition is not None:
        return _invariant(history, prop.condition)
    if prop.kind == "liveness" and prop.condition is not None and loop_to is not None:
        return _liveness(history, prop.condition, prop.trigger, loop_to)
    return _error(history, prop.name)


# ---------------------------------------------------------------- properties of states


def _invariant(history: History, condition: Expr) -> str:
    reader = Reader(history.machine, history.execution.last)
    said = f"`{text(condition)}` is {reader.shown(condition, NOBODY)}: {listed(reader.phrases(condition, NOBODY))}."
    if not history.execution.steps:
        return f"In the initial state, {said}"
    last = history.past(len(history.execution.steps))
    return " ".join([f"After {last.thread} has executed {where(last.info)}, {said}", *_held(history)])


def _liveness(history: History, goal: Expr, trigger: Expr | None, loop_to: int) -> str:
    steps = history.execution.steps
    owed = "" if trigger is None else f"`{text(trigger)}` has held, and since then `{text(goal)}` has not. "
    if loop_to == len(steps):
        return f"{owed}After step {len(steps)} no thread can move, and `{text(goal)}` stays false. " + " ".join(_held(history))
    movers = {step.outcome.thread for step in steps[loop_to:]}
    names = listed([history.names[thread] for thread in sorted(movers)])
    running = [name for name in history.names if history.views[-1][f"{name}.status"] == "running"]
    stuck = [name for name in running if name not in {history.names[thread] for thread in movers}]
    others = f" {listed(stuck)} cannot move all the time." if stuck else ""
    return f"{owed}Steps {loop_to + 1} to {len(steps)} can be repeated for ever, by {names}; `{text(goal)}` never holds in them.{others}"


def _held(history: History) -> list[str]:
    held = history.held()
    return [f"{listed(held)}."] if held else []


# ---------------------------------------------------------------- errors


def _error(history: History, prop: str) -> str:
    step = history.execution.steps[-1]
    thread = step.outcome.thread
    state = history.machine.failing(step.before, thread, prop)
    node = history.machine.node(state, thread)
    if node is None or not isinstance(node.item, At):
        return ""
    place = history.machine.place(state, thread)
    assert place is not None, "a thread that goes wrong stands somewhere"
    head = f"{history.names[thread]} executes {where(place.info)}{history.dispatched(step.before, thread)}: "
    return head + " ".join([_cause(history, prop, state, node, node.item), *_held(history)])


def _cause(history: History, prop: str, state: State, node: Node, at: At) -> str:
    match prop:
        case _ if prop == RELOCK:
            return f"it holds {_name(history, state, node, at)} already."
        case _ if prop == NOT_OWNER:
            return f"it does not hold {_name(history, state, node, at)}."
        case _ if prop == WRONG_CONTEXT:
            return _wrong_context(history, state, node, at)
        case _ if prop == NESTING:
            return f"its stack is as deep as it may get: {' > '.join(node.env.frames)}."
        case _ if prop == SPAWN:
            return f"{_name(history, state, node, at)} is running already."
        case _ if prop == ATOMIC:
            return "the block has to wait here after it has changed something, or it tests this for ever."
        case _:
            return _values(history, state, node, at)


def _name(history: History, state: State, node: Node, at: At) -> str:
    """The object that the statement is about."""
    target = None
    match at.stmt:
        case Lock(ref=ref) | Unlock(ref=ref) | With(ref=ref) | WaitCond(lock=ref) | Spawn(thread=ref):
            target = history.machine.target(ref, node.env, state)
        case PostSem(ref=ref) | Schedule(ref=ref):
            target = history.machine.target(ref, node.env, state)
        case _:
            pass
    return "it" if target is None else history.machine.views.name_of(target)


def _values(history: History, state: State, node: Node, at: At) -> str:
    reader = Reader(history.machine, state)
    match at.stmt:
        case Assert(condition=condition, why=why):
            reason = "" if why is None else f' ("{why}")'
            phrases = listed(reader.phrases(condition, node.env))
            return f"that is {reader.shown(condition, node.env)}{reason}{': ' if phrases else ''}{phrases}."
        case Assign(value=value, place=place):
            return _outside(reader, value, node, _type_of(history.machine, place, node, state))
        case Return(value=value) if value is not None and node.env.result is not None:
            return _outside(reader, value, node, node.env.layout[node.env.result].type)
        case If(condition=value) | While(condition=value) | Await(condition=value) | Assume(condition=value):
            return _outside(reader, value, node, None)
        case AioWaitWhile(condition=value):
            return _outside(reader, value, node, None)
        case PostSem() | Schedule() | Lock() | With():
            return f"{_name(history, state, node, at)} is at its maximum, or there is no such element."
        case _:
            return "a value or an index is outside of its range."


def _type_of(machine: Machine, place: Place, node: Node, state: State) -> ValueType | None:
    """The type of the place that is assigned to, if there is such an element."""
    if isinstance(place, LocalPlace):
        return place.decl.type
    match machine.target(place, node.env, state):
        case Target(decl=VarDecl(type=kind) | ThreadLocalDecl(type=kind) | LocalDecl(type=kind)):
            return kind
        case _:
            return None


def _outside(reader: Reader, value: Expr, node: Node, kind: ValueType | None) -> str:
    limits = f", outside of {kind.lo}..{kind.hi}" if isinstance(kind, IntType) else ""
    phrases = reader.phrases(value, node.env)
    shown = reader.shown(value, node.env)
    told = f"`{text(value)}` is {shown}{limits if shown != 'undefined' else ''}"
    return f"{told}{': ' if phrases else ''}{listed(phrases)}."


def _wrong_context(history: History, state: State, node: Node, at: At) -> str:
    """It is neither the context's home nor does the context's condition hold, and how that came."""
    if not isinstance(at.stmt, AioWaitWhile):
        return ""
    target = history.machine.target(at.stmt.ref, node.env, state)
    if target is None or not isinstance(target.decl, ContextDecl):
        return ""
    context, thread = target.decl, node.env.thread
    home = "has no home" if context.home is None else f"is at home in {history.names[context.home]}"
    said = f"{history.names[thread]} is not in {context.name}, which {home}"
    if context.when is not None:
        reader = Reader(history.machine, state)
        phrases = reader.phrases(context.when, Env(thread))
        said += f"; for {history.names[thread]}, {listed(phrases) if phrases else text(context.when) + ' is false'}"
    given = history.given_back(thread)
    back = "" if given is None else f" It gave its lock back at step {given.number}, {where(given.info)}."
    return f"{said}.{back}"
