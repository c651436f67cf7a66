"""What counts as `as recorded`, and how the command finds, runs and counts its models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from formal.diagnostics import Source, Span
from formal.program import Expectation
from formal.regress import depth_for, differences, is_protocol
from formal.verdict import PropertyResult, Report, Verdict

SPAN = Span(Source("m.dsl", ""), 0, 0)


def expect(verdict: Literal["proved", "proved_up_to", "violated"], prop: str | None = None, bound: int | None = None) -> Expectation:
    return Expectation(verdict, prop, bound, SPAN)


def result(name: str, verdict: Verdict, depth: int | None = None) -> PropertyResult:
    return PropertyResult(name, "assert", None, verdict, depth, "explicit", "because")


def report(*results: PropertyResult) -> Report:
    return Report("m", "", "m.dsl", "sha256:0", {}, None, 0.0, (), results)


A, B = result("a", Verdict.PROVED), result("b", Verdict.VIOLATED, 7)


@pytest.mark.parametrize(
    ("expectations", "results"),
    [
        ([expect("proved")], [A]),
        ([expect("violated", "b")], [A, B]),
        ([expect("violated", "b", 7)], [A, B]),
        ([expect("violated", "b")], [B, result("c", Verdict.UNDECIDED)]),
        ([expect("proved_up_to", bound=5)], [A, result("c", Verdict.PROVED_UP_TO, 5)]),
    ],
)
def test_as_recorded(expectations: list[Expectation], results: list[PropertyResult]) -> None:
    assert differences(expectations, report(*results)) == ()


@pytest.mark.parametrize(
    ("expectations", "results", "difference"),
    [
        ([], [A], "no `expect`"),
        ([expect("proved")], [A, B], "b is violated after 7 steps, which is not expected"),
        ([expect("proved")], [result("c", Verdict.UNDECIDED)], "c is expected to be proved, and is undecided (because)"),
        ([expect("proved")], [result("c", Verdict.PROVED_UP_TO, 9)], "c is expected to be proved, and is proved up to"),
        ([expect("violated", "a")], [A], "a is expected to be violated, and is proved"),
        ([expect("violated", "z")], [A], "z is expected to be violated, and is not among the properties"),
        ([expect("violated", "b", 6)], [B], "within 6 steps, and takes 7"),
        ([expect("violated", "b")], [B, result("c", Verdict.VIOLATED, 1)], "c is violated after 1 steps"),
        ([expect("proved_up_to", bound=5)], [result("c", Verdict.UNDECIDED)], "c is expected to be proved"),
    ],
)
def test_differs(expectations: list[Expectation], results: list[PropertyResult], difference: str) -> None:
    found = differences(expectations, report(*results))
    assert len(found) == 1
    assert difference in found[0]


def test_a_bounded_expectation_bounds_the_search() -> None:
    assert depth_for([expect("proved_up_to", bound=5), expect("violated", "b", 3)]) == 5
    assert depth_for([expect("proved")]) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('protocol p "t";', True),
        ("mutex L;\n  protocol p;", True),
        ("", False),
        ("// protocol p;\nmutex L;", False),
        ('/* protocol p; */ mutex L; assert x "protocol";', False),
        ("mutex protocols; mutex my_protocol;", False),
    ],
)
def test_parts_are_told_from_protocols(text: str, answer: bool) -> None:
    assert is_protocol(text) is answer


GOOD = 'protocol good "g"; mutex L; thread t { lock L; unlock L; } deadlock free; expect proved;'
BAD = 'protocol bad "b"; mutex L; thread t { lock L; lock L; } expect violated relock within 2;'


def regress(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "formal", "regress", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_all_as_recorded(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "good.dsl").write_text(GOOD)
    (tmp_path / "sub" / "bad.dsl").write_text(BAD)
    (tmp_path / "part.dsl").write_text("mutex M;")
    done = regress(str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 models: 2 as recorded; 1 file without a `protocol` skipped" in done.stdout


def test_what_differs_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.dsl").write_text(GOOD)
    (tmp_path / "wrong.dsl").write_text(BAD.replace("expect violated relock within 2", "expect proved"))
    (tmp_path / "silent.dsl").write_text(GOOD.replace("expect proved;", ""))
    done = regress(str(tmp_path), "--format", "json")
    assert done.returncode == 1
    rows = {Path(row["file"]).name: row for row in json.loads(done.stdout)["models"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "good.dsl": "as recorded",
        "silent.dsl": "differs",
        "wrong.dsl": "differs",
    }
    assert rows["silent.dsl"]["problems"] == ["it has no `expect`"]
    text = regress(str(tmp_path)).stdout
    assert "relock is violated after 2 steps, which is not expected" in text
    assert text.rstrip().endswith(f"not as recorded: {tmp_path / 'silent.dsl'}, {tmp_path / 'wrong.dsl'}")


def test_a_bad_model_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "good.dsl").write_text(GOOD)
    (tmp_path / "broken.dsl").write_text("protocol broken; thread t { lock nowhere; } expect proved;")
    done = regress(str(tmp_path))
    assert done.returncode == 2
    assert "nowhere" in done.stdout
    assert "1 as recorded, 1 bad model" in done.stdout


def test_an_empty_set_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "part.dsl").write_text("mutex M;")
    done = regress(str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no model with a `protocol` head" in done.stderr
    assert regress(str(tmp_path / "nowhere")).returncode == 2
