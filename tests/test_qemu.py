"""A real QEMU 7.2 under TCG takes a snapshot, and what it logs is held to the model, and explained. `pytest -m qemu` runs this."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from real_qemu import BINARY, Qemu, missing

from formal.cli import main

pytestmark = pytest.mark.qemu
ROOT = Path(__file__).parent.parent
MODEL = str(ROOT / "models" / "savevm_unlocked.dsl")


@pytest.fixture(autouse=True)
def _installed() -> None:
    if missing():
        pytest.fail(f"not installed: {missing()} (apt-get install qemu-system-x86 qemu-utils)")
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    if "version 7.2." not in version:
        pytest.skip(f"the mapping is for QEMU 7.2, this is {version}")


def captured(capsys: pytest.CaptureFixture[str], folder: Path, words: list[str]) -> Path:
    """A log of one snapshot, made as `formal capture` says. QEMU may die of the very bug that the model shows: the log ends with it."""
    assert main(["capture", *words, "--format", "json"]) == 0
    recipe = json.loads(capsys.readouterr().out)
    with Qemu(folder, recipe["options"]) as qemu:
        time.sleep(0.5)  # the guest begins to write to its flash
        try:
            if (moment := recipe["at_the_moment"]) is not None:
                qemu.do(moment["execute"], **moment["arguments"])
            qemu.snapshot("one")
        except ConnectionError:
            assert "bdrv_poll_co: Assertion" in qemu.complaint()
    return folder / "trace.log"


def test_a_snapshot_is_a_run_of_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = captured(capsys, tmp_path, [MODEL])
    code = main(["conform", MODEL, str(log), "--format", "json", "--quiet"])
    document = json.loads(capsys.readouterr().out)
    assert (code, document["verdict"]) == (0, "accepted"), json.dumps(document["rejection"], indent=1)
    assert document["events"]["mapped"] > 10
    assert {thread for names in document["threads"].values() for thread in names} >= {"main_loop"}


def test_a_log_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = captured(capsys, tmp_path, [])
    assert main(["explain-log", str(log), "--format", "json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["oddities"]["counts"] == {}
    assert {thread["role"] for thread in document["threads"]} >= {"main loop", "vCPU"}
    bql = next(lock for lock in document["locks"] if lock["address"] == document["bql"])
    assert bql["name"] == "BQL"
    assert "util/main-loop.c:318" in bql["sites"]
