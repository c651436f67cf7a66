"""`formal explain-log`: what is read out of logs, real ones and made ones; what is not known; pages; mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from formal.cli import main
from formal.logs.account import Account, Cycle
from formal.logs.reading import explained
from formal.logs.timeline import Stretch, Timeline
from formal.logs.wording import Wording, duration, share

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "tests" / "logs"
BQL, AIO, THIRD = "0xb0", "0xa0", "0xc0"
VERBS = {"ask": "qemu_mutex_lock waiting on", "take": "qemu_mutex_locked taken", "give": "qemu_mutex_unlock released"}


def line(time: int, thread: int, what: str, lock: str = "", site: str = "x.c:1") -> bytes:
    """One line: ask, take or give a lock, or another event as it is. Microseconds."""
    told = f"{VERBS[what]} mutex {lock} (../../{site})" if what in VERBS else what
    return f"{thread}@{100 + time // 1_000_000}.{time % 1_000_000:06d}:{told}\n".encode()


def read(*lines: bytes, top: int = 10) -> Account:
    return explained("made.log", lines, top=top)[0]


def real(name: str) -> Account:
    with (LOGS / f"{name}.log").open("rb") as lines:
        return explained(name, lines)[0]


def nested(thread: int, start: int, *locks: str) -> list[bytes]:
    """A thread that takes these one inside of the other, and gives all back. The places are the locks' names."""
    lines = []
    for number, lock in enumerate(locks):
        lines += [line(start + number, thread, "ask", lock, f"{lock}.c:1"), line(start + number, thread, "take", lock, f"{lock}.c:1")]
    return [*lines, *(line(start + 9, thread, "give", lock, f"{lock}.c:2") for lock in reversed(locks))]


# ---------------------------------------------------------------- real logs


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("snapshot-save-assert", {17036: "main loop", 17039: "monitor", 17040: "vCPU"}),
        ("snapshot-save-unpatched", {12159: "main loop", 12163: "monitor", 12164: "vCPU"}),
        ("snapshot-save-held-vcpu", {29203: "main loop", 29204: "call_rcu", 29208: "monitor", 29210: "vCPU"}),
        ("migrate-unpatched", {21368: "main loop", 21369: "call_rcu", 21372: "monitor", 21373: "vCPU", 21375: "migration"}),
    ],
)
def test_threads_are_told_by_what_they_do(name: str, roles: dict[int, str]) -> None:
    account = real(name)
    head = (LOGS / f"{name}.log").read_text().split("\n")[1]
    assert {thread.who: thread.role for thread in account.threads} == roles
    assert all(str(who) in head for who in roles)  # which says who they were
    assert account.oddities == []
    assert account.bql is not None
    assert [lock.name for lock in account.locks] == ["BQL"]


def test_the_long_hold_of_the_patched_setup_is_found() -> None:
    hold = real("snapshot-save-held-vcpu").holds[0]
    assert hold.taken is not None
    assert hold.given is not None
    assert (hold.who, hold.duration, hold.taken.site, hold.taken.line) == (29210, 11747, "accel/tcg/cputlb.c:1431", 119)
    assert (hold.given.site, hold.given.line, hold.events["ram_save_page"]) == ("softmmu/cpus.c:511", 490, 24)


def test_held_waited_and_free_time_fit_together() -> None:
    account = real("migrate-unpatched")
    assert account.bql is not None
    held = sum(total.time for thread in account.threads for total in thread.held.values())
    assert held == account.bql.held.time <= account.span
    assert sum(thread.events.total() for thread in account.threads) == account.events
    for wait in account.waits:
        assert sum(wait.behind.values()) <= wait.duration


# ---------------------------------------------------------------- holding and waiting


def test_a_wait_is_behind_whoever_held_the_lock_meanwhile() -> None:
    account = read(
        line(0, 1, "take", BQL, "util/main-loop.c:318"),
        line(10, 2, "ask", BQL, "v.c:5"),
        line(30, 1, "give", BQL, "cpus.c:511"),
        line(31, 3, "take", BQL, "r.c:7"),
        line(51, 3, "give", BQL, "cpus.c:511"),
        line(52, 2, "take", BQL, "v.c:5"),
        line(60, 2, "give", BQL, "cpus.c:511"),
    )
    (wait,) = account.waits
    assert (wait.who, wait.duration, wait.behind) == (2, 42, {(1, "util/main-loop.c:318"): 20, (3, "r.c:7"): 20})
    assert [(hold.who, hold.duration) for hold in account.holds] == [(1, 30), (3, 20), (2, 8)]
    assert {(pair.who, pair.site, pair.holder, pair.holder_site): total.time for pair, total in account.pairs.items()} == {
        (2, "v.c:5", 1, "util/main-loop.c:318"): 20,
        (2, "v.c:5", 3, "r.c:7"): 20,
    }
    assert account.bql is not None
    assert (account.bql.contended, account.bql.waited.time, account.bql.tried) == (1, 42, 2)


