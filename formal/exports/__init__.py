"""The table of other tools' formats for a transition system. A row names the module that has the format's `render`; nothing of it is
imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from formal.program import Program, Property

EXPORTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "promela": "formal.exports.promela",
        "smt2": "formal.exports.smt2",
        "btor2": "formal.exports.btor2",
        "aiger": "formal.exports.aiger",
    }
)


class TooLarge(Exception):
    """The program is too large to be written down in that format; its text says in what."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written down. `properties`: none of them liveness, at least one. `depth`: only executions of so many steps, if the
    format can say that. `binary`: in the format's binary form, if it has one. `command`: how it was asked for, for the head of the file."""

    program: Program
    properties: tuple[Property, ...]
    depth: int | None
    binary: bool
    command: str


Render: TypeAlias = Callable[[Wanted], bytes]


def load_export(name: str) -> Render:
    """The renderer of that name (a key of EXPORTS). It raises TooLarge."""
    return cast(Render, import_module(EXPORTS[name]).render)


def head(wanted: Wanted) -> list[str]:
    """What every file says at its head, line by line, without comment marks."""
    program = wanted.program
    lines = [f"{program.name}: {program.title}" if program.title else program.name]
    if program.parameters:
        lines.append("with " + ", ".join(f"{name} = {_spelled(value)}" for name, value in program.parameters.items()))
    return [*lines, f"written by: {wanted.command}"]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
