"""How much work stored proofs are: measured the same each time, held against what it was, and only ever a warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from formal.certificates import stability
from formal.certificates.stability import Effort, grown
from formal.cli import main
from formal.console import Exit
from formal.resources import schema_path

MODEL = """protocol pair; mutex a; 0..3 n = 0;
thread t[2] { with a { n = n + 1; } }
invariant small: n <= 2; deadlock free;
"""


@pytest.fixture
def record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "pair.dsl").write_text(MODEL)
    assert main(["prove", str(tmp_path / "pair.dsl"), "--save", str(tmp_path / "proofs"), "--quiet"]) == Exit.OK
    capsys.readouterr()
    return tmp_path / "proofs" / "pair.json"


def measured(record: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = main(["bench", "--stability", str(record), "--seeds", "3", "--jobs", "1", "--format", "json", *words])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err


def test_the_work_is_the_same_each_time(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = measured(record, capsys)
    assert code == Exit.OK
    jsonschema.Draft202012Validator(json.loads(schema_path("bench").read_text(encoding="utf-8"))).validate(document)
    assert [one["obligation"] for one in document["obligations"]] == ["initiation", "consecution", "safety"]
    assert all(one["answers"] == ["unsat"] * 3 and len(one["work"]) == 3 for one in document["obligations"])
    assert measured(record, capsys)[1] == document


def test_what_has_grown_is_a_warning_and_no_failure(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "SMALL", 0)
    _, document, _ = measured(record, capsys)
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(document))
    assert measured(record, capsys, "--against", str(baseline))[2] == ""
    document["obligations"][1]["median"] //= 4
    document["solver"] = "z3 1.0"
    baseline.write_text(json.dumps(document))
    code, _, said = measured(record, capsys, "--against", str(baseline))
    assert code == Exit.OK
    assert "warning: pair.json: consecution takes 4.0 times the work that it took" in said
    assert "was measured with z3 1.0" in said
    assert "warning" not in measured(record, capsys, "--against", str(baseline), "--factor", "5")[2]
    assert main(["bench", "--stability", str(record), "--seeds", "3", "--jobs", "1", "--against", str(baseline)]) == Exit.OK
    assert "4.0" in next(line for line in capsys.readouterr().out.splitlines() if "consecution" in line)


def test_what_grows_little_or_is_little_does_not_count() -> None:
    one = Effort("r.json", "safety", ("unsat",) * 3, (2_000_000, 2_100_000, 2_200_000))
    assert grown([one], {one.key: 1_500_000}, 2.0) == ()
    assert [bad.before for bad in grown([one], {one.key: 1_000_000}, 2.0)] == [1_000_000]
    assert grown([Effort("r.json", "safety", ("unsat",), (990_000,))], {one.key: 10}, 2.0) == ()
    (unsteady,) = grown([Effort("r.json", "safety", ("unsat",) * 2, (1_000_000, 9_000_000))], {}, 2.0)
    assert unsteady.before is None
    assert unsteady.effort.spread == 9.0


def test_what_does_not_hold_and_what_takes_too_long_is_no_success(
    record: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stability, "MOST", 1)
    code, document, _ = measured(record, capsys)
    assert code == Exit.UNDECIDED
    assert document["obligations"][1]["answers"] == ["unknown"] * 3
    monkeypatch.undo()
    told = json.loads(record.read_text())
    del told["invariant"]["clauses"][1:]
    record.write_text(json.dumps(told))
    code, _, said = measured(record, capsys)
    assert code == Exit.VIOLATED
    assert "does not hold" in said


def test_a_record_of_another_model_is_not_measured(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pair.dsl").write_text(MODEL.replace("n <= 2", "n < 3"))
    code, document, said = measured(record, capsys)
    assert code == Exit.UNDECIDED
    assert document["obligations"] == []
    assert "has changed since" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to measure was named"),
        (["--stability"], "there are no records in proofs"),
        (["--stability", "gone.json"], "gone.json"),
        (["--stability", "--against", "gone.json"], "--against gone.json"),
        (["--stability", "--format", "csv"], "unknown format `csv`"),
        (["--stability", "--factor", "1"], "a number greater than 1 is wanted, not `1`"),
        (["--stability", "--factor", "much"], "a number greater than 1 is wanted, not `much`"),
    ],
)
def test_mistakes(words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *words]) == Exit.USAGE
    assert said in capsys.readouterr().err
