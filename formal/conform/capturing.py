"""What QEMU has to be told, so that its log has the events that a mapping names.

In: a mapping, or names of events. Out: the events, options of QEMU's command line, commands for its monitor. Checked against QEMU 7.2; an
event that a version does not have is told by QEMU itself, which then goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.conform.mapping import Mapping


def events(mapping: Mapping) -> tuple[str, ...]:
    """The events that the mapping looks at, in alphabetical order. What it ignores need not be in a log."""
    patterns = [rule.pattern for rule in mapping.rules] + [one.pattern for one in mapping.objects.values()]
    patterns += [one for one in (mapping.first, mapping.last) if one is not None]
    return tuple(sorted({one.event for one in patterns if one.event is not None} | set(mapping.only)))


def from_anywhere(mapping: Mapping | None) -> bool:
    """Whether the log may begin with QEMU itself: with a mapping that names no start, it has to begin where the model does."""
    return mapping is None or mapping.first is not None or mapping.start == "reachable"


def options(log: str, file: str | None, names: Sequence[str]) -> list[list[str]]:
    """QEMU's options, each with its value. `file`: where the list of events is, None to name them here."""
    traced = [["-trace", f"events={file}"]] if file is not None else [["-trace", name] for name in names]
    return [["-msg", "timestamp=on"], ["-D", log], *traced]


def switch(log: str) -> str:
    """The command of QEMU's human monitor from which on all goes to that file.

    Switching on events one by one would begin a log with halves of what happens. The main loop runs this command, and has the BQL: until it
    gives that back, no other thread does what the models are about.
    """
    return f"logfile {log}"


def switch_qmp(log: str) -> dict[str, object]:
    """The same for QMP."""
    return {"execute": "human-monitor-command", "arguments": {"command-line": switch(log)}}
