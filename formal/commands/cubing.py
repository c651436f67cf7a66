"""`formal prove --cubes N`: who searches, the engines side by side or a crew with shares of a bounded search.

In: parsed arguments. Out: a function that proves.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from formal.commands.executing import hired
from formal.console import UsageError, say
from formal.engines import AUTO
from formal.pipeline import Answer, Request, prove
from formal.program import Program
from formal.race import Watcher
from formal.sweep import is_sweep

_BOUNDED = "bmc"

Search: TypeAlias = Callable[[Program, Request, Watcher], Answer]


def check_cubes(arguments: argparse.Namespace) -> None:
    """What cubes do not go with. Raises UsageError."""
    if arguments.cubes is None:
        return
    if arguments.depth is None:
        raise UsageError("--cubes is for a bounded search", "add --depth K")
    if arguments.engine not in (AUTO, _BOUNDED):
        raise UsageError(f"--cubes goes without --engine {arguments.engine}", f"only {_BOUNDED} can be split")
    if is_sweep(arguments.defines):
        raise UsageError("--cubes goes without a sweep", "give each parameter one value")


@contextmanager
def searching(arguments: argparse.Namespace) -> Iterator[Search]:
    """Who proves. Raises UsageError where there is no such executor."""
    if arguments.cubes is None:
        yield prove
        return
    from formal.cubes import HARD, Split

    with hired(arguments.executor, arguments.jobs or os.cpu_count() or 1) as crew:
        yield lambda program, request, watcher: prove(program, request, watcher, Split(crew, arguments.cubes, say, HARD, request.deadline))
