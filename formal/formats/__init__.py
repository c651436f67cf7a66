"""The table of report formats. A row names the module that has the format's `render`; nothing of it is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from formal.verdict import Report

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": "formal.formats.text",
        "json": "formal.formats.json",
        "itf": "formal.formats.itf",
        "mermaid": "formal.formats.mermaid",
        "html": "formal.formats.html",
        "junit": "formal.formats.junit",
        "sarif": "formal.formats.sarif",
        "github": "formal.formats.github",
    }
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a report is to look, as far as the format leaves a choice. `quiet`: the verdicts alone; `statistics`: with the figures;
    `unfold`: every step of a witness, also those that do not matter for the violation."""

    width: int = 80
    colour: bool = False
    quiet: bool = False
    statistics: bool = False
    unfold: bool = False


Render: TypeAlias = Callable[[Sequence[Report], Style], str]
Remarks: TypeAlias = Callable[[Sequence[Report]], tuple[str, ...]]


def load_format(name: str) -> Render:
    """The renderer of that name (a key of FORMATS)."""
    return cast(Render, import_module(FORMATS[name]).render)


def load_remarks(name: str) -> Remarks:
    """What that format says besides its document, for standard error: above all, what the document does not show."""
    return cast(Remarks, getattr(import_module(FORMATS[name]), "remarks", _nothing))


def _nothing(_reports: Sequence[Report]) -> tuple[str, ...]:
    return ()