def test_a_recursive_lock_is_held_until_it_is_given_back_as_often() -> None:
    taken = [line(time, 1, verb, AIO, "util/async.c:717") for time in (0, 5) for verb in ("ask", "take")]
    account = read(*taken, line(7, 1, "give", AIO, "a.c:2"), line(20, 1, "give", AIO, "a.c:2"))
    (hold,) = account.other_holds
    assert (hold.duration, account.locks[0].nested, account.oddities, account.held_at_end) == (20, 1, [], [])


def test_a_condition_variable_gives_its_mutex_back() -> None:
    account = read(
        line(0, 1, "take", BQL, "util/main-loop.c:318"),
        line(5, 1, "give", BQL, "softmmu/cpus.c:572"),
        line(9, 1, "take", BQL, "softmmu/cpus.c:572"),
        line(12, 1, "give", BQL, "softmmu/cpus.c:511"),
    )
    assert account.bql is not None
    assert (account.bql.sleeps, account.bql.tried) == (1, 1)  # nobody was seen to ask for the first hold
    assert [hold.how for hold in account.holds] == ["try", "woken"]


def test_a_coroutine_mutex_is_a_coroutines() -> None:
    account = read(
        line(0, 1, "qemu_co_mutex_lock_uncontended mutex 0xd0 self 0xe1"),
        line(3, 2, "qemu_co_mutex_lock_entry mutex 0xd0 self 0xe2"),
        line(5, 2, "qemu_co_mutex_unlock_entry mutex 0xd0 self 0xe1"),
        line(6, 1, "qemu_co_mutex_lock_return mutex 0xd0 self 0xe2"),
    )
    assert [(hold.who, hold.duration) for hold in account.other_holds] == [("0xe1", 5), ("0xe2", 0)]
    assert [(wait.who, wait.behind) for wait in account.waits] == [("0xe2", {("0xe1", ""): 2})]
    assert account.locks[0].coroutines


def test_what_was_logged_meanwhile() -> None:
    account = read(
        line(0, 1, "take", BQL, "util/main-loop.c:318"),
        line(1, 1, "savevm_state_setup "),
        line(1, 2, "blk_co_pwritev elsewhere"),
        line(2, 1, "savevm_state_setup "),
        line(3, 1, "give", BQL),
        line(4, 1, "runstate_set outside"),
    )
    assert account.holds[0].events == {"savevm_state_setup": 2}
    assert Wording(account, {}).meanwhile(account.holds[0].events, 1) == "2 x savevm_state_setup"


def test_locks_are_named_by_first_use_and_the_bql_by_the_main_loop() -> None:
    late = [line(time, 1, verb, BQL, site) for time, verb, site in ((0, "take", "hw/x.c:3"), (1, "give", "c.c:1"))]
    late += [line(2, 1, "take", BQL, "util/main-loop.c:299"), line(3, 1, "give", BQL, "c.c:1")]
    others = [line(9, 1, verb, lock, "block/b.c:7") for lock in (AIO, THIRD) for verb in ("take", "give")]
    account = read(*late, *others)
    assert [lock.name for lock in account.locks] == ["BQL", "block/b.c:7", "block/b.c:7 #2"]
    assert [hold.lock for hold in account.holds] == [BQL, BQL]  # the one from before it was known, too
    assert [hold.lock for hold in account.other_holds] == [AIO, THIRD]


def test_longest_lists_are_the_longest() -> None:
    lines = [
        line(100 * n + part, 1, verb, AIO)
        for n, wide in enumerate((7, 3, 9, 1, 5))
        for verb, part in (("take", 0), ("give", wide))
    ]  # fmt: skip
    assert [hold.duration for hold in read(*lines, top=3).other_holds] == [9, 7, 5]


# ---------------------------------------------------------------- beginnings and ends


def test_what_was_held_before_the_log_is_at_least_so_long() -> None:
    account = read(line(0, 2, "runstate_set x"), line(40, 1, "give", AIO), line(50, 2, "take", AIO))
    (late,) = account.late
    assert (late.who, late.taken, late.duration) == (1, None, 40)
    assert account.oddities == []
    assert any("taken before the log began" in text for text in Wording(account, {}).cannot_tell())


