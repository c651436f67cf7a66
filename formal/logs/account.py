"""What is told of a log: threads, locks, holds and waits, the order of locks, what was open at the end, what does not fit.

In: nothing (data). Times are whole microseconds, since the log's first event where a moment is meant. Must not read logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Who: TypeAlias = int | str  # a thread's id, or a coroutine's address: a CoMutex is a coroutine's, not a thread's
UNKNOWN: Final = -1  # whoever holds a lock that the log has not told of yet


@dataclass(frozen=True, slots=True)
class At:
    """A line of the log, when it was written, and the place in the sources that it names (`util/main-loop.c:318`; "" if it names none)."""

    line: int
    time: int
    site: str


@dataclass(slots=True)
class Hold:
    """A lock in someone's hands. `taken`: None if that was before the log's first line; `given`: None if it still is at the log's end;
    `how`: "lock", "try" (nobody saw it ask) or "woken" (behind a condition variable's wait); `events`: what its holder logged meanwhile;
    `last`: the last of them. `until`: the time of `given`, or of the log's end."""

    lock: str
    who: Who
    taken: At | None
    how: str
    given: At | None = None
    since: int = 0
    until: int = 0
    depth: int = 1
    events: Counter[str] = field(default_factory=Counter)
    last: str = ""

    @property
    def duration(self) -> int:
        """Microseconds; at least so many, if an end of it is not in the log."""
        return max(0, self.until - self.since)


@dataclass(slots=True)
class Wait:
    """Someone asked for a lock. `got`: None if it never got it; `behind`: who held it meanwhile, from which place, for how long."""

    lock: str
    who: Who
    asked: At
    got: At | None = None
    until: int = 0
    behind: dict[tuple[Who, str], int] = field(default_factory=dict)

    @property
    def duration(self) -> int:
        """Microseconds; at least so many, if it never got it."""
        return max(0, self.until - self.asked.time)


@dataclass(slots=True)
class Total:
    """How often something was, how long in all, and how long at most (microseconds)."""

    count: int = 0
    time: int = 0
    longest: int = 0

    def add(self, duration: int) -> None:
        """One more of it."""
        self.count += 1
        self.time += duration
        self.longest = max(self.longest, duration)


@dataclass(slots=True)
class Lock:
    """One lock. `address`: what the log calls it; `name`: what the report calls it; `first`: where it was first asked for, taken or given
    back; `contended`: how often someone waited while another held it; `sleeps`: waits on condition variables, which give it back;
    `tried`: how often it was taken by someone who was not seen to ask; `sites`: the holds by the place where they began."""

    address: str
    coroutines: bool
    first: At
    name: str = ""
    contended: int = 0
    sleeps: int = 0
    tried: int = 0
    nested: int = 0
    held: Total = field(default_factory=Total)
    waited: Total = field(default_factory=Total)
    sites: dict[str, Total] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """Who waited for whom: `site` is where it asked, `holder_site` where the other had taken the lock ("" before the log began)."""

    lock: str
    who: Who
    site: str
    holder: Who
    holder_site: str


@dataclass(frozen=True, slots=True)
class Nesting:
    """A lock was asked for (`asked`) by someone who held another (`held`, taken at `taken`). `gates`: what else it held."""

    held: str
    asked: str
    who: Who
    taken: At | None
    at: At
    gates: frozenset[str]


@dataclass(frozen=True, slots=True)
class Edge:
    """All nestings of one lock in another. `examples`: one for each thread and set of gates; `more`: there were more such."""

    held: str
    asked: str
    count: int
    examples: tuple[Nesting, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """Locks that are taken in a circle. `edges`: an example for each, where possible of different threads that no common lock keeps
    apart; `kind`: "threads" if there are such, "guarded" if some lock is held at two of them, "one thread" if one does it all."""

    locks: tuple[str, ...]
    kind: str
    edges: tuple[Nesting, ...]
    gates: frozenset[str]


@dataclass(slots=True)
class Thread:
    """One thread that wrote into the log, from line `first` to `last`. `role`: inferred from `evidence`, an event of its; the lower its
    `rank`, the surer; `events`: by name; `held`, `waited`: by lock."""

    who: int
    first: int
    last: int
    role: str = ""
    evidence: At | None = None
    rank: int = 99
    events: Counter[str] = field(default_factory=Counter)
    held: dict[str, Total] = field(default_factory=dict)
    waited: dict[str, Total] = field(default_factory=dict)


@dataclass(slots=True)
class Handover:
    """Coroutines that were scheduled into an AioContext: by whom, run by whom, and how long until then. `open`: not run at the end."""

    context: str
    by: int
    on: int
    delay: Total = field(default_factory=Total)
    longest: tuple[At, At] | None = None


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that does not fit: two lines of which one must be missing, or that cannot be read."""

    line: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is told of one log. `span`: from the first event to the last, in microseconds; `backwards`: lines that bear an
    earlier time than one before them, `back_by`: by how much at most; `holds`: the longest of the BQL, `other_holds` of all other locks;
    `late`: locks that someone held before the log began; `circle`: threads that wait for each other at the log's end."""

    log: str
    lines: int
    comments: int
    other_lines: int
    events: int
    began: str
    span: int
    backwards: int
    back_by: int
    seconds: float
    threads: Sequence[Thread]
    locks: Sequence[Lock]
    bql: Lock | None
    holds: Sequence[Hold]
    other_holds: Sequence[Hold]
    waits: Sequence[Wait]
    pairs: Mapping[Pair, Total]
    edges: Sequence[Edge]
    cycles: Sequence[Cycle]
    cycles_cut: bool
    late: Sequence[Hold]
    held_at_end: Sequence[Hold]
    waiting_at_end: Sequence[Wait]
    circle: Sequence[Who]
    handovers: Sequence[Handover]
    scheduled_at_end: int
    coroutines: Mapping[str, int]
    oddities: Sequence[Oddity]
    odd_counts: Mapping[str, int]
