"""Whether programs of two sizes are the same but for how many members there are, as far as it shows in their parts and in how control goes.

In: a program of one size (`Lineup`). Out: its `Shape`, in which members are left open, to be held to another one's. It must not know why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from formal.certificates.crowded import Unsuited
from formal.certificates.lineup import Lineup

Targets: TypeAlias = frozenset[tuple[str, str]]  # how a target lies to where the thread stands, and its place
Flow: TypeAlias = frozenset[tuple[object, Targets]]  # of each place what it is, and where control goes from there
HERE, NEXT, FIRST, OUT, ELSEWHERE = "in the same pass", "in the next pass", "in the first pass", "outside", "in another pass"


@dataclass(frozen=True, slots=True)
class Shape:
    """`parts`: what there is, what that may be, and what it is at first; `outside`: how control goes outside of loops over members;
    `passes`: the same in each pass of those over members of one sort, by pass."""

    parts: frozenset[object]
    outside: Flow
    passes: tuple[tuple[Flow, ...], ...]

    def differs(self, sample: Shape) -> bool:
        """Whether it is not of the same program as a sample of many members, where the passes between the first and the last are alike."""
        if (self.parts, self.outside) != (sample.parts, sample.outside):
            return True
        return any(
            one != expected for mine, others in zip(self.passes, sample.passes, strict=True) for one, expected in _pairs(mine, others)
        )


def _pairs(mine: tuple[Flow, ...], sample: tuple[Flow, ...]) -> list[tuple[Flow, Flow]]:
    """Each pass, and the one of the sample that it has to be like."""
    if len(mine) == 1:  # the first and the last: the first pass is the one where the thread is
        return [(mine[0], frozenset((place, _back(targets)) for place, targets in sample[-1]))]
    middle = [(one, sample[1]) for one in mine[1:-1]]
    return [(mine[0], sample[0]), *middle, (mine[-1], sample[-1])]


def _back(targets: Targets) -> Targets:
    return frozenset((HERE if how == FIRST else how, place) for how, place in targets)


def shape_of(lineup: Lineup) -> Shape:
    """Raises Unsuited where a `for` over members is within another one."""
    concrete, names = lineup.concrete, lineup.names
    tallied = {lineup.index[tally.part] for tally in lineup.tallies}
    parts = {
        (names.anybody(name), names.anybody(said[first]), frozenset(map(names.anybody, said.values())))
        for position, (name, said, first) in enumerate(zip(concrete.names, concrete.values, concrete.initial, strict=True))
        if position not in tallied
    }
    outside: set[tuple[object, Targets]] = set()
    passes: list[list[set[tuple[object, Targets]]]] = [[set() for _ in range(size)] for size in lineup.sizes]
    for thread, place in concrete.standing():
        here = concrete.passes(place)
        if len(here) > 1:
            raise Unsuited("a thread goes through members while it goes through members")
        node = concrete.node(place)
        what = names.anybody(concrete.threads[thread]), names.anybody(concrete.places[place]), node.info.span.start, node.site.frames
        flow = what, frozenset(_target(lineup, here, target) for way in concrete.ways(thread, place) for target in way.targets)
        if here:
            sort, number = lineup.passes(place)[0]
            passes[sort][number].add(flow)
        else:
            outside.add(flow)
    return Shape(frozenset(parts), frozenset(outside), tuple(tuple(map(frozenset, some)) for some in passes))


def _target(lineup: Lineup, here: tuple[tuple[object, int], ...], target: int) -> tuple[str, str]:
    concrete = lineup.concrete
    place = lineup.names.anybody(concrete.places[target])
    there = concrete.passes(target)
    if not there:
        return OUT, place
    if not here or here[0][0] is not there[0][0]:
        return ELSEWHERE, place
    now, then = here[0][1], there[0][1]
    return HERE if then == now else NEXT if then == now + 1 else FIRST if then == 0 else ELSEWHERE, place


def alike_between(shape: Shape) -> bool:
    """Whether of a program with many members the passes between the first and the last are alike, and the first is like those."""
    return all(
        not any(some) or (len(set(some[1:-1])) == 1 and frozenset((place, _back(targets)) for place, targets in some[1]) == some[0])
        for some in shape.passes
    )
