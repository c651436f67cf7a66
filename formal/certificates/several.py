"""Many records checked, as many at a time as there are processors, each in a process of its own.

In: records with their models, solvers. Out: what `checking.check` says of each, in the given order, as soon as it and all before it are
known. It must not know what is in them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TypeAlias

from formal.certificates.checking import Checked, check
from formal.certificates.record import Record
from formal.certificates.solvers import Solver, prepare
from formal.children import Child, Ended, Tell, wait
from formal.diagnostics import InternalError
from formal.program import Program

_TICK = 0.2  # seconds

Further: TypeAlias = Callable[[Record, Program, Checked], Checked]


def no_further(record: Record, program: Program, checked: Checked) -> Checked:  # noqa: ARG001 - one of several opinions
    """Nobody else is asked."""
    return checked


def check_several(
    items: Sequence[tuple[Record, Program]], solvers: Sequence[Solver], seconds: float, workers: int, further: Further = no_further
) -> Iterator[Checked]:
    """`seconds`: for each record; `workers`: how many processes may be at work; `further`: somebody else's opinion on each record, given
    where it is checked. Raises InternalError when a check breaks down."""
    if len(items) == 1:
        yield further(*items[0], check(*items[0], solvers, time.monotonic() + seconds, workers))
        return
    prepare(solvers)
    import_module("formal.certificates.asking")  # what all children need
    gc.freeze()  # they would look through everything that is there so far, and so get copies of it
    working: dict[Child, int] = {}
    found: dict[int, Checked] = {}  # all, also those that were told
    started = told = 0
    try:
        while told < len(items):
            while started < len(items) and len(working) < workers:
                working[Child(_work(*items[started], solvers, seconds, further), list(working))] = started
                started += 1
            for child in wait(list(working), _TICK):
                for value in child.receive():
                    _take(value, working[child], found)
                if child.ended:
                    del working[child]
            while told in found:
                yield found[told]
                told += 1
    finally:
        for child in working:
            child.end()
        gc.unfreeze()


def _work(record: Record, program: Program, solvers: Sequence[Solver], seconds: float, further: Further) -> Callable[[Tell], None]:
    """One solver at a time: the records share the processors."""
    return lambda tell: tell(further(record, program, check(record, program, solvers, time.monotonic() + seconds, 1)))


def _take(value: object, number: int, found: dict[int, Checked]) -> None:
    match value:
        case Checked():
            found[number] = value
        case Ended(crash=crash) if number not in found:
            raise InternalError(crash or "a check ended without an answer")
