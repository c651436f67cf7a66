"""What a call does with its arguments: which are evaluated in a step, and what each `ref` parameter stands for.

In: a call and the sites of caller and callee. Out: the callee's site. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, assert_never

from formal.program import (
    Binary,
    Bound,
    Call,
    Conditional,
    ContextType,
    Direct,
    EnumType,
    Expr,
    IntType,
    Literal,
    LocalDecl,
    Member,
    ProcDecl,
    Program,
    RefParam,
    Self,
    ThreadLocalPlace,
    ThreadType,
    Type,
    Unary,
)
from formal.program import BoolType as _BoolType
from formal.smt.cfg import Binding, Hidden, Site, Slot, Visible

Allocate: TypeAlias = Callable[[Site, Type], tuple[Slot, Site]]


def interval(program: Program, type_: Type) -> tuple[int, int]:
    """The integers that stand for the values of a type."""
    match type_:
        case _BoolType():
            return 0, 1
        case IntType():
            return type_.lo, type_.hi
        case EnumType():
            return 0, len(type_.members) - 1
        case ThreadType():
            return -1, len(program.threads) - 1
        case ContextType():
            return -1, len(program.contexts) - 1
        case _:
            assert_never(type_)


def is_static(expr: Expr) -> bool:
    """Made of literals, self, `for` variables and family indices only: its value never changes where it stands."""
    match expr:
        case Literal() | Bound() | Self():
            return True
        case Member(ref=Direct(index=index)):
            return index is None or is_static(index)
        case Unary():
            return is_static(expr.operand)
        case Binary():
            return is_static(expr.left) and is_static(expr.right)
        case Conditional():
            return is_static(expr.condition) and is_static(expr.then) and is_static(expr.otherwise)
        case _:
            return False


def late_index(argument: object) -> Expr | None:
    """The index of a `ref` argument that has to be evaluated at the call, if it has one."""
    match argument:
        case Direct(index=index) if index is not None and not is_static(index):
            return index
        case ThreadLocalPlace(thread=thread) if thread is not None and not is_static(thread):
            return thread
        case _:
            return None


def evaluates_at_call(stmt: Call, proc: ProcDecl) -> bool:
    """Whether the call evaluates something, which takes a step."""
    values = any(isinstance(param, LocalDecl) for param in proc.params)
    return values or any(late_index(argument) is not None for argument in stmt.arguments)


def bind_parameters(stmt: Call, proc: ProcDecl, caller: Site, callee: Site, allocate: Allocate) -> Site:
    """The site of the body, with registers for value parameters and evaluated indices, and a binding for each `ref` parameter."""
    position = len(callee.frames)
    for param, argument in zip(proc.params, stmt.arguments, strict=True):
        match param:
            case LocalDecl():
                slot, callee = allocate(callee, param.type)
                shown = Visible(position, param.name, slot)
                callee = replace(callee, slots={**callee.slots, param: slot}, visible=(*callee.visible, shown))
            case RefParam():
                index = late_index(argument)
                kept = None
                if index is not None:
                    kept, callee = allocate(callee, index.type)
                    callee = replace(callee, hidden=(*callee.hidden, Hidden(position, param.name, kept)))
                callee = replace(callee, refs={**callee.refs, param: Binding(argument, caller, kept)})  # type: ignore[arg-type]
            case _:
                assert_never(param)
    return callee
