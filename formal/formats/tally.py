"""How many properties have which verdict, in words.

In: results of properties. Out: "3 proved, 2 violated"; what holds only up to some number of steps is told with that number.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.verdict import PropertyResult, Verdict


def tally(results: Sequence[PropertyResult]) -> str:
    """The counts, in the order of the verdicts; those that there are none of are left out."""
    found = ((verdict, [one for one in results if one.verdict is verdict]) for verdict in Verdict)
    return ", ".join(f"{len(ones)} {_words(verdict, ones)}" for verdict, ones in found if ones)


def _words(verdict: Verdict, results: Sequence[PropertyResult]) -> str:
    """A bound where all have the same one: with --depth, the depth."""
    depths = {one.depth for one in results}
    bound = f" {depths.pop()}" if verdict is Verdict.PROVED_UP_TO and len(depths) == 1 else ""
    return verdict.replace("_", " ") + bound
