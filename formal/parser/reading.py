"""Text to surface tree. The only importer of lark.

In: a `Source`. Out: the declarations that could be read, a diagnostic for each that could not, and the words of those: after a syntax
error, reading goes on at the next declaration. It must not know what any name means.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import lark

from formal import limits
from formal.codes import Code
from formal.diagnostics import Diagnostic, InternalError, Source, Span
from formal.resources import grammar_text, private_folder
from formal.syntax import Leaf, Node, Tree

_TOKEN = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|[{}\[\]();]|\n|[^\S\n]+|.', re.DOTALL)
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # control characters, and those that turn a line round
_WORD_LIST = re.compile(r"\(?(?P<words>[a-z_]+(?:\|[a-z_]+)*)(?:\)\\b)?\Z")
_HEADS = re.compile(
    r"(protocol|import|const|param|enum|thread_local|mutex|recursive|rwlock|sem|event|cond|context|bh|oneshot|thread|hook|callback|proc|"
    r"deadlock|invariant|liveness|strong|nesting|disable|expect)\Z"
)
_WORDS = {
    "NAME": "a name",
    "INT": "a number",
    "STRING": "a string in double quotes",
    "$END": "the end of the file",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "SEMICOLON": "`;`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "DOT": "`.`",
    "AT": '`@ "file:function"`',
    "__ANON_0": "`..`",
}
_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "CMP", "IMPLIES", "QMARK", "AND", "OR", "__ANON_1", "__ANON_2"})
_EXPRESSION = frozenset({"TRUE", "FALSE", "NONE", "SELF", "BANG", "QUANT", "NUMBER"})
_STATEMENTS = frozenset({"SKIP", "AWAIT", "LOCK", "UNLOCK", "LOOP", "IF", "WHILE", "ATOMIC", "RETURN"})
_DECLARATIONS = frozenset({"PROTOCOL", "CONST", "PARAM", "PROC", "EXPECT", "INVARIANT"})


class _Deep(Exception):
    """The tree got deeper than the limit."""

    def __init__(self, position: int) -> None:
        self.position = position


class _Tree(lark.Tree[Any]):
    """A lark tree that knows how deep it is, so that depth is refused while it is built and nothing recurses into it."""

    def __init__(self, data: str, children: list[Any], meta: Any = None) -> None:
        super().__init__(data, children, meta)
        self.depth: int = 0
        if data.startswith("__"):
            return  # a list that grows by one with each such tree, and ends up in the tree that holds it
        self.depth = 1 + max((child.depth for child in children if isinstance(child, _Tree)), default=0)
        if self.depth > limits.NESTING:
            raise _Deep(_position(self))


def _position(tree: Any) -> int:
    """Offset of the first token below, found without recursion. Where a tree below begins lark knows; where this one does, not yet."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, lark.Token):
            return int(node.start_pos or 0)
        if not node.meta.empty:
            return int(node.meta.start_pos)
        todo.extend(reversed(node.children))
    return 0


def _table_cache() -> str | bool:
    """A private file for the parse tables, which take longer to compute than to load; False where there is no safe place for one."""
    folder = private_folder()
    mark = hashlib.sha256(grammar_text().encode()).hexdigest()[:12]
    return False if folder is None else str(folder / f"grammar-{lark.__version__}-{mark}.tables")


@cache
def _parser() -> lark.Lark:
    options: dict[str, Any] = {
        "parser": "lalr",
        "lexer": "basic",
        "propagate_positions": True,
        "maybe_placeholders": False,
        "tree_class": _Tree,
    }
    try:
        return lark.Lark(grammar_text(), cache=_table_cache(), **options)
    except OSError:
        return lark.Lark(grammar_text(), **options)


def parse(source: Source) -> tuple[tuple[Node, ...], tuple[Diagnostic, ...], frozenset[str]]:
    """The declarations of a file, what is wrong with its text, and the words of what could not be read."""
    problem = _unseen(source) or _unfinished_comment(source) or _brackets_too_deep(source)
    if problem is not None:
        return (), (problem,), _words(source.text)
    try:
        return _read(source, source.text, 0), (), frozenset()
    except (lark.exceptions.UnexpectedInput, _Deep):
        pass
    items: list[Node] = []
    diagnostics: list[Diagnostic] = []
    unread: set[str] = set()
    for start, end in _declarations(source.text):
        try:
            items += _read(source, source.text[start:end], start)
        except (lark.exceptions.UnexpectedInput, _Deep) as error:
            diagnostics.append(_explained(source, error, start, end))
            unread |= _words(source.text[start:end])
    return tuple(items), tuple(diagnostics), frozenset(unread)


