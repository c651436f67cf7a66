"""The table of engines. A row names the module that has the engine's `run`; nothing of it is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from formal.engines.protocol import Engine

ENGINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "explicit": "formal.engines.explicit",
        "bmc": "formal.engines.bmc",
        "lemmas": "formal.engines.lemmas",
        "k-induction": "formal.engines.k_induction",
        "pdr": "formal.engines.pdr",
    }
)
AUTO: Final = "auto"  # those of RACING side by side; the first conclusive finding for a property counts
RACING: Final = ("explicit", "bmc", "k-induction", "pdr")  # in the order in which they start


def load_engine(name: str) -> Engine:
    """The engine of that name (a key of ENGINES)."""
    return cast(Engine, import_module(ENGINES[name]).run)


def contenders(choice: str) -> tuple[str, ...]:
    """The engines that `--engine choice` stands for."""
    return RACING if choice == AUTO else (choice,)
