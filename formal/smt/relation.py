"""The transition relation: one step of the whole program, as next-state terms over the current state and the step's choices.

In: a layout. Out: `Relation`, built once; `formal.smt.unroll` makes copies of it. Threads of a group share one copy of their code.
It must not know about depths, solvers or properties of states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import z3

from formal.smt.atomics import execute
from formal.smt.bodies import is_poll
from formal.smt.cfg import EXIT, FINISHED, Body, Cfg, Node
from formal.smt.layout import Cell, Layout
from formal.smt.outcomes import Ends, Fails, Goes, Pick
from formal.smt.scene import Scene, set_scene
from formal.smt.terms import (
    Bool,
    Num,
    Value,
    any_of,
    both,
    choose_number,
    either,
    equal,
    from_truths,
    negation,
    number,
    recast,
    select,
    width,
)

WHO: Final = "step/who"  # inputs are no parts of a state: no model can have these names
CHOICE: Final = "step/choice"


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """One step. `inputs` are the constants that differ from step to step besides the state: who moves, and the choices.
    `going`: the step ends in a next state; `failing`: by property, the step violates it. `next`: by cell, in the layout's order."""

    cfg: Cfg
    layout: Layout
    who: Num
    inputs: tuple[Any, ...]
    next: Mapping[Cell, Value]
    going: Bool
    failing: Mapping[str, Bool]


Writes = dict[Cell, list[tuple[Bool, Value]]]


class Choices:
    """The step's choice inputs. Statements share them: only one executes, and within an atomic each draws the next."""

    def __init__(self, most: int) -> None:
        self._bits = width(0, most - 1)
        self.constants: list[Any] = []

    def drawer(self) -> Drawer:
        return Drawer(self)

    def variable(self, position: int) -> Any:
        while position >= len(self.constants):
            self.constants.append(z3.BitVec(f"{CHOICE}{len(self.constants)}", self._bits))
        return self.constants[position]


class Drawer:
    """Draws choice inputs for one step, one a statement that needs one."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._drawn = 0

    def fresh(self) -> Pick:
        mine: list[Any] = []

        def pick(alternative: int, count: int) -> Bool:
            if count == 1:
                return True
            if not mine:
                mine.append(self._choices.variable(self._drawn))
                self._drawn += 1
            return mine[0] == alternative

        return pick


@dataclass(slots=True, eq=False)
class _Building:
    """What the steps seen so far do."""

    cfg: Cfg
    layout: Layout
    choices: Choices
    writes: Writes = field(default_factory=dict)
    going: list[Bool] = field(default_factory=list)
    failing: dict[str, list[Bool]] = field(default_factory=dict)

    def group(self, scene: Scene, active: Bool) -> None:
        """Adds the steps of one group's threads; `active`: one of them moves."""
        bodies: dict[Body, None] = {}
        for thread in scene.threads:
            bodies.update(dict.fromkeys(self.layout.reachable[thread]))
        own: Writes = {}
        control = _Control(scene, bodies)
        for body in bodies:
            for node in body.nodes:
                if not node.inner:
                    self.node(scene, node, both(active, scene.at(node)), own, control)
        control.store(own, self.writes)
        for cell, parts in own.items():
            self.writes.setdefault(cell, []).extend(parts)
        _store_registers(scene, self.writes)

    def node(self, scene: Scene, node: Node, here: Bool, own: Writes, control: _Control) -> None:
        outcomes = execute(scene, node, self.choices.drawer().fresh)
        for outcome in outcomes:
            fires = both(here, outcome.condition)
            match outcome:
                case Goes():
                    self.going.append(fires)
                    for cell, value in outcome.state.written.items():
                        own.setdefault(cell, []).append((fires, value))
                    assert outcome.target is not None
                    control.go(fires, node, outcome.target)
                case Fails():
                    self.failing.setdefault(outcome.prop, []).append(fires)
                case Ends():
                    pass


