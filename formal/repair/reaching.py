"""Diagrams as clauses: what is reached under which acts. What diagrams have in common is said once.

In: diagrams, and which variable is which act. Out: clauses. Runs differ in how they begin, or in who makes a step that makes no
difference, and end alike: of two nodes with the same ways on, to the same nodes, one stands for both, in whatever diagrams they are. A set
of acts with which one of them is reached is no repair, so nothing is lost, and the solver learns of it what holds for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from formal.repair.edits import Act
from formal.repair.ruling_out import Arc, Diagram
from formal.repair.walking import Rests
from formal.smt.choosing import Chooser, Literal

Way: TypeAlias = tuple[Rests, int | None]  # what it rests on, and the variable of where it leads; None: a violation


class Reaching:
    """`acts`: the variable that says that an act is made."""

    def __init__(self, chooser: Chooser, acts: Mapping[Act, int]) -> None:
        self._chooser = chooser
        self._acts = acts
        self._known: dict[frozenset[Way], int | None] = {frozenset([((), None)]): None}

    def rule_out(self, found: Diagram) -> None:
        """Every set of acts under which the diagram's root leads to a violation."""
        variable = _Numbering(self, found.arcs).number(found.root)
        self._chooser.clause([] if variable is None else [Literal(variable)])

    def node(self, ways: Iterable[Way]) -> int | None:
        """The variable of a node with these ways on."""
        ordered = list(dict.fromkeys(ways))
        key = frozenset(ordered)
        if key not in self._known:
            self._known[key] = ordered[0][1] if len(ordered) == 1 and not ordered[0][0] else self.alone(self._chooser.variable(), ordered)
        return self._known[key]

    def alone(self, variable: int, ways: Iterable[Way]) -> int:
        """The node is this variable, whatever others are like it."""
        for rests, target in ways:
            against = [Literal(self._acts[act], not made) for act, made in rests]
            self._chooser.clause([Literal(variable, False), *against, *(() if target is None else (Literal(target),))])
        return variable

    def variable(self) -> int:
        """Of a node whose ways on are not known yet."""
        return self._chooser.variable()


class _Numbering:
    """The nodes of one diagram, those behind a node before it. Where ways go round in a circle, the node at which that is seen has a
    variable of its own."""

    def __init__(self, reaching: Reaching, arcs: Iterable[Arc]) -> None:
        self._reaching = reaching
        self._out: dict[int, list[Arc]] = {}
        for arc in arcs:
            self._out.setdefault(arc.source, []).append(arc)
        self._done: dict[int, int | None] = {}
        self._circles: dict[int, int] = {}

    def number(self, root: int) -> int | None:
        """The root's variable."""
        begun: set[int] = set()
        todo = [root]
        while todo:
            node = todo[-1]
            if node in begun:
                todo.pop()
                self._finish(node)
            else:
                begun.add(node)
                todo += self._behind(node, begun)
        return self._done[root]

    def _behind(self, node: int, begun: set[int]) -> list[int]:
        """The nodes that are to be numbered before this one."""
        found = []
        for arc in self._out.get(node, ()):
            if arc.target is None or arc.target in self._done:
                continue
            if arc.target not in begun:
                found.append(arc.target)
            elif arc.target not in self._circles:
                self._circles[arc.target] = self._reaching.variable()
        return found

    def _finish(self, node: int) -> None:
        if node in self._done:
            return
        ways = [(arc.rests, None if arc.target is None else self._of(arc.target)) for arc in self._out.get(node, ())]
        own = self._circles.get(node)
        self._done[node] = self._reaching.node(ways) if own is None else self._reaching.alone(own, ways)

    def _of(self, node: int) -> int | None:
        return self._circles[node] if node in self._circles else self._done[node]
