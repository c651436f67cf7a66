"""Witnesses drawn for people: what is folded and what is said of it, who holds what, bottom halves in lanes, and the evidence below."""

from __future__ import annotations

import pytest
from test_explain import CONTEXT, CROSSED, of, witness

from formal.formats import Style
from formal.formats.text import render_replay
from formal.verdict import Witness

LONG = """
mutex BQL; rwlock rcu; mutex ram_list_mutex[2]; 0..9 n; bool x;
thread setup @ "ram.c:ram_save_setup" {
    lock BQL; unlock BQL;
    lock ram_list_mutex[1]; rdlock rcu; n = 3; if (n == 3) { skip; } rdunlock rcu;
    lock BQL; x = true;
    assert held: !x;
}
"""
STEPS = ("setup",) * 11


def shown(found: Witness, prop: str, **style: bool) -> list[str]:
    return render_replay(prop, found, Style(**style)).splitlines()


def line(lines: list[str], start: str) -> str:
    return next(one for one in lines if one.startswith(start))


def test_what_does_not_matter_is_folded_and_counted() -> None:
    lines = shown(of(LONG, "assert.held", *STEPS), "assert.held")
    assert "  4 of 11 steps, those that matter; --all shows each" in lines
    assert "...  2 steps of setup: takes and gives back BQL" in lines
    assert "...  5 steps of setup: takes and gives back rcu, sets n, 1 test" in lines
    assert [one.split()[0] for one in lines if one[:3].strip().isdigit() and one[3:5] == "  "] == ["3", "9", "10", "11"]


def test_all_of_it() -> None:
    lines = shown(of(LONG, "assert.held", *STEPS), "assert.held", unfold=True)
    assert [one.split()[0] for one in lines if one[:3].strip().isdigit() and one[3:5] == "  "] == [str(number) for number in range(1, 12)]
    assert not any(one.startswith("...") or "--all" in one for one in lines)


def test_only_what_is_not_as_before_is_said_of_folded_steps() -> None:
    text = "bool f; bool g; 0..3 n; bool x; thread t { f = true; g = true; f = false; atomic { x = true; n = n + 1; } assert a: !x; }"
    found = of(text, "assert.a", *"ttttt")
    assert "...  3 steps of t: sets g" in shown(found, "assert.a")
    assert not any(one.strip() == "n: 0 -> 1" for one in shown(found, "assert.a"))
    assert any(one.strip() == "n: 0 -> 1" for one in shown(found, "assert.a", unfold=True))


def test_nothing_is_folded_across_the_start_of_a_loop() -> None:
    text = "bool x; bool y; thread t { skip; skip; loop { skip; y = !y; skip; } } liveness l: eventually x;"
    lines = shown(witness(text, "liveness.l"), "liveness.l")
    start = next(place for place, one in enumerate(lines) if "from here on" in one)
    assert lines[start - 1] == "...  2 steps of t: nothing that changes the state"
    assert lines[start + 1].startswith("...  5 steps of t")


def test_the_last_step_is_never_folded() -> None:
    found = of(LONG, "assert.held", *STEPS)
    lines = shown(Witness(found.steps, 0, None, "", found.initial, key_steps=(1,)), "assert.held")
    assert line(lines, " 11  ").split()[-1] != "..."


def test_who_holds_what_beside_each_step() -> None:
    lines = shown(of(LONG, "assert.held", *STEPS), "assert.held", unfold=True)
    assert "  locks held after the step, by setup: B = BQL, R = ram_list_mutex, C = rcu (a" in lines
    assert [line(lines, f"{number:>3}  ").split()[1] for number in (1, 2, 3, 4, 8, 9)] == ["B", "-", "R1", "R1c", "R1", "R1B"]


def test_names_of_locks_where_they_fit() -> None:
    lines = shown(of(CROSSED, "deadlock.global", "t", "u"), "deadlock.global")
    assert line(lines, "  1  ").startswith("  1  A|-    lock A")
    assert line(lines, "  2  ").startswith("  2  A|B       lock B")


