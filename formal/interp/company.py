"""States in which a few elements of a sort are told, and of the others only which kinds there may be.

In: states of a program with M elements of a sort. Out: of each what is *told* (everything but those elements of which nothing is said to
others), and the kinds of the others; and states put together again, of what is told and any others. See docs/decisions/016-company.md.
Must not know steps, nor searches.

An element is told if a `for` in progress has come to it, if the stack of a thread that is not its own names it, if it owns what is not its
own, or if it names another. Each of the others is of a kind: where it stands to every `for` in progress, and what its own cells say,
whichever one it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from formal.interp.colours import Colour, colour_of
from formal.interp.crowds import Entangled, TooFew
from formal.interp.forms import Form, getter
from formal.interp.layout import FINISHED, OUTSIDE, State
from formal.interp.moving import Moving, Pass
from formal.program import NONE

OWN: Final = 1 << 24  # in the cells of a kind: from here on, a thread of its own, by its family


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What is said of an element that is not told, whichever one it is. `sort`: the number of its sort; `kinds`: where it is the only one
    that says this."""

    sort: int
    colour: Colour
    cells: tuple[Any, ...]
    kinds: Kinds

    def coloured(self, colour: Colour) -> Kind:
        """Where it stands elsewhere to the `for`s in progress."""
        return self if colour == self.colour else self.kinds.kind(self.sort, colour, self.cells)

    def become(self, cells: tuple[Any, ...]) -> Kind:
        """Where its cells say something else."""
        return self.kinds.kind(self.sort, self.colour, cells)


