"""What the states violate that a `Told` stands for with others of some kinds: by few states of small programs.

In: a `Showing`, what is told, of which kinds others may be. Out: the invariants that may not hold, the deadlocks that there may be; whether
semaphores keep within their bounds. It must not know steps. docs/decisions/019-kinds-certificates.md has the argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations_with_replacement, product
from typing import Final

from formal.certificates.crowded import Unsuited
from formal.certificates.kinds import Kind, Told
from formal.certificates.showing import Role, Showing, Shown, grouped, share
from formal.smt.concrete import State

LEAST_GIVEN: Final = -4  # of a tallied semaphore, by one: where more is taken than that, nothing is said
MOST_CASES: Final = 1_500  # of who else is there, in one state


class Breaking:
    """Of one program."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing

    def overflow(self, told: Told, kinds: Iterable[Kind]) -> str | None:
        """A semaphore whose value cannot be told to keep within its bound, or of which too much is taken; None if there is none. If nobody
        has given more than the bound has for each, and nobody but members more than what it has besides, the sum is not beyond it."""
        for tally in self._showing.kindred.tallies:
            mark = f"{tally.part} given by nobody="
            nobody = next((int(fact.removeprefix(mark)) for fact in told.shared if fact.startswith(mark)), tally.at_first)
            shares = [share(kind, tally.part, tally.first) for kind in (*told.told, *kinds) if kind.sort == tally.sort]
            if nobody > tally.besides or any(one > tally.each for one in shares) or min((nobody, *shares)) < LEAST_GIVEN:
                return tally.part.removesuffix(".count")
        return None

    def violated(self, told: Told, kinds: Sequence[Kind]) -> Iterator[str]:
        """The properties of states that may be violated. Raises KeyError, Unsuited."""
        cases: dict[tuple[Kind, ...], None] = dict.fromkeys([(), *((kind,) for kind in kinds)])
        for cells in self._broad:
            cases.update((tuple(chosen), None) for chosen, _ in self._showing.choices(kinds, cells))
        for case in cases:
            shown = self._showing.shown(told, case, fill=kinds)
            if shown is not None:
                yield from shown.lineup.concrete.broken(shown.full.state)
        yield from self._snared(told, kinds)

    @cached_property
    def _broad(self) -> list[frozenset[str]]:
        """Of each invariant a part of which looks at several members at once, what that looks at."""
        lineup = self._showing.kindred.sample
        found = []
        for _, parts in lineup.concrete.spoken:
            several = [part for part in parts if len({m for p in part for m in lineup.names.members(lineup.concrete.names[p])}) > 1]
            if several:
                found.append(frozenset(lineup.names.anybody(lineup.concrete.names[position]) for part in several for position in part))
        return found

    # ------------------------------------------------------------ deadlocks

    def _snared(self, told: Told, kinds: Sequence[Kind]) -> Iterator[str]:
        """Of a set of threads that are stuck, as few are looked at as make a difference: the told ones, and of the others one who is stuck,
        one of each group that somebody's waiting rests on, and one of each sort."""
        cells: set[str] = set()
        alike = False
        for role in self._showing.roles(told, kinds):
            shown = self._showing.shown(told, role.mover, fill=kinds)
            if shown is not None:
                waits = self._showing.scope(role, shown).waits
                cells |= waits
                alike |= role.kind is not None and self._showing.looked_at(role.kind.sort, waits)
        for case in self._companies(told, kinds, cells, 2 if alike else 1):
            shown = self._showing.shown(told, case)
            if shown is not None:
                for state in _with_all_values(shown, kinds):
                    yield from shown.lineup.concrete.snared(state)

    def _companies(self, told: Told, kinds: Sequence[Kind], cells: Collection[str], most: int) -> Iterable[tuple[Kind, ...]]:
        """`most`: of each group, so many make a difference: two where one who waits looks at others like it."""
        stuck = [kind for kind in kinds if self._may_be_stuck(told, kind, kinds)]
        options: list[list[list[Kind]]] = []
        for sort in self._showing.sorts:
            mine = [kind for kind in kinds if kind.sort == sort]
            if self._showing.looked_at(sort, cells):
                options += [_up_to(most, group) for group in grouped(mine, cells).values()]
            elif any(kind.sort == sort for kind in told.told):
                options.append([[]])
            else:
                options.append([[kind] for kind in mine])
        seen: dict[tuple[Kind, ...], None] = {}
        for chosen in product(*options):
            case = [kind for some in chosen for kind in some]
            hit = grouped(case, cells)
            seen[tuple(sorted(case))] = None
            for kind in stuck:
                if grouped([kind], cells).keys() <= hit.keys() or not self._showing.looked_at(kind.sort, cells):
                    seen[tuple(sorted([*case, kind]))] = None
            if len(seen) > MOST_CASES:
                raise Unsuited("there are too many ways for others to be there where somebody waits")
        return seen

    def _may_be_stuck(self, told: Told, kind: Kind, kinds: Sequence[Kind]) -> bool:
        """Whether a thread of that kind may wait otherwise than idly, as far as it is seen where nobody else is there; it may if that rests
        on others."""
        shown = self._showing.shown(told, [kind], fill=kinds)
        if shown is None:
            return False
        _, families = self._showing.families
        for family in families[kind.sort]:
            role = Role(family, len(told.told), kind)
            thread = role.thread(shown)
            if self._showing.scope(role, shown).waits:
                return True
            if any(shown.lineup.concrete.is_stuck(state, thread) for state in _with_all_values(shown, kinds)):
                return True
        return False


def _with_all_values(shown: Shown, kinds: Collection[Kind]) -> Iterator[State]:
    """The state, with each value that tallied semaphores may have where any number of these kinds are there besides."""
    parts = [tally.part for tally in shown.lineup.tallies]
    for values in product(*(shown.values(part, shown.at, kinds) for part in parts)):
        yield shown.valued(dict(zip(parts, values, strict=True)))


def _up_to(most: int, group: Sequence[Kind]) -> list[list[Kind]]:
    return [list(some) for count in range(most + 1) for some in combinations_with_replacement(group, count)]
