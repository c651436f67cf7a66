"""`formal replay`: a witness that was written down, run through the interpreter again, step by step.

In: parsed arguments. Out: the steps on standard output, an exit code: 0 when the run ends in the recorded violation, 1 when it differs.

The record names its model. A model that has changed since is refused, unless the model is named on the command line: then the question is
whether the run is still possible, and the change is only pointed out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formal import __version__
from formal.commands.declaring import check_format, configure_answer
from formal.console import Exit, Parser, UsageError, answer, check_writable, coloured, columns, definitions, say, say_diagnostics
from formal.formats import Style

if TYPE_CHECKING:
    from formal.frontend import Loaded
    from formal.interp import Machine
    from formal.recorded import Followed, Record
    from formal.stepping.ink import Ink


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "witness", metavar="WITNESS", help="what `formal prove` or `simulate` wrote with --format json -o WITNESS; - is standard input"
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="run it on this model instead of the recorded one")
    parser.add_argument("--property", dest="prop", metavar="NAME", help="which one, where the record has several (default: each in turn)")
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help="another parameter than recorded")
    parser.add_argument("--step", action="store_true", help="go through it by hand, forward and back; ? helps, q ends")
    configure_answer(parser)
    parser.add_argument("--all", action="store_true", help="every step of a witness, also those that do not matter for the violation")
    parser.add_argument("--no-color", action="store_true", help="no colour (so do NO_COLOR and a pipe)")
    parser.epilog = "example: formal prove models/savevm_unlocked.dsl --format json -o witness.json; formal replay witness.json"


def run(arguments: argparse.Namespace) -> int:
    """Replay; returns OK, or VIOLATED when a record differs. Raises UsageError."""
    check_format(arguments)
    check_writable(arguments.output)
    chosen = _choose(_read(arguments.witness), arguments.witness, arguments.prop)
    if arguments.step:
        _check_step(chosen, arguments)
    told = []
    for record in chosen:
        replayed = _replay(record, arguments)
        if replayed is None:
            return Exit.USAGE
        told.append((record, replayed[1]))
    if arguments.step and replayed is not None:
        return _by_hand(record, *replayed, arguments)
    text = _json(told) if arguments.format == "json" else _text(told, arguments)
    answer(text, arguments.output)
    return Exit.OK if all(followed.witness is not None for _, followed in told) else Exit.VIOLATED


def _check_step(chosen: Sequence[Record], arguments: argparse.Namespace) -> None:
    """What does not go with --step. Raises UsageError."""
    if arguments.format != "text" or arguments.output is not None:
        raise UsageError(f"--step goes without {'-o' if arguments.output is not None else '--format'}")
    if arguments.witness == "-":
        raise UsageError("--step reads commands from standard input, so the witness has to be in a file")
    if len(chosen) > 1:
        names = ", ".join(record.prop for record in chosen)
        raise UsageError(
            f"--step goes through one witness, and {arguments.witness} has {len(chosen)}", f"pick one with --property: {names}"
        )


def _by_hand(record: Record, machine: Machine, followed: Followed, arguments: argparse.Namespace) -> Exit:
    """Step through what could be followed."""
    from formal.commands.stepping import converse
    from formal.recorded import WALK
    from formal.stepping.recording import Recording, Replaying

    stands = followed.witness is not None
    ending = followed.witness.explanation if followed.witness is not None else f"Here it differs: {followed.difference}"
    name = record.prop if stands and record.prop != WALK else "the walk's end" if stands else "the record and the model part here"
    loop_to = record.loop_to if stands else None
    converse(Replaying(machine, Recording(name, followed.outcomes, loop_to, ending), _ink(arguments)))
    return Exit.OK if stands else Exit.VIOLATED


def _ink(arguments: argparse.Namespace) -> Ink:
    from formal.stepping.ink import Ink

    colour = arguments.output is None and coloured(sys.stdout, plain=arguments.no_color)
    return Ink(columns(arguments.output), colour)


def _read(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a JSON document ({error})", "`formal prove MODEL --format json -o FILE` writes one") from error


def _choose(document: Any, path: str, prop: str | None) -> tuple[Record, ...]:
    from formal.recorded import BadRecord, records

    try:
        found = records(document)
    except BadRecord as error:
        raise UsageError(f"{path}: {error}") from error
    chosen = tuple(record for record in found if prop in (None, record.prop))
    if not chosen:
        raise UsageError(f"{path}: no witness for {prop}", f"it has one for {', '.join(record.prop for record in found)}")
    return chosen


def _replay(record: Record, arguments: argparse.Namespace) -> tuple[Machine, Followed] | None:
    """The machine that it ran on, and how it went; None when the model is bad, which has then been said."""
    from formal.frontend import load
    from formal.interp import Machine
    from formal.recorded import follow

    path = arguments.model or record.file
    defines = {**_recorded(record, arguments), **definitions(arguments.defines)}
    loaded = _load_by_contract(path, defines, record) if record.contract else load(path, defines, record.extra)
    if loaded.program is None:
        say_diagnostics(loaded.diagnostics)
        return None
    if loaded.program.digest != record.digest:
        changed = f"{path} is not the model that the witness was recorded on"
        if arguments.model is None and not arguments.defines:
            raise UsageError(changed, f"`formal replay {arguments.witness} {path}` runs it on the model as it is now")
        say(f"warning: {changed}")
    machine = Machine(loaded.program)
    return machine, follow(loaded.program, machine, record)


def _recorded(record: Record, arguments: argparse.Namespace) -> dict[str, str]:
    """The recorded parameters, without those that another model has not, which is said."""
    from formal.frontend import load

    defines = dict(record.defines)
    other = None if arguments.model is None or record.contract else load(arguments.model, {}, record.extra).program
    for name in () if other is None else [name for name in defines if name not in other.parameters]:
        say(f"note: {arguments.model} has no parameter `{name}`; the witness was recorded with {name} = {defines.pop(name)}")
    return defines


def _load_by_contract(path: str, defines: Mapping[str, str], record: Record) -> Loaded:
    from formal.contracts.loading import callback_alone, protocol_with_any

    if record.contract == "protocol":
        return protocol_with_any(path, defines).loaded
    return callback_alone(path, defines, record.around).loaded


def _json(told: Sequence[tuple[Record, Followed]]) -> str:
    documents = [
        {
            "formal": __version__,
            "property": record.prop,
            "file": record.file,
            "stands": followed.witness is not None,
            "steps": followed.done,
            "difference": followed.difference,
        }
        for record, followed in told
    ]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False)


def _text(told: Sequence[tuple[Record, Followed]], arguments: argparse.Namespace) -> str:
    from formal.formats.text import render_replay
    from formal.recorded import WALK
    from formal.stepping.steps import told_walk

    ink = _ink(arguments)
    style = Style(ink.width, ink.colour, unfold=arguments.all)
    parts = []
    for record, followed in told:
        if followed.witness is not None and record.prop == WALK:
            parts.append("\n".join(told_walk(followed.witness, ink)))
        elif followed.witness is not None:
            parts.append(render_replay(record.prop, followed.witness, style))
        else:
            parts.append(f"{record.prop}: differs after {followed.done} of {len(record.steps)} steps: {followed.difference}")
    return "\n\n".join(parts)
