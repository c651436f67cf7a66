"""A control-flow graph while it is being built: nodes whose successors need not be known yet.

In: statements and sites. Out: points, resolved when everything is built. It must not know statements, nor z3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from formal.program import Stmt
from formal.smt.cfg import MAX_NODES, EncodingLimitError, Site, Slot


class Point:
    """A place in the control flow, perhaps not known yet: `end` (the root's end), a draft, or another point."""

    __slots__ = ("target",)

    def __init__(self, target: Draft | Point | None = None) -> None:
        self.target = target


@dataclass(slots=True, eq=False)
class Draft:
    """A node whose targets are still points."""

    stmt: Stmt
    phase: str
    site: Site
    targets: tuple[Point, ...]
    callee: Site | None = None
    picks: tuple[Slot, ...] = ()


class Exit:
    """A way out that is built when it is first taken."""

    __slots__ = ("_build", "_point")

    def __init__(self, build: Callable[[], Point]) -> None:
        self._build = build
        self._point: Point | None = None

    def point(self) -> Point:
        if self._point is None:
            self._point = self._build()
        return self._point


@dataclass(frozen=True, slots=True)
class Exits:
    """Where `break`, `continue` and `return` lead."""

    leave: Exit
    again: Exit
    back: Exit

    def guarded(self, release: Callable[[Point], Point]) -> Exits:
        """The same, each through a release of its own."""

        def through(exit_: Exit) -> Exit:
            return Exit(lambda: release(exit_.point()))

        return Exits(through(self.leave), through(self.again), through(self.back))


def resolve_point(point: Point) -> Draft | None:
    """The draft that a point stands for; None for the root's end."""
    seen = 0
    while isinstance(point.target, Point):
        point = point.target
        seen += 1
        if seen > MAX_NODES:
            raise EncodingLimitError("a loop through which control can run without any step")
    return point.target


def reachable_drafts(entry: Draft | None) -> list[Draft]:
    """In depth-first order, targets in order."""
    order: dict[int, Draft] = {}
    stack = [entry] if entry is not None else []
    while stack:
        draft = stack.pop()
        if id(draft) in order:
            continue
        order[id(draft)] = draft
        following = [resolve_point(target) for target in draft.targets]
        stack.extend(d for d in reversed(following) if d is not None)
    return list(order.values())
