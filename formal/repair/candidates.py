"""Sets of edits, the least first, of which no run that is known says that they are no repair.

In: what is offered, diagrams of runs, repairs that are known. Out: the next set to look at. Must not know programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from formal.repair.edits import Act, Edit, Offer
from formal.repair.reaching import Reaching
from formal.repair.ruling_out import Diagram
from formal.smt.choosing import Chooser, Literal


class Candidates:
    """What is left to look at. `most`: the most that a set may cost."""

    def __init__(self, offered: Offer, most: int) -> None:
        self.edits = offered.edits
        self._chooser = Chooser([edit.cost for edit in self.edits], most)
        making: dict[Act, list[int]] = {}
        for number, edit in enumerate(self.edits):
            for act in edit.acts:
                making.setdefault(act, []).append(number)
        self._acts = {act: self._either(numbers) for act, numbers in sorted(making.items(), key=lambda one: one[1])}
        self._reaching = Reaching(self._chooser, self._acts)
        self._below: dict[int, list[int]] = {}
        for numbers in making.values():
            self._chooser.at_most_one(numbers)
        for gap in offered.gaps:
            self._chooser.at_most_one(sorted({number for act in gap for number in making.get(act, ())}))

    @property
    def acts(self) -> frozenset[Act]:
        """All that some edit makes."""
        return frozenset(self._acts)

    def left(self) -> bool:
        """Whether there is any, whatever it costs. Raises Unsettled."""
        return self._chooser.possible()

    def next(self, most: int) -> tuple[Edit, ...] | None:
        """The least one that costs no more than this, and as narrow as one edit after the other can be; None if there is none. Raises
        Unsettled."""
        found = self._chooser.cheapest(most)
        return None if found is None else tuple(self.edits[number] for number in sorted(self._narrowed(found)))

    def _narrowed(self, found: frozenset[int]) -> frozenset[int]:
        """Less of the same, as far as nothing known speaks against it: where that is a repair, this one is none of its own."""
        todo = sorted(found)
        while todo:
            others = self._less(todo[0])
            less = self._chooser.instead(found, todo[0], others) if others else None
            if less is None:
                todo.pop(0)
            else:
                found, todo = less, sorted(less)
        return found

    def _less(self, number: int) -> list[int]:
        """The edits that are less of the same."""
        if number not in self._below:
            self._below[number] = [other for other, edit in enumerate(self.edits) if edit.below(self.edits[number])]
        return self._below[number]

    def allows(self, edits: Iterable[Edit]) -> bool:
        """Whether nothing known speaks against this set. Raises Unsettled."""
        chosen = set(edits)
        return self._chooser.allows(frozenset(number for number, edit in enumerate(self.edits) if edit in chosen))

    def rule_out(self, found: Diagram) -> None:
        """Every set that leaves a run possible."""
        if found.arcs:
            self._reaching.rule_out(found)

    def rule_out_exactly(self, edits: Iterable[Edit]) -> None:
        """This set alone."""
        chosen = set(edits)
        self._chooser.clause([Literal(number, edit not in chosen) for number, edit in enumerate(self.edits)])

    def suppose(self, edits: Sequence[Edit]) -> int:
        """That this set is a repair: until that is settled, no set with this one in it, or with edits that are more of the same, is the
        next one. What is to be settled."""
        supposed = self._chooser.suppose()
        larger = [[number for number, other in enumerate(self.edits) if edit == other or edit.below(other)] for edit in edits]
        for chosen in product(*larger):
            if len(set(chosen)) == len(chosen):
                self._chooser.clause([Literal(supposed, False), *(Literal(number, False) for number in chosen)])
        return supposed

    def settle(self, supposed: int, *, repair: bool) -> None:
        """It is one, or it is none, and only what is larger is left."""
        self._chooser.settle(supposed, repair)

    def _either(self, numbers: Sequence[int]) -> int:
        """A variable that is true exactly if one of these edits is chosen."""
        if len(numbers) == 1:
            return numbers[0]
        made = self._chooser.variable()
        self._chooser.clause([Literal(made, False), *(Literal(one) for one in numbers)])
        for one in numbers:
            self._chooser.clause([Literal(made), Literal(one, False)])
        return made
