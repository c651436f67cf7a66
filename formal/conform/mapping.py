"""What a mapping says: which lines of a log are which steps of a model.

In: nothing (data). Out: `Mapping`. Must not know TOML, nor how logs are followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from formal.diagnostics import Span

_HOLE: Final = re.compile(r"\{(\w+)\}")
Groups = tuple[tuple[str, str], ...]  # what a rule's expression has captured, by name
Start = Literal["initial", "reachable"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name with holes: `work[{channel}].count`. A family's name without an index stands for each of its members."""

    text: str

    def fits(self, name: str, groups: Groups | None) -> bool:
        """Whether it stands for that name, its holes filled with what was captured; with None, with anything."""
        if "{" not in self.text:
            return self.text in (name, name.partition("[")[0])
        if groups is None:
            parts = _HOLE.split(self.text)  # every second part is the name of a hole
            return re.fullmatch(".+".join(re.escape(part) for part in parts[::2]), name) is not None
        return self.filled(groups) == name

    def filled(self, groups: Groups) -> str:
        """The name for one line of a log."""
        values = dict(groups)
        return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), self.text)

    @property
    def holes(self) -> tuple[str, ...]:
        """Names of the groups that it needs."""
        return tuple(_HOLE.findall(self.text))


@dataclass(frozen=True, slots=True)
class Selector:
    """Which steps, or places to stand: all that is given has to hold. `thread`: who; `frame`: the innermost body; `caller`: the one that
    has called it; `inside`: bodies somewhere on the stack; `label`, `statement`, `phase`: of the statement; `takes`, `gives`: locks that
    the step takes or gives back; `changes`: what else of the state it changes, by the names that witnesses use."""

    thread: Name | None = None
    frame: Name | None = None
    caller: Name | None = None
    inside: tuple[Name, ...] = ()
    label: str | None = None
    statement: str | None = None
    phase: str | None = None
    takes: Name | None = None
    gives: Name | None = None
    changes: Name | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        """All names in it."""
        return tuple(name for name in (self.thread, self.frame, self.caller, *self.inside, self.takes, self.gives, self.changes) if name)

    @property
    def effects(self) -> bool:
        """Whether the state after the step has a say."""
        return self.takes is not None or self.gives is not None or self.changes is not None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines of one event (None: of any) whose arguments match."""

    event: str | None
    match: re.Pattern[str] | None

    def fits(self, event: str, arguments: str) -> bool:
        """Whether it is such a line."""
        return self.event in (None, event) and (self.match is None or self.match.search(arguments) is not None)


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that matches is such a step, or (`moves` is false) says where its thread stands. `optional`: the step may go unlogged, too."""

    pattern: Pattern
    selector: Selector
    moves: bool
    optional: bool
    span: Span

    @property
    def shown(self) -> str:
        """The line that it stands for, for messages."""
        return f"{self.pattern.event}" + ("" if self.pattern.match is None else f" {readable(self.pattern.match)}")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Lines that are known, and are no step of the model."""

    pattern: Pattern
    why: str


@dataclass(frozen=True, slots=True)
class Fused:
    """A thread that makes such a step may go on alone until it has left the body `through`, and log nothing of it."""

    selector: Selector
    through: Name
    why: str
    span: Span


@dataclass(frozen=True, slots=True)
class Learned:
    """An object's name in the log is what the first group of the expression captures in the first such line."""

    pattern: Pattern
    span: Span


@dataclass(frozen=True, slots=True)
class Only:
    """Lines of an event are looked at if the expression's first group is this object, or (`other`) if it is not."""

    object: str
    match: re.Pattern[str]
    other: bool


@dataclass(frozen=True)
class Mapping:
    """All that a mapping file, and what it includes, says."""

    source: str
    parameters: Table[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    start: Start = "initial"
    first: Pattern | None = None
    last: Pattern | None = None
    objects: Table[str, Learned] = field(default_factory=dict)
    only: Table[str, Only] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    other_lines: tuple[Pattern, ...] = ()
    fused: tuple[Fused, ...] = ()

    @cached_property
    def by_event(self) -> Table[str, tuple[int, ...]]:
        """The rules of each event, by number."""
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            found.setdefault(str(rule.pattern.event), []).append(number)
        return {event: tuple(numbers) for event, numbers in found.items()}


def readable(expression: re.Pattern[str]) -> str:
    """A regular expression without what makes it one, for messages."""
    plain = re.sub(r"\(\?P<(\w+)>(?:[^()]*)\)", r"{\1}", expression.pattern).replace("^", "").replace("$", "")
    plain = re.sub(r"\\([^\w])", r"\1", plain)
    return plain[:-1] if plain.count(")") > plain.count("(") else plain
