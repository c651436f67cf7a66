"""Independent solvers, and how to put questions to them: as text, each in a process of its own, against a deadline.

In: SMT-LIB 2 scripts by name. Out: what each solver says to each of them. A solver that crashes, hangs or does not understand has not
decided, and takes nothing else with it. It must not know what the scripts are about, nor how anything was proved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    """`package`: its name on PyPI. `ask`: the answer to a script, and a reason if there is none; runs in a child, may raise anything."""

    name: str
    package: str
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
            Solver("z3", "z3-solver", _ask_z3),
            Solver("cvc5", "cvc5", _ask_cvc5),
            Solver("bitwuzla", "bitwuzla", _ask_bitwuzla),
        )
    }
)


def ask(solvers: Sequence[Solver], scripts: Mapping[str, str], deadline: float, jobs: int) -> tuple[Answer, ...]:
    """Every solver's answer to every script, solver by solver. `deadline`: of time.monotonic(), after which nothing runs any more; `jobs`:
    so many processes at a time."""
    questions = [(solver, name) for solver in solvers for name in scripts]
    queue, working = list(questions), dict[Child, _Asked]()
    answers: dict[tuple[str, str], Answer] = {}
    try:
        while queue or working:
            while queue and len(working) < jobs:
                solver, name = queue.pop(0)
                working[Child(_work(solver, scripts[name]), list(working))] = _Asked(solver.name, name, time.monotonic())
            for child in wait(list(working), min(0.2, max(0.0, deadline - time.monotonic()))):
                for value in child.receive():
                    working[child].hear(value)
            late = time.monotonic() >= deadline
            for child, asked in list(working.items()):
                if late and not child.ended:
                    child.end()
                if child.ended:
                    del working[child]
                    answers[asked.solver, asked.script] = asked.answer()
            if late:
                queue.clear()
    finally:
        for child in working:
            child.end()
    return tuple(answers.get((solver.name, name)) or Answer(name, solver.name, UNKNOWN, 0.0, "out of time") for solver, name in questions)


@dataclass(slots=True)
class _Asked:
    """A question under way."""

    solver: str
    script: str
    since: float
    told: tuple[str, str] | None = None
    crash: str | None = None

    def hear(self, value: object) -> None:
        match value:
            case Ended(crash=crash):
                self.crash = crash
            case (str(said), str(reason)):
                self.told = said, reason

    def answer(self) -> Answer:
        said, reason = self.told or (UNKNOWN, _cause(self.crash))
        taken = round(time.monotonic() - self.since, 2)
        match said:
            case "sat" | "unsat":
                return Answer(self.script, self.solver, said, taken)
            case "unknown":
                return Answer(self.script, self.solver, UNKNOWN, taken, reason or "it does not say why")
            case _:
                return Answer(self.script, self.solver, UNKNOWN, taken, f"it says `{said}`")


def _cause(crash: str | None) -> str:
    """The last line of a traceback, or the name of a signal; a process that was ended from here has neither."""
    return "out of time" if crash is None else f"it broke down: {crash.strip().splitlines()[-1]}"


def _work(solver: Solver, text: str) -> Callable[[Tell], None]:
    def work(tell: Tell) -> None:
        tell(solver.ask(text))

    return work
