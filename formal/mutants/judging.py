"""What becomes of one mutant: which property notices, and if none does, whether there is anything to notice.

In: the graph of the program, a mutant. Out: a `Fate`. The search is the explicit one, without its reductions while there are few states, so
that the states are there to be compared; it stops behind the first level with a violation. Must not know clocks: who is late is ended from
outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from formal.engines import fairness
from formal.engines.explicit import run
from formal.engines.exploration import Exploration, OutOfMemory
from formal.engines.protocol import Event, Finding, Options, Progress
from formal.interp import Machine, State
from formal.mutants.bisimulation import Graph, Sight, same_in_steps, same_to_properties
from formal.mutants.clauses import alone
from formal.mutants.operators import Mutant
from formal.program import DEADLOCK_PARTIAL, Expr, Program, Property
from formal.rewriting.admitting import Refused, admitted
from formal.rewriting.rebuilding import rebuilt
from formal.verdict import Verdict

PLAIN: Final = 60_000  # states that are explored as they are; beyond, reductions are worth more than what could be compared
MEMORY: Final = 2048  # mebibytes
UNREACHED: Final = "no execution reaches it"

Word: TypeAlias = Literal["killed", "equivalent", "survives", "undecided", "timeout", "refused"]
Kills: TypeAlias = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """`by`: the properties that are violated, and after how many steps, those of the first level with a violation; `beside`: the model
    that noticed instead; `reason`: where no property is violated, why; `seconds`: it took."""

    state: Word
    by: Kills = ()
    reason: str = ""
    seconds: float = 0.0
    beside: str = ""


class Judge:
    """Holds mutants to the properties asked for. `original`: None where it is too large to be compared with."""

    def __init__(self, program: Program, properties: Sequence[str], original: Graph | None) -> None:
        self._program = program
        self._names = tuple(properties)
        self._original = original
        # Who could end a wait is told by the text, and so is who starts by itself: what nobody executes counts, too.
        self._by_text = bool(program.spawned) or DEADLOCK_PARTIAL in self._names
        self._liveness = any(prop.kind == "liveness" for prop in program.properties if prop.name in set(properties))
        if original is not None and not self._liveness:
            _ = original.quotient  # made here, for all that are forked from here

    def judge(self, mutant: Mutant) -> Fate:
        """One mutant's fate."""
        unreached = self._original is not None and mutant.stood is not None and mutant.stood not in self._original.executed
        if unreached and not self._by_text:
            return Fate("equivalent", reason=UNREACHED)
        try:
            program = admitted(rebuilt(self._program, mutant.changes))
        except Refused as refused:
            return Fate("refused", reason=str(refused))
        found = Hunt(program, self._names)
        by = found.kills()
        if by:
            return Fate("killed", by)
        if found.reason:
            return Fate("undecided", reason=found.reason)
        if unreached and program.spawned == self._program.spawned:
            return Fate("equivalent", reason=UNREACHED)
        if found.exploration is None or self._original is None:
            return Fate("survives", reason="too many states to compare with the model's own")
        return self._compared(Graph(found.exploration, self._original.sight))

    def violated_alone(self, mutant: Mutant, prop: str) -> bool | None:
        """Whether a mutant violates a clause where there is no other clause; None if it is not known."""
        try:
            program = admitted(alone(rebuilt(self._program, mutant.changes), prop))
        except Refused:
            return False
        found = Hunt(program, (prop,))
        return True if found.kills() else None if found.reason else False

    def _compared(self, graph: Graph) -> Fate:
        assert self._original is not None
        if same_in_steps(self._original, graph):
            return Fate("equivalent", reason="the same steps of the same threads change the same values")
        if self._liveness:
            return Fate("survives")  # fairness speaks of each step of each thread
        if same_to_properties(self._original, graph):
            return Fate("equivalent", reason="what the properties speak of changes in the same ways")
        return Fate("survives")


class Hunt:
    """The search for a violation of one program; `every`: for one of each property. `exploration`: all its states, if they were few and
    nothing is violated; `reason`: why it is undecided."""

    def __init__(self, program: Program, names: Sequence[str], *, every: bool = False) -> None:
        asked = set(names)
        self._program = program
        self._properties = [prop for prop in program.properties if prop.name in asked]
        self._machine = Machine(program)
        self._tests = [(prop.name, self._machine.condition(c)) for prop in self._properties if (c := _invariant(prop)) is not None]
        self._deadlocks = [prop.name for prop in self._properties if prop.kind == "deadlock"]
        self._errors = {prop.name for prop in self._properties if prop.kind not in ("deadlock", "invariant", "liveness")}
        self._found: dict[str, int] = {}
        self._enough = len(self._properties) if every else 1
        self._exploration = Exploration(self._machine, MEMORY)
        self.exploration: Exploration | None = None
        self.reason = ""

    def kills(self) -> Kills:
        """The violations in the first level that has some; of every property, up to the level that has the last of them."""
        exploration = self._exploration
        try:
            while not exploration.exhausted and len(self._found) < self._enough and len(exploration.states) < PLAIN:
                exploration.expand(self._visit, self._err)
            if len(self._found) < self._enough and not exploration.exhausted:
                self._search()
            elif len(self._found) < self._enough:
                self.exploration = exploration
                self._live()
        except OutOfMemory:
            self.reason = f"more than {MEMORY:,} MiB"
        return tuple((prop.name, self._found[prop.name]) for prop in self._properties if prop.name in self._found)

    def _visit(self, _number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        depth = self._exploration.depth - 1  # of the level that is being expanded: the next one has begun
        for name, holds in self._tests:
            if not holds(state):
                self._found.setdefault(name, depth)
        if waiting and self._deadlocks:
            for name in self._machine.deadlocked(state, waiting, moving, self._deadlocks):
                self._found.setdefault(name, depth)

    def _err(self, _number: int, _thread: int, prop: str) -> None:
        if prop in self._errors:
            self._found.setdefault(prop, self._exploration.depth)

    def _live(self) -> None:
        for prop in self._properties:
            if prop.kind == "liveness" and (lasso := fairness.find_lasso(self._exploration, prop)) is not None:
                self._found[prop.name] = len(lasso.path)

    def _search(self) -> None:
        """With the engine's reductions."""

        def tell(event: Event) -> None:
            if isinstance(event, Progress) and len(self._found) >= self._enough:
                raise _Enough
            if isinstance(event, Finding) and event.verdict is Verdict.VIOLATED:
                self._found.setdefault(event.prop, event.depth or 0)
            elif isinstance(event, Finding) and event.verdict is not Verdict.PROVED:
                self.reason = event.reason

        try:
            run(self._program, Options(tuple(prop.name for prop in self._properties), memory=MEMORY), tell)
        except _Enough:
            self.reason = ""


class _Enough(Exception):
    """Enough properties have noticed."""


def _invariant(prop: Property) -> Expr | None:
    return prop.condition if prop.kind == "invariant" else None


def graph_of(program: Program, names: Sequence[str]) -> tuple[Kills, Graph | None, str]:
    """Of the program itself: what is violated, its graph if it is small enough, why it is undecided."""
    hunt = Hunt(program, names)
    by = hunt.kills()
    graph = None if hunt.exploration is None else Graph(hunt.exploration, Sight(program, names))
    return by, graph, hunt.reason
