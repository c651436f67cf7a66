"""Which steps of a witness are drawn, and what is said of the others.

In: a witness. Out: the steps in order, runs of those that do not matter in one piece each, with what they did in short. Must not know how
it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formal.formats.witness_locks import Held, holdings
from formal.formats.witness_words import statement
from formal.naming import grouped, listed
from formal.verdict import Witness, WitnessStep

_TESTS = ("if ", "while ", "requires ", "ensures ", "assert ", "await ", "assume ", "choose")


@dataclass(frozen=True, slots=True)
class Fold:
    """Steps that are not drawn, one after the other."""

    steps: tuple[WitnessStep, ...]
    told: str


def fold(witness: Witness, *, everything: bool) -> list[WitnessStep | Fold]:
    """The steps to draw and those between them. Nothing is folded across the start of a loop; and nothing at all
    where it is not known what matters."""
    keys = set(witness.key_steps)
    if everything or not keys:
        return list(witness.steps)
    keys.add(witness.steps[-1].step)
    held = holdings(witness)
    found: list[WitnessStep | Fold] = []
    waiting: list[WitnessStep] = []
    for step in witness.steps:
        if waiting and (step.step in keys or waiting[-1].step == witness.loop_to):
            found += _piece(witness, waiting, held)
            waiting = []
        if step.step in keys:
            found.append(step)
        else:
            waiting.append(step)
    return [*found, *_piece(witness, waiting, held)]


def _piece(witness: Witness, steps: Sequence[WitnessStep], held: Sequence[Held]) -> list[Fold]:
    return [Fold(tuple(steps), _told(witness, steps, held))] if steps else []


def _told(witness: Witness, steps: Sequence[WitnessStep], held: Sequence[Held]) -> str:
    """Thread by thread, what they did."""
    threads = list(dict.fromkeys(step.thread for step in steps))
    parts = [(thread, _did(witness, thread, steps, held)) for thread in threads]
    if len(steps) == 1:
        return f"{threads[0]}: {statement(steps[0])}"
    if len(parts) == 1:
        return f"{len(steps)} steps of {threads[0]}: {parts[0][1]}"
    counts = {thread: sum(step.thread == thread for step in steps) for thread in threads}
    return f"{len(steps)} steps: " + "; ".join(f"{thread} ({counts[thread]}) {did}" for thread, did in parts)


def _did(witness: Witness, thread: str, steps: Sequence[WitnessStep], held: Sequence[Held]) -> str:
    mine = [step for step in steps if step.thread == thread]
    spawned = [key.removesuffix(".status") for step in mine for key, (_, after) in step.changes.items() if _is_spawn(key, after)]
    scheduled = [one.body for one in witness.dispatches if one.scheduled in {step.step for step in mine}]
    ended = [one.body for one in witness.dispatches if one.ended in {step.step for step in mine}]
    tests = sum(step.statement.startswith(_TESTS) for step in mine)
    deeds = [
        *_locking(thread, mine, held),
        *_with("sets ", _written(thread, mine)),
        *_with("spawns ", spawned),
        *_with("schedules ", scheduled),
        *_with("ends ", ended),
        *(["finishes"] if any(step.changes.get(f"{thread}.status", ("", ""))[1] == "finished" for step in mine) else []),
        *([f"{tests} test{'s' * (tests > 1)}"] if tests else []),
    ]
    return ", ".join(deeds) or "nothing that changes the state"


def _locking(thread: str, steps: Sequence[WitnessStep], held: Sequence[Held]) -> Iterator[str]:
    taken: dict[str, int] = {}
    given: dict[str, int] = {}
    for step in steps:
        before, after = (dict.fromkeys(lock for lock, _ in held[at].get(thread, ())) for at in (step.step - 1, step.step))
        taken.update((lock, step.step) for lock in after if lock not in before)
        given.update((lock, step.step) for lock in before if lock not in after)
    both = [lock for lock in taken if lock in given]
    yield from _with("takes and gives back ", [lock for lock in both if taken[lock] < given[lock]])
    yield from _with("gives back and takes ", [lock for lock in both if taken[lock] > given[lock]])
    yield from _with("takes ", [lock for lock in taken if lock not in given])
    yield from _with("gives back ", [lock for lock in given if lock not in taken])


_LOCKS = (".owner", ".writer", ".readers", ".status", ".pending")
_PARTS = (".count", ".set", ".waiters")


def _written(thread: str, steps: Sequence[WitnessStep]) -> list[str]:
    """What else is not as before: variables, semaphores, events; locals without the frame that they are in."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    for step in steps:
        for key, (old, new) in step.changes.items():
            if not key.endswith(_LOCKS):
                before.setdefault(key, old)
                after[key] = new
    changed = [key for key, value in after.items() if value is not None and value != before[key]]
    return [local_name(object_of(key)).removeprefix(f"{thread}.") for key in changed]


def local_name(key: str) -> str:
    """A local's name, whose key starts with its frame; any other key as it is."""
    return key.partition("/")[2].partition(".")[2] or key


def _is_spawn(key: str, after: object) -> bool:
    return key.endswith(".status") and after == "running"


def _with(head: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield head + listed(grouped(names))


def object_of(key: str) -> str:
    """The object that a key of a view belongs to."""
    return next((key.removesuffix(part) for part in (*_LOCKS, *_PARTS) if key.endswith(part)), key)
