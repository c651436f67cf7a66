"""An `atomic` as one step: its inner nodes executed one after the other on a state in the middle of the step.

In: an atomic's node. Out: outcomes, like those of any statement, and whether the atomic can be executed at all. Paths that meet are merged;
a `while` is unrolled as far as one step may test it. It must not know what the other statements do.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from formal.program import ATOMIC, MAX_ATOMIC_TESTS, Atomic, While
from formal.smt.cfg import EXIT, EncodingLimitError, Node
from formal.smt.layout import Cell
from formal.smt.outcomes import Ends, Fails, Goes, Outcome, Pick, Waits
from formal.smt.scene import Scene, State
from formal.smt.statements import run_statement
from formal.smt.terms import Bool, Num, Value, add, any_of, both, choose, choose_truth, less, negation, number

MAX_EXECUTIONS = 4000  # statements executed symbolically in one atomic

Rank: TypeAlias = tuple[int, ...]
Key: TypeAlias = tuple[int, tuple[int, ...]]  # a node, and the iteration of each loop around it


@dataclass(frozen=True, slots=True, eq=False)
class _Arrival:
    """A path that has come to a node."""

    condition: Bool
    state: State
    changed: Bool


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """The inner nodes of one atomic, in an order in which control flows, and counters for the `while`s that it meets in several ways."""

    nodes: Mapping[int, Node]
    position: Mapping[int, int]
    heads: Mapping[int, int]  # loop -> its test's position
    counters: Mapping[int, Cell]  # uid of a while -> how often it was tested in this step


def _region(scene: Scene, node: Node) -> _Region:
    def inside(ident: int) -> bool:
        other = scene.cfg.nodes.get(ident)
        return other is not None and other.inner

    finished: dict[int, None] = {}
    entered: set[int] = set()
    stack = [(node.targets[0], False)] if inside(node.targets[0]) else []
    while stack:  # depth-first, a test's way out before its body: in the reverse of the finishing order, bodies precede what follows
        ident, done = stack.pop()
        if done:
            finished[ident] = None
        elif ident not in entered:
            entered.add(ident)
            stack.append((ident, True))
            stack += [(target, False) for target in scene.cfg.nodes[ident].targets if inside(target) and target not in entered]
    order = list(reversed(finished))
    nodes = {ident: scene.cfg.nodes[ident] for ident in order}
    position = {ident: i for i, ident in enumerate(order)}
    tests = [n for n in nodes.values() if isinstance(n.stmt, While)]
    heads = {n.site.loops[-1]: position[n.id] for n in tests}
    seen = Counter(n.info.uid for n in tests)
    again = [n.info.uid for n in tests if seen[n.info.uid] > 1 or len(n.site.loops) > 1]
    counters = {uid: Cell(f"tests.{uid}", False, 0, MAX_ATOMIC_TESTS, number(0), 0) for uid in again}
    return _Region(nodes, position, heads, counters)


@dataclass(slots=True, eq=False)
class _Walk:
    """One symbolic execution of a region. `angelic`: every choice is taken, and paths are kept apart by their state, up to
    the first change."""

    scene: Scene
    region: _Region
    fresh_pick: Callable[[], Pick]
    angelic: bool
    queue: list[tuple[Rank, int, Key]]
    arrivals: dict[Key, list[_Arrival]]
    outcomes: list[Outcome]
    executed: int = 0

    def rank(self, key: Key) -> Rank:
        ident, iterations = key
        parts: list[int] = []
        for loop, iteration in zip(self.region.nodes[ident].site.loops, iterations, strict=True):
            parts += [self.region.heads[loop], iteration]
        return (*parts, self.region.position[ident])

    def arrive(self, key: Key, arrival: _Arrival) -> None:
        if key not in self.arrivals:
            self.arrivals[key] = []
            heapq.heappush(self.queue, (self.rank(key), key[0], key))
        self.arrivals[key].append(arrival)

    def run(self, entry: int) -> list[Outcome]:
        self.arrive(self.successor(None, entry), _Arrival(True, State(), False))
        while self.queue:
            _, ident, key = heapq.heappop(self.queue)
            arrivals = self.arrivals.pop(key)
            for arrival in _kept_apart(arrivals) if self.angelic else [_merged(arrivals)]:
                self.execute(self.region.nodes[ident], key, arrival)
        return self.outcomes

    def successor(self, key: Key | None, target: int) -> Key:
        """The key of a target: loops it is within keep their iteration, one whose test it is counts up, new ones begin."""
        loops = self.region.nodes[target].site.loops
        if key is None:
            return target, (0,) * len(loops)
        old = dict(zip(self.region.nodes[key[0]].site.loops, key[1], strict=True))
        iterations = [old.get(loop, 0) for loop in loops]
        if loops and isinstance(self.region.nodes[target].stmt, While) and loops[-1] in old:
            iterations[-1] += 1
        return target, tuple(iterations)

    def execute(self, node: Node, key: Key, arrival: _Arrival) -> None:
        self.executed += 1
        if self.executed > MAX_EXECUTIONS:
            raise EncodingLimitError(f"an atomic of more than {MAX_EXECUTIONS} statements in one step")
        state = self.tested(node, key, arrival)
        if state is None:
            return
        for outcome in run_statement(self.scene, node, state, self.fresh_pick()):
            self.follow(outcome, key, arrival)

    def tested(self, node: Node, key: Key, arrival: _Arrival) -> State | None:
        """Counts the tests of a `while`; None when this one is surely too many."""
        if not isinstance(node.stmt, While):
            return arrival.state
        if key[1][-1] >= MAX_ATOMIC_TESTS:
            self.fail(arrival.condition)
            return None
        cell = self.region.counters.get(node.info.uid)
        if cell is None:
            return arrival.state
        count: Num = arrival.state.read(cell)
        self.fail(both(arrival.condition, negation(less(count, number(MAX_ATOMIC_TESTS)))))
        if count.lo >= MAX_ATOMIC_TESTS:
            return None
        return arrival.state.with_value(cell, add(count, number(1)))

    def fail(self, condition: Bool) -> None:
        if condition is not False:
            disabled = ATOMIC in self.scene.program.disabled
            self.outcomes.append(Ends(condition) if disabled else Fails(condition, ATOMIC))

    def follow(self, outcome: Outcome, key: Key, arrival: _Arrival) -> None:
        condition = both(arrival.condition, outcome.condition)
        if condition is False:
            return
        match outcome:
            case Fails():
                self.outcomes.append(Fails(condition, outcome.prop))
            case Ends():
                self.outcomes.append(Ends(condition))
            case Waits():
                self.fail(both(condition, arrival.changed))
                self.outcomes.append(Waits(both(condition, negation(arrival.changed))))
            case Goes():
                changed = True if outcome.changed else arrival.changed
                assert outcome.target is not None
                if outcome.target == EXIT or outcome.target not in self.region.nodes or (self.angelic and changed is True):
                    self.outcomes.append(Goes(condition, self.plain(outcome.state), outcome.target, True))
                else:
                    self.arrive(self.successor(key, outcome.target), _Arrival(condition, outcome.state, changed))

    def plain(self, state: State) -> State:
        """The state without this step's own counters."""
        counters = set(self.region.counters.values())
        return State({cell: value for cell, value in state.written.items() if cell not in counters})


