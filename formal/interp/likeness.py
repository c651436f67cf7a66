"""Threads that may do the same but for names: what one of them may still do is worked out, the others' is a renaming of it.

In: control stacks, and sorts (`interp/sorts`) that no `for` goes through step by step. Out: for a thread where it stands, another one,
where that one would have to stand, and the renaming of effects from there to here. Must not know states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from formal.interp.control import Controls
from formal.interp.images import Images
from formal.interp.layout import FINISHED, OUTSIDE, Layout, width
from formal.interp.sorts import Sort
from formal.program import ThreadLocalDecl

# What the object of an effect is, where it is no slot (`interp/touching` has the list): a thread; a slot, or the uid of a statement, times
# the number of threads, and a thread; the position of a context.
OF_THREADS: Final = frozenset(("spawn", "join", "asks", "moves", "finished", "finishes"))
OF_SLOT_AND_THREAD: Final = frozenset(("held", "alters"))
OF_UID_AND_THREAD: Final = frozenset(("at", "passes"))
OF_CONTEXTS: Final = frozenset(("poll", "schedules in", "pending in"))


@dataclass(frozen=True, slots=True)
class Renaming:
    """The thread that stands for another one, where it would have to stand, and what is called what."""

    thread: int
    control: int
    slots: Mapping[int, int]
    threads: tuple[int, ...]

    def object(self, kind: str, thing: int) -> int:
        """The object that an effect of this kind on this object has here."""
        if kind in OF_CONTEXTS:
            return thing
        if kind in OF_THREADS:
            return self.threads[thing]
        if kind in OF_UID_AND_THREAD or kind in OF_SLOT_AND_THREAD:
            what, thread = divmod(thing, len(self.threads))
            what = self.slots.get(what, what) if kind in OF_SLOT_AND_THREAD else what
            return what * len(self.threads) + self.threads[thread]
        return self.slots.get(thing, thing)


class Likeness:
    """The threads of one program that are alike, and the renamings between them. `together`: the thread-locals of all threads are one."""

    def __init__(self, layout: Layout, controls: Controls, sorts: Iterable[Sort], *, together: bool) -> None:
        self._layout = layout
        self._together = together
        self._images = [(sort, Images(layout, controls, sort)) for sort in sorts if not sort.ordered]
        self._swaps: dict[tuple[int, int], tuple[dict[int, int], tuple[int, ...]]] = {}
        self._sort_of = {t: n for n, (_, images) in enumerate(self._images) for t, i in enumerate(images.element) if i != OUTSIDE}
        self._slots = [frozenset(s for i in range(sort.size) for s in self._cells(sort, images, i)) for sort, images in self._images]

    def of(self, thread: int, control: int, shut: Set[int]) -> Renaming | None:
        """Who stands for the thread; None if it does so itself, or if locks are shut that go with elements (a `for` stops at one)."""
        number = self._sort_of.get(thread)
        if number is None or not self._slots[number].isdisjoint(shut):
            return None
        sort, images = self._images[number]
        element = images.element[thread]
        one = sort.colours.index(sort.colours[element])
        if one == element:
            return None
        order = list(range(sort.size))
        order[one], order[element] = element, one
        slots, threads = self._swap(number, one, element)
        there = control if control <= FINISHED else images.image(control, order)
        return Renaming(threads[thread], there, slots, threads)

    def _swap(self, number: int, one: int, other: int) -> tuple[dict[int, int], tuple[int, ...]]:
        found = self._swaps.get((number, other))
        if found is None:
            sort, images = self._images[number]
            order = list(range(sort.size))
            order[one], order[other] = other, one
            here, there = self._cells(sort, images, one), self._cells(sort, images, other)
            slots = dict(zip((*here, *there), (*there, *here), strict=True))
            found = self._swaps[number, other] = (slots, tuple(images.threads(order)))
        return found

    def _cells(self, sort: Sort, images: Images, element: int) -> list[int]:
        """The slots of objects that go where the element goes."""
        layout = self._layout
        found: list[int] = []
        for decl in layout.stored():
            if isinstance(decl, ThreadLocalDecl):
                threads = () if self._together else [t for t, i in enumerate(images.element) if i == element]
                found += [layout.slot(decl, thread) for thread in threads]
            elif decl in sort.arrays:
                start = layout.slot(decl, element)
                found += range(start, start + width(decl))
        return found
