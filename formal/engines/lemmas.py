"""Proofs by what the language itself suggests: who owns a lock stands inside of its bracket, a flag is set behind the line that sets it.

In: a program. Out: proofs of what follows from such lemmas in a single step, after they were themselves proved inductive (Houdini: what
fails is dropped until the rest holds); and the lemmas, as lines. Nothing is searched, so a property may hold and not follow: that is left
to others. It must not know how states and steps are encoded.

Houdini: Flanagan and Leino (2001).
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

from formal.engines.protocol import Finding, Options, Outline, Statistics, Tell
from formal.program import Program, Property
from formal.smt.cfg import EncodingLimitError
from formal.smt.outline_proof import OutlineProof
from formal.verdict import Verdict

OWNERSHIP: Final = "ownership"  # the reduction that offers lemmas


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles what follows of `options.properties`, with or without `options.depth`: it knows no steps."""
    started = perf_counter()
    wanted = [prop for prop in program.properties if prop.name in set(options.properties)]
    try:
        proof = OutlineProof(program, _safety(wanted), options.memory, offered=OWNERSHIP not in options.without)
        proved = proof.proved()
    except (EncodingLimitError, RecursionError) as error:
        _undecided(wanted, f"too large to encode: {str(error) or 'expressions nested too deeply'}", tell)
        return
    tell(Outline(proof.lines(), tuple(proved)))
    for name in proved:
        tell(Finding(name, Verdict.PROVED, None, f"follows from {proof.lemmas} lemmas about where locks are held, proved inductive"))
    _undecided([prop for prop in wanted if prop.name not in proved], "it does not follow from where locks are held", tell)
    tell(Statistics({"lemmas": proof.lemmas, "seconds": round(perf_counter() - started, 3)}))


def _safety(properties: list[Property]) -> list[Property]:
    return [prop for prop in properties if prop.kind != "liveness"]


def _undecided(properties: list[Property], reason: str, tell: Tell) -> None:
    for prop in properties:
        why = "lemmas about states cannot settle liveness" if prop.kind == "liveness" else reason
        tell(Finding(prop.name, Verdict.UNDECIDED, None, why))
