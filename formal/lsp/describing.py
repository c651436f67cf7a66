"""What stands under the cursor, in words: the declaration of a name, the meaning of a keyword.

In: a project, a place. Out: Markdown and the part of the text that it is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from formal.frontend.occurrences import Occurrence
from formal.lsp.meanings import meaning
from formal.lsp.project import Parsed, Project
from formal.lsp.symbols import Found, find
from formal.syntax import Node

_LEXEME = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"?|[A-Za-z_]\w*(?:\.(?:global|partial|lock_order))?', re.DOTALL)
_SHOWN = 3  # declarations of one name, in different models
KINDS = {
    "bh": "bottom half",
    "callback": "callback",
    "cond": "condition variable",
    "const": "constant",
    "context": "context",
    "enum": "enum",
    "event": "event",
    "hook": "hook",
    "mutex": "mutex",
    "param": "parameter of the model",
    "proc": "procedure",
    "rwlock": "rwlock",
    "sem": "semaphore",
    "thread": "thread",
    "thread_local": "thread-local variable",
    "variable": "variable",
    "family": "index of this one in its family",
    "value_parameter": "parameter, by value",
    "ref_parameter": "parameter, the thing itself",
    "local": "local variable",
    "for_": "loop variable",
    "quantifier": "bound variable",
    "number": "bound variable",
    "labelled": "label",
    "assert_": "assertion",
    "invariant": "invariant",
    "eventually": "liveness property",
    "leads_to": "liveness property",
}


@dataclass(frozen=True, slots=True)
class Described:
    """`text` is Markdown; [start, end) is what it is about."""

    text: str
    start: int
    end: int


def word_at(text: str, offset: int) -> tuple[str, int, int] | None:
    """The word or string at a place, and where it is; None in comments and between words."""
    for lexeme in _LEXEME.finditer(text):
        if lexeme.start() > offset:
            return None
        if offset <= lexeme.end() and not lexeme.group().startswith(("//", "/*")):
            return lexeme.group(), lexeme.start(), lexeme.end()
        if offset < lexeme.end():
            return None
    return None


def describe(project: Project, path: Path, offset: int) -> Described | None:
    """What is at a place; None where there is nothing to say."""
    parsed = project.parsed(path)
    if parsed is None:
        return None
    found = find(project, path, offset)
    if found is not None and found.declarations():
        one = parsed.at(offset)
        assert one is not None
        return Described(declared_text(project, found, path), one.span.start, one.span.end)
    word = word_at(parsed.source.text, offset)
    if word is None:
        return None
    text = _import_text(project, parsed, offset) or meaning(word[0]) or meaning(word[0].partition(".")[0])
    return Described(text, word[1], word[2]) if text else None


def _import_text(project: Project, parsed: Parsed, offset: int) -> str | None:
    for node, target in parsed.imports():
        if node.items[0].span.start <= offset <= node.items[0].span.end and target is not None:
            file = project.parsed(target)
            return f"`{target}`\n\n{_comment_at_head(file.source.text)}" if file is not None else None
    return None


def _comment_at_head(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").removeprefix(" "))
    return "\n".join(lines)


def declared_text(project: Project, found: Found, path: Path) -> str:
    """Every declaration of a name: kind, place, the line, its comment, the C function that it stands for."""
    declarations = found.declarations()
    texts = [_one(project, file, one, path) for file, one in declarations[:_SHOWN]]
    if len(declarations) > _SHOWN:
        texts.append(f"… and {len(declarations) - _SHOWN} more, each in another model")
    return "\n\n---\n\n".join(texts)


def _one(project: Project, file: Path, one: Occurrence, asked: Path) -> str:
    parsed = project.parsed(file)
    assert parsed is not None
    assert one.declared is not None
    text = parsed.source.text
    where = "" if file == asked else f" in `{file.name}:{one.span.line}`"
    parts = [f"```formal\n{head_of(text, one)}\n```", f"{kind_of(one)}{where}"]
    anchor = next((node for node in one.declared.nodes("anchor")), None)
    if anchor is not None:
        parts[-1] += f", stands for `{str(anchor.items[0])[1:-1]}`"
    comment = comment_of(text, one.declared.span.start, one.span.end)
    return "\n\n".join([*parts, comment] if comment else parts)


def kind_of(one: Occurrence) -> str:
    """What is declared, in words."""
    node = one.declared
    assert node is not None
    if node.kind == "enum" and str(node.leaves()[0]) != str(one.symbol.name):
        return f"member of `{node.leaves()[0]}`"
    kind = KINDS[node.kind]
    return f"{'oneshot ' * node.has('ONESHOT')}{'recursive ' * node.has('RECURSIVE')}{kind}"


def head_of(text: str, one: Occurrence) -> str:
    """A declaration up to its body, on one line."""
    node = one.declared
    assert node is not None
    end = next((inner.span.start for inner in _bodies(node)), node.span.end)
    head = " ".join(re.sub(r"//[^\n]*", "", text[node.span.start : end]).split())
    if node.kind in ("quantifier", "number"):
        head = head.partition(":")[0]
    return head if len(head) <= 160 else head[:157] + "…"


def _bodies(node: Node) -> list[Node]:
    if node.kind == "labelled":
        return [block for inner in node.nodes() for block in inner.nodes("block")]
    return list(node.nodes("block"))


def comment_of(text: str, start: int, name_end: int) -> str:
    """The comment lines directly above a declaration, and the comment behind it on its line."""
    first = text.rfind("\n", 0, start) + 1
    above: list[str] = []
    for line in reversed(text[:first].split("\n")[:-1]):
        if not line.strip().startswith("//"):
            break
        above.append(line.strip().removeprefix("//").removeprefix(" "))
    end = text.find("\n", name_end)
    rest = re.sub(r'"(?:\\.|[^"\\\n])*"', "", text[name_end : end if end >= 0 else len(text)])
    behind = rest.partition("//")[2].strip()
    return "\n".join([*reversed(above), *([behind] if behind else [])])
