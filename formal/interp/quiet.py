"""Quiet steps: those that may be taken at once, together with the step that led to them, because nobody can tell when they are taken.

In: a program's steps and what they touch, and the invariants that are looked at. Out: the same steps with the quiet ones that follow them
taken too. Which errors and invariants can be violated stays the same, and so does whether some deadlock can be reached; how many steps it
takes does not. docs/decisions/005-merging.md says why. Must not know searches.

A step is quiet in a state if it goes on (it neither waits nor goes wrong), if nothing that another thread may do from where it stands is in
its way, and if no invariant can tell: none speaks of what it changes, or that one holds before it, and nobody else can change it. A chain
of quiet steps ends where it comes to a place for the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from formal.diagnostics import InternalError
from formal.interp.changes import Stop
from formal.interp.control import Controls
from formal.interp.environment import NOBODY, Env
from formal.interp.landing import Result, Run
from formal.interp.layout import FINISHED, NOT_SPAWNED, Layout, State
from formal.interp.reach import Effect, Effects
from formal.interp.references import Function
from formal.interp.symmetry import Symmetry
from formal.interp.touching import Touching, in_the_way
from formal.program import RANGE, Binary, Expr, MutexDecl, Quantifier, RwlockDecl

Compile: TypeAlias = Callable[[Expr, Env], Function]
ENDS: Final = 16  # of one merged step, behind which no more choices are taken with it
Came: TypeAlias = dict[State, tuple[int, State]]
Held: TypeAlias = tuple[int, ...]  # slots of locks that nobody but one thread can have as long as it does not move


@dataclass(frozen=True, slots=True)
class Blocker:
    """Another thread, what of it would be in the way, and whether it may do that, by where it stands."""

    thread: int
    unwanted: Effects
    known: dict[tuple[Held, int], bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blockers:
    """All other threads that may be in the way at some time, and whether one is, by where everybody stands."""

    each: tuple[Blocker, ...]
    known: dict[tuple[Held, State], bool] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.each)


@dataclass(frozen=True, slots=True)
class Look:
    """A part of an invariant that the step may change. It has to hold before, and nobody else may change it."""

    holds: Function
    blockers: Blockers


@dataclass(frozen=True, slots=True)
class Edge:
    """A step to one place: what would keep it from being quiet, beyond what would wherever it goes."""

    blockers: Blockers
    looks: tuple[Look, ...]
    enters: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """The step of one control, that may be quiet in some states. `spawned`: threads that it may start."""

    control: int
    thread: int
    run: Run
    effects: Effects
    spawned: tuple[int, ...]
    blockers: Blockers
    edges: dict[int, Edge] = field(default_factory=dict)


class Merging:
    """The merged steps of one program. `taken` counts the quiet steps."""

    def __init__(
        self,
        layout: Layout,
        controls: Controls,
        make: Callable[[frozenset[int]], Touching],
        run: Callable[[int], Run],
        compile_: Compile,
        invariants: Iterable[Expr],
        symmetry: Symmetry | None = None,
    ) -> None:
        program = self._program = layout.program
        self._controls = controls
        self._make = make
        self._all = make(frozenset())
        self._touching: dict[Held, Touching] = {(): self._all}
        self._run = run
        self._threads = range(len(program.threads))
        locks: tuple[MutexDecl | RwlockDecl, ...] = (*program.mutexes, *program.rwlocks)
        self._locks = [slot for lock in locks for slot in layout.slots(lock)]
        self._quiet: dict[int, Quiet | None] = {NOT_SPAWNED: None, FINISHED: None}
        spawns = [self._all.all(thread, NOT_SPAWNED) for thread in self._threads]
        self._spawners = [[other for other in self._threads if Effect("spawn", thread) in spawns[other]] for thread in self._threads]
        parts = [part for invariant in invariants for part in conjuncts(invariant, NOBODY)]
        self._parts = [(compile_(part, env), self._all.condition(part, env)) for part, env in parts]
        self._symmetry = symmetry
        self.taken = 0

    # ------------------------------------------------------------ merged steps

    def first(self, state: State) -> list[State]:
        """What to start from: every thread has taken the quiet steps that it starts with, up to a choice: all combinations of those are
        too many."""
        return self._close(state, tuple(self._threads), most=1)

    def step(self, control: int) -> Run:
        """The step from there, and the quiet ones behind it."""
        node = self._controls.nodes[control]
        assert node is not None
        thread, run = node.env.thread, self._run(control)
        movers = (*self._spawned(self._all.step(control)), thread)

        def merged(state: State) -> Sequence[Result]:
            found: list[Result] = []
            for choice, after in run(state):
                if isinstance(after, Stop):
                    found.append((choice, after))
                else:
                    found += [(choice, end) for end in self._close(after, movers, passed=(control,))]
            return found

        return merged

    def alone(self, state: State, thread: int) -> list[State] | None:
        """What comes of the thread's step if it is quiet; None if it is not, or the thread does not run."""
        control = state[thread]
        quiet = self._quiet[control] if control in self._quiet else self._learn(control)
        return None if quiet is None else self._after(quiet, state)

    def lets(self, state: State, thread: int, ends: Sequence[State], other: int, control: int) -> bool:
        """Whether another thread, if it stood there, would not be in the way of this one's step, which is quiet otherwise and leads to
        these states; where a part of an invariant has to be looked at, that is not known."""
        quiet = self._quiet[state[thread]]
        if quiet is None:
            raise InternalError("no quiet step is taken from there")
        edges = [quiet.edges[end[thread]] for end in ends]
        if any(edge.looks for edge in edges):
            return False
        held = self._held(state, thread)
        for blockers in (quiet.blockers, *(edge.blockers for edge in edges)):
            for blocker in blockers.each:
                there = control if blocker.thread == other else state[blocker.thread]
                starts = there <= FINISHED and Effect("spawn", blocker.thread) in self._others(held).all(other, control)
                if (blocker.thread == other or starts) and self._would_block(blocker, held, there):
                    return False
        return True

    def from_start(self, first: State, end: State) -> list[tuple[int, State]]:
        """The quiet steps, one by one, from the first state to one of those that are started from: who takes each, and what comes of it."""
        came: Came = {}
        self._close(first, tuple(self._threads), came, most=1)
        return _back(came, first, end)

    def one_by_one(self, state: State, thread: int, end: State) -> list[tuple[int, State]]:
        """The steps that one of a thread's merged steps is made of: who takes each, and what comes of it."""
        control = state[thread]
        movers = (*self._spawned(self._all.step(control)), thread)
        for _, after in self._run(control)(state):
            came: Came = {}
            if not isinstance(after, Stop) and end in self._close(after, movers, came, passed=(control,)):
                return [(thread, after), *_back(came, after, end)]
        raise InternalError("no merged step leads there")

    def _close(
        self, state: State, movers: tuple[int, ...], came: Came | None = None, most: int = ENDS, passed: tuple[int, ...] = ()
    ) -> list[State]:
        """The states in which none of these threads has a quiet step any more, or only one from where it has been (`passed`: before).
        `came` is told of each state behind a quiet step who has taken it, and from where. Where there are as many as `most`, steps that may
        go several ways are left for later."""
        ends: list[State] = []
        todo: list[tuple[State, tuple[int, ...], tuple[int, ...]]] = [(state, movers, passed)]
        while todo:
            state, movers, passed = todo.pop()
            while movers:
                control = state[movers[-1]]
                quiet = self._quiet[control] if control in self._quiet else self._learn(control)
                after = None if quiet is None or control in passed else self._after(quiet, state)
                if quiet is None or after is None or (len(after) > 1 and len(ends) + len(todo) + 1 >= most):
                    movers = movers[:-1]
                    continue
                self.taken += 1
                passed = (*passed, control)
                if quiet.spawned:
                    movers = (*quiet.spawned, *movers)
                if came is not None:
                    for other in after:
                        came.setdefault(other, (quiet.thread, state))
                state = after[0]
                if len(after) > 1:
                    todo += [(other, movers, passed) for other in after[1:]]
            ends.append(state)
        return ends

    def _after(self, quiet: Quiet, state: State, *, together: bool = True) -> list[State] | None:
        """What comes of this step, if it is quiet in this state, and (`together`) in those that are alike."""
        thread = quiet.thread
        held = self._held(state, thread)
        if self._blocked(quiet.blockers, thread, held, state):
            return None
        found: list[State] = []
        for _, after in quiet.run(state):
            if isinstance(after, Stop):
                return None
            edge = quiet.edges.get(after[thread])
            if edge is None:
                edge = self._edge(quiet, after[thread])
            if (edge.blockers or edge.looks) and not self._passes(edge, thread, held, state):
                return None
            if edge.enters and together:
                return self._alike(quiet, state)
            found.append(after)
        return found or None

    def _alike(self, quiet: Quiet, state: State) -> list[State] | None:
        """What comes of this step here and where it is alike, if it is quiet everywhere."""
        assert self._symmetry is not None
        found: list[State] = []
        for thread, other in self._symmetry.alike(state, quiet.thread):
            after = self._after(quiet, other, together=False) if thread == quiet.thread and other[thread] == quiet.control else None
            if after is None:
                return None
            found += after
        return found

    def _enters(self, before: int, after: int) -> bool:
        """Whether a `for` comes to another element there, which may be any that is alike."""
        return self._symmetry is not None and self._symmetry.enters(before, after)

    def _passes(self, edge: Edge, thread: int, held: Held, state: State) -> bool:
        if self._blocked(edge.blockers, thread, held, state):
            return False
        return all(not self._blocked(look.blockers, thread, held, state) and look.holds(state) for look in edge.looks)

    # ------------------------------------------------------------ the other threads

    def _held(self, state: State, thread: int) -> Held:
        """What this thread has alone: nobody else gets past taking it."""
        return tuple([slot for slot in self._locks if state[slot] == thread])

    def _others(self, held: Held) -> Touching:
        found = self._touching.get(held)
        if found is None:
            found = self._touching[held] = self._make(frozenset(held))
        return found

    def _blocked(self, blockers: Blockers, thread: int, held: Held, state: State) -> bool:
        """Whether some thread may still do, without this one moving, what is in the way."""
        if not blockers:
            return False
        key = (held, state[: len(self._threads)])
        found = blockers.known.get(key)
        if found is None:
            found = blockers.known[key] = self._some_blocks(blockers, thread, held, state)
        return found

    def _some_blocks(self, blockers: Blockers, thread: int, held: Held, state: State) -> bool:
        for blocker in blockers.each:
            control = state[blocker.thread]
            if self._would_block(blocker, held, control) and (control > FINISHED or self._may_start(blocker.thread, thread, held, state)):
                return True
        return False

    def _would_block(self, blocker: Blocker, held: Held, control: int) -> bool:
        """Whether the other thread, standing there or started again, may do what is in the way."""
        key = (held, control)
        blocked = blocker.known.get(key)
        if blocked is None:
            others = self._others(held).all(blocker.thread, control)
            blocked = blocker.known[key] = not blocker.unwanted.isdisjoint(others)
        return blocked

    def _may_start(self, dormant: int, thread: int, held: Held, state: State) -> bool:
        """Whether some thread other than this one may still spawn the dormant one."""
        spawn, touching = Effect("spawn", dormant), self._others(held)
        return any(spawn in touching.all(other, state[other]) for other in self._spawners[dormant] if other != thread)

    def _blockers(self, effects: Effects, thread: int) -> Blockers:
        """The threads that may be in the way at some time."""
        unwanted = in_the_way(effects)
        others = [other for other in self._threads if other != thread]
        return Blockers(tuple(Blocker(other, unwanted) for other in others if not unwanted.isdisjoint(self._all.all(other, NOT_SPAWNED))))

    # ------------------------------------------------------------ steps

    def _learn(self, control: int) -> Quiet | None:
        node = self._controls.nodes[control]
        assert node is not None
        thread = node.env.thread
        effects = self._all.step(control) | {self._passing(control, thread)}
        quiet = None
        spawned = self._spawned(effects)
        silent = RANGE in self._program.disabled and any(effect.kind in ("post", "schedule") for effect in effects)
        if not silent and not any(self._enters(NOT_SPAWNED, self._controls.start(other).control) for other in spawned):
            quiet = Quiet(control, thread, self._run(control), effects, spawned, self._blockers(effects, thread))
        self._quiet[control] = quiet
        return quiet

    def _edge(self, quiet: Quiet, after: int) -> Edge:
        thread = quiet.thread
        arrival = frozenset((Effect("finishes", thread) if after == FINISHED else self._passing(after, thread),))
        effects = quiet.effects | arrival
        unwanted = in_the_way(effects)
        looks = [self._look(holds, topics, thread) for holds, topics in self._parts if not unwanted.isdisjoint(topics)]
        edge = quiet.edges[after] = Edge(self._blockers(arrival, thread), tuple(looks), self._enters(quiet.control, after))
        return edge

    def _look(self, holds: Function, topics: Effects, thread: int) -> Look:
        return Look(holds, self._blockers(topics, thread))

    def _passing(self, control: int, thread: int) -> Effect:
        return Effect("passes", self._all.place(thread, self._controls.uids[control]))

    def _spawned(self, effects: Effects) -> tuple[int, ...]:
        return tuple(sorted(effect.object for effect in effects if effect.kind == "spawn"))


def _back(came: Came, first: State, end: State) -> list[tuple[int, State]]:
    """The way to the end; it is found from there."""
    found: list[tuple[int, State]] = []
    while end != first:
        thread, before = came[end]
        found.append((thread, end))
        end = before
    found.reverse()
    return found


def conjuncts(expr: Expr, env: Env) -> Iterator[tuple[Expr, Env]]:
    """Conditions that all hold exactly if this one does (undefined counts as false), and where their names are looked up."""
    match expr:
        case Binary(op="&&", left=left, right=right):
            yield from conjuncts(left, env)
            yield from conjuncts(right, env)
        case Quantifier(kind="forall", binder=binder, domain=domain, body=body):
            for value in domain:
                yield from conjuncts(body, env.bind(binder, value))
        case _:
            yield expr, env
