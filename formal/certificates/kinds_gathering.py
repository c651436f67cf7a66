"""What a certificate of all sizes lists where few members are told: all that comes of the first states.

In: a `Kindred`, what was proved. Out: a `KindsListing`; or why there is none. Who checks a certificate must not know this module: what is
checked is that these are all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from heapq import heappop, heappush
from typing import Final

from formal.certificates.breaking import Breaking
from formal.certificates.crowded import Unsuited
from formal.certificates.following import Following
from formal.certificates.kindred import Kindred
from formal.certificates.kinds import Kind, Told
from formal.certificates.kinds_listing import KindsListing
from formal.certificates.showing import Showing

MOST: Final = 4_000  # states: more make a record that nobody reads, and that takes long to check
MOST_KINDS: Final = 60  # of those who are not told, in one state


class _Gathering:
    """What was found. New states come first, then those with the most kinds: fewer are added to them later on."""

    def __init__(self) -> None:
        self.states: dict[Told, dict[Kind, None]] = {}
        self._done: dict[Told, int] = {}
        self._todo: list[tuple[bool, int, int, Told]] = []
        self._put = 0

    def add(self, told: Told, kinds: Iterable[Kind]) -> None:
        """Notes that others may be of these kinds. Raises Unsuited."""
        known = self.states.setdefault(told, {})
        before = len(known)
        known.update(dict.fromkeys(sorted(kinds)))
        if len(self.states) > MOST:
            raise Unsuited(f"more than {MOST:,} states")
        if len(known) > MOST_KINDS:
            raise Unsuited(f"others may be of more than {MOST_KINDS} kinds at once")
        if len(known) > before or told not in self._done:
            again = self._done.setdefault(told, -1) >= 0
            self._put += 1
            heappush(self._todo, (again, -len(known) if again else 0, self._put, told))

    def next(self) -> Told | None:
        """One that has to be looked at (again); None if there is none."""
        while self._todo:
            told = heappop(self._todo)[3]
            if self._done[told] < len(self.states[told]):
                self._done[told] = len(self.states[told])
                return told
        return None


def gathered(kindred: Kindred, proves: Collection[str], progress: Callable[[str], None]) -> KindsListing:
    """All of them. `progress`: is told how far it is, may raise. Raises Unsuited."""
    showing, found = Showing(kindred), _Gathering()
    following, breaking = Following(showing), Breaking(showing)
    for told, kinds in following.first():
        found.add(told, kinds)
    while (one := found.next()) is not None:
        progress(f"{len(found.states):,} states of any number of members")
        overflow = breaking.overflow(one, found.states[one])
        if overflow is not None:
            raise Unsuited(f"who posts {overflow} how often does not follow from which kinds of members there are")
        for came in following.after(one, list(found.states[one])):
            if came.told is not None:
                found.add(came.told, came.kinds)
            elif came.violates in proves:
                raise Unsuited(f"{came.violates} does not follow from which kinds of members there are")
    for one, kinds_ in found.states.items():
        progress(f"{len(found.states):,} states, looked at once more")
        wrong = next((prop for prop in breaking.violated(one, list(kinds_)) if prop in proves), None)
        if wrong is not None:
            raise Unsuited(f"{wrong} does not follow from which kinds of members there are")
    states = {told: frozenset(found.states[told]) for told in sorted(found.states)}
    return KindsListing(dict(kindred.least), tuple(proves), states)
