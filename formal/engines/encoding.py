"""What engines that ask a solver have in common: what they cannot settle, and what they say of a program that is too large to encode.

In: a program, options, and what encodes. Out: the properties to settle, what was encoded; what cannot be is told. It must not know how
anything is encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from formal.engines.protocol import Finding, Options, Tell
from formal.program import Program, Property
from formal.smt.cfg import EncodingLimitError
from formal.verdict import Verdict

Encoded = TypeVar("Encoded")
TOO_LARGE: Final = "too large to encode"


def safety(program: Program, options: Options, tell: Tell, engine: str) -> dict[str, Property]:
    """Those of `options.properties` that are about single states and steps, by name; of liveness it is told that this engine is no help."""
    wanted = set(options.properties)
    asked = [prop for prop in program.properties if prop.name in wanted]
    for prop in asked:
        if prop.kind == "liveness":
            tell(Finding(prop.name, Verdict.UNDECIDED, None, f"{engine} cannot settle liveness: it is not about single states"))
    return {prop.name: prop for prop in asked if prop.kind != "liveness"}


def encoded(names: Iterable[str], tell: Tell, encode: Callable[[], Encoded]) -> Encoded | None:
    """What `encode` gives; None if the program is too large for it, which has then been told of each of these properties."""
    try:
        return encode()
    except EncodingLimitError as error:
        why = str(error)
    except RecursionError:
        why = "expressions nested too deeply"
    for name in names:
        tell(Finding(name, Verdict.UNDECIDED, None, f"{TOO_LARGE}: {why}"))
    return None
