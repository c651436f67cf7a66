"""What is measured: models, each over sizes of one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ladder:
    """One model over growing sizes. `name`: for tables; `size`: what grows, in words; `parameters`: those that are set to the size;
    `properties`: what is asked of all tools, all safety properties if it is empty."""

    name: str
    model: str
    size: str
    parameters: tuple[str, ...]
    sizes: tuple[int, ...]
    properties: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)

    def defines(self, size: int) -> dict[str, str]:
        return {**dict.fromkeys(self.parameters, str(size)), **self.fixed}


LADDERS = (
    Ladder("savevm_locked", "models/savevm_locked.dsl", "vCPUs", ("VCPUS",), (1, 2, 4, 8, 16, 32, 64)),
    Ladder("savevm_unlocked", "models/savevm_unlocked.dsl", "vCPUs", ("VCPUS",), (1, 2, 4, 8, 16, 32, 64), ("wrong_context",)),
    Ladder("multifd_sync_unlocked", "models/multifd_sync_unlocked.dsl", "channels", ("CHANNELS",), (1, 2, 4, 8, 16, 32, 64)),
    Ladder(
        "multifd_sync_locked", "models/multifd_sync_locked.dsl", "channels", ("CHANNELS",), (1, 2, 4, 8, 16, 32, 64), ("deadlock.global",)
    ),
    Ladder(
        "philosophers_naive",
        "models/classic/philosophers_naive.dsl",
        "philosophers",
        ("PHILOSOPHERS",),
        (3, 6, 9, 12, 16, 24),
        ("deadlock.global",),
    ),
    Ladder("philosophers_ordered", "models/classic/philosophers_ordered.dsl", "philosophers", ("PHILOSOPHERS",), (3, 5, 7, 9, 12, 16, 24)),
    Ladder(
        "bounded_buffer",
        "models/classic/bounded_buffer_conditions.dsl",
        "producers, and as many consumers",
        ("PRODUCERS", "CONSUMERS"),
        (1, 2, 3, 4),
    ),
    Ladder("callbacks", "models/save_setup/many.dsl", "callbacks", ("CALLBACKS",), (1, 2, 4, 8, 16, 32)),
    Ladder("peterson", "models/classic/peterson.dsl", "processes", (), (2,)),
)

QUICK = (
    Ladder("peterson", "models/classic/peterson.dsl", "processes", (), (2,)),
    Ladder("philosophers_naive", "models/classic/philosophers_naive.dsl", "philosophers", ("PHILOSOPHERS",), (3, 6), ("deadlock.global",)),
    Ladder("savevm_locked", "models/savevm_locked.dsl", "vCPUs", ("VCPUS",), (1, 4)),
    Ladder("multifd_sync_locked", "models/multifd_sync_locked.dsl", "channels", ("CHANNELS",), (1, 2), ("deadlock.global",)),
)
