"""Explicit states: explores every reachable state, and so proves, or finds violations, the shortest as far as that is within reach.

In: a program and options. Out: findings, progress, statistics. It stands on the interpreter alone and knows no solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from formal.diagnostics import InternalError
from formal.engines import fairness
from formal.engines.exploration import Exploration, OutOfMemory
from formal.engines.looking import Looking
from formal.engines.protocol import MERGING, SYMMETRY, Finding, Options, Progress, Statistics, Tell
from formal.engines.scout import FEW, FEW_ALIKE, Scout
from formal.engines.shortest import Shortest
from formal.engines.survey import Survey, survey
from formal.engines.witnesses import CROWDED, Witnessed, Witnesses
from formal.interp import Machine, State, Symmetry
from formal.program import DEADLOCKS, Expr, Program, Property
from formal.verdict import Move, Trace, Verdict

__all__ = ["Survey", "run", "survey"]


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles the properties asked for, as far as memory and depth allow."""
    search = _Search(program, options, tell)
    try:
        search.explore_reduced()
        search.explore()
        search.conclude()
    except OutOfMemory:
        search.give_up()
    search.statistics()


@dataclass(slots=True)
class _Found:
    """Where a property is violated, in the first level in which it is: at states, or in steps of a thread from states."""

    states: list[int] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)


