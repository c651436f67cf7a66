"""A search in which few members are told, put together for one family.

In: a family with few members, what is asked. Out: the properties that may be violated, and from how many members on that is known. See
docs/decisions/016-company.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from formal.engines.company import Search
from formal.engines.counted import countable, merging
from formal.engines.looking import invariants, watched
from formal.engines.members import FIRST, Family, Unsuited, same_shape, those_of
from formal.engines.protocol import Options, Tell
from formal.engines.standstill import Standstill
from formal.interp import Countable, Machine, Shared, Tallies, Uncountable
from formal.program import Program, Property


class Untold:
    """One search: so many members are shown of each family of which not all are told. `machine`: of the program with so many;
    `companies`: what is told of its states; `search`: the states that there are."""

    def __init__(self, family: Family, asked: Sequence[Property], options: Options, size: int) -> None:
        self._family = family
        rest = [name for name in family.counted if name not in family.untold]
        sizes = {**dict.fromkeys(family.untold, size), **dict.fromkeys(rest, max(FIRST, size))}
        self._sizes = sizes
        sized = family.sized(sizes)
        small, machine = sized.program, sized.machine
        self.machine = machine
        found = [(name, sort) for name in family.untold for sort in sized.elements.untold(small.counts[name].names)]
        owner, sorts = [name for name, _ in found], [sort for _, sort in found]
        self._owner = owner
        shared = [one for name in family.untold for one in self._shared(machine, small, name, owner.index(name))]
        tallies = Tallies(shared, len(machine.initial()), [sort.size for sort in sorts])
        many = countable(sized, rest) if rest else Countable((), 1, 1, wakes=False)
        companies = self.companies = machine.companies(sorts, tallies, many.sorts)
        crowds, wakes = machine.crowds(many), many.wakes
        own = those_of(small, asked)
        quiet = merging(machine, own, options, wakes=wakes)
        self.merges = quiet is not None
        deadlocks = sorted(watched(prop.name for prop in own if prop.kind == "deadlock"))
        self.search = Search(machine, companies, crowds, quiet, options.memory, [family.size(name) for name in owner])
        self._standstill = Standstill(machine, companies, crowds, self.search, invariants(own), deadlocks)
        self.first = {name: sizes[name] for name in rest}
        self.how = "of members that nothing is said of, only which kinds there are"

    def _shared(self, machine: Machine, small: Program, name: str, number: int) -> list[Shared]:
        """The semaphores whose bound grows with these members. Raises Unsuited, Uncountable."""
        bounds = small.counts[name].bounds
        if not bounds:
            return []
        program = self._family.program
        if any(bounds & counts.bounds for other, counts in small.counts.items() if other != name):
            raise Uncountable("how far a semaphore goes depends on several numbers")
        size, sizes = int(small.parameters[name]), self._family.many[name]
        if sizes[name] <= size:
            raise Uncountable("there are never enough to see how far a semaphore goes with more")
        larger = {sem.name: sem for sem in self._family.sized(sizes).program.sems}
        there = {sem.name: sem for sem in program.sems}
        found: list[Shared] = []
        for sem in small.sems:
            if sem.name in bounds:
                grown = larger[sem.name].max_count - sem.max_count, larger[sem.name].initial - sem.initial
                each, first = (growth // (sizes[name] - size) for growth in grown)
                one = Shared(machine.semaphore(sem.name), number, each, sem.max_count - each * size, first, sem.initial - first * size)
                many = self._family.size(name)
                if (there[sem.name].max_count, there[sem.name].initial) != (one.besides + each * many, one.at_first + first * many):
                    raise Uncountable("how far a semaphore goes does not grow in proportion")
                if sem.max_count <= 1:
                    raise Uncountable("a semaphore does not go far enough to be looked at")
                found.append(one)
        return found

    @property
    def doubtful(self) -> set[str]:
        """What may be violated."""
        return self.search.doubtful | self._standstill.doubtful

    @property
    def states(self) -> int:
        """How many there are."""
        return len(self.search.states)

    @property
    def transitions(self) -> int:
        """How many steps were taken."""
        return self.search.transitions

    def explore(self, tell: Tell) -> None:
        """All states. Raises TooFew, Entangled, OutOfMemory, Unsuited."""
        self.search.explore(tell)
        self._standstill.look()
        for number, name in enumerate(self._owner):
            least = max(2, self.search.rows[number] + 1 + (number in self.search.crowded))
            self.first[name] = max(least, self.first.get(name, 0))
        for name, least in self.first.items():
            if least > self._family.size(name):
                raise Unsuited(f"{name}: too few for what is known of more")
        if not self._nests_alike(self.first):  # fewer of all: so with fewer of one
            for name, least in self.first.items():
                if not self._nests_alike({name: least}):
                    raise Unsuited(f"{name}: how deep bottom halves nest depends on how many there are")

    def _nests_alike(self, sizes: Mapping[str, int]) -> bool:
        return same_shape(self._family.sized(sizes).program, self._family.program)
