"""Proofs by what the language itself suggests: who owns a lock stands inside of its bracket, a flag is set behind the line that sets it.

In: a program. Out: proofs of what follows from such lemmas in a single step, after they were themselves proved inductive (Houdini: what
fails is dropped until the rest holds); and the lemmas, as lines. Nothing is searched, so a property may hold and not follow: that is left
to others. It must not know how states and steps are encoded.

Houdini: Flanagan and Leino (2001).
"""

from __future__ import annotations

from time import perf_counter

from formal.engines.alike import alike
from formal.engines.encoding import encoded, safety
from formal.engines.protocol import OWNERSHIP, SYMMETRY, Finding, Options, Outline, Statistics, Tell
from formal.program import Program, Property
from formal.smt.outline_proof import OutlineProof
from formal.verdict import Verdict


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles what follows of `options.properties`, with or without `options.depth`: it knows no steps."""
    started = perf_counter()
    properties = safety(program, options, tell, "lemmas")
    found = encoded(properties, tell, lambda: _prove(program, options, list(properties.values())))
    if found is None:
        return
    proof, proved = found
    tell(Outline(proof.lines(), tuple(proved)))
    for name in proved:
        tell(Finding(name, Verdict.PROVED, None, f"follows from {proof.lemmas} lemmas about where locks are held, proved inductive"))
    for name in properties:
        if name not in proved:
            tell(Finding(name, Verdict.UNDECIDED, None, "it does not follow from where locks are held"))
    figures = {"lemmas": proof.lemmas, **({"threads looked at": proof.looked_at} if proof.looked_at < len(program.threads) else {})}
    tell(Statistics({**figures, "seconds": round(perf_counter() - started, 3)}))


def _prove(program: Program, options: Options, properties: list[Property]) -> tuple[OutlineProof, list[str]]:
    """The lemmas, and the names of what follows from them. Raises EncodingLimitError, RecursionError."""
    groups = () if SYMMETRY in options.without else alike(program)
    proof = OutlineProof(program, properties, options.memory, offered=OWNERSHIP not in options.without, alike=groups)
    return proof, proof.proved()
