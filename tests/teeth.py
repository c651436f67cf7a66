"""Whether every lock of a proved model matters: takes single statements away, and looks which property notices.

A *site* is a statement of a proved model that takes or gives back a lock (`lock`, `unlock`, `rdlock`, `wrlock`, `rdunlock`, `wrunlock`,
`with L`), a call of a procedure that does nothing else, or a `requires` clause. A site is named `TEXT in BODY`, TEXT as it is written up to
its anchor or block; where a body has the same text several times, `TEXT (2) in BODY` is the second.

- A lock or a call is taken away (of `with L { … }`, the lock alone) and the rest goes through the front end again. It matters if the
  front end refuses the rest, or some property of the rest is violated.
- A `requires` clause is a property itself: without it nothing new can be violated. It matters if it notices something: if taking some
  lock or call away violates it. Should another clause be there first, which ends the execution, it is tried as the only clause.

A site of a shared file matters if it matters in one proved model. One that does not is explained, by a line of the leading comment of its
own file, or of a model that has it:  // Not needed: TEXT in BODY: why
An explained site is tried in the cheapest models only, to see whether the explanation still holds.
Run as a script: `python tests/teeth.py models/savevm_locked.dsl --jobs 2`.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache, cached_property
from os.path import normpath
from pathlib import Path

from formal import program as p
from formal.diagnostics import Source, Span
from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options, Progress
from formal.frontend import load, load_text
from formal.frontend.rendering import head
from formal.frontend.walking import walk
from formal.loader import read_model
from formal.regress import is_protocol
from formal.syntax import Node
from formal.verdict import Verdict

GLANCE = 1.0  # seconds of the processor, as all of these, for each model as it is: to know the cheap ones, and those that are not proved
BRIEF = 2.0  # seconds for a first look: most sites matter soon, in the cheapest model
PATIENT = 30.0  # seconds for a second one
MEMORY = 2048  # mebibytes
EXPLAINED = 3  # models in which an explained site is tried
_KINDS = {"lock": "lock", "unlock": "lock", "lockop": "lock", "with_": "lock", "call": "call", "requires": "requires"}
_MARK = re.compile(r"^[ \t]*// Not needed:[ \t]*(.*)$", re.MULTILINE)
_HEADER = re.compile(r"(?:[ \t]*(?://[^\n]*)?\n)*")


class NotProved(Exception):
    """The model is none whose locks can be tried: it is refused, or not proved to begin with."""


class _Enough(Exception):
    """The search has told what was asked, or has taken its time."""


@dataclass(frozen=True, slots=True)
class Site:
    """One statement that can be taken away. `text`: of its whole file; `start`: where it begins in it, and both together identify it;
    `prop`: of a `requires` clause, its property."""

    text: str = field(repr=False)
    start: int
    file: str = field(compare=False)
    name: str = field(compare=False)
    kind: str = field(compare=False)  # a value of _KINDS
    prop: str = field(compare=False)

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.text.count(chr(10), 0, self.start) + 1}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one program. `seconds`: of the processor; `violated`: the properties that are, and after how many steps, those found
    first; `refused`: the front end's code; `reason`: why it is undecided."""

    seconds: float
    violated: tuple[tuple[str, int], ...] = ()
    refused: str = ""
    reason: str = ""


@dataclass(slots=True)
class Fate:
    """What became of a site. `by` says what noticed that it was gone, in which model; `reasons`, why some model is undecided."""

    site: Site
    models: list[str]  # that have it; once planned, the cheapest first
    tried: int = 0  # of these
    by: str = ""
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    why: str = ""  # the explanation

    @property
    def state(self) -> str:
        """In one word."""
        return "killed" if self.by else "undecided" if self.reasons else "survives"


