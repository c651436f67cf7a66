"""From the text of a mapping file to a `Mapping`.

In: TOML, and a way to fetch the files that it includes. Out: the mapping, or diagnostics. Every key is read or refused: what is
misspelled in a mapping would otherwise make a log fit that does not. The keys are described in docs/conform.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from formal.codes import Code
from formal.conform.mapping import Fused, Ignored, Learned, Mapping, Name, Only, Pattern, Rule, Selector
from formal.conform.toml_places import place
from formal.diagnostics import Diagnostic, Source, Span

Fetch = Callable[[str], Source | Diagnostic]
NAMES: Final = {"thread": "thread", "in": "frame", "from": "caller", "takes": "takes", "gives": "gives", "changes": "changes"}
WORDS: Final = ("label", "statement", "phase")
TOP: Final = ("include", "with", "parameters", "start", "end", "objects", "only", "rule", "ignore", "fused")
DEPTH: Final = 8  # includes inside of includes


@dataclass
class _File:
    """What one file says, in the making, with what it includes."""

    source: Source
    diagnostics: list[Diagnostic]
    parts: dict[str, Any] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    other_lines: list[Pattern] = field(default_factory=list)
    fused: list[Fused] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    objects: dict[str, Learned] = field(default_factory=dict)
    only: dict[str, Only] = field(default_factory=dict)


def read(path: str, fetch: Fetch) -> Mapping | tuple[Diagnostic, ...]:
    """The mapping in a file, with what it includes; or everything that is wrong with it."""
    diagnostics: list[Diagnostic] = []
    file = _read(path, fetch, diagnostics, ())
    if diagnostics or file is None:
        return tuple(diagnostics)
    return Mapping(
        source=path,
        parameters=file.parameters,
        extra=tuple(dict.fromkeys(file.extra)),
        start=file.parts.get("from", "initial"),
        first=file.parts.get("first"),
        last=file.parts.get("last"),
        objects=file.objects,
        only=file.only,
        rules=tuple(file.rules),
        ignored=tuple(file.ignored),
        other_lines=tuple(file.other_lines),
        fused=tuple(file.fused),
    )


def _read(path: str, fetch: Fetch, diagnostics: list[Diagnostic], within: tuple[str, ...]) -> _File | None:
    source = fetch(path)
    if isinstance(source, Diagnostic):
        diagnostics.append(source)
        return None
    file = _File(source, diagnostics)
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        diagnostics.append(Diagnostic(Code.MAPPING_TEXT, str(error).partition(" (at ")[0], _syntax_place(source, str(error))))
        return None
    section = _Section(file, "", 0, document)
    section.known(TOP)
    for included in section.texts("include"):
        if len(within) == DEPTH or included in within:
            section.wrong("include", f"`{included}` includes itself, or too many others")
            continue
        _merge(file, _read(str(PurePath(path).parent / included), fetch, diagnostics, (*within, included)))
    file.extra += [str(PurePath(path).parent / name) for name in section.texts("with")]
    for name, value in section.table("parameters").items():
        file.parameters[name] = str(value).lower() if isinstance(value, bool) else str(value)
    _ends(file, section)
    _objects(file, section)
    for number, table in enumerate(section.tables("rule")):
        _rule(file, _Section(file, "rule", number, table))
    for number, table in enumerate(section.tables("ignore")):
        _ignore(file, _Section(file, "ignore", number, table))
    for number, table in enumerate(section.tables("fused")):
        _fuse(file, _Section(file, "fused", number, table))
    return file


def _merge(file: _File, other: _File | None) -> None:
    """What is included comes first; what includes it may say the single things anew."""
    if other is None:
        return
    file.rules += other.rules
    file.ignored += other.ignored
    file.other_lines += other.other_lines
    file.fused += other.fused
    file.extra += other.extra
    file.parts |= other.parts
    file.parameters |= other.parameters
    file.objects |= other.objects
    file.only |= other.only


def _syntax_place(source: Source, message: str) -> Span:
    found = re.search(r"at line (\d+), column (\d+)", message)
    if found is None:
        return Span(source, len(source.text), len(source.text))
    lines = source.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
    return Span(source, start, start + 1)


# ---------------------------------------------------------------- sections


@dataclass
class _Section:
    """One table of the file. `header` and `number`: where it stands (`[[rule]]`, the number-th)."""

    file: _File
    header: str
    number: int
    values: Table[str, Any]

    def span(self, key: str | None = None) -> Span:
        """The place of a key, or of the table."""
        return place(self.file.source, self.header, self.number, key)

    def wrong(self, key: str | None, message: str, hint: str | None = None, code: Code = Code.MAPPING_SHAPE) -> None:
        """One mistake."""
        self.file.diagnostics.append(Diagnostic(code, message, self.span(key), hint=hint))

    def known(self, keys: tuple[str, ...]) -> None:
        """Refuse all other keys."""
        for key in self.values:
            if key not in keys:
                self.wrong(key, f"nothing reads `{key}` here", f"known are {', '.join(keys)}")

    def text(self, key: str) -> str | None:
        """A text, or None."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        self.wrong(key, f"`{key}` is a text")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of them."""
        value = self.values.get(key, [])
        many = [value] if isinstance(value, str) else value
        if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
            self.wrong(key, f"`{key}` is a text, or a list of texts")
            return ()
        return tuple(many)

    def flag(self, key: str) -> bool:
        """True or false; false if it is not there."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"`{key}` is true or false")
        return bool(value)

    def table(self, key: str) -> Table[str, Any]:
        """A table, empty if it is not there."""
        value = self.values.get(key, {})
        if isinstance(value, dict):
            return value
        self.wrong(key, f"`{key}` is a table: [{key}]")
        return {}

    def tables(self, key: str) -> list[Table[str, Any]]:
        """A list of tables."""
        value = self.values.get(key, [])
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return value
        self.wrong(key, f"`{key}` is a list of tables: [[{key}]]")
        return []

    def expression(self, key: str, groups: int = 0) -> re.Pattern[str] | None:
        """A regular expression with at least so many groups."""
        text = self.text(key)
        if text is None:
            return None
        try:
            found = re.compile(text)
        except re.error as error:
            self.wrong(key, f"not a regular expression: {error}", "in single quotes TOML leaves backslashes alone: '\\d+'")
            return None
        if found.groups < groups:
            self.wrong(key, "the expression captures nothing", "put what names the object into brackets: 'mutex (\\w+)'")
        return found

    def event(self) -> str | None:
        """The event, which has to be there."""
        name = self.text("event")
        if name is None and "event" not in self.values:
            self.wrong(None, "`event` is missing")
        return name


def _ends(file: _File, top: _Section) -> None:
    """[start] and [end]."""
    start = _Section(file, "start", 0, top.table("start"))
    start.known(("from", "event", "match"))
    where = start.text("from")
    if where not in (None, "initial", "reachable"):
        start.wrong("from", '`from` is "initial" or "reachable"')
    if where is not None:
        file.parts["from"] = where
    end = _Section(file, "end", 0, top.table("end"))
    end.known(("event", "match"))
    for name, section in (("first", start), ("last", end)):
        if "event" in section.values:
            file.parts[name] = Pattern(section.event(), section.expression("match"))
        elif "match" in section.values:
            section.wrong("match", "`match` without `event`")


def _objects(file: _File, top: _Section) -> None:
    """[objects.NAME] and [only.EVENT]."""
    for name, value in top.table("objects").items():
        section = _Section(file, f"objects.{name}", 0, value if isinstance(value, dict) else {})
        section.known(("event", "match"))
        match = section.expression("match", 1)
        if match is None:
            section.wrong(None, f"`{name}`: `match` says how the log names it")
        else:
            file.objects[name] = Learned(Pattern(section.event(), match), section.span())
    for event, value in top.table("only").items():
        section = _Section(file, f"only.{event}", 0, value if isinstance(value, dict) else {})
        section.known(("object", "other_than", "match"))
        named, other, match = section.text("object"), section.text("other_than"), section.expression("match", 1)
        if (named is None) == (other is None) or match is None:
            section.wrong(None, f"`{event}`: `object` or `other_than`, and `match`, say which lines to look at")
        elif (name := named or other or "") not in file.objects:
            section.wrong("object", f"no [objects.{name}] says how the log names it", code=Code.MAPPING_NAME)
        else:
            file.only[event] = Only(name, match, named is None)


def _rule(file: _File, section: _Section) -> None:
    section.known(("event", "match", "step", "stands", "optional"))
    event, match, optional = section.event(), section.expression("match"), section.flag("optional")
    kinds = [kind for kind in ("step", "stands") if kind in section.values]
    if len(kinds) != 1:
        section.wrong(None, "a rule has either `step` or `stands`", "a line is a step, or says where its thread stands; or [[ignore]] it")
        return
    selector = _selector(section, kinds[0])
    if kinds[0] == "stands" and (selector.effects or optional):
        section.wrong("stands", "nothing happens where a thread only stands: no takes, gives, changes or optional")
    groups = () if match is None else tuple(match.groupindex)
    for hole in (hole for name in selector.names for hole in name.holes if hole not in groups):
        section.wrong(kinds[0], f"`{{{hole}}}` is not captured", f"`match` names it: (?P<{hole}>…)", Code.MAPPING_NAME)
    file.rules.append(Rule(Pattern(event, match), selector, kinds[0] == "step", optional, section.span()))


def _selector(section: _Section, key: str) -> Selector:
    table = _Section(section.file, section.header, section.number, section.table(key))
    table.known((*NAMES, "inside", *WORDS))
    if not table.values:
        section.wrong(key, f"`{key}` says nothing")
    names = {place: None if (text := table.text(word)) is None else Name(text) for word, place in NAMES.items()}
    words = {word: table.text(word) for word in WORDS}
    return Selector(**names, **words, inside=tuple(Name(text) for text in table.texts("inside")))  # type: ignore[arg-type]


def _ignore(file: _File, section: _Section) -> None:
    section.known(("event", "match", "line", "why"))
    why = section.text("why")
    if not why:
        section.wrong(None, "`why` is missing: a line that is known and left out has a reason")
    line = section.expression("line")
    if line is not None:
        file.other_lines.append(Pattern(None, line))
        return
    file.ignored.append(Ignored(Pattern(section.event(), section.expression("match")), why or ""))


def _fuse(file: _File, section: _Section) -> None:
    section.known(("step", "through", "why"))
    through, why = section.text("through"), section.text("why")
    if not through or not why or "step" not in section.values:
        section.wrong(None, "`step`, `through` and `why` are all needed")
        return
    file.fused.append(Fused(_selector(section, "step"), Name(through), why, section.span()))
