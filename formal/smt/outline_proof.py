"""What the proof outline of a program proves, and how much of the outline is itself proved.

In: a program and properties of states and steps. Out: the notes that are inductive, as lines, and the properties that follow from them and
from what parts of the state can be where threads stand. The solver is asked about one step only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from formal.invariant import Invariant
from formal.program import Program, Property
from formal.smt.alike import Alike
from formal.smt.finite import TooManyCases
from formal.smt.induction_step import InductionStep
from formal.smt.inductive import inductive, ranges
from formal.smt.obligations import Obligations
from formal.smt.outline import Note, outline, told
from formal.smt.questions import Questions
from formal.smt.scripts import ask_z3
from formal.smt.solver import Answer
from formal.smt.standing import standing
from formal.smt.standpoints import Standpoints, TooMuchWork
from formal.smt.terms import as_term
from formal.smt.values import values

LONGEST: Final = 110  # characters of a line about a variable or a bottom half: a longer one lists place after place


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Standpoints that are proved. `invariant`: as clauses; `number`: of each thread."""

    invariant: Invariant
    table: Standpoints
    number: Mapping[str, int]

    def says(self, note: Note) -> bool:
        """Whether the note follows from them."""
        return all(self.table.says(self.number[note.thread], clause) for clause in note.clauses)


class OutlineProof:
    """`lemmas`: how many facts are proved, those included that no line tells; `looked_at`: of how many threads, one of each that are
    alike. Raises EncodingLimitError. `memory`: mebibytes for the solver; `offered`: without it there are no lemmas, for comparison."""

    def __init__(
        self, program: Program, properties: Sequence[Property], memory: int, *, offered: bool = True, alike: Sequence[Alike] = ()
    ) -> None:
        obligations = Obligations(program, ())
        self._parts = obligations.parts
        self._values: list[Note] = []
        self.looked_at = len(program.threads)
        self._notes = outline(self._parts) if offered else []
        table = self._standpoints(program, alike) if offered else None
        facts = [] if table is None else obligations.having(table.invariant)
        said = set[Note]() if table is None else set(filter(table.says, self._notes))
        if table is None or len(said) < len(self._notes):
            facts += self._by_themselves(obligations, said, memory, offered)
        self.lemmas = len(facts)
        self._names = [prop.name for prop in properties]
        self._step = InductionStep(obligations.relation, properties, facts, memory)

    def _standpoints(self, program: Program, alike: Sequence[Alike]) -> _Table | None:
        """What parts can be where threads stand, once that is proved; None where it would take too long."""
        try:
            questions = Questions(program, (), alike)
            table = Standpoints(questions.changes)
            invariant = table.invariant()
            looked_at = len({first for first, _ in map(table.roster.first, range(len(program.threads)))})
            if not table.roster.closed((*questions.changes.proper_clauses(), *invariant)):
                questions, looked_at = Questions(program, ()), len(program.threads)
            scripts = questions.inductive(invariant)
        except (TooManyCases, TooMuchWork):
            return None
        if any(ask_z3(text)[0] != "unsat" for text in scripts.values()):
            return None
        self.looked_at = looked_at
        self._values = values(table, program)
        number = {thread.name: number for number, thread in enumerate(program.threads)}
        return _Table((*questions.changes.proper_clauses(), *invariant), table, number)

    def _by_themselves(self, obligations: Obligations, said: Set[Note], memory: int, offered: bool) -> list[Any]:
        """The notes that are inductive, and what is besides; drops the others, but for those that were said already."""
        claims = [(note, [obligations.clause(clause) for clause in note.clauses]) for note in self._notes]
        candidates = [term for _, some in claims for term in some]
        candidates += [*map(as_term, standing(obligations.relation))] if offered else []
        facts = inductive(obligations.relation, [*candidates, *map(as_term, ranges(obligations.relation))], memory)
        known = {term.get_id() for term in facts}
        self._notes = [note for note, some in claims if note in said or all(term.get_id() in known for term in some)]
        return facts

    def proved(self) -> list[str]:
        """The properties that follow."""
        answer, held = self._step.inductive(tuple(self._names))
        return [] if answer is Answer.UNKNOWN else [name for name in self._names if name in set(held)]

    def lines(self) -> tuple[str, ...]:
        """The notes that are proved, for a reader: those about locks and thread-locals, and of the others what is said in a line."""
        others = told(self._values, self._parts)
        short = [line for line in others if len(line) <= LONGEST]
        left = len(others) - len(short)
        return (*told(self._notes, self._parts), *short, *([f"and {left} facts about other parts, at many places each"] if left else []))
