"""What a control stack is made of.

In: the tree. Out: `Item`s: what is left of a block, what encloses it, and, on top, where a thread stands. Must not know how control goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from formal.diagnostics import InternalError
from formal.interp.layout import Target
from formal.program import (
    AioWaitWhile,
    Atomic,
    BhDecl,
    Block,
    Call,
    For,
    Info,
    Invoke,
    Loop,
    ProcDecl,
    RefParam,
    Stmt,
    ThreadDecl,
    While,
    With,
)

Mode: TypeAlias = Literal["next", "break", "continue", "return"]
Arguments: TypeAlias = tuple[tuple[RefParam, Target], ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a block, from `place` on."""

    block: Block
    place: int


@dataclass(frozen=True, slots=True)
class Again:
    """Inside of a loop."""

    stmt: Loop | While


@dataclass(frozen=True, slots=True)
class Each:
    """Inside of a `for`, in the pass for the domain's value at `place`."""

    stmt: For
    place: int


@dataclass(frozen=True, slots=True)
class Guard:
    """Inside of a `with`; gives back the lock that was taken."""

    stmt: With
    lock: Target


@dataclass(frozen=True, slots=True)
class Whole:
    """Inside of an `atomic`."""

    stmt: Atomic


@dataclass(frozen=True, slots=True)
class Frame:
    """Inside of a body. `ended`: its end was reached, what is left are the `ensures`."""

    decl: ProcDecl | BhDecl | ThreadDecl
    arguments: Arguments = ()
    index: int | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Assigning:
    """Inside of the procedure whose result will be assigned."""

    stmt: Call


@dataclass(frozen=True, slots=True)
class Testing:
    """Inside of a bottom half that `aio_wait_while` dispatched; the test comes next."""

    stmt: AioWaitWhile


@dataclass(frozen=True, slots=True)
class Called:
    """Inside of a callback; these are still to be called."""

    stmt: Invoke
    remaining: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class At:
    """Standing at a statement, in one of its phases. `mode`: how control came to leave a guard. `targets`: what the first of a
    statement's steps found. `remaining`: callbacks not yet called."""

    stmt: Stmt
    phase: str = "run"
    mode: Mode = "next"
    targets: tuple[Target, ...] = ()
    remaining: tuple[str, ...] = ()


Item: TypeAlias = Rest | Again | Each | Guard | Whole | Frame | Assigning | Testing | Called | At


def info_of(stmt: Stmt) -> Info:
    """What every statement carries."""
    if isinstance(stmt, Block):
        raise InternalError("a block is no statement to stand at")
    return stmt.info