def test_a_recursive_lock_from_before_the_log_is_no_mistake() -> None:
    account = read(line(0, 1, "give", AIO), line(4, 1, "give", AIO), line(5, 2, "take", AIO), line(6, 2, "give", AIO))
    assert account.oddities == []
    assert account.late[0].duration == 4


def test_what_is_open_at_the_end_is_told() -> None:
    account = read(line(0, 1, "take", AIO), line(3, 2, "ask", AIO), line(10, 3, "runstate_set x"))
    (hold,), (wait,) = account.held_at_end, account.waiting_at_end
    assert (hold.who, hold.given, hold.duration) == (1, None, 10)
    assert (wait.who, wait.got, wait.duration, wait.behind) == (2, None, 7, {(1, "x.c:1"): 7})
    assert account.circle == []
    assert "at least 10" in text_of(account)


def test_threads_that_wait_for_each_other_at_the_end() -> None:
    account = read(
        *(line(0, 1, "take", AIO), line(0, 2, "take", BQL), line(1, 1, "ask", BQL), line(2, 2, "ask", AIO), line(3, 3, "ask", AIO))
    )
    assert sorted(map(str, account.circle)) == ["1", "2"]
    assert "DEADLOCK" in text_of(account)


def test_a_thread_that_waits_for_itself() -> None:
    assert read(line(0, 1, "take", AIO), line(1, 1, "ask", AIO)).circle == [1]


@pytest.mark.parametrize(
    ("lines", "kind", "number"),
    [
        ([line(0, 1, "take", AIO), line(5, 2, "take", AIO), line(6, 2, "give", AIO)], "taken while held", 2),
        ([line(0, 1, "take", AIO), line(5, 1, "give", AIO), line(6, 2, "give", AIO)], "given back while free", 3),
        ([line(0, 1, "take", AIO), line(5, 2, "give", AIO)], "given back by another", 2),
        ([line(0, 1, "ask", AIO), line(5, 1, "ask", AIO), line(6, 1, "take", AIO)], "asks twice", 2),
        ([line(0, 1, "qemu_mutex_lock something")], "unreadable", 1),
        ([line(0, 1, "aio_co_schedule something")], "unreadable", 1),
        ([line(0, 1, "qemu_co_mutex_lock_entry something")], "unreadable", 1),
    ],
)
def test_what_does_not_fit_is_told(lines: list[bytes], kind: str, number: int) -> None:
    account = read(*lines)
    assert account.odd_counts == {kind: 1}
    assert [(one.line, one.what) for one in account.oddities] == [(number, kind)]
    text = text_of(account)
    assert f"line {number}: " in text
    assert "once: " in text


def test_a_hold_without_an_end_counts_nowhere() -> None:
    account = read(line(0, 1, "take", AIO), line(5, 2, "take", AIO), line(6, 2, "give", AIO))
    assert account.locks[0].held.time == 1


def test_a_clock_that_goes_back() -> None:
    account = read(line(10, 1, "take", AIO), line(7, 1, "give", AIO), line(12, 2, "runstate_set x"))
    assert (account.backwards, account.back_by, account.span) == (1, 3, 2)
    assert account.other_holds[0].duration == 0


# ---------------------------------------------------------------- lock order


def cycles(*lines: bytes) -> list[Cycle]:
    return list(read(*lines).cycles)


def test_two_orders_by_two_threads_may_deadlock() -> None:
    (cycle,) = cycles(*nested(1, 0, BQL, AIO), *nested(2, 100, AIO, BQL))
    assert (cycle.kind, cycle.locks) == ("threads", (BQL, AIO))
    assert [(one.who, one.held, one.asked, one.at.line) for one in cycle.edges] == [(1, BQL, AIO, 3), (2, AIO, BQL, 9)]


def test_a_gate_lock_keeps_them_apart() -> None:
    (cycle,) = [one for one in cycles(*nested(1, 0, THIRD, BQL, AIO), *nested(2, 100, THIRD, AIO, BQL)) if THIRD not in one.locks]
    assert (cycle.kind, cycle.gates) == ("guarded", frozenset({THIRD}))
    with_one_free = cycles(*nested(1, 0, THIRD, BQL, AIO), *nested(2, 100, THIRD, AIO, BQL), *nested(2, 200, AIO, BQL))
    assert with_one_free[0].kind == "threads"


def test_one_thread_alone() -> None:
    (cycle,) = cycles(*nested(1, 0, BQL, AIO), *nested(1, 100, AIO, BQL))
    assert cycle.kind == "one thread"


