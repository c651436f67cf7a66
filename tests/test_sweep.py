"""Sweeps: which points, the table in its three formats, the chart, and what becomes of points that go wrong."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from formal.cli import main
from formal.formats.chart import chart
from formal.resources import schema_path
from formal.sweep import Axis, Point, SweepError, combinations, counts, is_sweep, read_axes

ROOT = Path(__file__).resolve().parent.parent
MODEL = """protocol small "some threads, two locks"; param N in 1..3 = 2; param CROSSED in bool = false;
enum Mode { fast, slow } param MODE in Mode = fast; mutex L; mutex M;
thread t[N] { lock L; if (CROSSED) { lock M; unlock M; } unlock L; }
thread u { lock M; if (CROSSED) { lock L; unlock L; } if (MODE == slow) { skip; } unlock M; }
deadlock free;
"""
ENDLESS = """protocol endless; param SIZE in 1..2000000000 = 1; 0..2000000000 x = 0; 0..2000000000 y = 0;
thread t { loop { x = x < SIZE - 1 ? x + 1 : 0; } } thread u { loop { y = y < SIZE - 1 ? y + 1 : 0; } } invariant small: x < SIZE;
"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "small.dsl").write_text(MODEL)
    return str(tmp_path / "small.dsl")


# ---------------------------------------------------------------- which points


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("1..4", "1 2 3 4"),
        ("-2..1", "-2 -1 0 1"),
        ("3..3", "3"),
        ("1,2,4,8", "1 2 4 8"),
        ("1, 4 .. 6 ,2", "1 4 5 6 2"),
        ("1..3,2..4", "1 2 3 4"),
        ("false..true", "false true"),
        ("fast,slow", "fast slow"),
    ],
)
def test_values(word: str, values: str) -> None:
    assert is_sweep(["A=1", f"X={word}"])
    fixed, axes = read_axes({"A": "1", "X": word})
    assert fixed == {"A": "1"}
    assert axes == (Axis("X", word, tuple(values.split())),)


@pytest.mark.parametrize("word", ["3..1", "1,,2", ",", "1..", "..2", "a..c", "true..false", "1..2..3", "1..99999", "1...3"])
def test_values_that_are_none(word: str) -> None:
    with pytest.raises(SweepError):
        read_axes({"X": word})


def test_one_value_is_no_sweep() -> None:
    assert not is_sweep(["N=4", "B=true", "MODE=fast", "N=-1"])


def test_the_last_name_changes_fastest() -> None:
    _, axes = read_axes({"A": "1,2", "B": "false..true"})
    assert combinations(axes) == (("1", "false"), ("1", "true"), ("2", "false"), ("2", "true"))
    with pytest.raises(SweepError, match="1600 points"):
        read_axes({"A": "1..40", "B": "1..40"})


# ---------------------------------------------------------------- the table


