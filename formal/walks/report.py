"""What walks have met, as a report: the shape in which `prove` tells what it found.

In: a program, and the witnesses of what is violated. Out: a `Report` in which everything else is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping

from formal.program import Program
from formal.verdict import PropertyResult, Report, SourceRef, Verdict, Witness

ENGINE = "simulate"  # where reports name the engine


def report(
    program: Program,
    violated: Mapping[str, tuple[Witness, str]],
    otherwise: str,
    loaded: tuple[Mapping[str, str], tuple[str, ...]],
    seconds: float = 0.0,
) -> Report:
    """`violated`: by property, its witness and how it was met; `otherwise`: why the others are open; `loaded`: the -D and the --with."""
    results = []
    for prop in program.properties:
        source = None if prop.span is None else SourceRef(prop.span.source.path, prop.span.line)
        if prop.name in violated:
            witness, how = violated[prop.name]
            result = PropertyResult(prop.name, prop.kind, source, Verdict.VIOLATED, len(witness.steps), ENGINE, how, witness)
        else:
            result = PropertyResult(prop.name, prop.kind, source, Verdict.UNDECIDED, None, "", otherwise)
        results.append(result)
    return Report(
        model=program.name,
        title=program.title,
        file=program.file,
        digest=program.digest,
        parameters=program.parameters,
        depth=None,
        seconds=seconds,
        assumptions=program.assumptions,
        properties=tuple(results),
        defines=loaded[0],
        extra=loaded[1],
        sources=program.sources,
    )
