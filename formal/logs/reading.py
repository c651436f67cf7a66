"""From the lines of a log to an `Account`.

In: lines as bytes. Out: the account. Raises BadLog (`formal.conform.log`) for a log that cannot be read, as `formal conform` does. The
lines are read once.

Events: `qemu_mutex_*` of util/qemu-thread-posix.c, which mutexes and recursive mutexes share; `qemu_co_mutex_*` of
util/qemu-coroutine-lock.c; `aio_co_*`, `qemu_aio_coroutine_enter`, `qemu_coroutine_*`.
"""

from __future__ import annotations

import heapq
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeVar

from formal.codes import Code
from formal.conform.log import BadLog, Event, Reader
from formal.conform.mapping import Pattern
from formal.diagnostics import Diagnostic
from formal.logs.account import Account, At, Hold, Lock, Nesting, Thread, Total, Wait
from formal.logs.holding import SHORTEST, Holding
from formal.logs.order import Order
from formal.logs.roles import NONE, role_of_event, role_of_site
from formal.logs.scheduling import Scheduling
from formal.logs.timeline import Stretch, Timeline

MUTEXES: Final = ("qemu_mutex_lock", "qemu_mutex_locked", "qemu_mutex_unlock")
COROUTINE_MUTEXES: Final = (
    "qemu_co_mutex_lock_entry",
    "qemu_co_mutex_lock_return",
    "qemu_co_mutex_lock_uncontended",
    "qemu_co_mutex_unlock_entry",
)
COROUTINES: Final = (
    "aio_co_schedule",
    "aio_co_schedule_bh_cb",
    "qemu_aio_coroutine_enter",
    "qemu_coroutine_yield",
    "qemu_coroutine_terminate",
)
EVENTS: Final = (*MUTEXES, *COROUTINE_MUTEXES, *COROUTINES)
EARLY: Final = 200  # holds that are kept until it is known which lock is the BQL
OFTEN: Final = 4096  # lines between two looks at the clock
_BQL: Final = re.compile(r"util/main-loop\.c:\d+")
_MUTEX: Final = re.compile(r"mutex (\w+) \((.*):(\d+)\)$")
_ABOVE: Final = re.compile(r"^(\.\.?/)+")
_CO_MUTEX: Final = re.compile(r"mutex (\w+) self (\w+)")
_SCHEDULED: Final = re.compile(r"ctx (\w+) co (\w+)")
_TAKES: Final = {"qemu_mutex_locked", "qemu_co_mutex_lock_return", "qemu_co_mutex_lock_uncontended"}
_ASKS: Final = {"qemu_mutex_lock", "qemu_co_mutex_lock_entry"}

T = TypeVar("T")
Told = Callable[[int, float], None]  # lines so far, seconds


def explained(
    path: str, lines: Iterable[bytes], *, top: int = 10, others: tuple[Pattern, ...] = (), told: Told | None = None
) -> tuple[Account, Timeline]:
    """What the log says. `top`: how many of the longest holds and waits are kept; `others`: lines known to be no events. Raises BadLog."""
    began = time.monotonic()
    reader = Reader(path, EVENTS, others)
    watching = Watching(top)
    for event in reader.events(lines):
        watching.see(event)
        if told is not None and reader.lines % OFTEN == 0:
            told(reader.lines, time.monotonic() - began)
    if watching.began == "":
        raise BadLog(
            Diagnostic(Code.LOG_EMPTY, "there is no event in the log: all its lines are comments or known to be none", None, file=path)
        )
    return watching.account(path, reader, time.monotonic() - began), watching.timeline


