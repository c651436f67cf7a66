"""Logs of any length that a model accepts: what a random walk through the model would have logged.

In: a machine and its mapping. Out: lines. The walk is cut wherever it comes to one state again, and the pieces between are put together at
random: any order of them is an execution.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise

from formal.conform.mapping import Mapping
from formal.conform.selecting import Selecting
from formal.conform.states import taken
from formal.interp import Machine, State

FIRST_ID = 4000  # of the threads of the pretended process
BQL = "mutex 0x55df691ecb40 (../../"


class Simulated:
    """The pieces of one walk: `head` leads from the initial state to one that `rounds` begin and end in."""

    def __init__(self, machine: Machine, mapping: Mapping, seed: int, steps: int) -> None:
        self._machine = machine
        self._mapping = mapping
        self._selecting = Selecting(machine, mapping)
        self.chance = random.Random(seed)
        walk, lines, states = machine.initial(), list[str](), list[tuple[State, int]]()
        for _ in range(steps):
            states.append((walk, len(lines)))
            walk, line = self._step(walk)
            if line is not None:
                lines.append(line)
        often: dict[State, list[int]] = {}
        for state, at in states:
            often.setdefault(state, []).append(at)
        marks = max(often.values(), key=len)
        self.head = lines[: marks[0]]
        cuts = pairwise(marks)
        self.rounds = [lines[one:other] for one, other in cuts if one != other]

    def _step(self, state: State) -> tuple[State, str | None]:
        """One random step that is no error, and its line, if it has one."""
        ways = [(thread, after) for thread in range(len(self._machine.program.threads)) for _, after in taken(self._machine, state, thread)]
        thread, after = self.chance.choice(ways)
        rules = [number for number in self._selecting.rules_of(state, after, thread) if not self._mapping.rules[number].optional]
        return after, self._line(rules[0], thread) if rules else None

    def _line(self, number: int, thread: int) -> str:
        rule = self._mapping.rules[number]
        name = str(rule.pattern.event)
        expression = "" if rule.pattern.match is None else rule.pattern.match.pattern
        text = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", expression)  # the first of alternatives
        text = text.replace(r"\d+", "7").replace("\\", "")
        what = {"qemu_mutex_locked": "taken ", "qemu_mutex_unlock": "released "}.get(name)
        return f"{FIRST_ID + thread}@1795408597.231746:{name} {text if what is None else what + BQL + text}"

    def lines(self, count: int) -> Iterator[bytes]:
        """At least that many lines."""
        made = 0
        for line in self.head:
            made += 1
            yield line.encode() + b"\n"
        while made < count:
            for line in self.chance.choice(self.rounds):
                made += 1
                yield line.encode() + b"\n"
