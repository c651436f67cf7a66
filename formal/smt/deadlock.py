"""Deadlocks as predicates of a state: nobody can move, a set of threads that only its own members could wake, locks waited for in a circle.

In: a relation. Out: three terms, and the constants that stand for the sets. It must not know about executions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import z3

from formal.program import (
    AioWaitWhile,
    Assert,
    Assume,
    Atomic,
    Await,
    Join,
    Lock,
    Poll,
    Skip,
    WaitCond,
    WaitEvent,
    WaitSem,
    With,
)
from formal.smt.atomics import blocked
from formal.smt.bodies import bhs_of, is_poll
from formal.smt.cfg import EXIT, FINISHED, FIRST, NOT_SPAWNED, Node
from formal.smt.deeds import EVERY, Deed, Family, Reach, reach
from formal.smt.elements import Element
from formal.smt.expressions import Evaluator
from formal.smt.layout import Staged
from formal.smt.scene import Scene, State, set_scene, stands
from formal.smt.speech import named_threads, speaks_of
from formal.smt.terms import Bool, Num, all_of, any_of, both, equal, implied, less, negation, number


@dataclass(frozen=True, slots=True, eq=False)
class Deadlocks:
    """The three predicates; `free` are the Booleans for the members of the sets, which a violation may choose."""

    everything: Bool
    partial: Trap
    lock_order: Trap

    @property
    def free(self) -> tuple[Any, ...]:
        return (*self.partial.members, *self.lock_order.members)


@dataclass(frozen=True, slots=True, eq=False)
class Trap:
    """A set of threads that nobody outside of it can free, as a predicate: `when` holds, and there is a set of threads, `members`, one of
    them `telling`, each of which `may` be a member of that set. The more members there are, the more threads may: so there is such a set
    exactly if the largest one of threads that all may, has a telling one. One entry a thread."""

    when: Bool
    members: tuple[Any, ...]
    telling: tuple[Bool, ...]
    may: tuple[Bool, ...]

    @property
    def term(self) -> Bool:
        told = any_of([both(member, tells) for member, tells in zip(self.members, self.telling, strict=True)])
        return all_of([self.when, told, *(any_of((negation(member), may)) for member, may in zip(self.members, self.may, strict=True))])


@dataclass(frozen=True, slots=True, eq=False)
class Wait:
    """A place where a thread may wait: when it does, and who could end that; for a lock, when it waits for it and who holds it."""

    node: Node
    waits: Bool
    enders: tuple[Bool, ...]
    lock: Bool  # waits, and for a lock: then the enders are its holders


@dataclass(slots=True, eq=False)
class Standstill:
    """Knows of each thread where it waits; built once, asked by deadlocks and by fairness."""

    relation: Staged
    scenes: list[Scene] = field(init=False)
    waiting: list[list[tuple[Node, Bool]]] = field(init=False)  # per thread: the nodes where it may wait, and when it does

    def __post_init__(self) -> None:
        layout, cfg = self.relation.layout, self.relation.cfg
        self.scenes = [set_scene(cfg, layout, (t,), number(t), f"thread{t}") for t in range(len(layout.threads))]
        self.waiting = [self._waits(scene, t) for t, scene in enumerate(self.scenes)]

    def _waits(self, scene: Scene, thread: int) -> list[tuple[Node, Bool]]:
        found = []
        for body in self.relation.layout.reachable[thread]:
            for node in body.nodes:
                if not node.inner:
                    waits = both(scene.at(node), blocked(scene, node))
                    if waits is not False:
                        found.append((node, waits))
        return found

    def waits(self, thread: int) -> Bool:
        """Whether a thread runs and cannot move."""
        return any_of([waits for _, waits in self.waiting[thread]])

    def can_move(self, thread: int) -> Bool:
        pc = self.relation.layout.threads[thread].pc.value
        return both(negation(less(pc, number(FIRST))), negation(self.waits(thread)))


class _Enders:
    """Who could end the wait of a thread at a node."""

    def __init__(self, relation: Staged, standstill: Standstill) -> None:
        self._relation = relation
        self._layout = relation.layout
        self._program = relation.cfg.program
        self._scenes = standstill.scenes
        self._count = len(self._layout.threads)
        self._reach: list[Reach] = [reach(self._layout.reachable[t], self._program, t) for t in range(self._count)]
        self._known: dict[tuple[int, tuple[Deed, ...]], Bool] = {}

    def may(self, thread: int, deeds: Sequence[Deed]) -> Bool:
        """Whether a thread may still do one of these deeds."""
        key = (thread, tuple(deeds))
        if key not in self._known:
            self._known[key] = self._may(thread, deeds)
        return self._known[key]

    def _may(self, thread: int, deeds: Sequence[Deed]) -> Bool:
        known, cells = self._reach[thread], self._layout.threads[thread]
        able = known.nodes(deeds)
        places = [node for node in known.masks if node < self._relation.cfg.locations]
        parts = [_stands_at(cells.pc.value, [node for node in places if node in able], places)]
        entry = self._layout.reachable[thread][0].entry
        if thread in self._program.spawned and entry in able:
            parts.append(stands(State(), cells, (NOT_SPAWNED, FINISHED)))
        nodes = [self._relation.cfg.nodes[ident] for ident in known.masks]
        polls = [node.id for node in nodes if is_poll(node) and node.targets[0] in able]
        for depth, saved in enumerate(cells.saved):
            came = any_of([equal(saved.value, number(poll)) for poll in polls])
            parts.append(both(less(number(depth), cells.level.value), came))
        return any_of(parts)

    def whoever_may(self, deeds: Sequence[Deed]) -> list[Bool]:
        return [self.may(thread, deeds) for thread in range(self._count)]

    def element_deeds(self, what: str, element: Element) -> list[Bool]:
        """Whoever may do something to the element."""
        if element.index.constant is not None:
            return self.whoever_may([(what, element.decl, element.index.constant)])
        size = element.decl.size or 1
        each = [(equal(element.index, number(i)), self.whoever_may([(what, element.decl, i)])) for i in range(size)]
        return [any_of([both(is_it, may[t]) for is_it, may in each]) for t in range(self._count)]

    def of(self, thread: int, node: Node) -> tuple[list[Bool], Bool]:
        """Per thread whether it could end the wait, and when the wait is for a lock."""
        at = Evaluator(self._scenes[thread], State(), node.site, number(thread), {})
        stmt = node.stmt
        match stmt:
            case Lock() | With():
                mode = stmt.mode if isinstance(stmt, Lock) else "lock"
                return self._holders(at.element(stmt.ref), mode == "wrlock"), True
            case WaitSem():
                return self.element_deeds("post", at.element(stmt.ref)), False
            case WaitEvent():
                return self.element_deeds("set", at.element(stmt.ref)), False
            case WaitCond():
                return self._of_waiter(at, stmt, thread)
            case Poll() | AioWaitWhile():
                deeds = [("schedule", bh, EVERY) for bh in bhs_of(self._program, node)]
                return self.whoever_may(deeds), False
            case Join():
                other, _ = at.member(stmt.thread)
                return [equal(other, number(t)) for t in range(self._count)], False
            case Await():
                return self._of_await(at, stmt, thread), False
            case Atomic():
                return self._of_atomic(thread, node)
            case _:
                return [True] * self._count, False

    def _holders(self, element: Element, readers: bool) -> list[Bool]:
        owners = self._layout.owner.get(element.decl) or self._layout.writer[element.decl]
        owner = element.pick(State(), owners)
        holders = [equal(owner, number(t)) for t in range(self._count)]
        if readers:
            rows = self._layout.readers[element.decl]
            holders = [any_of((held, element.pick(State(), [row[t] for row in rows]))) for t, held in enumerate(holders)]
        return holders

    def _of_waiter(self, at: Evaluator, stmt: WaitCond, thread: int) -> tuple[list[Bool], Bool]:
        condition = at.element(stmt.ref)
        sleeping = condition.pick(State(), [row[thread] for row in self._layout.waiters[condition.decl]])
        wakers = self.element_deeds("wake", condition)
        holders = self._holders(at.element(stmt.lock), False)
        ends = [any_of((both(sleeping, wakes), both(negation(sleeping), holds))) for wakes, holds in zip(wakers, holders, strict=True)]
        return ends, negation(sleeping)

    def _of_await(self, at: Evaluator, stmt: Await, thread: int) -> list[Bool]:
        deeds = list(dict.fromkeys(speaks_of(Family(self._program, thread), stmt.condition, at.site)))
        enders = self.whoever_may(deeds)
        for expr, bound in named_threads(stmt.condition, {}):
            other, defined = Evaluator(at.scene, at.state, at.site, at.me, bound).value(expr)
            enders = [any_of((ends, both(defined, equal(other, number(t))))) for t, ends in enumerate(enders)]
        return enders

    def _of_atomic(self, thread: int, node: Node) -> tuple[list[Bool], Bool]:
        """The first statement that may wait decides, where there is only one way to it."""
        target = node.targets[0]
        while target != EXIT and self._relation.cfg.nodes[target].inner:
            inner = self._relation.cfg.nodes[target]
            if not isinstance(inner.stmt, Skip | Assert | Assume):
                return self.of(thread, inner)
            target = inner.targets[0]
        return [True] * self._count, False


def deadlocks(relation: Staged, still: Standstill) -> Deadlocks:
    """The deadlocks of a program's states."""
    enders = _Enders(relation, still)
    count = len(relation.layout.threads)
    waits = [[_wait(enders, t, node, when) for node, when in still.waiting[t]] for t in range(count)]
    stuck = [any_of([w.waits for w in own if not w.node.info.idle]) for own in waits]
    moving = any_of([still.can_move(t) for t in range(count)])
    members = tuple(z3.Bool(f"stuck.{t}") for t in range(count))
    ring = tuple(z3.Bool(f"ring.{t}") for t in range(count))
    circle = tuple(any_of([both(w.lock, _all_in(w.enders, ring)) for w in own]) for own in waits)
    return Deadlocks(
        both(negation(moving), any_of(stuck)),
        Trap(moving, members, tuple(stuck), tuple(_closed(enders, relation, waits, members))),
        Trap(True, ring, (True,) * count, circle),
    )


