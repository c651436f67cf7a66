"""States in which a few elements of several sorts are told, and of the others only which kinds there may be; and what steps are about.

In: states of a program with some elements of each sort, the effects of steps. Out: what they tell, kinds, states put together of these;
what of the others a step looks at or changes; what becomes of those that it is not about. See docs/decisions/016-company.md. Must not know
searches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from formal.interp.colours import LEFT, THROUGH, Colour, carried, in_line, recoloured
from formal.interp.company import Company, Kind
from formal.interp.crowds import Entangled
from formal.interp.forms import getter
from formal.interp.layout import FINISHED, OUTSIDE, State
from formal.interp.likeness import OF_CONTEXTS, OF_SLOT_AND_THREAD, OF_THREADS, OF_UID_AND_THREAD
from formal.interp.moving import Pass
from formal.interp.reach import Effect, Effects
from formal.interp.tallies import Tallies
from formal.interp.touching import Touching

Carried: TypeAlias = tuple[tuple[int, ...], ...]  # by sort, of each `for` in progress its number before a step
Colours: TypeAlias = tuple[tuple[Colour, ...], ...]  # by sort, of those that are told
Element: TypeAlias = tuple[int, int]  # the number of a sort, and of an element of it
# What changes nothing in the object, or in one that is picked: the step tells of that one.
LOOKS: Final = frozenset(("read", "owner", "held", "count", "flag", "waits", "pending", "at", "asks", "join", "finished", "dispatch"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A state, with the told elements of each sort, in order, and the kinds of the others."""

    state: State
    seats: tuple[tuple[int, ...], ...]
    others: Mapping[Element, Kind]


class Change(NamedTuple):
    """What a step makes of a state that is shown: where the told elements are, what is new, and the kinds of the others that it changes or
    names."""

    seats: tuple[tuple[int, ...], ...]
    slots: tuple[tuple[int, object], ...]
    others: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a step, or a condition, looks at or changes: by element, which of its cells; whether anything that is no element's;
    which elements it changes; the tallied semaphores that it takes from."""

    elements: Mapping[Element, frozenset[int]]
    outside: bool
    changes: frozenset[Element]
    takes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of elements that a step is not about: for each sort, of each `for` its number before, and the colours of the told.
    `known`: of those that were asked for, None for one that cannot be there then."""

    carried: Carried
    colours: Colours
    known: dict[Kind, Kind | None] = field(default_factory=dict)

    def __call__(self, kinds: Iterable[Kind]) -> list[Kind]:
        """Those that can be there then."""
        found: list[Kind] = []
        for kind in kinds:
            turned = self.known[kind] if kind in self.known else self._learn(kind)
            if turned is not None:
                found.append(turned)
        return found

    def _learn(self, kind: Kind) -> Kind | None:
        colour = recoloured(kind.colour, self.carried[kind.sort])
        found = kind.coloured(colour) if in_line(colour, self.colours[kind.sort]) else None
        self.known[kind] = found
        return found


