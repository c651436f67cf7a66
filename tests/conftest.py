"""What holds for every test: proofs are searched for, not remembered (tests of the cache name a folder of their own), and those that need a
real QEMU are left out unless they are asked for (`pytest -m qemu`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from any_size import Recorded
from tools import Told

from formal.cli import main

os.environ["FORMAL_CACHE"] = "off"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "qemu: runs qemu-system-x86_64 for real; left out unless selected by -m")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "qemu" in str(config.getoption("-m")):
        return
    for item in items:
        if item.get_closest_marker("qemu") is not None:
            item.add_marker(pytest.mark.skip(reason="needs a real QEMU: pytest -m qemu"))


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The record of the model that a module names ON_DISK."""
    on_disk: Recorded = request.module.ON_DISK
    return on_disk.proved(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def here(request: pytest.FixtureRequest, prepared: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with that model and its record."""
    monkeypatch.chdir(tmp_path)
    request.module.ON_DISK.lay_out(prepared)
    return tmp_path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs a command: its exit code and what it wrote."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