def tokens(source: Source) -> tuple[Leaf, ...]:
    """Every token of a text that can be parsed, punctuation and keywords included; what lies between two of them is blanks and comments.
    Raises InternalError where the text holds what is no token."""
    try:
        found = list(_parser().lex(source.text))
    except lark.exceptions.UnexpectedInput as error:
        raise InternalError(f"the text cannot be cut into tokens: {error!r}") from error
    return tuple(Leaf(token.type, str(token), Span(source, int(token.start_pos or 0), int(token.end_pos or 0))) for token in found)


@cache
def spellings() -> Mapping[str, tuple[str, ...]]:
    """The words of each terminal that is made of words, such as LOCK: ("lock",): together, the keywords of the language."""
    found: dict[str, tuple[str, ...]] = {}
    for terminal in _parser().terminals:
        written = _WORD_LIST.match(terminal.pattern.value)
        if written is not None:
            found[terminal.name] = tuple(written.group("words").split("|"))
    return MappingProxyType(found)


def keywords() -> frozenset[str]:
    """Every word that cannot be a name."""
    return frozenset(word for words in spellings().values() for word in words)


def acceptable(text: str) -> frozenset[str]:
    """Names of the terminals that may follow the beginning of a text; none where that beginning is mistaken already."""
    try:
        reading = _parser().parse_interactive(text)
        reading.exhaust_lexer()
        return frozenset(reading.accepts())  # type: ignore[no-untyped-call]
    except (lark.exceptions.UnexpectedInput, _Deep):
        return frozenset()


def pieces(text: str) -> list[tuple[int, int]]:
    """Where each declaration begins and ends, as far as that can be told of a text that may have mistakes."""
    return _declarations(text)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z_]\w*", text))


def _explained(source: Source, error: Exception, start: int, end: int) -> Diagnostic:
    match error:
        case lark.exceptions.UnexpectedCharacters():
            return _character(source, start + (error.pos_in_stream or 0))
        case lark.exceptions.UnexpectedToken():
            return _token(source, error, start, end)
        case _Deep():
            span = Span(source, start + error.position, start + error.position + 1)
            return Diagnostic(Code.DEPTH, f"nested more than {limits.NESTING} deep", span)
        case _:
            raise InternalError(f"the parser says {error!r}")


def _read(source: Source, text: str, offset: int) -> tuple[Node, ...]:
    tree = _parser().parse(text)
    node = _node(tree, source, offset)
    assert isinstance(node, Node)
    return node.nodes()


def _node(tree: Any, source: Source, offset: int) -> Tree:
    if isinstance(tree, lark.Token):
        start = offset + int(tree.start_pos or 0)
        return Leaf(tree.type, str(tree), Span(source, start, start + len(tree)))
    items = tuple(_node(child, source, offset) for child in tree.children)
    if tree.meta.empty:
        return Node(str(tree.data), items, Span(source, offset, offset))
    return Node(str(tree.data), items, Span(source, offset + tree.meta.start_pos, offset + tree.meta.end_pos))


def _unseen(source: Source) -> Diagnostic | None:
    """A character that a terminal obeys instead of showing it: in a string or comment, too, since answers quote them."""
    found = _UNSEEN.search(source.text)
    if found is None:
        return None
    return Diagnostic(Code.CHARACTER, f"U+{ord(found.group()):04X} is no character of a text", Span(source, found.start(), found.end()))


def _unfinished_comment(source: Source) -> Diagnostic | None:
    last = source.text.rfind("/*")
    if last < 0 or source.text.find("*/", last + 2) >= 0:
        return None  # what may follow ends
    for token in _TOKEN.finditer(source.text):
        if token.group().startswith("/*") and not (len(token.group()) > 3 and token.group().endswith("*/")):
            return Diagnostic(Code.CHARACTER, "a comment does not end", Span(source, token.start(), token.start() + 2))
    return None