class Watching:
    """What is known so far. `began`: the first event's time, as it is written."""

    def __init__(self, top: int) -> None:
        self._top = top
        self.began = ""
        self._zero = self._now = self._events = self._backwards = self._back_by = self._ended = 0
        self._threads: dict[int, Thread] = {}
        self._holding = Holding(self, 0)
        self._order = Order()
        self._scheduling = Scheduling()
        self._coroutines: Counter[str] = Counter()
        self._holds: list[tuple[int, int, Hold]] = []
        self._bql_holds: list[tuple[int, int, Hold]] = []
        self._waits: list[tuple[int, int, Wait]] = []
        self._bql: str | None = None
        self.timeline = Timeline()

    def see(self, event: Event) -> None:
        """One more event."""
        self._tick(event.stamp)
        self._events += 1
        number, who, name = event.number, event.thread, event.name
        thread = self._threads.get(who)
        if thread is None:
            thread = self._threads[who] = Thread(who, number, number)
        thread.last = number
        thread.events[name] += 1
        if name in MUTEXES:
            self._mutex(thread, event)
            return
        at = At(number, self._now, "")
        if (role := role_of_event(name)) is not NONE:
            self._role(thread, role, at)
        if name in COROUTINE_MUTEXES:
            self._coroutine_mutex(event, at)
            return
        for hold in self._holding.holds_of(who):
            hold.events[name] += 1
            hold.last = name
        if name in COROUTINES:
            self._coroutine(event, at)

    def _tick(self, stamp: str) -> None:
        """The clock is the wall's, and is looked at before a line's turn to be written comes. Where it goes back, time stands still."""
        now = _microseconds(stamp)
        if not self.began:
            self.began, self._zero = stamp, now
        if now - self._zero < self._now:
            self._backwards += 1
            self._back_by = max(self._back_by, self._now - now + self._zero)
            return
        self._now = now - self._zero

    def _role(self, thread: Thread, role: tuple[int, str], at: At) -> None:
        if role[0] < thread.rank:
            thread.rank, thread.role = role
            thread.evidence = at

    # ------------------------------------------------------------ locks

    def _mutex(self, thread: Thread, event: Event) -> None:
        found = _MUTEX.search(event.arguments)
        if found is None:
            self._holding.odd(event.number, "unreadable", f"{event.name}: no mutex and no place in the sources in its arguments")
            return
        address, site = found[1], _site(found[2], found[3])
        at = At(event.number, self._now, site)
        if event.name == "qemu_mutex_unlock":
            self._holding.give(thread.who, address, at)
            return
        if self._bql is None and _BQL.fullmatch(site):
            self._found_bql(address)
        if address == self._bql:
            self._role(thread, role_of_site(site), at)
        if event.name == "qemu_mutex_lock":
            self._holding.ask(thread.who, address, at)
        else:
            self._holding.take(thread.who, address, at)

    def _found_bql(self, address: str) -> None:
        """From now on its holds are kept apart."""
        self._bql = address
        before, self._holds = sorted(self._holds, reverse=True), []
        for _, _, hold in before:
            self._keep_hold(hold)

    def _coroutine_mutex(self, event: Event, at: At) -> None:
        found = _CO_MUTEX.search(event.arguments)
        if found is None:
            self._holding.odd(event.number, "unreadable", f"{event.name}: no mutex and no coroutine in its arguments")
            return
        address, who = found[1], found[2]
        if event.name in _ASKS:
            self._holding.ask(who, address, at, coroutine=True)
        elif event.name in _TAKES:
            self._holding.take(who, address, at, coroutine=True)
        else:
            self._holding.give(who, address, at, coroutine=True)

    def _coroutine(self, event: Event, at: At) -> None:
        self._coroutines[event.name] += 1
        if not event.name.startswith("aio_co_schedule"):
            return
        found = _SCHEDULED.search(event.arguments)
        if found is None:
            self._holding.odd(event.number, "unreadable", f"{event.name}: no context and no coroutine in its arguments")
        elif event.name == "aio_co_schedule":
            self._scheduling.schedule(event.thread, found[1], found[2], at)
        else:
            self._scheduling.run(event.thread, found[1], found[2], at)

    # ------------------------------------------------------------ what has come to an end

    def held(self, hold: Hold) -> None:
        """A hold has ended."""
        self._keep_hold(hold)
        self._sum(hold)
        self.timeline.add(Stretch("held", hold.who, hold.lock, hold.since, hold.until, hold.taken, hold.given))

    def _keep_hold(self, hold: Hold) -> None:
        """Keep it, if it is one of the longest."""
        if hold.lock == self._bql:
            self._keep(self._bql_holds, hold.duration, hold, self._top)
        else:
            self._keep(self._holds, hold.duration, hold, self._top if self._bql else max(self._top, EARLY))

    def waited(self, wait: Wait) -> None:
        """A wait has ended."""
        self._keep(self._waits, wait.duration, wait, self._top)
        self._sum(wait)
        if wait.behind or wait.duration > SHORTEST:  # a lock that was free is no wait to be drawn
            self.timeline.add(Stretch("waited", wait.who, wait.lock, wait.asked.time, wait.until, wait.asked, wait.got))

    def nested(self, nesting: Nesting) -> None:
        """A lock was asked for under another."""
        self._order.add(nesting)

    def _keep(self, heap: list[tuple[int, int, T]], duration: int, one: T, most: int) -> None:
        """Among the longest, if it is one of them; of equal ones the first."""
        self._ended += 1
        item = (duration, -self._ended, one)
        if len(heap) < most:
            heapq.heappush(heap, item)
        elif item > heap[0]:
            heapq.heapreplace(heap, item)

    def _sum(self, one: Hold | Wait) -> None:
        if isinstance(one.who, int):
            thread = self._threads[one.who]
            (thread.held if isinstance(one, Hold) else thread.waited).setdefault(one.lock, Total()).add(one.duration)

    # ------------------------------------------------------------ the account

    def account(self, path: str, reader: Reader, seconds: float) -> Account:
        """What is known, the log having ended here."""
        held, waiting = self._holding.close(self._now)
        for hold in held:
            self.held(hold)
        for wait in waiting:
            self.waited(wait)
        locks = list(self._holding.locks)
        _christen(locks, self._bql)
        return Account(
            log=path,
            lines=reader.lines,
            comments=reader.comments,
            other_lines=reader.others,
            events=self._events,
            began=self.began,
            span=self._now,
            backwards=self._backwards,
            back_by=self._back_by,
            seconds=seconds,
            threads=sorted(self._threads.values(), key=lambda one: one.who),
            locks=locks,
            bql=next((lock for lock in locks if lock.address == self._bql), None),
            holds=[hold for _, _, hold in sorted(self._bql_holds, reverse=True)],
            other_holds=[hold for _, _, hold in sorted(self._holds, reverse=True)][: self._top],
            waits=[wait for _, _, wait in sorted(self._waits, reverse=True)],
            pairs=dict(sorted(self._holding.pairs.items(), key=lambda one: -one[1].time)),
            edges=self._order.edges(),
            cycles=self._order.cycles(),
            cycles_cut=self._order.cut,
            late=self._holding.late,
            held_at_end=held,
            waiting_at_end=waiting,
            circle=self._holding.circle(),
            handovers=self._scheduling.handovers(),
            scheduled_at_end=self._scheduling.open,
            coroutines=self._coroutines,
            oddities=self._holding.oddities,
            odd_counts=self._holding.odd_counts,
        )


def _christen(locks: Iterable[Lock], bql: str | None) -> None:
    """Names by the place of the first event, numbered where that is not enough; BQL for what the main loop takes behind its poll."""
    taken: Counter[str] = Counter()
    for lock in locks:
        base = lock.first.site or "CoMutex"
        taken[base] += 1
        lock.name = "BQL" if lock.address == bql else base if taken[base] == 1 else f"{base} #{taken[base]}"


def _microseconds(stamp: str) -> int:
    whole, _, part = stamp.partition(".")
    return int(whole) * 1_000_000 + int(part[:6].ljust(6, "0"))


@lru_cache(maxsize=4096)
def _site(path: str, line: str) -> str:
    """A place in QEMU's tree: builds lie beside or below it, whence the `../`."""
    return f"{_ABOVE.sub('', path)}:{line}"
