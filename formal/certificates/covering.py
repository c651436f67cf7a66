"""Whether a list of what is told, each with the kinds that others may be of, has all that a program of any size comes to.

In: a `Kindred`, such a list, what is said to follow from it. Out: what is wrong with it. Each entry is looked at once, and nothing else is:
this is no search. It shares nothing with the engines; docs/decisions/019-kinds-certificates.md has the argument for why it is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from formal.certificates.breaking import Breaking
from formal.certificates.each import SHOWN, problems
from formal.certificates.following import Following
from formal.certificates.kindred import Kindred
from formal.certificates.kinds import Kind, Told
from formal.certificates.showing import Showing

States: TypeAlias = Mapping[Told, frozenset[Kind]]  # of what is told, the kinds that others may be of


def uncovered(kindred: Kindred, states: States, claimed: Collection[str], late: Callable[[], bool] = bool) -> list[str]:
    """Why these do not show that what is claimed holds for every size: nothing if they do. `late`: whether it is time to stop. Raises
    Unsuited, Late."""
    showing = Showing(kindred)
    following, breaking = Following(showing), Breaking(showing)
    found = [missing for told, kinds in following.first() for missing in _missing("the first state", told, kinds, states)]

    def wrong_with(one: Told, name: str) -> Iterator[str]:
        return _wrong_with(showing, breaking, following, one, name, states, claimed)

    return list(dict.fromkeys(problems(states, described, wrong_with, found, late)))[:SHOWN]


def _wrong_with(
    showing: Showing, breaking: Breaking, following: Following, one: Told, name: str, states: States, claimed: Collection[str]
) -> Iterator[str]:
    kinds = sorted(states[one])
    if not showing.consistent(one, kinds):
        yield f"{name} contradicts itself, or is told otherwise"
        return
    overflow = breaking.overflow(one, kinds)
    if overflow is not None:
        yield f"{name} has more given, or taken, of {overflow} than there may be"
        return
    yield from (f"{name} violates {prop}" for prop in breaking.violated(one, kinds) if prop in claimed)
    for came in following.after(one, kinds):
        if came.told is not None:
            yield from _missing(f"what a step of {came.thread} from {name} leads to", came.told, came.kinds, states)
        elif came.violates in claimed:
            yield f"a step of {came.thread} from {name} violates {came.violates}"


def _missing(what: str, told: Told, kinds: frozenset[Kind], states: States) -> Iterator[str]:
    if told not in states:
        yield f"{what} is not among its states ({described(told)})"
    else:
        for kind in sorted(kinds - states[told]):
            yield f"{what} may have one more kind of others ({described(told)}; {_facts(kind)})"


def described(told: Told) -> str:
    """A state in a few words."""
    return ", ".join((*told.shared, *told.links, *map(_facts, told.told))) or "all as at first"


def _facts(kind: Kind) -> str:
    return f"one with {', '.join(kind.facts) or 'all as at first'}"
