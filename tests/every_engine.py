"""Every engine against the exploration of all states, on random models. Run it by hand: `python tests/every_engine.py --count 2000`.

In: seeds. Out: how many answers were compared, and each contradiction. An engine has a few seconds for a model; what it has not settled
by then is not compared, and counted. The bounded engine looks one step further than the longest of the shortest violations: without an
end it would use up its time wherever anything holds. Beside the engines, invariants are learned for what is proved, and put to fresh
solvers.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable

from certificates import answers
from differential import Disagreement, parsed, size
from strategies import ModelText
from systems import SystemBuilder
from tangles import Tangle

from formal.certificates.learning import NotLearned, learn
from formal.certificates.making import MEMORY
from formal.certificates.whereabouts import Unplaced
from formal.children import Child, Ended, Tell, wait
from formal.engines import ENGINES, load_engine
from formal.engines.exploration import Exploration
from formal.engines.protocol import Finding, Options
from formal.interp import Machine
from formal.program import Loop, Program, While
from formal.rewriting.bodies import statements_of
from formal.smt.cfg import EncodingLimitError
from formal.smt.pool import Inconclusive
from formal.verdict import Verdict

MOST_STATES = 5_000
LEAST_DEPTH = 6  # steps that the bounded engine looks at where nothing is violated, or sooner


def model(seed: int) -> Program | None:
    """A random model, by turns from each generator; None if it is too large to explore, or nothing is asked."""
    pick = random.Random(seed).randrange
    try:
        match seed % 3:
            case 0:
                program = SystemBuilder(pick).program()
            case 1:
                program = parsed(ModelText(pick).text())
            case _:
                program = parsed(Tangle(pick).text())
    except Disagreement:
        return None
    return program if program.properties and size(program, MOST_STATES) else None


def told(work: Callable[[Tell], None], seconds: float) -> tuple[list[object], str | None]:
    """What a child tells in so many seconds, and how it broke down, if it did."""
    child, end, values = Child(work), time.monotonic() + seconds, list[object]()
    try:
        while not child.ended and time.monotonic() < end:
            for value in child.receive() if wait([child], max(0.0, end - time.monotonic())) else ():
                if isinstance(value, Ended) and value.crash is not None:
                    return values, value.crash
                values.append(value)
    finally:
        child.end()
    return values, None


def findings(engine: str, program: Program, seconds: float, depth: int | None = None) -> tuple[dict[str, Finding], str | None]:
    """What an engine settles in time."""
    names = tuple(prop.name for prop in program.properties)
    values, crash = told(lambda tell: load_engine(engine)(program, Options(names, depth), tell), seconds)
    return {one.prop: one for one in values if isinstance(one, Finding) and one.verdict is not Verdict.UNDECIDED}, crash


def certified(program: Program, proved: list[str], seconds: float) -> tuple[str, str | None]:
    """How it went with an invariant for what is proved: "stands", "late", "not learned"; or what is wrong."""

    def work(tell: Tell) -> None:
        exploration = Exploration(Machine(program), MEMORY)
        while not exploration.exhausted:
            exploration.expand(lambda *_: None, lambda *_: None)
        properties = [prop for prop in program.properties if prop.name in proved and prop.kind != "liveness"]
        try:
            invariant = learn(program, properties, exploration, MEMORY)
        except (NotLearned, Unplaced, Inconclusive, EncodingLimitError) as error:
            tell(f"not learned: {type(error).__name__}")
            return
        said = answers(program, invariant, [prop.name for prop in properties])
        tell("stands" if set(said.values()) == {"unsat"} else f"wrong: {said}")

    values, crash = told(work, seconds)
    return (str(values[0]) if values and isinstance(values[0], str) else "late"), crash


def _agree(kind: str, reference: Finding, other: Finding) -> bool:
    """Whether an engine says the same of a property as the exploration does, as far as it looked."""
    if other.verdict is Verdict.PROVED_UP_TO:
        assert other.depth is not None
        return reference.verdict is Verdict.PROVED or (reference.depth or 0) > other.depth
    if other.verdict is Verdict.VIOLATED and reference.verdict is Verdict.VIOLATED:
        return kind == "liveness" or other.depth == reference.depth
    return other.verdict is reference.verdict


def compare(seed: int, engines: list[str], seconds: float, tally: Counter[str]) -> list[str]:
    """The contradictions of one seed."""
    program = model(seed)
    if program is None:
        tally["left out"] += 1
        return []
    tally["models"] += 1
    kinds = {prop.name: prop.kind for prop in program.properties}
    reference, crash = findings("explicit", program, 60.0)
    wrong = [f"explicit broke down: {crash}"] if crash else []
    tally["deadlocking"] += any(one.verdict is Verdict.VIOLATED and kinds[name] == "deadlock" for name, one in reference.items())
    tally["without end"] += any(isinstance(stmt, Loop | While) for stmt in statements_of(program))
    deepest = max((one.depth or 0 for one in reference.values() if one.verdict is Verdict.VIOLATED), default=0)
    for engine in engines:
        found, crash = findings(engine, program, seconds, max(LEAST_DEPTH, deepest + 1) if engine == "bmc" else None)
        wrong += [f"{engine} broke down: {crash}"] if crash else []
        for name, one in found.items():
            other = reference.get(name)
            if other is None:
                continue
            tally[f"{engine} {one.verdict}"] += 1
            wrong += (
                []
                if _agree(kinds[name], other, one)
                else [f"{name}: explicit {other.verdict} {other.depth}, {engine} {one.verdict} {one.depth}"]
            )
        tally[f"{engine} open"] += len(reference) - len(found)
    proved = [name for name, one in reference.items() if one.verdict is Verdict.PROVED and kinds[name] != "liveness"]
    if proved:
        state, crash = certified(program, proved, seconds)
        tally[f"invariant {state}"] += 1
        wrong += [f"the invariant is {state}"] if state.startswith("wrong") else []
        wrong += [f"learning broke down: {crash}"] if crash else []
    return wrong


def main() -> int:
    """Exit code 1 if anything contradicts anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each engine and model")
    parser.add_argument("--engine", action="append", default=[], choices=[name for name in ENGINES if name != "explicit"])
    arguments = parser.parse_args()
    engines = arguments.engine or [name for name in ENGINES if name != "explicit"]
    tally: Counter[str] = Counter()
    contradictions = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        for line in compare(seed, engines, arguments.seconds, tally):
            contradictions += 1
            print(f"seed {seed}: {line}", flush=True)
        if (seed + 1) % 50 == 0:
            print(seed + 1, dict(sorted(tally.items())), flush=True)
    print(dict(sorted(tally.items())), f"{contradictions} contradictions")
    return 1 if contradictions else 0


if __name__ == "__main__":
    raise SystemExit(main())
