"""Sentences about a comparison, for text and page alike. In: parts of a comparison. Out: words. Must not lay anything out."""

from __future__ import annotations

from formal.compare.comparison import Comparison, Reverted
from formal.compare.following import Course, Gap
from formal.verdict import Verdict


def verdict(found: Comparison) -> str:
    """The answer in one sentence."""
    if found.certified:
        return "BEFORE is violated as it expects, AFTER is proved"
    return "undecided" if found.undecided else "AFTER is not shown to mend BEFORE"


def needed(one: Reverted) -> str:
    """What comes of taking changes back."""
    if one.report is None:
        return f"cannot be taken back: {one.refused}"
    if one.broken:
        told = ", ".join(f"{result.name} in {steps(result.depth or 0)}" for result in one.broken[:3])
        more = f" and {len(one.broken) - 3} more" if len(one.broken) > 3 else ""
        return f"violates {told}{more}"
    if one.report.verdict is Verdict.PROVED:
        return "everything is proved all the same: no property needs " + ("it" if len(one.numbers) == 1 else "them")
    undecided = [result.name for result in one.report.properties if result.verdict is Verdict.UNDECIDED]
    return f"undecided: {', '.join(undecided)}"


def title(found: Comparison, one: Reverted) -> str:
    """Which changes."""
    if len(one.numbers) == 1:
        return f"change {one.numbers[0]}"
    wheres = {found.changes[number - 1].where for number in one.numbers}
    numbers = ", ".join(map(str, one.numbers))
    return f"changes {numbers} ({'those ' + wheres.pop() if len(wheres) == 1 else 'all'})"


def first(one: Course) -> str:
    """Where a witness of BEFORE is no longer possible, in one sentence."""
    if not one.gaps:
        return f"AFTER can take all of its {steps(one.steps)}"
    gap = one.gaps[0]
    return f"no longer possible from step {gap.step} of {one.steps} on: {_gap(gap)}"


def later(one: Course) -> list[str]:
    """What comes behind that, if one goes on as near to it as AFTER lets one; the last line says where it ends."""
    lines = [f"step {gap.step}: {_gap(gap)}" for gap in one.gaps[1:]]
    if one.end:
        lines.append(one.end)
    elif one.gaps:
        lines.append(f"there it ends: {one.taken} of {one.steps} steps are possible" if one.taken else "there it ends")
    return lines


def _gap(gap: Gap) -> str:
    statement = f"`{gap.statement}`"
    where = f" in {gap.body}" if gap.body else ""
    match gap.kind:
        case "gone":
            return f"AFTER has no {statement}{where}, which {gap.thread} executes here"
        case "own":
            return f"AFTER's {gap.thread} executes {statement}{where}, which BEFORE does not have"
        case "blocked":
            return f"{gap.thread} cannot execute {statement}{where}" + (f": {gap.why}" if gap.why else "")
        case "elsewhere":
            return f"{gap.thread} stands at {statement}{where} instead" if gap.statement else f"{gap.thread} is not there: {gap.why}"
        case _:
            return f"{gap.thread} executes {statement}{where}, but {gap.why}"


def steps(number: int) -> str:
    """ "1 step", "2 steps"."""
    return f"{number} step{'' if number == 1 else 's'}"