class _Control:
    """Where the moving thread goes: constant targets digit by digit, and the end of a bottom half back to where it was polled for."""

    def __init__(self, scene: Scene, bodies: Mapping[Body, None]) -> None:
        self._scene = scene
        self._polls = [n for body in bodies for n in body.nodes if is_poll(n)]
        self._targets: dict[int, list[Bool]] = {}
        self._returns: list[Bool] = []

    def go(self, fires: Bool, node: Node, target: int) -> None:
        if target != EXIT:
            self._targets.setdefault(target, []).append(fires)
        elif node.site.root.is_thread:
            self._targets.setdefault(FINISHED, []).append(fires)
        else:
            self._returns.append(fires)

    def store(self, own: Writes, writes: Writes) -> None:
        """Writes the location of each thread of the group, and the nesting level where a bottom half ends."""
        scene = self._scene
        last = scene.cfg.locations - 1
        fires = {target: any_of(conditions) for target, conditions in self._targets.items()}
        location = _by_digit(fires, last)
        returns = any_of(self._returns)
        if returns is not False:
            pc, level = self._returned()
            location = choose_number(returns, pc, location)
            own.setdefault(scene.level, []).append((returns, level))
        moved = any_of([*fires.values(), returns])
        for thread in scene.threads:
            writes.setdefault(scene.layout.threads[thread].pc, []).append((both(scene.is_who(thread), moved), location))

    def _returned(self) -> tuple[Num, Num]:
        """Location and level after the innermost bottom half has ended; its poll may have been the end of another one."""
        after: list[tuple[Num, Num]] = []
        for depth, saved in enumerate(self._scene.saved):
            cases: list[tuple[Bool, Num]] = []
            levels: list[tuple[Bool, Num]] = []
            for poll in self._polls:
                if poll.site.root.is_thread != (depth == 0):
                    continue
                came = equal(saved.value, number(poll.id))
                if poll.targets[0] != EXIT:
                    cases.append((came, number(poll.targets[0])))
                elif depth == 0:
                    cases.append((came, number(FINISHED)))
                else:
                    cases.append((came, after[-1][0]))
                    levels.append((came, after[-1][1]))
            after.append((select(cases[:-1], cases[-1][1]), select(levels, number(depth))))
        reached = [equal(self._scene.level.value, number(depth + 1)) for depth in range(len(after))]
        pcs = list(zip(reached, [pc for pc, _ in after], strict=True))
        levels = list(zip(reached, [level for _, level in after], strict=True))
        return select(pcs[:-1], pcs[-1][1]), select(levels[:-1], levels[-1][1])


def _by_digit(fires: Mapping[int, Bool], last: int) -> Num:
    bits = []
    for digit in range(width(0, last)):
        bits.append(any_of([condition for target, condition in fires.items() if target >> digit & 1]))
    return from_truths(bits, 0, last)


def _store_registers(scene: Scene, writes: Writes) -> None:
    """Turns writes to a group's registers into writes to the registers of the thread that moves."""
    for thread in scene.threads:
        cells = scene.layout.threads[thread]
        mine = scene.is_who(thread)
        pairs = [(scene.level, cells.level, True), *_aligned(scene.saved, cells.saved, True)]
        pairs += [*_aligned(scene.outer.truths, cells.truths[0], True), *_aligned(scene.outer.numbers, cells.numbers[0], True)]
        for depth in range(1, len(cells.truths)):
            here = equal(cells.level.value, number(depth)) if len(cells.truths) > 2 else True
            pairs += [
                *_aligned(scene.nested.truths, cells.truths[depth], here),
                *_aligned(scene.nested.numbers, cells.numbers[depth], here),
            ]
        for register, cell, condition in pairs:
            if register is not cell and register in writes:
                parts = [(both(both(mine, condition), fires), value) for fires, value in writes[register]]
                writes.setdefault(cell, []).extend(parts)


def _aligned(registers: Sequence[Cell], cells: Sequence[Cell], condition: Bool) -> list[tuple[Cell, Cell, Bool]]:
    return [(register, cell, condition) for register, cell in zip(registers, cells, strict=False)]


def _next(cell: Cell, parts: Sequence[tuple[Bool, Value]]) -> Value:
    """The cell's next value: of at most one write, else what it was."""
    merged: dict[object, tuple[list[Bool], Value]] = {}
    for fires, value in parts:
        merged.setdefault(_mark(value), ([], value))[0].append(fires)
    cases = [(any_of(fires), value) for fires, value in merged.values()]
    if not cell.truth:
        return recast(select(cases, cell.value), cell.lo, cell.hi)
    kept = both(cell.value, negation(any_of([fires for fires, _ in cases])))
    return either(any_of([both(fires, value) for fires, value in cases]), kept)


def _mark(value: Value) -> object:
    if isinstance(value, Num):
        return (value.lo, value.hi, None if value.term is None else value.term.get_id())
    return value if isinstance(value, bool) else ("term", value.get_id())


def groups_of(layout: Layout, shared: bool) -> list[tuple[int, ...]]:
    """Which threads share a copy of the code: all, or none."""
    everyone = tuple(range(len(layout.threads)))
    return [everyone] if shared else [(thread,) for thread in everyone]


def most_alternatives(cfg: Cfg) -> int:
    """Of all choices that a step can make."""
    bhs = sum(bh.size or 1 for bh in cfg.program.bhs)
    return max(2, bhs, len(cfg.program.threads), *(len(node.targets) for node in cfg.nodes.values()))


def relate(cfg: Cfg, layout: Layout, shared: bool) -> Relation:
    """The transition relation of a program."""
    count = len(layout.threads)
    who = number(0) if count == 1 else Num(0, count - 1, z3.BitVec(WHO, width(0, count - 1)))
    building = _Building(cfg, layout, Choices(most_alternatives(cfg)))
    for threads in groups_of(layout, shared):
        mover = number(threads[0]) if len(threads) == 1 else who
        scene = set_scene(cfg, layout, threads, mover)
        building.group(scene, any_of([equal(who, number(thread)) for thread in threads]))
    following = {cell: _next(cell, building.writes.get(cell, ())) for cell in layout.cells}
    inputs = ([] if who.term is None else [who.term]) + building.choices.constants
    failing = {prop: any_of(parts) for prop, parts in building.failing.items()}
    return Relation(cfg, layout, who, tuple(inputs), following, any_of(building.going), failing)
