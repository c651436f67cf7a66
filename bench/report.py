"""Measurements as a table of Markdown and as JSON, and where tools contradict each other. In: `Measured`. Out: text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.peers import COLUMNS, NONE_WITHIN, PROVED, TIMEOUT, VIOLATED, Measured, Result, Row


def contradictions(measured: Measured) -> list[str]:
    """Sizes at which one tool says violated, and another one that nothing is."""
    found = []
    for row in measured.rows:
        said = {name: result.verdict for name, result in row.results.items()}
        if VIOLATED in said.values() and PROVED in said.values():
            found.append(f"{row.ladder.name} {row.size}: " + ", ".join(f"{name} {verdict}" for name, verdict in said.items()))
    return found


def ratio(row: Row, name: str) -> float | None:
    """How many times as long as `formal` that tool took; None where one of them came to no end."""
    ours, theirs = row.results.get("formal"), row.results.get(name)
    if ours is None or theirs is None or TIMEOUT in (ours.verdict, theirs.verdict) or not ours.median or theirs.median is None:
        return None
    return theirs.median / ours.median


def as_json(measured: Measured) -> str:
    """All figures, the single rounds included."""
    document = {
        "machine": measured.machine,
        "versions": dict(measured.versions),
        "limit": measured.limit,
        "rounds": measured.rounds,
        "cut_short": measured.cut_short,
        "rows": [
            {
                "ladder": row.ladder.name,
                "model": row.ladder.model,
                "parameters": row.ladder.defines(row.size),
                "size": row.size,
                "results": {name: _figures(result) for name, result in row.results.items()},
            }
            for row in measured.rows
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _figures(result: Result) -> dict[str, object]:
    return {"verdict": result.verdict, "seconds": [round(taken, 3) for taken in result.seconds], "median": round(result.median or 0.0, 3)}


def as_markdown(measured: Measured) -> str:
    """One table a ladder."""
    return "\n".join(_lines(measured)) + "\n"


def _lines(measured: Measured) -> Iterator[str]:
    yield "# formal beside its peers"
    yield ""
    yield "Written by `python -m bench`. Every tool answers whether any property asked for is violated, of the same transition system"
    yield "(`formal export`, which is not counted), whole command against whole command, median seconds of alternating rounds."
    yield f"`>`: not within {measured.limit:g} s; `-`: not asked, since a smaller size was too much; in brackets: times what formal takes."
    yield "`SPIN` is `spin -a`, `gcc -O2 -DSAFETY` and `pan`; `SPIN, compiled` is `pan` alone. `Z3, unrolled` answers a smaller question:"
    yield "only executions of so many steps. Of a violation `formal` tells a shortest one, or says that there may be shorter ones; SPIN"
    yield "and pdr tell any. `formal` has run before: its bytecode and the texts that it has parsed are there, but no verdicts."
    yield ""
    yield "![times what formal takes](peers.svg)"
    yield ""
    yield f"* Machine: {measured.machine}"
    yield "* Versions: " + ", ".join(f"{name} {number}" for name, number in measured.versions.items())
    yield f"* Rounds: {measured.rounds}; limit for one command: {measured.limit:g} s" + (
        "; the run was cut short" if measured.cut_short else ""
    )
    ladders = dict.fromkeys(row.ladder.name for row in measured.rows)
    for name in ladders:
        rows = [row for row in measured.rows if row.ladder.name == name]
        yield ""
        yield f"## {name}"
        yield ""
        asked = ", ".join(f"`{prop}`" for prop in rows[0].ladder.properties) or "all safety properties"
        yield f"`{rows[0].ladder.model}`, {asked}, by number of {rows[0].ladder.size}."
        yield ""
        yield f"| {rows[0].ladder.size} | verdict | {' | '.join(COLUMNS)} |"
        yield "| --- | --- |" + " ---: |" * len(COLUMNS)
        for row in rows:
            yield f"| {row.size} | {_verdict(row)} | {' | '.join(_cell(row, name, measured.limit) for name in COLUMNS)} |"
    wrong = contradictions(measured)
    yield ""
    yield "## Verdicts"
    yield ""
    yield from [f"* **{line}**" for line in wrong] or ["No two tools contradict each other."]


def _verdict(row: Row) -> str:
    """What those say who came to an end; Z3 knows of no proof."""
    said = dict.fromkeys(result.verdict for result in row.results.values() if result.verdict in (PROVED, VIOLATED))
    return " **and** ".join(said) or "open"


def _cell(row: Row, name: str, limit: float) -> str:
    result = row.results.get(name)
    if result is None:
        return "-"
    if result.verdict == TIMEOUT:
        return f"> {limit:g}"
    taken = f"{result.median:.2f}"
    times = ratio(row, name)
    more = f" ({times:.2g} x)" if times is not None and name != "formal" else ""
    bounded = f", {result.verdict.removeprefix(NONE_WITHIN).strip()} steps" if result.verdict.startswith(NONE_WITHIN) else ""
    return f"{taken}{more}{bounded}" if result.verdict != "undecided" else f"{taken}, no answer"
