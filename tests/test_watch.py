"""`--watch`, `formal schema` and the job's summary, as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue

import jsonschema  # type: ignore[import-untyped]
import pytest

from formal.resources import schemas

ROOT = Path(__file__).resolve().parent.parent
MODEL = 'protocol watched; import "part.dsl"; thread t { lock L; unlock L; } deadlock free;'


def surroundings(**more: str) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"}
    return {**found, "PYTHONPATH": str(ROOT), **more}


def formal(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "formal", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=folder, env=surroundings(**more))


class Watching:
    """A command that watches; what it prints, on either stream, can be waited for."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [sys.executable, "-m", "formal", *words, "--watch"]
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is ignored here would be ignored there
        try:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, env=surroundings(), process_group=0
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.lines: Queue[str] = Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for one in self.process.stdout:
            self.lines.put(one)

    def until(self, word: str) -> str:
        """What is printed until a line has the word in it."""
        told = ""
        while word not in told:
            told += self.lines.get(timeout=60)
        return told

    def end(self) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(timeout=60)
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.dsl").write_text(MODEL)
    (tmp_path / "part.dsl").write_text("mutex L;")
    return tmp_path


@pytest.mark.parametrize(("command", "fine"), [("check", "nothing to say against it"), ("prove", ": proved (")])
def test_a_change_of_an_import_runs_it_again(folder: Path, command: str, fine: str) -> None:
    watching = Watching(folder, command, "m.dsl")
    try:
        assert fine in watching.until("Ctrl-C ends it")
        (folder / "part.dsl").write_text("mutex M;")
        told = watching.until("Ctrl-C ends it")
        assert told.startswith("part.dsl changed")
        assert "unknown name `L`" in told
        (folder / "part.dsl").unlink()
        assert "no file `part.dsl`" in watching.until("Ctrl-C ends it")
        (folder / "new").write_text("mutex L;")
        (folder / "new").rename(folder / "part.dsl")  # as editors save
        told = watching.until("Ctrl-C ends it")
        assert fine in told
        assert "\x1b" not in told
    finally:
        code = watching.end()
    assert code == 130


def test_bad_usage_ends_the_watching_at_once(folder: Path) -> None:
    done = formal(folder, "prove", "m.dsl", "--watch", "--engine", "quantum")
    assert (done.returncode, done.stdout) == (2, "")


def test_without_the_package_the_extra_is_named(folder: Path) -> None:
    (folder / "hide").mkdir()
    (folder / "hide" / "watchfiles.py").write_text("raise ImportError('not installed')")
    for command in ("prove", "check"):
        done = formal(folder, command, "m.dsl", "--watch", PYTHONPATH=f"{folder / 'hide'}:{ROOT}")
        assert done.returncode == 2
        assert "pip install 'formal[watch]'" in done.stderr


def test_the_schema_of_each_command_is_printed(folder: Path) -> None:
    done = formal(folder, "schema", "check")
    assert json.loads(done.stdout)["title"] == "formal check --format json"
    assert json.loads(formal(folder, "schema").stdout)["$id"] == "urn:formal:schema:prove"
    assert Path(formal(folder, "schema", "--path").stdout.strip()).is_file()
    done = formal(folder, "schema", "explain")
    assert done.returncode == 2
    assert {"check", "compare", "prove", "regress", "sweep"} <= set(schemas())
    assert f"there is one for {', '.join(schemas())}" in done.stderr


def test_the_schemas_hold_for_what_the_commands_write(folder: Path) -> None:
    (folder / "bad.dsl").write_text("protocol bad; thread t { lock nowhere; } expect proved;")
    (folder / "m.dsl").write_text(MODEL + " expect proved;")
    for command, words in (("check", ["m.dsl", "bad.dsl"]), ("regress", ["."]), ("prove", ["m.dsl"])):
        document = json.loads(formal(folder, command, *words, "--format", "json").stdout)
        jsonschema.Draft202012Validator(json.loads(formal(folder, "schema", command).stdout)).validate(document)


def test_a_job_gets_a_summary(folder: Path) -> None:
    (folder / "m.dsl").write_text(MODEL + " expect proved;")
    summary = folder / "summary.md"
    assert formal(folder, "prove", "m.dsl", GITHUB_STEP_SUMMARY=str(summary)).returncode == 0
    done = formal(folder, "regress", "m.dsl", "--format", "junit", "-o", "report.xml", GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert '<testcase classname="." name="m.dsl"' in (folder / "report.xml").read_text()
    text = summary.read_text()
    assert "### formal prove" in text
    assert "### formal regress" in text
    done = formal(folder, "prove", "m.dsl", "--format", "mermaid", GITHUB_STEP_SUMMARY=str(folder))
    assert done.returncode == 0
    assert "cannot be written" in done.stderr
    assert "note: no property is violated" in done.stderr