def test_three_locks_in_a_circle() -> None:
    (cycle,) = cycles(*nested(1, 0, BQL, AIO), *nested(2, 100, AIO, THIRD), *nested(3, 200, THIRD, BQL))
    assert (cycle.kind, len(cycle.locks)) == ("threads", 3)


def test_one_order_is_no_circle() -> None:
    account = read(*nested(1, 0, BQL, AIO), *nested(2, 100, BQL, AIO), *nested(3, 200, AIO, THIRD))
    assert (account.cycles, len(account.edges), account.edges[0].count) == ([], 2, 2)
    assert "no circle among them" in text_of(account)


def test_the_retaking_behind_a_condition_counts_and_a_trylock_does_not() -> None:
    before = nested(1, 0, BQL, AIO)
    takes = [line(100, 2, "take", AIO, "a.c:1"), line(101, 2, "take", BQL, "s.c:1")]
    assert cycles(*before, *takes) == []
    sleeps = [line(102, 2, "give", BQL, "s.c:9"), line(103, 2, "take", BQL, "s.c:9")]
    assert [one.kind for one in cycles(*before, *takes, *sleeps)] == ["threads"]


def test_a_recursive_taking_is_no_order() -> None:
    account = read(*nested(1, 0, BQL, AIO, BQL)[:8])
    assert [(edge.held, edge.asked) for edge in account.edges] == [(BQL, AIO)]


def test_too_many_circles_are_told_to_be_more() -> None:
    locks = [f"0x{number}" for number in range(8)]
    lines = [one for n, (a, b) in enumerate((a, b) for a in locks for b in locks if a != b) for one in nested(n, 100 * n, a, b)]
    account = read(*lines)
    assert account.cycles_cut
    assert any("more circles" in text for text in Wording(account, {}).cannot_tell())


def test_locks_that_are_never_given_back_cost_little() -> None:
    account = read(*(line(number, 1, verb, f"0x{number}") for number in range(200) for verb in ("ask", "take")))
    assert max(len(edge.examples[0].gates) for edge in account.edges) < 32
    assert account.odd_counts["deep"] > 100


# ---------------------------------------------------------------- coroutines


def test_scheduled_coroutines_are_followed_to_who_runs_them() -> None:
    account = read(
        line(0, 1, "aio_co_schedule ctx 0x1 co 0x9"),
        line(5, 2, "aio_co_schedule_bh_cb ctx 0x1 co 0x9"),
        line(6, 1, "aio_co_schedule ctx 0x1 co 0x9"),
        line(26, 2, "aio_co_schedule_bh_cb ctx 0x1 co 0x9"),
        line(30, 1, "aio_co_schedule ctx 0x1 co 0x8"),
    )
    (one,) = account.handovers
    assert (one.by, one.on, one.delay.count, one.delay.time, one.delay.longest, account.scheduled_at_end) == (1, 2, 2, 25, 20, 1)
    assert one.longest is not None
    assert (one.longest[0].line, one.longest[1].line) == (3, 4)


# ---------------------------------------------------------------- timeline


@pytest.mark.parametrize("most", [1, 50])
def test_slices_keep_the_time_that_was_filled(most: int) -> None:
    timeline = Timeline(most=most, slices=16)
    stretches = [Stretch("held", n % 3, BQL, 10 * n, 10 * n + n % 7, None, None) for n in range(40)]
    for stretch in stretches:
        timeline.add(stretch)
    if most == 50:
        assert timeline.stretches == stretches
        return
    assert timeline.stretches is None
    assert timeline.width == 32  # 400 microseconds in at most 16
    for who in range(3):
        filled = timeline.filled[who, BQL, "held"]
        assert sum(filled.values()) == sum(one.end - one.start for one in stretches if one.who == who)
        assert max(filled) < 16
        assert all(amount <= timeline.width for amount in filled.values())


def test_a_stretch_lies_in_the_slices_that_it_touches() -> None:
    timeline = Timeline(most=0, slices=4)
    timeline.add(Stretch("held", 1, BQL, 5, 30, None, None))
    assert (timeline.width, timeline.filled[1, BQL, "held"]) == (8, {0: 3, 1: 8, 2: 8, 3: 6})


# ---------------------------------------------------------------- the command


def text_of(account: Account) -> str:
    from formal.logs.text import text

    return text(Wording(account, {}), 80, 10)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain-log", *words, "--quiet"]) == 0
    return capsys.readouterr().out


