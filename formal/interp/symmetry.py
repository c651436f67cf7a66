"""One state for all that differ only in which of several alike threads and elements is which.

In: states, and the sorts of a program. Out: of each state a normal form, and the steps that the states have which share it. See
docs/decisions/007-symmetry.md. Must not know searches.

Two states are alike if a permutation of a sort makes one of the other that leaves the places of every `for` in progress through the sort
alone: what it is through with, the element that it has come to, what is left. A `for` that goes on comes to the next element in order; in a
state that is alike another one may be the next. So the steps from all of them are taken: with loops that take their elements in any order,
alike states have alike steps. That are more executions than the program has; where there are no such loops, it is `exact`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, TypeAlias

from formal.interp.changes import Stop
from formal.interp.control import Controls
from formal.interp.images import Images
from formal.interp.landing import Result, Run
from formal.interp.layout import FINISHED, OUTSIDE, Layout, State, width
from formal.interp.sorts import Sort
from formal.program import NONE, CondDecl, MutexDecl, RwlockDecl, ThreadLocalDecl

Mark: TypeAlias = tuple[int, int, int]
Colour: TypeAlias = tuple[int, ...]
Key: TypeAlias = tuple[Any, ...]  # of an element: what is said of it, whichever one it is
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
        self._cells = [self._cells_of(i) for i in self._elements]
        special = {*self._owners, *self._sets, *range(2 * layout.threads)}
        self._home = {slot: (i, offset) for i in self._elements for offset, slot in enumerate(self._cells[i])}
        plain = [[slot for slot in self._cells[i] if slot not in special] for i in self._elements]
        self._plain = [_getter(slots) for slots in plain]
        self._skeletons: dict[int, tuple[int, tuple[int, ...], tuple[Colour, ...]]] = {}
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

    # ------------------------------------------------------------ what is said of an element

    def _learn(self, control: int) -> tuple[int, tuple[int, ...], tuple[Colour, ...]]:
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
        found = self._skeletons[control] = (self.images.image(control, to), named, tuple(colours))
        return found

    def colours(self, state: State) -> list[Colour]:
        """By element: only those of one colour are alike. The loops in progress see to that."""
        found: list[Colour] | None = None
        known = self._skeletons
        for thread in self._threads:
            control = state[thread]
            if control > FINISHED:
                loops = (known.get(control) or self._learn(control))[2]
                if loops:
                    found = list(self._bases) if found is None else found
                    for colour in loops:
                        for i in self._elements:
                            found[i] = (*found[i], colour[i])
        return self._bases if found is None else found

    def _keys(self, state: State, colours: list[Colour]) -> list[Key]:
        known, element = self._skeletons, self.images.element
        marks: list[list[Mark]] = [[] for _ in self._elements]
        stands: dict[int, int] = {}
        for thread in self._threads:
            control = state[thread]
            if control <= FINISHED:
                stands[thread] = control
                continue
            skeleton, named, _ = known.get(control) or self._learn(control)
            stands[thread] = skeleton
            if named:
                own = element[thread]
                who = FREE + thread if own == OUTSIDE else 2 * FREE + self._family[thread]
                for place, i in enumerate(named):
                    if i != own:
                        marks[i].append((who, skeleton, place))
        self._mark_owners(state, marks)
        self._mark_sets(state, marks)
        locals_of = self._layout.threads
        keys = []
        for i in self._elements:
            where = [(stands[thread], state[locals_of + thread]) for thread in self._members[i]]
            keys.append((colours[i], self._plain[i](state), *where, sorted(marks[i])))
        return keys

    def _mark_owners(self, state: State, marks: list[list[Mark]]) -> None:
        for slot in self._owners:
            owner = state[slot]
            if owner != NONE:
                self._mark(slot, owner, marks)

    def _mark_sets(self, state: State, marks: list[list[Mark]]) -> None:
        for slot in self._sets:
            bits = state[slot]
            while bits:
                low = bits & -bits
                self._mark(slot, low.bit_length() - 1, marks)
                bits ^= low

    def _mark(self, slot: int, thread: int, marks: list[list[Mark]]) -> None:
        """A thread is in a slot: that is said of both, if they are of the sort."""
        of = self.images.element[thread]
        home, offset = self._home.get(slot, (OUTSIDE, slot))
        if of != OUTSIDE:
            kind = 0 if home == OUTSIDE else 1 if home == of else 2
            marks[of].append((kind, offset, self._family[thread]))
        if home not in (OUTSIDE, of):
            marks[home].append((3, offset, FREE + thread if of == OUTSIDE else self._family[thread]))

    # ------------------------------------------------------------ normal forms

    def order(self, state: State) -> list[int] | None:
        """Where each element goes in the normal form; None if all stay."""
        colours = self.colours(state)
        keys = self._keys(state, colours)
        moved = False
        to = list(self._elements)
        for members in self._classes_of(colours):
            if len(members) > 1 and any(keys[one] > keys[other] for one, other in pairwise(members)):
                moved = True
                for place, i in zip(members, sorted(members, key=keys.__getitem__), strict=True):
                    to[i] = place
        return to if moved else None

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
                new[thread] = self.images.image(new[thread], to)
        return tuple(new)

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
        colours = self.colours(state)
        keys = self._keys(state, colours)
        known = [element]
        for i in self._elements:
            if i != element and colours[i] == colours[element]:
                if any(keys[i] == keys[other] and self.permuted(state, self._swap(i, other)) == state for other in known):
                    continue
                known.append(i)
                to = self._swap(i, element)
                yield self.permuted(state, to), to

    def _swap(self, one: int, other: int) -> list[int]:
        to = list(self._elements)
        to[one], to[other] = other, one
        return to


class Symmetry:
    """All sorts of one program. `exact`: executions from normal forms are executions of the program, but for names."""

    def __init__(self, layout: Layout, controls: Controls, sorts: Iterable[Sort], run: Callable[[int], Run]) -> None:
        self._forms = [Form(layout, controls, sort) for sort in sorts]
        self._loops = [form for form in self._forms if form.sort.ordered]
        self._run = run
        self.exact = not self._loops

    def __bool__(self) -> bool:
        return bool(self._forms)

    def normal(self, state: State) -> State:
        """One of the states that are alike, nearly always the same one."""
        for form in self._forms:
            to = form.order(state)
            if to is not None:
                state = form.permuted(state, to)
        return state

    def enters(self, before: int, after: int) -> bool:
        """Whether some `for` comes to its next element, where a thread gets from one control to another."""
        return any(form.enters(before, after) for form in self._loops)

    def steps(self, state: State, thread: int, step: Callable[[int], Run]) -> Sequence[Result]:
        """The steps of the thread from here, and from the states that are alike, where they go another way."""
        alike = self.alike(state, thread)
        return [result for mover, here in alike for result in step(here[mover])(here)]

    def alike(self, state: State, thread: int) -> list[tuple[int, State]]:
        """The thread and the state, and those that are alike from which the thread's step comes to other elements."""
        first = (thread, state)
        seen = {first: None}
        todo = [first]
        while todo:
            mover, here = todo.pop()
            for _, after in self._run(here[mover])(here):
                if isinstance(after, Stop):
                    continue
                for form in self._loops:
                    for element in form.entered(here, after):
                        for other, to in form.swapped(here, element):
                            found = (form.images.threads(to)[mover], other)
                            if found not in seen:
                                seen[found] = None
                                todo.append(found)
        return list(seen)


def _getter(slots: list[int]) -> Callable[[State], Any]:
    """The values of these slots, together."""
    return itemgetter(*slots) if slots else lambda _: ()
