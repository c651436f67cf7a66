"""Who holds which lock, and who waits for it, from one line of a log to the next.

In: lock events in the log's order. Out: holds and waits that have come to an end, given to a listener; the locks and what is open. A lock's
holder is unknown until its first event. A mutex logs `locked` behind the locking and `unlock` before the unlocking, so that between the two
no other may log `locked`: if one does, a line is missing, and that is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Protocol

from formal.logs.account import UNKNOWN, At, Hold, Lock, Nesting, Oddity, Pair, Total, Wait, Who

DEEPEST: Final = 32  # locks in one thread's hands; beyond, it is rather that their giving back was not logged
SHORTEST: Final = 1  # microseconds that a wait for a free lock may seem to take
KEPT: Final = 50  # oddities that are told with their lines


class Listener(Protocol):
    """What wants to hear of holds and waits."""

    def held(self, hold: Hold) -> None:
        """A hold has ended."""

    def waited(self, wait: Wait) -> None:
        """A wait has ended."""

    def nested(self, nesting: Nesting) -> None:
        """A lock was asked for under another."""


class _State:
    """One lock now. `known`: whether an event has told who holds it."""

    __slots__ = ("asking", "hold", "known", "late", "left", "lock")

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.known = False
        self.hold: Hold | None = None
        self.late: Hold | None = None  # the hold from before the log began, until someone takes the lock
        self.asking: dict[Who, Wait] = {}
        self.left: dict[Who, str] = {}  # where each last gave it back


class Holding:
    """All locks of a log. `start`: the time of its first event."""

    def __init__(self, listener: Listener, start: int) -> None:
        self._listener = listener
        self._start = start
        self._states: dict[str, _State] = {}
        self._held: dict[Who, dict[str, Hold]] = {}
        self.pairs: dict[Pair, Total] = {}
        self.late: list[Hold] = []
        self.oddities: list[Oddity] = []
        self.odd_counts: Counter[str] = Counter()

    @property
    def locks(self) -> Iterator[Lock]:
        """In the order of their first events."""
        return (state.lock for state in self._states.values())

    def holds_of(self, who: Who) -> Iterable[Hold]:
        """What someone holds now, last taken first, up to `DEEPEST`."""
        held = self._held.get(who)
        return islice(reversed(held.values()), DEEPEST) if held else ()

    def odd(self, line: int, what: str, text: str) -> None:
        """Tell of something that does not fit. `what`: the kind, which is counted."""
        self.odd_counts[what] += 1
        if len(self.oddities) < KEPT:
            self.oddities.append(Oddity(line, what, text))

    # ------------------------------------------------------------ events

    def ask(self, who: Who, address: str, at: At, *, coroutine: bool = False) -> None:
        """Someone is about to wait for the lock."""
        state = self._state(address, at, coroutine=coroutine)
        if who in state.asking:
            self.odd(at.line, "asks twice", f"{_name(who)} asks for a lock that it asked for at line {state.asking[who].asked.line}")
        state.asking[who] = Wait(address, who, at)
        if state.hold is None or state.hold.who != who:  # else a recursive lock, once more; or a plain one, and the thread hangs
            self._nest(who, address, at)

    def take(self, who: Who, address: str, at: At, *, coroutine: bool = False) -> None:
        """Someone has the lock."""
        state = self._state(address, at, coroutine=coroutine)
        hold = state.hold
        if hold is not None and hold.who == who:
            hold.depth += 1
            state.lock.nested += 1
            state.asking.pop(who, None)
            return
        if hold is not None:
            text = f"{_name(who)} takes a lock that {_name(hold.who)} has had since line {hold.taken.line if hold.taken else 'the first'}"
            self.odd(at.line, "taken while held", text)
            self._drop(state, hold)
        how = self._arrived(state, who, at)
        if how == "woken":
            self._nest(who, address, at)
        state.known, state.late = True, None
        state.hold = Hold(address, who, at, how, since=at.time)
        self._held.setdefault(who, {})[address] = state.hold

    def give(self, who: Who, address: str, at: At, *, coroutine: bool = False) -> None:
        """Someone gives the lock back."""
        state = self._state(address, at, coroutine=coroutine)
        hold = state.hold
        if hold is None and not state.known:
            state.late = hold = Hold(address, who, None, "lock", since=self._start)
            self.late.append(hold)
        if hold is None and state.late is not None and state.late.who == who:  # a recursive lock that it had taken several times
            state.late.given, state.late.until = at, at.time
            return
        if hold is None:
            self.odd(at.line, "given back while free", f"{_name(who)} gives back a lock that nobody has")
            return
        if hold.who != who:
            self.odd(at.line, "given back by another", f"{_name(who)} gives back a lock that {_name(hold.who)} has")
            self._drop(state, hold)
            return
        hold.depth -= 1
        if hold.depth == 0:
            self._end(state, hold, at)

    # ------------------------------------------------------------ the end

    def close(self, end: int) -> tuple[list[Hold], list[Wait]]:
        """What is open at the log's end: holds and waits, with `until` set."""
        holds = [state.hold for state in self._states.values() if state.hold is not None]
        for hold in holds:
            hold.until = end
            self._blame(self._states[hold.lock], hold)
        waits = [wait for state in self._states.values() for wait in state.asking.values()]
        for wait in waits:
            wait.until = end
        return holds, waits

    def circle(self) -> list[Who]:
        """Those who wait for each other at the end, in a circle; none, as a rule."""
        behind = {who: state.hold.who for state in self._states.values() if state.hold is not None for who in state.asking}
        for start in behind:
            path = [start]
            while (following := behind.get(path[-1])) is not None and following not in path:
                path.append(following)
            if following is not None:
                return path[path.index(following) :]
        return []

    # ------------------------------------------------------------ one event's parts

    def _state(self, address: str, at: At, *, coroutine: bool) -> _State:
        state = self._states.get(address)
        if state is None:
            state = self._states[address] = _State(Lock(address, coroutine, at))
        return state

    def _arrived(self, state: _State, who: Who, at: At) -> str:
        """How someone came to have the lock."""
        wait = state.asking.pop(who, None)
        if wait is not None:
            wait.got, wait.until = at, at.time
            if not state.known and wait.duration > SHORTEST:
                wait.behind[UNKNOWN, ""] = wait.duration
            self._count(state.lock, wait)
            return "lock"
        if at.site and state.left.get(who) == at.site:
            state.lock.sleeps += 1
            return "woken"
        state.lock.tried += 1
        return "try"

    def _count(self, lock: Lock, wait: Wait) -> None:
        lock.waited.add(wait.duration)
        if any(who != UNKNOWN for who, _ in wait.behind):
            lock.contended += 1
        for (holder, site), duration in wait.behind.items():
            if holder != UNKNOWN:
                pair = Pair(wait.lock, wait.who, wait.asked.site, holder, site)
                self.pairs.setdefault(pair, Total()).add(duration)
        self._listener.waited(wait)

    def _nest(self, who: Who, address: str, at: At) -> None:
        held = [hold for hold in self.holds_of(who) if hold.lock != address]
        if len(held) == DEEPEST:
            self.odd(at.line, "deep", f"{_name(who)} asks for a lock while it has {len(self._held[who])}, of which the last are looked at")
        for hold in held:
            gates = frozenset(one.lock for one in held if one is not hold)
            self._listener.nested(Nesting(hold.lock, address, who, hold.taken, at, gates))

    def _end(self, state: _State, hold: Hold, at: At) -> None:
        hold.given, hold.until = at, at.time
        state.known, state.hold = True, None
        state.left[hold.who] = at.site
        self._held.get(hold.who, {}).pop(hold.lock, None)
        self._blame(state, hold)
        lock = state.lock
        lock.held.add(hold.duration)
        lock.sites.setdefault(hold.taken.site if hold.taken else "", Total()).add(hold.duration)
        self._listener.held(hold)

    def _blame(self, state: _State, hold: Hold) -> None:
        """Those who waited meanwhile waited for this one."""
        key = (hold.who, hold.taken.site if hold.taken else "")
        for wait in state.asking.values():
            overlap = hold.until - max(hold.since, wait.asked.time)
            wait.behind[key] = wait.behind.get(key, 0) + max(0, overlap)

    def _drop(self, state: _State, hold: Hold) -> None:
        """The end of a hold is not in the log: how long it was is not known, and it counts nowhere."""
        state.hold = None
        self._held.get(hold.who, {}).pop(hold.lock, None)


def _name(who: Who) -> str:
    return f"thread {who}" if isinstance(who, int) else f"coroutine {who}"
