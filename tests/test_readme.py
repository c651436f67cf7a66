"""The README is run: its model files are written, its commands executed, exit codes and answers held to what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"^    make (\w+)", README, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """`files` are what the README shows between the command before and this one; `shown` what it shows of the answer, `…` for the rest."""

    words: str
    code: int
    shown: str
    files: tuple[tuple[str, str], ...]


def _commands() -> Iterator[Command]:
    files: list[tuple[str, str]] = []
    for kind, name, body in re.findall(r"^```(c|console)(?: (\S+))?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        if kind == "c":
            files.append((name, body))
            continue
        for line, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
            words, _, code = line.partition("    # exit ")
            yield Command(words, int(code or 0), shown, tuple(files))
            files.clear()


COMMANDS = tuple(_commands())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place that looks like the checkout as far as the commands go."""
    path = tmp_path_factory.mktemp("readme")
    (path / "models").symlink_to(ROOT / "models")
    (path / "tests").symlink_to(ROOT / "tests")
    return path


def test_there_is_something_to_run() -> None:
    assert len(COMMANDS) >= 12
    assert sum(len(command.files) for command in COMMANDS) >= 3
    assert sum(bool(command.shown) for command in COMMANDS) >= 2
    assert TARGETS == ["prove", "test"]


@pytest.mark.parametrize("command", COMMANDS, ids=[command.words for command in COMMANDS])
def test_commands_do_as_the_readme_says(folder: Path, command: Command) -> None:
    """In the order of the README: later ones use what earlier ones wrote, and a file that it shows may be one that a command has begun."""
    for name, text in command.files:
        (folder / name).write_text(text, encoding="utf-8")
    words = shlex.split(command.words)
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
    assert (done.returncode, "Traceback" in done.stderr) == (command.code, False), done.stdout + done.stderr
    rest = " ".join(done.stdout.split())
    for wanted in filter(None, (" ".join(part.split()) for part in command.shown.split("…"))):
        assert wanted in rest, f"{wanted!r} is not in what is left of\n{done.stdout}"
        rest = rest.partition(wanted)[2]


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