@dataclass(slots=True)
class Answer:
    """All of a run. `stale`: explanations that explain nothing, with their places; `large`: models that were not proved at a glance."""

    fates: list[Fate]
    stale: list[str]
    large: list[str]
    seconds: float

    def unexplained(self) -> list[Fate]:
        """The sites that do not matter, as far as known, without a reason given."""
        return [fate for fate in self.fates if not fate.by and not fate.why]


# ---------------------------------------------------------------- a model and its sites


class Model:
    """A model that expects to be proved, as text that can be cut. Raises NotProved if the front end refuses it."""

    def __init__(self, path: str) -> None:
        program = load(path).program
        if program is None:
            raise NotProved(f"{path}: the front end refuses it")
        files = read_model(path)
        self.path = path
        self.program = program
        self.sources: list[Source] = files.sources
        self._items = [item for item in files.items if item.kind != "protocol" or item.span.source is files.sources[0]]

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Those that some thread's code comes to, in textual order."""
        alive = {(span.source.path, span.start): prop for span, prop in _alive(self.program)}
        found = [(item, node) for item in self._items for node, _ in _candidates(item)]
        names = _names(found)
        return tuple(
            Site(node.span.source.text, node.span.start, normpath(node.span.source.path), name, _KINDS[node.kind], alive[key])
            for (_, node), name in zip(found, names, strict=True)
            if (key := (node.span.source.path, node.span.start)) in alive
        )

    def without(self, gone: Iterable[Site]) -> str:
        """The whole model in one text, without these sites."""
        starts = {(site.text, site.start) for site in gone}
        return "\n".join(_cut(item, starts) for item in self._items)


@cache
def model(path: str) -> Model:
    """Read once a process."""
    return Model(path)


def _candidates(item: Node, labelled: bool = False) -> Iterator[tuple[Node, bool]]:
    """The nodes of the kinds that can be taken away, and whether a label stands before them."""
    if item.kind in _KINDS:
        yield item, labelled
    for node in item.nodes():
        yield from _candidates(node, item.kind == "labelled")


def _names(found: Sequence[tuple[Node, Node]]) -> list[str]:
    """`TEXT in BODY`, numbered where that is not one place."""
    texts = [(item, head(node)) for item, node in found]
    names = []
    for position, (item, text) in enumerate(texts):
        ordinal = f" ({texts[: position + 1].count((item, text))})" if texts.count((item, text)) > 1 else ""
        names.append(f"{text}{ordinal} in {item.leaves()[0]}")
    return names


def _cut(item: Node, starts: set[tuple[str, int]]) -> str:
    """A declaration's text, without what starts there."""
    text = item.span.source.text
    kept, position = "", item.span.start
    for node, labelled in _candidates(item):
        if (text, node.span.start) in starts:
            body = node.node("block")
            kept += text[position : node.span.start] + ("skip;" if labelled and body is None else "")
            position = node.span.end if body is None else body.span.start
    return kept + text[position : item.span.end]


# ---------------------------------------------------------------- what of a program is used


def _alive(program: p.Program) -> Iterator[tuple[Span, str]]:
    """Where the sites are: those of the code that some thread may come to, constants having decided. With a clause, its property."""
    for body, proc in _reached(program):
        for statement in walk(body):
            match statement:
                case p.Lock() | p.Unlock() | p.With():
                    yield statement.info.span, ""
                case p.Call() if _locks_only(program, statement, ()):
                    yield statement.info.span, ""
        for clause in () if proc is None else proc.requires:
            yield clause.info.span, clause.prop


def _locks_only(program: p.Program, call: p.Call, above: tuple[str, ...]) -> bool:
    """Whether all that a call does is to take or give back locks, and to note that in thread-locals of its own."""
    if call.place is not None or call.proc in above:
        return False
    acts = [statement for statement in walk(program.procs[call.proc].body) if not isinstance(statement, p.Block | p.Atomic)]
    return any(isinstance(act, p.Lock | p.Unlock | p.Call) for act in acts) and all(
        isinstance(act, p.Lock | p.Unlock)
        or (isinstance(act, p.Call) and _locks_only(program, act, (*above, call.proc)))
        or (isinstance(act, p.Assign) and isinstance(act.place, p.ThreadLocalPlace) and act.place.thread is None)
        for act in acts
    )


