"""Which statements walks have executed, and which they never came to.

In: a program and the uids of what was met. Out: `Coverage`, by body. Counted is every statement that takes a step, in a body that a thread
can come to; `loop`, `for`, calls and jumps are control and count as nothing.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import groupby

from formal.frontend.walking import walk
from formal.outline import Body, reachable
from formal.program import Block, Break, Call, Continue, For, Info, Invoke, Loop, Program, Return, Stmt


@dataclass(frozen=True, slots=True)
class Part:
    """One body. `waited`: threads came to these, and none got past; `never`: none came to these. In order of the text."""

    body: Body
    statements: tuple[Info, ...]
    waited: tuple[Info, ...]
    never: tuple[Info, ...]

    @property
    def executed(self) -> int:
        """How many statements somebody has got past."""
        return len(self.statements) - len(self.waited) - len(self.never)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All bodies that have statements to execute."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """How many statements there are."""
        return sum(len(part.statements) for part in self.parts)

    @property
    def executed(self) -> int:
        """How many of them were executed."""
        return sum(part.executed for part in self.parts)


def coverage(program: Program, met: Set[int], passed: Set[int]) -> Coverage:
    """`met`: uids of statements that a thread has stood at or been inside of; `passed`: that one has got past."""
    parts = [_part(body, met, passed) for body in reachable(program)]
    return Coverage(tuple(part for part in parts if part.statements))


def _part(body: Body, met: Set[int], passed: Set[int]) -> Part:
    counted = tuple(statement.info for statement in walk(body.whole) if not isinstance(statement, Block) and _counts(statement))
    never = tuple(info for info in counted if info.uid not in met | passed)
    return Part(body, counted, tuple(info for info in counted if info.uid in met and info.uid not in passed), never)


def _counts(statement: Stmt) -> bool:
    match statement:
        case Block() | Loop() | For() | Call() | Invoke() | Break() | Continue():
            return False
        case Return(value=value):
            return value is not None
        case _:
            return True


def lines(infos: tuple[Info, ...]) -> str:
    """Their lines, with neighbours put together: "12-14, 20". All are of one file."""
    numbers = sorted({info.span.line for info in infos})
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
