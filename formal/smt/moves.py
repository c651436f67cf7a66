"""A program's steps taken apart: what one thread does at one place, each way on by itself.

In: a control-flow graph and its layout. Out: `Move`s and `Fault`s, in the relation's own terms. Where every thread stands `properly`, they
are the steps of the relation, no more and no less. It must not know invariants, nor solvers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from formal.smt.atomics import execute
from formal.smt.bodies import is_poll
from formal.smt.cfg import EXIT, FINISHED, NOT_SPAWNED, Body, Cfg, Node
from formal.smt.layout import Cell, Layout, ThreadCells
from formal.smt.outcomes import Fails, Goes
from formal.smt.relation import Choices, most_alternatives
from formal.smt.scene import Loose, Registers, Scene, set_scene
from formal.smt.terms import Bool, Value, equal, number

Wanted: TypeAlias = Callable[[int, int], bool]  # of a thread and a node


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """Where a thread stands: at a node, inside of so many bottom halves."""

    thread: int
    node: Node
    level: int


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A way on from a spot: where all of `guard` holds, the cells get new values, all at once. The thread's location and nesting are among
    them; a cell that isn't stays as it is."""

    spot: Spot
    guard: tuple[Bool, ...]
    after: Mapping[Cell, Value]


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """Where `guard` holds, the step violates `prop`."""

    spot: Spot
    guard: Bool
    prop: str


def _everywhere(_thread: int, _node: int) -> bool:
    return True


def outside(body: Body) -> list[Node]:
    """The nodes that a thread can stand at."""
    return [node for node in body.nodes if not node.inner]


def moves(cfg: Cfg, layout: Layout, loose: Loose | None = None, wanted: Wanted = _everywhere) -> Iterator[Move | Fault]:
    """All of them, spot by spot, where the thread and the node are `wanted`. The choices of a step are inputs, as in the relation. `loose`:
    of a scene."""
    choices = Choices(most_alternatives(cfg))
    for thread, cells in enumerate(layout.threads):
        for node, level in _standings(layout, thread):
            if not wanted(thread, node.id):
                continue
            spot = Spot(thread, node, level)
            scene = replace(standing_scene(cfg, layout, thread, node, level), loose=loose)
            for outcome in execute(scene, node, choices.drawer().fresh):
                match outcome:
                    case Fails(condition=condition, prop=prop):
                        yield Fault(spot, condition, prop)
                    case Goes():
                        yield from _ways(layout, cells, spot, scene, outcome)
                    case _:
                        pass


def _standings(layout: Layout, thread: int) -> Iterator[tuple[Node, int]]:
    own, *halves = layout.reachable[thread]
    yield from ((node, 0) for node in outside(own))
    for level in range(1, len(layout.threads[thread].truths)):
        yield from ((node, level) for body in halves for node in outside(body))


def standing_scene(cfg: Cfg, layout: Layout, thread: int, node: Node, level: int) -> Scene:
    """The state as a thread sees it at a spot: location and nesting are known, and it has just the registers that it has there."""
    cells = layout.threads[thread]
    plain = set_scene(cfg, layout, (thread,), number(thread))
    nested = Registers(cells.truths[level], cells.numbers[level])
    here = Cell(cells.level.name, False, 0, cells.level.hi, number(level), 0)
    return Scene(plain.program, cfg, layout, plain.threads, plain.who, number(node.id), here, cells.saved, plain.outer, nested)


def _ways(layout: Layout, cells: ThreadCells, spot: Spot, scene: Scene, outcome: Goes) -> Iterator[Move]:
    """Where control goes from there. What comes back from a bottom half goes on behind the poll that it was entered by."""
    assert outcome.target is not None
    written = {cell: value for cell, value in outcome.state.written.items() if cell is not scene.level}
    if outcome.target != EXIT:
        level = spot.level + 1 if scene.level in outcome.state.written else spot.level
        if level < len(cells.truths):  # deeper than anything can be nested; the check of that comes before
            yield Move(spot, (outcome.condition,), {**written, cells.pc: number(outcome.target), cells.level: number(level)})
        return
    for polls, target, level in returns(layout, spot.thread, spot.level):
        came = [equal(cells.saved[depth].value, number(poll.id)) for depth, poll in enumerate(polls, level)]
        yield Move(spot, (outcome.condition, *came), {**written, cells.pc: number(target), cells.level: number(level)})


def returns(layout: Layout, thread: int, level: int) -> Iterator[tuple[list[Node], int, int]]:
    """Where the end of a body leads: the polls that are left, the lowest first; a location; and how deeply nested it is."""
    if level == 0:
        yield [], FINISHED, 0
        return
    bodies = layout.reachable[thread]
    for body in bodies[1:] if level > 1 else bodies[:1]:
        for poll in outside(body):
            if not is_poll(poll):
                continue
            if poll.targets[0] != EXIT:
                yield [poll], poll.targets[0], level - 1
            elif level == 1:
                yield [poll], FINISHED, 0
            else:
                for polls, target, left in returns(layout, thread, level - 1):
                    yield [*polls, poll], target, left


def properly(layout: Layout, thread: int) -> Iterator[tuple[tuple[Cell, Sequence[int]], ...]]:
    """How a thread stands: on its own body, or nested on that of a bottom half; and below a bottom half there is a poll. Clauses, each
    of cells and values of which one has one of its own."""
    cells, (own, *halves) = layout.threads[thread], layout.reachable[thread]
    if len(cells.truths) == 1:
        return
    deepest = cells.level.hi
    inside = [node for body in halves for node in outside(body)]
    yield (cells.level, range(1, deepest + 1)), (cells.pc, [NOT_SPAWNED, FINISHED, *(node.id for node in outside(own))])
    yield (cells.level, (0,)), (cells.pc, [node.id for node in inside])
    for depth, saved in enumerate(cells.saved):
        polls = [node.id for node in (inside if depth else outside(own)) if is_poll(node)]
        yield (cells.level, range(depth + 1)), (saved, polls)
