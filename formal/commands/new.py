"""`formal new callback`: a commented file to start from, for a callback of a hook that the shipped models have.

In: parsed arguments. Out: the file; what to do next on standard output; an exit code. It writes over nothing that is there.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from formal.console import Exit, Parser, UsageError, answer, check_writable, say_diagnostics

if TYPE_CHECKING:
    from formal.diagnostics import Diagnostic, Span
    from formal.syntax import Leaf

_FUNCTION = re.compile(r"[^\s:\"\\]+:[A-Za-z_]\w*", re.ASCII)
_FIRST = ("savevm_locked", "multifd_sync_unlocked")  # a snapshot and a migration, as merged; what is proposed first, where it has the hook
_SHOWN = 2  # models that the callback is proposed to be proved in


@dataclass(frozen=True, slots=True)
class Host:
    """A shipped model that is proved and has hooks: `shown` is how to name it from here, `names` everything that it declares."""

    shown: str
    hooks: frozenset[str]
    names: dict[str, Leaf]


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", choices=["callback"], metavar="callback", help="what to begin: `callback`")
    parser.add_argument("name", metavar="NAME", help="what it is the callback of, as in C: my_device for my_device_save_setup()")
    parser.add_argument("--for", required=True, dest="hook", metavar="HOOK", help="the hook that calls it, such as save_setup")
    parser.add_argument("--function", metavar="FILE:FUNCTION", help="the C function (default: NAME.c:NAME_HOOK)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="the file to write (default: NAME.dsl)")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.epilog = "example: formal new callback my_device --for save_setup --function hw/misc/my_device.c:my_device_save_setup"


def run(arguments: argparse.Namespace) -> int:
    """Write it; returns USAGE when a word cannot be used, or a file is in the way. Raises UsageError."""
    from formal.callback_template import Wanted, callback_name, callback_text, proofs

    hosts = _hosts()
    problems = [*_name_problems(arguments, hosts), *_hook_problems(arguments, hosts), *_function_problems(arguments)]
    target = arguments.output or f"{arguments.name}.dsl"
    if not problems:
        if not target.isprintable():
            raise UsageError(f"-o {target!r}: a name that cannot be shown")
        check_writable(target)
        problems = _file_problems(arguments, target)
    if problems:
        say_diagnostics(problems)
        return Exit.USAGE
    function = arguments.function or f"{arguments.name}.c:{callback_name(arguments.name, arguments.hook)}"
    models = [host.shown for host in hosts if arguments.hook in host.hooks][:_SHOWN]
    commands = proofs([shlex.quote(model) for model in models], shlex.quote(target))
    answer(callback_text(Wanted(arguments.name, arguments.hook, function, target, commands)), target)
    answer(
        "\n".join([f"{target} is written; its comments say what to fill in. It is proved by", *(f"  {command}" for command in commands)])
    )
    return Exit.OK


def _hosts() -> list[Host]:
    """The models of QEMU protocols among the shipped ones that are proved, in the order in which they are proposed."""
    from formal.library import Library
    from formal.resources import shipped_models

    top = shipped_models()
    library = Library()
    found = []
    for path in sorted(top.rglob("*.dsl"), key=_rank):
        model = library.file(str(path))
        if model.protocol is None or not any(item.kind == "expect_proved" for item in model.items):
            continue
        parts = library.with_imports(model)
        names = {str(leaf): leaf for part in parts for leaf in part.declared()}
        if {"BQL", "bdrv_poll_co"} <= names.keys():
            hooks = frozenset(str(item.leaves()[0]) for part in parts for item in part.items if item.kind == "hook")
            found.append(Host(_shown(path, top), hooks, names))
    return found


def _rank(path: Path) -> tuple[int, int, Path]:
    return _FIRST.index(path.stem) if path.stem in _FIRST else len(_FIRST), len(path.parts), path


def _shown(path: Path, top: Path) -> str:
    """How the user names a shipped model: from a checkout as it stands in README, else where it is installed."""
    near = Path("models") / path.relative_to(top)
    return str(near) if near.exists() and near.samefile(path) else str(path)


def _name_problems(arguments: argparse.Namespace, hosts: list[Host]) -> list[Diagnostic]:
    from formal.callback_template import names_used
    from formal.codes import Code
    from formal.diagnostics import Diagnostic, Note, Source
    from formal.parser.reading import parse

    name, place = arguments.name, _place(arguments)
    items, mistakes, _ = parse(Source("the name", f"mutex {name};"))
    if len(items) != 1 or [str(leaf) for leaf in items[0].items] != [name] or mistakes:
        hint = next((mistake.hint for mistake in mistakes if mistake.hint), "letters, digits and `_`, and no digit first: my_device")
        return [Diagnostic(Code.COMMAND_WORD, f"`{name}` cannot be a name", place, hint=hint)]
    for host in hosts:
        taken = [used for used in names_used(name, arguments.hook) if arguments.hook in host.hooks and used in host.names]
        if taken:
            note = Note("declared here", host.names[taken[0]].span)
            return [Diagnostic(Code.DUPLICATE, f"`{taken[0]}` is taken in {host.shown}", place, (note,), "choose another name")]
    return []


def _hook_problems(arguments: argparse.Namespace, hosts: list[Host]) -> list[Diagnostic]:
    from formal.codes import Code
    from formal.diagnostics import Diagnostic

    hook = arguments.hook
    known = sorted(frozenset().union(*(host.hooks for host in hosts)))
    if hook in known:
        return []
    near = get_close_matches(hook, known, 1)
    listed = f"the shipped models have {', '.join(f'`{name}`' for name in known)}"
    hint = f"did you mean `{near[0]}`? {listed[0].upper()}{listed[1:]}" if near else listed
    return [Diagnostic(Code.UNKNOWN_NAME, f"unknown hook `{hook}`", _place(arguments, "--for"), hint=hint)]


def _function_problems(arguments: argparse.Namespace) -> list[Diagnostic]:
    from formal.codes import Code
    from formal.diagnostics import Diagnostic

    function = arguments.function
    if function is None or _FUNCTION.fullmatch(function):
        return []
    hint = "file:function, such as hw/misc/my_device.c:my_device_save_setup"
    return [Diagnostic(Code.COMMAND_WORD, f"`{function}` names no C function", _place(arguments, "--function"), hint=hint)]


def _file_problems(arguments: argparse.Namespace, target: str) -> list[Diagnostic]:
    from formal.codes import Code
    from formal.diagnostics import Diagnostic

    if arguments.force or not os.path.lexists(target):
        return []
    place = _place(arguments, "-o" if arguments.output else None)
    hint = "--force writes over it, -o FILE writes another one"
    return [Diagnostic(Code.FILE_EXISTS, f"`{target}` is there already", place, hint=hint)]


def _place(arguments: argparse.Namespace, option: str | None = None) -> Span:
    """Where the name, or the word behind an option, stands on the command line."""
    from formal.diagnostics import Source, Span

    words = ["formal", "new", "callback", arguments.name, "--for", arguments.hook]
    words += [part for name, value in (("--function", arguments.function), ("-o", arguments.output)) if value for part in (name, value)]
    at = 3 if option is None else words.index(option, 4) + 1
    start = len(" ".join(words[:at])) + 1
    return Span(Source("command line", " ".join(words)), start, start + max(1, len(words[at])))