def _brackets_too_deep(source: Source) -> Diagnostic | None:
    depth = 0
    for token in _TOKEN.finditer(source.text):
        first = token.group()[0]
        if first in "([{" and len(token.group()) == 1:
            depth += 1
            if depth > limits.NESTING:
                return Diagnostic(
                    Code.DEPTH, f"brackets and blocks nest more than {limits.NESTING} deep", Span(source, token.start(), token.end())
                )
        elif first in ")]}" and len(token.group()) == 1:
            depth -= 1
    return None


def _declarations(text: str) -> list[tuple[int, int]]:
    """Pieces of the text that each should be one declaration: up to a `;` or a closing brace outside of all braces. A line that starts, at
    its very beginning, with the first word of a declaration starts a piece even where a brace was forgotten."""
    pieces: list[tuple[int, int]] = []
    start = depth = 0
    blank = True
    line_start = True
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word.isspace() or word.startswith(("//", "/*")):
            line_start = word == "\n" or (line_start and word.startswith("\n"))
            continue
        if line_start and _HEADS.match(word) and not blank and depth > 0:
            pieces.append((start, token.start()))
            start, depth = token.start(), 0
        blank_before, blank = blank, False
        line_start = False
        depth += (word == "{") - (word == "}" and depth > 0)
        if depth == 0 and word in (";", "}"):
            if word == ";" and blank_before and pieces:
                pieces[-1] = (pieces[-1][0], token.end())  # the optional `;` behind an enum; a mistake behind anything else
                start, blank = token.end(), True
                continue
            pieces.append((start, token.end()))
            start, blank = token.end(), True
    if not blank:
        pieces.append((start, len(text)))
    return pieces


def _character(source: Source, position: int) -> Diagnostic:
    shown = source.text[position]
    if shown == '"':
        end = source.text.find("\n", position)
        return Diagnostic(Code.CHARACTER, "a string does not end on its line", Span(source, position, len(source.text) if end < 0 else end))
    name = shown if shown.isprintable() else f"U+{ord(shown):04X}"
    return Diagnostic(Code.CHARACTER, f"`{name}` means nothing here", Span(source, position, position + 1))


def _token(source: Source, error: lark.exceptions.UnexpectedToken, start: int, end: int) -> Diagnostic:
    """What was found, and what could have stood there, in the user's words."""
    expected = _expected(set(error.accepts or error.expected))
    if error.token.type == "$END":
        at = len(source.text[:end].rstrip())
        missing = "the text ends" if end >= len(source.text.rstrip()) else "the declaration ends"
        return Diagnostic(Code.SYNTAX, f"{missing} here; expected {expected}", Span(source, at, at + 1))
    begin = start + int(error.token.start_pos or 0)
    found = f"`{error.token}`" if len(error.token) < 40 else "this"
    hint = None
    if error.token.type not in _WORDS and str(error.token).isidentifier() and "NAME" in (error.accepts or error.expected):
        hint = f"`{error.token}` is a keyword and cannot be a name"
    return Diagnostic(Code.SYNTAX, f"unexpected {found}; expected {expected}", Span(source, begin, begin + len(error.token)), hint=hint)


def _expected(terminals: set[str]) -> str:
    words: list[str] = []
    if terminals >= _DECLARATIONS:
        words.append("a declaration")
        terminals -= {t for t in terminals if t.isupper() and t not in _WORDS} | {"NAME", "INT", "LPAR"}
    if terminals >= _STATEMENTS:
        words.append("a statement")
        terminals = terminals & {"RBRACE"}
    if terminals >= _EXPRESSION:
        words.append("an expression")
        terminals -= _EXPRESSION | {"NAME", "INT", "LPAR", "MINUS", "RESULT"}
    words += sorted(_WORDS[t] for t in terminals if t in _WORDS and t != "AT")
    rest = sorted(t for t in terminals if t not in _WORDS and t not in _OPERATORS)
    words += [f"`{t.lower()}`" for t in rest if t.isalpha()]
    if terminals & _OPERATORS:
        words.append("an operator")
    if not words:
        return "something else"
    shown = words[:6]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " or " + shown[-1]
