"""A model of a family of N members, and its record of every N, in a folder where commands are asked about them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from formal.cli import main
from formal.console import Exit


@dataclass(frozen=True, slots=True)
class Recorded:
    """`name`: of the model's file, without the ending."""

    name: str
    text: str

    @property
    def file(self) -> Path:
        return Path(f"{self.name}.dsl")

    @property
    def record(self) -> str:
        return f"proofs/{self.name}-N=1..any.json"

    def proved(self, folder: Path) -> bytes:
        """The record, made in a folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            self.file.write_text(self.text)
            assert main(["prove", str(self.file), "-D", "N=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
        return (folder / self.record).read_bytes()

    def lay_out(self, record: bytes) -> None:
        """Writes both where the test is."""
        self.file.write_text(self.text)
        Path("proofs").mkdir()
        Path(self.record).write_bytes(record)

    def recheck(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
        """The exit code, and all that is said."""
        capsys.readouterr()
        code = main(["recheck", self.record, *words])
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return code, told.out + told.err

    def tamper(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes the record."""
        written = json.loads(Path(self.record).read_text())
        before = copy.deepcopy(written)
        change(written)
        assert written != before
        Path(self.record).write_text(json.dumps(written))
