"""What each model of the regression takes to prove, which engine answers, how large its invariant is, and what solvers say of its record.

In: the folder of records. Out: rows, and a table of Markdown. Whole commands, one round each: what is told apart is models, not machines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOLVERS = ("z3", "cvc5")


@dataclass(frozen=True, slots=True)
class Model:
    """One record. `engines`: who answered how many properties, most first; `clauses`: of the inductive invariant, None without one;
    `rankings`: liveness properties that have one; `said`: by solver, each answer to an obligation and how often it came."""

    file: str
    verdict: str
    seconds: float
    engines: tuple[tuple[str, int], ...]
    clauses: int | None
    rankings: int
    said: dict[str, dict[str, int]]
    rechecked: float


def measure(records: Path) -> Iterator[Model]:
    """One model at a time, by name. What is not a proof or a witness of one model, a stored comparison, is left out."""
    for path in sorted(records.glob("*.json")):
        if path.name.endswith(".compare.json"):
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        proved, seconds = _command("prove", record["file"])
        rechecked, again = _command("recheck", str(path), *(word for solver in SOLVERS for word in ("--solver", solver)))
        engines = Counter(str(prop["engine"]) for prop in proved["properties"] if prop["engine"])
        said: dict[str, Counter[str]] = {solver: Counter() for solver in SOLVERS}
        for answer in rechecked["obligations"]:
            said.setdefault(answer["solver"], Counter())[answer["said"]] += 1
        invariant = record["invariant"]
        yield Model(
            record["file"],
            proved["verdict"],
            seconds,
            tuple(engines.most_common()),
            len(invariant["clauses"]) if invariant else None,
            len(record["rankings"]),
            {solver: dict(answers) for solver, answers in said.items()},
            again,
        )


def _command(*words: str) -> tuple[dict[str, Any], float]:
    """Its JSON document, and the seconds of the whole command."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "formal", *words, "--format", "json"], capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    if done.returncode not in (0, 1):
        raise SystemExit(f"formal {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout), taken


def as_markdown(models: Sequence[Model]) -> str:
    """One row a model, the sums last."""
    return "\n".join(_lines(models)) + "\n"


def _lines(models: Sequence[Model]) -> Iterator[str]:
    yield "# The shipped models"
    yield ""
    yield "Written by `python -m bench --models`. Seconds are of whole commands, one round each. *Invariant*: clauses of the one in the"
    yield "record, from which all that is proved follows, and rankings for what is to happen. *z3*, *cvc5*: how many obligations the solver"
    yield "discharged."
    yield ""
    yield "| model | verdict | prove, s | engine (properties) | invariant | z3 | cvc5 | recheck, s |"
    yield "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: |"
    for model in models:
        engines = ", ".join(f"{name} {count}" for name, count in model.engines)
        size = "-" if model.clauses is None else f"{model.clauses}" + (f" + {model.rankings} rankings" if model.rankings else "")
        asked = " | ".join(_said(model.said.get(solver, {})) for solver in SOLVERS)
        yield f"| `{model.file}` | {model.verdict} | {model.seconds:.2f} | {engines} | {size} | {asked} | {model.rechecked:.2f} |"
    proving, rechecking = (sum(seconds) for seconds in zip(*((model.seconds, model.rechecked) for model in models), strict=True))
    yield f"| {len(models)} models | | {proving:.0f} | | | | | {rechecking:.0f} |"


def _said(answers: dict[str, int]) -> str:
    discharged = answers.get("unsat", 0)
    rest = ", ".join(f"{count} {word}" for word, count in sorted(answers.items()) if word != "unsat")
    return (f"{discharged}" if answers else "-") + (f" ({rest})" if rest else "")