def _merged(arrivals: list[_Arrival]) -> _Arrival:
    if len(arrivals) == 1:
        return arrivals[0]
    cells: dict[Cell, None] = {}
    for arrival in arrivals:
        cells.update(dict.fromkeys(arrival.state.written))
    last = arrivals[-1]
    written: dict[Cell, Value] = {}
    for cell in cells:
        value = last.state.read(cell)
        for arrival in reversed(arrivals[:-1]):
            value = choose(arrival.condition, arrival.state.read(cell), value)
        written[cell] = value
    changed = last.changed
    for arrival in reversed(arrivals[:-1]):
        changed = choose_truth(arrival.condition, arrival.changed, changed)
    return _Arrival(any_of([arrival.condition for arrival in arrivals]), State(written), changed)


def _kept_apart(arrivals: list[_Arrival]) -> list[_Arrival]:
    """Merges only paths with the same state."""
    groups: dict[tuple[tuple[str, object], ...], list[_Arrival]] = {}
    for arrival in arrivals:
        groups.setdefault(tuple((cell.name, _mark(value)) for cell, value in arrival.state.written.items()), []).append(arrival)
    return [_Arrival(any_of([a.condition for a in group]), group[0].state, group[0].changed) for group in groups.values()]


def _mark(value: Value) -> object:
    if isinstance(value, Num):
        return (value.lo, value.hi, None if value.term is None else value.term.get_id())
    return value if isinstance(value, bool) else value.get_id()


def run_atomic(scene: Scene, node: Node, fresh_pick: Callable[[], Pick], angelic: bool) -> list[Outcome]:
    """The outcomes of an atomic. `angelic`: no choices; instead everything that some choice brings about before anything is changed."""
    region = _region(scene, node)
    entry = node.targets[0]
    if entry not in region.nodes:
        return [Goes(True, State(), entry, False)]
    return _Walk(scene, region, fresh_pick, angelic, [], {}, []).run(entry)


def execute(scene: Scene, node: Node, fresh_pick: Callable[[], Pick]) -> list[Outcome]:
    """The outcomes of the step that a thread standing at this node takes."""
    if isinstance(node.stmt, Atomic):
        return run_atomic(scene, node, fresh_pick, False)
    return run_statement(scene, node, State(), fresh_pick())


def _every(_alternative: int, _count: int) -> Bool:
    return True


def blocked(scene: Scene, node: Node) -> Bool:
    """Whether a thread that stands at this node cannot move."""
    if isinstance(node.stmt, Atomic):
        outcomes = run_atomic(scene, node, lambda: _every, True)
        return negation(any_of([o.condition for o in outcomes if not isinstance(o, Waits)]))
    outcomes = run_statement(scene, node, State(), _every)
    return any_of([o.condition for o in outcomes if isinstance(o, Waits)])
