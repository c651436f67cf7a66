"""The command line as a user meets it: exit codes, what goes to which stream, and that nothing ever ends in a traceback."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from formal.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent

PROVED = 'protocol good "two threads and a lock"; mutex L; thread t[2] { lock L; unlock L; } deadlock free; expect proved;'
VIOLATED = """protocol crossed "two locks in opposite order";
param N in 1..4 = 1;
mutex disk;
mutex graph;
thread reader @ "block.c:reader" { lock disk; lock graph; unlock graph; unlock disk; }
thread writer @ "graph.c:writer" { lock graph; lock disk; unlock disk; unlock graph; }
deadlock free;
"""
HOOKED = "protocol hooked; hook H; mutex L; thread t { invoke H; } deadlock free;"
ENDLESS = """protocol endless;
0..2000000000 x = 0; 0..2000000000 y = 0;
thread t { loop { x = x < 1999999999 ? x + 1 : 0; } }
thread u { loop { y = y < 1999999999 ? y + 1 : 0; } }
invariant small: x < 1900000000;
invariant never: x >= 0;
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "good.dsl").write_text(PROVED)
    (tmp_path / "crossed.dsl").write_text(VIOLATED)
    (tmp_path / "hooked.dsl").write_text(HOOKED)
    (tmp_path / "endless.dsl").write_text(ENDLESS)
    (tmp_path / "circle.dsl").symlink_to("circle.dsl")
    (tmp_path / "broken.dsl").write_text("protocol broken;\nmutex L;\nthread t { lock M; }\ndeadlock free;\n")

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "formal", *words]
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=surroundings)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_proved(run: Run) -> None:
    done = run("prove", "good.dsl")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("good: two threads and a lock\ngood.dsl: proved (")


def test_violated_with_a_witness(run: Run) -> None:
    done = run("prove", "crossed.dsl")
    assert done.returncode == 1
    assert "deadlock.global is violated after 2 steps, 1 context switch" in done.stdout
    heads = next(line for line in done.stdout.splitlines() if line.split()[-2:] in (["reader", "writer"], ["writer", "reader"]))
    assert heads.startswith("     ")
    for shown in (
        "lock disk",
        "waits for graph, held by writer",
        "reader -> waits for graph while it holds disk",
        "in block.c:reader (crossed.dsl:5)",
        "again: formal prove crossed.dsl --property deadlock.global",
    ):
        assert shown in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


def test_a_bounded_verdict_is_never_a_proof(run: Run) -> None:
    done = run("prove", "good.dsl", "--depth", "2")
    assert done.returncode == 0
    assert "within 2 steps (not a proof)" in done.stdout or ": proved (" in done.stdout
    done = run("prove", "endless.dsl", "--depth", "2", "--format", "json")
    assert done.returncode == 0
    assert document(done)["verdict"] == "proved_up_to"
    assert {result["depth"] for result in document(done)["properties"]} >= {2}


def test_a_violation_beyond_the_depth_is_not_found(run: Run) -> None:
    assert run("prove", "crossed.dsl", "--depth", "1").returncode == 0
    assert run("prove", "crossed.dsl", "--depth", "2").returncode == 1


def test_json_has_what_the_contract_names(run: Run) -> None:
    found = document(run("prove", "crossed.dsl", "--format", "json", "-D", "N=3"))
    assert list(found)[:2] == ["formal", "model"]
    assert set(found) >= {"file", "digest", "parameters", "verdict", "depth", "seconds", "assumptions", "properties"}
    assert (found["verdict"], found["depth"], found["parameters"]) == ("violated", None, {"N": 3})
    violated = next(result for result in found["properties"] if result["name"] == "deadlock.global")
    assert set(violated) >= {"name", "kind", "source", "verdict", "depth", "engine", "certificate", "witness"}
    assert violated["source"] == {"file": "crossed.dsl", "line": 7}
    witness = violated["witness"]
    assert (witness["length"], witness["context_switches"], witness["loop_to"]) == (2, 1, None)
    step = witness["steps"][0]
    assert set(step) == {"step", "thread", "statement", "source", "c_source", "stack", "changes"}
    assert step["step"] == 1
    assert step["thread"] in ("reader", "writer")
    assert witness["explanation"]


def test_several_models_are_one_array_and_the_worst_counts(run: Run) -> None:
    done = run("prove", "good.dsl", "crossed.dsl", "--format", "json")
    assert done.returncode == 1
    assert [one["model"] for one in document(done)] == ["good", "crossed"]


