"""What the formats of circuits share: the transition system, and a legend of what its numbers mean.

In: what is wanted. Out: a `System`, lines of text. It must not know a format.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal.exports import TooLarge, Wanted
from formal.netlist import System


def encoded(wanted: Wanted) -> System:
    """The transition system. Raises TooLarge."""
    from formal.smt.cfg import EncodingLimitError
    from formal.smt.system import system

    try:
        return system(wanted.program, wanted.properties)
    except EncodingLimitError as error:
        raise TooLarge(str(error)) from error


def legend(system: System) -> Iterator[str]:
    """What the numbers of each state variable and input stand for, line by line; variables with the same names of values share a line."""
    rows: dict[tuple[tuple[int, str], ...], list[str]] = {}
    named = [(one.name, one.values) for one in system.inputs] + [(state.name, state.values) for state in system.states]
    for name, meanings in named:
        if meanings:
            rows.setdefault(tuple(meanings.items()), []).append(name)
    for values, names in rows.items():
        yield f"{', '.join(names)}: " + ", ".join(f"{number} = {value}" for number, value in values)
