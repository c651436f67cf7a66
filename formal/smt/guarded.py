"""A program as guarded commands: for each thread and each place where it can stand, what it can do there, in terms of `formal.netlist`.

In: a program. Out: `Machine`. The meaning of each statement is that of the relation; here its outcomes stay apart, every choice is a
command of its own, and a bottom half's places are told apart by how deeply it is nested. Registers that no longer hold anything are set
back, so that a tool that stores states does not tell those apart. It must not know the syntax of another tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final, TypeAlias

import z3

from formal.netlist import Term, Terms
from formal.program import Program, Property
from formal.smt.atomics import execute
from formal.smt.badness import badness
from formal.smt.cfg import EXIT, FINISHED, EncodingLimitError, Node
from formal.smt.deadlock import Standstill, Trap, deadlocks
from formal.smt.layout import Cell, ThreadCells, lay_out
from formal.smt.lower import lower
from formal.smt.moves import outside, returns, standing_scene
from formal.smt.outcomes import Ends, Fails, Goes, Outcome, Pick, Waits
from formal.smt.parts import Parts
from formal.smt.reading import Reading
from formal.smt.relation import CHOICE, relate
from formal.smt.scene import Scene
from formal.smt.terms import Bool, equal, number, width
from formal.smt.unroll import cell_term

MAX_CHOICES: Final = 4096  # combinations of the choices of one step
AT_REST: Final = (FINISHED, 0)

Standing: TypeAlias = tuple[int, int]  # a location, and how many bottom halves the thread is in; AT_REST: not spawned, or finished


@dataclass(frozen=True, slots=True)
class Variable:
    """A part of the state: what it can be as an integer, what it is at first; `truth`: 0 is false, 1 true."""

    name: str
    term: Term
    truth: bool
    lo: int
    hi: int
    initial: int


@dataclass(frozen=True, slots=True)
class Command:
    """Where `guard` holds: the variables get new values, all at once, and the thread goes to `target`; or the step violates `violates`."""

    guard: Term
    updates: tuple[tuple[Variable, Term], ...]
    target: Standing
    violates: str | None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of a thread: the statement there, where it is in the model and in the C source, and what can come of it."""

    at: Standing
    name: str
    statement: str
    c_source: str | None
    idle: bool
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """A thread. `at`: the variable with its location. `entry`: where it stands when it begins, `start`: at first. Who is spawned is put at
    its entry by others, and is AT_REST as far as it knows."""

    name: str
    at: Variable
    start: Standing
    entry: Standing
    spawned: bool
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Snare:
    """A set of threads that nobody else can free: `formal.smt.deadlock.Trap` in terms of `formal.netlist`."""

    when: Term
    members: tuple[Term, ...]
    telling: tuple[Term, ...]
    may: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """`bads`: by property of states, when it is violated."""

    terms: Terms
    variables: tuple[Variable, ...]
    processes: tuple[Process, ...]
    bads: Mapping[str, Term | Snare]
    places: tuple[str, ...]  # names of locations