def test_the_worst_point_is_the_exit_code(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", model, "-D", "N=1..2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{model}: N = 1..2\n")
    assert [line.split()[:2] for line in out.splitlines()[3:5]] == [["1", "proved"], ["2", "proved"]]
    assert "2 points: 2 proved;" in out
    assert main(["prove", model, "-D", "N=1..2", "-D", "CROSSED=false..true", "--property", "deadlock.global"]) == 1
    out = capsys.readouterr().out
    assert "deadlock.global (2 steps)" in out
    assert f"the first violation, step by step: formal prove {model} -D N=1 -D CROSSED=true" in out
    assert main(["prove", model, "-D", "MODE=fast,slow", "--depth", "3", "--engine", "bmc"]) == 0
    assert "none within 3 steps" in capsys.readouterr().out


def test_a_refused_point_is_told(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", model, "-D", "N=3..5"]) == 2
    out, errors = capsys.readouterr()
    assert "3 points: 1 proved, 2 refused" in out
    assert errors.count("error[E0106]") == 2
    assert "`N` takes 1..3" in errors


def test_nothing_is_written_if_every_point_is_refused(model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["prove", model, "-D", "K=1..2", "--chart", str(tmp_path / "c.svg")]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert "the model has no parameter `K`" in errors
    assert not (tmp_path / "c.svg").exists()


def test_csv_and_json_say_the_same(model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    words = ["prove", model, "-D", "N=2..4", "-D", "CROSSED=false,true", "--cache", str(tmp_path / "c")]
    main([*words, "--format", "csv"])
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    main([*words, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(schema_path("sweep").read_text())).validate(document)
    report_schema = json.loads(schema_path("prove").read_text())
    for row, point in zip(rows, document["points"], strict=True):
        assert (row["N"], row["CROSSED"], row["verdict"]) == (point["at"]["N"], point["at"]["CROSSED"], point["verdict"])
        assert row["states"] == ("" if point["states"] is None else str(point["states"]))
        if point["report"] is not None:
            Draft202012Validator(report_schema).validate(point["report"])
            assert row["violated"].split() == [one["name"] for one in point["report"]["properties"] if one["verdict"] == "violated"]
            assert point["seconds_then"] == pytest.approx(float(row["seconds"]), abs=0.01)  # the second run remembers the first
    assert [row["verdict"] for row in rows] == ["proved", "violated", "proved", "violated", "refused", "refused"]
    assert document["sweep"] == {"N": ["2", "3", "4"], "CROSSED": ["false", "true"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-D", "N=1..2", "--format", "html"], "a sweep has no format `html`"),
        (["-D", "N=1..2", "--save", "proofs"], "--save goes without a sweep"),
        (["-D", "N=2..1"], "an empty range"),
        (["-D", "N=1..2", "--executor", "threads"], "unknown executor `threads`"),
        (["--chart", "c.svg"], "--chart is for a sweep"),
        (["--parallel", "2"], "--parallel is for a sweep"),
        (["--format", "csv"], "unknown format `csv`"),
    ],
)
def test_bad_usage(words: list[str], message: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", model, *words]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert message in errors


def test_each_point_has_its_own_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "endless.dsl").write_text(ENDLESS)
    words = [
        "prove",
        str(tmp_path / "endless.dsl"),
        "-D",
        "SIZE=2,2000000000",
        "--timeout",
        "1.5",
        "--engine",
        "explicit",
        "--format",
        "csv",
    ]
    assert main(words) == 3
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["verdict"] for row in rows] == ["proved", "undecided"]


def test_ctrl_c_shows_what_was_done(tmp_path: Path) -> None:
    (tmp_path / "endless.dsl").write_text(ENDLESS)
    words = ["prove", "endless.dsl", "-D", "SIZE=2,2000000000", "--engine", "explicit", "--parallel", "1", "--cache", "c"]
    process = subprocess.Popen(
        [sys.executable, "-m", "formal", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list(tmp_path.glob("c/*.json")):  # the first point is done
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "2 points: 1 proved, 1 interrupted" in out
    assert "Traceback" not in errors


# ---------------------------------------------------------------- the chart


def shapes(text: str, kind: str) -> list[Any]:
    return [one for one in ET.fromstring(text).iter(f"{SVG}path") if kind in one.get("class", "").split()]


def test_the_chart_has_a_mark_for_each_point(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["prove", model, "-D", "N=1..4", "-D", "CROSSED=false..true", "--chart", str(tmp_path / "c.svg")])
    text = (tmp_path / "c.svg").read_text()
    panels, legend = 2, 1
    assert len(shapes(text, "proved")) == 3 * panels + legend
    assert len(shapes(text, "violated")) == 3 * panels + legend
    assert len(shapes(text, "refused")) == 2 * panels + legend
    assert len(shapes(text, "line")) == 2 * panels + 2  # a line for each value of CROSSED, and its name
    assert "N = 3, CROSSED = true: violated, " in (ET.fromstring(text).findtext(f"{SVG}desc") or "")
    assert "CROSSED = true" in text


def test_a_chart_of_nothing_but_refusals() -> None:
    points = [Point("<m>.dsl", (value,), "refused") for value in ("a", "b")]
    text = chart("<title>", [Axis("X&Y", "a,b", ("a", "b"))], points)
    assert ET.fromstring(text).findtext(f"{SVG}title") == "<title>"
    assert len(shapes(text, "refused")) == 3
    assert counts(points) == "2 refused"
