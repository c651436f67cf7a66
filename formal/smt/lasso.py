"""Violations of liveness: an execution that comes back to a state it was in, or that ends, with what was promised never coming.

In: a relation and liveness properties. Out: for each length, a term for each property: the execution so far is a fair violation. The state
that the loop comes back to is guessed once, as constants, so that each length adds constraints only about its own state.
It must not know solvers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from formal.program import Property
from formal.smt.cfg import FIRST, Node
from formal.smt.deadlock import Standstill
from formal.smt.expressions import Evaluator
from formal.smt.layout import Cell
from formal.smt.references import declaration_site
from formal.smt.relation import Relation
from formal.smt.scene import State, set_scene
from formal.smt.terms import Bool, all_of, any_of, as_term, both, either, equal, implied, less, negation, number
from formal.smt.unroll import Bundle, cell_term


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one more state adds: definitions, by property the violating term, whether the loop has begun by this state, and whether this
    state closes it."""

    definitions: tuple[Any, ...]
    violations: Mapping[str, Any]
    begun: Any
    loop: Any


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What is known of the execution so far: the loop has begun; within it, who moved, who could not and who could move, and which
    promises were kept; and by property, that something is still promised."""

    begun: Bool
    moved: tuple[Bool, ...]
    stopped: tuple[Bool, ...]
    could: tuple[Bool, ...]
    kept: tuple[Bool, ...]
    promised: tuple[Bool, ...]


class Lassos:
    """Follows an execution state by state."""

    def __init__(self, relation: Relation, still: Standstill, properties: Sequence[Property]) -> None:
        self._relation = relation
        self._properties = tuple(properties)
        self._threads = len(relation.layout.threads)
        can_move = [still.can_move(t) for t in range(self._threads)]
        goals = [self._holds(p.condition) for p in properties]
        triggers = [self._holds(p.trigger) if p.trigger is not None else False for p in properties]
        self._bundle = Bundle([same_state(relation), *can_move, *goals, *triggers])
        nobody: tuple[Bool, ...] = (False,) * self._threads
        self._past = _Past(False, nobody, nobody, nobody, (False,) * len(self._properties), (False,) * len(self._properties))

    def _holds(self, condition: Any) -> Bool:
        scene = set_scene(self._relation.cfg, self._relation.layout, (0,), number(0))
        site = declaration_site(self._relation.layout.reachable[0][0].root)
        return Evaluator(scene, State(), site, number(-1), {}).holds_true(condition)

    def look(self, depth: int, pairs: Sequence[tuple[Any, Any]], moves: Sequence[Bool]) -> Look:
        """The state after `depth` steps; `moves` says of each thread whether it took the last of them."""
        terms = self._bundle.copy(pairs, depth <= 1)
        same, rest = terms[0], terms[1:]
        can_move, rest = rest[: self._threads], rest[self._threads :]
        goals, triggers = rest[: len(self._properties)], rest[len(self._properties) :]
        past, definitions = self._past, []
        count = len(self._properties)

        def name(mark: str, term: Bool) -> Any:
            literal = z3.Bool(f"lasso {mark}@{depth}")
            definitions.append(literal == as_term(term))
            return literal

        again = name("same", same)
        moved = tuple(name(f"moved{t}", either(past.moved[t], both(past.begun, moves[t]))) for t in range(self._threads))
        closes = [both(past.begun, again)] if depth else []
        begins = z3.Bool(f"lasso begins@{depth}")
        definitions.append(z3.Implies(begins, again))
        begun = name("begun", either(past.begun, begins))
        stopped = tuple(name(f"stopped{t}", either(past.stopped[t], both(begun, negation(can_move[t])))) for t in range(self._threads))
        could = tuple(name(f"could{t}", either(past.could[t], both(begun, can_move[t]))) for t in range(self._threads))
        promised = tuple(name(f"promised{i}", self._promised(i, depth, goals[i], triggers[i])) for i in range(count))
        kept = tuple(name(f"kept{i}", either(past.kept[i], both(begun, goals[i]))) for i in range(count))
        self._past = _Past(begun, moved, stopped, could, kept, promised)
        loop = name("loop", all_of([any_of(closes), *self._fair()]))
        ends = negation(any_of(can_move))
        violations = {
            p.name: as_term(both(promised[i], either(ends, both(loop, negation(kept[i]))))) for i, p in enumerate(self._properties)
        }
        return Look(tuple(definitions), violations, begun, loop)

    def _promised(self, i: int, depth: int, goal: Bool, trigger: Bool) -> Bool:
        """Something is promised and has not come yet; `eventually` promises in the first state."""
        new = trigger if self._properties[i].trigger is not None else depth == 0
        return both(either(self._past.promised[i], new), negation(goal))

    def _fair(self) -> list[Bool]:
        strong = self._relation.cfg.program.strong_fair
        past = self._past
        return [either(past.moved[t], negation(past.could[t]) if t in strong else past.stopped[t]) for t in range(self._threads)]


def same_state(relation: Relation) -> Bool:
    """The current state equals the guessed one, in all that can still matter."""
    matters = _registers(relation)
    parts = []
    for cell in relation.layout.cells:
        term = cell_term(cell, cell.value)
        guessed = z3.Const(f"loop {cell.name}", term.sort())
        parts.append(implied(matters.get(cell, True), term == guessed))
    return all_of(parts)


def _registers(relation: Relation) -> dict[Cell, Bool]:
    """Of saved polls and registers, when they are in use."""
    matters: dict[Cell, Bool] = {}
    for cells, bodies in zip(relation.layout.threads, relation.layout.reachable, strict=True):
        running = negation(less(cells.pc.value, number(FIRST)))
        for depth in range(len(cells.truths)):
            nodes = [n for body in (bodies[:1] if depth == 0 else bodies[1:]) for n in body.nodes if not n.inner]
            here = both(running, equal(cells.level.value, number(depth)))
            above = both(running, less(number(depth), cells.level.value))
            if depth < len(cells.saved):
                matters[cells.saved[depth]] = above
            saved = cells.saved[depth].value if depth < len(cells.saved) else None
            for i, cell in enumerate(cells.truths[depth]):
                matters[cell] = _in_use(cells.pc.value, saved, here, above, [n for n in nodes if n.site.truths > i])
            for i, cell in enumerate(cells.numbers[depth]):
                matters[cell] = _in_use(cells.pc.value, saved, here, above, [n for n in nodes if n.site.numbers > i])
    return matters


def _in_use(pc: Any, saved: Any, here: Bool, above: Bool, nodes: Sequence[Node]) -> Bool:
    standing = both(here, any_of([equal(pc, number(node.id)) for node in nodes]))
    if saved is None:
        return standing
    return either(standing, both(above, any_of([equal(saved, number(node.id)) for node in nodes])))