class _Drawing:
    """The choices of one step: how many alternatives each has."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def drawer(self) -> Callable[[], Pick]:
        """For one step: each call is the next choice."""
        drawn = 0

        def fresh() -> Pick:
            position: list[int] = []

            def pick(alternative: int, count: int) -> Bool:
                nonlocal drawn
                if count == 1:
                    return True
                if not position:
                    position.append(drawn)
                    drawn += 1
                self.counts[position[0]] = max(count, self.counts.get(position[0], 0))
                return z3.BitVec(_choice(position[0]), 32) == alternative

            return pick

        return fresh


def _choice(position: int) -> str:
    return f"{CHOICE}{position}"


class _Making:
    """One program's commands."""

    def __init__(self, program: Program, properties: Sequence[Property]) -> None:
        self.cfg = lower(program)
        self.layout = lay_out(self.cfg)
        self.terms = Terms()
        self.wanted = {prop.name for prop in properties}
        self.relation = relate(self.cfg, self.layout, True)  # for what is asked of states; its steps are not used
        parts = Parts(self.relation)
        self.places = parts.places
        self.variables = {
            part.cell: Variable(
                part.name, self.terms.var(part.name, _width(part.cell)), part.cell.truth, part.cell.lo, part.cell.hi, part.cell.initial
            )
            for part in parts.all
        }
        self.plain = {cell.name: variable.term for cell, variable in self.variables.items()}

    def machine(self, properties: Sequence[Property]) -> Machine:
        processes = tuple(self.process(thread) for thread in range(len(self.layout.threads)))
        return Machine(self.terms, tuple(self.variables.values()), processes, self.bads(properties), self.places)

    # ------------------------------------------------------------ threads

    def process(self, thread: int) -> Process:
        program, cells = self.cfg.program, self.layout.threads[thread]
        own, *halves = self.layout.reachable[thread]
        entry = AT_REST if own.entry == EXIT else (own.entry, 0)
        spots = [self.spot(thread, node, 0) for node in outside(own)]
        for level in range(1, len(cells.truths)):
            spots += [self.spot(thread, node, level) for body in halves for node in outside(body)]
        spawned = thread in program.spawned
        start = AT_REST if spawned else entry
        return Process(program.threads[thread].name, self.variables[cells.pc], start, entry, spawned, tuple(spots))

    def spot(self, thread: int, node: Node, level: int) -> Spot:
        info = node.info
        scene = standing_scene(self.cfg, self.layout, thread, node, level)
        drawing = _Drawing()
        outcomes = execute(scene, node, drawing.drawer())
        commands = [
            command
            for known in self.choices(drawing, thread, node, level)
            for command in self.commands(scene, known, outcomes, node, level)
        ]
        merged = tuple({(c.guard, c.updates, c.target, c.violates): c for c in commands}.values())
        return Spot((node.id, level), self.places[node.id], info.text, info.c_source, info.idle, merged)

    def choices(self, drawing: _Drawing, thread: int, node: Node, level: int) -> Iterator[Mapping[str, Term]]:
        """What is known in each of the ways to choose: the choices, where the thread stands, and how deeply it is nested."""
        cells = self.layout.threads[thread]
        here = {cells.pc.name: self.terms.const(node.id, _width(cells.pc))}
        if cells.level in self.variables:
            here[cells.level.name] = self.terms.const(level, _width(cells.level))
        if prod(drawing.counts.values()) > MAX_CHOICES:
            raise EncodingLimitError(f"a step with more than {MAX_CHOICES} ways to choose, at {self.places[node.id]}")
        for values in product(*[range(count) for _, count in sorted(drawing.counts.items())]):
            chosen = {_choice(i): self.terms.const(value, 32) for i, value in zip(sorted(drawing.counts), values, strict=True)}
            yield {**self.plain, **here, **chosen}

    def commands(self, scene: Scene, known: Mapping[str, Term], outcomes: Sequence[Outcome], node: Node, level: int) -> Iterator[Command]:
        reading = Reading(self.terms, known)
        for outcome in outcomes:
            guard = reading.of(outcome.condition)
            if guard.number == 0:
                continue
            match outcome:
                case Fails(prop=prop) if prop in self.wanted:
                    yield Command(guard, (), (node.id, level), prop)
                case Goes():
                    for condition, after, target in self.targets(scene, reading, outcome, node, level):
                        both_hold = self.terms.conjunction((guard, condition))
                        if both_hold.number != 0:
                            yield Command(both_hold, self.updates(reading, after), target, None)
                case Fails() | Waits() | Ends():
                    pass

    # ------------------------------------------------------------ where control goes

    def targets(
        self, scene: Scene, reading: Reading, outcome: Goes, node: Node, level: int
    ) -> Iterator[tuple[Term, dict[Cell, Any], Standing]]:
        """The ways on: a condition, all that is written, and where the thread stands then."""
        cells = self.layout.threads[scene.threads[0]]
        assert outcome.target is not None
        written = dict(outcome.state.written)
        if outcome.target != EXIT:
            nested = level + 1 if scene.level in outcome.state.written else level
            if nested == len(cells.truths):  # deeper than anything can be nested; the check of that comes before
                return
            if nested == level:
                self.forget(written, cells, level, node, self.cfg.nodes[outcome.target])
            yield self.terms.true, self.moved(written, cells, outcome.target, nested), (outcome.target, nested)
            return
        for conditions, target, left in returns(self.layout, scene.threads[0], level):
            after = dict(written)
            self.forget(after, cells, level, node, None)
            for depth in range(left, level):
                after[cells.saved[depth]] = number(cells.saved[depth].initial)
            standing = (target, left) if target != FINISHED else AT_REST
            for depth, poll in enumerate(conditions, left):
                last = depth == left and target != FINISHED
                self.forget(after, cells, depth, poll, self.cfg.nodes[target] if last else None)
            came = [reading.of(equal(cells.saved[depth].value, number(poll.id))) for depth, poll in enumerate(conditions, left)]
            yield self.terms.conjunction(came), self.moved(after, cells, target, left), standing

    def moved(self, written: dict[Cell, Any], cells: ThreadCells, target: int, level: int) -> dict[Cell, Any]:
        return {**written, cells.pc: number(target), cells.level: number(level)}

    def forget(self, written: dict[Cell, Any], cells: ThreadCells, level: int, node: Node, target: Node | None) -> None:
        """Sets back the registers of this level that hold something at `node` or got something now, and hold nothing at `target`."""
        kinds = ((cells.truths[level], "truths"), (cells.numbers[level], "numbers"))
        for registers, kind in kinds:
            kept = 0 if target is None else getattr(target.site, kind)
            used = getattr(node.site, kind)
            for i, cell in enumerate(registers):
                if i >= kept and (i < used or cell in written):
                    written[cell] = bool(cell.initial) if cell.truth else number(cell.initial)

    def updates(self, reading: Reading, written: Mapping[Cell, Any]) -> tuple[tuple[Variable, Term], ...]:
        found = []
        for cell, value in written.items():
            variable = self.variables.get(cell)
            if variable is not None:
                term = reading.of(cell_term(cell, value))
                if term is not variable.term:
                    found.append((variable, term))
        return tuple(found)

    # ------------------------------------------------------------ properties of states

    def bads(self, properties: Sequence[Property]) -> dict[str, Term | Snare]:
        still = Standstill(self.relation)
        members = {f"{kind}.{t}": self.terms.var(f"{kind}.{t}", 0) for t in range(len(self.layout.threads)) for kind in ("stuck", "ring")}
        reading = Reading(self.terms, {**self.plain, **members})
        found: dict[str, Term | Snare] = {
            name: reading.of(term)
            for name, term in badness(self.relation, still, [p for p in properties if p.kind == "invariant"]).terms.items()
        }
        asked = [p.name for p in properties if p.kind == "deadlock"]
        if asked:
            known = deadlocks(self.relation, still)
            by_name = {"deadlock.global": known.everything, "deadlock.partial": known.partial, "deadlock.lock_order": known.lock_order}
            for name in asked:
                what = by_name[name]
                found[name] = _snare(reading, what) if isinstance(what, Trap) else reading.of(what)
        return found


def _snare(reading: Reading, trap: Trap) -> Snare:
    members, telling, may = (tuple(reading.of(term) for term in terms) for terms in (trap.members, trap.telling, trap.may))
    return Snare(reading.of(trap.when), members, telling, may)


def _width(cell: Cell) -> int:
    return 0 if cell.truth else width(cell.lo, cell.hi)


def machine(program: Program, properties: Sequence[Property]) -> Machine:
    """A program's guarded commands, for properties none of which is liveness. Raises EncodingLimitError."""
    return _Making(program, properties).machine(properties)
