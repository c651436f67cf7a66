"""Which values the parts of a state have together: a question to the reachable states, all of which are known.

In: an exhausted exploration and the parts of the other reading. Out: sets of states as the bits of one integer, by part and value. What
the exploration cannot tell of a part (a register of a frame that is gone) may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formal.engines.exploration import Exploration
from formal.interp import State, Stop
from formal.smt.parts import Part, Parts
from formal.smt.places import DONE, UNSPAWNED, Place, Places
from formal.verdict import View, ViewValue


class Unplaced(Exception):
    """The two readings do not name the places of this program alike; its text says where."""


class Census:
    """`parts`: those that can be told. `everybody`: all states. Raises Unplaced."""

    def __init__(self, exploration: Exploration, parts: Parts) -> None:
        places = _places_of(exploration, Places(parts.relation))
        self.parts = tuple(part for part in parts.all if not part.local)
        self.everybody = (1 << len(exploration.states)) - 1
        readers = _readers(exploration, self.parts, places)
        views = [exploration.machine.view(state) for state in exploration.states]
        self._masks: dict[str, Mapping[int, int]] = {}
        self._unknown: dict[str, int] = {}
        for part in self.parts:
            read = readers[part.name]
            masks = _masks((read(state, view) for state, view in zip(exploration.states, views, strict=True)), len(views))
            self._unknown[part.name] = masks.pop(None, 0)
            self._masks[part.name] = masks

    def having(self, part: Part, value: int) -> int:
        """The states in which a part has, or may have, a value."""
        return self._masks[part.name].get(value, 0) | self._unknown[part.name]


def _masks(values: Iterable[Any], count: int) -> dict[Any, int]:
    rows: dict[Any, bytearray] = {}
    for number, value in enumerate(values):
        row = rows.get(value)
        if row is None:
            row = rows[value] = bytearray(count // 8 + 1)
        row[number >> 3] |= 1 << (number & 7)
    return {value: int.from_bytes(row, "little") for value, row in rows.items()}


# ---------------------------------------------------------------- places


def _places_of(exploration: Exploration, places: Places) -> Mapping[tuple[int, int], Place]:
    """By thread and control: where the thread stands, in the terms of the other reading."""
    machine, threads = exploration.machine, range(exploration.threads)
    known: dict[tuple[int, int], Place] = {}
    shown: dict[int, State] = {}
    moves: dict[tuple[int, int], set[int]] = {}
    for number, state in enumerate(exploration.states):
        for control in state[: exploration.threads]:
            shown.setdefault(control, state)
        for _, after in exploration.successors(number):
            if not isinstance(after, Stop):
                for thread in threads:
                    if after[thread] != state[thread]:
                        moves.setdefault((thread, state[thread]), set()).add(after[thread])
    for thread in threads:
        known[thread, 0], known[thread, 1] = UNSPAWNED, DONE
        first = exploration.states[0][thread]
        if first > 1:
            known[thread, first] = places.start(thread)
    todo = list(known)
    for thread, control in todo:
        for reached in sorted(moves.get((thread, control), ())):
            if (thread, reached) in known:
                continue
            if control < 2:
                known[thread, reached] = places.start(thread)
            else:
                view, name = machine.view(shown[reached]), machine.program.threads[thread].name
                found = places.follow(known[thread, control], thread, str(view[f"{name}.at"]), _stack(view[f"{name}.stack"]))
                if len(found) != 1:
                    raise Unplaced(f"{name} at {view[f'{name}.at']}: {len(found)} places")
                known[thread, reached] = found[0]
            todo.append((thread, reached))
    return known


def _stack(value: ViewValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


# ---------------------------------------------------------------- values

Reader = Callable[[State, View], int | None]


def _readers(exploration: Exploration, parts: Iterable[Part], places: Mapping[tuple[int, int], Place]) -> Mapping[str, Reader]:
    threads = [thread.name for thread in exploration.machine.program.threads]
    return {part.name: _place_reader(part, threads, places) or _value_reader(part) for part in parts}


def _place_reader(part: Part, threads: list[str], places: Mapping[tuple[int, int], Place]) -> Reader | None:
    """Of a part that says where a thread is."""
    name, mark, what = part.name.partition("/") if "/" in part.name else part.name.rpartition(".")
    if name not in threads or not (mark == "/" or what == "at"):
        return None
    thread = threads.index(name)
    if what == "at":
        return lambda state, view: places[thread, state[thread]].location
    if what == "nested":
        return lambda state, view: len(places[thread, state[thread]].polls)
    if what.startswith("polls"):
        level = int(what.removeprefix("polls")) - 1

        def polls(state: State, view: View) -> int | None:
            inside = places[thread, state[thread]].polls
            return inside[level] if level < len(inside) else None

        return polls
    return None


def _value_reader(part: Part) -> Reader:
    """Of everything else, by its name in views."""
    name, numbers = part.name, part.number_of
    for mark, among in ((".reader.", ".readers"), (".waiter.", ".waiters")):
        lock, found, thread = name.partition(mark)
        if found:
            return lambda state, view: int(thread in _stack(view[lock + among]))

    def value(state: State, view: View) -> int:
        shown = view[name]
        return int(shown) if isinstance(shown, bool) else numbers[str(shown)]

    return value
