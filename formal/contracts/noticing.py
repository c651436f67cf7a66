"""What a callback's text looks at: variables that it shares, and the thread-locals that its contract speaks of.

In: declarations as they were written. Out: names, and what values they can have. Nothing is typed: a name in a text may be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from formal.contracts.alone import Seen
from formal.contracts.clauses import Contract, text_of
from formal.syntax import Node

_WORD: Final = re.compile(r"[A-Za-z_]\w*")


def spoken_of(contract: Contract, items: Sequence[Node]) -> tuple[str, ...]:
    """The thread-locals, truth values all, that a contract speaks of, in the order of their declarations."""
    words = {word for text in _texts(contract) for word in _WORD.findall(text)}
    flags = [item for item in items if item.kind == "thread_local" and item.nodes()[0].kind == "bool_type"]
    return tuple(str(item.leaves()[0]) for item in flags if str(item.leaves()[0]) in words)


def _texts(contract: Contract) -> list[str]:
    """Every condition of a contract."""
    texts = [one.text for one in (*contract.requires, *contract.ensures)]
    return texts + [one.requires for one in contract.polls] + [one.requires for one in contract.calls]


def seen_by(mine: Sequence[Node], shared: Sequence[Node], contract: Contract) -> tuple[Seen, ...]:
    """The shared variables that a callback's files name, or what they call of what is shared, or the contract itself."""
    declared = {str(item.leaves()[0]): item for item in shared if item.leaves()}
    enums = {str(item.leaves()[0]): item for item in shared if item.kind == "enum"}
    families = frozenset(str(item.leaves()[0]) for item in shared if item.kind == "thread")
    whole = {call.proc for call in contract.calls}
    todo = [word for item in mine for word in _words(item)]
    todo += [word for text in _texts(contract) for word in _WORD.findall(text)]
    met: set[str] = set()
    while todo:
        name = todo.pop()
        if name in met:
            continue
        met.add(name)
        item = declared.get(name)
        if item is not None and item.kind in ("proc", "context") and name not in whole:
            todo += _words(item)
        if name == "current_context":  # any `when` may have a say
            todo += [word for item in shared if item.kind == "context" for word in _words(item)]
    return tuple(_seen(item, enums, families) for item in shared if item.kind == "variable" and str(item.leaves()[0]) in met)


def _words(item: Node) -> Iterator[str]:
    for node in item.walk():
        yield from (str(leaf) for leaf in node.leaves())


def _seen(item: Node, enums: dict[str, Node], families: frozenset[str]) -> Seen:
    name, type_ = str(item.leaves()[0]), item.nodes()[0]
    size = item.node("size")
    each = None
    if size is not None:
        text = text_of(size.items[0])
        each = text if text in families else f"0..({text}) - 1"
    if type_.kind == "bool_type":
        return Seen(name, ("true", "false"), None, each)
    if type_.kind == "range_type":
        return Seen(name, (), (text_of(type_.items[0]), text_of(type_.items[1])), each)
    members = enums[str(type_.items[0])].leaves()[1:] if str(type_.items[0]) in enums else ()
    return Seen(name, tuple(str(member) for member in members), None, each)
