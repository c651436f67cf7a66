"""`--executor`: who carries out what a command can do side by side.

In: parsed arguments. Out: an executor, as long as it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

from formal.console import Parser, UsageError
from formal.executor.calls import PROCESSES, ExecutorError, check

if TYPE_CHECKING:
    from formal.executor.crew import Crew

_WARM: Final = ("formal.frontend", "formal.engines.explicit", "formal.engines.bmc")  # imported once, instead of in every process


def configure_executor(parser: Parser) -> None:
    """Declare the argument."""
    parser.add_argument(
        "--executor",
        default=PROCESSES,
        metavar="NAME",
        help=f"who does the work: {PROCESSES} (the default), or dask:ADDRESS, the workers of that scheduler",
    )


def check_executor(choice: str) -> None:
    """Raises UsageError."""
    try:
        check(choice)
    except ExecutorError as error:
        raise UsageError(error.message, error.hint) from error


@contextmanager
def hired(choice: str, jobs: int) -> Iterator[Crew]:
    """The executor of that name; `jobs`: calls at the same time, of this machine's. Raises UsageError where there is none."""
    from formal.executor.crew import crew

    if choice == PROCESSES:
        for module in _WARM:
            import_module(module)
    with _usage(), crew(choice, jobs) as made:
        yield made


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except ExecutorError as error:
        raise UsageError(error.message, error.hint) from error
