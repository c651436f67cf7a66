"""How a proof for every size may be written down: by counting members, or by telling few of them.

In: a program, the parameters of which it is every value. Out: who lists the states, the first choice first. Who checks a certificate must
not know this module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeAlias

from formal.certificates.crowded import Unsuited
from formal.certificates.family import Family
from formal.certificates.gathering import gathered
from formal.certificates.kindred import Kindred
from formal.certificates.kinds_gathering import gathered as gathered_kinds
from formal.certificates.kinds_listing import KindsListing
from formal.certificates.listing import Listing
from formal.program import Program

Way: TypeAlias = Callable[[Collection[str], Callable[[str], None]], Listing | KindsListing]


def ways(program: Program, least: Mapping[str, int], extra: tuple[str, ...]) -> list[Way]:
    """Those that the program's text does not rule out; each is told what is proved, and tells how far it is. Raises Unsuited."""
    asked = [prop.name for prop in program.properties if prop.kind != "liveness"]
    found: list[Way] = []
    problems: list[Unsuited] = []
    if len(least) == 1:
        ((name, low),) = least.items()
        try:
            found.append(partial(gathered, Family(program, name, low, asked, extra)))
        except Unsuited as problem:
            problems.append(problem)
    others = {name: counts.low for name, counts in program.counts.items() if counts.names and counts.high is None}
    for sorts in ({**others, **least}, least):
        try:
            kindred = Kindred(program, sorts, asked, extra)
        except Unsuited as problem:
            problems.append(problem)
            continue
        found.append(partial(gathered_kinds, kindred))
        break
    if not found:
        raise problems[-1]
    return found
