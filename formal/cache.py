"""What was found out before, kept in a folder: conclusive findings by what the program means, never by what a file is called.

In: a typed program and what is asked of it. Out: findings that hold for exactly that, or none. The key is a digest over the meaning of the
whole program (`formal.fingerprint`), the question, the sources of this package, the solver's version and Python's: on doubt it is another
one. A single property has no key of its own, since what it depends on is the whole program: any thread may hold the lock that it speaks of.
What is proved for every size at once depends on the text besides: two that mean the same with one size may not with another.

An entry is a file with a digest in it: one that is damaged is no entry. Entries are written beside and moved into place, so that a reader
sees a whole one or none. A violation is kept as its trace by names; it is nothing before the interpreter has replayed it. A proof cannot be
tried again, nor is a record that stood: who may write into the folder is believed. Nothing here raises for what is wrong with the folder;
`trouble` says it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from formal.build import code_digest
from formal.engines.protocol import Finding, Outline
from formal.fingerprint import fingerprint
from formal.program import Program
from formal.verdict import Move, Trace, Verdict, View, ViewValue

FORMAT: Final = 3
BOUND: Final = 64 << 20  # bytes of all entries together; beyond, the oldest go
_KEPT: Final = 0.9  # of the bound, after some went
_OURS: Final = re.compile(r"[0-9a-f]{64}\.json|\.writing-\w+")  # a folder may hold other people's files: those stay
_KINDS: Final = frozenset({Verdict.PROVED, Verdict.PROVED_UP_TO, Verdict.VIOLATED})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a program, as far as the answer may depend on it. `engine`: the choice on the command line."""

    engine: str
    depth: int | None
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of an earlier run, which took so many seconds in all."""

    engine: str
    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of one program. `outline`: what holds where; without lines, it was looked for and not found; None, nobody looked.
    `figures`: of the engines that found it, as far as they told any."""

    findings: Mapping[str, Known] = field(default_factory=dict)
    outline: Outline | None = None
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