def _reached(program: p.Program) -> Iterator[tuple[p.Block, p.ProcDecl | None]]:
    """The bodies of all threads, and whatever they call, invoke or schedule; with the procedure that it is the body of."""
    todo: list[p.ThreadDecl | p.BhDecl | p.ProcDecl] = list(dict.fromkeys(thread.decl for thread in program.threads))
    seen = set(todo)
    while todo:
        decl = todo.pop()
        yield decl.body, decl if isinstance(decl, p.ProcDecl) else None
        for statement in walk(decl.body):
            new = [one for one in _named(program, statement) if one not in seen]
            seen.update(new)
            todo += new


def _named(program: p.Program, statement: p.Stmt) -> list[p.BhDecl | p.ProcDecl]:
    """The procedures and bottom halves that a statement names."""
    match statement:
        case p.Call(proc=proc, arguments=arguments):
            halves = [one.decl for one in arguments if isinstance(one, p.Direct)]
            return [program.procs[proc], *(half for half in halves if isinstance(half, p.BhDecl))]
        case p.Invoke(hook=hook):
            return [program.procs[name] for name in program.hooks[hook]]
        case p.Schedule(ref=p.Direct(decl=p.BhDecl() as half)):
            return [half]
        case _:
            return []


# ---------------------------------------------------------------- one attempt, in a process of its own


def attempt(path: str, gone: tuple[Site, ...], prop: str, limit: float) -> Attempt:
    """Take sites away from a model, and look for violations, of one property (empty: of any), until there are some."""
    begun = time.process_time()
    loaded = load_text(model(path).without(gone), path)
    if loaded.program is None:
        code = next(diagnostic.code.code for diagnostic in loaded.diagnostics if diagnostic.is_error)
        return Attempt(time.process_time() - begun, refused=code)
    asked = (prop,) if prop else tuple(one.name for one in loaded.program.properties)
    found: list[Finding] = []
    reason = _search(loaded.program, asked, found, limit)
    violated = [(one.prop, one.depth or 0) for one in found if one.verdict is Verdict.VIOLATED]
    violated.sort(key=lambda pair: (pair[1], asked.index(pair[0])))
    if not violated and not reason:
        reason = next((one.reason for one in found if one.verdict is not Verdict.PROVED), "")
    return Attempt(time.process_time() - begun, tuple(violated), reason="" if violated else reason)


def _search(program: p.Program, asked: tuple[str, ...], found: list[Finding], limit: float) -> str:
    """Collects findings up to the first level with a violation; returns what stopped it before that."""

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            found.append(event)
        elif isinstance(event, Progress) and any(one.verdict is Verdict.VIOLATED for one in found):
            raise _Enough

    def late(_signal: int, _frame: object) -> None:
        raise _Enough

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        try:
            explicit.run(program, Options(asked, memory=MEMORY), tell)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)  # it may be late just here
    except _Enough:
        return f"not settled within {limit:g} s"
    return ""


# ---------------------------------------------------------------- all attempts


@dataclass(order=True, slots=True)
class _Task:
    """An attempt to make. The cheap ones come first."""

    patient: bool
    cost: float
    number: int
    fate: Fate = field(compare=False)
    path: str = field(compare=False)
    gone: Site = field(compare=False)