class Kinds:
    """All that there are: each is there once, and so can be told from others at a glance."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Colour, tuple[Any, ...]], Kind] = {}

    def kind(self, sort: int, colour: Colour, cells: tuple[Any, ...]) -> Kind:
        """The one that says this."""
        key = (sort, colour, cells)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Kind(sort, colour, cells, self)
        return found


class Company:
    """Of one sort. `strangers`: of the others that are looked at in this way; `more`: by element, slots beyond those of the program that go
    with it; `kinds`: those of all sorts."""

    def __init__(
        self, number: int, form: Form, moving: Moving, strangers: Sequence[Moving], more: Sequence[Sequence[int]], kinds: Kinds
    ) -> None:
        self._number = number
        self._all_kinds = kinds
        self.size = form.sort.size
        self.moving = moving
        self._strangers = strangers
        self._barred = {thread for other in strangers for thread, i in enumerate(other.element) if i != OUTSIDE}
        self._barred_all = sum(1 << thread for thread in self._barred)
        threads = len(moving.element)
        self._form = form
        self._threads = range(threads)
        self._elements = range(self.size)
        self.cells = [(*form.cells(i), *more[i]) for i in self._elements]
        self.home = {slot: (i, offset) for i in self._elements for offset, slot in enumerate(self.cells[i])}
        self.members = [form.members(i) for i in self._elements]
        self._place = {thread: place for members in self.members for place, thread in enumerate(members)}
        self._all = sum(1 << thread for thread in self._place)
        self._getters = [getter(cells) for cells in self.cells]
        self._blank: list[int] = [slot for cells in self.cells for slot in cells]
        first = self.cells[0]
        self._firsts = [cells[0] for cells in self.cells]
        self.controls = [first.index(thread) for thread in self.members[0]]
        self._owners = [offset for offset, slot in enumerate(first) if slot in form.owners]
        self._sets = [offset for offset, slot in enumerate(first) if slot in form.sets]
        self._outer_owners = [slot for slot in form.owners if slot not in self.home]
        self._outer_sets = [slot for slot in form.sets if slot not in self.home]
        self._outsiders = [thread for thread in self._threads if thread not in self._place]
        self._outer = [thread for thread in self._outsiders if thread not in self._barred]  # nobody else goes through elements in a `for`
        self._outer_places = getter(self._outer)
        self._kinds: list[dict[tuple[Any, ...], tuple[Any, ...] | None]] = [{} for _ in self._elements]
        self._raw: list[dict[tuple[Any, ...], tuple[Any, ...]]] = [{} for _ in self._elements]
        self._filling: dict[tuple[int, Kind], list[tuple[int, Any]]] = {}
        self._silent = set(range(FINISHED + 1))  # controls of stacks that name nobody
        self._stacks: dict[int, tuple[tuple[int, ...], list[int]]] = {}
        self._colours: dict[tuple[int, ...], tuple[Colour, ...]] = {}
        self._orders: dict[tuple[int, ...], list[int] | None] = {}
        self._passes: dict[tuple[int, ...], list[tuple[int, Pass]]] = {}
        self._swaps = [self._form.swap(0, i) for i in self._elements]

    # ------------------------------------------------------------ taking a state apart

    def apart(self, state: State) -> tuple[tuple[int, ...], dict[int, Kind]]:
        """The told elements, in order, and the kinds of the others. Raises Entangled."""
        told, colours = self._told(state)
        found: dict[int, tuple[Any, ...]] = {}
        for i in self._elements:
            if i not in told:
                kind = self.kind_of(i, state)
                if kind is None:
                    told.update(self._entangled_with(i, state))
                else:
                    found[i] = kind
        others = {i: self._all_kinds.kind(self._number, colours[i], kind) for i, kind in found.items() if i not in told}
        seats = tuple(told) if len(told) < 2 else tuple(sorted(told, key=lambda i: (colours[i], self.kind_of(i, state) or (), i)))
        return seats, others

    def _told(self, state: State) -> tuple[set[int], Sequence[Colour]]:
        """The elements of which something is said elsewhere, and where each stands to the `for`s in progress. Raises Entangled."""
        told: set[int] = set()
        loops: list[int] = []
        for control in state[: len(self._threads)]:
            if control not in self._silent:
                named, come = self._stacks.get(control) or self._named_by(control, state.index(control))
                told.update(named)
                loops += come
        for slot in self._outer_owners:
            if state[slot] in self._place:
                told.add(self.moving.element[state[slot]])
        for slot in self._outer_sets:
            if state[slot] & self._all:
                raise Entangled
        return told, self._colours_at(tuple(loops))

    def _named_by(self, control: int, thread: int) -> tuple[tuple[int, ...], list[int]]:
        """The elements that the stack of another thread names, and those that its `for`s have come to. Raises Entangled."""
        named, loops = self.moving.named(control), [one.place for one in self.moving.in_progress(control)]
        own = self.moving.element[thread]
        if loops and (thread in self._barred or own != OUTSIDE):
            raise Entangled
        found = (named if own == OUTSIDE or any(i != own for i in named) else (), loops)
        if any(found):
            self._stacks[control] = found
        else:
            self._silent.add(control)
        return found

    def _colours_at(self, loops: tuple[int, ...]) -> tuple[Colour, ...]:
        """Of all elements, where the `for`s in progress have come to these."""
        found = self._colours.get(loops)
        if found is None:
            found = self._colours[loops] = tuple([colour_of(i, loops) for i in self._elements])
        return found

    def changed_alone(self, i: int, before: State, after: State) -> bool:
        """Whether nothing but this element's own has changed: what is given of a semaphore may count for another, or for nobody."""
        home = self.home
        return all(
            one is other or one == other or home.get(slot, (OUTSIDE, 0))[0] == i
            for slot, (one, other) in enumerate(zip(before, after, strict=True))
        )

    def kind_of(self, i: int, state: State) -> tuple[Any, ...] | None:
        """What the cells of an element say, whichever one it is; None if they name another one."""
        known, raw = self._kinds[i], self._getters[i](state)
        if raw not in known:
            known[raw] = self._learn(i, raw)
        return known[raw]

    def _learn(self, i: int, raw: tuple[Any, ...]) -> tuple[Any, ...] | None:
        new = list(raw)
        own = set(self.members[i])
        for offset in self.controls:
            if raw[offset] > FINISHED:
                if any(other.named(raw[offset]) for other in self._strangers):
                    return None
                new[offset] = self.moving.image(raw[offset], self._swaps[i])
        for offset in self._owners:
            if raw[offset] in self._barred:
                return None
            if raw[offset] in self._place:
                if raw[offset] not in own:
                    return None
                new[offset] = OWN + self._place[raw[offset]]
        for offset in self._sets:
            inside = [thread for thread in own if raw[offset] >> thread & 1]
            if (raw[offset] & (self._all | self._barred_all)) != sum(1 << thread for thread in inside):
                return None
            new[offset] = (raw[offset] & ~self._all, tuple(sorted(self._place[thread] for thread in inside)))
        return tuple(new)

    def _entangled_with(self, i: int, state: State) -> set[int]:
        """The element, and those that own what is its own. Raises Entangled."""
        raw = self._getters[i](state)
        if any(raw[offset] & self._all for offset in self._sets):
            raise Entangled
        return {i, *(self.moving.element[raw[offset]] for offset in self._owners if raw[offset] in self._place)}

    def blank(self, seats: tuple[int, ...]) -> list[int]:
        """The slots of which nothing is said where these elements are told."""
        return [slot for i in self._elements if i not in seats for slot in self.cells[i]]

    def seated(self, told: State, seats: tuple[int, ...]) -> State:
        """The told elements first, of a state that says nothing of the others."""
        if seats not in self._orders:
            self._orders[seats] = self._order(seats)
        order = self._orders[seats]
        return told if order is None else tuple(self._moved(told, seats, order))

    def _order(self, seats: tuple[int, ...]) -> list[int] | None:
        """Where each element goes; None if nobody told goes elsewhere."""
        if seats == tuple(range(len(seats))):
            return None
        order = [0] * self.size
        for place, i in enumerate((*seats, *(i for i in self._elements if i not in seats))):
            order[i] = place
        return order

    def _moved(self, state: State, told: Iterable[int], order: Sequence[int]) -> list[Any]:
        """What is told, with each element where it goes; where any goes elsewhere, nothing in place of the others."""
        new: list[Any] = list(state)
        if all(order[i] == i for i in told):
            return new
        for slot in self._blank:
            new[slot] = None
        for i in told:
            for source, target in zip(self.cells[i], self.cells[order[i]], strict=True):
                new[target] = state[source]
        cells = [self.cells[order[i]] for i in told]
        for slot in (*self._outsiders, *(cells_[offset] for cells_ in cells for offset in self.controls)):
            if (new[slot] or 0) > FINISHED:
                new[slot] = self.moving.image(new[slot], order)
        self._rename(new, cells, order)
        return new

    def _rename(self, new: list[Any], cells: Sequence[Sequence[int]], order: Sequence[int]) -> None:
        """Where threads are named, those that have moved are."""
        owners = (*self._outer_owners, *(cells_[offset] for cells_ in cells for offset in self._owners))
        sets = [cells_[offset] for cells_ in cells for offset in self._sets]
        named = [slot for slot in owners if new[slot] in self._place]
        full = [slot for slot in sets if new[slot] & self._all]
        if named or full:
            threads = self.moving.threads(order)
            for slot in named:
                new[slot] = threads[new[slot]]
            for slot in full:
                new[slot] = sum(1 << threads[t] for t in self._threads if new[slot] >> t & 1)

    # ------------------------------------------------------------ putting one together

    def rows(self, told: State) -> int:
        """How many elements are told: they are the first ones."""
        for i, slot in enumerate(self._firsts):
            if told[slot] is None:
                return i
        return self.size

    def loops(self, state: State) -> tuple[int, ...]:
        """The elements that the `for`s in progress have come to, by thread, and the innermost first."""
        return tuple([one.place for _, one in self.passes(state)])

    def passes(self, state: State) -> list[tuple[int, Pass]]:
        """The `for`s in progress, and whose each is."""
        places = self._outer_places(state)
        found = self._passes.get(places)
        if found is None:
            on = [(thread, control) for thread, control in zip(self._outer, places, strict=True) if control > FINISHED]
            found = self._passes[places] = [(thread, one) for thread, control in on for one in self.moving.in_progress(control)]
        return found

    def colours(self, told: State) -> tuple[Colour, ...]:
        """Of the told elements."""
        return self._colours_at(self.loops(told))[: self.rows(told)]

    def line_up(self, told: State, others: list[Kind], once: Kind | None) -> tuple[tuple[int, ...], dict[int, Kind]]:
        """Where the told elements are, and elements of these kinds, of each one more often where there is room; of those with one colour in
        this order. `once`: besides, one element of this kind. Raises TooFew."""
        rows = self.rows(told)
        first = [] if once is None else [once]
        room = self.size - rows - len(first)
        if len(others) > room or not others:
            raise TooFew
        kinds = [*first, *(others * (room // len(others) + 1))[:room]]
        loops = self.loops(told)
        if not loops:
            return tuple(range(rows)), dict(enumerate(kinds, rows))
        line: list[tuple[Colour, int, int]] = [(colour, i, i) for i, colour in enumerate(self._colours_at(loops)[:rows])]
        line += [(kind.colour, rows + n, n) for n, kind in enumerate(kinds)]
        line.sort(key=lambda one: one[:2])
        seats = [0] * rows
        found: dict[int, Kind] = {}
        for place, (_, rank, number) in enumerate(line):
            if rank < rows:
                seats[number] = place
            else:
                found[place] = kinds[number]
        return tuple(seats), found

    def moved(self, told: State, seats: tuple[int, ...]) -> State:
        """What is told, with the told elements where they are seated."""
        rest = [i for i in self._elements if i not in seats]
        return tuple(self._moved(told, range(len(seats)), [*seats, *rest]))

    def fill(self, new: list[Any], others: dict[int, Kind]) -> None:
        """Puts elements of these kinds into a state."""
        for i, kind in others.items():
            found = self._filling.get((i, kind))
            if found is None:
                found = self._filling[i, kind] = list(zip(self.cells[i], self.cells_at(i, kind.cells), strict=True))
            for slot, value in found:
                new[slot] = value

    def cells_at(self, i: int, cells: tuple[Any, ...]) -> tuple[Any, ...]:
        """What these cells are where the element is this one."""
        found = self._raw[i].get(cells)
        if found is None:
            new = list(cells)
            for offset in self.controls:
                if cells[offset] > FINISHED:
                    new[offset] = self.moving.image(cells[offset], self._swaps[i])
            for offset in self._owners:
                if cells[offset] != NONE and cells[offset] >= OWN:
                    new[offset] = self.members[i][cells[offset] - OWN]
            for offset in self._sets:
                outer, inside = cells[offset]
                new[offset] = outer | sum(1 << self.members[i][place] for place in inside)
            found = self._raw[i][cells] = tuple(new)
        return found