def test_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, str(LOGS / "snapshot-save-assert.log"), "--top", "2", "--name", "17040=CPU0")
    assert "138 events of 3 threads in 2.19 ms, 1 lock" in " ".join(text.split())
    assert re.search(r"17040 +CPU0 +96 +1\.10 ms +50 % +213 µs", text)
    assert "given back at softmmu/cpus.c:511" in text
    assert max(map(len, text.splitlines())) <= 80


def test_lists_that_are_cut_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, str(LOGS / "migrate-unpatched.log"), "--top", "2")
    assert "… and 11 more pairs (--top 13 tells all)" in text
    assert "… and" not in told(capsys, str(LOGS / "migrate-unpatched.log"), "--top", "20").partition("Coroutines")[0]


def test_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(told(capsys, str(LOGS / "snapshot-save-held-vcpu.log"), "--format", "json"))
    assert document["bql"] == "0x55b1b330ab40"
    first: dict[str, Any] = document["longest_holds"][0]
    assert (first["holder"], first["microseconds"], first["taken"]["place"]) == (29210, 11747, "accel/tcg/cputlb.c:1431")
    assert document["cycles"] == []
    assert [one["holder"] for one in document["at_end"]["held"]] == [29203]
    assert {thread["role"] for thread in document["threads"]} == {"main loop", "call_rcu", "monitor", "vCPU"}


def page(capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: Sequence[bytes], *words: str) -> str:
    (tmp_path / "a.log").write_bytes(b"".join(lines))
    assert told(capsys, str(tmp_path / "a.log"), "--format", "html", "-o", str(tmp_path / "a.html"), *words) == ""
    return (tmp_path / "a.html").read_text(encoding="ascii")


def test_the_page_is_whole_and_asks_for_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    html = page(capsys, tmp_path, [*nested(1, 0, BQL, AIO), *nested(2, 100, AIO, BQL)])
    assert "default-src &#39;none&#39;" in html
    assert not re.search(r"<script|https?://|\son\w+=|style=\"", html)
    assert html.count("<rect ") == 4
    assert "may deadlock" in html
    assert "4 holds and waits, each drawn" in html


def test_names_in_the_page_are_escaped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    html = page(capsys, tmp_path, [line(0, 1, "take", AIO, "<b>&.c:1"), line(9, 1, "give", AIO)], "--name", "1=<i>'\"")
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;&amp;.c:1" in html


def test_a_page_of_many_holds_is_small_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [line(10 * n + part, 1 + n % 2, verb, BQL) for n in range(3000) for part, verb in ((0, "take"), (4, "give"))]
    html = page(capsys, tmp_path, lines)
    assert "3,000 holds and waits are too many to draw each" in html
    assert "<rect " not in html
    assert len(html) < 200_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E0811"),
        ("# nothing\n\n", "E0811"),
        ("qemu_mutex_lock waiting on mutex 0x1 (x.c:1)\n", "E0812"),
        ("Segmentation fault\n", "E0814"),
        ("1@100.000001:qemu_mutex_lock waiting on mutex 0x1 (x.c:1)", "E0815"),
        ("1@1795408597.231746:qemu_mut1@1795408597.231747:runstate_set x\n", "E0816"),
        ("1@100.000001:qemu_mutex_lock \x00\n", "E0817"),
    ],
)
def test_bad_logs(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "bad.log").write_text(text)
    assert main(["explain-log", str(tmp_path / "bad.log")]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_lines_known_to_be_no_events(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"Invalid read at addr 0x0\n" + line(0, 1, "take", AIO))
    text = told(capsys, str(log), "--ignore-line", "^Invalid read")
    assert "1 line passed over, known to be no events" in " ".join(text.split())
    log.write_bytes(b"Invalid read at addr 0x0\n")
    assert main(["explain-log", str(log), "--ignore-line", "^Invalid read"]) == 2
    assert "error[E0811]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.log"], "none.log: No such file"),
        ([str(LOGS)], "Is a directory"),
        (["x", "--format", "svg"], "unknown format `svg`"),
        (["x", "--name", "17"], "--name wants ID=NAME"),
        (["x", "--ignore-line", "("], "no regular expression"),
        (["x", "--top", "0"], "a whole number of at least 1"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["explain-log", *words]) == 2
    assert message in capsys.readouterr().err


def test_figures() -> None:
    assert [duration(n) for n in (0, 999, 1000, 12_345, 123_456, 999_994, 1_234_567)] == [
        "0 µs", "999 µs", "1.00 ms", "12.35 ms", "123 ms", "1,000 ms", "1.23 s",
    ]  # fmt: skip
    assert [share(part, 1000) for part in (0, 3, 10, 1000)] == ["0 %", "<1 %", "1 %", "100 %"]
    assert share(1, 0) == "-"
