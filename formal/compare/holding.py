"""A stored comparison held to the models as they are now.

In: the document that `formal compare --save` wrote. Out: how it differs from what can be established without searching: the changes, how
the properties differ, and how far the witnesses of BEFORE go in AFTER, each followed through the interpreter again. What the models
satisfy, their own records show; what was proved and violated with changes taken back is not searched for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from formal.compare.comparison import Pair
from formal.compare.document import course_document, told_document
from formal.diagnostics import InternalError
from formal.frontend import load
from formal.program import Program
from formal.recorded import BadRecord, records


@dataclass(frozen=True, slots=True)
class Held:
    """`stale`: a model has changed since, or is gone; `differences`: lines, none if it stands."""

    title: str
    stale: str
    differences: tuple[str, ...]


def held(document: Mapping[str, Any]) -> Held:
    """Look at one document. Raises BadRecord."""
    try:
        sides = [document["before"], document["after"]]
        title = f"{sides[0]['file']} -- {sides[1]['file']}"
        programs = [_load(side) for side in sides]
        for side, program in zip(sides, programs, strict=True):
            if program is None or program.digest != side["digest"]:
                return Held(title, f"{side['file']} is not the model that was compared", ())
        before, after = (program for program in programs if program is not None)
        return Held(title, "", tuple(_differences(document, Pair(before, after))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecord(f"it is not what `formal compare --save` writes ({type(error).__name__}: {error})") from error


def _load(side: Mapping[str, Any]) -> Program | None:
    defines = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in side["parameters"].items()}
    return load(side["file"], defines, side["with"]).program


def _differences(document: Mapping[str, Any], pair: Pair) -> list[str]:
    found = []
    if not document["certified"] or document["after"]["verdict"] != "proved" or document["before"]["verdict"] != "violated":
        found.append("it certifies nothing: BEFORE is to be violated as it expects, AFTER proved")
    if document["changes"] != [told_document(one) for one in pair.told()]:
        found.append("the changes are others now")
    if document["properties_changed"] != [told_document(one) for one in pair.asked()]:
        found.append("the properties differ otherwise now")
    try:
        courses = [course_document(one) for one in pair.courses_of(records(document["before"]))]
    except InternalError as error:
        return [*found, f"a witness of BEFORE does not replay: {error}"]
    if document["courses"] != courses:
        found.append("the witnesses of BEFORE go otherwise in AFTER now")
    return found
