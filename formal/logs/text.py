"""An account as text.

In: an account and its phrases. Out: lines that fit `width` columns where words allow it. Lists are cut at `top`, and say by how much.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from formal.logs.account import Account, Hold, Total
from formal.logs.wording import Wording, duration, number, share, times

T = TypeVar("T")
_MEANWHILE = 5  # kinds of events that are told of a hold


def text(words: Wording, width: int, top: int) -> str:
    """The report."""
    account = words.account
    parts = [
        "\n".join(_wrapped([_head(account)], width, "")),
        _threads(words),
        _locks(words, width, top),
        _sites(words, top),
        *(_holds(words, title, holds, width) for title, holds in words.longest()),
        _waits(words, width),
        _pairs(words, width, top),
        _circles(words, width, top),
        _handovers(words, width, top),
        *(_section(title, lines, width) for title, lines in words.closing()),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(account: Account) -> str:
    counts = f"{number(account.events, 'event')} of {number(len(account.threads), 'thread')}"
    return f"{account.log}: {counts} in {duration(account.span)}, {number(len(account.locks), 'lock')}"


def _threads(words: Wording) -> str:
    account = words.account
    bql = account.bql.address if account.bql else ""
    rows = [["thread", "role", "events", *(["held BQL", "", "waited for it"] if bql else [])]]
    for thread in account.threads:
        held, waited = thread.held.get(bql, Total()), thread.waited.get(bql, Total())
        told = [duration(held.time), share(held.time, account.span), duration(waited.time)] if bql else []
        rows.append([str(thread.who), words.role(thread.who) or "?", f"{thread.events.total():,}", *told])
    return "Threads (roles are inferred: where they take the BQL, what they log)\n" + _table(rows, "<<>>>>")


def _locks(words: Wording, width: int, top: int) -> str:
    """Without the addresses where they do not fit."""
    account = words.account
    if not account.locks:
        return ""
    rows = [["lock", "address", "taken", "contended", "held", "longest", "waited"]]
    shown, more = _cut(words.ranked(), top)
    for lock in shown:
        figures = [f"{lock.held.count:,}", f"{lock.contended:,}", *map(duration, (lock.held.time, lock.held.longest, lock.waited.time))]
        rows.append([words.lock(lock.address), lock.address, *figures])
    table = _table(rows, "<<>>>>>")
    if max(map(len, table.splitlines())) > width:
        table = _table([[name, *figures] for name, _, *figures in rows], "<>>>>>")
    return "Locks (named by where they are first used)\n" + table + more("lock")


def _sites(words: Wording, top: int) -> str:
    lock = words.account.bql
    if lock is None:
        return ""
    shown, more = _cut(words.sites(), top)
    rows = [["taken at", "times", "held", "longest"]]
    for site, total in shown:
        rows.append([site or "before the log began", f"{total.count:,}", duration(total.time), duration(total.longest)])
    return f"{words.lock(lock.address)}, by where it was taken\n" + _table(rows, "<>>>") + more("place")


def _holds(words: Wording, title: str, holds: Sequence[Hold], width: int) -> str:
    lines = []
    for hold in holds:
        least = "at least " if hold.taken is None or hold.given is None else ""
        lines.append(f"{least}{duration(hold.duration)}  {words.lock(hold.lock)} by {words.who(hold.who)}")
        lines.append(f"  {words.held(hold)}" + (f"; meanwhile {words.meanwhile(hold.events, _MEANWHILE)}" if hold.events else ""))
    return _section(title, lines, width)


def _waits(words: Wording, width: int) -> str:
    lines = []
    for wait in words.account.waits:
        if wait.duration:
            lines.append(f"{duration(wait.duration)}  {words.who(wait.who)} for {words.lock(wait.lock)}")
            lines.append(f"  asked at {words.where(wait.asked)}; behind {words.behind(wait)}")
    return _section("Longest waits", lines, width)


def _pairs(words: Wording, width: int, top: int) -> str:
    lines = []
    shown, more = _cut(list(words.account.pairs.items()), top)
    for pair, total in shown:
        lines.append(
            f"{duration(total.time)} {'' if total.count == 1 else 'in '}{times(total.count)}  {words.who(pair.who)} ({pair.site}) waited"
            f" for {words.who(pair.holder)} ({pair.holder_site or 'since before the log'}) to give back {words.lock(pair.lock)}"
        )
    return _section("Who waited for whom", lines, width) + more("pair")


def _circles(words: Wording, width: int, top: int) -> str:
    account = words.account
    if not account.edges:
        return "Lock order: no lock was asked for under another" if account.locks else ""
    title = f"Lock order: {number(len(account.edges), 'pair')} of locks, one asked for under the other"
    if not account.cycles:
        return f"{title}; no circle among them"
    lines = []
    shown, more = _cut(account.cycles, top)
    for cycle in shown:
        lines += [words.circle(cycle), f"  {words.verdict(cycle)}"]
        lines += [f"  {words.nesting(nesting)}" for nesting in cycle.edges]
    return _section(f"{title}; {number(len(account.cycles), 'circle')}", lines, width) + more("circle")


def _handovers(words: Wording, width: int, top: int) -> str:
    account = words.account
    shown, more = _cut(list(account.handovers), top)
    lines = []
    for one in shown:
        longest = "" if one.longest is None else f" (lines {one.longest[0].line} to {one.longest[1].line})"
        lines.append(
            f"{times(one.delay.count)}  scheduled by {words.who(one.by)}, run by {words.who(one.on)}, context {one.context}:"
            f" after {duration(one.delay.time // one.delay.count)} on average, {duration(one.delay.longest)} at most{longest}"
        )
    if account.scheduled_at_end:
        lines.append(f"{number(account.scheduled_at_end, 'coroutine')} scheduled and not run when the log ends")
    if account.coroutines:
        lines.append("in all " + ", ".join(f"{count:,} x {name}" for name, count in account.coroutines.items()))
    return _section("Coroutines, and the bottom halves that enter them", lines, width) + more("row")


# ---------------------------------------------------------------- layout


def _cut(items: Sequence[T], top: int) -> tuple[Sequence[T], Callable[[str], str]]:
    """The first of them, and a line for how many are left out."""
    left = len(items) - top
    return items[:top], lambda noun: f"\n  … and {number(left, f'more {noun}')} (--top {len(items)} tells all)" if left > 0 else ""


def _table(rows: Sequence[Sequence[str]], sides: str) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    made = ["  ".join(f"{cell:{side}{wide}}" for cell, side, wide in zip(row, sides, widths, strict=False)) for row in rows]
    return "\n".join(f"  {line.rstrip()}" for line in made)


def _section(title: str, lines: Sequence[str], width: int) -> str:
    return "\n".join((title, *_wrapped(lines, width))) if lines else ""


def _wrapped(lines: Iterable[str], width: int, margin: str = "  ") -> Iterator[str]:
    for line in lines:
        indent = margin + " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(
            line.strip(), width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
        )
