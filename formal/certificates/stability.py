"""How much work a record's obligations are for the solver, and how much that depends on luck: what is about to become too hard shows here.

In: a record, its model, seeds; what was measured before. Out: the work for each obligation and seed, in the solver's own unit, which no
other load on the machine changes; what has grown. It must not know whether a record is read or rechecked.

"Proof stability" under random seeds: Zhou, Bosamiya, Takashima, Li, Heule and Parno, "Mariposa" (2023).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from formal.certificates.record import Record
from formal.program import Program

MOST: Final = 1_000_000_000  # work after which the solver gives up: some minutes
SMALL: Final = 1_000_000  # work that is no matter, whatever it was before: some tenths of a second


class BadBaseline(Exception):
    """A text that this module has not written; says why."""


@dataclass(frozen=True, slots=True)
class Effort:
    """One obligation of a record (a name): the solver's answers, and the work, seed by seed."""

    record: str
    obligation: str
    answers: tuple[str, ...]
    work: tuple[int, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.record, self.obligation

    @property
    def median(self) -> int:
        return int(statistics.median_low(self.work))

    @property
    def spread(self) -> float:
        """The most for the least: 1.0 if the seed does not matter."""
        return max(self.work) / max(1, min(self.work))

    @property
    def holds(self) -> bool | None:
        """None: the solver gave up with some seed, and never said no."""
        if "sat" in self.answers:
            return False
        return True if set(self.answers) == {"unsat"} else None


def efforts(name: str, record: Record, program: Program, seeds: Sequence[int]) -> tuple[Effort, ...]:
    """One for each obligation. Raises UnknownName, EncodingLimitError."""
    from formal.certificates.asking import scripts
    from formal.smt.scripts import effort

    if record.invariant is None:
        return ()
    found = []
    for which, text in scripts(program, record.invariant, record.proves, record.rankings).items():
        said = [effort(text, seed, MOST) for seed in seeds]
        found.append(Effort(name, which, tuple(answer for answer, _ in said), tuple(work for _, work in said)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Grown:
    """An obligation that is more work than before, `before`; or whose work depends on the seed (`before` is None)."""

    effort: Effort
    before: int | None


def grown(found: Sequence[Effort], before: Mapping[tuple[str, str], int], factor: float) -> tuple[Grown, ...]:
    """What takes so many times what it took, or with one seed so many times what it takes with another, and is not little work."""
    worse = []
    for one in found:
        was = before.get(one.key)
        if was is not None and one.median > max(SMALL, factor * was):
            worse.append(Grown(one, was))
        elif max(one.work) > SMALL and one.spread > factor:
            worse.append(Grown(one, None))
    return tuple(worse)


def document(found: Sequence[Effort], seeds: Sequence[int], formal: str, solver: str) -> dict[str, Any]:
    """What `formal bench --stability --format json` writes, and `--against` reads."""
    return {
        "formal": formal,
        "solver": solver,
        "seeds": list(seeds),
        "obligations": [
            {"record": one.record, "obligation": one.obligation, "answers": list(one.answers), "work": list(one.work), "median": one.median}
            for one in found
        ],
    }


def read_baseline(value: Any) -> tuple[str, dict[tuple[str, str], int]]:
    """The solver, and the median by record and obligation. Raises BadBaseline."""
    try:
        return str(value["solver"]), {(one["record"], one["obligation"]): int(one["median"]) for one in value["obligations"]}
    except (KeyError, TypeError, ValueError) as error:
        raise BadBaseline(f"not what `formal bench --stability --format json` writes ({type(error).__name__}: {error})") from error
