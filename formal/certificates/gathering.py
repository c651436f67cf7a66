"""The states that a certificate of all sizes lists: all that come of the first ones.

In: a program, the parameter that says how many there are, what was proved. Out: a `Listing`; or why there is none. Who checks a certificate
must not know this module: what is checked is that these are all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from formal.certificates.closing import Stepping
from formal.certificates.crowded import Crowded, Unsuited
from formal.certificates.family import Family
from formal.certificates.listing import Listing

FURTHER: Final = 2  # members that are counted beyond those that are enough, where that does not do
MOST: Final = 12_000  # states: more make a record that nobody reads, and that takes long to check


class _Doubtful(Unsuited):
    """Something is violated where members are counted no further."""


def gathered(family: Family, proves: Collection[str], progress: Callable[[str], None]) -> Listing:
    """All states, counted no further than it takes. `progress`: is told how far it is, may raise. Raises Unsuited."""
    for many in range(family.enough, family.enough + FURTHER):
        family.many = many
        try:
            return _gathered(family, proves, progress)
        except _Doubtful:
            continue
    family.many = family.enough + FURTHER
    return _gathered(family, proves, progress)


def _gathered(family: Family, proves: Collection[str], progress: Callable[[str], None]) -> Listing:
    stepping = Stepping(family)
    found: dict[Crowded, None] = dict.fromkeys(first for _, first in stepping.first())
    todo = list(found)
    while todo:
        if len(found) > MOST:
            raise Unsuited(f"more than {MOST:,} states")
        progress(f"{len(found):,} states of any number of members")
        one = todo.pop()
        for after in _after(stepping, one, proves, family.many):
            if after not in found:
                found[after] = None
                todo.append(after)
    return Listing(family.name, family.least, family.many, tuple(proves), tuple(sorted(found)))


def _after(stepping: Stepping, one: Crowded, proves: Collection[str], many: int) -> Iterator[Crowded]:
    """What comes of a state. Raises Unsuited where it violates something, or a step of it does."""
    wrong = [prop for prop in stepping.violated(one) if prop in proves]
    for step in stepping.after(one):
        if step.after is not None:
            yield step.after
        elif step.violates in proves:
            wrong.append(str(step.violates))
    if wrong:
        raise _Doubtful(f"{wrong[0]} does not follow from how many there are of each kind, counted up to {many}")
