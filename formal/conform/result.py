"""What became of a log. In: nothing (data). Out: `Result` and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from formal.conform.log import Event
from formal.conform.sieve import Tally
from formal.verdict import SourceRef

Status: TypeAlias = Literal["accepted", "rejected", "undecided"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the model, and its place."""

    text: str
    source: SourceRef
    body: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A property that every execution which shows these events violates. `line`: of the log, the violation comes with it or behind it, and
    before the next mapped event; None: in the initial state. `explanation`: of one such execution; empty for a log too long for that."""

    prop: str
    line: int | None
    why: str
    explanation: str
    steps: int | None


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a thread that could be the event's may stand, in some execution that shows all events before. `here`: this is the place for the
    event's step. `wait`: what keeps the thread there, or makes its step another one; empty if it can go on."""

    thread: str
    statement: Statement
    stack: tuple[str, ...]
    here: bool
    wait: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """A step that the model allowed instead, and how the log would show it."""

    thread: str
    statement: Statement
    stack: tuple[str, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """The first event that no execution shows behind those before it. `known`: whether a rule says what such a line is; `previous`: the
    mapped event before it."""

    event: Event
    known: bool
    previous: int | None
    fitting: int
    threads: tuple[str, ...]
    stood: tuple[Stood, ...]
    allowed: tuple[Allowed, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Statements that some execution which shows the log executes, and those that none does. None at all for a log too long."""

    covered: tuple[Statement, ...]
    missed: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """`threads`: the log's thread ids and the model's threads that they may stand for. `largest`: states in the largest set; `sets`: how
    many different ones there were; `seconds`: of following, reading included."""

    model: str
    file: str
    log: str
    mapping: str
    status: Status
    lines: int
    comments: int
    other_lines: int
    tally: Tally
    seconds: float
    largest: int
    threads: Mapping[int, tuple[str, ...]]
    observed: tuple[Observed, ...] = ()
    rejection: Rejection | None = None
    coverage: Coverage | None = None
    why_undecided: str = ""
    parameters: Mapping[str, int | bool | str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
