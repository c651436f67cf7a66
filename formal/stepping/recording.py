"""The dialogue of `formal replay --step`: forward and back through an execution that was recorded.

In: lines, and the steps of a record as the interpreter has followed them. Out: lines to show. Must not read or print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formal.interp import Machine, Outcome
from formal.stepping.dialogue import Mistake, number_of
from formal.stepping.ink import Ink
from formal.stepping.path import Path
from formal.stepping.scene import Scene
from formal.stepping.steps import told_step
from formal.verdict import WitnessStep

HELP: Final = """\
  n [N]     the next step, or the next N (Enter: the next)
  p [N]     back by a step, or by N
  N         to the state after step N; 0 is the beginning
  e         to the end
  l         look again
  v         all variables and objects, those that are as in the beginning, too
  f         the full stack of each thread, with its locals
  w         all the steps
  q         end (so does Ctrl-D)"""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded: a name for it, the steps that could be followed, where they go round again, and what is said at their end."""

    name: str
    outcomes: Sequence[Outcome]
    loop_to: int | None
    ending: str


class Replaying:
    """Steps through one recording. `ended`: `q` was typed."""

    def __init__(self, machine: Machine, recording: Recording, ink: Ink) -> None:
        self._machine = machine
        self._recording = recording
        self._ink = ink
        self._scene = Scene(machine, ink)
        self._path = Path(machine)
        for outcome in recording.outcomes:
            self._path.take(outcome)
        self._steps: Sequence[WitnessStep] = self._path.walked().steps
        self._position = 0
        self.ended = False

    def greeting(self) -> list[str]:
        """What is shown first."""
        head = f"{self._machine.program.name}: {self._recording.name}, {len(self._steps)} steps"
        return [*self._ink.wrapped(head, 0, "bold"), "Enter takes the next step, ? helps, q ends.", "", *self._look()]

    def prompt(self) -> str:
        """What stands before the line that is typed."""
        return f"{self._position}/{len(self._steps)}> "

    def completions(self, line: str) -> list[str]:
        """How the line may go on."""
        return [word for word in "npelvfwq?" if word.startswith(line)]

    def answer(self, line: str) -> list[str]:
        """Do what the line says. Raises Mistake, and has then done nothing."""
        command, *rest = line.split() or ["n"]
        if command.isascii() and command.isdigit() and not rest:
            return self._go(int(command[:9]))
        if command == "n":
            return self._go(self._position + number_of(rest, 1))
        if command == "p":
            return self._go(self._position - number_of(rest, 1))
        alone: Mapping[str, Callable[[], list[str]]] = {
            "e": lambda: self._go(len(self._steps)),
            "l": self._look,
            "v": lambda: self._look(everything=True),
            "f": lambda: self._look(stacks=True),
            "w": lambda: [text for step in self._steps for text in told_step(step, self._ink)],
            "q": self._quit,
            "?": HELP.splitlines,
        }
        if command not in alone or rest:
            raise Mistake(f"`{line.strip()}` is no command; ? shows them")
        return alone[command]()

    def _go(self, position: int) -> list[str]:
        if not 0 <= position <= len(self._steps):
            past = "the record begins here" if position < 0 else f"the record ends after step {len(self._steps)}"
            raise Mistake(past)
        self._position = position
        return self._look()

    def _quit(self) -> list[str]:
        self.ended = True
        return []

    def _look(self, *, everything: bool = False, stacks: bool = False) -> list[str]:
        position, loop_to = self._position, self._recording.loop_to
        lines = told_step(self._steps[position - 1], self._ink)[:1] if position else ["  the beginning"]
        lines += self._scene.state(self._path, position, everything=everything)
        lines += [self._ink.paint("threads", "bold"), *self._scene.threads(self._path, position, stacks=stacks)]
        if loop_to == position:
            lines.append(self._ink.paint("  from here on, again and again", "bold"))
        if position < len(self._steps):
            step = self._steps[position]
            return [*lines, *self._ink.wrapped(f"next: {step.thread}: {step.statement}", 0, "green", 6)]
        if loop_to is not None:
            lines.append(self._ink.paint(f"  and back to the state after step {loop_to}", "bold"))
        return [*lines, self._ink.paint(f"*** {self._recording.name} ***", "red"), *self._ink.paragraphs(self._recording.ending, 2)]
