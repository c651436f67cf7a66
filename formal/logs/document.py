"""An account as data, for `--format json`. In: an account. Out: what json can write; times in microseconds; lists are whole."""

from __future__ import annotations

from typing import Any

from formal import __version__
from formal.logs.account import Account, At, Cycle, Edge, Hold, Lock, Nesting, Pair, Thread, Total, Wait
from formal.logs.wording import Wording


def document(words: Wording) -> dict[str, Any]:
    """The report."""
    account = words.account
    return {
        "formal": __version__,
        "log": account.log,
        "lines": account.lines,
        "comments": account.comments,
        "no_events": account.other_lines,
        "events": account.events,
        "began": account.began,
        "microseconds": account.span,
        "clock_went_back": account.backwards,
        "seconds": round(account.seconds, 3),
        "bql": None if account.bql is None else account.bql.address,
        "threads": [_thread(words, thread) for thread in account.threads],
        "locks": [_lock(words, lock) for lock in account.locks],
        "longest_holds": [_hold(hold) for hold in (*account.holds, *account.other_holds)],
        "longest_waits": [_wait(wait) for wait in account.waits],
        "contention": [{**_pair(pair), **_total(total)} for pair, total in account.pairs.items()],
        "order": [_edge(edge) for edge in account.edges],
        "cycles": [_cycle(one) for one in account.cycles],
        "cycles_complete": not account.cycles_cut,
        "handovers": [{"context": one.context, "by": one.by, "on": one.on, **_total(one.delay)} for one in account.handovers],
        "coroutines": dict(account.coroutines),
        "at_end": _ending(account),
        "held_before_the_log": [_hold(hold) for hold in account.late],
        "oddities": {
            "counts": dict(account.odd_counts),
            "lines": [{"line": one.line, "kind": one.what, "text": one.text} for one in account.oddities],
        },
        "cannot_tell": list(words.cannot_tell()),
    }


def _ending(account: Account) -> dict[str, Any]:
    return {
        "held": [_hold(hold) for hold in account.held_at_end],
        "waiting": [_wait(wait) for wait in account.waiting_at_end],
        "circle": list(account.circle),
        "scheduled_coroutines": account.scheduled_at_end,
    }


def _thread(words: Wording, thread: Thread) -> dict[str, Any]:
    return {
        "thread": thread.who,
        "role": words.role(thread.who) or None,
        "evidence": _at(thread.evidence),
        "first_line": thread.first,
        "last_line": thread.last,
        "events": dict(thread.events.most_common()),
        "held": {lock: _total(total) for lock, total in thread.held.items()},
        "waited": {lock: _total(total) for lock, total in thread.waited.items()},
    }


def _lock(words: Wording, lock: Lock) -> dict[str, Any]:
    return {
        "address": lock.address,
        "name": words.lock(lock.address),
        "kind": "coroutine mutex" if lock.coroutines else "mutex",
        "first": _at(lock.first),
        "held": _total(lock.held),
        "waited": _total(lock.waited),
        "contended": lock.contended,
        "taken_again_by_holder": lock.nested,
        "condition_waits": lock.sleeps,
        "taken_without_asking": lock.tried,
        "sites": {site: _total(total) for site, total in lock.sites.items()},
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "lock": hold.lock,
        "holder": hold.who,
        "taken": _at(hold.taken),
        "how": hold.how,
        "given_back": _at(hold.given),
        "microseconds": hold.duration,
        "at_least": hold.taken is None or hold.given is None,
        "events": dict(hold.events.most_common()),
    }


def _wait(wait: Wait) -> dict[str, Any]:
    behind = [{"holder": who, "taken_at": site or None, "microseconds": time} for (who, site), time in wait.behind.items()]
    return {
        "lock": wait.lock,
        "waiter": wait.who,
        "asked": _at(wait.asked),
        "got": _at(wait.got),
        "microseconds": wait.duration,
        "behind": behind,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "lock": pair.lock,
        "waiter": pair.who,
        "asked_at": pair.site,
        "holder": pair.holder,
        "taken_at": pair.holder_site or None,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "held": edge.held,
        "asked": edge.asked,
        "count": edge.count,
        "examples": [_nesting(one) for one in edge.examples],
        "more_examples": edge.more,
    }


def _cycle(one: Cycle) -> dict[str, Any]:
    return {"locks": list(one.locks), "kind": one.kind, "gates": sorted(one.gates), "edges": [_nesting(edge) for edge in one.edges]}


def _nesting(one: Nesting) -> dict[str, Any]:
    return {
        "held": one.held,
        "asked": one.asked,
        "holder": one.who,
        "taken": _at(one.taken),
        "asked_at": _at(one.at),
        "also_held": sorted(one.gates),
    }


def _total(total: Total) -> dict[str, int]:
    return {"count": total.count, "microseconds": total.time, "longest": total.longest}


def _at(at: At | None) -> dict[str, Any] | None:
    return None if at is None else {"line": at.line, "microseconds": at.time, "place": at.site or None}
