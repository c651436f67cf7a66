"""What a simulation found, for people and as a document.

In: a program and its `Simulation`. Out: text, or the document that `prove --format json` writes, with what the walks did besides; `formal
replay` takes it. Nothing here calls anything proved.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from formal.formats import Style
from formal.program import Info, Program
from formal.verdict import Report
from formal.walks.covering import Part, lines
from formal.walks.report import report
from formal.walks.simulation import Simulation, Violation
from formal.walks.walk import End


@dataclass(frozen=True, slots=True)
class Simulated:
    """A program with what it was loaded with, and what its walks came to. `seconds`: of the whole command."""

    program: Program
    found: Simulation
    defines: Mapping[str, str]
    extra: tuple[str, ...]
    seconds: float


# ---------------------------------------------------------------- for people


def render_text(simulated: Simulated, style: Style) -> str:
    """Each violation's witness, the summary, and how much of the model was executed."""
    from formal.formats.text import render_replay

    program, found = simulated.program, simulated.found
    head = f"{program.name}: {program.title}" if program.title else program.name
    blocks = [_visible([head, *_summary(simulated)]), _visible(_endings(found)), _visible(_coverage(found))]
    for violation in found.violations:
        shown = render_replay(violation.prop.name, violation.witness, style)
        blocks.append(f"{shown}\n\n" + _visible(_origin(simulated, violation)))
    return "\n\n".join(blocks)


def _visible(lines: Iterable[str]) -> str:
    """Lines without anything that a terminal obeys, whatever the model says."""
    return "\n".join("".join(one if one.isprintable() else "\ufffd" for one in line) for line in lines)


def _summary(simulated: Simulated) -> Iterator[str]:
    found, plan = simulated.found, simulated.found.plan
    taken = f"{_count(found.walks, 'random walk')}, {_count(found.steps, 'step')}, seed {plan.seed}; {simulated.seconds:.2f} s"
    names = [violation.prop.name for violation in found.violations]
    met = f"violated: {', '.join(names)}" if names else "no violation met"
    yield f"{simulated.program.file}: {met} ({taken})"
    if simulated.program.parameters:
        values = ", ".join(f"{name} = {_word(value)}" for name, value in simulated.program.parameters.items())
        yield f"  with {values}"
    if found.interrupted:
        yield f"  interrupted after {found.walks} of {_count(plan.runs, 'walk')}"
    if not names:
        yield "  This is no proof: walks try few of the executions that there are."
        yield f"  `{_command('prove', simulated)}` looks at all of them."


def _endings(found: Simulation) -> Iterator[str]:
    yield "how the walks ended"
    for end in End:
        if found.ends.get(end):
            yield f"  {found.ends[end]:>5} {end}"
    if found.stuck is not None and not any(violation.prop.kind == "deadlock" for violation in found.violations):
        number, standing = found.stuck
        yield f"  The first that got stuck is walk {number}:"
        for name, info in standing:
            yield f"    {name} at `{info.text}` ({info.span.source.path}:{info.span.line})"
        yield "  The model is not declared `deadlock free`, so that this violates nothing."


def _coverage(found: Simulation) -> Iterator[str]:
    covered = found.coverage
    yield f"statements executed: {covered.executed} of {covered.total} ({_percent(covered.executed, covered.total)})"
    rows = [row for part in covered.parts if part.executed < len(part.statements) for row in [_row(part)]]
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, share, missing in rows:
        yield f"  {name:<{width}}  {share:>7}  {missing[0]}"
        for more in missing[1:]:
            yield f"  {'':<{width}}  {'':>7}  {more}"
    if rows:
        yield "  The others are executed whole. What no walk came to may still be reachable."


def _row(part: Part) -> tuple[str, str, list[str]]:
    missing = []
    for word, infos in (("never", part.never), ("waits, never gets past", part.waited)):
        for path, group in groupby(infos, key=lambda info: info.span.source.path):
            missing.append(f"{word}: {path}:{lines(tuple(group))}")
    return part.body.name, f"{part.executed}/{len(part.statements)}", missing


def _origin(simulated: Simulated, violation: Violation) -> Iterator[str]:
    """Where it was met, and how to look at it further."""
    found = simulated.found
    often = f"{violation.walks} of {_count(found.walks, 'walk')}"
    yield f"  met in {often}, first in walk {violation.walk} after {_count(violation.steps, 'step')}"
    if len(violation.witness.steps) < violation.steps:
        yield "  shown is a shorter execution, with what did nothing for it left out"
    yield f"  a shortest one: {_command('prove', simulated, '--property', violation.prop.name)}"


def _command(verb: str, simulated: Simulated, *more: str) -> str:
    words = ["formal", verb, simulated.program.file, *more]
    for name, value in simulated.defines.items():
        words += ["-D", f"{name}={value}"]
    for path in simulated.extra:
        words += ["--with", path]
    return shlex.join(words)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _percent(part: int, whole: int) -> str:
    """Never 100 % for what is not everything."""
    return "nothing to execute" if not whole else f"{100 * part // whole} %"


def _word(value: int | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- as a document


def render_json(simulated: Simulated) -> str:
    """One document. What no walk violates is undecided in it."""
    from formal.formats.json import render

    document: dict[str, Any] = json.loads(render([_report(simulated)], Style()))
    document["simulation"] = _figures(simulated.found)
    return json.dumps(document, indent=1, ensure_ascii=False)


def _report(simulated: Simulated) -> Report:
    found = simulated.found
    violated = {
        one.prop.name: (one.witness, f"met by random walks, first in walk {one.walk} after {_count(one.steps, 'step')}")
        for one in found.violations
    }
    otherwise = f"no violation in {_count(found.walks, 'random walk')}, which prove nothing"
    return report(simulated.program, violated, otherwise, (simulated.defines, simulated.extra), simulated.seconds)


def _figures(found: Simulation) -> dict[str, Any]:
    plan = found.plan
    return {
        "seed": plan.seed,
        "runs": plan.runs,
        "steps": plan.steps,
        "scheduler": plan.scheduler,
        "walks_done": found.walks,
        "steps_done": found.steps,
        "interrupted": found.interrupted,
        "ends": {end.name.lower(): found.ends.get(end, 0) for end in End},
        "violations": {one.prop.name: {"walks": one.walks, "first_walk": one.walk, "first_steps": one.steps} for one in found.violations},
        "coverage": {
            "executed": found.coverage.executed,
            "total": found.coverage.total,
            "bodies": [_body(part) for part in found.coverage.parts],
        },
    }


def _body(part: Part) -> dict[str, Any]:
    span = part.body.decl.span
    return {
        "name": part.body.name,
        "kind": part.body.kind,
        "source": {"file": span.source.path, "line": span.line},
        "executed": part.executed,
        "total": len(part.statements),
        "never": [_place(info) for info in part.never],
        "waits": [_place(info) for info in part.waited],
    }


def _place(info: Info) -> dict[str, Any]:
    return {"statement": info.text, "file": info.span.source.path, "line": info.span.line}
