"""What a thread is, by the code that it runs: names of threads are not in a log.

In: an event. Out: a role and how much to trust it (a lower rank goes before a higher one). The places are QEMU's of 7.2 to 10.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FILES: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "util/main-loop.c": (0, "main loop"),
        "util/rcu.c": (1, "call_rcu"),
        "iothread.c": (3, "IOThread"),
    }
)
_EVENTS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "migration_thread_setup_complete": (1, "migration"),
        "migration_thread_after_loop": (1, "migration"),
        "migration_thread_low_pending": (1, "migration"),
        "migration_completion_vm_stop": (2, "migration"),
        "multifd_send_thread_start": (1, "multifd send"),
        "multifd_send_thread_end": (1, "multifd send"),
        "multifd_recv_thread_start": (1, "multifd receive"),
        "multifd_recv_thread_end": (1, "multifd receive"),
        "handle_qmp_command": (3, "monitor"),
        "monitor_qmp_in_band_enqueue": (3, "monitor"),
        "qio_task_thread_run": (3, "I/O task"),
    }
)
_VCPU: Final = (2, "vCPU")
NONE: Final = (99, "")


def role_of_site(site: str) -> tuple[int, str]:
    """What a thread is that takes the BQL there (`util/main-loop.c:318`)."""
    path = site.rpartition(":")[0]
    if path.startswith(("accel/", "target/")):
        return _VCPU
    return _FILES.get(path, NONE)


def role_of_event(name: str) -> tuple[int, str]:
    """What a thread is that logs such an event."""
    return _EVENTS.get(name, NONE)
