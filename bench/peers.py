"""`formal` and its peers on the same question: is a safety property of this transition system violated.

In: ladders. Out: `Measured`: for each size and each tool the seconds of its commands, and what it says. Whole command is held against whole
command; what a peer reads is written by `formal export` beforehand, and not counted. The rounds alternate between the tools, so that a
machine that gets slower gets slower for all. It must not know how figures are shown.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from bench.ladders import Ladder
from formal.program import Program

PROVED, VIOLATED, NONE_WITHIN, OPEN, TIMEOUT = "proved", "violated", "no violation within", "undecided", "time out"
ONCE_FROM = 5.0  # seconds from which on one round is enough
STEPS = 20  # that Z3 is asked about where there is no violation


@dataclass
class Case:
    """One size of a ladder. `folder`: where lies what peers read; `safety`: the properties to ask `formal` for, empty if that is all;
    `depth`: of Z3's question."""

    ladder: Ladder
    size: int
    folder: Path
    safety: tuple[str, ...]
    depth: int = STEPS


@dataclass
class Result:
    """What one tool took in each round, and what it said."""

    seconds: list[float] = field(default_factory=list)
    verdict: str = OPEN

    @property
    def median(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None


@dataclass
class Row:
    """One size: results by tool; a tool is missing that ran out of time at a smaller size."""

    ladder: Ladder
    size: int
    results: dict[str, Result] = field(default_factory=dict)


@dataclass
class Measured:
    """A whole run."""

    limit: float
    rounds: int
    machine: str
    versions: Mapping[str, str]
    rows: list[Row]
    tools: tuple[str, ...]
    cut_short: bool = False


@dataclass(frozen=True)
class Tool:
    """`ask` runs the tool on a case, at most so many seconds: seconds by column, and the verdict. `needs`: programs; `reads`: the file that
    is written for it, if it does not read models."""

    name: str
    needs: tuple[str, ...]
    reads: str | None
    ask: Callable[[Case, float], tuple[dict[str, float], str]]


def _command(words: Sequence[str], folder: Path | None, limit: float) -> tuple[float, str, int | None]:
    """Seconds, what was printed, and the exit code: None if it ran out of time."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=max(limit, 0.1), check=False)
    except subprocess.TimeoutExpired:
        return time.perf_counter() - begun, "", None
    return time.perf_counter() - begun, done.stdout + done.stderr, done.returncode


def _formal(case: Case, limit: float) -> tuple[dict[str, float], str]:
    defines = [word for name, value in case.ladder.defines(case.size).items() for word in ("-D", f"{name}={value}")]
    only = [word for name in case.safety for word in ("--property", name)]
    words = [sys.executable, "-m", "formal", "prove", case.ladder.model, *defines, *only, "--quiet", "--timeout", str(limit)]
    seconds, _, code = _command(words, None, limit + 5)
    return {"formal": seconds}, {0: PROVED, 1: VIOLATED, 3: TIMEOUT, None: TIMEOUT}.get(code, OPEN)


def _spin(case: Case, limit: float) -> tuple[dict[str, float], str]:
    made, printed, code = _command(["spin", "-a", "m.pml"], case.folder, limit)
    if code is None or not (case.folder / "pan.c").exists():
        return {"SPIN": made}, TIMEOUT if code is None else OPEN
    built, printed, code = _command(["gcc", "-O2", "-w", "-DSAFETY", "-DMEMLIM=4096", "-o", "pan", "pan.c"], case.folder, limit - made)
    if code != 0:
        return {"SPIN": made + built}, TIMEOUT if code is None else OPEN
    ran, printed, code = _command(["./pan", "-E", "-m5000000"], case.folder, limit - made - built)
    verdict = TIMEOUT if code is None else OPEN
    if "errors: 0" in printed and "max search depth too small" not in printed and "out of memory" not in printed:
        verdict = PROVED
    elif "assertion violated" in printed:
        verdict = VIOLATED
    return {"SPIN": made + built + ran, "SPIN, compiled": ran}, verdict


def _abc(case: Case, limit: float) -> tuple[dict[str, float], str]:
    seconds, printed, code = _command(["berkeley-abc", "-c", "read_aiger m.aig; orpos; pdr"], case.folder, limit)
    if "was asserted in frame" in printed:
        return {"ABC pdr": seconds}, VIOLATED
    return {"ABC pdr": seconds}, PROVED if "Property proved" in printed else TIMEOUT if code is None else OPEN


def _z3(case: Case, limit: float) -> tuple[dict[str, float], str]:
    """As Z3 comes: its own default for a script of this logic, of exactly as many steps as a violation needs."""
    ask = "import sys, z3; s = z3.SolverFor('QF_BV'); s.from_file(sys.argv[1]); print(s.check())"
    seconds, printed, code = _command([sys.executable, "-c", ask, "m.smt2"], case.folder, limit)
    verdict = {"sat": VIOLATED, "unsat": f"{NONE_WITHIN} {case.depth}"}.get(printed.strip(), TIMEOUT if code is None else OPEN)
    return {"Z3, unrolled": seconds}, verdict


TOOLS = (
    Tool("formal", (), None, _formal),
    Tool("SPIN", ("spin", "gcc"), "m.pml", _spin),
    Tool("ABC", ("berkeley-abc",), "m.aig", _abc),
    Tool("Z3", (), "m.smt2", _z3),
)
COLUMNS = ("formal", "SPIN", "SPIN, compiled", "ABC pdr", "Z3, unrolled")


def missing() -> list[str]:
    """Programs that are not installed."""
    return sorted({need for tool in TOOLS for need in tool.needs if shutil.which(need) is None})


def measure(ladders: Sequence[Ladder], limit: float, rounds: int, budget: float) -> Measured:
    """Everything, in rounds. `budget`: seconds after which no further size or round is begun."""
    tools = [tool for tool in TOOLS if not set(tool.needs) & set(missing())]
    found = Measured(limit, rounds, _machine(), _versions(), [], COLUMNS)
    deadline = time.monotonic() + budget
    with tempfile.TemporaryDirectory(prefix="formal-bench-") as root:
        kept: list[tuple[Case, Row]] = []
        given_up: set[tuple[str, str]] = set()
        for ladder, size in _smallest_first(ladders):
            if time.monotonic() > deadline:
                found.cut_short = True
                break
            asked = [tool for tool in tools if (ladder.name, tool.name) not in given_up]
            row, case = Row(ladder, size), _prepared(ladder, size, Path(root), [tool.reads for tool in asked if tool.reads])
            found.rows.append(row)
            kept.append((case, row))
            given_up |= {(ladder.name, tool.name) for tool in asked if not _ask(tool, case, row, limit)}
        for _ in range(rounds - 1):
            for case, row in kept:
                for tool in tools:
                    if time.monotonic() < deadline and 0 < _longest(tool, row) < ONCE_FROM:
                        _ask(tool, case, row, limit)
    found.rows.sort(key=lambda row: ([ladder.name for ladder in ladders].index(row.ladder.name), row.size))
    return found


def _smallest_first(ladders: Sequence[Ladder]) -> list[tuple[Ladder, int]]:
    """All first sizes, then all second ones, so that whatever the time allows is known of every ladder."""
    most = max(len(ladder.sizes) for ladder in ladders)
    return [(ladder, ladder.sizes[i]) for i in range(most) for ladder in ladders if i < len(ladder.sizes)]


def _longest(tool: Tool, row: Row) -> float:
    own = [row.results[name] for name in COLUMNS if name in row.results and name.startswith(tool.name)]
    return max((max(result.seconds) for result in own if result.verdict not in (TIMEOUT, OPEN)), default=0.0)


def _ask(tool: Tool, case: Case, row: Row, limit: float) -> bool:
    """One run of one tool; whether it came to an end in time."""
    seconds, verdict = tool.ask(case, limit)
    for name, taken in seconds.items():
        result = row.results.setdefault(name, Result())
        result.seconds.append(taken)
        result.verdict = verdict
    shown = ", ".join(f"{name} {taken:.2f} s" for name, taken in seconds.items())
    print(f"  {case.ladder.name:<24} {case.size:>3} {verdict:<24} {shown}", flush=True)
    return verdict != TIMEOUT


def _prepared(ladder: Ladder, size: int, root: Path, files: Sequence[str]) -> Case:
    """Writes what the peers read. How many steps Z3 is asked about: as many as the shortest violation that the bounded search finds."""
    from formal.frontend import load

    folder = root / f"{ladder.name}-{size}"
    folder.mkdir()
    program = load(ladder.model, ladder.defines(size), []).program
    assert program is not None, ladder.model
    safety = _asked(ladder, program)
    case = Case(ladder, size, folder, () if len(safety) == len(program.properties) else safety)
    case.depth = _shortest(case)
    defines = [word for name, value in ladder.defines(size).items() for word in ("-D", f"{name}={value}")]
    for name in files:
        extra = ("--depth", str(case.depth)) if name == "m.smt2" else ()
        only = [word for prop in ladder.properties for word in ("--property", prop)]
        words = [sys.executable, "-m", "formal", "export", ladder.model, *defines, *only, "-o", str(folder / name), *extra]
        subprocess.run(words, check=True, capture_output=True)
    return case


def _asked(ladder: Ladder, program: Program) -> tuple[str, ...]:
    """The safety properties that all tools are asked for."""
    return ladder.properties or tuple(prop.name for prop in program.properties if prop.kind != "liveness")


def _shortest(case: Case) -> int:
    """The `expect violated NAME within K` of a model says it of its own parameters only: found out at the smallest size, and kept."""
    known = _LENGTHS.get(case.ladder.name)
    if known is not None:
        return known
    from formal.frontend import load
    from formal.pipeline import Request, prove

    program = load(case.ladder.model, case.ladder.defines(case.ladder.sizes[0]), []).program
    assert program is not None
    safety = _asked(case.ladder, program)
    report = prove(program, Request(safety, deadline=time.monotonic() + 30)).report
    lengths = [result.depth for result in report.properties if result.witness is not None and result.depth is not None]
    return _LENGTHS.setdefault(case.ladder.name, min(lengths, default=STEPS))


_LENGTHS: dict[str, int] = {}


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _versions() -> dict[str, str]:
    found = {"formal": version("formal"), "Z3": version("z3-solver")}
    for name, words in (("SPIN", ["spin", "-V"]), ("gcc", ["gcc", "-dumpfullversion"]), ("ABC", ["berkeley-abc", "-c", "version"])):
        if shutil.which(words[0]):
            printed = _command(words, None, 10)[1].strip().splitlines()
            found[name] = next(
                (line.strip() for line in printed if any(c.isdigit() for c in line) and "command line" not in line), "unknown"
            )
    return found
