"""What the proof outline of a program proves, and how much of the outline is itself proved.

In: a program and properties of states and steps. Out: the notes that are inductive, as lines, and the properties that follow from them and
from what parts of the state can be where threads stand. The solver is asked about one step only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from formal.program import Program, Property
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


class OutlineProof:
    """`lemmas`: how many facts are proved, those included that no line tells. Raises EncodingLimitError. `memory`: mebibytes for the
    solver; `offered`: without it there are no lemmas at all, for comparison."""

    def __init__(self, program: Program, properties: Sequence[Property], memory: int, *, offered: bool = True) -> None:
        obligations = Obligations(program, ())
        relation, self._parts = obligations.relation, obligations.parts
        notes = outline(self._parts) if offered else []
        claims = [(note, [obligations.clause(clause) for clause in note.clauses]) for note in notes]
        candidates = [term for _, some in claims for term in some]
        candidates += [*map(as_term, standing(relation))] if offered else []
        facts = inductive(relation, [*candidates, *map(as_term, ranges(relation))], memory)
        known = {term.get_id() for term in facts}
        self._values: list[Note] = []
        self._notes: list[Note] = [note for note, some in claims if all(term.get_id() in known for term in some)]
        if offered:
            facts += self._standpoints(program, obligations)
        self.lemmas = len(facts)
        self._names = [prop.name for prop in properties]
        self._step = InductionStep(relation, properties, facts, memory)

    def _standpoints(self, program: Program, obligations: Obligations) -> list[Any]:
        """What parts can be where threads stand, once that is proved; nothing where it would take too long."""
        try:
            questions = Questions(program, ())
            table = Standpoints(questions.changes)
            invariant = table.invariant()
            scripts = questions.inductive(invariant)
        except (TooManyCases, TooMuchWork):
            return []
        if any(ask_z3(text)[0] != "unsat" for text in scripts.values()):
            return []
        self._values = values(table, program)
        return [obligations.clause(clause) for clause in (*questions.changes.proper_clauses(), *invariant)]

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
