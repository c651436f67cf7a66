"""Which locks may be held where, along the control flow.

In: a body, and what is held at its start. Out: each statement with the locks that may be held before it, through calls and back. Tests
count for nothing, and where ways meet, whatever either holds may be held. Must not know drawings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from formal.drawings.naming import Names, name_of, passed
from formal.program import (
    Atomic,
    Block,
    Break,
    Call,
    Choose,
    Continue,
    For,
    If,
    Invoke,
    Lock,
    Loop,
    ProcDecl,
    Program,
    Return,
    Stmt,
    Unlock,
    While,
    With,
)

Held: TypeAlias = frozenset[str]
See: TypeAlias = Callable[[Stmt, Held, Names], None]


@dataclass(slots=True)
class _Ways:
    """The other ways out of a block than its end, with what is held on each."""

    broken: list[Held] = field(default_factory=list)
    continued: list[Held] = field(default_factory=list)
    returned: list[Held] = field(default_factory=list)

    def without(self, lock: str, inner: _Ways) -> None:
        """Out of a `with`: the lock is given back on each way."""
        self.broken += [held - {lock} for held in inner.broken]
        self.continued += [held - {lock} for held in inner.continued]
        self.returned += [held - {lock} for held in inner.returned]


class Tracer:
    """Follows the bodies of one program. `see` is told each statement, as often as control may come to it with something else held;
    `calls`: whether it goes into what is called, too."""

    def __init__(self, program: Program, see: See, *, calls: bool = True) -> None:
        self._program = program
        self._see = see
        self._calls = calls
        self._known: dict[tuple[ProcDecl, Held, tuple[str, ...]], Held] = {}

    def body(self, block: Block, held: Held, names: Names) -> Held:
        """What may be held at the end of a body."""
        ways = _Ways()
        end = self._block(block, held, names, ways)
        return _joined([*ways.returned, *([] if end is None else [end])]) or frozenset()

    def _block(self, block: Block, held: Held, names: Names, ways: _Ways) -> Held | None:
        """What may be held behind it; None if control does not get there."""
        now: Held | None = held
        for statement in block.statements:
            if now is None:
                return None
            now = self._statement(statement, now, names, ways)
        return now

    def _statement(self, stmt: Stmt, held: Held, names: Names, ways: _Ways) -> Held | None:  # noqa: C901 - one arm a kind
        if not isinstance(stmt, Block):
            self._see(stmt, held, names)
        match stmt:
            case Block():
                return self._block(stmt, held, names, ways)
            case Atomic(body=body):
                return self._block(body, held, names, ways)
            case Lock(ref=ref):
                return held | {name_of(ref, names)}
            case Unlock(ref=ref):
                return held - {name_of(ref, names)}
            case With(ref=ref, body=body):
                lock, inner = name_of(ref, names), _Ways()
                after = self._block(body, held | {lock}, names, inner)
                ways.without(lock, inner)
                return None if after is None else after - {lock}
            case If(then=then, otherwise=otherwise):
                return _joined([self._block(then, held, names, ways), self._block(otherwise, held, names, ways)])
            case Choose(branches=branches):
                return _joined([self._block(branch, held, names, ways) for branch in branches])
            case While(body=body) | For(body=body):
                return self._loop(body, held, names, ways, endless=False)
            case Loop(body=body):
                return self._loop(body, held, names, ways, endless=True)
            case Break():
                ways.broken.append(held)
                return None
            case Continue():
                ways.continued.append(held)
                return None
            case Return():
                ways.returned.append(held)
                return None
            case Call(proc=proc, arguments=arguments):
                decl = self._program.procs[proc]
                return self._call(decl, held, passed(decl, arguments, names))
            case Invoke(hook=hook):
                for name in self._program.hooks.get(hook, ()):
                    held = self._call(self._program.procs[name], held, {})
                return held
            case _:
                return held

    def _loop(self, body: Block, held: Held, names: Names, ways: _Ways, *, endless: bool) -> Held | None:
        """Until nothing more is held at its head."""
        while True:
            inner = _Ways()
            end = self._block(body, held, names, inner)
            head = _joined([held, end, *inner.continued]) or held
            if head == held:
                ways.returned += inner.returned
                return _joined(inner.broken if endless else [held, *inner.broken])
            held = head

    def _call(self, proc: ProcDecl, held: Held, names: Names) -> Held:
        key = (proc, held, tuple(names.values()))
        if key not in self._known:
            self._known[key] = held  # what calls itself changes nothing on the way
            see = self._see
            if not self._calls:
                self._see = _nothing
            self._known[key] = self.body(Block((*proc.requires, *proc.body.statements, *proc.ensures)), held, names)
            self._see = see
        return self._known[key]


def _nothing(stmt: Stmt, held: Held, names: Names) -> None:
    """Looks away."""


def _joined(ways: list[Held | None] | list[Held]) -> Held | None:
    """What may be held where ways meet; None if none gets there."""
    there = [way for way in ways if way is not None]
    return frozenset().union(*there) if there else None
