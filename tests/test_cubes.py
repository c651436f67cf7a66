"""A bounded search in shares says what the search in one piece says, and loses nothing when a process dies."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from differential import parsed
from strategies import ModelText
from tangles import Tangle

from formal import cubes
from formal.cli import main
from formal.console import Exit
from formal.cubes import Part, Split
from formal.engines import bmc
from formal.engines.bmc import Share
from formal.engines.protocol import Event, Finding, Options
from formal.executor.calls import PROCESSES
from formal.executor.crew import Crew, crew
from formal.program import Program
from formal.race import Outcome, Silent
from formal.verdict import Verdict

MODEL = """protocol two; mutex a; mutex b; 0..3 n = 0;
thread t { lock a; lock b; n = n + 1; unlock b; unlock a; }
thread u { lock b; lock a; n = n + 1; unlock a; unlock b; }
deadlock free; invariant single: n < 2; invariant small: n < 3;
"""


class Here(Executor):
    """Carries out calls at once, here."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def here() -> Crew:
    return Crew(Here(), False, lambda: ())  # type: ignore[arg-type]


def options(program: Program, depth: int) -> Options:
    return Options(tuple(prop.name for prop in program.properties), depth)


def answers(findings: dict[str, Finding]) -> dict[str, tuple[Verdict, int | None, int]]:
    """By property: the verdict, its depth, and the context switches of a witness."""
    found = {}
    for name, one in findings.items():
        moves = one.trace.moves if one.trace is not None else ()
        depth = one.depth if one.verdict is Verdict.VIOLATED else None
        found[name] = (one.verdict, depth, sum(a.thread != b.thread for a, b in pairwise(moves)))
    return found


def in_one_piece(program: Program, depth: int) -> dict[str, tuple[Verdict, int | None, int]]:
    events: list[Event] = []
    bmc.run(program, options(program, depth), events.append)
    return answers({event.prop: event for event in events if isinstance(event, Finding)})


def in_cubes(program: Program, depth: int, switches: int, hired: Crew, hard: float = 0.0) -> Outcome:
    return Split(hired, switches, lambda _: None, hard)(program, options(program, depth), Silent())


def settled(outcome: Outcome) -> dict[str, tuple[Verdict, int | None, int]]:
    return answers({name: one.finding for name, one in outcome.settled.items()})


# ---------------------------------------------------------------- the same verdicts


@pytest.mark.parametrize("seed", range(10))
def test_a_random_model_in_cubes(seed: int) -> None:
    pick = random.Random(seed).randrange
    program = parsed(Tangle(pick).text() if seed % 2 else ModelText(pick).text())
    assert settled(in_cubes(program, 7, seed % 3, here())) == in_one_piece(program, 7)


def test_every_execution_is_in_a_cube() -> None:
    program = parsed("protocol p; bool x; thread t { x = true; } thread u { x = false; } thread v { spawn w; } thread w { skip; }")
    assert cubes.cubes(program, 0) == [(0,), (1,), (2,)]  # w has to be spawned
    assert cubes.cubes(program, 1) == [(one, other) for one in range(3) for other in range(4) if one != other]
    assert len(cubes.cubes(program, 9)) <= cubes.MOST_CUBES
    assert cubes.cubes(parsed("protocol p; thread t { skip; } deadlock free;"), 3) == [()]


def test_a_cube_has_only_its_own_executions() -> None:
    program = parsed(
        "protocol p; 0..9 n; thread t { n = n + 1; } thread u { n = n * 2; n = n * 2; } invariant a: n < 2; invariant b: n < 1;"
    )
    assert depths(program, (0, 1)) == {"invariant.a": 2, "invariant.b": 1}
    assert depths(program, (1, 0)) == {"invariant.a": 3, "invariant.b": 2}


def depths(program: Program, cube: cubes.Cube) -> dict[str, int | None]:
    """Of what is violated in a cube."""
    found = cubes.look(program, options(program, 3), Share(cube)).findings
    return {one.prop: one.depth for one in found if one.verdict is Verdict.VIOLATED}


