"""What formats do that hold one trace a document: which violation they show, and what is said of those that they don't.

In: reports. Out: the first violation in order of the reports, and a line for each of the others. Nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formal.verdict import PropertyResult, Report, Witness


@dataclass(frozen=True, slots=True)
class Violation:
    """One violated property with its witness."""

    report: Report
    result: PropertyResult
    witness: Witness


def violations(reports: Sequence[Report]) -> tuple[Violation, ...]:
    """All of them, in order."""
    return tuple(
        Violation(report, result, result.witness) for report in reports for result in report.properties if result.witness is not None
    )


def left_out(reports: Sequence[Report], name: str) -> tuple[str, ...]:
    """What a document of that format does not show, for the user to read."""
    found = violations(reports)
    if not found:
        return (f"no property is violated: {name} has no trace to show",)
    shown, others = found[0], found[1:]
    if not others:
        return ()
    told = ", ".join(f"{one.result.name} of {one.report.file}" for one in others)
    first = f"{name} shows one trace: {shown.result.name} of {shown.report.file}"
    return (f"{first}; violated, too, and not shown: {told} (--property NAME chooses)",)
