"""Who holds which lock behind each step of a witness, and how to write it in few characters.

In: a witness. Out: the holdings after each step, and letters for locks. Must not know how steps are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from formal.verdict import ViewValue, Witness

Held: TypeAlias = Mapping[str, tuple[tuple[str, bool], ...]]  # thread -> its locks, and whether for reading only, in order of taking
_OWNERS = (".owner", ".writer")
_READERS = ".readers"
_ELEMENT = re.compile(r"(.+)\[(\d+)\]")


def holdings(witness: Witness) -> list[Held]:
    """After each step, from the initial state (position 0) on."""
    held: dict[str, list[tuple[str, bool]]] = {}
    for key, value in witness.initial.items():
        _change(held, key, None, value)
    found: list[Held] = [_frozen(held)]
    for step in witness.steps:
        for key, (before, after) in step.changes.items():
            _change(held, key, before, after)
        found.append(_frozen(held))
    return found


def _change(held: dict[str, list[tuple[str, bool]]], key: str, before: ViewValue | None, after: ViewValue | None) -> None:
    if not key.endswith((*_OWNERS, _READERS)):
        return
    lock = (key.rpartition(".")[0], key.endswith(_READERS))
    for thread in _threads(before):
        if thread not in _threads(after) and lock in held.get(thread, ()):
            held[thread].remove(lock)
    for thread in _threads(after):
        if thread not in _threads(before):
            held.setdefault(thread, []).append(lock)


def _threads(value: ViewValue | None) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return () if value in (None, "none") else (str(value),)


def _frozen(held: Mapping[str, Sequence[tuple[str, bool]]]) -> Held:
    return {thread: tuple(locks) for thread, locks in held.items() if locks}


# ---------------------------------------------------------------- letters


@dataclass(frozen=True, slots=True)
class Letters:
    """A letter for each lock, or array of locks: small where it is held for reading. No letters: names."""

    of: Mapping[str, str]

    def cell(self, locks: Iterable[tuple[str, bool]]) -> str:
        """What one thread holds; `-` for nothing."""
        if not self.of:
            return ",".join(f"{lock}/r" if read else lock for lock, read in locks) or "-"
        return "".join(self._short(lock, read) for lock, read in locks) or "-"

    def _short(self, lock: str, read: bool) -> str:
        base, index = _split(lock)
        letter = self.of[base]
        return f"{letter.lower() if read else letter}{index}"

    def legend(self, reads: bool) -> str:
        """What the letters stand for; empty for names."""
        told = ", ".join(f"{letter} = {base}" for base, letter in self.of.items())
        return f"{told}{' (a small letter: for reading)' if told and reads else ''}"


def letters(locks: Iterable[str]) -> Letters:
    """One for each lock, its own first letter where that is free. Arrays have one letter, and elements their index behind it."""
    of: dict[str, str] = {}
    for base in dict.fromkeys(_split(lock)[0] for lock in locks):
        of[base] = next(letter for letter in _candidates(base) if letter not in of.values())
    return Letters(of)


def _candidates(base: str) -> Iterator[str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    yield from (letter for letter in base.upper() if letter in alphabet)
    yield from alphabet
    yield from (one + other for one in alphabet for other in alphabet)


def _split(lock: str) -> tuple[str, str]:
    found = _ELEMENT.fullmatch(lock)
    return (lock, "") if found is None else (found[1], found[2])
