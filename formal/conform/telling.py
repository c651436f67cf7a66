"""What became of logs, as text and as data for JSON.

In: results. Out: text of at most the width given where words can be broken, or a document. Must not judge.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from formal import __version__
from formal.conform.mutating import KINDS, Mutant
from formal.conform.result import Allowed, Observed, Rejection, Result, Statement, Stood

SHOWN = 5  # rows of a list; how many more there are is said
FRAMES = 3  # of a stack, the innermost


def text(result: Result, width: int) -> str:
    """The answer for one log."""
    head = f"{result.log}: {result.status}"
    if result.rejection is not None:
        head += f" at line {result.rejection.event.number}"
    model = result.file + (f" with {', '.join(result.extra)}" if result.extra else "")
    lines = [head, *_wrapped(f"model {model}", width, "  "), *_counts(result, width), *_threads(result, width)]
    if result.rejection is not None:
        lines += ["", *_rejection(result.rejection, width)]
    for observed in result.observed:
        lines += ["", *_observed(observed, width)]
    if result.why_undecided:
        lines += ["", *_wrapped(result.why_undecided, width, "  ")]
    lines += ["", *_coverage(result, width)] if result.status == "accepted" else []
    return "\n".join(lines)


def _wrapped(words: str, width: int, indent: str, further: str | None = None) -> list[str]:
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent, wrapper.subsequent_indent = indent, indent if further is None else further
    return wrapper.wrap(words) or [""]


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _counts(result: Result, width: int) -> Iterator[str]:
    tally = result.tally
    fits = tally.mapped - (result.rejection is not None)
    yield from _wrapped(f"{_number(result.lines, 'line')}, {_number(tally.mapped, 'mapped event')}, of which {fits:,} fit", width, "  ")
    passed = [
        (result.comments, "comments"),
        (result.other_lines, "known to be no events"),
        (tally.before, "before the model's start"),
        (tally.behind, "behind the model's end"),
        (tally.elsewhere, "about other objects"),
        *((count, f"ignored: {why}") for why, count in tally.ignored.items()),
    ]
    for count, what in passed:
        if count:
            yield from _wrapped(f"{count:>9,} {what}", width, "  ", " " * 12)
    if tally.unmapped:
        yield from _wrapped(f"{tally.unmapped.total():>9,} not in the mapping: {_listed(tally.unmapped)}", width, "  ", " " * 12)


def _listed(events: Counter[str]) -> str:
    rows = [f"{name} {count:,}" for name, count in events.most_common(SHOWN)]
    more = len(events) - len(rows)
    return ", ".join(rows) + (f", and {more} others" if more else "")


def _threads(result: Result, width: int) -> list[str]:
    told = [f"{known} is {' or '.join(names)}" for known, names in result.threads.items()]
    return _wrapped(f"threads: {', '.join(told)}", width, "  ") if told else []


# ---------------------------------------------------------------- rejected


def _rejection(rejection: Rejection, width: int) -> Iterator[str]:
    event = rejection.event
    yield from _wrapped(f"{event.number} | {event.thread}@…:{event.name} {event.arguments}".rstrip(), width, "  ", "      ")
    who = " or ".join(rejection.threads) or "no thread of the model"
    if not rejection.known:
        yield from _wrapped(
            "No rule of the mapping says what such a line is: it is about something that the model does not have.", width, "  "
        )
    before = "" if rejection.previous is None else f", the last of them on line {rejection.previous}"
    yield from _wrapped(
        f"The {_number(rejection.fitting, 'mapped event')} before it fit{before}. Thread {event.thread} is {who}.", width, "  "
    )
    places = [one for one in rejection.stood if one.here]
    if places:
        yield from _rows("In the way:", [_stood(one) for one in places], width)
    elif rejection.known:
        others = [_stood(one) for one in rejection.stood]
        yield from _rows("No execution has that thread at such a step here. It may stand at:", others, width)
    own = [_allowed(one) for one in rejection.allowed if one.thread in rejection.threads]
    yield from _rows("What the model allows that thread to log next:", own, width)
    yield from _rows(
        "What it allows others:" if own else "What the model allows others to log next:",
        [_allowed(one) for one in rejection.allowed if one.thread not in rejection.threads],
        width,
    )


def _rows(head: str, rows: Sequence[str], width: int) -> Iterator[str]:
    if not rows:
        return
    yield f"  {head}"
    for row in rows[:SHOWN]:
        yield from _wrapped(row, width, "    ", "      ")
    if len(rows) > SHOWN:
        yield f"    and {len(rows) - SHOWN} more, in --format json"


def _place(statement: Statement, stack: Sequence[str]) -> str:
    frames = ("…", *stack[-FRAMES:]) if len(stack) > FRAMES else stack
    inside = f", in {' > '.join(frames)}" if len(stack) > 1 else ""
    return f"`{statement.text}` ({statement.source.file}:{statement.source.line}{inside})"


def _stood(one: Stood) -> str:
    return f"{one.thread} at {_place(one.statement, one.stack)}" + (f": {one.wait}" if one.wait else "")


def _allowed(one: Allowed) -> str:
    return f"{one.thread}: {one.shown}, as {_place(one.statement, one.stack)}"


# ---------------------------------------------------------------- accepted


def _observed(observed: Observed, width: int) -> Iterator[str]:
    where = "at the start" if observed.line is None else f"line {observed.line}"
    yield from _wrapped(f"observed: {observed.prop}, {where}: {observed.why}.", width, "  ")
    if observed.explanation:
        yield from _wrapped(f"In an execution of {observed.steps} steps that shows the log: {observed.explanation}", width, "    ")


def _coverage(result: Result, width: int) -> Iterator[str]:
    coverage = result.coverage
    if coverage is None:
        words = "which statements it reaches was not looked into: too many different sets of states to go back through"
        yield from _wrapped(words, width, "  ")
        return
    total = len(coverage.covered) + len(coverage.missed)
    yield from _wrapped(
        f"executions that show the log reach {len(coverage.covered)} of {_number(total, 'statement')} of the model", width, "  "
    )
    rows = [f"{one.source.file}:{one.source.line}: `{one.text}`, in {one.body}" for one in coverage.missed]
    yield from _rows("never reached:", rows, width)


# ---------------------------------------------------------------- JSON


def document(result: Result) -> dict[str, Any]:
    """The same as data; lists are whole."""
    tally, coverage = result.tally, result.coverage
    return {
        "formal": __version__,
        "model": result.model,
        "file": result.file,
        "with": list(result.extra),
        "parameters": dict(result.parameters),
        "mapping": result.mapping,
        "log": result.log,
        "verdict": result.status,
        "reason": result.why_undecided or None,
        "seconds": round(result.seconds, 3),
        "lines": result.lines,
        "events": {
            "mapped": tally.mapped,
            "comments": result.comments,
            "no_events": result.other_lines,
            "before_start": tally.before,
            "behind_end": tally.behind,
            "other_objects": tally.elsewhere,
            "ignored": dict(tally.ignored),
            "unmapped": dict(tally.unmapped),
        },
        "largest_set": result.largest,
        "threads": {str(known): list(names) for known, names in result.threads.items()},
        "rejection": None if result.rejection is None else _rejection_document(result.rejection),
        "observed": [
            {"property": one.prop, "line": one.line, "reason": one.why, "steps": one.steps, "explanation": one.explanation}
            for one in result.observed
        ],
        "coverage": None
        if coverage is None
        else {"covered": [_statement(one) for one in coverage.covered], "missed": [_statement(one) for one in coverage.missed]},
    }


def _rejection_document(rejection: Rejection) -> dict[str, Any]:
    event = rejection.event
    return {
        "line": event.number,
        "event": event.name,
        "arguments": event.arguments,
        "thread_id": event.thread,
        "known": rejection.known,
        "fitting": rejection.fitting,
        "previous_line": rejection.previous,
        "threads": list(rejection.threads),
        "stood": [{**_at(one), "place_of_event": one.here, "wait": one.wait or None} for one in rejection.stood],
        "allowed": [{**_at(one), "logged_as": one.shown} for one in rejection.allowed],
    }


def _statement(one: Statement) -> dict[str, Any]:
    return {"statement": one.text, "body": one.body, "source": {"file": one.source.file, "line": one.source.line}}


def _at(one: Stood | Allowed) -> dict[str, Any]:
    return {"thread": one.thread, **_statement(one.statement), "stack": list(one.stack)}


def mutation_text(path: str, mutants: Sequence[Mutant], seed: int, width: int) -> str:
    """How many lies were noticed, and why the others were not."""
    caught = [one for one in mutants if one.rejected is not None]
    late = sorted(one.late or 0 for one in caught)
    lines = [f"{path}: {len(caught)} of {_number(len(mutants), 'mutant')} rejected (seed {seed})"]
    for kind in KINDS:
        of_kind = [one for one in mutants if one.kind == kind]
        noticed = sum(one.rejected is not None for one in of_kind)
        what = "two lines swapped" if kind == "swapped" else "a line dropped" if kind == "dropped" else "a thread id changed"
        lines.append(f"  {noticed:>4} of {len(of_kind):>4} with {what}")
    if late:
        at_once = sum(one == 0 for one in late)
        words = f"{at_once} at the line itself, the others up to {late[-1]} mapped events later (half of all within {late[len(late) // 2]})"
        lines += _wrapped(words, width, "  ")
    reasons = Counter((one.kind, one.why) for one in mutants if one.rejected is None)
    for (kind, why), count in reasons.most_common():
        lines += _wrapped(f"not noticed: {count} {kind}: {why}", width, "  ", "    ")
    return "\n".join(lines)


def mutation_document(path: str, mutants: Sequence[Mutant], seed: int) -> dict[str, Any]:
    """The same as data."""
    rows = [
        {"kind": one.kind, "line": one.line, "rejected_at": one.rejected, "events_later": one.late, "reason": one.why or None}
        for one in mutants
    ]
    return {"formal": __version__, "log": path, "seed": seed, "rejected": sum(one.rejected is not None for one in mutants), "mutants": rows}