def test_a_bottom_half_has_a_lane() -> None:
    lines = shown(of(CONTEXT, "wrong_context", "user", "vcpu", "vcpu", "vcpu", "vcpu"), "wrong_context")
    assert "  bottom halves (: pending, # running): j = job" in lines
    column = line(lines, "     holds").index("j")
    assert [line(lines, f"  {number}  ")[column] for number in range(1, 6)] == [":", ":", "#", "#", "#"]
    assert any(one.endswith("runs job, scheduled by user at step 1") for one in lines)


def test_a_lane_ends_with_its_bottom_half() -> None:
    text = "context X; bh b on X { skip; } thread t { schedule b; poll X; assert x: pending(b); } "
    lines = shown(of(text, "assert.x", *"tttt"), "assert.x", unfold=True)
    column = line(lines, "     b").index("b")
    assert [line(lines, f"  {number}  ")[column] for number in range(1, 5)] == [":", "#", " ", " "]


def test_where_it_waits_and_behind_whom() -> None:
    lines = shown(of(CROSSED, "deadlock.lock_order", "t", "u"), "deadlock.lock_order")
    text = "\n".join(lines[lines.index("why") :])
    assert (
        text
        == """why
  the locks form a circle: A -> B -> A
  t -> waits for B while it holds A
    at `lock B`
      in t (<text>:2)
    -> held by u, taken at step 2: `lock B`
      in u (<text>:2)
  u -> waits for A while it holds B
    at `lock A`
      in u (<text>:2)
    -> held by t, taken at step 1: `lock A`
      in t (<text>:2)
  behind them: v[0..1] -> wait for A, held by t
    at `with A` in v[0] (<text>:2)"""
    )


def test_values_and_where_they_come_from() -> None:
    lines = shown(of(LONG, "assert.held", *STEPS), "assert.held")
    text = "\n".join(lines[lines.index("why") :])
    assert "  x is true\n    since step 10, by setup: `x = true`\n      in ram.c:ram_save_setup (<text>:7)" in text
    assert "  holder of BQL is setup\n    since step 9, by setup: `lock BQL`" in text


def test_why_fairness_does_not_help() -> None:
    text = """
    mutex L; bool got;
    thread t { lock L; got = true; }
    thread u { loop { lock L; unlock L; } }
    liveness served: eventually got;
    """
    told = "\n".join(shown(witness(text, "liveness.served"), "liveness.served"))
    assert "  owed: `got`\n" in told
    assert "repeat for ever: u and nobody else" in told
    assert "t -> waits for L\n    at `lock L`\n      in t (<text>:4)\n    -> could go on after step" in told
    assert "1 of 2 states; in the others u holds L" in told


def test_what_a_bound_name_stands_for() -> None:
    text = "mutex f[2]; proc p(ref mutex m) { with m { skip; } } thread t { p(f[1]); assert x: false; }"
    lines = shown(of(text, "assert.x", *"tttt"), "assert.x", unfold=True)
    assert "with m (f[1])  p, <text>:2" in line(lines, "  1  ")
    assert "with m: gives back (f[1])" in line(lines, "  3  ")


NAME = "a_worker_with_a_rather_long_name"


@pytest.mark.parametrize("count", [2, 5, 8, 16])
@pytest.mark.parametrize("unfold", [False, True])
def test_families_in_eighty_columns_of_ascii(count: int, unfold: bool) -> None:
    text = f"""
    mutex the_lock_of_a_table[{count}];
    thread {NAME}[i: {count}] @ "io/channel-socket.c:a_function_whose_name_is_as_long_as_they_come_in_qemu" {{
        atomic {{ skip; lock the_lock_of_a_table[i]; skip; }}
        lock the_lock_of_a_table[(i + 1) % {count}];
    }}
    deadlock free;
    """
    lines = shown(of(text, "deadlock.global", *(f"{NAME}[{i}]" for i in range(count))), "deadlock.global", unfold=unfold)
    assert max(map(len, lines)) <= 80
    assert all(one.isascii() for one in lines)
    assert "the locks form a circle: the_lock_of_a_table[0] -> the_lock_of_a_table[1]" in " ".join(" ".join(lines).split())
    assert " ".join(" ".join(lines).replace("|", " ").split()).count("], held by a_worker") == count
    assert " ".join(" ".join(lines).split()).count(": the same places") == count - 1