def test_what_is_known_is_not_asked_again() -> None:
    program = parsed(MODEL)
    assert not [one for one in cubes.look(program, options(program, 3), Share(known=3)).findings if one.verdict is Verdict.VIOLATED]
    found = cubes.look(program, options(program, 20), Share())
    assert {one.prop: one.verdict for one in found.findings}["invariant.small"] is Verdict.PROVED
    assert found.covered >= 10


# ---------------------------------------------------------------- processes


def test_a_search_in_one_piece_that_is_not_hard_is_not_split() -> None:
    with crew(PROCESSES, 1) as hired:
        outcome = in_cubes(parsed(MODEL), 6, 1, hired, hard=60.0)
    assert settled(outcome) == in_one_piece(parsed(MODEL), 6)
    assert outcome.statistics["bmc.calls"] == 1
    assert "bmc.cubes" not in outcome.statistics


def test_where_a_question_is_hard_the_rest_is_split() -> None:
    """The first one is hard after a moment that no solver can keep to."""
    with crew(PROCESSES, 2) as hired:
        outcome = in_cubes(parsed(MODEL), 6, 1, hired, hard=1e-9)
    assert settled(outcome) == in_one_piece(parsed(MODEL), 6)
    assert outcome.statistics["bmc.cubes"] == 2


def dies_once(flag: str, program: Program, options_: Options, share: Share) -> Part:
    if share.first == (1, 0) and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return REAL(program, options_, share)


def dies(program: Program, options_: Options, share: Share) -> Part:
    if share.first == (1, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return REAL(program, options_, share)


REAL = cubes.look


class Dying:
    """`look` that dies as long as there is no such file."""

    def __init__(self, flag: Path) -> None:
        self.flag = str(flag)

    def __call__(self, program: Program, options_: Options, share: Share) -> Part:
        return dies_once(self.flag, program, options_, share)


def test_a_process_that_dies_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "look", Dying(tmp_path / "flag"))
    told: list[str] = []
    program = parsed(MODEL)
    with crew(PROCESSES, 2) as hired:
        outcome = Split(hired, 1, told.append, 0.0)(program, options(program, 6), Silent())
    assert settled(outcome) == in_one_piece(program, 6)
    assert outcome.statistics["bmc.tried again"] == 1
    assert len(told) == 1
    assert "killed by SIGKILL" in told[0]


def test_what_is_lost_for_good_leaves_its_properties_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what another cube violates, by an execution that may not be the shortest."""
    monkeypatch.setattr(cubes, "look", dies)
    program = parsed(MODEL)
    with crew(PROCESSES, 2) as hired:
        outcome = in_cubes(program, 4, 1, hired)
    assert {name: one.finding.shortest for name, one in outcome.settled.items()} == {
        "deadlock.global": False,
        "deadlock.lock_order": False,
    }
    assert outcome.crashes
    assert outcome.covered["invariant.small"] == -1
    assert outcome.reasons["invariant.small"] == (("bmc", "part of the search was lost"),)


# ---------------------------------------------------------------- the command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "HARD", 0.0)
    path = tmp_path / "two.dsl"
    path.write_text(MODEL)
    words = ["prove", str(path), "--depth", "5", "--stats", "--format", "json", "--engine", "bmc"]
    assert main([*words, "--cubes", "1"]) == Exit.VIOLATED
    split = json.loads(capsys.readouterr().out)
    assert main(words) == Exit.VIOLATED
    whole = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["verdict"], one["depth"]) for one in split["properties"]] == [
        (one["name"], one["verdict"], one["depth"]) for one in whole["properties"]
    ]
    assert split["statistics"]["bmc.cubes"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--cubes is for a bounded search"),
        (["--depth", "4", "--engine", "explicit"], "--cubes goes without --engine explicit"),
        (["--depth", "4", "-D", "N=1..2"], "--cubes goes without a sweep"),
    ],
)
def test_what_cubes_do_not_go_with(words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.dsl"
    path.write_text(MODEL)
    assert main(["prove", str(path), "--cubes", "1", *words]) == Exit.USAGE
    assert said in capsys.readouterr().err
