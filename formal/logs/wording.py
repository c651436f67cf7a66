"""Words that the text and the page share: durations, who, where, and what there is to say about a log as a whole.

In: an account. Out: phrases. Must not lay anything out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from formal.logs.account import UNKNOWN, Account, At, Cycle, Hold, Lock, Nesting, Total, Wait, Who

KINDS: Mapping[str, str] = {
    "threads": "may deadlock: different threads take them in different orders, and no other lock keeps these apart",
    "guarded": "taken in different orders, but only while another lock is held that keeps the threads apart",
    "one thread": "one thread alone takes them in both orders; a second one that did as much could deadlock with it",
}
ODD: Mapping[str, str] = {
    "taken while held": "a lock taken while another thread had it",
    "given back while free": "a lock given back that nobody had",
    "given back by another": "a lock given back by another thread than had it",
    "asks twice": "a lock asked for twice",
    "deep": "more locks in one thread's hands than the order of locks is looked at for",
    "unreadable": "a lock's or coroutine's event whose arguments cannot be read",
}


def duration(microseconds: int) -> str:
    """`12 µs`, `1.23 ms`, `4.56 s`."""
    if microseconds < 1000:
        return f"{microseconds} µs"
    value, unit = (microseconds / 1000, "ms") if microseconds < 999_995 else (microseconds / 1_000_000, "s")
    return f"{value:.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def share(part: int, whole: int) -> str:
    """`48 %`."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 or not part else "<1 %"


