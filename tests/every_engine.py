"""Every engine against the exploration of all states, on random models. Run it by hand: `python tests/every_engine.py --count 2000`.

In: seeds. Out: how many answers were compared, of each engine and kind of property, and each disagreement. The reference is the plain
exploration, without any reduction; the explicit engine with its reductions is one of those held against it. Violations are replayed, and
have to be as short. An engine has some seconds of processor time for a model; what it has not settled by then is not compared, and
counted as undecided. The bounded engine looks one step further than the longest of the shortest violations: without an end it would use
up its time wherever anything holds. Beside the engines, invariants are learned for what is proved, and put to fresh solvers. With
`--into FILE` the figures are kept there after each model, and another run goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from certificates import answers
from differential import Disagreement, outcome, parsed, size
from strategies import ModelText
from systems import SystemBuilder
from tangles import Tangle
from test_families import Crowd
from weaves import Weave

from formal.certificates.learning import NotLearned, learn
from formal.certificates.making import MEMORY
from formal.certificates.whereabouts import Unplaced
from formal.children import Child, Ended, Tell, wait
from formal.engines import ENGINES, FAMILIES, load_engine
from formal.engines.exploration import Exploration
from formal.engines.members import FIRST
from formal.engines.protocol import REDUCTIONS, Finding, Options
from formal.interp import Machine
from formal.program import Loop, Program, While
from formal.rewriting.bodies import statements_of
from formal.smt.cfg import EncodingLimitError
from formal.smt.pool import Inconclusive
from formal.verdict import Verdict

MOST_STATES = 5_000
LEAST_DEPTH = 6  # steps that the bounded engine looks at where nothing is violated, or sooner
CROWDS = 8  # of so many seeds one is a family, which takes the longest
PATIENCE = 120  # seconds by the clock for each of processor time: the machine may have other work
KINDS = ("systems", "texts", "tangles", "weaves")


def model(seed: int) -> tuple[str, Program | None]:
    """A random model, by turns from each generator, and its name; None if it is too large to explore, or nothing is asked."""
    pick = random.Random(seed).randrange
    kind = "crowds" if seed % CROWDS == CROWDS - 1 else KINDS[seed % len(KINDS)]
    try:
        match kind:
            case "crowds":
                text = Crowd(seed).text().replace("param N in 1..* = 9;", f"param N in 1..* = {FIRST};")
                program = parsed(f"protocol crowd;\n{text}")
            case "systems":
                program = SystemBuilder(pick).program()
            case "texts":
                program = parsed(ModelText(pick).text())
            case "tangles":
                program = parsed(Tangle(pick).text())
            case _:
                program = parsed(Weave(pick).text())
    except Disagreement:
        return kind, None
    return kind, program if program.properties and size(program, MOST_STATES) else None


def told(work: Callable[[Tell], None], seconds: float) -> tuple[list[object], str | None]:
    """What a child tells in so many seconds of processor time, and how it broke down, if it did."""

    def limited(tell: Tell) -> None:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process, even inside of a solver
        signal.setitimer(signal.ITIMER_PROF, seconds)
        work(tell)

    child, end, values = Child(limited), time.monotonic() + PATIENCE * seconds, list[object]()
    try:
        while not child.ended and time.monotonic() < end:
            for value in child.receive() if wait([child], max(0.0, end - time.monotonic())) else ():
                if isinstance(value, Ended):
                    return values, None if value.crash is None or "SIGPROF" in value.crash else value.crash
                values.append(value)
    finally:
        child.end()
    return values, None


def findings(
    engine: str, program: Program, seconds: float, depth: int | None = None, without: frozenset[str] = frozenset()
) -> tuple[dict[str, Finding], str | None]:
    """What an engine settles in time."""
    options = Options(tuple(prop.name for prop in program.properties), depth, without=without)
    values, crash = told(lambda tell: load_engine(engine)(program, options, tell), seconds)
    return {one.prop: one for one in values if isinstance(one, Finding) and one.verdict is not Verdict.UNDECIDED}, crash


def certified(program: Program, proved: list[str], seconds: float) -> tuple[str, str | None]:
    """How it went with an invariant for what is proved: "stands", "late", "not learned"; or what is wrong."""

    def work(tell: Tell) -> None:
        exploration = Exploration(Machine(program), MEMORY)
        while not exploration.exhausted:
            exploration.expand(lambda *_: None, lambda *_: None)
        properties = [prop for prop in program.properties if prop.name in proved]
        try:
            invariant = learn(program, properties, exploration, MEMORY)
        except (NotLearned, Unplaced, Inconclusive, EncodingLimitError) as error:
            tell(f"not learned: {type(error).__name__}")
            return
        said = answers(program, invariant, proved)
        tell("stands" if set(said.values()) == {"unsat"} else f"wrong: {said}")

    values, crash = told(work, seconds)
    return (str(values[0]) if values and isinstance(values[0], str) else "late"), crash


def agree(reference: Finding, other: Finding) -> bool:
    """Whether an engine says the same of a property as the exploration does, as far as it looked."""
    if other.verdict is Verdict.PROVED_UP_TO:
        assert other.depth is not None
        return reference.verdict is Verdict.PROVED or (reference.depth or 0) > other.depth
    if other.verdict is Verdict.VIOLATED and reference.verdict is Verdict.VIOLATED:
        assert other.depth is not None
        assert reference.depth is not None
        longer, shorter = not other.shortest, "perhaps" in reference.reason  # a lasso that may not be the shortest
        return other.depth == reference.depth or (longer and other.depth > reference.depth) or (shorter and other.depth < reference.depth)
    return other.verdict is reference.verdict


class Comparison:
    """One model, its reference, and what is counted: `tally`, by what; `wrong`, what disagrees."""

    def __init__(self, program: Program, seconds: float, tally: Counter[str]) -> None:
        self.program, self.seconds, self.tally = program, seconds, tally
        self.wrong: list[str] = []
        self.live = {prop.name for prop in program.properties if prop.kind == "liveness"}
        self.machine = Machine(program)
        self.reference = self._broken("reference", findings("explicit", program, 60.0, without=frozenset(REDUCTIONS)))

    def _broken(self, engine: str, said: tuple[dict[str, Finding], str | None]) -> dict[str, Finding]:
        if said[1] is not None:
            self.wrong.append(f"{engine} broke down: {said[1]}")
        return said[0]

    def describe(self) -> None:
        """What kind of model it is."""
        deadlocks = {prop.name for prop in self.program.properties if prop.kind == "deadlock"}
        bad = {name for name, one in self.reference.items() if one.verdict is Verdict.VIOLATED}
        self.tally["deadlocking"] += bool(bad & deadlocks)
        self.tally["with loops"] += any(isinstance(stmt, Loop | While) for stmt in statements_of(self.program))
        self.tally["with liveness"] += bool(self.live)
        self.tally["violated"] += bool(bad)

    def hold(self, engine: str) -> None:
        """One engine against the reference."""
        deepest = max((one.depth or 0 for one in self.reference.values() if one.verdict is Verdict.VIOLATED), default=0)
        depth = max(LEAST_DEPTH, deepest + 1) if engine == "bmc" else None
        found = self._broken(engine, findings(engine, self.program, self.seconds, depth))
        for name, reference in self.reference.items():
            kind = "liveness" if name in self.live else "safety"
            how = "undecided" if name not in found else "agreed" if self._same(engine, reference, found[name]) else "disagreed"
            self.tally[f"{engine}/{kind}/{how}"] += 1

    def _same(self, engine: str, reference: Finding, other: Finding) -> bool:
        try:
            outcome(self.program, self.machine, engine, other)  # replays what is violated
        except Disagreement as error:
            self.wrong.append(str(error))
            return False
        if agree(reference, other):
            return True
        self.wrong.append(f"{other.prop}: explored {reference.verdict} {reference.depth}, {engine} {other.verdict} {other.depth}")
        return False

    def certify(self) -> None:
        """An invariant for what is proved."""
        proved = [name for name, one in self.reference.items() if one.verdict is Verdict.PROVED and name not in self.live]
        if proved:
            state, crash = certified(self.program, proved, self.seconds)
            self.tally[f"invariant/{state.split(':')[0]}"] += 1
            self.wrong += [f"the invariant is {state}"] if state.startswith("wrong") else []
            self.wrong += [f"learning broke down: {crash}"] if crash else []


def compare(seed: int, engines: list[str], seconds: float, tally: Counter[str]) -> list[str]:
    """The disagreements of one seed."""
    kind, program = model(seed)
    if program is None:
        tally["too large, or nothing asked"] += 1
        return []
    tally["models"] += 1
    tally[f"models/{kind}"] += 1
    comparison = Comparison(program, seconds, tally)
    comparison.describe()
    for engine in engines:
        if engine != FAMILIES or kind == "crowds":
            comparison.hold(engine)
    comparison.certify()
    return comparison.wrong


def summary(tally: Counter[str], engines: list[str], disagreements: int) -> str:
    """The figures, and in the last line what came of it."""
    lines = [f"{'engine':12} {'kind':9} {'agreed':>8} {'undecided':>10} {'disagreed':>10}"]
    for engine in engines:
        for kind in ("safety", "liveness"):
            agreed, undecided, disagreed = (tally[f"{engine}/{kind}/{how}"] for how in ("agreed", "undecided", "disagreed"))
            if agreed + undecided + disagreed:
                lines.append(f"{engine:12} {kind:9} {agreed:8,} {undecided:10,} {disagreed:10,}")
    lines.append(
        "learned invariants: " + ", ".join(f"{n:,} {key[10:]}" for key, n in sorted(tally.items()) if key.startswith("invariant/"))
    )
    kinds = ", ".join(f"{tally[f'models/{kind}']:,} {kind}" for kind in (*KINDS, "crowds"))
    lines.append(f"models: {kinds}; {tally['too large, or nothing asked']:,} more were too large, or ask nothing")
    kinds = ", ".join(f"{tally[kind]:,} {kind}" for kind in ("violated", "deadlocking", "with loops", "with liveness"))
    answers = sum(n for key, n in tally.items() if key.endswith("/agreed"))
    lines.append(
        f"{tally['models']:,} models ({kinds}), {answers:,} answers of {len(engines)} engines agree, {disagreements:,} disagreements"
    )
    return "\n".join(lines)


def main() -> int:
    """Exit code 1 if anything disagrees with anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="models that are compared")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--seconds", type=float, default=1.0, help="of processor time, for each engine and model")
    parser.add_argument("--engine", action="append", default=[], choices=list(ENGINES))
    parser.add_argument("--into", type=Path, help="the figures, by which another run goes on")
    arguments = parser.parse_args()
    engines = arguments.engine or list(ENGINES)
    kept = json.loads(arguments.into.read_text()) if arguments.into and arguments.into.exists() else {}
    seed, tally, disagreements = kept.get("next", arguments.seed), Counter(kept.get("tally", {})), kept.get("disagreements", [])
    while tally["models"] < arguments.count:
        for line in compare(seed, engines, arguments.seconds, tally):
            disagreements.append(f"seed {seed}: {line}")
            print(disagreements[-1], flush=True)
        seed += 1
        if arguments.into:
            arguments.into.write_text(json.dumps({"next": seed, "tally": tally, "disagreements": disagreements}))
    print(summary(tally, engines, len(disagreements)))
    return 1 if disagreements else 0


if __name__ == "__main__":
    raise SystemExit(main())
