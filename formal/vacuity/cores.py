"""A core of each property's proof by an invariant: few units that, with what of the invariant holds by them, are enough.

In: the obligations of an invariant, clause by clause (`formal.smt.counted`), and units in groups. Out: for each property that it proves the
units from which it follows. It must not know programs.

Units are counted on group by group, from none at all. With fewer of them fewer clauses hold: what is left is the largest set of clauses
that keep each other. The first groups by which a property follows have its core; there it is what the property follows from, what each of
those clauses follows from after a step, and so on; and then one unit after the other is tried to do without, as long as there are
questions left. Where a step breaks one clause, all that it breaks are gone. What follows from some clauses and units follows from more, and
what does not, not from less, so nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from formal.smt.counted import Support

Question: TypeAlias = "str | int"  # a property that is not violated, or a clause that holds after each step
MOST: Final = 5000  # questions to make cores smaller, for all properties together


class Asked(Protocol):
    """What is asked of an invariant."""

    @property
    def beginning(self) -> Collection[int]: ...

    @property
    def always(self) -> frozenset[int]: ...

    def safe(self, prop: str, clauses: Collection[int], switches: Collection[int]) -> Support | None: ...

    def kept(self, clause: int, clauses: Collection[int], switches: Collection[int]) -> Support | frozenset[int]: ...


@dataclass(frozen=True, slots=True)
class _Group:
    """Properties that follow from `clauses` with `units`. `tried`: units that were tried to do without."""

    props: tuple[str, ...]
    clauses: frozenset[int]
    units: frozenset[int]
    tried: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Lost:
    """Clauses that some step breaks."""

    clauses: frozenset[int]


class Cores:
    """`late`: whether it is time to stop; what has no core by then has none."""

    def __init__(self, asked: Asked, late: Callable[[], bool], most: int = MOST) -> None:
        self._asked = asked
        self._late = late
        self._most = most
        self._questions = 0
        self._known: dict[Question, list[Support]] = {}
        self._failed: dict[Question, list[Support]] = {}  # what a question does not follow from
        self._own: Mapping[str, Collection[int]] = {}

    def cores(self, own: Mapping[str, Collection[int]], groups: Sequence[Sequence[int]]) -> dict[str, frozenset[int]]:
        """By property. `own`: of each property the units that count for it anyway, and are in no core. Raises Inconclusive."""
        self._own = own
        cores: dict[str, frozenset[int]] = {}
        together: list[_Group] = []
        counted: frozenset[int] = frozenset()
        for group in [(), *groups]:
            counted |= frozenset(group)
            left = self._largest(counted) if len(cores) < len(own) and not self._late() else None
            if left is None:
                break
            found = self._following([name for name in own if name not in cores], set(left), counted)
            if found:
                cores |= found
                sure = frozenset(group) if len(group) == 1 else frozenset()  # nothing came of it without
                together.append(_Group(tuple(found), left, frozenset().union(*found.values()), sure))
        self._questions = 0
        order = [unit for group in reversed(groups) for unit in group]
        while together:
            together += self._smaller(together.pop(), order, cores)
        return {prop: core - frozenset(own[prop]) for prop, core in cores.items()}

    def _smaller(self, group: _Group, order: Iterable[int], cores: dict[str, frozenset[int]]) -> list[_Group]:
        """Tries to do without one unit; the properties that can, and those that cannot, go on by themselves."""
        unit = next((unit for unit in order if unit in group.units - group.tried), None)
        if unit is None or self._questions >= self._most or self._late():
            return []
        tried = group.tried | {unit}
        left = set(group.clauses)
        found = self._following(group.props, left, group.units - {unit})
        cores |= found
        others = tuple(prop for prop in group.props if prop not in found)
        made = [replace(group, props=others, tried=tried)] if others else []
        if found:
            made.append(_Group(tuple(found), frozenset(left), frozenset().union(*found.values()), tried))
        return made

    def _following(self, props: Iterable[str], left: set[int], units: frozenset[int]) -> dict[str, frozenset[int]]:
        """The properties that follow from clauses and units, and the units from which. What is found not to hold is taken from `left`."""
        found = {prop: self._rests(prop, left, units) for prop in props}
        return {prop: rests for prop, rests in found.items() if rests is not None}

    def _largest(self, units: frozenset[int]) -> frozenset[int] | None:
        """The clauses that keep each other; None if they are not about states, or it is time to stop."""
        left = set(self._asked.beginning)
        while True:
            gone: list[int] = []
            for clause in sorted(left):
                if self._late():
                    return None
                lost = self._kept(clause, left, units) if clause in left else frozenset()
                if isinstance(lost, frozenset):
                    left -= lost
                    gone += lost
            if not gone:
                return frozenset(left)
            if not self._asked.always <= left:
                return None

    def _rests(self, prop: str, left: set[int], units: frozenset[int]) -> frozenset[int] | None:
        """The units that a property rests on; None if it does not follow."""
        while True:
            found = self._closed(prop, left, units)
            if not isinstance(found, _Lost):
                return found
            left -= found.clauses
            if not self._asked.always.isdisjoint(found.clauses):
                return None

    def _closed(self, prop: str, clauses: set[int], units: frozenset[int]) -> frozenset[int] | _Lost | None:
        """The same, as far as all clauses hold that it takes; or some that do not."""
        support = self._safe(prop, clauses, units.union(self._own[prop]))
        if support is None:
            return None
        rests = set(support.switches)
        seen = dict.fromkeys((*sorted(support.clauses), *sorted(self._asked.always)))
        todo = list(seen)
        while todo:
            clause = todo.pop()
            kept = self._kept(clause, clauses, units)
            if isinstance(kept, frozenset):
                return _Lost(kept)
            rests |= kept.switches
            more = sorted(kept.clauses - seen.keys())
            seen.update(dict.fromkeys(more))
            todo += more
        return frozenset(rests)

    def _safe(self, prop: str, clauses: set[int], units: frozenset[int]) -> Support | None:
        if self._failed_before(prop, clauses, units):
            return None
        known = self._known_before(prop, clauses, units)
        return known or self._noted(prop, clauses, units, self._asked.safe(prop, clauses, units))

    def _kept(self, clause: int, clauses: set[int], units: frozenset[int]) -> Support | frozenset[int]:
        """What a clause is kept by, or those that are lost."""
        if self._failed_before(clause, clauses, units):
            return frozenset((clause,))
        known = self._known_before(clause, clauses, units)
        if known is not None:
            return known
        found = self._asked.kept(clause, clauses, units)
        if isinstance(found, frozenset):
            for lost in found:
                self._noted(lost, clauses, units, None, asked=lost == clause)
            return found
        self._noted(clause, clauses, units, found)
        return found

    def _known_before(self, question: Question, clauses: set[int], units: frozenset[int]) -> Support | None:
        known = self._known.get(question, ())
        return next((one for one in known if one.clauses <= clauses and one.switches <= units), None)

    def _failed_before(self, question: Question, clauses: set[int], units: frozenset[int]) -> bool:
        return any(clauses <= one.clauses and units <= one.switches for one in self._failed.get(question, ()))

    def _noted(
        self, question: Question, clauses: set[int], units: frozenset[int], found: Support | None, *, asked: bool = True
    ) -> Support | None:
        """An answer, for later."""
        self._questions += asked
        if found is None:
            self._failed.setdefault(question, []).append(Support(frozenset(clauses), units))
        else:
            self._known.setdefault(question, []).insert(0, found)
        return found
