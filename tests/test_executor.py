"""Calls in processes: here, and on a real scheduler with two workers, of which one is killed while it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, as_completed
from pathlib import Path
from typing import Any

import pytest
from differential import parsed

from formal.cubes import Split
from formal.engines.protocol import Options
from formal.executor import cluster
from formal.executor.calls import PROCESSES, ExecutorError, Lost, Overdue, Within
from formal.executor.crew import Ending, crew, gather
from formal.executor.processes import Processes
from formal.race import Silent

ROOT = Path(__file__).resolve().parent.parent
GOOD = 'protocol good "two threads"; param N in 1..4 = 2; mutex L; thread t[N] { lock L; unlock L; } deadlock free; expect proved;'
BAD = "protocol bad; mutex L; thread t { lock L; lock L; } deadlock free; expect violated relock within 2;"


def square(number: int) -> int:
    return number * number


def boom() -> None:
    raise KeyError("x")


def unpicklable() -> Any:
    return lambda: None


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(flag: Path) -> str:
    if not flag.exists():
        flag.touch()
        die()
    return "again"


def ending_of(endings: list[Ending], number: int) -> Ending:
    return next(one for one in endings if one.number == number)


# ---------------------------------------------------------------- here


def test_it_is_an_executor() -> None:
    with Processes(2) as processes:
        assert list(processes.map(square, range(4))) == [0, 1, 4, 9]
        futures = [processes.submit(square, number) for number in (2, 3)]
        assert sorted(future.result() for future in as_completed(futures)) == [4, 9]
    with pytest.raises(RuntimeError):
        processes.submit(square, 1)


def test_what_is_raised_comes_back_with_its_traceback() -> None:
    with Processes(1) as processes:
        error = processes.submit(boom).exception()
        assert isinstance(error, KeyError)
        assert "in boom" in "".join(error.__notes__)
        assert processes.submit(unpicklable).exception() is not None
        assert processes.submit(square, 3).result() == 9


def test_a_death_is_tried_again_and_told(tmp_path: Path) -> None:
    told: list[tuple[int | None, str]] = []
    with crew(PROCESSES, 2) as made:
        calls: list[Future[Any]] = [
            made.executor.submit(die_once, tmp_path / "flag"),
            made.executor.submit(die),
            made.executor.submit(square, 5),
        ]
        endings = list(gather(made, calls, lambda *news: told.append(news), lambda *_: None))
    assert sorted(one.number for one in endings) == [0, 1, 2]
    assert ending_of(endings, 0).value == "again"
    assert isinstance(ending_of(endings, 1).error, Lost)
    assert "SIGKILL, 2 times" in str(ending_of(endings, 1).error)
    assert ending_of(endings, 2).value == 25
    assert {number for number, _ in told} <= {0, 1}
    assert (0, "its process was killed by SIGKILL") in told


def test_what_takes_too_long_is_ended() -> None:
    with Processes(1) as processes:
        late = processes.submit(Within(0.2, time.sleep), 60)
        assert isinstance(late.exception(), Overdue)
        assert processes.submit(Within(60, square), 6).result() == 36


def test_leaving_ends_everything() -> None:
    with crew(PROCESSES, 1) as made:
        working, waiting = made.executor.submit(time.sleep, 60), made.executor.submit(time.sleep, 60)
        assert waiting.cancel()
    assert isinstance(working.exception(), Lost)
    with pytest.raises(CancelledError):
        waiting.result()


def test_shutting_down_finishes_what_began() -> None:
    processes = Processes(1)
    first = processes.submit(square, 7)
    assert first.result() == 49
    begun, never = processes.submit(time.sleep, 0.3), processes.submit(square, 8)
    while not begun.running():
        time.sleep(0.01)
    processes.shutdown(cancel_futures=True)
    assert begun.result() is None
    assert never.cancelled()


def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, time
from formal.executor.processes import Processes
def work():
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()) + " ")
    time.sleep(60)
Processes(1).submit(work).result()
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith(" "):
        time.sleep(0.05)
    process.kill()
    process.wait()
    pid = int((tmp_path / "pid").read_text())
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("it lives on")


@pytest.mark.parametrize("choice", ["", "threads", "dask:", "dask"])
def test_an_executor_that_is_none(choice: str) -> None:
    with pytest.raises(ExecutorError, match="unknown executor"), crew(choice, 1):
        pass


# ---------------------------------------------------------------- on a cluster


class Scheduler:
    """A scheduler, and workers in folders of their own, where there is no model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        told = folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told), "--no-dashboard")
        while not told.exists() or not told.read_text():
            time.sleep(0.05)
        self.address = json.loads(told.read_text())["address"]

    def worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def wait_for_workers(self, count: int) -> None:
        """Until so many have registered: while it starts, a worker has children that are no proofs."""
        script = "import sys, distributed; distributed.Client(sys.argv[1]).wait_for_workers(int(sys.argv[2]), timeout=60)"
        subprocess.run([sys.executable, "-c", script, self.address, str(count)], env=self.environment, check=True, timeout=90)

    def _start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words]
        self.processes.append(subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=subprocess.DEVNULL))
        return self.processes[-1]

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    made = Scheduler(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


def children_of(pid: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def test_a_killed_worker_loses_nothing(scheduler: Scheduler, tmp_path: Path) -> None:
    """Same verdicts as here, by workers that have no files; one of them is killed while it has a proof at work."""
    (tmp_path / "good.dsl").write_text(GOOD)
    (tmp_path / "bad.dsl").write_text(BAD)
    command = [sys.executable, "-m", "formal", "regress", str(tmp_path), "--format", "json"]
    here = json.loads(subprocess.run(command, capture_output=True, cwd=ROOT, check=True).stdout)
    victim = scheduler.worker()
    scheduler.wait_for_workers(1)
    there = subprocess.Popen(
        [*command, "--executor", f"dask:{scheduler.address}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    while not children_of(victim.pid):
        assert there.poll() is None, there.communicate()
        time.sleep(0.02)
    victim.kill()
    scheduler.worker()
    out, errors = there.communicate(timeout=60)
    assert there.returncode == 0, errors
    rows = [{key: row[key] for key in ("file", "state", "verdict", "expected")} for row in json.loads(out)["models"]]
    assert rows == [{key: row[key] for key in ("file", "state", "verdict", "expected")} for row in here["models"]]
    assert {row["verdict"] for row in rows} == {"proved", "violated"}
    assert "is gone; others do again what it had begun" in errors
    assert "has come" in errors


def test_a_sweep_on_a_cluster(scheduler: Scheduler, tmp_path: Path) -> None:
    (tmp_path / "good.dsl").write_text(GOOD)
    command = [sys.executable, "-m", "formal", "prove", str(tmp_path / "good.dsl"), "-D", "N=1..2", "--format", "json"]
    done = subprocess.run([*command, "--executor", f"dask:{scheduler.address}"], capture_output=True, cwd=ROOT, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [point["verdict"] for point in json.loads(done.stdout)["points"]] == ["proved", "proved"]


def test_cubes_on_a_cluster(scheduler: Scheduler) -> None:
    scheduler.wait_for_workers(1)
    program = parsed(f"{BAD[: BAD.index('expect')]} thread u {{ lock L; }}")
    options = Options(tuple(prop.name for prop in program.properties), 4)
    found = []
    for choice in (PROCESSES, f"dask:{scheduler.address}"):
        with crew(choice, 2) as made:
            found.append(Split(made, 1, lambda _: None, 0.0)(program, options, Silent()))
    assert found[0].settled == found[1].settled
    assert found[0].settled["relock"].finding.depth == 2
    assert found[1].statistics["bmc.cubes"] == 2


def test_a_cluster_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT", 0.3)
    with pytest.raises(ExecutorError, match=r"no scheduler answers at 127\.0\.0\.1:1"), crew("dask:127.0.0.1:1", 1):
        pass


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "foo://127.0.0.1:8786", "127.0.0.1:99999"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ExecutorError, match=f"no scheduler answers at {address}: "), crew(f"dask:{address}", 1):
        pass


def test_another_build_is_refused() -> None:
    with pytest.raises(Lost, match="another build"):
        cluster.carry_out(b"", None, "sha256:0")


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.dsl").write_text(GOOD)
    (tmp_path / "distributed.py").write_text("raise ImportError('not here')")
    command = [sys.executable, "-m", "formal", "regress", str(tmp_path), "--executor", "dask:127.0.0.1:1"]
    surroundings = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=surroundings, check=False, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`pip install 'formal[cluster]'` installs it" in done.stderr
