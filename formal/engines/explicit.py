"""Explicit states: explores every reachable state, and so proves, or finds the shortest violation.

In: a program and options. Out: findings, progress, statistics. It stands on the interpreter alone and knows no solver.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from formal.engines import fairness
from formal.engines.exploration import Exploration, OutOfMemory
from formal.engines.protocol import Finding, Options, Progress, Statistics, Tell
from formal.engines.shortest import Shortest
from formal.engines.survey import Survey, survey
from formal.interp import State
from formal.program import Program, Property
from formal.verdict import Move, Trace, Verdict

__all__ = ["Survey", "run", "survey"]


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles the properties asked for, as far as memory and depth allow."""
    search = _Search(program, options, tell)
    try:
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
        self._exploration = Exploration(program, options.memory)
        self._shortest = Shortest(self._exploration)
        self._found: dict[str, _Found] = {}
        self._watch()

    def _watch(self) -> None:
        """What is still to be looked for."""
        self._deadlocks = [name for name, prop in self._open.items() if prop.kind == "deadlock"]
        self._invariants = [name for name, prop in self._open.items() if prop.kind == "invariant"]
        self._errors = {name for name, prop in self._open.items() if prop.kind not in ("deadlock", "invariant", "liveness")}
        machine = self._exploration.machine
        self._tests = [(name, machine.condition(c)) for name in self._invariants if (c := self._open[name].condition) is not None]

    # ------------------------------------------------------------ safety

    def explore(self) -> None:
        """Level by level, until nothing is left to be found or to be explored. Raises OutOfMemory."""
        while self._open and not self._exploration.exhausted and (self._depth is None or self._exploration.depth <= self._depth):
            depth = self._exploration.depth
            self._exploration.expand(self._visit, self._err)
            self._tell_found(depth)
            covered = depth if self._depth is None else min(depth, self._depth)
            self._tell(Progress(covered, f"{len(self._exploration.states):,} states"))

    def _visit(self, number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        for name, holds in self._tests:
            if not holds(state):
                self._found.setdefault(name, _Found()).states.append(number)
        if waiting and self._deadlocks:
            for name in self._exploration.machine.deadlocked(state, waiting, moving, self._deadlocks):
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

    def _settle(self, name: str, verdict: Verdict, depth: int | None, reason: str, trace: Trace | None = None) -> None:
        del self._open[name]
        self._found.pop(name, None)
        self._tell(Finding(name, verdict, depth, reason, trace))

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
                reason = f"all {explored} were explored (depth {exploration.depth - 1})"
                self._settle(name, Verdict.PROVED, None, reason)

    def _live(self, prop: Property, explored: str) -> None:
        lasso = fairness.find_lasso(self._exploration, prop)
        if lasso is not None and (self._depth is None or len(lasso.path) <= self._depth):
            moves = self._moves(lasso.path)
            self._settle(prop.name, Verdict.VIOLATED, len(moves), "a fair execution for ever", Trace(prop.name, moves, lasso.loop_to))
        elif self._exploration.exhausted and lasso is None:
            self._settle(prop.name, Verdict.PROVED, None, f"no fair cycle in {explored}")
        else:
            reason = f"not all states were explored within {self._depth} steps; try without --depth"
            self._settle(prop.name, Verdict.UNDECIDED, None, reason)

    def give_up(self) -> None:
        """Memory is used up."""
        states = len(self._exploration.states)
        for name in list(self._open):
            reason = f"{states:,} states took more than {self._memory:,} MiB; try smaller parameters, --depth, or another engine"
            self._settle(name, Verdict.UNDECIDED, None, reason)

    def statistics(self) -> None:
        """Figures of the search."""
        exploration = self._exploration
        depth = exploration.depth - 1 if exploration.exhausted else exploration.depth
        self._tell(Statistics({"states": len(exploration.states), "transitions": exploration.transitions, "depth": depth}))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
