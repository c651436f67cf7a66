"""The table of engines. A row names the module that has the engine's `run`; nothing of it is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from formal.engines.protocol import Engine
from formal.program import Program

ENGINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "explicit": "formal.engines.explicit",
        "bmc": "formal.engines.bmc",
        "lemmas": "formal.engines.lemmas",
        "k-induction": "formal.engines.k_induction",
        "pdr": "formal.engines.pdr",
        "families": "formal.engines.families",
    }
)
AUTO: Final = "auto"  # those of RACING side by side; the first conclusive finding for a property counts
BMC: Final = "bmc"
FAMILIES: Final = "families"
LEMMAS: Final = "lemmas"
AT_ONCE: Final = frozenset((FAMILIES,))  # the next one need not wait: this one tells nothing of what is violated
LARGE: Final = 6  # members of a family; fewer are explored one by one, as fast
LARGE_WITH_SEMAPHORES: Final = 3  # where a semaphore may be posted once more for each, which multiplies the states
CROWDED: Final = 6  # threads; of fewer all states are explored in the time that it takes to write down what one step does
RACING: Final = ("explicit", "bmc", "k-induction", "pdr")  # in the order in which they start


def load_engine(name: str) -> Engine:
    """The engine of that name (a key of ENGINES)."""
    return cast(Engine, import_module(ENGINES[name]).run)


def contenders(choice: str, program: Program | None = None, depth: int | None = None) -> tuple[str, ...]:
    """The engines that `--engine choice` stands for. Of a program with large families, one more, which does not care how large they are;
    of one with many threads, one that looks at single steps only. A bounded search has no use for them."""
    if choice != AUTO:
        return (choice,)
    if program is None or depth is not None:
        return RACING
    first, *others = RACING
    racing = (first, LEMMAS, *others) if len(program.threads) >= CROWDED else RACING
    return (FAMILIES, *racing) if any(_large(program, name) for name in program.counts) else racing


def _large(program: Program, name: str) -> bool:
    """Whether a parameter says nothing but how many there are of something, and that there are many."""
    value, counts = program.parameters[name], program.counts[name]
    return isinstance(value, int) and value >= (LARGE_WITH_SEMAPHORES if counts.bounds else LARGE) and counts.otherwise is None
