"""Families of any size: proves for every number of threads of a family, from some number on, at the cost of a few of them.

In: a program in which parameters say how many there are of something, and options. Out: findings, progress, statistics. It explores the
program of the same text with few members, which stand for any number of them: where it is enough, only which kinds of members there are
is told (docs/decisions/016-company.md); else alike ones are counted (docs/decisions/009-families.md). What it finds violated may be no
violation: then it is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from formal.engines.counted import Counted
from formal.engines.exploration import OutOfMemory
from formal.engines.members import FEW, FIRST, LEAST, Family, Unsuited, family
from formal.engines.protocol import Finding, Options, Statistics, Tell
from formal.engines.untold import Untold
from formal.interp import Entangled, TooFew, Uncountable
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, RANGE, Program, Property
from formal.verdict import Verdict

MOST: Final = 14  # members of the largest program that is looked at

DOUBT: Final = "violated where few members are told, or counted, which may be no execution"
Search: TypeAlias = Counted | Untold
Way: TypeAlias = "type[Counted] | type[Untold]"


def run(program: Program, options: Options, tell: Tell) -> None:
    """Proves those of the properties asked for that hold for every size."""
    asked = [prop for prop in program.properties if prop.name in set(options.properties)]
    left = [prop for prop in asked if prop.kind != "liveness"]
    reason = "no property is about all members"
    why: dict[str, str] = {prop.name: "liveness is about single members" for prop in asked if prop.kind == "liveness"}
    try:
        if not options.as_written:
            raise Unsuited("the program is not what its text says, which cannot be read again with fewer members")
        figures: dict[str, int | float | str] = {}
        for way, members in ways(family(program, options.extra)):
            if not left:
                break
            try:
                search = searched(way, members, left, options, tell)
            except Unsuited as problem:
                reason = str(problem)
                continue
            left = concluded(search, left, figures, tell)
            reason = DOUBT
    except Unsuited as problem:
        reason = str(problem)
    why.update((prop.name, reason) for prop in left)
    for prop in asked:
        if prop.name in why:
            tell(Finding(prop.name, Verdict.UNDECIDED, None, why[prop.name]))


def ways(members: Family) -> Iterator[tuple[Way, Family]]:
    """The searches that may prove something, with the parameters that each looks at: the one that takes less first."""
    if members.untold:
        yield Untold, members
    large = [name for name in members.untold if members.size(name) >= FIRST]
    large = large or [name for name in members.untold if members.size(name) > LEAST]
    if large and len(large) < len(members.untold):
        yield Untold, replace(members, untold=tuple(large))
    some = replace(members, untold=tuple(name for name in large if name not in members.counted))
    if members.counted and some.untold:
        yield Untold, some
    elif members.counted:
        yield Counted, some


def searched(way: Way, members: Family, left: Sequence[Property], options: Options, tell: Tell) -> Search:
    """A search with as few members as it takes. Raises Unsuited."""
    try:
        for size in range(FEW if way is Untold else FIRST, MOST + 1, 2):
            search = way(members, left, options, size)
            try:
                search.explore(tell)
            except TooFew:
                continue
            return search
    except Uncountable as problem:
        raise Unsuited(str(problem)) from problem
    except Entangled as problem:
        raise Unsuited("one step concerns several members of a family at once") from problem
    except OutOfMemory as problem:
        raise Unsuited(f"it takes more than {options.memory:,} MiB") from problem
    raise Unsuited(f"more than {MOST} members would have to be looked at")


def concluded(search: Search, left: Sequence[Property], figures: dict[str, int | float | str], tell: Tell) -> list[Property]:
    """Tells what is proved: what was not violated, and from which sizes on that is so. What is left. Adds to the figures."""
    doubtful = set(search.doubtful)
    if search.merges:
        if DEADLOCK_GLOBAL in doubtful:
            doubtful.add(DEADLOCK_PARTIAL)  # the quiet step of somebody outside may have been the last
        if RANGE in doubtful:
            doubtful.update(prop.name for prop in left)  # what comes behind an overflow that came early is hidden
    sizes = " and ".join(f"every {name} >= {size}" for name, size in search.first.items())
    for name, figure in (("states", search.states), ("transitions", search.transitions)):
        figures[name] = int(figures.get(name, 0)) + figure
    tell(Statistics(dict(figures)))  # before the last finding, behind which nobody listens any more
    for prop in left:
        if prop.name not in doubtful:
            reason = f"for {sizes}: {search.states:,} states and {search.transitions:,} transitions, {search.how}"
            tell(Finding(prop.name, Verdict.PROVED, None, reason, least=tuple(search.first.items())))
    return [prop for prop in left if prop.name in doubtful]
