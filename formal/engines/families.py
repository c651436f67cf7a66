"""Families of any size: proves for every number of threads of a family, from some number on, at the cost of a few of them.

In: a program in which parameters say how many there are of something, and options. Out: findings, progress, statistics. It explores the
program of the same text with few members, where alike ones stand for any number of them (docs/decisions/009-families.md). What it finds
violated may be no violation: then it is undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.engines.exploration import FIRST_PLACE, LOOK_UP_EVERY, OutOfMemory, look_at_memory
from formal.engines.protocol import MERGING, Finding, Options, Progress, Statistics, Tell
from formal.frontend import resized
from formal.interp import Entangled, Machine, State, Stop, TooFew, Uncountable, counts
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, RANGE, Binary, BoolType, Expr, Program, Property
from formal.verdict import Verdict

FIRST: Final = 6  # members of the smallest program that is tried
MOST: Final = 14  # and of the largest
NESTS: Final = 40  # members at which bottom halves of theirs that nest would nest deeper than any bound

Step: TypeAlias = tuple[State, int, State]  # before, the thread, after


class Unsuited(Exception):
    """Why nothing can be said: a sentence."""


def run(program: Program, options: Options, tell: Tell) -> None:
    """Proves those of the properties asked for that hold for every size."""
    asked = [prop for prop in program.properties if prop.name in set(options.properties)]
    try:
        if not options.as_written:
            raise Unsuited("the program is not what its text says, which cannot be read again with fewer members")
        members = family(program, options.extra)
        for size in range(FIRST, MOST + 1, 2):
            search = Search(members, asked, options, size)
            try:
                search.explore(tell)
            except TooFew:
                continue
            search.conclude(tell)
            return
        raise Unsuited(f"more than {MOST} members would have to be looked at")
    except Unsuited as problem:
        reason = str(problem)
    except Uncountable as problem:
        reason = str(problem)
    except Entangled:
        reason = "one step concerns several members of a family at once"
    except OutOfMemory:
        reason = f"it takes more than {options.memory:,} MiB"
    for prop in asked:
        tell(Finding(prop.name, Verdict.UNDECIDED, None, reason))


@dataclass(frozen=True, slots=True)
class Family:
    """A program, the parameters that count what can be counted, and the least of their values."""

    program: Program
    names: tuple[str, ...]
    least: int
    extra: tuple[str, ...]

    def small(self, size: int) -> Program:
        """The program with so many members. Raises Unsuited."""
        found = resized(self.program, dict.fromkeys(self.names, size), self.extra)
        if found is None:
            raise Unsuited("the model's text is not at hand, or does not load with other numbers of members")
        return found


def family(program: Program, extra: tuple[str, ...]) -> Family:
    """What of a program can be counted. Raises Unsuited."""
    problems: list[str] = []
    names: list[str] = []
    for name, counted in program.counts.items():
        value = program.parameters[name]
        if not counted.names or not isinstance(value, int) or value < FIRST:
            continue
        if counted.otherwise is not None:
            place = f"{counted.otherwise.source.path}:{counted.otherwise.line}"
            problems.append(f"{name} says more than how many there are of something ({place})")
            continue
        members = Family(program, (name,), value, extra)
        try:
            small = members.small(FIRST)
            deep = members.small(NESTS if counted.high is None else min(NESTS, counted.high))
            if (deep.bh_nesting, _names(deep)) != (small.bh_nesting, _names(small)):
                raise Uncountable("how deep bottom halves nest depends on how many there are")
            Machine(small).countable(counted.names, _conditions(small))
        except Uncountable as problem:
            problems.append(f"{name}: {problem}")
        else:
            names.append(name)
    if not names:
        raise Unsuited("; ".join(problems) or f"no parameter counts {FIRST} members or more")
    return Family(program, tuple(names), min(int(program.parameters[name]) for name in names), extra)


def _noticing(condition: Expr) -> Expr:
    """What quiet steps must not touch. Between two states that are looked at, fewer members of a crowd may be shown than are meant: so no
    step is quiet that changes what a count rests on."""
    return Binary("!=", condition, condition, BoolType(), condition.span) if counts(condition) else condition


def _names(program: Program) -> list[str]:
    return [prop.name for prop in program.properties]


def _conditions(program: Program) -> Iterable[Expr]:
    return [prop.condition for prop in program.properties if prop.condition is not None and prop.kind == "invariant"]


class Search:
    """One search, with so many members of each family that can be counted."""

    def __init__(self, family: Family, asked: Sequence[Property], options: Options, size: int) -> None:
        self._options = options
        self._size = size
        self._names = family.names
        if size > family.least:
            raise Unsuited(f"{' and '.join(family.names)}: too few to be counted")
        small = family.small(size)
        machine = self._machine = Machine(small)
        counted = frozenset().union(*(small.counts[name].names for name in family.names))
        found = machine.countable(counted, _conditions(small))
        self._crowds = machine.crowds(found)
        self._threads = range(len(small.threads))
        kinds = {prop.name: prop for prop in asked}
        own = [prop for prop in small.properties if prop.name in kinds]
        self._tests = [(prop.name, self._machine.condition(prop.condition)) for prop in own if prop.kind == "invariant" and prop.condition]
        self._deadlocks = [prop.name for prop in own if prop.kind == "deadlock"]
        self._open = [prop.name for prop in asked if prop.kind != "liveness"]
        self._live = [prop.name for prop in asked if prop.kind == "liveness"]
        conditions = [_noticing(prop.condition) for prop in own if prop.kind == "invariant" and prop.condition is not None]
        # A `signal` is about one that cannot be told by what it does: of one step at a time at most one.
        self._merging = None if MERGING in options.without or found.wakes else self._machine.merging(conditions)
        self._doubtful: set[str] = set()
        self._states: dict[State, None] = {}
        self._transitions = 0

    def explore(self, tell: Tell) -> None:
        """All states. Raises TooFew, Entangled, OutOfMemory."""
        self._states = {self._crowds.first(self._machine.initial()): None}
        todo = list(self._states)
        while todo:
            state = todo.pop()
            for after in self._expand(state):
                if after not in self._states:
                    self._states[after] = None
                    todo.append(after)
                    if len(self._states) % LOOK_UP_EVERY == 0:
                        look_at_memory(self._options.memory)
                        tell(Progress(-1, f"{len(self._states):,} states of any number of members"))

    def _expand(self, state: State) -> Iterator[State]:
        """What comes of the steps from a state; looks at the state on the way."""
        waiting: list[int] = []
        moving: list[int] = []
        alike = self._crowds.alike(state)
        for thread in self._threads:
            control = state[thread]
            if control < FIRST_PLACE:
                continue
            if thread in alike:
                (moving if alike[thread] in moving else waiting).append(thread)
                continue
            results = self._machine.run(control)(state)
            (moving if results else waiting).append(thread)
            for _, after in results:
                self._transitions += 1
                if not isinstance(after, Stop):
                    yield from self._ends(state, thread, after)
                elif after.prop is not None:
                    self._doubtful.add(after.prop)
        self._doubtful.update(name for name, holds in self._tests if not holds(state))
        if waiting and self._deadlocks:
            self._doubtful.update(self._machine.deadlocked(state, waiting, moving, self._deadlocks))

    def _ends(self, before: State, thread: int, after: State) -> Iterator[State]:
        """What stands for the ends of a step and of the quiet ones behind it."""
        todo: list[tuple[tuple[Step, ...], tuple[int, ...]]] = [(((before, thread, after),), ())]
        while todo:
            steps, passed = todo.pop()
            here = steps[-1][2]
            found = None if self._merging is None or here[thread] in passed else self._merging.alone(here, thread)
            if found is None:
                yield from self._crowds.after(before, steps, here)
            else:
                todo += [((*steps, (here, thread, new)), (*passed, here[thread])) for new in found]

    def conclude(self, tell: Tell) -> None:
        """What was not violated is proved. First, from which sizes on: who asks about every size has to know."""
        sizes = " and ".join(f"every {name} >= {self._size}" for name in self._names)
        if self._merging is not None:
            if DEADLOCK_GLOBAL in self._doubtful:
                self._doubtful.add(DEADLOCK_PARTIAL)  # the quiet step of somebody outside may have been the last
            if RANGE in self._doubtful:
                self._doubtful.update(self._open)  # what comes behind an overflow that came early is hidden
        counts = f"{len(self._states):,} states and {self._transitions:,} transitions, alike members counted up to {self._crowds.many}"
        figures: dict[str, int | float | str] = {"states": len(self._states), "transitions": self._transitions}
        tell(Statistics({**figures, **{f"from.{name}": self._size for name in self._names}}))
        for name in self._open:
            if name in self._doubtful:
                doubt = "violated where members are only counted, which may be no execution"
                tell(Finding(name, Verdict.UNDECIDED, None, doubt))
            else:
                tell(Finding(name, Verdict.PROVED, None, f"for {sizes}: {counts}"))
        for name in self._live:
            tell(Finding(name, Verdict.UNDECIDED, None, "liveness is about single members"))
