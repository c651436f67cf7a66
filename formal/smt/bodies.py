"""Which bodies a thread can run: its own, and those of the bottom halves that it may poll for, on the way.

In: a control-flow graph. Out: bodies. It must not know z3.
"""

from __future__ import annotations

from formal.program import AioWaitWhile, BhDecl, Poll, Program
from formal.smt.cfg import Body, Cfg, Node
from formal.smt.references import context_of


def is_poll(node: Node) -> bool:
    """Whether a node may enter a bottom half."""
    return isinstance(node.stmt, Poll) or (isinstance(node.stmt, AioWaitWhile) and node.phase == "poll")


def bhs_of(program: Program, node: Node) -> tuple[BhDecl, ...]:
    """The bottom halves that a poll can enter."""
    context = context_of(node)
    return tuple(bh for bh in program.bhs if bh.context is context)


def reachable_bodies(cfg: Cfg, first: Body) -> tuple[Body, ...]:
    """A body and those of every bottom half that a thread running it can enter, each once."""
    found = [first]
    for body in found:
        for node in body.nodes:
            if is_poll(node):
                for bh in bhs_of(cfg.program, node):
                    found += [other for i in range(bh.size or 1) if (other := cfg.bhs[bh, i]) not in found]
    return tuple(found)


def bodies_by_thread(cfg: Cfg) -> tuple[tuple[Body, ...], ...]:
    """Of each thread the bodies it can run, its own first."""
    known = {decl: reachable_bodies(cfg, body) for decl, body in cfg.threads.items()}
    return tuple(known[thread.decl] for thread in cfg.program.threads)