class _Run:
    def __init__(self, pool: ProcessPoolExecutor, jobs: int, limit: float) -> None:
        self._pool = pool
        self._jobs = jobs
        self._limits = {False: min(BRIEF, limit), True: limit}
        self._waiting: list[_Task] = []
        self._count = 0
        self.noticed: dict[str, tuple[str, Attempt, Site]] = {}  # by property: the model, and what was gone

    def costs(self, models: Sequence[Model]) -> dict[str, float]:
        """About how long each model takes as it is; more than GLANCE if it is not proved by then. Raises NotProved."""
        futures = {one.path: self._pool.submit(attempt, one.path, (), "", GLANCE) for one in models}
        results = {path: future.result() for path, future in futures.items()}
        told = {path: result.refused or ", ".join(prop for prop, _ in result.violated) for path, result in results.items()}
        if any(told.values()):
            raise NotProved("; ".join(f"{path}: {why}" for path, why in told.items() if why))
        large = {one.path: len(one.program.threads) for one in models if results[one.path].reason}
        return {path: result.seconds + large.get(path, 0) for path, result in results.items()}

    def choose(self, fate: Fate, costs: dict[str, float]) -> list[str]:
        """The models in which a site is to be tried."""
        fate.models.sort(key=costs.__getitem__)
        fate.tried = min(len(fate.models), EXPLAINED) if fate.why else len(fate.models)
        return fate.models[: fate.tried]

    def plan(self, fate: Fate, path: str, cost: float, gone: Site, patient: bool = False) -> None:
        """To be tried: the fate's site is told by what comes of taking `gone` away from a model."""
        self._count += 1
        heapq.heappush(self._waiting, _Task(patient, cost, self._count, fate, path, gone))

    def work(self) -> None:
        """Make the attempts, as long as their outcome matters."""
        running: dict[Future[Attempt], _Task] = {}
        while self._waiting or running:
            while self._waiting and len(running) < self._jobs:
                task = heapq.heappop(self._waiting)
                if task.fate.by:
                    continue
                prop, limit = task.fate.site.prop, self._limits[task.patient]
                others = [site for site in model(task.path).sites if prop and site.prop not in ("", prop)]
                running[self._pool.submit(attempt, task.path, (task.gone, *others), prop, limit)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                self._judge(running.pop(future), future.result())

    def _judge(self, task: _Task, result: Attempt) -> None:
        fate = task.fate
        fate.seconds += result.seconds
        for prop, _ in result.violated:
            self.noticed.setdefault(prop, (task.path, result, task.gone))
        if fate.by:
            return
        if result.violated:
            fate.by = killer(task.path, fate.site, result, task.gone)
        elif result.refused and not fate.site.prop:
            fate.by = f"{result.refused} of the front end ({Path(task.path).stem})"
        elif result.reason and not task.patient:
            self.plan(fate, task.path, task.cost, task.gone, patient=True)
        elif result.reason:
            fate.reasons.append(f"{Path(task.path).stem}: {result.reason}")


def killer(path: str, site: Site, result: Attempt, gone: Site) -> str:
    """What noticed that the site, or for a clause another one, is gone."""
    prop, steps = next(pair for pair in result.violated if site.prop in ("", pair[0]))
    more = "" if gone == site else f" without {gone.name}"
    return f"{prop} in {steps} {'step' if steps == 1 else 'steps'}{more} ({Path(path).stem})"


def judge(paths: Sequence[str], jobs: int = 2, limit: float = PATIENT) -> Answer:
    """Try every site of these models, which must be proved as they are. Raises NotProved."""
    begun = time.monotonic()
    models = [model(path) for path in paths]
    fates: dict[Site, Fate] = {}
    for one in models:
        for site in one.sites:
            fates.setdefault(site, Fate(site, [])).models.append(one.path)
    marks = explanations(models, fates.values())
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        run = _Run(pool, jobs, limit)
        costs = run.costs(models)
        for fate in fates.values():
            for path in run.choose(fate, costs) if fate.site.kind != "requires" else ():
                run.plan(fate, path, costs[path], fate.site)
        run.work()
        for fate in fates.values():
            if fate.site.kind == "requires":
                _plan_clause(run, fate, costs)
        run.work()
    ordered = sorted(fates.values(), key=lambda fate: (fate.site.file, fate.site.start))
    stale = [told for told, explained in marks.items() if all(fate.by for fate in explained)]
    large = [path for path, cost in costs.items() if cost > GLANCE]
    return Answer(ordered, stale, large, time.monotonic() - begun)


def _plan_clause(run: _Run, fate: Fate, costs: dict[str, float]) -> None:
    """What was taken away so far may have been noticed by the clause; else each is tried with this as the only clause."""
    path, result, gone = run.noticed.get(fate.site.prop, ("", Attempt(0.0), fate.site))
    if path in fate.models:
        fate.by = killer(path, fate.site, result, gone)
        return
    for path in run.choose(fate, costs):
        for gone in model(path).sites:
            if gone.kind != "requires":
                run.plan(fate, path, costs[path], gone)


# ---------------------------------------------------------------- explanations


def explanations(models: Sequence[Model], fates: Iterable[Fate]) -> dict[str, list[Fate]]:
    """Gives the fates their explanations; returns what each explains, by its place and text."""
    found: dict[str, list[Fate]] = {}
    for one in models:
        for source in one.sources:
            header = _HEADER.match(source.text)
            end = header.end() if header is not None else 0
            for mark in _MARK.finditer(source.text):
                explained = found.setdefault(f"{_place(source, mark.start())}: {mark.group(1)}", [])
                for fate in fates if mark.start() < end else ():
                    ours = fate.site.text == source.text or (source is one.sources[0] and one.path in fate.models)
                    before, name, why = mark.group(1).partition(fate.site.name + ":")
                    if ours and name and not before and why.strip():
                        fate.why = why.strip()
                        explained.append(fate)
    return found


def _place(source: Source, position: int) -> str:
    return f"{normpath(source.path)}:{source.text.count(chr(10), 0, position) + 1}"


# ---------------------------------------------------------------- which models, and the table


def proved_models(below: Path) -> list[str]:
    """The models below a folder that expect to be proved, and nothing else; in order of their paths. Raises NotProved."""
    found = [str(path) for path in sorted(below.rglob("*.dsl")) if is_protocol(path.read_text(encoding="utf-8"))]
    return [path for path in found if _expects_proof(model(path).program)]


def _expects_proof(program: p.Program) -> bool:
    return {one.verdict for one in program.expectations} == {"proved"}


def table(answer: Answer) -> str:
    """A line for each site, those that matter first; then what is stale, and the counts."""
    lines = []
    for fate in sorted(answer.fates, key=lambda fate: not fate.by):
        told = f"killed by {fate.by}" if fate.by else fate.state.upper()
        if not fate.by:
            told += f" in {fate.tried} of {len(fate.models)} models" + "".join(f"; {reason}" for reason in fate.reasons)
            told += f"; not needed: {fate.why}" if fate.why else ""
        lines.append(f"{fate.seconds:6.2f} s  {fate.site.place}: {fate.site.name}: {told}")
    lines += [f"stale explanation: {told}" for told in answer.stale]
    lines += [f"not seen to be proved within {GLANCE:g} s, as it is: {path}" for path in answer.large]
    counts = {state: sum(fate.state == state for fate in answer.fates) for state in ("killed", "survives", "undecided")}
    counted = ", ".join(f"{count} {state}" for state, count in counts.items())
    return "\n".join(
        [*lines, f"{len(answer.fates)} sites: {counted}; {len(answer.unexplained())} not explained; in {answer.seconds:.1f} s"]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="take away every lock, unlock and requires of proved models, one at a time")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="proved models, or folders of which those are taken")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=PATIENT, metavar="SECONDS", help="for each statement and model")
    arguments = parser.parse_args()
    try:
        paths = [path for given in arguments.paths for path in (proved_models(given) if given.is_dir() else [str(given)])]
        answer = judge(paths, arguments.jobs, arguments.limit)
    except NotProved as error:
        print(f"not proved: {error}", file=sys.stderr)
        return 2
    print(table(answer))
    return 1 if answer.unexplained() or answer.stale else 0


if __name__ == "__main__":
    sys.exit(main())
