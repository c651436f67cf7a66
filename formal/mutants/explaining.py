"""Why a mutant may survive, as the model says it:  // Survives: NAME: why

In: the sources of a model, the names of its mutants. Out: explanations by name. A `*` in NAME stands for anything. A line of a shared file
explains mutants of every model that has it; so it is stale only if it is in the model's own file and no survivor has its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from formal.diagnostics import Source

SURVIVES: Final = "Survives"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line: where it stands, and what it says behind its mark, which is `Survives:` for mutants."""

    place: str
    text: str
    own: bool  # in the model's own file


def explanations(sources: Sequence[Source], mark: str = SURVIVES) -> list[Explanation]:
    """Those of all the files, with this mark."""
    line = re.compile(rf"^[ \t]*// {mark}:[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
    return [
        Explanation(f"{source.path}:{source.text.count(chr(10), 0, found.start()) + 1}", found.group(1), source is sources[0])
        for source in sources
        for found in line.finditer(source.text)
    ]


def explained(found: Sequence[Explanation], names: Collection[str]) -> tuple[dict[str, str], list[Explanation]]:
    """Of these names, those that are explained, and why; and the lines of the model's own file that explain none of them."""
    whys: dict[str, str] = {}
    stale = []
    for one in found:
        matching = {name: why for name in names if (why := _why(one.text, name))}
        whys |= {name: why for name, why in matching.items() if name not in whys}
        if one.own and not matching:
            stale.append(one)
    return whys, stale


def _why(text: str, name: str) -> str:
    """What a line says of a mutant; empty if it is of another one. Names may have colons in them: the longest that fits counts."""
    for colon in reversed([place for place, character in enumerate(text) if character == ":"]):
        pattern = ".*".join(re.escape(part) for part in text[:colon].strip().split("*"))
        if re.fullmatch(pattern, name, re.DOTALL):
            return text[colon + 1 :].strip()
    return ""
