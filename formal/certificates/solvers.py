"""Independent solvers, and how to put questions to them: as text, each in a process of its own, against a deadline.

In: SMT-LIB 2 scripts by name. Out: what each solver says to each of them. A solver that crashes, hangs or does not understand has not
decided, and takes nothing else with it. It must not know what the scripts are about, nor how anything was proved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from formal.children import Child, Ended, Tell, wait

SAT: Final = "sat"
UNSAT: Final = "unsat"
UNKNOWN: Final = "unknown"
Said: TypeAlias = Literal["sat", "unsat", "unknown"]


@dataclass(frozen=True, slots=True)
class Solver:
    """`package`: its name on PyPI; `module`: what that is imported as. `ask`: the answer to a script, and a reason if there is none; runs
    in a child, may raise anything."""

    name: str
    package: str
    module: str
    ask: Callable[[str], tuple[str, str]]

    @property
    def version(self) -> str | None:
        """The installed one; None if it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None

    @property
    def label(self) -> str:
        """Its name, with its version if there is one."""
        return " ".join(filter(None, (self.name, self.version)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one solver said to one script, after so many seconds; why, where it is `unknown`."""

    script: str
    solver: str
    said: Said
    seconds: float
    reason: str = ""


def _ask_z3(text: str) -> tuple[str, str]:
    from formal.smt.scripts import ask_z3

    return ask_z3(text)


def _ask_cvc5(text: str) -> tuple[str, str]:
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    if "(set-logic QF_BV)" in text:  # a comment may stand before it
        solver.setOption("bitblast", "eager")  # measured: ten times faster than the default on the largest scripts,
        solver.setOption("bool-to-bv", "ite")  # and with this a tenth faster again
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    symbols = parser.getSymbolManager()
    told = []
    while not (command := parser.nextCommand()).isNull():
        told.append(str(command.invoke(solver, symbols)).strip())
    return " ".join(filter(None, told)), ""


def _ask_bitwuzla(text: str) -> tuple[str, str]:
    import bitwuzla

    parser = bitwuzla.Parser(bitwuzla.TermManager(), bitwuzla.Options())
    parser.parse(text, True, False)  # read the text, and leave the question to the next line
    return str(parser.bitwuzla().check_sat()), ""


SOLVERS: Final[Mapping[str, Solver]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Solver("z3", "z3-solver", "z3", _ask_z3),
            Solver("cvc5", "cvc5", "cvc5", _ask_cvc5),
            Solver("bitwuzla", "bitwuzla", "bitwuzla", _ask_bitwuzla),
        )
    }
)


def prepare(solvers: Iterable[Solver]) -> None:
    """Load what children need, once and for all of them."""
    for solver in solvers:
        with suppress(ImportError):  # told by the child that needs it
            import_module(solver.module)


def ask(solvers: Sequence[Solver], scripts: Mapping[str, str], deadline: float, jobs: int) -> tuple[Answer, ...]:
    """Every solver's answer to every script, solver by solver. `deadline`: of time.monotonic(), after which nothing runs any more; `jobs`:
    so many processes at a time, each of which puts some scripts to one solver, one after the other."""
    prepare(solvers)
    questions = [(solver, name) for solver in solvers for name in scripts]
    queue = [_Batch(solver, list(scripts)[first::jobs]) for first in range(min(jobs, len(scripts))) for solver in solvers]
    working: dict[Child, _Batch] = {}
    answers: dict[tuple[str, str], Answer] = {}
    try:
        while queue or working:
            while queue and len(working) < jobs:
                batch = queue.pop(0)
                working[Child(_work(batch, scripts), list(working))] = batch
            for child in wait(list(working), min(0.2, max(0.0, deadline - time.monotonic()))):
                for value in child.receive():
                    answers |= {(one.solver, one.script): one for one in working[child].hear(value)}
            late = time.monotonic() >= deadline
            for child, batch in list(working.items()):
                if late and not child.ended:
                    child.end()
                if child.ended:
                    del working[child]
                    queue += [batch] if batch.names else []
            if late:
                queue.clear()
    finally:
        for child in working:
            child.end()
    return tuple(answers.get((solver.name, name)) or Answer(name, solver.name, UNKNOWN, 0.0, "out of time") for solver, name in questions)


@dataclass(slots=True)
class _Batch:
    """Scripts that one process puts to one solver; `names`: those that it has not answered yet."""

    solver: Solver
    names: list[str]

    def hear(self, value: object) -> Iterator[Answer]:
        """The answer that a process has told, or how it broke down; the other scripts are for another process then."""
        match value:
            case Answer():
                self.names.remove(value.script)
                yield value
            case Ended(crash=crash) if self.names:
                yield Answer(self.names.pop(0), self.solver.name, UNKNOWN, 0.0, _cause(crash))


def _cause(crash: str | None) -> str:
    """The last line of a traceback, or the name of a signal."""
    return "it ended without an answer" if crash is None else f"it broke down: {crash.strip().splitlines()[-1]}"


def _work(batch: _Batch, scripts: Mapping[str, str]) -> Callable[[Tell], None]:
    def work(tell: Tell) -> None:
        for name in batch.names:
            began = time.monotonic()
            said, reason = batch.solver.ask(scripts[name])
            tell(_answer(name, batch.solver.name, said, reason, round(time.monotonic() - began, 2)))

    return work


def _answer(script: str, solver: str, said: str, reason: str, taken: float) -> Answer:
    match said:
        case "sat" | "unsat":
            return Answer(script, solver, said, taken)
        case "unknown":
            return Answer(script, solver, UNKNOWN, taken, reason or "it does not say why")
        case _:
            return Answer(script, solver, UNKNOWN, taken, f"it says `{said}`")