class Companies:
    """Of several sorts of one program."""

    def __init__(self, each: Sequence[Company], tallies: Tallies, touching: Touching, threads: int) -> None:
        self.each = each
        self.tallies = tallies
        self._touching = touching
        self._threads = threads
        self._home: dict[int, tuple[Element, int]] = {}
        self.element_of: dict[int, Element] = {}
        for number, company in enumerate(each):
            self._home.update({slot: ((number, i), offset) for slot, (i, offset) in company.home.items()})
            self.element_of.update({thread: (number, i) for i, members in enumerate(company.members) for thread in members})
        self._about: dict[int, About] = {}
        self._loops: dict[int, tuple[Pass, ...]] = {}
        self._turns: dict[tuple[Carried, Colours], Turn] = {}
        self._outer = getter([thread for thread in range(threads) if thread not in self.element_of])
        self._carried: dict[tuple[State, State], Carried | None] = {}
        self._keep: dict[tuple[tuple[int, ...], ...], Callable[[State], State]] = {}
        self._shown: State = ()
        self._seated: dict[tuple[tuple[int, ...], ...], State] = {}
        self._shares = {
            slot: next(offset for offset, cell in enumerate(each[one.sort].cells[0]) if cell == tallies.start(slot))
            for slot, one in tallies.slots.items()
        }

    # ------------------------------------------------------------ states

    def take_apart(self, state: State) -> tuple[State, Shown]:
        """What a state tells, and the state with what is told of it. Raises Entangled."""
        parts = [company.apart(state) for company in self.each]
        seats = tuple([places for places, _ in parts])
        others = {(number, i): kind for number, (_, kinds) in enumerate(parts) for i, kind in kinds.items()}
        return self._told(state, seats), Shown(state, seats, others)

    def _told(self, state: State, seats: tuple[tuple[int, ...], ...]) -> State:
        """What a state tells: the told elements first, nothing in place of the others, nothing in tallied semaphores."""
        keep = self._keep.get(seats)
        if keep is None:
            blank = {slot for company, places in zip(self.each, seats, strict=True) for slot in company.blank(places)}
            length = len(state)
            sources = [length if slot in blank else length + 1 if slot in self.tallies.slots else slot for slot in range(length)]
            keep = self._keep[seats] = getter(sources)
        told = keep((*state, None, 0))
        for company, places in zip(self.each, seats, strict=True):
            told = company.seated(told, places)
        return told

    def show(self, told: State, lead: Sequence[Kind], kinds: Sequence[Kind], once: Kind | None = None) -> Shown:
        """A state of what is told, elements of the kinds in `lead`, and as many of the others as there is room for; of those that a `for`
        is through with, or has left, at least one, if there are any. `once`: besides, one element of this kind. Raises TooFew."""
        lines: list[tuple[tuple[int, ...], dict[int, Kind]]] = []
        for number, company in enumerate(self.each):
            first = once if once is not None and once.sort == number else None
            room = company.size - company.rows(told) - (first is not None)
            chosen = self._chosen(room, [one for one in lead if one.sort == number], [one for one in kinds if one.sort == number])
            lines.append(company.line_up(told, chosen, first))
        seats = tuple([places for places, _ in lines])
        new = list(self._moved(told, seats))
        for company, (_, found) in zip(self.each, lines, strict=True):
            company.fill(new, found)
        return Shown(tuple(new), seats, {(number, i): kind for number, (_, found) in enumerate(lines) for i, kind in found.items()})

    def _moved(self, told: State, seats: tuple[tuple[int, ...], ...]) -> State:
        """What is told, with the told elements seated: one state is shown many times, one after the other."""
        if told is not self._shown:
            self._shown, self._seated = told, {}
        found = self._seated.get(seats)
        if found is None:
            found = told
            for company, places in zip(self.each, seats, strict=True):
                found = company.moved(found, places)
            self._seated[seats] = found
        return found

    def _chosen(self, room: int, lead: list[Kind], kinds: list[Kind]) -> list[Kind]:
        if len(lead) >= room and not (kinds and kinds[0].colour):
            return lead
        chosen = list(lead)
        for loop in range(len(kinds[0].colour) if kinds else 0):
            for side in (THROUGH, LEFT):
                if not any(kind.colour[loop] == side for kind in chosen):
                    chosen += [kind for kind in kinds if kind.colour[loop] == side][:1]
        for kind in kinds:
            if len(chosen) >= room:
                break
            if kind not in chosen:
                chosen.append(kind)
        return chosen

    def rows(self, told: State) -> list[int]:
        """How many elements of each sort are told."""
        return [company.rows(told) for company in self.each]

    def turn(self, before: State, after: State, told: State) -> Turn | None:
        """What becomes of elements that a step is not about; None if nothing does. `told`: what the state after it tells."""
        steps = (self._outer(before), self._outer(after))
        if steps not in self._carried:
            self._carried[steps] = self._carry(before, after)
        carried_ = self._carried[steps]
        if carried_ is None:
            return None
        key = (carried_, tuple([company.colours(told) for company in self.each]))
        found = self._turns.get(key)
        if found is None:
            found = self._turns[key] = Turn(*key)
        return found

    def _carry(self, before: State, after: State) -> Carried | None:
        """By sort, of each `for` in progress its number before; None if none is. Only threads that are no element's are in one."""
        pairs = [(company.passes(before), company.passes(after)) for company in self.each]
        return tuple([carried(*pair) for pair in pairs]) if any(old or new for old, new in pairs) else None

    def loops(self, control: int) -> tuple[Pass, ...]:
        """The `for`s that a stack is in."""
        found = self._loops.get(control)
        if found is None:
            found = tuple(one for company in self.each for one in company.moving.in_progress(control)) if control > FINISHED else ()
            self._loops[control] = found
        return found

    def settled(self, before: State, thread: int, after: State) -> State:
        """The state after a step, in which what it gave or took counts for somebody. Raises Entangled."""
        if not self.tallies.slots:
            return after
        named = [company.moving.named(before[thread]) for company in self.each]
        return self.tallies.settled(before, [names[0] if names else OUTSIDE for names in named], after)

    def valued(self, shown: Shown, takes: Collection[int], kinds: Iterable[Kind]) -> list[State]:
        """The state shown, with each value that these tallied semaphores may have where others are of these kinds."""
        if not takes:
            return [shown.state]
        given: list[dict[int, set[int]]] = [{} for _ in self.each]
        for kind in kinds:
            for slot, offset in self._shares.items():
                if self.tallies.slots[slot].sort == kind.sort:
                    given[kind.sort].setdefault(slot, set()).add(kind.cells[offset])
        return list(self.tallies.given(shown.state, takes, self.tallies.sums(shown.state, shown.seats, given)))

    def overflows(self, shown: Shown) -> bool:
        """Whether a tallied semaphore may be beyond its bound."""
        others = [[i for sort, i in shown.others if sort == number] for number in range(len(self.each))]
        return bool(self.tallies.slots) and self.tallies.overflow(shown.state, shown.seats, others)

    def change(self, shown: Shown, before: State, after: State) -> Change:
        """What a step makes of what is told, and of which others."""
        slots: list[tuple[int, object]] = []
        others: dict[Element, Kind] = {}
        for slot, (was, value) in enumerate(zip(before, after, strict=True)):
            if was != value:
                slots.append((slot, value))
                element = self._home[slot][0] if slot in self._home else None
                if element is not None and element in shown.others:
                    others[element] = shown.others[element]
                if slot < self._threads and value > FINISHED:
                    named = [(number, i) for number, company in enumerate(self.each) for i in company.moving.named(value)]
                    others.update({one: shown.others[one] for one in named if one in shown.others})
        return Change(shown.seats, tuple(slots), tuple(others.values()))

    # ------------------------------------------------------------ what a step is about

    def about(self, control: int) -> About:
        """What the step from there is about. Raises Entangled."""
        found = self._about.get(control)
        if found is None:
            effects = self._touching.step(control)
            counts = any(effect.object in self.tallies.slots and effect.kind in ("take", "post") for effect in effects)
            if counts and any(company.moving.is_atomic(control) for company in self.each):
                raise Entangled  # several at once
            found = self._about[control] = self.about_effects(effects)
        return found

    def about_effects(self, effects: Effects) -> About:
        """What these effects are about. Raises Entangled where a tallied semaphore is looked at."""
        cells: dict[Element, set[int]] = {}
        outside = False
        changes: set[Element] = set()
        takes: list[int] = []
        for effect in sorted(effects):
            kind, thing = effect
            if thing in self.tallies.slots and kind in ("take", "post", "count"):
                if kind == "count":
                    raise Entangled
                if kind == "take":
                    takes.append(thing)
                    outside = True
                continue
            places = self._places(effect)
            outside |= not places and kind != "schedules in"
            for element, offset in places:
                cells.setdefault(element, set()).update([] if offset is None else [offset])
                changes.update([] if kind in LOOKS else [element])
        return About({element: frozenset(offsets) for element, offsets in cells.items()}, outside, frozenset(changes), tuple(takes))

    def _places(self, effect: Effect) -> list[tuple[Element, int | None]]:
        """The elements, with the cell if there is one, that an effect is about."""
        kind, thing = effect
        if kind in OF_CONTEXTS:
            return []
        if kind in OF_THREADS:
            return [self._home[thing]] if thing in self._home else []
        if kind in OF_UID_AND_THREAD:
            thread = thing % self._threads
            return [self._home[thread]] if thread in self._home else []
        if kind in OF_SLOT_AND_THREAD:
            slot, thread = divmod(thing, self._threads)
            asked = [(self.element_of[thread], None)] if thread in self.element_of else []
            return [*asked, *([self._home[slot]] if slot in self._home else [])]
        return [self._home[thing]] if thing in self._home else []

    def seen(self, about: About, shown: Shown) -> dict[int, frozenset[int]]:
        """By sort, the cells that are looked at of elements that are not told."""
        found: dict[int, frozenset[int]] = {}
        for element, offsets in about.elements.items():
            if element in shown.others:
                found[element[0]] = found.get(element[0], frozenset()) | offsets
        return found
