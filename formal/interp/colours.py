"""Where elements stand to the `for` statements that go through them: each is through with it, has come to it, or has left it.

In: the passes in progress. Out: the *colour* of an element, and what becomes of it in a step that is not about the element. See
docs/decisions/016-company.md. Must not know states.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from formal.interp.moving import Pass

Colour: TypeAlias = tuple[int, ...]  # of an element, by each `for` in progress: THROUGH, NOW or LEFT
THROUGH: Final = 1
NOW: Final = 2
LEFT: Final = 3


def carried(old: Sequence[tuple[int, Pass]], new: Sequence[tuple[int, Pass]]) -> tuple[int, ...]:
    """Of each `for` in progress after a step, its number before; -1 if it has begun in the step. `old` and `new`: those before and after,
    with whose each is."""
    if old == new:
        return tuple(range(len(new)))
    found: list[int] = []
    for thread, one in new:
        same = [
            number
            for number, (other, was) in enumerate(old)
            if other == thread and was.stmt is one.stmt and was.below == one.below and one.place in (was.place, was.place + 1)
        ]
        found.append(same[0] if same else -1)
    return tuple(found)


def recoloured(colour: Colour, carried: Sequence[int]) -> Colour:
    """Of an element that the step was not about."""
    return tuple([LEFT if number < 0 else colour[number] for number in carried])


def in_line(colour: Colour, others: Iterable[Colour]) -> bool:
    """Whether an element of this colour can be among those: before or behind each, for every `for`."""
    return all(
        all(a <= b for a, b in zip(colour, other, strict=True)) or all(a >= b for a, b in zip(colour, other, strict=True))
        for other in others
    )


def colour_of(i: int, loops: Sequence[int]) -> Colour:
    """Of an element, where the `for`s have come to these ones."""
    return tuple([THROUGH if i < now else NOW if i == now else LEFT for now in loops])