def number(count: int, noun: str, plural: str | None = None) -> str:
    """`1 line`, `2 lines`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def times(count: int) -> str:
    """`once`, `2 times`."""
    return "once" if count == 1 else number(count, "time")


class Wording:
    """Phrases about one account. `given`: names of thread ids and addresses, from the user."""

    def __init__(self, account: Account, given: Mapping[str, str]) -> None:
        self._given = given
        self._locks = {lock.address: given.get(lock.address, lock.name) for lock in account.locks}
        self._roles = {thread.who: given.get(str(thread.who), thread.role) for thread in account.threads}
        self.account = account

    def role(self, thread: int) -> str:
        """What the thread is; "" if that is not known."""
        return self._roles.get(thread, "")

    def who(self, who: Who) -> str:
        """`17040 vCPU`, `coroutine 0x55…`."""
        if who == UNKNOWN:
            return "someone"
        if isinstance(who, int):
            return f"{who} {self.role(who)}".rstrip()
        return self._given.get(who, f"coroutine {who}")

    def lock(self, address: str) -> str:
        """Its name."""
        return self._locks.get(address, address)

    def where(self, at: At | None) -> str:
        """`util/main-loop.c:318 (line 14)`."""
        if at is None:
            return "before the log began"
        return f"{at.site} (line {at.line})" if at.site else f"line {at.line}"

    def meanwhile(self, events: Counter[str], most: int) -> str:
        """`2 x blk_co_pwritev, pflash_write, and 3 other events`: what was logged in a hold, most frequent first."""
        told = [name if count == 1 else f"{count} x {name}" for name, count in events.most_common(most)]
        others = sum(events.values()) - sum(count for _, count in events.most_common(most))
        return ", ".join(told + ([f"and {number(others, 'other event')}"] if others else []))

    def held(self, hold: Hold) -> str:
        """Where a hold began and ended."""
        taken = "taken before the log began" if hold.taken is None else f"taken at {self.where(hold.taken)}"
        taken += {"woken": ", woken from a condition variable", "try": ", without having asked"}.get(hold.how, "")
        return f"{taken}, {'not given back' if hold.given is None else f'given back at {self.where(hold.given)}'}"

    def behind(self, wait: Wait) -> str:
        """For whom a wait was."""
        parts = [
            f"{self.who(who)}{f' ({site})' if site else ''} {duration(time)}" for (who, site), time in wait.behind.items() if who != UNKNOWN
        ]
        return ", ".join(parts) if parts else "nobody that the log names"

    def nesting(self, one: Nesting) -> str:
        """Who took which lock under which."""
        taken = "before the log began" if one.taken is None else f"at {self.where(one.taken)}"
        return (
            f"{self.who(one.who)} has {self.lock(one.held)}, taken {taken}, and asks for {self.lock(one.asked)}"
            f"{f' at {self.where(one.at)}' if one.at.site else f' (line {one.at.line})'}"
        )

    def circle(self, one: Cycle) -> str:
        """`BQL -> util/async.c:717 -> BQL`."""
        return " -> ".join(self.lock(lock) for lock in (*one.locks, one.locks[0]))

    def verdict(self, one: Cycle) -> str:
        """What a circle means."""
        gates = ", ".join(sorted(self.lock(gate) for gate in one.gates))
        return KINDS[one.kind] + (f": {gates}" if gates else "")

    def ranked(self) -> list[Lock]:
        """The locks: the BQL, then those that were most waited for."""
        bql = self.account.bql
        return sorted(self.account.locks, key=lambda lock: (lock is not bql, -lock.waited.time, -lock.held.time))

    def sites(self) -> list[tuple[str, Total]]:
        """The BQL's holds by where they began, longest in all first."""
        return sorted(self.account.bql.sites.items(), key=lambda one: -one[1].time) if self.account.bql else []

    def longest(self) -> list[tuple[str, Sequence[Hold]]]:
        """The longest holds, under titles."""
        account = self.account
        bql = "" if account.bql is None else self.lock(account.bql.address)
        found = [(f"Longest holds of {bql}", account.holds), (f"Longest holds{' of other locks' if bql else ''}", account.other_holds)]
        return [(title, holds) for title, holds in found if holds]

    def closing(self) -> list[tuple[str, list[str]]]:
        """What there is to say at the end, under titles."""
        found = [
            ("When the log ends", list(self.at_end())),
            ("What this log cannot tell", list(self.cannot_tell())),
            ("Lines that do not fit", list(self._odd_lines())),
        ]
        return [(title, lines) for title, lines in found if lines]

    def at_end(self) -> Iterator[str]:
        """What was open when the log ended."""
        account = self.account
        for hold in account.held_at_end:
            yield f"{self.lock(hold.lock)} is held by {self.who(hold.who)}, {self.held(hold)}"
        for wait in account.waiting_at_end:
            yield f"{self.who(wait.who)} waits for {self.lock(wait.lock)}, asked for at {self.where(wait.asked)}"
        if account.circle:
            names = [self.who(who) for who in (*account.circle, account.circle[0])]
            yield f"DEADLOCK, if nothing was left unlogged: {' waits for '.join(names)}"

    def _odd_lines(self) -> Iterator[str]:
        account = self.account
        for one in account.oddities:
            yield f"line {one.line}: {one.text}"
        left = sum(account.odd_counts.values()) - len(account.oddities)
        if left:
            yield f"and {number(left, 'more line')}"

    def cannot_tell(self) -> Iterator[str]:
        """What the log does not say, or contradicts."""
        account = self.account
        if not account.locks:
            yield "no lock is in the log: QEMU logs them with -trace 'qemu_mutex_*'"
        elif account.bql is None:
            yield "no lock is taken in util/main-loop.c, so that none can be called BQL"
        if account.late:
            many = number(len(account.late), "lock")
            yield f"{many} had been taken before the log began: how long before, and under which others, is not known"
        if account.backwards:
            lines = f"{number(account.backwards, 'line')} of it {'bears' if account.backwards == 1 else 'bear'}"
            yield f"{lines} an earlier time than a line before: by {duration(account.back_by)} at most, and durations are as uncertain"
        for kind, count in account.odd_counts.items():
            yield f"{times(count)}: {ODD[kind]}"
        if account.other_lines:
            yield f"{number(account.other_lines, 'line')} passed over, known to be no events"
        if account.cycles_cut:
            yield "there may be more circles of locks than are told, or longer ones"
