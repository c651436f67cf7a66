"""Acts carried out on the texts of model files.

In: sources, acts. Out: texts, and how they differ. A statement that is alone on its lines goes with them; one more gets a line of its own.
What comes out is read by the front end as any other model, and proved as that.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from formal.diagnostics import Source
from formal.repair.edits import Act, Deletion, Insertion
from formal.repair.operations import Kind
from formal.repair.places import Key, real

_LABEL: Final = re.compile(r"^[ \t]*([A-Za-z_]\w*[ \t]*:[ \t]*)$")
_REST: Final = re.compile(r"[ \t]*(//[^\n]*|/\*[^\n]*\*/[ \t]*)?(\n|\Z)")


def edited(text: str, acts: Collection[Act], spelled: Mapping[Kind, str]) -> str:
    """The text with acts carried out that are all of its file."""
    changes = sorted((_change(text, act, spelled) for act in acts), key=lambda one: one[:3])
    for start, end, _, put in reversed(changes):
        text = text[:start] + put + text[end:]
    return text


def _change(text: str, act: Act, spelled: Mapping[Kind, str]) -> tuple[int, int, int, str]:
    """From where to where there is something else, in which order if two begin there, and what."""
    start, end = _begin(text, act.key[1]), act.key[2]
    line = text.rfind("\n", 0, start) + 1
    first = not text[line:start].strip()
    rest = _REST.match(text, end)
    match act:
        case Deletion():
            if first and rest is not None:
                return line, rest.end(), 2, ""
            return start, end, 2, ""
        case Insertion(after=False, kind=kind):
            if first:
                return line, line, 1, f"{text[line:start]}{spelled[kind]}\n"
            return start, start, 1, f"{spelled[kind]} "
        case Insertion(kind=kind):
            indent = text[line : len(text[line:]) - len(text[line:].lstrip(" \t")) + line]
            if rest is not None:
                return rest.end(), rest.end(), 0, f"{indent}{spelled[kind]}\n"
            return end, end, 0, f" {spelled[kind]}"


def _begin(text: str, start: int) -> int:
    """Where a statement begins, with its label."""
    label = _LABEL.match(text[text.rfind("\n", 0, start) + 1 : start])
    return start if label is None else start - len(label.group(1))


def files_of(sources: Sequence[Source]) -> dict[str, Source]:
    """The sources by the names that keys have."""
    return {str(real(source.path)): source for source in sources}


def by_file(acts: Collection[Act]) -> dict[str, list[Act]]:
    """The acts on each file, in the order of the text."""
    found: dict[str, list[Act]] = {}
    for act in sorted(acts, key=lambda one: (one.key, isinstance(one, Insertion) and one.after)):
        found.setdefault(act.key[0], []).append(act)
    return found


def changed(sources: Mapping[str, Source], acts: Collection[Act], spelled: Mapping[Kind, str]) -> dict[str, str]:
    """The texts of the files that are another, by the names that keys have."""
    return {file: edited(sources[file].text, some, spelled) for file, some in by_file(acts).items() if file in sources}


def unified(sources: Mapping[str, Source], texts: Mapping[str, str]) -> Iterator[str]:
    """How the texts differ from the sources, as lines of a unified diff."""
    for file, text in sorted(texts.items(), key=lambda one: sources[one[0]].path):
        path = sources[file].path
        old, new = sources[file].text.splitlines(), text.splitlines()
        yield from difflib.unified_diff(old, new, f"a/{path.lstrip('/')}", f"b/{path.lstrip('/')}", lineterm="")


def shown(sources: Mapping[str, Source], key: Key) -> str:
    """A statement's text, on one line, without its block or anchor."""
    text = " ".join(sources[key[0]].text[key[1] : key[2]].split())
    text = re.sub(r'\s*@\s*"[^"]*"', "", text)
    head, brace, _ = text.partition("{")
    return f"{head.strip()} {{…}}" if brace else text.rstrip(";").rstrip()
