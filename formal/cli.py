"""The command line: finds the command, runs it, and turns whatever happens into an exit code.

In: the words behind `formal`. Out: an exit code; nothing escapes as a traceback but a bug of this tool. It must not know what a command
does, and imports none before it is asked for: `--help` is quick.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final

from formal.console import Exit, Parser, UsageError, answer, legible, open_streams, say, say_mistake
from formal.diagnostics import InternalError

COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "prove": ("formal.commands.prove", "check every property of a model"),
        "check": ("formal.commands.check", "parse, resolve and type a model; point out what looks wrong"),
        "simulate": ("formal.commands.simulate", "walk through a model at random, or step by step by hand"),
        "show": ("formal.commands.show", "draw a model: control flow, and who waits for whom"),
        "export": ("formal.commands.export", "write a model's transition system for SPIN, ABC, SMT solvers and others"),
        "replay": ("formal.commands.replay", "run a stored witness through the interpreter, step by step"),
        "conform": ("formal.commands.conform", "whether a log of a real run is a run of the model"),
        "explain-log": ("formal.commands.explain_log", "what a log says by itself: who held which lock, who waited for whom"),
        "capture": ("formal.commands.capture", "how to run QEMU so that its log has what conform and explain-log read"),
        "anchors": ("formal.commands.anchors", "whether the C functions that models stand for are still what they were"),
        "recheck": ("formal.commands.recheck", "whether stored proofs and witnesses stand, without searching again"),
        "bench": ("formal.commands.bench", "how much work stored proofs are for a solver, and which become harder"),
        "regress": ("formal.commands.regress", "hold every model to its own `expect`"),
        "compare": ("formal.commands.compare", "two models, before and after a patch: what differs, and which of it matters"),
        "repair": ("formal.commands.repair", "the smallest changes to where a lock is held under which everything is proved"),
        "mutate": ("formal.commands.mutate", "change single statements of a proved model, and see which property notices"),
        "new": ("formal.commands.new", "begin a callback: a commented file that says what to fill in"),
        "catalogue": ("formal.commands.catalogue", "a table of models: what each is, abstracts and is expected to show"),
        "fmt": ("formal.commands.fmt", "put model files into the one layout"),
        "lsp": ("formal.commands.lsp", "the language server, for editors to start"),
        "explain": ("formal.commands.explain", "the meaning of a diagnostic or a built-in check"),
        "schema": ("formal.commands.schema", "the JSON Schema of what a command writes with --format json"),
    }
)


_COLUMNS: Final = 80
_SELDOM: Final = 50_000  # objects between two looks for cycles, of which there are next to none; one in 700 took a tenth of all time


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    gc.set_threshold(_SELDOM)
    open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        legible(words)
        return int(_run(words))
    except UsageError as error:
        say_mistake(error)
        return int(Exit.USAGE)
    except KeyboardInterrupt:
        say("interrupted")
        return int(Exit.INTERRUPTED)
    except SystemExit as stop:  # argparse, after --help
        return int(stop.code or 0)
    except InternalError as error:
        say(f"internal error: {error}\nThis is a bug of formal itself: no verdict can be trusted, so none is given.")
        return int(Exit.INTERNAL)
    except Exception:
        import traceback

        say(f"internal error:\n{traceback.format_exc()}This is a bug of formal itself; please report it with the model.")
        return int(Exit.INTERNAL)


def _run(words: list[str]) -> int:
    if not words:
        raise UsageError("no command given", f"one of: {', '.join(COMMANDS)}; `formal --help` says more")
    first, rest = words[0], words[1:]
    if first in ("-h", "--help"):
        answer(_overview())
        return Exit.OK
    if first == "--version":
        from formal import __version__

        answer(f"formal {__version__}")
        return Exit.OK
    if first not in COMMANDS:
        raise _unknown(first)
    path, summary = COMMANDS[first]
    command = import_module(path)
    parser = Parser(prog=f"formal {first}", description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False)
    command.configure(parser)
    return int(command.run(parser.parse_intermixed_args(rest)))


def _unknown(word: str) -> UsageError:
    from difflib import get_close_matches

    what = "option" if word.startswith("-") else "command"
    near = get_close_matches(word, COMMANDS, 1)
    return UsageError(f"unknown {what} `{word}`", f"did you mean `{near[0]}`?" if near else f"the commands are {', '.join(COMMANDS)}")


def _overview() -> str:
    from textwrap import fill

    rows = "\n".join(
        fill(summary, _COLUMNS, initial_indent=f"  {name:<11} ", subsequent_indent=" " * 14) for name, (_, summary) in COMMANDS.items()
    )
    return f"""usage: formal COMMAND ...

Executable specifications of lock, AioContext and bottom-half protocols, proved.

commands:
{rows}

  formal COMMAND --help   the options of a command, with an example
  formal --version

example:
  formal prove models/savevm_locked.dsl

exit codes:
  0    everything that was asked holds
  1    a property is violated, or something differs from its record
  2    bad usage or a bad model
  3    undecided: out of time or bound, without a violation
  4    internal error, or two independent ways disagree
  130  interrupted"""