def test_a_bad_model_is_a_diagnostic_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    for command in ("prove", "check"):
        done = run(command, "good.dsl", "broken.dsl", *(["-o", "out.txt"] if command == "prove" else []))
        assert done.returncode == 2
        assert "broken.dsl:3:" in done.stderr
        assert "M" in done.stderr
    assert not (tmp_path / "out.txt").exists()
    assert run("prove", "broken.dsl").stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no command given"),
        (["prov"], "did you mean `prove`?"),
        (["--frobnicate"], "unknown option `--frobnicate`"),
        (["prove"], "required: MODEL"),
        (["prove", "nowhere.dsl"], "nowhere.dsl"),
        (["prove", "."], "."),
        (["prove", "good.dsl", "--engine", "quantum"], "the engines are auto, explicit, bmc"),
        (["prove", "good.dsl", "--format", "xml"], "the formats are text, json"),
        (["prove", "good.dsl", "--depth", "-1"], "a whole number of at least 0 is wanted, not `-1`"),
        (["prove", "good.dsl", "--depth", "x"], "a whole number"),
        (["prove", "good.dsl", "--depth", "99999999999"], "a whole number of at most 999999999 is wanted"),
        (["prove", ""], "an empty word on the command line"),
        (["capture", ""], "an empty word on the command line"),
        (["prove", "good\udcff.dsl", "--format", "json"], r"`good\xff.dsl` is not UTF-8"),
        (["prove", "circle.dsl"], "no file `circle.dsl`"),
        (["fmt", "--check", "circle.dsl"], "circle.dsl"),
        (["prove", "good.dsl", "--timeout", "0"], "a positive number of seconds"),
        (["prove", "good.dsl", "--jobs", "0"], "at least 1"),
        (["prove", "good.dsl", "--property", "nothing.*"], "matches no property"),
        (["prove", "crossed.dsl", "-D", "N"], "-D wants NAME=VALUE"),
        (["prove", "crossed.dsl", "-D", "N=1", "-D", "N=2"], "given twice"),
        (["prove", "crossed.dsl", "-D", "N=9"], "N"),
        (["prove", "crossed.dsl", "-D", "M=1"], "M"),
        (["prove", "good.dsl", "--with", "nowhere.dsl"], "nowhere.dsl"),
        (["prove", "good.dsl", "-o", "no/where.txt"], "there is no folder no"),
        (["prove", "good.dsl", "-o", "good.dsl"], "that is a model"),
        (["prove", "good.dsl", "--frobnicate"], "--frobnicate"),
        (["replay", "good.dsl"], "not a JSON document"),
        (["replay", "nowhere.json"], "No such file"),
        (["prove", "good.dsl", "--no-reduce", "ordr"], "unknown reduction `ordr`"),
        (["explain", "wrong_contxt"], "did you mean `wrong_context`"),
    ],
)
def test_bad_usage_is_exit_2_and_says_what_is_wrong(run: Run, words: list[str], message: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "error" in done.stderr


def test_properties_are_chosen_by_glob(run: Run) -> None:
    found = document(run("prove", "crossed.dsl", "--property", "deadlock.p*", "--property", "relock", "--format", "json"))
    assert [result["name"] for result in found["properties"]] == ["relock", "deadlock.partial"]
    assert found["verdict"] == "proved"


@pytest.mark.parametrize("engine", ["explicit", "bmc"])
def test_each_engine_by_itself_finds_the_same(run: Run, engine: str) -> None:
    found = document(run("prove", "crossed.dsl", "--engine", engine, "--format", "json"))
    assert {result["engine"] for result in found["properties"]} == {engine}
    violated = {result["name"]: result["depth"] for result in found["properties"] if result["verdict"] == "violated"}
    assert violated == {"deadlock.global": 2, "deadlock.lock_order": 2}


def test_a_circle_in_the_lock_order_that_nothing_closes_is_a_warning(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gated.dsl").write_text(
        """protocol gated;
        mutex gate;
        mutex a;
        mutex b;
        thread t { with gate { with a { with b { skip; } } } }
        thread u { with gate { with b { with a { skip; } } } }
        deadlock free;
        """
    )
    told = document(run("prove", "gated.dsl", "--format", "json"))
    assert told["verdict"] == "proved"
    assert len(told["warnings"]) == 1
    assert "gated.dsl:5" in told["warnings"][0]
    assert "gated.dsl:6" in told["warnings"][0]
    assert document(run("prove", "crossed.dsl", "--format", "json"))["warnings"] == []


@pytest.mark.parametrize("name", ["distances", "ownership"])
def test_a_reduction_can_be_left_out(run: Run, name: str) -> None:
    done = run("prove", "crossed.dsl", "--engine", "bmc", "--depth", "6", "--no-reduce", name, "--format", "json")
    assert done.returncode == 1
    assert {one["name"] for one in document(done)["properties"] if one["verdict"] == "violated"} == {
        "deadlock.global",
        "deadlock.lock_order",
    }


def test_callbacks_are_added(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.dsl").write_text("callback mine for H requires holds(L) { skip; }")
    done = run("prove", "hooked.dsl", "--with", "mine.dsl")
    assert done.returncode == 1
    assert "requires.mine is violated" in done.stdout
    assert "again: formal prove hooked.dsl --property requires.mine --with mine.dsl" in done.stdout


def test_the_report_goes_to_the_file(run: Run, tmp_path: Path) -> None:
    done = run("prove", "good.dsl", "--format", "json", "-o", "out.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["verdict"] == "proved"


def test_quiet_is_one_line_a_model(run: Run) -> None:
    done = run("prove", "good.dsl", "crossed.dsl", "--quiet")
    assert done.stderr == ""
    assert [line.partition(" (")[0] for line in done.stdout.splitlines() if ".dsl" in line] == ["good.dsl: proved", "crossed.dsl: violated"]


def test_figures_on_request(run: Run) -> None:
    assert "statistics" not in document(run("prove", "good.dsl", "--format", "json"))
    done = run("prove", "good.dsl", "--engine", "explicit", "--stats", "--format", "json")
    assert document(done)["statistics"]["explicit.states"] > 1
    assert "explicit.states" in run("prove", "good.dsl", "--engine", "explicit", "--stats").stdout


PATIENCE = (1.5, 12)  # seconds: on a machine that is busy no engine may have told anything at first


def test_out_of_time_is_undecided_and_tells_what_is_known(run: Run) -> None:
    reasons = [""]
    for patience in PATIENCE:
        begun = time.monotonic()
        done = run("prove", "endless.dsl", "--timeout", str(patience), "--format", "json")
        assert time.monotonic() - begun < patience + 8.5
        assert done.returncode == 3
        reasons = [result["reason"] for result in document(done)["properties"] if result["verdict"] == "undecided"]
        assert reasons
        if all("no violation within" in reason for reason in reasons):
            break
    assert all("out of time; no violation within" in reason for reason in reasons)


def interrupted(patience: float, folder: Path) -> str:
    """What an endless search says that is interrupted then, on one line. It leaves no process behind."""
    command = [sys.executable, "-m", "formal", "prove", "endless.dsl"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True, env=_surroundings()
    )
    try:
        time.sleep(patience)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    except BaseException:  # also when the tests themselves are ended: nothing goes on without them
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 130
    assert "Traceback" not in out + err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return " ".join(out.split())


def test_ctrl_c_prints_what_is_known(run: Run, tmp_path: Path) -> None:
    said = ""
    for patience in PATIENCE:
        said = interrupted(patience, tmp_path)
        if "no violation within" in said:
            break
    assert "interrupted; no violation within" in said


def _surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_reader_that_goes_away_is_no_error(run: Run, tmp_path: Path) -> None:
    command = f"{sys.executable} -m formal prove crossed.dsl | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=_surroundings()
    )
    assert done.returncode == 1
    assert "crossed" in done.stdout
    assert not any(word in done.stderr for word in ("Traceback", "Error", "Broken"))


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [
        (">/dev/full", 2, "standard output: No space left on device"),
        ("2>/dev/full", 1, ""),
        (">&-", 1, ""),
        (">&- 2>&- <&-", 1, ""),
    ],
)
def test_an_answer_that_cannot_be_written_is_told_and_closed_streams_are_no_error(
    run: Run, tmp_path: Path, redirection: str, code: int, told: str
) -> None:
    command = ["bash", "-c", f"{sys.executable} -m formal prove crossed.dsl {redirection}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=_surroundings())
    assert done.returncode == code
    assert told in done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "Exception"))


