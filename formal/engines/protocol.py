"""What every engine takes and tells. An engine is a function `run(program, options, tell)`; it tells events as it goes and returns when
it has nothing more to say. It never prints, never reads a clock to decide a verdict, and never calls another engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.program import Program
from formal.verdict import Trace, Verdict

CONE: Final = "cone"
MERGING: Final = "merging"
OWNERSHIP: Final = "ownership"
SYMMETRY: Final = "symmetry"

# What engines may leave out of a search without changing its answer; each can be switched off (--no-reduce NAME).
REDUCTIONS: Final[Mapping[str, str]] = {
    CONE: "variables that nothing asked for depends on are left out (all engines)",
    MERGING: "steps that nobody can tell the time of are taken together with the one before (explicit)",
    "distances": "a step is built without the places that no thread can have come to so soon (bmc)",
    OWNERSHIP: "what control flow says about who owns a lock is proved, and told to the solver (bmc)",
    SYMMETRY: "of states that differ only in which of several alike threads, channels, … is which, one is looked at (explicit); "
    "alike threads move for the first time in the order of their numbers (bmc); lemmas are found and proved for one of them (lemmas)",
}


@dataclass(frozen=True, slots=True)
class Options:
    """`properties`: the names to settle. `depth`: look no further than this many steps (None: until everything is settled).
    `memory`: mebibytes after which the engine stops with undecided. `without`: names of REDUCTIONS to leave out. `extra`: the --with files
    that the program was loaded with. `as_written`: it is what its text says, which can be read again with other parameters."""

    properties: tuple[str, ...]
    depth: int | None = None
    memory: int = 4096
    without: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    as_written: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One property is settled, for good. `depth`: steps covered (proved_up_to) or the trace's length (violated). `reason`: one line.
    An `undecided` finding says why this engine gave up on it. `shortest`: no violation is shorter than the trace. `least`: of a proof for
    every size, the parameters that say how many there are, and from which value of each on it is one."""

    prop: str
    verdict: Verdict
    depth: int | None
    reason: str
    trace: Trace | None = None
    shortest: bool = True
    least: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """No property that is still open is violated within `depth` steps. `note` is shown on a terminal ("1,204 states")."""

    depth: int
    note: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures for --stats, by name: states, transitions, variables, clauses, seconds of a stage."""

    figures: Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True)
class Outline:
    """What holds where, for a reader, proved inductive: lines, and the properties that follow from it alone."""

    lines: tuple[str, ...]
    proves: tuple[str, ...]


Event: TypeAlias = Finding | Progress | Statistics | Outline
Tell: TypeAlias = Callable[[Event], None]
Engine: TypeAlias = Callable[[Program, Options, Tell], None]
