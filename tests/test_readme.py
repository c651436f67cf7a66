"""The README is run: its model files are written, its commands executed, its exit codes held to what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```c (\S+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    (command.strip(), int(code or 0))
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for command, code in re.findall(r"^\$ (.*?)(?:\s+# exit (\d+))?$", block, re.MULTILINE)
]
TARGETS = re.findall(r"^    make (\w+)", README, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place that looks like the checkout as far as the commands go, with the README's own files in it."""
    path = tmp_path_factory.mktemp("readme")
    (path / "models").symlink_to(ROOT / "models")
    for name, text in FILES:
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_there_is_something_to_run() -> None:
    assert len(COMMANDS) >= 8
    assert len(FILES) >= 2
    assert TARGETS == ["prove", "test"]


@pytest.mark.parametrize(("command", "code"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_commands_end_as_the_readme_says(folder: Path, command: str, code: int) -> None:
    """In the order of the README: later ones use what earlier ones wrote."""
    words = shlex.split(command)
    assert words[0] == "formal"
    done = subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_its_targets(target: str) -> None:
    """Run dry: the one installs from the network, the other is this very suite."""
    done = subprocess.run(["make", "--dry-run", target], capture_output=True, text=True, check=False, timeout=30, cwd=ROOT)
    assert done.returncode == 0
    assert "savevm_locked" in done.stdout if target == "prove" else "pytest" in done.stdout


def test_files_that_are_linked_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), f"{name} links to {target}"
