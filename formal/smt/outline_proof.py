"""What the proof outline of a program proves, and how much of the outline is itself proved.

In: a program and properties of states and steps. Out: the notes that are inductive together, as lines, and the properties that follow from
them. The solver is asked about one step only.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.program import Program, Property
from formal.smt.induction_step import InductionStep
from formal.smt.inductive import inductive, ranges
from formal.smt.obligations import Obligations
from formal.smt.outline import Note, outline, told
from formal.smt.solver import Answer
from formal.smt.standing import standing
from formal.smt.terms import as_term


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
        self.lemmas = len(facts)
        self._notes: list[Note] = [note for note, some in claims if all(term.get_id() in known for term in some)]
        self._names = [prop.name for prop in properties]
        self._step = InductionStep(relation, properties, facts, memory)

    def proved(self) -> list[str]:
        """The properties that follow."""
        answer, held = self._step.inductive(tuple(self._names))
        return [] if answer is Answer.UNKNOWN else [name for name in self._names if name in set(held)]

    def lines(self) -> tuple[str, ...]:
        """The notes that are proved, for a reader."""
        return told(self._notes, self._parts)
