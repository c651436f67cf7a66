"""Ctrl-C in commands that look at many things: what is known by then is told, and the exit code is 130."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from formal import pipeline
from formal.certificates import several
from formal.cli import main
from formal.commands import regress
from formal.console import Exit
from formal.executor import crew

GOOD = 'protocol good "g"; mutex L; thread t { lock L; unlock L; } deadlock free; expect proved;'
BAD = 'protocol bad "b"; mutex L; thread t { lock L; lock L; } deadlock free; expect violated relock;'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with two models and a record of each, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("bad.dsl").write_text(BAD)
    Path("good.dsl").write_text(GOOD)
    assert main(["prove", "bad.dsl", "good.dsl", "--save", "proofs", "--quiet", "--engine", "explicit"]) == Exit.VIOLATED
    capsys.readouterr()
    return tmp_path


def broken_off(made: Callable[..., Iterator[Any]], after: int) -> Callable[..., Iterator[Any]]:
    """The same, with a Ctrl-C behind so many values."""

    def first(*words: Any) -> Iterator[Any]:
        for number, value in enumerate(made(*words)):
            if number == after:
                break
            yield value
        raise KeyboardInterrupt

    return first


def test_recheck(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    records = [str(path) for path in sorted((here / "proofs").glob("*.json"))]
    monkeypatch.setattr(several, "check_several", broken_off(several.check_several, 1))
    assert main(["recheck", *records, "--solver", "z3"]) == Exit.INTERRUPTED
    told = capsys.readouterr()
    assert "bad.json: stands" in told.out
    assert "good.json" not in told.out
    assert told.err.strip() == "interrupted: 1 of 2 records told"
    assert main(["recheck", *records, "--solver", "z3", "--format", "json"]) == Exit.INTERRUPTED
    assert json.loads(capsys.readouterr().out)["record"] == records[0]


def test_regress(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(regress, "gather", broken_off(crew.gather, 1))
    assert main(["regress", str(here), "--jobs", "1"]) == Exit.INTERRUPTED
    told = capsys.readouterr().out
    assert "2 models: 1 as recorded, 1 interrupted" in told
    assert "not as recorded" not in told
    assert main(["regress", str(here), "--jobs", "1", "--format", "json"]) == Exit.INTERRUPTED
    assert [row["state"] for row in json.loads(capsys.readouterr().out)["models"]] == ["as recorded", "interrupted"]
    assert main(["regress", str(here), "--jobs", "1", "--format", "junit"]) == Exit.INTERRUPTED
    assert 'errors="1"' in capsys.readouterr().out


def test_bench(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    record = str(here / "proofs" / "good.json")
    words = ["bench", "--stability", record, str(here / "proofs" / "bad.json"), "--seeds", "1", "--jobs", "1"]
    monkeypatch.setattr(crew, "gather", broken_off(crew.gather, 1))
    assert main(words) == Exit.INTERRUPTED
    told = capsys.readouterr()
    assert "good.json: initiation" in told.out
    assert told.err.strip() == "interrupted: 1 of 2 records measured"


def test_compare(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls = []

    def prove(*words: Any) -> pipeline.Answer:
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*words)

    real = pipeline.prove
    monkeypatch.setattr(pipeline, "prove", prove)
    assert main(["compare", str(here / "bad.dsl"), str(here / "good.dsl"), "--no-cache"]) == Exit.INTERRUPTED
    told = capsys.readouterr()
    assert (told.out, told.err.splitlines()) == ("", ["interrupted before everything was compared", "BEFORE: violated"])
