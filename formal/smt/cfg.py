"""The control-flow graph of a program: every place where a thread can stand, and where control goes from there.

In: nothing (pure data, built by `formal.smt.lower`). Procedures and callbacks are inlined per call site, `for` is unrolled, and
each bottom half's body exists once per index; which thread runs it, and on top of what, is for the relation. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from formal.program import BhDecl, Binder, Block, For, Info, LocalDecl, Place, Program, Ref, RefParam, Stmt, ThreadDecl, Type

EXIT = -1  # as a target: the end of the root's body
NOT_SPAWNED = 0  # as a location of a thread
FINISHED = 1
FIRST = 2  # the first location that is a node
MAX_NODES = 20_000


class EncodingLimitError(Exception):
    """The program is too large for this reading; its text says in what. Not the user's fault, and no verdict."""


@dataclass(frozen=True, slots=True)
class Root:
    """A body that is not inlined: a thread family's, or a bottom half's at one index."""

    decl: ThreadDecl | BhDecl
    index: int | None  # of a bottom half family

    @property
    def is_thread(self) -> bool:
        return isinstance(self.decl, ThreadDecl)


@dataclass(frozen=True, slots=True)
class Slot:
    """A register of a frame. Registers of truth values and of integers are numbered apart; the type is what it holds now."""

    truth: bool
    number: int
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """What a `ref` parameter stands for: a reference of the caller, read at the caller's site; `index` is the register that keeps an index
    which had to be evaluated at the call."""

    ref: Ref | Place
    site: Site
    index: Slot | None


@dataclass(frozen=True, slots=True)
class Visible:
    """A local that a witness shows: of the frame at `position` within its root."""

    position: int
    name: str
    slot: Slot


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """A register that no witness shows: an index that was evaluated at a call (`name` of the parameter), a procedure's result (`result`),
    or which callbacks of an `invoke any` have been called (`name` of the callback)."""

    position: int
    name: str
    slot: Slot


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """How names resolve at a place: the frames from the root down, the current frame's registers and parameters, unrolled binders."""

    root: Root
    frames: tuple[str, ...]  # procedures and callbacks entered below the root, outermost first
    slots: Mapping[LocalDecl, Slot]
    refs: Mapping[RefParam, Binding]
    binders: Mapping[Binder, int]
    visible: tuple[Visible, ...]
    hidden: tuple[Hidden, ...]
    truths: int  # registers in use
    numbers: int
    result: Slot | None  # of the current procedure
    region: int | None  # the atomic statement this is within (its number in order of lowering)
    loops: tuple[int, ...]  # the `while`s around this within the region, by number, outermost first; a test belongs to its loop
    active: Mapping[str, int]  # activations of recursive procedures within this root
    passes: tuple[tuple[For, int], ...] = ()  # the `for`s around this, in all frames, outermost first, each with the number of its pass


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One phase of one statement at one site. Nodes within an atomic are no locations: nobody stands there.

    `targets`, by statement: if, while (then, else); choose, invoke any (one a branch); aio_wait_while enter and test (poll, done);
    everything else: the one successor. An atomic's successor is where its body begins."""

    id: int
    stmt: Stmt
    phase: str
    site: Site
    targets: tuple[int, ...]
    callee: Site | None  # of a call that takes a step: where the parameters live
    picks: tuple[Slot, ...]  # of invoke any: per callback, whether it has been called

    @property
    def info(self) -> Info:
        """The statement's."""
        assert not isinstance(self.stmt, Block)
        return self.stmt.info

    @property
    def inner(self) -> bool:
        return self.site.region is not None


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A lowered root."""

    root: Root
    entry: int  # a node, or EXIT
    nodes: tuple[Node, ...]  # reachable from the entry, atomics' inner ones included
    truths: int  # registers needed
    numbers: tuple[tuple[int, int], ...]  # of each integer register the interval


@dataclass(frozen=True, slots=True, eq=False)
class Cfg:
    """`nodes` by id; the standing ones come first: ids FIRST..locations-1."""

    program: Program
    threads: Mapping[ThreadDecl, Body]
    bhs: Mapping[tuple[BhDecl, int], Body]
    nodes: Mapping[int, Node]
    locations: int
