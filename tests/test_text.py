"""Reports for people: whatever the names and the number of threads, eighty columns are enough."""

from __future__ import annotations

import pytest

from formal.formats import Style
from formal.formats.text import render
from formal.verdict import PropertyResult, Report, SourceRef, Verdict, Witness, WitnessStep


def report(threads: list[str], *, statement: str = "lock BQL", c_source: str | None = None, loop_to: int | None = None) -> Report:
    steps = tuple(
        WitnessStep(
            number,
            name,
            statement,
            SourceRef("m.dsl", number),
            c_source,
            (name, "f"),
            {"BQL.owner": ("none", name), f"{name}/1.x": (None, 1)},
        )
        for number, name in enumerate(threads, 1)
    )
    witness = Witness(steps, len(threads) - 1, loop_to, "They wait for each other.")
    broken = PropertyResult("deadlock.global", "deadlock", SourceRef("m.dsl", 9), Verdict.VIOLATED, len(steps), "bmc", "", witness)
    proved = PropertyResult("relock", "builtin", None, Verdict.PROVED, None, "explicit", "all states were explored")
    return Report(
        "m", "a title", "m.dsl", "sha256:0", {"N": 2}, None, 0.5, ("assume x",), (proved, broken), defines={"N": "2"}, extra=("c.dsl",)
    )


def lines(shown: Report, **style: bool) -> list[str]:
    return render([shown], Style(**style)).splitlines()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("name", ["t", "vcpu[{}]", "a_thread_with_a_very_long_name_of_its_own[{}]"])
@pytest.mark.parametrize("statement", ["skip", "await " + "x && " * 40 + "y", "call_" + "x" * 200 + "()"])
def test_eighty_columns(count: int, name: str, statement: str) -> None:
    shown = lines(report([name.format(i) for i in range(count)], statement=statement, c_source="hw/block/pflash_cfi01.c:pflash_update"))
    assert max(map(len, shown)) <= 80
    assert all(line == line.rstrip() for line in shown)


def test_one_column_a_thread() -> None:
    shown = lines(report(["main_loop", "vcpu[0]"]))
    head = next(line for line in shown if line.split() == ["holds", "main_loop", "vcpu[0]"])
    first = next(line for line in shown if line.startswith("  1  "))
    second = next(line for line in shown if line.startswith("  2  "))
    assert first.index("lock BQL") == head.index("main_loop")
    assert second.index("lock BQL") == head.index("vcpu[0]")
    assert any(line.strip() == "x = 1" for line in shown)
    assert any("*** deadlock.global ***" in line for line in shown)


def test_heads_that_are_too_long_stand_in_steps() -> None:
    shown = lines(report([f"a_thread_with_a_long_name[{i}]" for i in range(6)]))
    heads = [line.split() for line in shown if line.endswith("]")]
    assert heads[2] == ["|", "|", "a_thread_with_a_long_name[2]"]
    assert heads[5] == ["holds", *["|"] * 5, "a_thread_with_a_long_name[5]"]
    third = next(line for line in shown if line.startswith("  3  "))
    assert third.split("lock BQL")[0].split()[-2:] == ["|", "|"]


def test_too_many_threads_are_named_at_each_step() -> None:
    shown = lines(report([f"a_thread_with_a_long_name[{i}]" for i in range(10)]))
    assert any(line.startswith("  9  ") and "a_thread_with_a_long_name[8]: lock BQL" in line for line in shown)
    assert not any("| |" in line for line in shown)


def test_a_lasso_shows_where_it_comes_back() -> None:
    shown = "\n".join(lines(report(["t", "u", "t"], loop_to=1)))
    assert shown.index("\n  1  ") < shown.index("from here on") < shown.index("\n  2  ") < shown.index("and back")


def test_the_command_that_finds_it_again() -> None:
    assert "  again: formal prove m.dsl --property deadlock.global -D N=2 --with c.dsl" in lines(report(["t"]))


def test_a_bounded_result_names_its_bound() -> None:
    result = PropertyResult("relock", "builtin", None, Verdict.PROVED_UP_TO, 7, "bmc", "no violation within 7 steps")
    shown = render([Report("m", "", "m.dsl", "", {}, 7, 0.5, (), (result,))], Style())
    assert "no violation within 7 steps (not a proof)" in shown


def test_colour_is_only_colour() -> None:
    plain, coloured = lines(report(["t", "u"])), render([report(["t", "u"])], Style(colour=True))
    import re

    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()] == plain
    assert coloured != "\n".join(plain)
