"""Sets of edits, the least first, of which no run that is known says that they are no repair.

In: what is offered, diagrams of runs, repairs that are known. Out: the next set to look at. Must not know programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from formal.repair.edits import Act, Edit, Offer
from formal.repair.ruling_out import Diagram
from formal.repair.walking import Rests
from formal.smt.choosing import Chooser, Literal


class Candidates:
    """What is left to look at."""

    def __init__(self, offered: Offer) -> None:
        self.edits = offered.edits
        self._chooser = Chooser([edit.cost for edit in self.edits], [edit.width for edit in self.edits])
        making: dict[Act, list[int]] = {}
        for number, edit in enumerate(self.edits):
            for act in edit.acts:
                making.setdefault(act, []).append(number)
        self._acts = {act: self._either(numbers) for act, numbers in sorted(making.items(), key=lambda one: one[1])}
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
        """The least one that costs no more than this; None if there is none. Raises Unsettled."""
        found = self._chooser.cheapest(most)
        return None if found is None else tuple(self.edits[number] for number in sorted(found))

    def allows(self, edits: Iterable[Edit]) -> bool:
        """Whether nothing known speaks against this set. Raises Unsettled."""
        chosen = set(edits)
        return self._chooser.allows(frozenset(number for number, edit in enumerate(self.edits) if edit in chosen))

    def rule_out(self, found: Diagram) -> None:
        """Every set that leaves a run possible."""
        reached: dict[int, int] = {}
        self._chooser.clause([Literal(self._reached(reached, found.root))])
        for arc in found.arcs:
            target = None if arc.target is None else self._reached(reached, arc.target)
            self._implied((Literal(self._reached(reached, arc.source), False),), arc.rests, target)

    def rule_out_exactly(self, edits: Iterable[Edit]) -> None:
        """This set alone."""
        chosen = set(edits)
        self._chooser.clause([Literal(number, edit not in chosen) for number, edit in enumerate(self.edits)])

    def rule_out_larger(self, repair: Sequence[Edit]) -> None:
        """Every set with this one in it, or with edits that are more of the same."""
        larger = [[number for number, other in enumerate(self.edits) if edit == other or edit.below(other)] for edit in repair]
        for chosen in product(*larger):
            if len(set(chosen)) == len(chosen):
                self._chooser.clause([Literal(number, False) for number in chosen])

    def _either(self, numbers: Sequence[int]) -> int:
        """A variable that is true exactly if one of these edits is chosen."""
        if len(numbers) == 1:
            return numbers[0]
        made = self._chooser.variable()
        self._chooser.clause([Literal(made, False), *(Literal(one) for one in numbers)])
        for one in numbers:
            self._chooser.clause([Literal(made), Literal(one, False)])
        return made

    def _reached(self, known: dict[int, int], node: int) -> int:
        if node not in known:
            known[node] = self._chooser.variable()
        return known[node]

    def _implied(self, literals: tuple[Literal, ...], rests: Rests, target: int | None) -> None:
        """If all of these hold, the target is reached."""
        against = list(self._against(rests))
        self._chooser.clause([*literals, *against, *(() if target is None else (Literal(target),))])

    def _against(self, rests: Rests) -> Iterator[Literal]:
        for act, made in rests:
            yield Literal(self._acts[act], not made)
