"""Which values the parts of a state have together: a question to the reachable states, all of which are known.

In: an exhausted exploration and the parts of the other reading. Out: sets of states as the bits of one integer, by part and value. What
the exploration cannot tell of a part (a register of a frame that is gone) may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from formal.certificates.whereabouts import Whereabouts, stack_of
from formal.diagnostics import InternalError
from formal.engines.exploration import Exploration
from formal.interp import Machine, State
from formal.program import EnumType, Type
from formal.smt.parts import Part, Parts
from formal.smt.places import Place, Places, Register
from formal.verdict import View, ViewValue

Values: TypeAlias = tuple[int | None, ...]  # those that a part may have; None: any at all
ANY: Final[Values] = (None,)


class Seen:
    """A state, its view, and what each thread carries along besides."""

    def __init__(self, machine: Machine, state: State) -> None:
        self.state = state
        self.view: View = machine.view(state)
        self._machine = machine

    def hidden(self, thread: int) -> Mapping[str, int]:
        """What views leave out."""
        return self._machine.hidden(self.state, thread)


Reader: TypeAlias = Callable[[State, Seen], Values]


class Census:
    """`parts`: all of the other reading's. `everybody`: all states. Raises Unplaced."""

    def __init__(self, exploration: Exploration, parts: Parts) -> None:
        self.parts = parts.all
        self.everybody = (1 << len(exploration.states)) - 1
        places = Places(parts.relation)
        readers = _readers(exploration, parts.all, places)
        seen = [Seen(exploration.machine, state) for state in exploration.states]
        self._masks: dict[str, Mapping[int, int]] = {}
        self._unknown: dict[str, int] = {}
        for part in parts.all:
            read = readers[part.name]
            masks = _masks([read(one.state, one) for one in seen])
            self._unknown[part.name] = masks.pop(None, 0)
            self._masks[part.name] = {value: mask for value, mask in masks.items() if value is not None}

    def having(self, part: Part, value: int) -> int:
        """The states in which a part has, or may have, a value."""
        return self._masks[part.name].get(value, 0) | self._unknown[part.name]


def _masks(values: Sequence[Values]) -> dict[int | None, int]:
    rows: dict[int | None, bytearray] = {}
    for number, several in enumerate(values):
        for value in several:
            row = rows.get(value)
            if row is None:
                row = rows[value] = bytearray(len(values) // 8 + 1)
            row[number >> 3] |= 1 << (number & 7)
    return {value: int.from_bytes(row, "little") for value, row in rows.items()}


def _readers(exploration: Exploration, parts: Iterable[Part], places: Places) -> Mapping[str, Reader]:
    known = Whereabouts(exploration, places).known
    threads = [thread.name for thread in exploration.machine.program.threads]
    readers: dict[str, Reader] = {}
    for part in parts:
        name, mark, what = part.name.partition("/") if "/" in part.name else part.name.rpartition(".")
        if name not in threads or not (mark == "/" or what == "at"):
            readers[part.name] = _value_reader(part)
            continue
        thread = threads.index(name)
        spots = {control: found for (t, control), found in known.items() if t == thread}
        if part.register is None:
            readers[part.name] = _place_reader(what, spots, thread)
        else:
            readers[part.name] = _register_reader(part, {control: _register(part, places, some) for control, some in spots.items()}, thread)
    return readers


def _place_reader(what: str, spots: Mapping[int, tuple[Place, ...]], thread: int) -> Reader:
    """Of where a thread is."""
    values = {control: _positions(what, found) for control, found in spots.items()}
    return lambda state, _: values[state[thread]]


def _positions(what: str, places: tuple[Place, ...]) -> Values:
    if what == "at":
        return tuple(dict.fromkeys(place.location for place in places))
    if what == "nested":
        return tuple(dict.fromkeys(len(place.polls) for place in places))
    level = int(what.removeprefix("polls")) - 1
    return tuple(dict.fromkeys(place.polls[level] if level < len(place.polls) else None for place in places))


def _register(part: Part, places: Places, found: tuple[Place, ...]) -> Register | None:
    """What a register is for at a place that is known for sure."""
    if len(found) != 1:
        return None
    for register in places.registers(found[0]):
        if (register.level, register.slot.number) == part.register and register.slot.truth == part.cell.truth:
            return register
    return None


def _register_reader(part: Part, uses: Mapping[int, Register | None], thread: int) -> Reader:
    """Of what is in a register, where it is in use."""
    name = part.name.partition("/")[0]

    def read(state: State, seen: Seen) -> Values:
        register = uses[state[thread]]
        if register is None:
            return ANY
        shown: ViewValue | None = seen.hidden(thread).get(register.key) if register.hidden else seen.view.get(f"{name}/{register.key}")
        if shown is None:
            return ANY
        return (_number(shown, register.slot.type),)

    return read


def _number(shown: ViewValue, kind: Type) -> int:
    """A value as registers have it."""
    if isinstance(shown, str):
        if not isinstance(kind, EnumType):
            raise InternalError(f"a register of type {kind} shows {shown}")
        return kind.members.index(shown)
    if isinstance(shown, tuple):
        raise InternalError(f"a register shows {shown}")
    return int(shown)


def _value_reader(part: Part) -> Reader:
    """Of everything else, by its name in views."""
    name, numbers = part.name, part.number_of
    for mark, among in ((".reader.", ".readers"), (".waiter.", ".waiters")):
        lock, found, thread = name.partition(mark)
        if found:
            return lambda _, seen: (int(thread in stack_of(seen.view[lock + among])),)

    def value(_: State, seen: Seen) -> Values:
        shown = seen.view[name]
        return (int(shown),) if isinstance(shown, bool) else (numbers[str(shown)],)

    return value
