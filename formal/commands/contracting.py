"""`formal prove --contract`: protocols with any callback, callbacks alone, and whether what was proved is one proof of the whole.

In: parsed arguments. Out: programs to prove, protocols first. A callback that is named beside a protocol is looked at with the constants
of that protocol.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formal.console import UsageError, definitions, say, say_diagnostics
from formal.diagnostics import Diagnostic
from formal.pipeline import Answer
from formal.program import Program
from formal.verdict import Verdict

if TYPE_CHECKING:
    from formal.contracts.loading import Part

PROTOCOL: Final = "protocol"
CALLBACK: Final = "callback"


@dataclass(frozen=True, slots=True)
class Side:
    """One program to prove. `defines`: what it was read with; by the contract: what it is, as in `Report`, and what else is known of it."""

    path: str
    program: Program
    defines: Mapping[str, str]
    contract: str = ""
    part: Part | None = None


def check_contract(arguments: argparse.Namespace) -> None:
    """What goes with the arguments, and what does not. Raises UsageError."""
    if arguments.around is not None and not arguments.contract:
        raise UsageError("--around is for --contract", "it names the file that says what stands around a callback alone")
    for option, given in (("--save", arguments.save is not None), ("--with", arguments.extra), ("--watch", arguments.watch)):
        if arguments.contract and given:
            raise UsageError(f"--contract goes without {option}")


def contracted(arguments: argparse.Namespace) -> list[Side] | None:
    """The programs; None if one of the files is bad, or if they do not fit together: what is to be said about that is said."""
    from formal.contracts.loading import callback_alone, is_callback_file, protocol_with_any

    defines = definitions(arguments.defines)
    paths = list(dict.fromkeys(arguments.models))
    callbacks = {path for path in paths if is_callback_file(path)}
    parts = {path: protocol_with_any(path, defines) for path in paths if path not in callbacks}
    protocols = {path: part for path, part in parts.items() if part.loaded.program is not None}
    found = [Side(path, part.loaded.program, defines, PROTOCOL, part) for path, part in protocols.items() if part.loaded.program]
    bad = len(protocols) < len(parts)
    for part in parts.values():
        say_diagnostics(part.loaded.diagnostics)
    for path in (path for path in paths if path in callbacks):
        for given in _defines(path, arguments, list(protocols.values())):
            part = callback_alone(path, given, arguments.around)
            say_diagnostics(part.loaded.diagnostics)
            if part.loaded.program is None:
                bad = True
            else:
                found.append(Side(path, part.loaded.program, given, CALLBACK, part))
    return None if bad or _misfit(found) else found


def _defines(path: str, arguments: argparse.Namespace, protocols: Sequence[Part]) -> list[dict[str, str]]:
    """What a callback is read with: the constants of each protocol where it has parameters of these names; once for all that agree."""
    from formal.contracts.loading import callback_alone

    defines = definitions(arguments.defines)
    program = callback_alone(path, {}, arguments.around).loaded.program if protocols else None
    if program is None:
        return [defines]
    wanted = [
        {**defines, **{name: part.loaded.constants[name] for name in program.parameters if name in part.loaded.constants}}
        for part in protocols
    ]
    return [one for position, one in enumerate(wanted) if one not in wanted[:position]]


def _misfit(found: Sequence[Side]) -> bool:
    from formal.contracts.composing import misfits, strangers

    protocols = [(side, side.part) for side in found if side.contract == PROTOCOL and side.part is not None]
    callbacks = [(side, side.part) for side in found if side.contract == CALLBACK and side.part is not None]
    problems: list[Diagnostic] = []
    for _, protocol in protocols:
        for side, part in callbacks:
            if all(protocol.loaded.constants.get(name, value) == value for name, value in side.defines.items()):
                problems += misfits(protocol, part, side.path)
    problems += strangers([(side.path, part) for side, part in callbacks])
    say_diagnostics(problems)
    return bool(problems)


def tell_together(found: Sequence[Side], answers: Sequence[Answer]) -> None:
    """What follows for protocols and callbacks together, on standard error."""
    proved = [side for side, one in zip(found, answers, strict=False) if one.report.verdict is Verdict.PROVED]
    callbacks = {side.path: side.program for side in proved if side.contract == CALLBACK}
    named = {name for program in callbacks.values() for names in program.hooks.values() for name in names}
    for side in proved:
        if side.contract != PROTOCOL or side.part is None:
            continue
        missing = [name for name in side.part.callbacks if name not in named]
        if callbacks and not missing:
            say(f"note: {side.path} is proved with the callbacks of {', '.join(callbacks)}")
        for name in missing:
            say(f"note: {side.path} has {name}, which is to be looked at by itself: formal prove --contract FILE")
