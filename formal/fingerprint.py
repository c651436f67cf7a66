"""What a program means, as a digest: two programs with the same one have the same executions and the same properties.

In: a typed program. Out: `sha256:…`. Comments, layout, file names and the title make no difference, since no place in a text and no source
is looked at (of places, their lines, if asked for); every other field does, also one that will be added tomorrow. The tree is a graph (a
declaration is used where it is meant): an object met again is told by its number, so that equal digests mean equal graphs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Final

from formal.diagnostics import InternalError, Source, Span
from formal.nodes import names_of
from formal.program import Program

_TOLD_AFRESH: Final = frozenset({"file", "digest", "title", "sources", "expectations"})  # of a Program: no engine looks at them


def fingerprint(program: Program, *, lines: bool = False) -> str:
    """The digest. `lines`: the line that each thing stands in matters, too, for what is told by lines. Raises InternalError for a value
    that has no spelling."""
    writer = _Writer(lines)
    for name, value in sorted((name, getattr(program, name)) for name in names_of(program) if name not in _TOLD_AFRESH):
        writer.say(f"field {name}")
        writer.write(value)
    return f"sha256:{writer.state.hexdigest()}"


class _Writer:
    """Spells values into a digest. Every spelling begins with its kind and its length, so that no two values share one."""

    def __init__(self, lines: bool) -> None:
        self.lines = lines
        self.state = hashlib.sha256()
        self.met: dict[int, int] = {}

    def say(self, word: str) -> None:
        """One word, told apart from the next."""
        data = word.encode("utf-8", "surrogatepass")
        self.state.update(b"%d:%b" % (len(data), data))

    def write(self, value: object) -> None:
        """A value, and all that can be reached from it."""
        match value:
            case None | bool() | int() | str():
                self.say(f"{type(value).__name__} {value}")
            case Span() | Source():
                self.say(f"place {value.line}" if self.lines and isinstance(value, Span) else "place")
            case tuple():
                self.say(f"tuple {len(value)}")
                for item in value:
                    self.write(item)
            case frozenset():
                self.say(f"set {len(value)}")
                for item in sorted(value, key=lambda item: (type(item).__name__, item)):
                    self.write(item)
            case Mapping():
                self.say(f"mapping {len(value)}")
                for key, item in value.items():
                    self.write(key)
                    self.write(item)
            case _ if is_dataclass(value) and not isinstance(value, type):
                self._node(value)
            case _:
                raise InternalError(f"a program holds a {type(value).__name__}, which has no fingerprint")

    def _node(self, node: Any) -> None:
        known = self.met.get(id(node))
        if known is not None:
            self.say(f"again {known}")
            return
        self.met[id(node)] = len(self.met)
        kind: Any = type(node)
        names = names_of(node)
        self.say(f"{kind.__name__} {len(names)}")
        for name in names:
            self.write(getattr(node, name))
