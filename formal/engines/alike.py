"""Which threads a bounded search may take in the order of their numbers.

In: a program and what is asked of it. Out: groups of threads that nothing tells apart, for a search that has each of a group move for the
first time behind the one before it; and such a search, as proofs need it beside them. It must not know how steps are searched.

Of each execution one is left in which they do: the members of a group are permuted by when they first move. That is an execution of the
program where no `for` goes through them one by one, and it violates what the other one does, in as many steps and context switches.
"""

from __future__ import annotations

from collections.abc import Iterable

from formal.engines.protocol import OWNERSHIP, SYMMETRY, Options
from formal.interp.sorts import sorts
from formal.program import Program, Property
from formal.smt.alike import Alike
from formal.smt.bounded import Bounded


def first_movers(program: Program, properties: Iterable[Property], options: Options) -> tuple[tuple[int, ...], ...]:
    """The groups, of two threads at least. None where a liveness property is asked for, as for the other uses of symmetry."""
    asked = tuple(properties)
    if SYMMETRY in options.without or any(prop.kind == "liveness" for prop in asked):
        return ()
    groups: dict[tuple[int, int], list[int]] = {}
    for number, sort in enumerate(sorts(program, [prop.condition for prop in asked if prop.condition is not None])):
        if sort.families and not sort.ordered:
            for thread, colour in zip(program.families[sort.families[0].name], sort.colours, strict=True):
                groups.setdefault((number, colour), []).append(thread)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def alike(program: Program) -> tuple[Alike, ...]:
    """What can be permuted, whatever is asked for."""
    return tuple(Alike(sort.families, sort.arrays, sort.colours) for sort in sorts(program, ()) if not sort.ordered)


def base_case(program: Program, properties: Iterable[Property], options: Options) -> Bounded:
    """The bounded search beside a proof. It is told no lemmas: those of the proof are proved first, but it must not hide what disproves
    one. Raises EncodingLimitError."""
    asked = tuple(properties)
    alike = first_movers(program, asked, options)
    return Bounded(program, asked, options.memory, without=options.without | {OWNERSHIP}, alike=alike)
