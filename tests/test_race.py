"""The race: who wins, what is left when an engine gives up, dies or is late, and that a contradiction is never smoothed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import formal.race
from formal.children import Child
from formal.engines.protocol import Engine, Finding, Options, Progress, Statistics, Tell
from formal.program import Program, Property
from formal.race import Disagreement, Outcome, race
from formal.verdict import Trace, Verdict

ROOT = Path(__file__).resolve().parent.parent
Behaviour = Callable[[Tell], None]


def program(*names: str) -> Program:
    """A program of which only the properties matter."""
    properties = tuple(Property(name, "liveness" if name.startswith("liveness") else "builtin", None) for name in names)
    nothing: dict[str, object] = {}
    for field in Program.__dataclass_fields__.values():
        annotation = str(field.type)
        nothing[field.name] = () if annotation.startswith("tuple") else {} if annotation.startswith("Mapping") else frozenset()
    return Program(**{**nothing, "name": "p", "properties": properties})  # type: ignore[arg-type]


def proved(name: str) -> Finding:
    return Finding(name, Verdict.PROVED, None, "looked everywhere")


def violated(name: str, depth: int) -> Finding:
    return Finding(name, Verdict.VIOLATED, depth, "", Trace(name, ()))


def undecided(name: str, reason: str) -> Finding:
    return Finding(name, Verdict.UNDECIDED, None, reason)


def telling(*events: object, then: Behaviour = lambda _tell: None) -> Behaviour:
    def behave(tell: Tell) -> None:
        for event in events:
            tell(event)  # type: ignore[arg-type]
        then(tell)

    return behave


def forever(_tell: Tell) -> None:
    while True:
        time.sleep(1)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    def run(
        names: str, engines: Mapping[str, Behaviour], depth: int | None = None, seconds: float = 20.0, jobs: int | None = None
    ) -> Outcome:
        def load(name: str) -> Engine:
            return lambda _program, _options, tell: engines[name](tell)

        monkeypatch.setattr(formal.race, "load_engine", load)
        options = Options(tuple(names.split()), depth)
        return race(program(*names.split()), options, tuple(engines), jobs=jobs, deadline=time.monotonic() + seconds)

    return run


def test_the_first_conclusive_finding_ends_the_race(run: Callable[..., Outcome]) -> None:
    begun = time.monotonic()
    outcome = run("a", {"slow": forever, "quick": telling(Statistics({"states": 3}), proved("a"), then=forever)})
    assert (outcome.settled["a"].engine, outcome.settled["a"].finding.verdict) == ("quick", Verdict.PROVED)
    assert outcome.statistics == {"quick.states": 3}
    assert time.monotonic() - begun < 5
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_an_engine_has_a_head_start_but_for_one_that_finds_no_violation(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formal.race, "_HEAD_START", 1000.0)
    quick = telling(violated("a", 3), then=forever)
    assert run("a", {"families": forever, "quick": quick}).settled["a"].engine == "quick"
    assert run("a", {"slow": forever, "quick": quick}, seconds=0.3).timed_out


@pytest.mark.parametrize(("jobs", "expected"), [(3, ["families", "explicit"]), (1, ["families"])])
def test_what_starts_now_is_loaded_before_it_starts(jobs: int, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []  # in this process; what the engines' processes load is not seen here

    def load(name: str) -> Engine:
        loaded.append(name)
        return lambda _program, _options, tell: tell(proved("a"))

    monkeypatch.setattr(formal.race, "load_engine", load)
    race(program("a"), Options(("a",), None), ("families", "explicit", "bmc"), jobs=jobs)
    assert loaded == expected


def test_each_property_takes_its_own_first_finding(run: Callable[..., Outcome]) -> None:
    outcome = run("a b", {"one": telling(proved("a"), then=forever), "two": telling(violated("b", 3), then=forever)})
    assert {name: settled.engine for name, settled in outcome.settled.items()} == {"a": "one", "b": "two"}


def test_the_other_goes_on_when_one_gives_up_or_dies(run: Callable[..., Outcome]) -> None:
    def late(tell: Tell) -> None:
        time.sleep(0.3)
        tell(proved("a"))

    for loser in (telling(undecided("a", "too many states")), lambda _tell: os.kill(os.getpid(), signal.SIGKILL), lambda _tell: 1 / 0):
        outcome = run("a", {"loser": loser, "late": late})
        assert outcome.settled["a"].engine == "late"


def test_a_crash_is_kept_with_its_traceback(run: Callable[..., Outcome]) -> None:
    def broken(_tell: Tell) -> None:
        raise ValueError("seventeen")

    outcome = run("a", {"broken": broken})
    assert not outcome.settled
    assert outcome.crashes[0][0] == "broken"
    assert "seventeen" in outcome.crashes[0][1]


def test_both_reasons_are_told_when_both_give_up(run: Callable[..., Outcome]) -> None:
    outcome = run("a", {"x": telling(Progress(7, ""), undecided("a", "memory")), "y": telling(undecided("a", "unknown"))})
    assert outcome.reasons == {"a": (("x", "memory"), ("y", "unknown"))}
    assert outcome.covered == {"a": 7}


def test_progress_after_giving_up_says_nothing_of_what_was_given_up(run: Callable[..., Outcome]) -> None:
    outcome = run("a b", {"x": telling(Progress(2, ""), undecided("a", "memory"), Progress(9, ""))})
    assert outcome.covered == {"a": 2, "b": 9}


def test_a_bound_is_conclusive_only_as_far_as_it_was_asked_for(run: Callable[..., Outcome]) -> None:
    bounded = Finding("a", Verdict.PROVED_UP_TO, 5, "")
    assert "a" in run("a", {"x": telling(bounded)}, depth=5).settled
    outcome = run("a", {"x": telling(bounded)}, depth=6)
    assert "a" not in outcome.settled
    assert outcome.covered == {"a": 5}
    assert "a" not in run("a", {"x": telling(bounded)}).settled


def test_time_runs_out(run: Callable[..., Outcome]) -> None:
    outcome = run("a b", {"x": telling(proved("a"), Progress(4, ""), then=forever)}, seconds=0.5)
    assert outcome.timed_out
    assert set(outcome.settled) == {"a"}
    assert outcome.covered == {"b": 4}


def test_ctrl_c_keeps_what_was_found(run: Callable[..., Outcome]) -> None:
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    outcome = run("a b", {"x": telling(proved("a"), then=forever)})
    timer.join()
    assert outcome.interrupted
    assert set(outcome.settled) == {"a"}


def test_one_job_at_a_time_still_asks_everybody(run: Callable[..., Outcome]) -> None:
    outcome = run("a b", {"x": telling(proved("a"), undecided("b", "no")), "y": telling(proved("a"), proved("b"))}, jobs=1)
    assert {name: settled.engine for name, settled in outcome.settled.items()} == {"a": "x", "b": "y"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (proved("a"), violated("a", 3)),
        (violated("a", 3), violated("a", 4)),
        (Progress(3, ""), violated("a", 3)),
        (violated("a", 3), Progress(3, "")),
    ],
)
def test_a_contradiction_is_not_smoothed_over(run: Callable[..., Outcome], one: object, two: object) -> None:
    with pytest.raises(Disagreement, match="a: "):
        run("a b", {"x": telling(one, then=forever), "y": telling(two, then=forever)})


def test_witnesses_that_need_not_be_the_shortest_need_not_be_of_one_length(run: Callable[..., Outcome]) -> None:
    long = replace(violated("a", 4), shortest=False)
    outcome = run("a b", {"x": telling(violated("a", 3)), "y": telling(Progress(2, ""), long)})
    assert outcome.settled["a"].finding.verdict is Verdict.VIOLATED
    with pytest.raises(Disagreement, match="a: "):
        run("a b", {"x": telling(Progress(4, ""), then=forever), "y": telling(long, then=forever)})


def test_who_is_at_work_already_is_heard_and_left_alone() -> None:
    child = Child(telling(proved("a"), proved("c"), then=forever))
    try:
        outcome = race(program("a", "b"), Options(("a",)), (), beside={"guest": child}, deadline=time.monotonic() + 20)
        assert {name: settled.engine for name, settled in outcome.settled.items()} == {"a": "guest"}
        assert not child.ended
        assert _alive(child.pid)
    finally:
        child.end()


def test_lassos_need_not_be_of_one_length(run: Callable[..., Outcome]) -> None:
    name = "liveness.a"
    outcome = run(name + " b", {"x": telling(violated(name, 3)), "y": telling(Progress(9, ""), violated(name, 4))})
    assert outcome.settled[name].finding.verdict is Verdict.VIOLATED


def test_no_child_outlives_a_parent_that_is_killed() -> None:
    script = """
import os, signal
from formal.children import Child, wait
def work(tell):
    tell(os.getpid())
    while True: sum(range(1000))
one = Child(work)
two = Child(work, [one])
for child in (one, two):
    wait([child], 10)
    print(*child.receive(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