def _stands_at(pc: Num, wanted: Sequence[int], places: Sequence[int]) -> Bool:
    """Whether a running thread, which can only be at one of `places`, is at one of those wanted; told by the shorter of the two lists."""
    chosen = set(wanted)
    others = [place for place in places if place not in chosen]
    if len(wanted) <= len(others):
        return any_of([equal(pc, number(place)) for place in wanted])
    return all_of([negation(less(pc, number(FIRST))), *[negation(equal(pc, number(place))) for place in others]])


def _wait(enders: _Enders, thread: int, node: Node, when: Bool) -> Wait:
    who, lock = enders.of(thread, node)
    return Wait(node, when, tuple(who), both(when, lock))


def _all_in(enders: Sequence[Bool], members: Sequence[Bool]) -> Bool:
    return all_of([implied(ends, member) for ends, member in zip(enders, members, strict=True)])


def _closed(enders: _Enders, relation: Staged, waits: Sequence[Sequence[Wait]], members: Sequence[Bool]) -> list[Bool]:
    """For each thread: it may be a member, since it waits or is dormant, and whoever could end that is a member."""
    program = relation.cfg.program
    found = []
    # Who has finished for good can end nothing, whatever lock it still has.
    settled = [
        member if t in program.spawned else any_of((member, stands(State(), relation.layout.threads[t], (FINISHED,))))
        for t, member in enumerate(members)
    ]
    for thread, own in enumerate(waits):
        at_rest = any_of([both(w.waits, _all_in(w.enders, settled)) for w in own])
        dormant: Bool = False
        if thread in program.spawned:
            resting = stands(State(), relation.layout.threads[thread], (NOT_SPAWNED, FINISHED))
            dormant = both(resting, _all_in(enders.whoever_may([("spawn", None, thread)]), settled))
        found.append(any_of((at_rest, dormant)))
    return found
