"""What is asked of states of which few members are told: invariants, and deadlocks.

In: the states that a search in `company` has come to. Out: the properties that may be violated in one of them.

An invariant that speaks of one member at a time is looked at for each kind. A deadlock is one whoever else is left out: of those that are
not told as few are shown as make a difference, each of the kinds in turn. docs/decisions/016-company.md has the argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from formal.engines.company import Search
from formal.engines.patterns import patterns
from formal.engines.roles import Known
from formal.interp import Companies, Counting, Entangled, Kind, Machine, Shown, State
from formal.interp.forms import getter
from formal.interp.references import Function
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER, DEADLOCK_PARTIAL, Expr

Sight: TypeAlias = tuple[int, tuple[object, ...]]  # the number of a sort, and values of some cells
CASES: Final = 2000  # choices of who is there, in one state


@dataclass(frozen=True, slots=True)
class Test:
    """An invariant. `looks`: by sort, the cells of members that it looks at; `several`: those of several members at once, None if it
    speaks of one at a time. `alone`: what it says of a member that is not told rests on that member alone."""

    name: str
    holds: Function
    looks: Mapping[int, frozenset[int]]
    several: Mapping[int, frozenset[int]] | None
    alone: bool


class Tests:
    """Invariants, and what they tell of a member that is not told."""

    def __init__(self, each: Sequence[Test], sorts: int) -> None:
        self.each = each
        cells = [sorted({offset for test in each for offset in test.looks.get(sort, ())}) for sort in range(sorts)]
        self._getters = [getter(offsets) for offsets in cells]

    def sight(self, kind: Kind) -> Sight:
        """What they look at of one of the kind: of two that look the same, one is enough."""
        return kind.sort, self._getters[kind.sort](kind.cells)


class Standstill:
    """Looks at all states of one search."""

    def __init__(
        self,
        machine: Machine,
        companies: Companies,
        crowds: Counting,
        search: Search,
        invariants: Mapping[str, Expr],
        deadlocks: Sequence[str],
    ) -> None:
        self._machine = machine
        self._companies = companies
        self._crowds = crowds
        self._search = search
        self._deadlocks = deadlocks
        self._tests = [self._test(name, condition) for name, condition in invariants.items()]
        sorts = len(companies.each)
        self._alone = Tests([test for test in self._tests if test.alone], sorts)
        self._beside = Tests([test for test in self._tests if not test.alone], sorts)
        self._seen: set[Sight] = set()
        self.doubtful: set[str] = set()

    def look(self) -> None:
        """At all states. Raises Entangled, TooFew."""
        for told, known in self._search.states.items():
            if known.done:
                kinds = list(known.kinds)
                shown = self._companies.show(told, [], kinds)
                self._invariants(told, kinds, shown)
                if self._deadlocks:
                    self._waits(told, kinds, known, shown)

    # ------------------------------------------------------------ invariants

    def _test(self, name: str, condition: Expr) -> Test:
        """Raises Entangled."""
        holds = self._machine.condition(condition)
        looks: dict[int, frozenset[int]] = {}
        several: dict[int, frozenset[int]] = {}
        alone = True
        for effects in self._machine.parts(condition):
            about = self._companies.about_effects(effects)
            for (sort, _), offsets in about.elements.items():
                looks[sort] = looks.get(sort, frozenset()) | offsets
                if len(about.elements) > 1:
                    several[sort] = several.get(sort, frozenset()) | offsets
            alone &= not about.elements or not about.outside
        return Test(name, holds, looks, several or None, alone)

    def _invariants(self, told: State, kinds: list[Kind], shown: Shown) -> None:
        self._check(shown.state, self._tests)
        self._check_each(told, kinds, self._beside, shown, set())
        self._check_each(told, kinds, self._alone, shown, self._seen)
        for test in self._tests:
            if test.several is not None and test.name not in self.doubtful:
                for chosen in patterns(len(self._companies.each), kinds, test.several):
                    subset = [kind for group in chosen for kind in group]
                    self._check(self._companies.show(told, [group[0] for group in chosen], subset).state, [test])

    def _check_each(self, told: State, kinds: list[Kind], tests: Tests, shown: Shown, seen: set[Sight]) -> None:
        """Where each of the kinds that the tests tell apart is shown, if none like it was yet."""
        seen.update(map(tests.sight, shown.others.values()))
        new = {sight: kind for kind in reversed(kinds) if (sight := tests.sight(kind)) not in seen}
        while new:
            kind = new.pop(next(iter(new)))
            here = self._companies.show(told, [kind], [*new.values(), *kinds])
            self._check(here.state, tests.each)
            seen.update(map(tests.sight, here.others.values()))
            new = {sight: kind for sight, kind in new.items() if sight not in seen}

    def _check(self, state: State, tests: Iterable[Test]) -> None:
        self.doubtful.update([test.name for test in tests if not test.holds(state)])

    # ------------------------------------------------------------ deadlocks

    def _waits(self, told: State, kinds: list[Kind], known: Known, shown: Shown) -> None:
        """Deadlocks. Whoever moves whoever else is there ends the waits that he can end."""
        waiting = [role for role, part in known.parts.items() if isinstance(role, int) and part.waits]
        sure = [role for role, part in known.parts.items() if isinstance(role, int) and part.moves and not part.waits]
        idle = [kind for kind in kinds if any(self._search.status(known, kind, place).waits for place in self._places(kind))]
        if not waiting and not idle:
            return
        relieved = bool(sure)
        looked: set[Kind] = set()
        for lead in [[kind] for kind in idle] or [[]]:
            if not looked.isdisjoint(lead):
                continue  # it was shown beside another one
            here = self._companies.show(told, lead, [*(kind for kind in idle if kind not in looked), *kinds])
            looked.update(here.others.values())
            alike = self._alike(here)
            stuck = self._all([self._search.thread_of(role, here) for role in waiting], alike)
            for (sort, i), kind in here.others.items():
                members = self._companies.each[sort].members[i]
                stuck += [members[place] for place in self._places(kind) if self._search.status(known, kind, place).waits]
            moving = self._all([self._search.thread_of(role, here) for role in sure], alike)
            if DEADLOCK_LOCK_ORDER in self._deadlocks and len(stuck) > 1:
                self.doubtful.update(self._machine.deadlocked(here.state, sorted(stuck), moving, [DEADLOCK_LOCK_ORDER]))
            relieved = relieved and self._machine.relieved(here.state, sorted(stuck), moving)
        if not relieved:
            self._each(told, kinds, known, shown)

    def _places(self, kind: Kind) -> range:
        return range(len(self._companies.each[kind.sort].members[0]))

    def _alike(self, shown: Shown) -> Mapping[int, int]:
        return self._crowds.alike(shown.state)

    def _all(self, threads: list[int], alike: Mapping[int, int]) -> list[int]:
        return [*threads, *(thread for thread, other in alike.items() if other in threads)]

    def _each(self, told: State, kinds: list[Kind], known: Known, shown: Shown) -> None:
        """Every choice of who else is there, as far as it makes a difference: of each of those that somebody's moving may rest on, one or
        none; otherwise one. Raises Entangled."""
        seen: dict[int, frozenset[int]] = {}
        for role, part in known.parts.items():
            if part.waits and part.moves:
                once = None if isinstance(role, int) else role[0]
                here = shown if once is None else self._companies.show(told, [], kinds, once)
                looks, _ = self._search.seen(here, self._search.thread_of(role, here))
                if once is not None and once.sort in looks:
                    raise Entangled  # one more that is like it may make a difference
                for sort, offsets in looks.items():
                    seen[sort] = seen.get(sort, frozenset()) | offsets
        cases: dict[tuple[Kind, ...], None] = {}
        for chosen in patterns(len(self._companies.each), kinds, seen):
            for case in product(*chosen):
                cases[case] = None
                if len(cases) > CASES:
                    raise Entangled
        for case in cases:
            self._case(told, case, kinds, known)

    def _case(self, told: State, case: Sequence[Kind], kinds: Sequence[Kind], known: Known) -> None:
        """Where these are there; whoever was left out has a share in semaphores."""
        here = self._companies.show(told, case, case)
        waiting, moving, either = self._surely(here, known)
        for state in self._companies.valued(here, self._companies.tallies.slots, kinds):
            moves = {thread: bool(self._machine.run(state[thread])(state)) for thread in either}
            stuck = sorted([*waiting, *(thread for thread in either if not moves[thread])])
            free = sorted([*moving, *(thread for thread in either if moves[thread])])
            found = self._machine.deadlocked(state, stuck, free, self._deadlocks)
            self.doubtful.update(found)
            if DEADLOCK_GLOBAL in found:
                self.doubtful.add(DEADLOCK_PARTIAL)  # who goes on may be somebody who was left out

    def _surely(self, shown: Shown, known: Known) -> tuple[list[int], list[int], list[int]]:
        """The threads that wait whoever else is there, those that move, and those that may do either."""
        found: tuple[list[int], list[int], list[int]] = ([], [], [])
        each = [(self._search.thread_of(role, shown), part) for role, part in known.parts.items() if isinstance(role, int)]
        for (sort, i), kind in shown.others.items():
            members = self._companies.each[sort].members[i]
            each += [(members[place], self._search.status(known, kind, place)) for place in self._places(kind)]
        for thread, part in each:
            if part.waits or part.moves:
                found[2 if part.waits and part.moves else int(part.moves)].append(thread)
        alike = self._alike(shown)
        waiting, moving, either = (self._all(threads, alike) for threads in found)
        return waiting, moving, either
