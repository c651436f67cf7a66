"""Each state that a certificate of all sizes lists, looked at once: the loop around what is looked at.

In: states, what is wrong with one. Out: the first problems. It must not know what states are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

SHOWN: Final = 5  # problems that are told

One = TypeVar("One")


class Late(Exception):
    """The time is up."""


def problems(
    states: Iterable[One],
    told: Callable[[One], str],
    wrong_with: Callable[[One, str], Iterable[str]],
    found: Iterable[str],
    late: Callable[[], bool],
) -> list[str]:
    """Those found already, and of one state after the other until there are enough to tell. `told`: a state in a few words; `wrong_with`:
    is given a state and its name, may raise KeyError for a fact that is none; `late`: whether it is time to stop. Raises Late."""
    told_of = list(found)
    for number, one in enumerate(states, 1):
        if len(told_of) >= SHOWN:
            break
        if late():
            raise Late
        try:
            told_of += wrong_with(one, f"its state {number} ({told(one)})")
        except KeyError as error:
            told_of.append(f"its state {number} says `{error.args[0]}`, which nothing in the model can be")
    return told_of
