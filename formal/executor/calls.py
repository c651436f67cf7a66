"""What is carried out, by whom, by name, and how it can end other than by returning or raising. All of it can be pickled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

TRIES: Final = 2  # of a call whose process dies: the second is in a process that did nothing before
PROCESSES: Final = "processes"
DASK: Final = "dask:"


class Lost(Exception):
    """A call's process is gone without an answer."""


class Overdue(Exception):
    """A call was ended from outside, because it took too long."""


class ExecutorError(Exception):
    """There is no such executor, or it cannot be used. `hint`: what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def check(choice: str) -> None:
    """Raises ExecutorError where `choice` names no executor."""
    if choice != PROCESSES and not (choice.startswith(DASK) and choice.removeprefix(DASK)):
        raise ExecutorError(f"unknown executor `{choice}`", f"the executors are {PROCESSES} and {DASK}ADDRESS, of a scheduler")


@dataclass(frozen=True, slots=True)
class Within:
    """A function that is ended from outside after so many seconds. Where nobody ends it, it is the function itself."""

    seconds: float
    work: Callable[..., Any]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the function says."""
        return self.work(*arguments, **named)


@dataclass(frozen=True, slots=True)
class Call:
    """To a server: carry this out. `payload`: function, arguments and named arguments, pickled. `seconds`: at most; None: as it takes."""

    number: int
    payload: bytes
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Drop:
    """To a server: the answer to this call is not wanted any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Began:
    """From a server: the call is at work. `again`: why it is so for another time."""

    number: int
    again: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """From a server: the call's end. `payload`: (whether it returned, its value or what it raised), pickled."""

    number: int
    payload: bytes
