"""What a reader is told of whether proved properties could fail, and what their proofs need: lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formal.verdict import Needed, Vacuity


def lines(found: Sequence[Vacuity]) -> Iterator[str]:
    """One for each property; those that are the same but for the name are told once."""
    groups: dict[str, list[str]] = {}
    for one in found:
        groups.setdefault(_told(one), []).append(one.name)
    for told, names in groups.items():
        yield f"{', '.join(names)}: {told}"


def _told(one: Vacuity) -> str:
    parts = []
    if one.never:
        parts.append("never true: " + ", ".join(f"`{text}`" for text in one.never))
    if one.core:
        parts.append("needs " + _units(one.core))
    elif one.core is not None:
        parts.append(one.reason or "needs no lock, wait, guard, assumption or other assertion")
    elif one.reason:
        parts.append(one.reason if one.vacuous or one.reason.startswith("it is") else f"core not found: {one.reason}")
    return ("vacuous: " if one.vacuous else "") + "; ".join(parts)


def _units(core: Sequence[Needed]) -> str:
    sure, perhaps = ([_unit(one) for one in core if one.sure is wanted] for wanted in (True, False))
    told = [", ".join(dict.fromkeys(sure))] if sure else []
    return "; ".join([*told, *(["perhaps " + ", ".join(dict.fromkeys(perhaps))] if perhaps else [])])


def _unit(unit: Needed) -> str:
    kind = "" if unit.kind == "lock" else f"{unit.kind} "
    return f"{kind}`{unit.text}` ({unit.source.file}:{unit.source.line})"