class _Search:
    def __init__(self, program: Program, options: Options, tell: Tell) -> None:
        asked = set(options.properties)
        self._properties = [prop for prop in program.properties if prop.name in asked]
        self._open = {prop.name: prop for prop in self._properties}
        self._tell = tell
        self._depth = options.depth
        self._memory = options.memory
        safety = [prop for prop in self._properties if prop.kind != "liveness"]
        # Steps matter, one by one: for --depth, and for liveness, for which all states are explored, where that can be hoped for.
        single = options.depth is not None or (len(safety) < len(self._properties) and len(program.threads) < CROWDED)
        self._merge = MERGING not in options.without and not single
        self._fold = SYMMETRY not in options.without and not single
        self._exploration = Exploration(Machine(program), options.memory)
        self._looking = Looking(self._exploration.machine, self._properties)
        self._shortest = Shortest(self._exploration)
        self._witnesses = Witnesses(self._exploration.machine, safety, options.memory, merge=self._merge, fold=self._fold)
        self._hunts = True  # once, where a search grows too fast to come as deep as deadlocks may be,
        self._glanced = False  # and before that once for a while
        self._reduced: dict[str, int] = {}  # figures of the searches that leave something out
        self._found: dict[str, _Found] = {}
        self._watch()

    def _watch(self) -> None:
        """What is still to be looked for."""
        self._looking.watch(self._open)
        self._errors = {name for name, prop in self._open.items() if prop.kind not in ("deadlock", "invariant", "liveness")}

    # ------------------------------------------------------------ safety

    def explore_reduced(self) -> None:
        """Settles what a search can settle that leaves something out: it proves; what it finds violated, the plain search finds too, and
        says in how few steps. Few states are explored plainly at once. Raises OutOfMemory."""
        if not ((self._merge or self._fold) and self._more):
            return
        ways = self._ways()
        few = (FEW_ALIKE if ways[0] else FEW) // len(self._exploration.machine.program.threads)
        self.explore(lambda: self._exploration.coming >= few)
        for symmetry in ways:
            if self._more:
                self._send(Scout(self._exploration.machine, self._safety.values(), self._memory, symmetry, merge=self._merge))

    def _ways(self) -> list[Symmetry | None]:
        """What is taken for the same, one search after the other: what adds executions may come to nothing."""
        found: list[Symmetry | None] = []
        for exact in (False, True) if self._fold else ():
            symmetry = self._exploration.machine.symmetry(self._conditions(), exact=exact)
            if symmetry:
                found.append(symmetry)
                if symmetry.exact:
                    return found
        return [*found, None] if self._merge else found

    @property
    def _safety(self) -> dict[str, Property]:
        """What is open and can be told from less than all states."""
        return {name: prop for name, prop in self._open.items() if prop.kind != "liveness"}

    @property
    def _more(self) -> bool:
        return bool(self._safety) and not self._exploration.exhausted

    def _conditions(self) -> list[Expr]:
        return [prop.condition for prop in self._safety.values() if prop.condition is not None]

    def _send(self, scout: Scout) -> None:
        """Lets a scout tell what it can. Raises OutOfMemory."""
        try:
            self._follow(scout)
        finally:
            figures = {"states": scout.states, "transitions": scout.transitions, "depth": scout.depth - 1}
            self._reduced |= {f"{scout.kind} {name}": figure for name, figure in figures.items()}

    def _follow(self, scout: Scout) -> None:
        """Level by level, as long as it can tell something. Raises OutOfMemory."""
        while set(self._safety) - scout.doubtful and not scout.exhausted and not self._exploration.exhausted:
            if scout.grows:
                self._hunt(scout)
            violated = scout.expand(self._safety)
            if scout.useless:
                return
            if scout.sure:
                self._settle_violated(violated, scout)
            elif violated:
                scout.doubtful.update(self._settle_soon(violated))
            self._tell(Progress(self._covered(scout), f"{scout.states:,} states, {scout.leaves_out}"))
        if scout.exhausted:
            explored = _explored(scout.states, scout.transitions, scout.depth - 1)
            for name in set(self._safety) - scout.doubtful:
                self._settle(name, Verdict.PROVED, None, f"{explored}; {scout.counts}")
            self._watch()

    def _hunt(self, scout: Scout) -> None:
        """Looks for deadlocks where a search grows too fast to come as deep as they may be; where there are many threads at once, if only
        for a while. Raises OutOfMemory."""
        deadlocks = [name for name in DEADLOCKS if name in self._open]
        if scout.large and self._hunts:
            self._hunts = False
            self._settle_soon(self._witnesses.hunt(deadlocks, thorough=False))
        elif self._witnesses.crowded and not self._glanced:
            self._glanced = True
            self._settle_soon(self._witnesses.hunt(deadlocks, thorough=False, soon=True))

    def _settle_violated(self, names: set[str], scout: Scout) -> None:
        """These are violated: if nothing else tells how, the plain search goes on until it has found them. Raises OutOfMemory."""
        left = self._settle_soon(names, scout)
        self.explore(lambda: left.isdisjoint(self._open))
        missing = left.intersection(self._open)
        if missing:
            raise InternalError(f"violated where something is left out, and nowhere else: {', '.join(sorted(missing))}")

    def _settle_soon(self, names: set[str], scout: Scout | None = None) -> set[str]:
        """Settles these if an execution is found soon, a shortest one first; if none is, that of a `scout` who is sure of them. Those for
        which there is none. Raises OutOfMemory."""
        if names:
            self._settle_found(self._witnesses.best(sorted(names)))
            most = self._witnesses.most_plain(names)
            self.explore(lambda: names.isdisjoint(self._open) or self._exploration.coming >= most)
            left = sorted(names.intersection(self._open))
            if scout is not None:
                self._witnesses.offer(scout.executions(left))
            self._settle_found(self._witnesses.some(left))
        return names.intersection(self._open)

    def _settle_found(self, found: Iterable[Witnessed]) -> None:
        view = self._exploration.machine.view
        for one in found:
            moves = tuple(Move(thread, None if state is None else view(state)) for thread, state in one.steps)
            reason = "a shortest execution" if one.shortest else "an execution that is not known to be the shortest"
            self._settle(one.name, Verdict.VIOLATED, len(moves), reason, Trace(one.name, moves), shortest=one.shortest)
        self._watch()

    def _covered(self, scout: Scout) -> int:
        """Steps in which nothing open is violated: merged steps are at least as many as their levels."""
        plain = self._exploration.depth - 1
        return plain if scout.doubtful.intersection(self._open) else max(plain, scout.depth - 1)

    def explore(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Level by level, until nothing is left to be found or to be explored, or it is enough. Raises OutOfMemory."""
        while self._open and not enough() and not self._exploration.exhausted:
            depth = self._exploration.depth
            if self._depth is not None and depth > self._depth:
                break
            self._exploration.expand(self._visit, self._err)
            self._tell_found(depth)
            covered = depth if self._depth is None else min(depth, self._depth)
            self._tell(Progress(covered, f"{len(self._exploration.states):,} states"))

    def _visit(self, number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        for name in self._looking.at(state, waiting, moving):
            self._found.setdefault(name, _Found()).states.append(number)

    def _err(self, number: int, thread: int, prop: str) -> None:
        if prop in self._errors:
            self._found.setdefault(prop, _Found()).steps.append((number, thread))

    def _tell_found(self, depth: int) -> None:
        """The violations in this level's states, and in the steps from them."""
        for name, found in sorted(self._found.items()):
            if found.states:
                moves = self._moves(self._shortest.to_state(found.states, depth))
            elif self._depth is not None and depth + 1 > self._depth:
                continue  # violated, but one step later than was asked for
            else:
                path, thread = self._shortest.to_step(found.steps, depth)
                moves = (*self._moves(path), Move(thread, None))
            self._settle(name, Verdict.VIOLATED, len(moves), "a shortest execution", Trace(name, moves))
        self._watch()

    def _moves(self, path: list[tuple[int, int]]) -> tuple[Move, ...]:
        exploration = self._exploration
        return tuple(Move(thread, exploration.machine.view(exploration.states[number])) for thread, number in path)

    def _settle(
        self, name: str, verdict: Verdict, depth: int | None, reason: str, trace: Trace | None = None, *, shortest: bool = True
    ) -> None:
        del self._open[name]
        self._found.pop(name, None)
        self._tell(Finding(name, verdict, depth, reason, trace, shortest))

    # ------------------------------------------------------------ the end

    def conclude(self) -> None:
        """What was not violated is proved, if all was explored. Raises OutOfMemory."""
        exploration = self._exploration
        explored = f"{_count(len(exploration.states), 'reachable state')} and {_count(exploration.transitions, 'transition')}"
        for name, prop in list(self._open.items()):
            if prop.kind == "liveness":
                self._live(prop, explored)
            elif name in self._found or not exploration.exhausted:
                self._settle(name, Verdict.PROVED_UP_TO, self._depth, f"no violation within {_count(self._depth or 0, 'step')}")
            else:
                reason = _explored(len(exploration.states), exploration.transitions, exploration.depth - 1)
                self._settle(name, Verdict.PROVED, None, reason)

    def _live(self, prop: Property, explored: str) -> None:
        lasso = fairness.find_lasso(self._exploration, prop)
        if lasso is not None and (self._depth is None or len(lasso.path) <= self._depth):
            moves = self._moves(lasso.path)
            reason = "a shortest fair execution for ever" if lasso.shortest else "a fair execution for ever, perhaps not the shortest"
            self._settle(prop.name, Verdict.VIOLATED, len(moves), reason, Trace(prop.name, moves, lasso.loop_to))
        elif self._exploration.exhausted and lasso is None:
            self._settle(prop.name, Verdict.PROVED, None, f"no fair cycle in {explored}")
        else:
            reason = f"not all states were explored within {self._depth} steps; try without --depth"
            self._settle(prop.name, Verdict.UNDECIDED, None, reason)

    def give_up(self) -> None:
        """Memory is used up."""
        states = len(self._exploration.states) + sum(figure for name, figure in self._reduced.items() if name.endswith(" states"))
        for name in list(self._open):
            reason = f"{states:,} states took more than {self._memory:,} MiB; try smaller parameters, --depth, or another engine"
            self._settle(name, Verdict.UNDECIDED, None, reason)

    def statistics(self) -> None:
        """Figures of the search."""
        exploration = self._exploration
        depth = exploration.depth - 1 if exploration.exhausted else exploration.depth
        figures = {"states": len(exploration.states), "transitions": exploration.transitions, "depth": depth}
        self._tell(Statistics(figures | self._reduced))


def _explored(states: int, transitions: int, depth: int) -> str:
    return f"all {_count(states, 'reachable state')} and {_count(transitions, 'transition')} were explored (depth {depth})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