def test_a_file_below_a_folder_whose_name_is_no_text_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "good\udcff.dsl").write_text(PROVED)
    for command in ("regress", "anchors", "catalogue"):
        done = run(command, "odd")
        assert (done.returncode, done.stdout) == (2, "")
        assert r"good\xff.dsl` is not UTF-8" in done.stderr


def test_a_terminal_gets_colour_and_progress_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    assert "\x1b[" in _on_terminal(tmp_path)
    assert "\x1b[" not in _on_terminal(tmp_path, "--no-color")
    assert "\x1b[" not in _on_terminal(tmp_path, NO_COLOR="1")


def _on_terminal(folder: Path, *words: str, **environment: str) -> str:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "formal", "prove", "crossed.dsl", *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=folder,
        env={**_surroundings(), "TERM": "xterm", **environment},
    )
    os.close(follower)
    shown = b""
    try:
        while piece := os.read(leader, 4096):
            shown += piece
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(leader)
    assert process.wait(20) == 1
    return shown.decode()


def test_titles_survive_a_narrow_encoding(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.dsl").write_text(PROVED.replace("two threads", "zwei F\u00e4den"), encoding="utf-8")
    done = run("prove", "good.dsl", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "zwei F\\xe4den" in done.stdout


def test_check_says_what_it_found(run: Run) -> None:
    assert document(run("check", "good.dsl", "--format", "json"))["errors"] == 0
    done = run("check", "broken.dsl", "--format", "json")
    assert done.returncode == 2
    assert document(done)["errors"] == 1
    assert document(done)["diagnostics"][0]["line"] == 3


def test_a_witness_replays(run: Run, tmp_path: Path) -> None:
    run("prove", "crossed.dsl", "--format", "json", "-o", "w.json", "-D", "N=2")
    done = run("replay", "w.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "deadlock.global is violated after 2 steps" in done.stdout
    assert [one["stands"] for one in document(run("replay", "w.json", "--format", "json"))] == [True, True]


def test_a_witness_of_a_changed_model(run: Run, tmp_path: Path) -> None:
    run("prove", "crossed.dsl", "--format", "json", "-o", "w.json", "--property", "deadlock.global")
    (tmp_path / "mended.dsl").write_text(
        VIOLATED.replace("{ lock graph; lock disk; unlock disk; unlock graph; }", "{ lock disk; unlock disk; }")
    )
    done = run("replay", "w.json", "mended.dsl")
    assert done.returncode == 1
    assert "differs after" in done.stdout
    assert "warning: mended.dsl is not the model" in done.stderr
    (tmp_path / "crossed.dsl").write_text(VIOLATED + "\n// a word more\n")
    done = run("replay", "w.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`formal replay w.json crossed.dsl` runs it" in done.stderr
    assert run("replay", "w.json", "crossed.dsl").returncode == 0


def test_a_witness_on_a_model_without_its_parameter(run: Run) -> None:
    run("prove", "crossed.dsl", "--format", "json", "-o", "w.json", "-D", "N=2")
    done = run("replay", "w.json", "good.dsl")
    assert done.returncode == 1
    assert "good.dsl has no parameter `N`; the witness was recorded with N = 2" in done.stderr


def test_a_report_in_a_file_is_as_wide_as_one_in_a_pipe(run: Run, tmp_path: Path) -> None:
    piped = run("prove", "crossed.dsl", "--engine", "explicit").stdout
    _on_terminal(tmp_path, "--engine", "explicit", "-o", "out.txt", COLUMNS="200")
    written = (tmp_path / "out.txt").read_text()
    assert re.sub(r"[0-9.]+ s\)", "", written) == re.sub(r"[0-9.]+ s\)", "", piped)


def test_a_forged_witness_does_not_stand(run: Run, tmp_path: Path) -> None:
    found = document(run("prove", "crossed.dsl", "--format", "json", "--property", "deadlock.global"))
    steps = found["properties"][0]["witness"]["steps"]
    steps[1]["statement"] = "unlock disk"
    (tmp_path / "w.json").write_text(json.dumps(found))
    assert run("replay", "w.json").returncode == 1
    found["properties"][0]["witness"]["steps"] = steps[:1]
    (tmp_path / "w.json").write_text(json.dumps(found))
    assert run("replay", "w.json").returncode == 1
    (tmp_path / "w.json").write_text('{"properties": [{"witness": {"steps": [3]}}]}')
    assert run("replay", "w.json").returncode == 2


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in ("prove", "check", "replay", "recheck", "regress"))])
def test_help_is_quick_and_imports_nothing_heavy(words: list[str]) -> None:
    script = f"import sys; from formal.cli import main; code = main({words!r}); print(sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=20, cwd=ROOT)
    assert done.returncode == 0
    assert "example" in done.stdout
    assert not any(f"'{heavy}'" in done.stderr for heavy in ("lark", "z3", "rich", "formal.frontend", "formal.interp", "formal.smt"))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_into_80_columns(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*([command] if command else []), "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_explain_knows_the_checks(run: Run) -> None:
    for topic in ("wrong_context", "deadlock.partial", "relock", "contract"):
        done = run("explain", topic)
        assert done.returncode == 0
        assert topic in done.stdout
