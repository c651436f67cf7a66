"""Compares the two readings of the language on one program: the interpreter with the explicit engine, the encoding with the bounded one.

They must agree, property by property, on whether it is violated within a depth, on the length of the shortest witness and on the fewest
context switches of a witness of that length; and the interpreter must be able to replay what either of them found, state by state.
Run as a script it compares many seeded random models: `python tests/differential.py --count 2000`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass

from formal.diagnostics import InternalError
from formal.engines import bmc, explicit
from formal.engines.explicit import survey
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load_text
from formal.interp import Machine, replay
from formal.program import Program
from formal.verdict import Verdict

TOO_LARGE = "too large to encode"  # how the encoding begins its refusal


class Disagreement(AssertionError):
    """The two readings differ, or a witness does not replay."""


class Incomparable(Exception):
    """One of the readings refuses the model for its size, and says so: nothing to compare."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one engine says of one property."""

    verdict: Verdict
    depth: int | None
    switches: int | None


def safety(program: Program) -> tuple[str, ...]:
    """The names of the properties that both engines settle: all but liveness."""
    return tuple(p.name for p in program.properties if p.kind != "liveness")


def findings(
    engine: str, program: Program, properties: tuple[str, ...], depth: int | None, without: frozenset[str] = frozenset()
) -> dict[str, Finding]:
    """Runs one engine to its end."""
    found: dict[str, Finding] = {}

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            if event.prop in found:
                raise Disagreement(f"{engine} settles {event.prop} twice")
            found[event.prop] = event

    {"explicit": explicit.run, "bmc": bmc.run}[engine](program, Options(properties=properties, depth=depth, without=without), tell)
    return found


def outcome(program: Program, machine: Machine, engine: str, finding: Finding) -> Outcome:
    """Replays a violation; of the others keeps the verdict."""
    if finding.verdict is not Verdict.VIOLATED:
        return Outcome(finding.verdict, finding.depth, None)
    assert finding.trace is not None
    try:
        witness = replay(machine, finding.trace)
    except InternalError as error:
        raise Disagreement(f"{finding.prop}: the witness of {engine} does not replay: {error}") from error
    if len(witness.steps) != finding.depth:
        raise Disagreement(f"{finding.prop}: {engine} says {finding.depth} steps, its witness has {len(witness.steps)}")
    return Outcome(finding.verdict, finding.depth, witness.context_switches)


def compare(program: Program, depth: int) -> dict[str, Outcome]:
    """Raises Disagreement unless both engines say the same within `depth` steps; returns what they say."""
    properties = safety(program)
    machine = Machine(program)
    said: dict[str, Outcome] = {}
    one, other = findings("explicit", program, properties, depth), findings("bmc", program, properties, depth)
    for name in properties:
        if name not in one or name not in other:
            raise Disagreement(f"{name}: settled by explicit: {name in one}, by bmc: {name in other}")
        left, right = outcome(program, machine, "explicit", one[name]), outcome(program, machine, "bmc", other[name])
        if right.verdict is Verdict.UNDECIDED and other[name].reason.startswith(TOO_LARGE):
            raise Incomparable(other[name].reason)
        if Verdict.UNDECIDED in (left.verdict, right.verdict):
            raise Disagreement(f"{name}: explicit {left} ({one[name].reason}), bmc {right} ({other[name].reason})")
        if (left.verdict is Verdict.VIOLATED) != (right.verdict is Verdict.VIOLATED):
            raise Disagreement(f"{name}: explicit says {left}, bmc says {right}")
        if left.verdict is Verdict.VIOLATED and left != right:
            raise Disagreement(f"{name}: explicit says {left}, bmc says {right}")
        said[name] = left
    return said


def parsed(text: str) -> Program:
    """The typed program of a generated text; a text that the front end refuses is a fault of the generator or of the front end."""
    loaded = load_text(text)
    if loaded.program is None:
        raise Disagreement("refused: " + "; ".join(f"{d.code} {d.message}" for d in loaded.diagnostics[:2]))
    return loaded.program


def size(program: Program, most: int = 20_000) -> bool:
    """Whether the whole graph is small enough for liveness."""
    return survey(program, most).exhausted


def compare_liveness(program: Program, depth: int) -> dict[str, Outcome]:
    """The explicit engine decides on the whole graph; the bounded one must find what fits into `depth` steps, and nothing else."""
    properties = tuple(p.name for p in program.properties if p.kind == "liveness")
    if not properties:
        return {}
    machine = Machine(program)
    said: dict[str, Outcome] = {}
    one, other = findings("explicit", program, properties, None), findings("bmc", program, properties, depth)
    for name in properties:
        left, right = outcome(program, machine, "explicit", one[name]), outcome(program, machine, "bmc", other[name])
        violated = left.verdict is Verdict.VIOLATED
        fits = violated and left.depth is not None and left.depth <= depth
        if left.verdict is Verdict.UNDECIDED or (fits and right.verdict is not Verdict.VIOLATED):
            raise Disagreement(f"{name}: explicit says {left}, bmc says {right}")
        if right.verdict is Verdict.VIOLATED and not violated:
            raise Disagreement(f"{name}: explicit says {left}, bmc says {right}")
        exact = "perhaps" not in one[name].reason
        if (
            fits
            and right.depth is not None
            and left.depth is not None
            and (right.depth > left.depth or (exact and right.depth < left.depth))
        ):
            raise Disagreement(f"{name}: the shortest lasso of explicit has {left.depth} steps, that of bmc {right.depth}")
        said[name] = left
    return said


def main() -> int:
    from strategies import ModelText
    from systems import SystemBuilder

    parser = argparse.ArgumentParser(description="compare the two readings on random models")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=7)
    parser.add_argument("--systems", action="store_true", help="typed transition systems instead of texts")
    arguments = parser.parse_args()
    tally: Counter[str] = Counter()
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        source = random.Random(seed)
        try:
            program = SystemBuilder(source.randrange).program() if arguments.systems else parsed(ModelText(source.randrange).text())
            said = compare(program, arguments.depth) | (compare_liveness(program, arguments.depth) if size(program) else {})
        except Incomparable:
            tally["too large to encode"] += 1
            continue
        except Disagreement as error:
            tally["disagreements"] += 1
            print(f"seed {seed}: {error}", flush=True)
            continue
        except Exception as error:
            tally["crashes"] += 1
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            continue
        tally["models"] += 1
        for name, result in said.items():
            tally[f"{name.split('.')[0] if not name.startswith('deadlock') else name} {result.verdict}"] += 1
    for key, count in sorted(tally.items()):
        print(f"{count:6} {key}")
    return 1 if tally["disagreements"] or tally["crashes"] else 0


if __name__ == "__main__":
    sys.exit(main())
