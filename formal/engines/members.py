"""Families of any size: which parameters of a program only say how many members there are, and the same program with few of them.

In: a program. Out: the `Family` of its parameters that can be looked at for every value at once, and in which way; or why there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from formal.engines.looking import invariants
from formal.frontend import resized
from formal.interp import Elements, Machine, Uncountable
from formal.program import Counted, Program, Property

LEAST: Final = 2  # members of a family
FEW: Final = 4  # members of the smallest program in which not all are told
FIRST: Final = 6  # members of the smallest program in which they are counted
NESTS: Final = 40  # members at which bottom halves of theirs that nest would nest deeper than any bound


class Unsuited(Exception):
    """Why nothing can be said: a sentence."""


class Sized:
    """The program of the same text with some numbers of members, and what is asked about it several times."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @cached_property
    def machine(self) -> Machine:
        """Its meaning."""
        return Machine(self.program)

    @cached_property
    def elements(self) -> Elements:
        """Whether they can be counted."""
        return Elements(self.program, invariants(self.program.properties).values())


@dataclass(frozen=True, slots=True)
class Family:
    """A program, and the parameters that say how many members there are: those that `counted` names can be counted, for those that
    `untold` names it is enough to know which kinds of members there are. `many`: by name, how many there are of all in a program with many
    of its members; `looked`: the programs that were looked at, by the sizes asked for."""

    program: Program
    counted: tuple[str, ...]
    untold: tuple[str, ...]
    extra: tuple[str, ...]
    many: dict[str, Mapping[str, int]] = field(default_factory=dict)
    looked: dict[frozenset[tuple[str, int]], Sized] = field(default_factory=dict)

    def sized(self, sizes: Mapping[str, int]) -> Sized:
        """The program with so many members. Raises Unsuited."""
        key = frozenset(sizes.items())
        if key not in self.looked:
            found = resized(self.program, sizes, self.extra)
            if found is None:
                raise Unsuited("the model's text is not at hand, or does not load with other numbers of members")
            self.looked[key] = Sized(found)
        return self.looked[key]

    def size(self, name: str) -> int:
        """How many members there are."""
        return int(self.program.parameters[name])


def family(program: Program, extra: tuple[str, ...]) -> Family:
    """What of a program can be looked at for every number. Raises Unsuited."""
    problems: list[str] = []
    counted: list[str] = []
    untold: list[str] = []
    names: list[str] = []
    for name, counts in program.counts.items():
        value = program.parameters[name]
        if not counts.names or not isinstance(value, int) or value < LEAST:
            continue
        if counts.otherwise is not None:
            place = f"{counts.otherwise.source.path}:{counts.otherwise.line}"
            problems.append(f"{name} says more than how many there are of something ({place})")
            continue
        names.append(name)
    members = Family(program, (), (), extra)
    for name, few, many in _sizes(members, names):
        found, problem = _ways(few, many, program.counts[name])
        problems += [f"{name}: {problem}"] if problem else []
        counted += [name] if "counted" in found and int(program.parameters[name]) >= FIRST else []
        untold += [name] if "untold" in found else []
    if all(int(program.parameters[name]) <= LEAST for name in (*counted, *untold)):
        raise Unsuited("; ".join(problems) or f"no parameter counts {FIRST} members or more, of which few have to be told")
    return replace(members, counted=tuple(counted), untold=tuple(untold))


def _sizes(members: Family, names: Sequence[str]) -> Iterator[tuple[str, Sized, Sized]]:
    """For each parameter, a program with few of its members, and one with many. Raises Unsuited."""
    if len(names) > 1 and all(members.program.counts[name].high is None for name in names):
        large = {name: NESTS + place for place, name in enumerate(names)}  # no two as many: a range tells whose it is
        if same_shape(members.sized(large).program, members.program):  # with many of all; so with fewer of some
            for name in names:
                members.many[name] = large
                yield name, members.sized(dict.fromkeys(names, FEW)), members.sized(large)
            return
    for name in names:
        high = members.program.counts[name].high
        members.many[name] = {name: NESTS if high is None else min(NESTS, high)}
        yield name, members.sized({name: FEW}), members.sized(members.many[name])


def _ways(few: Sized, many: Sized, counts: Counted) -> tuple[list[str], str]:
    """How these members can be looked at; else why they cannot."""
    if not same_shape(many.program, few.program):
        return [], "how deep bottom halves nest depends on how many there are"
    try:
        many.elements.check_ranges(counts.names)
    except Uncountable as problem:
        return [], str(problem)
    found, problems = [], []
    for way, look in (("counted", few.elements.countable), ("untold", few.elements.untold)):
        try:
            if way == "counted" and counts.bounds:
                raise Uncountable("how far a semaphore goes depends on how many there are")
            look(counts.names)
        except Uncountable as problem:
            problems.append(str(problem))
        else:
            found.append(way)
    return found, "" if found else problems[-1 if counts.bounds else 0]


def same_shape(one: Program, other: Program) -> bool:
    """Whether bottom halves nest as deep in both, and the same is asked of both."""
    return one.bh_nesting == other.bh_nesting and [prop.name for prop in one.properties] == [prop.name for prop in other.properties]


def those_of(program: Program, asked: Iterable[Property]) -> list[Property]:
    """The properties of the program with few members that are asked of the one with many."""
    names = {prop.name for prop in asked}
    return [prop for prop in program.properties if prop.name in names]
