"""What could stand at a place: keywords that the grammar accepts there, and names of the kind that is wanted.

In: a project, a place in a text that need not be finished. Out: proposals. The grammar decides about keywords: the parser is asked what it
would accept next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formal.frontend.occurrences import Occurrence
from formal.lsp.describing import head_of, kind_of
from formal.lsp.meanings import functions, summary
from formal.lsp.project import Parsed, Project
from formal.lsp.wanted import VALUES, Wanted, wanted
from formal.parser.reading import acceptable, pieces, spellings
from formal.program import DEADLOCKS
from formal.resources import shipped_models
from formal.syntax import Node

_CHECKS = ("relock", "not_owner", "range", "wrong_context", "nesting", "spawn", "atomic")
_BINDERS = ("for_", "quantifier", "number")
_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*\n|/\*.*?\*/', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`text` replaces what stands from `start` to the cursor. `kind`: "keyword", "function", "file", "property", or what is declared."""

    text: str
    kind: str
    detail: str
    start: int


def complete(project: Project, path: Path, offset: int) -> list[Proposal]:
    """Everything that could stand at a place; filtering by what is typed already is the editor's part."""
    parsed = project.parsed(path)
    if parsed is None:
        return []
    text = parsed.source.text
    inside = _unfinished(text[:offset])
    if inside is not None:
        return _paths(project, path, text, offset, inside)
    start = offset - len(re.search(r"[A-Za-z_0-9]*\Z", text[:offset]).group())  # type: ignore[union-attr]
    asked = wanted(_statement(text[:start]))
    if asked.properties:
        dotted = re.search(r"[\w.]*\Z", text[:offset])
        return [Proposal(name, "property", "", dotted.start() if dotted else start) for name in _properties(project, parsed)]
    accepted = _accepted(text[:start])
    senseless = VALUES - (VALUES if asked.keywords is None else asked.keywords)
    found = [Proposal(word, "keyword", summary(word) or "", start) for word in _keywords(accepted) if word not in senseless]
    if "NAME" in accepted and not asked.new:
        found += _names(project, parsed, offset, start, asked)
    return found


def _unfinished(before: str) -> int | None:
    """Where the string or comment that a text ends in begins; None if it ends in neither."""
    rest = _COMMENT.sub(lambda found: " " * len(found.group()), before)
    begins = [at for at in (rest.rfind('"'), rest.rfind("//", rest.rfind("\n") + 1), rest.rfind("/*")) if at >= 0]
    return min(begins, default=None)


def _statement(before: str) -> str:
    """The statement or declaration that a text ends in, without comments and the words of strings."""
    plain = _COMMENT.sub(lambda found: '""' if found.group().startswith('"') else " ", before)
    begin = max(plain.rfind(mark) for mark in ";{}") + 1
    return ("\0" if _depth(plain) else "") + plain[begin:]


def _depth(plain: str) -> int:
    last = pieces(plain)
    inside = plain[last[-1][0] :] if last else ""
    return max(0, inside.count("{") - inside.count("}"))


def _accepted(before: str) -> frozenset[str]:
    """The terminals that may come next. Where what comes before is mistaken, only the statement itself is looked at."""
    found = pieces(before)
    begin, end = found[-1] if found else (0, 0)
    complete = before[:end].rstrip()[-1:] in (";", "}") and not _depth(before)
    accepted = acceptable("" if complete else before[begin:])
    if accepted:
        return accepted
    statement = _statement(before)
    return acceptable("thread t " + "{ " * max(1, _depth(before)) + statement[1:] if statement.startswith("\0") else statement)


def _keywords(accepted: frozenset[str]) -> list[str]:
    return sorted(word for terminal in accepted for word in spellings().get(terminal, ()))


# ------------------------------------------------------------ names


def _names(project: Project, parsed: Parsed, offset: int, start: int, asked: Wanted) -> Iterator[Proposal]:
    for one in (*_locals(parsed, offset), *_globals(project, parsed)):
        if _fits(one, asked):
            yield Proposal(one.symbol.name, kind_of(one), head_of(_text_of(one), one), start)
    for name in functions():
        if asked.expression:
            yield Proposal(name, "function", summary(name) or "", start)


def _text_of(one: Occurrence) -> str:
    return one.span.source.text


def _fits(one: Occurrence, asked: Wanted) -> bool:
    node = one.declared
    if node is None:
        return False
    if one.symbol.kind == "label":
        return "labelled" in asked.kinds and asked.body in ("", one.symbol.owner)
    if asked.member and one.symbol.kind == "local":
        return False
    return bool(_kinds(one, node) & asked.kinds)


def _kinds(one: Occurrence, node: Node) -> set[str]:
    """What a name can stand for. A `ref` parameter is what it refers to."""
    if node.kind == "enum":
        return {"enum" if str(node.leaves()[0]) == one.symbol.name else "member"}
    if node.kind == "ref_parameter":
        kind = node.nodes()[0]
        return {"variable"} if kind.nodes() else {str(kind.items[0])}
    if one.symbol.kind == "local":
        return {"local", "binder"} if node.kind in _BINDERS else {"local"}
    return {node.kind}


def _locals(parsed: Parsed, offset: int) -> list[Occurrence]:
    """Those that are visible at a place: declared before it, in a block that holds it."""
    body = next((item for item in reversed(parsed.items) if item.span.start <= offset), None)
    if body is None:
        return []
    blocks = [node.span for node in body.walk() if node.kind == "block"]
    found = []
    for one in parsed.occurrences:
        node = one.declared
        if node is None or one.symbol.kind != "local" or not body.span.start <= one.span.start < offset:
            continue
        own = node.kind in _BINDERS
        around = (
            node.span if own else min((b for b in blocks if b.start < one.span.start < b.end), key=lambda b: b.end - b.start, default=None)
        )
        if around is None or around.start <= offset <= around.end:
            found.append(one)
    return found


def _globals(project: Project, parsed: Parsed) -> Iterator[Occurrence]:
    """What is declared in the file, what it imports, and one model that it is a part of."""
    files = dict.fromkeys(project.closure(parsed.path))
    for model in project.models_with(parsed.path)[:1]:
        files.update(dict.fromkeys(project.closure(model)))
    for file in files:
        other = project.parsed(file)
        for one in other.occurrences if other is not None else ():
            if one.declared is not None and one.symbol.kind in ("global", "label"):
                yield one


def _properties(project: Project, parsed: Parsed) -> list[str]:
    found = {*_CHECKS, *DEADLOCKS}
    for file in project.closure(parsed.path):
        other = project.parsed(file)
        for one in other.occurrences if other is not None else ():
            if one.declared is None:
                continue
            if one.symbol.kind == "property":
                found.add(one.symbol.name)
            for kind in ("requires", "ensures"):
                if one.declared.kind in ("proc", "callback") and one.declared.node(kind) is not None:
                    found.add(f"{kind}.{one.declared.leaves()[0]}")
    return sorted(found)


# ------------------------------------------------------------ imports


def _paths(project: Project, path: Path, text: str, offset: int, begin: int) -> list[Proposal]:
    if text[begin] != '"' or not re.search(r"\bimport\s*\Z", text[:begin]) or "\n" in text[begin:offset]:
        return []
    shipped = shipped_models().resolve()
    found = {_relative(file, path.parent) for file in project.files() if file != path}
    found |= {_relative(file, shipped) for file in sorted(shipped.rglob("*.dsl"))}
    return [Proposal(name, "file", "", begin + 1) for name in sorted(filter(None, found))]


def _relative(file: Path, folder: Path) -> str | None:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else None
