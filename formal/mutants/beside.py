"""Other models that have a mutated statement, too: whether they would notice what the model itself does not.

In: a model with its `expect`, the name of a mutant. Out: what is no longer as the model expects. A model that is proved notices a mutant
that violates something; one that is violated notices a mutant without which an expected violation is gone: then the mutant took away what
the models are about, and the proof of the first says less than it seems. A model names those beside it in its own file:

    // Beside: before_the_fix.dsl, it_ends.dsl
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from formal.diagnostics import Source
from formal.mutants.explaining import explanations
from formal.mutants.judging import Hunt
from formal.mutants.operators import Mutant, mutants
from formal.program import Program
from formal.rewriting.admitting import Refused, admitted
from formal.rewriting.flattening import flat
from formal.rewriting.rebuilding import rebuilt

_MARK: Final = "Beside"


def named(source: Source) -> tuple[str, ...]:
    """The files that a model names, as it writes them, in its order."""
    found = [file.strip() for line in explanations((source,), _MARK) for file in line.text.split(",")]
    return tuple(dict.fromkeys(file for file in found if file))


class Neighbour:
    """One such model."""

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self.file = program.file
        self._program = flat(program)
        self._violated = tuple(one.prop for one in program.expectations if one.verdict == "violated" and one.prop is not None)

    @cached_property
    def _mutants(self) -> dict[str, Mutant]:
        return {mutant.name: mutant for mutant in mutants(self._program)}

    def as_it_is(self) -> str:
        """What is not as the model expects, without any mutant; empty if all is."""
        return self._unexpected(self._program)

    def notices(self, name: str) -> str:
        """What is not as the model expects with that mutant; empty if all is, if it cannot be known, or if the model has no such mutant."""
        mutant = self._mutants.get(name)
        if mutant is None:
            return ""
        try:
            return self._unexpected(admitted(rebuilt(self._program, mutant.changes)))
        except Refused:
            return ""

    def _unexpected(self, program: Program) -> str:
        if not self._violated:
            hunt = Hunt(program, [prop.name for prop in program.properties])
            return "".join(f"{prop} is violated" for prop, _ in hunt.kills()[:1])
        hunt = Hunt(program, self._violated, every=True)
        found = {prop for prop, _ in hunt.kills()}
        missing = [] if hunt.reason else [prop for prop in self._violated if prop not in found]
        return "".join(f"{prop} is not violated any more" for prop in missing[:1])
