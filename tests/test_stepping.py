"""Walks by hand and recorded ones, step by step: through a pipe, as a script would."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from tools import Told

from formal.cli import main
from formal.frontend import load_text
from formal.interp import Machine
from formal.stepping.dialogue import Dialogue, Mistake, Setting
from formal.stepping.ink import Ink, visible

MODEL = """protocol p "two locks";
mutex A; mutex B; bool x; 0..9 n = 0; context main home a; bh kick on main { x = true; }
deadlock free;
invariant small: n < 2;
proc both(ref mutex first, ref mutex second) @ "file.c:both" { 0..3 mine = 2; lock first; lock second; unlock second; unlock first; }
thread a { both(A, B); }
thread b { both(B, A); choose { n = n + 1; } or { schedule kick; } }
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A file with MODEL."""
    path = tmp_path / "m.dsl"
    path.write_text(MODEL)
    return str(path)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs a command with these lines on standard input: its exit code and what it wrote."""

    def run(words: list[str], *lines: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def last(out: str) -> str:
    """What was answered to the last line but `q`."""
    return re.split(r"^step \d+> .*\n", out, flags=re.MULTILINE)[-2]


def test_a_state_is_shown_with_who_stands_where_and_why_who_waits_does(told: Told, model: str) -> None:
    code, out, _ = told(["simulate", model, "--interactive"], "1", "1", "2", "2", "q")
    assert code == 1
    assert "*** deadlock.global is violated after 4 steps ***" in out
    assert "*** deadlock.lock_order is violated after 4 steps ***" in out
    shown = last(out)
    assert "a waits at lock second\n      for B, which b holds since step 4" in shown
    assert "b waits at lock second\n      for A, which a holds since step 2" in shown
    assert f"{model}:5, file.c:both" in " ".join(shown.split())
    assert "A: a" in shown
    assert "*B: b" in shown
    assert "main: a" in shown
    assert "mine = 2" in shown
    assert "No thread can move." in shown
    assert [line for line in shown.splitlines() if len(line) > 80 and ".dsl" not in line] == []


def test_undo_and_restart_take_steps_back(told: Told, model: str) -> None:
    code, out, _ = told(["simulate", model, "--interactive"], "1", "1", "w", "u", "u", "w", "1", "r", "w", "q")
    assert code == 0
    answers = out.split("> w\n")
    assert answers[1].startswith("   1  a: 0..3 mine = 2\n   2  a: lock first")
    assert answers[2].startswith("No step has been taken yet.")
    assert answers[3].startswith("No step has been taken yet.")


def test_a_thread_goes_on_to_its_next_lock(told: Told, model: str) -> None:
    _, out, _ = told(["simulate", model, "--interactive"], "g a", "g a", "q")
    assert "step 2> g a\n   3  a: lock second\n" in out


def test_choices_are_moves_of_their_own(told: Told, model: str) -> None:
    _, out, _ = told(["simulate", model, "--interactive", "--no-color"], *["g b"] * 5, "l", "q")
    assert "b: choose -- branch 1, then `n = n + 1`" in out
    assert "b: choose -- branch 2, then `schedule kick`" in out


def test_random_steps_stop_at_a_violation_and_follow_the_seed(told: Told, model: str) -> None:
    outs = [told(["simulate", model, "--interactive", "--seed", seed], "b 200", "w", "q")[1] for seed in ("1", "1", "2", "3", "4", "5")]
    assert outs[0] == outs[1]
    assert len(set(outs)) > 2
    assert any("deadlock.global is violated" in out for out in outs)


def test_everything_and_stacks_on_request(told: Told, model: str) -> None:
    _, out, _ = told(["simulate", model, "--interactive"], "v", "f", "q")
    everything, stacks = out.split("step 0> v\n")[1].split("step 0> f\n")
    assert "n: 0" in everything
    assert "kick: false" in everything
    assert "not shown" not in everything
    assert "a > both" in stacks


def test_a_saved_walk_is_followed_again(told: Told, model: str, tmp_path: Path) -> None:
    record = str(tmp_path / "walk.json")
    code, out, _ = told(["simulate", model, "--interactive"], "1", "1", f"s {record}", "q")
    assert code == 0
    assert "saved a walk of 2 steps" in out
    document = json.loads(Path(record).read_text())
    assert document["walk"]["length"] == 2
    code, out, _ = told(["replay", record])
    assert code == 0
    assert "a walk of 2 steps, as recorded" in out
    assert "A.owner: none -> a" in out
    document["walk"]["steps"][1]["changes"] = {}
    Path(record).write_text(json.dumps(document))
    code, out, _ = told(["replay", record])
    assert code == 1
    assert "walk: differs after 1 of 2 steps" in out


def test_a_walk_that_ends_in_a_violation_is_its_witness(told: Told, model: str, tmp_path: Path) -> None:
    record = str(tmp_path / "walk.json")
    code, out, _ = told(["simulate", model, "--interactive"], "1", "1", "2", "2", f"s {record}", "q")
    assert code == 1
    assert "saved the violation of deadlock.global" in out
    assert "walk" not in json.loads(Path(record).read_text())
    code, out, _ = told(["replay", record])
    assert code == 0
    assert "deadlock.lock_order is violated after 4 steps" in out


def test_a_model_is_not_overwritten(told: Told, model: str) -> None:
    code, _, err = told(["simulate", model, "--interactive"], f"s {model}")
    assert code == 2
    assert "that is a model" in err
    assert Path(model).read_text() == MODEL


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("9", "there is no move 9: there are 2"),
        ("0", "there is no move 0"),
        ("u", "there is nothing to undo"),
        ("u x", "a number of steps is wanted"),
        ("b 0", "a number of steps is wanted"),
        ("b 999999", "at most 100000 steps"),
        ("g", "`g` wants a thread: they are a, b"),
        ("g nobody", "`nobody` is no thread"),
        ("l now", "`l` stands alone"),
        ("s", "`s` wants the name of a file"),
        ("s /nowhere/at/all", "no folder"),
        ("s 'open", "quotation"),
        ("jump", "`jump` is no command; ? shows them"),
        ("1 2", "one move at a time"),
    ],
)
def test_a_mistake_in_a_pipe_ends_it(told: Told, model: str, line: str, message: str) -> None:
    code, out, err = told(["simulate", model, "--interactive"], line, "1")
    assert code == 2
    assert message in err
    assert "line 1" in err
    assert "step 1>" not in out


