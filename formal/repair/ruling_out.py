"""What one run that ends in a violation says about other edits: under which of them it is possible, too.

In: a walker with all edits in it, and a run. Out: a `Diagram` of the ways to follow the run. Its steps are taken in its order, by the same
threads, from the same places; statements of the lock, which edits put elsewhere, are passed over where they are gone, and executed where
they come before the next step. Every way is an execution of the program with the acts on which it rests, so where it ends in a violation,
of whatever property, these acts are no repair. Two ways that come to the same state go on as one: a statement that is met twice may be
there the first time and not the second in such a way, and then there are no acts on which it rests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from formal.interp import State
from formal.program import SPAWN
from formal.repair.edits import Act
from formal.repair.hunting import Run
from formal.repair.walking import Rests, Walker

NODES: Final = 4_000  # looked at for one run

Node: TypeAlias = tuple[int, State]  # how many steps of the run are done, and the state


@dataclass(frozen=True, slots=True)
class Arc:
    """If `source` is reached and `rests` holds, `target` is reached; None: a violation."""

    source: int
    rests: Rests
    target: int | None


@dataclass(slots=True)
class Diagram:
    """Nodes are numbers; `root`: where runs begin."""

    root: int = 0
    arcs: list[Arc] = field(default_factory=list)


def diagram(walker: Walker, run: Run, acts: frozenset[Act]) -> Diagram:
    """All ways to follow the run, as far as they end in violations; first that of the acts with which it was found."""
    return _Follower(walker, run, acts).follow()


class _Follower:
    def __init__(self, walker: Walker, run: Run, acts: frozenset[Act]) -> None:
        self._walker = walker
        self._acts = acts
        kinds = {prop.name: prop.kind for prop in walker.machine.program.properties}
        self._state = kinds.get(run.prop) in ("invariant", "deadlock")  # it ends in a state that violates something, not in a step
        self._run = run.moves
        self._waiting = run.waiting
        self._moves = Counter(thread for thread, _ in run.moves)
        self._numbers: dict[Node, int] = {}
        self._todo: list[tuple[int, Node]] = []

    def follow(self) -> Diagram:
        found = Diagram()
        found.root = self._number((0, self._walker.machine.initial()))
        while self._todo and len(self._numbers) < NODES:
            number, node = self._todo.pop()
            found.arcs += self._arcs(number, node)
        return _useful(found)

    def _number(self, node: Node) -> int:
        known = self._numbers.get(node)
        if known is None:
            known = self._numbers[node] = len(self._numbers)
            self._todo.append((known, node))
        return known

    def _arcs(self, number: int, node: Node) -> list[Arc]:
        done, state = node
        if done == len(self._run) and not self._state:
            return []
        if done == len(self._run):
            return self._end(number, state)
        choosing = self._choosing(done, state)
        if choosing is not None:
            return self._ways(number, done, state, choosing)
        thread, place = self._run[done]
        standing = self._walker.standing(state, thread)
        here = standing is not None and standing.place == place
        if standing is None or not (here or standing.sort == "loose"):
            gone = self._walker.is_loose(place[0])  # a statement of the lock that is not there
            return [Arc(number, (), self._number((done + 1, state)))] if gone else []
        if self._walker.can_move(state, thread):
            return self._steps(number, done + here, state, thread)
        return self._waits(number, done, state)

    def _ways(self, number: int, done: int, state: State, thread: int) -> list[Arc]:
        """A thread chooses. What the known acts say comes last, and so is followed first."""
        ways = sorted(self._walker.choose(state, thread), key=lambda way: all((act in self._acts) == made for act, made in way[0]))
        return [Arc(number, rests, self._number((done, after))) for rests, after in ways]

    def _choosing(self, done: int, state: State) -> int | None:
        """Who has to choose before it is known what comes next: who moves next; where it matters to others, anybody."""
        choosing = self._walker.choosing(state)
        if choosing and self._walker.watched:
            return choosing[0]
        return self._run[done][0] if self._run[done][0] in choosing else None

    def _steps(self, number: int, done: int, state: State, thread: int) -> list[Arc]:
        """One thread moves. That a thread was started twice may be because it has not chosen yet, and would have ended."""
        found = []
        for after, error in self._walker.moves(state, thread):
            if after is not None:
                found.append(Arc(number, (), self._number((done, after))))
            elif error is not None and error != SPAWN:
                found.append(Arc(number, (), None))
        return found

    def _waits(self, number: int, done: int, state: State) -> list[Arc]:
        """Who is to move has to wait. If it is for the lock, its owner may be about to give it back; else somebody may be about to end who
        has not chosen yet."""
        walker = self._walker
        waiting = walker.standing(state, self._run[done][0])
        owner = walker.owner(state) if waiting is not None and waiting.sort == "loose" else None
        for thread in walker.choosing(state):
            if owner is None or thread == owner:
                return self._ways(number, done, state, thread)
        standing = None if owner is None else walker.standing(state, owner)
        if owner is None or standing is None or standing.sort != "loose":
            return []
        return self._steps(number, done, state, owner)

    def _end(self, number: int, state: State) -> list[Arc]:
        """The last state. Where it shows nothing yet, those choose who have moved; others choose as the known acts say, or there would be
        no end to it. Who waited in the end and does not do so now is in no deadlock."""
        walker = self._walker
        if walker.violated(state) or walker.deadlocked(state):
            return [Arc(number, (), None)]
        choosing = sorted(walker.choosing(state), key=lambda thread: -self._moves[thread])
        if any(thread not in choosing and walker.can_move(state, thread) for thread in self._waiting):
            return []
        choosing = [thread for thread in choosing if thread in self._waiting or not self._waiting]
        if not choosing:
            return []
        ways = self._ways(number, len(self._run), state, choosing[0])
        return ways if self._moves[choosing[0]] else ways[-1:]


def _useful(found: Diagram) -> Diagram:
    """What leads to a violation, without the nodes that only pass on."""
    out: dict[int, list[Arc]] = {}
    into: dict[int | None, list[int]] = {}
    for arc in found.arcs:
        out.setdefault(arc.source, []).append(arc)
        into.setdefault(arc.target, []).append(arc.source)
    bad = _before(into)
    left = {source: [arc for arc in arcs if arc.target is None or arc.target in bad] for source, arcs in out.items() if source in bad}
    passing = {source: arcs[0].target for source, arcs in left.items() if len(arcs) == 1 and not arcs[0].rests and source != found.root}
    arcs = [
        Arc(arc.source, arc.rests, _end_of(passing, arc.target)) for source, some in left.items() if source not in passing for arc in some
    ]
    return Diagram(found.root, arcs if found.root in bad else [])


def _before(into: Mapping[int | None, Sequence[int]]) -> set[int]:
    """The nodes from which one gets to a violation."""
    found: set[int] = set()
    todo = list(into.get(None, ()))
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += into.get(node, ())
    return found


def _end_of(passing: Mapping[int, int | None], node: int | None) -> int | None:
    while node is not None and node in passing:
        node = passing[node]
    return node