class Cache:
    """The entries in one folder, which is made when the first is written. `trouble`: why nothing can be kept there, if so."""

    def __init__(self, folder: Path, bound: int = BOUND) -> None:
        self.folder = folder
        self.bound = bound
        self.trouble: str | None = None

    def recall(self, program: Program, question: Question) -> Remembered:
        """What is known; nothing, where the entry is missing or damaged."""
        path = self._path(program, question)
        document = _read(path)
        if document is None:
            return Remembered()
        try:
            told = document["findings"].items()
            findings = {name: _known(name, one) for name, one in told if one["text"] in (None, program.digest)}
            outline = _outline(document["outlines"].get(fingerprint(program, lines=True)))
            figures = dict(document["figures"].items())
        except (KeyError, TypeError, ValueError, AttributeError):
            return Remembered()
        with suppress(OSError):
            os.utime(path)  # so that what is asked for stays
        return Remembered(findings, outline, figures)

    def keep(self, program: Program, question: Question, found: Remembered) -> None:
        """Write down what was found, beside what the entry says already."""
        path = self._path(program, question)
        document = _read(path) or {"program": program.name, "findings": {}, "outlines": {}, "figures": {}}
        settled = {name: known for name, known in found.findings.items() if known.finding.verdict in _KINDS}
        document["findings"] |= {name: _told(known, program.digest) for name, known in settled.items()}
        document["figures"] |= found.figures
        if found.outline is not None:
            document["outlines"] = {fingerprint(program, lines=True): [list(found.outline.lines), list(found.outline.proves)]}
        self._put(path, document)

    def stood(self, record: Any, digest: str, solvers: Sequence[str]) -> Mapping[str, str] | None:
        """What is known of rechecking a record (its document) of the model with this digest by these solvers, by name and version: that it
        stood, and what was not rechecked, with the reasons; None, nothing is known."""
        path = self._stood_path(record, digest, solvers)
        document = _read(path)
        unchecked = None if document is None else document.get("unchecked")
        if not isinstance(unchecked, dict) or not all(isinstance(why, str) for why in unchecked.values()):
            return None
        with suppress(OSError):
            os.utime(path)
        return unchecked

    def keep_stood(self, record: Any, digest: str, solvers: Sequence[str], unchecked: Mapping[str, str]) -> None:
        """Write down that a record stood. What differs or is undecided is looked at again each time."""
        self._put(self._stood_path(record, digest, solvers), {"unchecked": dict(unchecked)})

    def size(self) -> tuple[int, int]:
        """How many entries there are, and their bytes together."""
        sizes = [size for _, size, _ in self._entries()]
        return len(sizes), sum(sizes)

    def _path(self, program: Program, question: Question) -> Path:
        key = [FORMAT, fingerprint(program), question.engine, question.depth, sorted(question.without), *_surroundings()]
        return self.folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.json"

    def _stood_path(self, record: Any, digest: str, solvers: Sequence[str]) -> Path:
        key = [FORMAT, "record", record, digest, list(solvers), *_surroundings()]
        return self.folder / f"{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()}.json"

    def _put(self, path: Path, document: Mapping[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, document)
            self._evict()
        except OSError as error:
            self.trouble = f"{self.folder}: {error.strerror or error}"

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Time of last use, bytes and file of each. Another process may take one away meanwhile."""
        found = []
        with suppress(OSError):
            for path in self.folder.iterdir():
                with suppress(OSError):
                    if _OURS.fullmatch(path.name):
                        told = path.stat()
                        found.append((told.st_mtime, told.st_size, path))
        return sorted(found, key=lambda entry: entry[0])

    def _evict(self) -> None:
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        if total <= self.bound:
            return
        for _, size, path in entries:
            if total <= self.bound * _KEPT:
                return
            path.unlink(missing_ok=True)
            total -= size


@cache
def _surroundings() -> tuple[str, ...]:
    """What else an answer depends on: this package's sources, the grammar, the solver, Python, the machine."""
    from importlib.metadata import version

    return code_digest(), version("z3-solver"), platform.python_implementation(), platform.python_version(), platform.machine()


# ---------------------------------------------------------------- files


def _read(path: Path) -> dict[str, Any] | None:
    """The entry; None where it is not there, or is not what was written."""
    try:
        document = json.loads(path.read_bytes())
        body = document["entry"]
        whole = document["digest"] == _digest(path.stem, body)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return body if whole and isinstance(body, dict) else None


def _write(path: Path, body: Mapping[str, Any]) -> None:
    """Raises OSError. Nothing of it is seen before it is all there."""
    text = json.dumps({"digest": _digest(path.stem, body), "entry": body}, separators=(",", ":"))
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(key: str, body: Any) -> str:
    return hashlib.sha256(json.dumps([key, body], separators=(",", ":")).encode()).hexdigest()


# ---------------------------------------------------------------- findings as data


def _told(known: Known, text: str) -> dict[str, Any]:
    """`text`: the digest of the model's files. What holds for every size is of their text, not of what it means with one size."""
    finding = known.finding
    trace = None
    if finding.trace is not None:
        views: list[View | None] = [{}, *(move.after for move in finding.trace.moves)]
        moves = [
            [move.thread, _difference(before or {}, after)]
            for move, (before, after) in zip(finding.trace.moves, pairwise(views), strict=True)
        ]
        trace = {"moves": moves, "loop_to": finding.trace.loop_to, "omitted": sorted(finding.trace.omitted)}
    told = {"verdict": finding.verdict.value, "depth": finding.depth, "reason": finding.reason, "trace": trace, "least": finding.least}
    return told | {"text": text if finding.least else None, "engine": known.engine, "seconds": round(known.seconds, 3)}


def _difference(before: View, after: View | None) -> list[Any] | None:
    """What is new, in order, and what is gone."""
    if after is None:
        return None
    new = [[name, value] for name, value in after.items() if name not in before or before[name] != value]
    return [new, [name for name in before if name not in after]]


def _known(name: str, told: Any) -> Known:
    """Raises KeyError, TypeError, ValueError."""
    verdict, depth, reason, engine = Verdict(told["verdict"]), told["depth"], str(told["reason"]), str(told["engine"])
    trace = None if told["trace"] is None else _trace(name, told["trace"])
    if verdict not in _KINDS or (verdict is Verdict.VIOLATED) != (trace is not None):
        raise ValueError(f"{verdict} with a trace or without one")
    least = tuple((str(parameter), int(size)) for parameter, size in told["least"])
    return Known(engine, Finding(name, verdict, depth, reason, trace, least=least), float(told["seconds"]))


def _trace(name: str, told: Any) -> Trace:
    return Trace(name, tuple(_moves(told["moves"])), told["loop_to"], frozenset(map(str, told["omitted"])))


def _moves(told: Any) -> Iterator[Move]:
    view: dict[str, ViewValue] = {}
    for thread, difference in told:
        if difference is None:
            yield Move(thread, None)
            continue
        new, gone = difference
        view = {name: value for name, value in view.items() if name not in gone}
        view |= {name: tuple(value) if isinstance(value, list) else value for name, value in new}
        yield Move(thread, view)


def _outline(told: Any) -> Outline | None:
    return None if told is None else Outline(tuple(map(str, told[0])), tuple(map(str, told[1])))
