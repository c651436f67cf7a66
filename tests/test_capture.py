"""`formal capture`: the events that a mapping needs, the options, the moment, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from formal.cli import main

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["capture", *words]) == 0
    return capsys.readouterr().out


def test_the_events_are_those_that_the_mapping_names(capsys: pytest.CaptureFixture[str]) -> None:
    events = said(capsys, str(MODELS / "savevm_unlocked.dsl"), "--events").splitlines()
    assert events == sorted(set(events))
    assert {"qemu_mutex_locked", "qemu_mutex_unlock", "savevm_state_setup", "savevm_state_iterate", "runstate_set"} <= set(events)
    assert "pflash_io_write" not in events  # in no rule


def test_a_log_with_nothing_else_is_judged_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(MODELS / "savevm_unlocked.dsl")
    events = said(capsys, model, "--events").splitlines()
    lines = (ROOT / "tests" / "logs" / "snapshot-save-assert.log").read_text().splitlines(keepends=True)
    log = tmp_path / "trace.log"
    log.write_text("".join(line for line in lines if line.partition(":")[2].partition(" ")[0] in events))
    assert main(["conform", model, str(log), "--format", "json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["property"] for one in document["observed"]] == ["wrong_context"]


def test_every_event_is_needed_by_some_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.toml").write_text(
        """
[start]
event = "began"
[end]
event = "ended"
[objects.L]
event = "shown"
match = '(x)'
[only.filtered]
object = "L"
match = '(x)'
[[rule]]
event = "ruled"
stands = { in = "p" }
[[ignore]]
event = "passed_over"
why = "so"
"""
    )
    text = said(capsys, str(tmp_path / "m.toml"), "--events")
    assert text.split() == ["began", "ended", "filtered", "ruled", "shown"]


def test_a_model_without_a_start_needs_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(MODELS / "savevm_unlocked.dsl")
    text = said(capsys, model)
    assert "-msg timestamp=on -D /dev/null -trace events=trace-events.txt" in text
    assert "\n  logfile trace.log\n" in text
    assert f"formal conform {model} trace.log" in text
    assert f"formal capture {model} --events -o trace-events.txt" in text
    document = json.loads(said(capsys, model, "--format", "json", "--log", "x.log"))
    assert document["options"][:4] == ["-msg", "timestamp=on", "-D", "/dev/null"]
    assert document["options"].count("-trace") == len(document["events"])
    assert document["at_the_moment"] == {"execute": "human-monitor-command", "arguments": {"command-line": "logfile x.log"}}


@pytest.mark.parametrize("start", ['from = "reachable"', 'event = "began"'])
def test_other_logs_may_begin_with_qemu(tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f'[start]\n{start}\n[[rule]]\nevent = "ruled"\nstands = {{ in = "p" }}\n')
    text = said(capsys, str(path), "--log", "my log")
    assert "-D 'my log' -trace events=trace-events.txt" in text
    assert "logfile" not in text
    assert f"formal conform MODEL --mapping {path} 'my log'" in text
    assert ("The model begins with the first began" in text) == ("began" in start)
    assert json.loads(said(capsys, str(path), "--format", "json"))["at_the_moment"] is None


def test_without_a_model_it_is_for_explain_log(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys)
    assert "formal explain-log trace.log" in text
    assert "logfile" not in text
    events = said(capsys, "--events").split()
    assert {"qemu_mutex_lock", "qemu_mutex_locked", "qemu_mutex_unlock", "aio_co_schedule"} <= set(events)


def test_the_list_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--events", "-o", str(tmp_path / "events.txt")) == ""
    assert "qemu_mutex_lock\n" in (tmp_path / "events.txt").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models/classic/abba.dsl"], "error[E0804]"),
        (["none.dsl"], "error[E0101]: no file `none.dsl`"),
        (["none.toml"], "error[E0101]: no file `none.toml`"),
        (["--format", "xml"], "unknown format `xml`"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["capture", *words]) == 2
    assert message in capsys.readouterr().err