def test_completion_knows_commands_moves_and_threads() -> None:
    loaded = load_text(MODEL)
    assert loaded.program is not None
    dialogue = Dialogue(Machine(loaded.program), Setting(Ink(), {}, (), 0, lambda *_: None))
    assert dialogue.completions("g ") == ["a", "b"]
    assert dialogue.completions("g b") == ["b"]
    assert "1" in dialogue.completions("")
    assert dialogue.completions("l now") == []
    with pytest.raises(Mistake):
        dialogue.answer("nonsense")
    assert dialogue.prompt() == "step 0> "


def test_an_error_ends_the_execution_until_it_is_undone(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "m.dsl"
    path.write_text("protocol p; mutex L; thread a { lock L; lock L; }")
    code, out, _ = told(["simulate", str(path), "--interactive"], "", "", "u", "q")
    assert code == 1
    assert "*** relock is violated after 2 steps ***" in out
    assert "The execution has ended." in out
    assert "1  a: lock L" in last(out)


def test_what_stays_violated_is_told_once_and_what_was_given_back_is_shown(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "m.dsl"
    path.write_text("protocol p; bool x; mutex L; thread a { lock L; x = true; unlock L; skip; } invariant no: !x;")
    code, out, _ = told(["simulate", str(path), "--interactive"], "1", "1", "1", "l", "q")
    assert code == 1
    assert out.count("invariant.no is violated") == 1
    assert "*L: none" in last(out)


def test_a_walk_that_ends_silently_is_followed_again(told: Told, tmp_path: Path) -> None:
    path, record = tmp_path / "m.dsl", str(tmp_path / "w.json")
    path.write_text("protocol p; bool x; thread a { skip; assume x; } invariant no: !x;")
    code, out, _ = told(["simulate", str(path), "--interactive"], "1", "1", f"s {record}", "q")
    assert code == 0
    assert "The execution ends here silently" in out
    assert told(["replay", record])[0] == 0


def test_what_a_model_says_cannot_speak_to_the_terminal() -> None:
    assert visible("a\x1b[2J\nb") == "a\\x1b[2J\\x0ab"
    assert "\x1b[2J" not in Ink(80, colour=True).paint("\x1b[2J", "red")
    assert Ink(80, colour=True).paint("x", "red") == "\x1b[1;31mx\x1b[0m"
    assert all(len(line) <= 40 for line in Ink(40).wrapped("word " * 40, 6))
    assert all(len(line) <= 40 for line in Ink(40).entries("label", [(f"name{n}: 1", n == 3) for n in range(9)]))


# ---------------------------------------------------------------- replay --step


def test_a_witness_is_gone_through_forward_and_back(told: Told, model: str, tmp_path: Path) -> None:
    record = str(tmp_path / "w.json")
    assert told(["prove", model, "--property", "deadlock.global", "--format", "json", "-o", record])[0] == 1
    code, out, _ = told(["replay", record, "--step"], "", "n 2", "p", "0", "e", "w", "l", "v", "f", "?", "q")
    assert code == 0
    prompts = [line.split(">")[0] for line in out.splitlines() if "/4> " in line]
    assert prompts == ["0/4", "1/4", "3/4", "2/4", "0/4", "4/4", "4/4", "4/4", "4/4", "4/4", "4/4"]
    assert "*** deadlock.global ***" in out
    assert "No thread can move." in out


def test_a_lasso_tells_where_it_comes_round(told: Told, tmp_path: Path) -> None:
    path, record = tmp_path / "m.dsl", str(tmp_path / "w.json")
    path.write_text("protocol p; bool x; bool y; thread a { skip; loop { y = !y; } } liveness soon: eventually x;")
    assert told(["prove", str(path), "--format", "json", "-o", record])[0] == 1
    code, out, _ = told(["replay", record, "--step"], "e", *["p"] * 2, "q")
    assert code == 0
    assert "and back to the state after step" in out
    assert "from here on, again and again" in out


@pytest.mark.parametrize(
    ("line", "message"), [("p", "the record begins here"), ("n 99", "ends after step"), ("x", "no command"), ("77", "ends after")]
)
def test_mistakes_in_replay(told: Told, model: str, tmp_path: Path, line: str, message: str) -> None:
    record = str(tmp_path / "w.json")
    told(["simulate", model, "--interactive"], "1", f"s {record}")
    code, _, err = told(["replay", record, "--step"], line)
    assert code == 2
    assert message in err


def test_one_witness_at_a_time_and_from_a_file(told: Told, model: str, tmp_path: Path) -> None:
    record = str(tmp_path / "w.json")
    assert told(["simulate", model, "--interactive"], "1", "1", "2", "2", f"s {record}")[0] == 1
    code, _, err = told(["replay", record, "--step"])
    assert code == 2
    assert "pick one with --property: deadlock.global, deadlock.lock_order" in err
    assert told(["replay", "-", "--step"], Path(record).read_text())[0] == 2
    assert told(["replay", record, "--step", "--format", "json"])[0] == 2


def test_a_record_that_differs_is_gone_through_up_to_there(told: Told, model: str, tmp_path: Path) -> None:
    record = tmp_path / "w.json"
    told(["simulate", model, "--interactive"], "1", "1", f"s {record}")
    document = json.loads(record.read_text())
    document["walk"]["steps"][1]["statement"] = "unlock first"
    record.write_text(json.dumps(document))
    code, out, _ = told(["replay", str(record), "--step"], "e", "q")
    assert code == 1
    assert "the record and the model part here" in out
    assert "the record says a: unlock first" in out
