"""Which steps, and which places to stand, a selector means.

In: a machine and a mapping's rules. Out: whether a step is one that a log would show, and whether it is the one that a line shows. What
does not depend on the state is decided once for each place. Must not know logs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from formal.conform.mapping import Fused, Groups, Mapping, Name, Selector
from formal.interp import Machine, State
from formal.interp.control import Node
from formal.interp.items import At, info_of
from formal.interp.view import phase_of
from formal.verdict import ViewValue

Read: TypeAlias = Callable[[State], ViewValue]


@dataclass(frozen=True, slots=True)
class _Place:
    """What selectors can say of a place; `frames` outermost first."""

    thread: str
    frames: tuple[str, ...]
    label: str | None
    body: str
    statement: str
    phase: str


class Selecting:
    """The selectors of one mapping, on one machine."""

    def __init__(self, machine: Machine, mapping: Mapping) -> None:
        self._machine = machine
        self._rules = mapping.rules
        self._fused = mapping.fused
        self._names = [thread.name for thread in machine.program.threads]
        self._keys = dict(machine.views.readers())
        self._places: dict[int, _Place | None] = {}
        self._shown: dict[int, tuple[Selector, ...] | None] = {}  # None: always shown
        self._starts: dict[int, tuple[Fused, ...]] = {}
        self._static: dict[tuple[int, int, Groups], bool] = {}

    # ------------------------------------------------------------ places

    def _place(self, state: State, thread: int) -> _Place | None:
        control = state[thread]
        if control not in self._places:
            self._places[control] = self._seen(self._machine.node(state, thread))
        return self._places[control]

    def _seen(self, node: Node | None) -> _Place | None:
        if node is None or not isinstance(node.item, At):
            return None
        info = info_of(node.item.stmt)
        return _Place(self._names[node.env.thread], node.env.frames, info.label, info.body, info.text, phase_of(node.item))

    def stands(self, rule: int, groups: Groups, state: State, thread: int) -> bool:
        """Whether the thread stands where the rule's selector says, as far as that does not depend on a step."""
        key = (state[thread], rule, groups)
        found = self._static.get(key)
        if found is None:
            place = self._place(state, thread)
            found = self._static[key] = place is not None and _fits(self._rules[rule].selector, place, groups)
        return found

    # ------------------------------------------------------------ steps

    def steps_so(self, rule: int, groups: Groups, before: State, after: State, thread: int) -> bool:
        """Whether this step is one that the rule means."""
        return self.stands(rule, groups, before, thread) and self._works(self._rules[rule].selector, groups, before, after, thread)

    def logged(self, before: State, after: State, thread: int) -> bool:
        """Whether the log would show this step: some rule means it, and not as one that may go unlogged."""
        control = before[thread]
        if control not in self._shown:
            self._shown[control] = self._selectors(before, thread)
        selectors = self._shown[control]
        return selectors is None or any(self._works(selector, None, before, after, thread) for selector in selectors)

    def _selectors(self, state: State, thread: int) -> tuple[Selector, ...] | None:
        place = self._place(state, thread)
        if place is None:
            return ()
        found = [rule.selector for rule in self._rules if rule.moves and not rule.optional and _fits(rule.selector, place, None)]
        return tuple(found) if all(selector.effects for selector in found) else None

    def rules_of(self, before: State, after: State, thread: int) -> list[int]:
        """The rules that mean this step, whatever their lines capture."""
        place = self._place(before, thread)
        if place is None:
            return []
        fitting = [number for number, rule in enumerate(self._rules) if rule.moves and _fits(rule.selector, place, None)]
        return [number for number in fitting if self._works(self._rules[number].selector, None, before, after, thread)]

    def fused_from(self, before: State, after: State, thread: int) -> tuple[Name, ...]:
        """The bodies that the thread may now leave alone, unlogged, this being its first step there."""
        control = before[thread]
        if control not in self._starts:
            place = self._place(before, thread)
            self._starts[control] = () if place is None else tuple(one for one in self._fused if _fits(one.selector, place, None))
        return tuple(one.through for one in self._starts[control] if self._works(one.selector, None, before, after, thread))

    def within(self, body: Name, state: State, thread: int) -> bool:
        """Whether the thread is inside of that body."""
        place = self._place(state, thread)
        return place is not None and any(body.fits(frame, None) for frame in place.frames)

    def _works(self, selector: Selector, groups: Groups | None, before: State, after: State, thread: int) -> bool:
        name = self._names[thread]
        if selector.takes is not None and not self._lock(selector.takes, groups, after, before, name):
            return False
        if selector.gives is not None and not self._lock(selector.gives, groups, before, after, name):
            return False
        changes = selector.changes
        if changes is None:
            return True
        return any(read(before) != read(after) for key, read in self._keys.items() if changes.fits(key, groups))

    def _lock(self, lock: Name, groups: Groups | None, having: State, lacking: State, name: str) -> bool:
        """Whether the thread has the lock in the one state, and not in the other."""
        for key, read in self._keys.items():
            base, _, field = key.rpartition(".")
            if field in ("owner", "writer", "readers") and lock.fits(base, groups) and _has(read(having), name) > _has(read(lacking), name):
                return True
        return False


def _has(value: ViewValue, name: str) -> bool:
    return name in value if isinstance(value, tuple) else value == name


def _fits(selector: Selector, place: _Place, groups: Groups | None) -> bool:
    if selector.thread is not None and not selector.thread.fits(place.thread, groups):
        return False
    if selector.frame is not None and not selector.frame.fits(place.frames[-1], groups):
        return False
    if selector.caller is not None and not (len(place.frames) > 1 and selector.caller.fits(place.frames[-2], groups)):
        return False
    if not all(any(name.fits(frame, groups) for frame in place.frames) for name in selector.inside):
        return False
    if selector.label is not None and selector.label not in (place.label, f"{place.body}.{place.label}"):
        return False
    if selector.statement is not None and selector.statement != place.statement:
        return False
    return selector.phase in (None, place.phase)
