"""JSON that people read, and that differs by a line where the matter differs by a line.

In: a document. Out: its text: what fits on a line stands on one, all else has a line for each of its parts. It must not know what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Any, Final

_WIDTH: Final = 240


def spell(document: Any, apart: Set[str] = frozenset()) -> str:
    """The text, with a newline at its end. `apart`: keys whose values have a line for each part, however short."""
    return "".join(_lines(document, "", "", "", apart))


def _lines(value: Any, indent: str, head: str, tail: str, apart: Set[str], broken: bool = False) -> Iterator[str]:
    """`head` and `tail`: what stands before and after the value. `broken`: it does not go on one line."""
    line = f"{indent}{head}{json.dumps(value, ensure_ascii=False)}{tail}\n"
    if not isinstance(value, dict | list) or not value or (len(line) <= _WIDTH and not broken and not _has(value, apart)):
        yield line
        return
    pairs = list(value.items()) if isinstance(value, dict) else [(None, one) for one in value]
    yield f"{indent}{head}{'{' if isinstance(value, dict) else '['}\n"
    for number, (key, one) in enumerate(pairs):
        name = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
        yield from _lines(one, indent + " ", name, "," if number < len(pairs) - 1 else "", apart, key in apart)
    yield f"{indent}{'}' if isinstance(value, dict) else ']'}{tail}\n"


def _has(value: Any, keys: Set[str]) -> bool:
    if isinstance(value, dict):
        return any(key in keys or _has(one, keys) for key, one in value.items())
    return isinstance(value, list) and any(_has(one, keys) for one in value)
