"""Normal forms of states for one sort: what is said of each of its elements, whichever one it is, and that in order.

In: states, a sort. Out: where each element goes in the normal form, states with elements moved, the threads that do the same as another,
and what the loops in progress come to. See docs/decisions/007-symmetry.md. Must not know steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, TypeAlias

from formal.interp.control import Controls
from formal.interp.images import Images
from formal.interp.layout import FINISHED, OUTSIDE, Layout, State, width
from formal.interp.sorts import Sort
from formal.program import NONE, BhDecl, CondDecl, MutexDecl, RwlockDecl, ThreadLocalDecl

Mark: TypeAlias = tuple[int, int, int]
Colour: TypeAlias = tuple[int, ...]
Key: TypeAlias = tuple[Any, ...]  # of an element: what is said of it, whichever one it is
Stack: TypeAlias = tuple[int, tuple[int, ...], tuple[Colour, ...]]  # what it is but for names, what it names, what its loops tell apart
Cells: TypeAlias = tuple[Any, ...]  # of an element: where its threads stand, their locals, what else goes with it and holds no thread
Own: TypeAlias = "tuple[Key, tuple[int, ...]]"  # what these say of it, and its threads that name others
FREE: Final = 1 << 20  # numbers from here on are no slots


class Form:
    """Normal forms for one sort."""

    def __init__(self, layout: Layout, controls: Controls, sort: Sort) -> None:
        self.sort = sort
        self.images = Images(layout, controls, sort)
        self._layout = layout
        self._threads = range(layout.threads)
        self._elements = range(sort.size)
        self._members = [tuple(layout.program.families[family.name][i] for family in sort.families) for i in self._elements]
        self._family = {thread: place for members in self._members for place, thread in enumerate(members)}
        self._all = sum(1 << thread for thread in self._family)
        self._owners, self._sets = self._speaking()
        self._bits = frozenset(self._sets)
        self._cells = [self._cells_of(i) for i in self._elements]
        special = {*self._owners, *self._sets, *range(2 * layout.threads)}
        self._home = {slot: (i, offset) for i in self._elements for offset, slot in enumerate(self._cells[i])}
        self._owns: list[dict[Cells, Own]] = [{} for _ in self._elements]
        self._housed = [(slot, self._home[slot][0]) for slot in (*self._owners, *self._sets) if slot in self._home]
        self._get_housed = getter([slot for slot, _ in self._housed])
        plain = [[slot for slot in self._cells[i] if slot not in special] for i in self._elements]
        locals_of = [[layout.locals_of(thread) for thread in members] for members in self._members]
        getters = [getter([*self._members[i], *locals_of[i], *plain[i]]) for i in self._elements]
        self._own_cells = list(zip(self._owns, getters, strict=True))
        self._outsiders = [thread for thread in self._threads if thread not in self._family]
        self._get_owners = getter(self._owners)
        self._stacks: dict[int, Stack] = {}
        self._entered: dict[tuple[int, int], tuple[int, ...]] = {}
        self._bases: list[Colour] = [(colour,) for colour in sort.colours]
        self._classes: dict[tuple[Colour, ...], list[list[int]]] = {}

    def _speaking(self) -> tuple[list[int], list[int]]:
        """The slots that hold a thread, and those that hold a set of threads."""
        owners: list[int] = []
        sets: list[int] = []
        for decl in self._layout.stored():
            slots = list(self._layout.slots(decl))
            if isinstance(decl, MutexDecl | RwlockDecl):
                owners += slots
            if isinstance(decl, RwlockDecl):
                sets += [slot + 1 for slot in slots]
            if isinstance(decl, CondDecl):
                sets += slots
        return owners, sets

    def _cells_of(self, element: int) -> list[int]:
        """The slots that go where the element goes."""
        found = [slot for thread in self._members[element] for slot in (thread, self._layout.locals_of(thread))]
        for decl in self._layout.stored():
            if isinstance(decl, ThreadLocalDecl):
                found += [self._layout.slot(decl, thread) for thread in self._members[element]]
            elif decl in self.sort.arrays:
                start = self._layout.slot(decl, element)
                found += range(start, start + width(decl))
        return found

    def cells(self, element: int) -> list[int]:
        """The slots that go where the element goes."""
        return self._cells[element]

    def members(self, element: int) -> tuple[int, ...]:
        """The threads of an element, one of each family."""
        return self._members[element]

    def slots(self, arrays: Iterable[BhDecl], element: int) -> list[int]:
        """The slots of an element in these arrays."""
        return [self._layout.slot(array, element) for array in arrays]

    @property
    def sets(self) -> list[int]:
        """The slots that hold a set of threads."""
        return self._sets

    @property
    def owners(self) -> list[int]:
        """The slots that hold a thread."""
        return self._owners

    # ------------------------------------------------------------ what is said of an element

    def _learn(self, control: int) -> Stack:
        """The stack that all stacks have which differ in names alone, the elements it names, and the colours its loops give."""
        named = self.images.named(control)
        order = list(dict.fromkeys((*named, *self._elements)))
        to = [0] * len(order)
        for place, element in enumerate(order):
            to[element] = place
        colours = []
        for each in self.images.passes(control).values():
            through, now, left = self.images.place(each)
            colours.append(tuple([1 if i in through else 2 if i == now else 3 if i in left else 0 for i in self._elements]))
        found = self._stacks[control] = (self.images.image(control, to), named, tuple(colours))
        return found

    def _stack(self, control: int) -> Stack:
        return self._stacks.get(control) or self._learn(control)

    def colours(self, state: State) -> list[Colour]:
        """By element: only those of one colour are alike. The loops in progress see to that."""
        if not self.sort.ordered:
            return self._bases
        found: list[Colour] | None = None
        for thread in self._threads:
            control = state[thread]
            if control > FINISHED:
                for colour in self._stack(control)[2]:
                    found = list(self._bases) if found is None else found
                    for i in self._elements:
                        found[i] = (*found[i], colour[i])
        return self._bases if found is None else found

    def _own(self, element: int, cells: Cells) -> Own:
        """What the cells of an element say that hold no thread: the same for all that are alike. And who in them names other elements."""
        said: list[Any] = [cells[len(self._members[element]) :]]
        naming = []
        for thread, control in zip(self._members[element], cells, strict=False):
            if control <= FINISHED:
                said.append(control)
                continue
            skeleton, named, _ = self._stack(control)
            said.append(skeleton)
            if any(i != element for i in named):
                naming.append(thread)
        found = self._owns[element][cells] = (tuple(said), tuple(naming))
        return found

    def _said(self, state: State) -> list[Own]:
        """By element, what its own cells say."""
        return [known.get(cells := cells_of(state)) or self._own(i, cells) for i, (known, cells_of) in enumerate(self._own_cells)]

    def _marked(self, state: State, colours: list[Colour], owns: list[Own]) -> list[Key]:
        marks: dict[int, list[Mark]] = {}
        for thread in self._outsiders:
            if state[thread] > FINISHED and self._stack(state[thread])[1]:
                self._mark_named(thread, state[thread], marks)
        for _, naming in owns:
            for thread in naming:
                self._mark_named(thread, state[thread], marks)
        self._mark_owners(state, marks)
        self._mark_sets(state, marks)
        if not marks:
            return [(colour, own[0]) for colour, own in zip(colours, owns, strict=True)]
        return [(colours[i], owns[i][0], *sorted(marks.get(i, ()))) for i in self._elements]

    def _mark_named(self, thread: int, control: int, marks: dict[int, list[Mark]]) -> None:
        skeleton, named, _ = self._stack(control)
        own = self.images.element[thread]
        who = FREE + thread if own == OUTSIDE else 2 * FREE + self._family[thread]
        for place, i in enumerate(named):
            if i != own:
                marks.setdefault(i, []).append((who, skeleton, place))

    def _mark_owners(self, state: State, marks: dict[int, list[Mark]]) -> None:
        for slot, owner in zip(self._owners, self._get_owners(state), strict=True):
            if owner != NONE:
                self._mark(slot, owner, marks)

    def _mark_sets(self, state: State, marks: dict[int, list[Mark]]) -> None:
        for slot in self._sets:
            bits = state[slot]
            while bits:
                low = bits & -bits
                self._mark(slot, low.bit_length() - 1, marks)
                bits ^= low

    def _mark(self, slot: int, thread: int, marks: dict[int, list[Mark]]) -> None:
        """A thread is in a slot: that is said of both, if they are of the sort."""
        of = self.images.element[thread]
        home, offset = self._home.get(slot, (OUTSIDE, slot))
        if of != OUTSIDE:
            kind = 0 if home == OUTSIDE else 1 if home == of else 2
            marks.setdefault(of, []).append((kind, offset, self._family[thread]))
        if home not in (OUTSIDE, of):
            marks.setdefault(home, []).append((3, offset, FREE + thread if of == OUTSIDE else self._family[thread]))

    # ------------------------------------------------------------ normal forms

    def order(self, state: State) -> list[int] | None:
        """Where each element goes in the normal form; None if all stay, as do those that need not move."""
        colours = self.colours(state)
        keys = self._marked(state, colours, self._said(state))
        to: list[int] | None = None
        for members in self._classes_of(colours):
            if len(members) > 1 and any(keys[one] > keys[other] for one, other in pairwise(members)):
                to = list(self._elements) if to is None else to
                self._sort_in(members, keys, to)
        return to

    def _sort_in(self, members: list[int], keys: list[Key], to: list[int]) -> None:
        """Where these go, in order of their keys; who is in a right place stays."""
        places: dict[Key, list[int]] = {}
        for place, key in zip(members, sorted([keys[i] for i in members]), strict=True):
            if keys[place] != key:
                places.setdefault(key, []).append(place)
        wrong = [place for those in places.values() for place in those]
        for i in sorted(wrong):
            to[i] = places[keys[i]].pop(0)

    def _classes_of(self, colours: list[Colour]) -> Iterable[list[int]]:
        key = tuple(colours)
        found = self._classes.get(key)
        if found is None:
            classes: dict[Colour, list[int]] = {}
            for i, colour in enumerate(colours):
                classes.setdefault(colour, []).append(i)
            found = self._classes[key] = list(classes.values())
        return found

    def permuted(self, state: State, to: Sequence[int]) -> State:
        """The state with each element moved."""
        new = list(state)
        for i, place in enumerate(to):
            if i != place:
                for source, target in zip(self._cells[i], self._cells[place], strict=True):
                    new[target] = state[source]
        threads = self.images.threads(to)
        for slot in self._owners:
            if new[slot] != NONE:
                new[slot] = threads[new[slot]]
        for slot in self._sets:
            if new[slot] & self._all:
                new[slot] = sum([1 << threads[t] for t in self._threads if new[slot] >> t & 1])
        for thread in self._threads:
            if new[thread] > FINISHED:
                new[thread] = self._moved(new[thread], to)
        return tuple(new)

    def _moved(self, control: int, to: Sequence[int]) -> int:
        named = self._stack(control)[1]
        return self.images.image(control, to) if len(named) > 1 or (named and to[named[0]] != named[0]) else control

    # ------------------------------------------------------------ who does the same

    def twins(self, state: State) -> dict[int, int]:
        """Threads whose steps come to the same as those of another one, but for names; by thread, that one, which has a lower number. To
        exchange the elements of the two leaves the state as it is."""
        keys, apart = self.told(state)
        found: dict[int, int] = {}
        first: dict[Key, int] = {}
        for i in self._elements:
            if i not in apart:
                one = first.setdefault(keys[i], i)
                if one != i:
                    found.update(zip(self._members[i], self._members[one], strict=True))
        return found

    def told(self, state: State) -> tuple[list[Key], set[int]]:
        """What is said of each element, and the elements that may differ though the same is said of them. To exchange two of the others, of
        which the same is said, leaves the state as it is."""
        colours, owns = self.colours(state), self._said(state)
        return self._marked(state, colours, owns), self._apart(state, owns)

    def _apart(self, state: State, owns: list[Own]) -> set[int]:
        """The elements that another one tells of, and those that do: to exchange them may change more than what is said of them."""
        found: set[int] = set()
        for _, naming in owns:
            for thread in naming:
                found.update(self._stack(state[thread])[1])
        for (slot, home), value in zip(self._housed, self._get_housed(state), strict=True):
            held = self._all & (value if slot in self._bits else 0 if value == NONE else 1 << value)
            while held:
                low = held & -held
                of = self.images.element[low.bit_length() - 1]
                if of != home:
                    found.update((of, home))
                held ^= low
        return found

    # ------------------------------------------------------------ loops

    def entered(self, before: State, after: State) -> list[int]:
        """The elements that some `for` has come to in a step."""
        found: list[int] = []
        for thread in self._threads:
            one, other = before[thread], after[thread]
            if one != other and other > FINISHED:
                found += self.enters(one, other)
        return found

    def enters(self, before: int, after: int) -> tuple[int, ...]:
        """The elements that some `for` has come to, where a thread gets from one control to another."""
        found = self._entered.get((before, after))
        if found is None:
            found = self._entered[before, after] = tuple(self._new(before, after))
        return found

    def _new(self, before: int, after: int) -> Iterator[int]:
        passed = self.images.passes(before)
        for number, each in self.images.passes(after).items():
            now = self.images.place(each)[1]
            if number not in passed and now is not None and now != OUTSIDE:
                yield now

    def swapped(self, state: State, element: int) -> Iterator[tuple[State, list[int]]]:
        """The states with this element and another one of its colour exchanged, and the exchange; of those that are the same but for names
        one, and none that is the state itself."""
        colours, owns = self.colours(state), self._said(state)
        keys, apart = self._marked(state, colours, owns), self._apart(state, owns)
        known = set() if element in apart else {keys[element]}
        for i in self._elements:
            if i != element and colours[i] == colours[element] and (i in apart or keys[i] not in known):
                if i not in apart:
                    known.add(keys[i])
                to = self.swap(i, element)
                yield self.permuted(state, to), to

    def swap(self, one: int, other: int) -> list[int]:
        """The exchange of two elements."""
        to = list(self._elements)
        to[one], to[other] = other, one
        return to


def getter(slots: Sequence[int]) -> Callable[[State], tuple[Any, ...]]:
    """The values of these slots, together."""
    if len(slots) == 1:
        only = slots[0]
        return lambda state: (state[only],)
    return itemgetter(*slots) if slots else lambda _: ()
