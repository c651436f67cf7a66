"""How statements are shown: as they were written, on one line.

In: surface nodes and typed blocks. Out: text for witnesses and messages.
"""

from __future__ import annotations

import re

from formal import program as p
from formal.frontend.walking import walk
from formal.syntax import Node, Tree

_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)  # or a string, which is kept
ATOMIC_WIDTH = 60  # columns of an atomic's rendering in witnesses


def unquote(leaf: Tree) -> str:
    """A string literal's text."""
    return re.sub(r"\\(.)", r"\1", str(leaf)[1:-1])


def head(node: Node) -> str:
    """The statement as written, up to its anchor or block, on one line."""
    stop = node.span.end
    for item in node.nodes():
        if item.kind in ("block", "anchor"):
            stop = min(stop, item.span.start)
    text = node.span.source.text[node.span.start : stop]
    text = _COMMENT.sub(lambda found: found.group(1) or " ", text)
    return " ".join(text.split()).rstrip("@ ").rstrip(";").rstrip()


def atomic_text(body: p.Block) -> str:
    """`atomic { lock BQL; flag = true; }`: what it does on one line, assertions left out, cut where it gets long."""
    shown = "atomic {"
    for statement in walk(body):
        if isinstance(statement, p.Block | p.Assert):
            continue
        if len(shown) + len(statement.info.text) > ATOMIC_WIDTH:
            return f"{shown} …}}"
        shown += f" {statement.info.text};"
    return f"{shown} }}"
