"""Definitions in C and Python texts, and digests of them that comments and layout do not change.

In: a text, names. Out: for each name the definitions there are: several, where `#ifdef` chooses between them; macros count, too. A
definition is found by tree-sitter's C grammar, which knows no macros: it mostly reads on behind `coroutine_fn` and the like. Where it
does not, that is told.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_BLACK: Final = re.compile(rb"[^\r\n]")
DIGITS: Final = 24  # of a sha256, in hexadecimal
_TOKEN: Final = re.compile(rb'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|\S', re.DOTALL)
_COMMENT: Final = re.compile(rb'("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\')|/\*.*?\*/|//[^\n]*', re.DOTALL)
_JOINED: Final = re.compile(rb"\\\r?\n")
_MACRO: Final = re.compile(
    rb'^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\\\r?\n|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|[^\n])*', re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition. `line`: 1-based; `digest`: of its tokens, from its type to its closing brace; `doubtful`: its body was not read
    without errors, so that where it ends is a guess."""

    name: str
    line: int
    digest: str
    doubtful: bool


def definitions(path: str, text: bytes, names: Collection[str]) -> dict[str, list[Definition]]:
    """The definitions of these names in a file, in textual order. Raises ModuleNotFoundError without tree-sitter."""
    found: dict[str, list[Definition]] = {}
    for one in _python(text, names) if path.endswith(".py") else _c(text, names):
        found.setdefault(one.name, []).append(one)
    return {name: sorted(ones, key=lambda one: one.line) for name, ones in found.items()}


def may_define(text: bytes, name: str) -> bool:
    """Whether a text has a line that may begin a definition of that function or macro; cheap, and true too often."""
    word = re.escape(name.encode())
    start = rb"^(?:[A-Za-z_][^\n;={}()]*[\s*])?" + word + rb"\s*\(|^[ \t]*#[ \t]*define[ \t]+" + word + rb"\b"
    return re.search(start, text, re.MULTILINE) is not None


def mentions(text: bytes, name: str) -> int | None:
    """The first line on which the name stands at all."""
    found = re.search(rb"\b" + re.escape(name.encode()) + rb"\b", text)
    return None if found is None else text.count(b"\n", 0, found.start()) + 1


# ---------------------------------------------------------------- C


@cache
def _parser() -> Parser:
    import tree_sitter_c
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_c.language()))


def _c(text: bytes, names: Collection[str]) -> Iterator[Definition]:
    """Macros first: the grammar loses its way behind a comment in one, so they are taken out before it reads the rest."""
    for macro in _MACRO.finditer(text):
        name = macro[1].decode()
        if name in names:
            yield Definition(name, text.count(b"\n", 0, macro.start()) + 1, _digest(_tokens(macro[0])), doubtful=False)
    yield from _functions(text, _MACRO.sub(lambda found: _BLACK.sub(b" ", found[0]), text), names)


def _functions(text: bytes, readable: bytes, names: Collection[str]) -> Iterator[Definition]:
    """`readable`: the text with spaces for macros."""
    todo = [_parser().parse(readable).root_node]
    while todo:
        node = todo.pop()
        if node.type == "function_definition":
            name = _name(node)
            if name in names:
                body = node.child_by_field_name("body")
                tokens = _tokens(text[node.start_byte : node.end_byte])
                yield Definition(name, node.start_point[0] + 1, _digest(tokens), body is not None and body.has_error)
            if not node.has_error:
                continue
        todo += reversed(node.children)  # of a body with errors, too: it may have swallowed what follows


def _name(node: Node) -> str:
    """The name that is defined; "" if it cannot be told."""
    here = node.child_by_field_name("declarator")
    while here is not None and here.type != "identifier":
        inner = here.child_by_field_name("declarator")
        here = inner if inner is not None else next((child for child in here.named_children if child.type != "parameter_list"), None)
    return "" if here is None or here.text is None else here.text.decode(errors="replace")


def _tokens(part: bytes) -> Iterator[bytes]:
    """The tokens of a part of a text, whatever the parser made of it."""
    return iter(_TOKEN.findall(_COMMENT.sub(lambda found: found[1] or b" ", _JOINED.sub(b"", part))))


# ---------------------------------------------------------------- Python


def _python(text: bytes, names: Collection[str]) -> Iterator[Definition]:
    """Functions of a Python script: some of QEMU's C is written by scripts. A text that Python cannot read defines nothing."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    lines = text.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in names:
            part = b"".join(lines[node.lineno - 1 : node.end_lineno])
            yield Definition(node.name, node.lineno, _digest(_python_tokens(part)), doubtful=False)


def _python_tokens(part: bytes) -> Iterator[bytes]:
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING}
    source = io.StringIO(part.decode("utf-8", "replace")).readline
    try:
        for token in tokenize.generate_tokens(source):
            if token.type not in quiet:
                yield (tokenize.tok_name[token.type] if token.type in (tokenize.INDENT, tokenize.DEDENT) else token.string).encode()
    except (tokenize.TokenError, IndentationError):  # a method: the lines behind it would be missing
        yield part


def _digest(tokens: Iterator[bytes]) -> str:
    return hashlib.sha256(b"\0".join(tokens)).hexdigest()[:DIGITS]
