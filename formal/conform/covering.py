"""Which statements of a model a log has reached. In: a machine, and where steps were made from. Out: `Coverage`.

Counted are the statements of bodies that some thread can come to, an `atomic` as one; a library that offers more is not held against the
log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formal.conform.blame import statement
from formal.conform.result import Coverage
from formal.frontend.walking import blocks_of
from formal.interp import Machine
from formal.program import Atomic, Block, Break, Call, Continue, For, Invoke, Loop, Program, Return, Stmt


def coverage(machine: Machine, controls: Iterable[int]) -> Coverage:
    """The statements, by whether a step was made from one of these places."""
    reached = {uid for control in controls for uid in machine.uids(control)}
    there = {one.info.uid: one.info for one in _statements(machine.program) if not isinstance(one, Block)}
    covered = tuple(statement(info) for uid, info in there.items() if uid in reached)
    return Coverage(covered, tuple(statement(info) for uid, info in there.items() if uid not in reached))


def _statements(program: Program) -> Iterator[Stmt]:
    bodies = [thread.decl.body for thread in program.threads] + [bh.body for bh in program.bhs]
    known: set[str] = set()
    while bodies:
        for one in _inside(bodies.pop()):
            called = program.hooks.get(one.hook, ()) if isinstance(one, Invoke) else (one.proc,) if isinstance(one, Call) else ()
            for name in called:
                if name not in known:
                    known.add(name)
                    proc = program.procs[name]
                    bodies.append(Block((*proc.requires, proc.body, *proc.ensures)))
            if not isinstance(one, Block | Break | Continue | Return | Call | Invoke | Loop | For):
                yield one


def _inside(block: Block) -> Iterator[Stmt]:
    """The statements of a block and of those inside, but for those of an `atomic`."""
    for one in block.statements:
        yield one
        if isinstance(one, Block):
            yield from _inside(one)
        elif not isinstance(one, Atomic):
            for inner in blocks_of(one):
                yield from _inside(inner)
