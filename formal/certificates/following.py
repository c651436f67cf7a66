"""What comes of the states that a `Told` stands for with others of some kinds: by the steps of few states of small programs.

In: a `Showing`, what is told, of which kinds others may be. Out: what their steps lead to, and what those violate. It must not know what is
listed. docs/decisions/019-kinds-certificates.md has the argument for why those few are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

from formal.certificates.crowded import Unsuited
from formal.certificates.kindred import Scope
from formal.certificates.kinds import Kind, Member, Told
from formal.certificates.lineup import Full
from formal.certificates.showing import NO_ORDER, Order, Role, Showing, Shown, is_ahead
from formal.program import PostSem, WaitSem
from formal.smt.concrete import State

Others: TypeAlias = Mapping[Member, Kind]  # those who are not told


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a step of `thread`: what is told then, and kinds of the others; or a property that it violates."""

    thread: str
    told: Told | None
    kinds: frozenset[Kind]
    violates: str | None = None


class Following:
    """Of one program."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._alone: dict[tuple[str, Kind], list[Came]] = {}  # what comes of the steps that are about nobody else

    def first(self) -> Iterator[tuple[Told, frozenset[Kind]]]:
        """The first states of the smallest sizes: from then on they are the same. Raises Unsuited."""
        for sizes in product((1, 2, 3), repeat=len(self._showing.sorts)):
            lineup = self._showing.kindred.lineup(sizes)
            told, others = lineup.of(lineup.first)
            yield told, frozenset(others.values())

    def after(self, told: Told, kinds: Sequence[Kind]) -> Iterator[Came]:
        """What comes of all steps. Raises KeyError, Unsuited."""
        for role in self._showing.roles(told, kinds):
            known = None if role.kind is None else self._alone.get((role.name, role.kind))
            if known is None:
                shown = self._showing.shown(told, role.mover, fill=kinds)
                if shown is None:
                    return
                scope = self._showing.scope(role, shown)
                if role.kind is None or not scope.alone or scope.orders:
                    yield from self._followed(told, kinds, role, scope)
                    continue
                known = self._alone[role.name, role.kind] = self._by_itself(role, shown, scope)
            yield from (replace(came, told=None if came.violates else told) for came in known)

    def _by_itself(self, role: Role, shown: Shown, scope: Scope) -> list[Came]:
        """What comes of the steps of one who is not told that are about nothing but what is its own, wherever that is."""
        found = []
        for came, others in self._steps(shown, role.thread(shown), scope, shown.at, ()):
            new = others.get(shown.at[-1])
            if came.violates is None and new is None:
                raise Unsuited(f"`{role.name}` comes to be told by what is its own")
            found.append(replace(came, kinds=frozenset() if new is None else frozenset((new,))))
        return found

    def _followed(self, told: Told, kinds: Sequence[Kind], role: Role, scope: Scope) -> Iterator[Came]:
        there = [*told.told, *role.mover]
        for order in _orders(there, kinds, role.name, scope):
            if all(order.fits(kind, there) for kind in there):
                allowed = [kind for kind in kinds if order.fits(kind, there)]
                for chosen, members in self._showing.choices(allowed, scope.cells) if scope.broad else [([], allowed)]:
                    for pick in [[], *([kind] for kind in allowed if scope.picks)]:
                        yield from self._in_company(told, role, scope, order, [*role.mover, *pick], chosen, members)

    def _in_company(
        self, told: Told, role: Role, scope: Scope, order: Order, sure: list[Kind], chosen: list[Kind], members: list[Kind]
    ) -> Iterator[Came]:
        """Where those in `sure` are there, one of each group, and any number of those in `members`."""
        for beside in _beside(members, scope):
            shown = self._showing.shown(told, [*sure, *chosen, *beside], order, members)
            if shown is not None:
                certain = (*shown.at[: len(told.told) + len(sure)], *shown.leads)
                for came, others in self._steps(shown, role.thread(shown), scope, certain, members):
                    yield replace(came, kinds=came.kinds | _kept(shown, scope, members, others, bool(beside)))

    def _steps(
        self, shown: Shown, thread: int, scope: Scope, sure: Sequence[Member], members: Sequence[Kind]
    ) -> Iterator[tuple[Came, Others]]:
        """The steps of a thread, and the kinds of all who are not told then. `sure`: those of whom it is known that they are there;
        `members`: kinds of whom there may be any number besides."""
        lineup = shown.lineup
        concrete, name = lineup.concrete, lineup.concrete.threads[thread]
        before = _with_semaphores(shown, thread, scope, sure, members)
        if before is None:
            return
        yield from ((Came(name, None, frozenset(), prop), {}) for prop in concrete.faults(before, thread))
        for state in concrete.steps(before, thread):
            told, others = lineup.of(Full(state, self.given(shown, thread, before, state)))
            yield Came(name, told, frozenset(others.values())), others

    def given(self, shown: Shown, thread: int, before: State, after: State) -> tuple[tuple[int, ...], ...]:
        """What each has given after a step: what it posts, or takes, counts for the mover, or for the member that its place names."""
        lineup = shown.lineup
        found = []
        for tally, given in zip(lineup.tallies, shown.full.given, strict=True):
            position = lineup.index[tally.part]
            change = after[position] - before[position]
            if change:
                place = lineup.concrete.places[lineup.concrete.stands(before, thread)]
                named = lineup.names.members(f"{lineup.concrete.threads[thread]} {place}")
                at = next((i for sort, i in named if sort == tally.sort), -1)
                new = list(given)
                new[at] += change
                given = tuple(new)
            found.append(given)
        return tuple(found)


def _orders(there: Sequence[Kind], kinds: Sequence[Kind], name: str, scope: Scope) -> Iterator[Order]:
    """In which orders members may stand, as far as a step can tell."""
    if not scope.orders:
        yield NO_ORDER
        return
    ahead: list[Kind | int] = [number for number, kind in enumerate(there) if is_ahead(kind, name)]
    ahead += [kind for kind in kinds if is_ahead(kind, name)]
    if not scope.begins:
        yield from (Order(name, one) for one in (*ahead, None))
        return
    for front in (None, *range(len(there)), *kinds):
        yield Order(front=front)
        yield from (Order(name, one, front) for one in (*ahead, None))


def _beside(members: Sequence[Kind], scope: Scope) -> list[list[Kind]]:
    """Who is looked at of those that a step is not about: each, if it changes them; else one of each standing, if that may change, and
    nobody otherwise."""
    if scope.changes:
        return [[], *([kind] for kind in members)]
    alike = {(kind.sort, kind.standing): kind for kind in members} if scope.orders else {}
    return [[], *([kind] for kind in alike.values())]


def _kept(shown: Shown, scope: Scope, members: Sequence[Kind], others: Others, beside: bool) -> frozenset[Kind]:
    """What becomes of those of these kinds whom a step does not change: they stand where the one does that was shown beside, who stood
    where they did."""
    if scope.changes:
        return frozenset()
    if not scope.orders:
        return frozenset(members)
    one = shown.beside
    if not beside or one is None or shown.at[-1] not in others:
        return frozenset()  # nobody, or it was the next: whoever else is next is looked at by itself
    standing = others[shown.at[-1]].standing
    return frozenset(kind.elsewhere(standing) for kind in members if (kind.sort, kind.standing) == (one.sort, one.standing))


def _with_semaphores(shown: Shown, thread: int, scope: Scope, sure: Sequence[Member], members: Sequence[Kind]) -> State | None:
    """The state in which a tallied semaphore is more than zero where the step waits for it; None if it cannot be. Raises Unsuited."""
    lineup = shown.lineup
    values = dict.fromkeys((tally.part for tally in lineup.tallies), 0)
    if scope.counts:
        stmt = lineup.concrete.node(lineup.concrete.stands(shown.full.state, thread)).stmt
        if isinstance(stmt, WaitSem):
            for part in scope.counts:
                if 1 not in shown.values(part, sure, members):
                    return None
                values[part] = 1
        elif not isinstance(stmt, PostSem):
            raise Unsuited(f"`{min(scope.counts)}` is looked at otherwise than by `post` and `wait`")
    return shown.valued(values)
