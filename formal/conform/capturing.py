"""What QEMU has to be told, so that its log has the events that a mapping names.

In: a mapping, or names of events. Out: the events, options of QEMU's command line, commands for its monitor. Checked against QEMU 7.2; an event
that a version does not have is told by QEMU itself, which then goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from formal.conform.mapping import Mapping

LOCKS: Final = "qemu_mutex_"
TOGETHER: Final = f"{LOCKS}*"  # taken, and given back: switched on one by one, a log begins with half of what happens to a lock


def events(mapping: Mapping) -> tuple[str, ...]:
    """The events that the mapping looks at, in alphabetical order. What it ignores need not be in a log."""
    patterns = [rule.pattern for rule in mapping.rules] + [one.pattern for one in mapping.objects.values()]
    patterns += [one for one in (mapping.first, mapping.last) if one is not None]
    return tuple(sorted({one.event for one in patterns if one.event is not None} | set(mapping.only)))


def options(log: str, file: str | None, names: Sequence[str]) -> list[list[str]]:
    """QEMU's options for a log of the whole run, each with its value. `file`: where the list of events is, None to name them here."""
    first = [["-msg", "timestamp=on"], ["-D", log]]
    return [*first, ["-trace", f"events={file}"]] if file is not None else [*first, *(["-trace", name] for name in names)]


def patterns(names: Sequence[str]) -> list[str]:
    """The events as patterns that can be switched on in a run, one after the other: a lock's events together, and last."""
    others = [name for name in names if not name.startswith(LOCKS)]
    return others + ([TOGETHER] if len(others) < len(names) else [])


def monitor(names: Sequence[str]) -> list[dict[str, object]]:
    """The QMP commands that switch them on."""
    return [{"execute": "trace-event-set-state", "arguments": {"name": name, "enable": True}} for name in patterns(names)]
