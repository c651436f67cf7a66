"""All states of any number of members, of which alike ones are counted up to a few.

In: a family with few members, what is asked. Out: the properties that may be violated, and from how many members on that is known. See
docs/decisions/009-families.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from formal.engines.exploration import LOOK_UP_EVERY, look_at_memory, steps_of
from formal.engines.looking import Looking, invariants, watched
from formal.engines.members import Family, Sized, Unsuited, those_of
from formal.engines.protocol import MERGING, Options, Progress, Tell
from formal.interp import Countable, Machine, Merging, State, Stop, counts
from formal.program import Binary, BoolType, Expr, Property

Step: TypeAlias = tuple[State, int, State]  # before, the thread, after


def noticing(condition: Expr) -> Expr:
    """What quiet steps must not touch. Between two states that are looked at, fewer members of a crowd may be shown than are meant: so no
    step is quiet that changes what a count rests on."""
    return Binary("!=", condition, condition, BoolType(), condition.span) if counts(condition) else condition


def merging(machine: Machine, asked: Iterable[Property], options: Options, *, wakes: bool) -> Merging | None:
    """The quiet steps of a search of any number of members, if it may take them at once. `wakes`: of one that can be counted somebody may
    be woken; a `signal` is about one that cannot be told by what it does: of one step at a time at most one."""
    merges = MERGING not in options.without and not wakes
    return machine.merging(map(noticing, invariants(asked).values())) if merges else None


def countable(sized: Sized, names: Iterable[str]) -> Countable:
    """What these parameters of the program count. Raises Uncountable."""
    return sized.elements.countable(frozenset().union(*(sized.program.counts[name].names for name in names)))


class Counted:
    """One search, with so many members of each family that can be counted."""

    def __init__(self, family: Family, asked: Sequence[Property], options: Options, size: int) -> None:
        self._options = options
        names = family.counted
        if any(size > family.size(name) for name in names):
            raise Unsuited(f"{' and '.join(names)}: too few to be counted")
        sized = family.sized(dict.fromkeys(names, size))
        small, machine = sized.program, sized.machine
        self._machine = machine
        found = countable(sized, names)
        self._crowds = machine.crowds(found)
        self._threads = range(len(small.threads))
        own = those_of(small, asked)
        self._looking = Looking(machine, own)
        self._looking.watch(watched(prop.name for prop in own))
        self._merging = merging(machine, own, options, wakes=found.wakes)
        self.merges = self._merging is not None
        self._states: dict[State, None] = {}
        self.doubtful: set[str] = set()
        self.transitions = 0
        self.first = dict.fromkeys(names, size)
        self.how = f"alike members counted up to {self._crowds.many}"

    @property
    def states(self) -> int:
        """How many there are."""
        return len(self._states)

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
        steps = steps_of(state, self._threads, self._machine.run, self._crowds.alike(state))
        for thread, results in steps.taken:
            for _, after in results:
                self.transitions += 1
                if not isinstance(after, Stop):
                    yield from self._ends(state, thread, after)
                elif after.prop is not None:
                    self.doubtful.add(after.prop)
        self.doubtful.update(self._looking.at(state, steps.waiting, steps.moving))

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
