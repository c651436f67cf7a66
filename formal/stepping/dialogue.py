"""The dialogue of `formal simulate --interactive`: each line that is typed does something to a walk, and is answered.

In: lines. Out: lines to show, and whether that was it. Must not read or print; a file is written by the function that it is given.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from formal.interp import Machine, Outcome
from formal.stepping.ink import Ink
from formal.stepping.path import Path
from formal.stepping.record import record
from formal.stepping.scene import Scene
from formal.verdict import View
from formal.walks.schedulers import Uniform

HELP: Final = """\
  N         take the move of that number; Enter, where there is only one
  u [N]     undo the last step, or the last N
  r         back to the start
  b [N]     take a step at random, or N, or fewer where something is violated
  g THREAD  go on with that thread until it has taken or given back a lock,
            has to wait, or has a choice
  l         look again: the state, the threads, the moves
  v         all variables and objects, those that are as in the beginning, too
  f         the full stack of each thread, with its locals
  w         the steps so far
  s FILE    save the walk as a record; `formal replay FILE` follows it again
  q         end (so does Ctrl-D)"""
_LONGEST = 100_000  # steps at random in one go
_ENDLESS = 10_000  # steps of one thread alone


class Mistake(Exception):
    """The line means nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Option:
    """One move: a thread's step, and what is picked in it."""

    number: int
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What a dialogue needs from outside. `defines` and `extra`: what the model was loaded with; `write`: a text into a file of that
    name, which may raise Mistake."""

    ink: Ink
    defines: Mapping[str, str]
    extra: tuple[str, ...]
    seed: int
    write: Callable[[str, str], None]


class Dialogue:
    """One walk by hand. `violated`: whether any step has violated anything, undone or not; `ended`: `q` was typed."""

    def __init__(self, machine: Machine, setting: Setting) -> None:
        self._machine = machine
        self._program = machine.program
        self._setting = setting
        self._ink = setting.ink
        self._path = Path(machine)
        self._scene = Scene(machine, setting.ink)
        self._random = Random(f"{setting.seed}:by hand")
        self.violated = False
        self.ended = False

    # ------------------------------------------------------------ lines

    def greeting(self) -> list[str]:
        """What is shown first."""
        title = f": {self._program.title}" if self._program.title else ""
        head = self._ink.wrapped(f"{self._program.name}{title}", 0, "bold")
        return [*head, "? helps, q ends.", "", *self._told(0), *self._look()]

    def prompt(self) -> str:
        """What stands before the line that is typed."""
        return f"step {len(self._path.outcomes)}> "

    def completions(self, line: str) -> list[str]:
        """How the last word of a line may go on."""
        words = line.split(" ")
        if len(words) == 2 and words[0] == "g":
            return [thread.name for thread in self._program.threads if thread.name.startswith(words[1])]
        if len(words) > 1:
            return []
        return [word for word in (*"urbglvfwsq?", *(str(option.number) for option in self.options())) if word.startswith(words[0])]

    def answer(self, line: str) -> list[str]:
        """Do what the line says. Raises Mistake, and has then done nothing."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise Mistake(f"{error}") from error
        if not words:
            return self._only()
        command, *rest = words
        if command.isascii() and command.isdigit():
            return self._move(command, rest)
        alone: Mapping[str, Callable[[], list[str]]] = {
            "r": self._restart,
            "l": self._look,
            "v": lambda: self._look(everything=True),
            "f": lambda: self._look(stacks=True),
            "w": self._walk,
            "q": self._quit,
            "?": HELP.splitlines,
        }
        more = {"u": self._undo, "b": self._at_random, "g": self._go, "s": self._save}
        if command in more:
            return more[command](rest)
        if command not in alone:
            raise Mistake(f"`{command}` is no command; ? shows them")
        if rest:
            raise Mistake(f"`{command}` stands alone")
        return alone[command]()

    # ------------------------------------------------------------ what is shown

    def options(self) -> list[Option]:
        """The moves that are possible now."""
        outcomes = [outcome for several in self._path.moves.values() for outcome in several]
        return [Option(number, outcome, self._described(outcome)) for number, outcome in enumerate(outcomes, 1)]

    def _described(self, outcome: Outcome) -> str:
        """Who does what; where there is a choice, what is picked, and where that leads."""
        name = self._program.threads[outcome.thread].name
        place = self._machine.place(self._path.states[-1], outcome.thread)
        text = f"{name}: {place.info.text if place is not None else ''}"
        if not outcome.choice:
            return text
        picked = f"{text} -- {', '.join(outcome.choice)}"
        then = None if outcome.after is None else self._machine.place(outcome.after, outcome.thread)
        return picked if then is None else f"{picked}, then `{then.info.text}`"

    def _look(self, *, everything: bool = False, stacks: bool = False) -> list[str]:
        path, position = self._path, len(self._path.outcomes)
        lines = self._scene.state(path, position, everything=everything)
        lines += [self._ink.paint("threads", "bold"), *self._scene.threads(path, position, stacks=stacks)]
        options = self.options()
        if not options:
            ended = "The execution has ended." if path.over else "No thread can move."
            told = f"{ended} u undoes the last step, r goes back to the start, s FILE saves the walk."
            return [*lines, *self._ink.wrapped(told, 0, hang=0)]
        lines.append(self._ink.paint("moves", "bold"))
        for option in options:
            head, *more = self._ink.wrapped(option.text, 6, hang=4)
            lines += [f"{self._ink.paint(f'{option.number:>4}', 'green')}  {head[6:]}", *more]
        return lines

    def _told(self, position: int) -> list[str]:
        """What is violated at a position and was not before."""
        lines = []
        for met in self._path.new(position):
            self.violated = True
            lines += [self._ink.paint(f"*** {met.prop} is violated after {_steps(met.steps)} ***", "red")]
            lines += [*self._ink.paragraphs(self._path.witness(met).explanation, 2), ""]
        if self._path.over and position == len(self._path.outcomes) and not lines:
            lines.append("The execution ends here silently: a false assume, or a check that is disabled.")
        return lines

    def _taken(self, number: int) -> list[str]:
        """One step that was taken, and what it changed."""
        outcome = self._path.outcomes[number - 1]
        place = self._machine.place(self._path.states[number - 1], outcome.thread)
        picked = f" -- {', '.join(outcome.choice)}" if outcome.choice else ""
        text = f"{number:>4}  {self._program.threads[outcome.thread].name}: {place.info.text if place is not None else ''}{picked}"
        return self._ink.wrapped(text, 0, hang=10)

    def _walk(self) -> list[str]:
        length = len(self._path.outcomes)
        return [line for number in range(1, length + 1) for line in self._taken(number)] or ["No step has been taken yet."]

    # ------------------------------------------------------------ what is done

    def _take(self, outcomes: Iterator[Outcome]) -> list[str]:
        """Steps, until something is violated. Each is shown if there are a few."""
        begun = len(self._path.outcomes)
        try:
            for outcome in outcomes:
                self._path.take(outcome)
                if self._path.new(len(self._path.outcomes)):
                    break
        except KeyboardInterrupt:
            self._path.cut(begun)  # whole steps only
            raise
        now = len(self._path.outcomes)
        first = max(begun, now - 20)
        lines = [f"      ({first - begun} steps before these; w shows all)"] if first > begun else []
        for number in range(first + 1, now + 1):
            lines += self._taken(number)
        return [*lines, *self._told(now), *self._look()]

    def _move(self, word: str, rest: list[str]) -> list[str]:
        options = self.options()
        if rest:
            raise Mistake("one move at a time")
        if not options:
            raise Mistake("there is no move to take")
        if not 1 <= int(word[:9]) <= len(options):
            raise Mistake(f"there is no move {word}: there {'is 1' if len(options) == 1 else f'are {len(options)}'}")
        return self._take(iter([options[int(word) - 1].outcome]))

    def _only(self) -> list[str]:
        """An empty line."""
        options = self.options()
        return self._take(iter([options[0].outcome])) if len(options) == 1 else self._look()

    def _undo(self, words: list[str]) -> list[str]:
        length, back = len(self._path.outcomes), number_of(words, 1)
        if back > length:
            raise Mistake(
                f"there {'is 1 step' if length == 1 else f'are {length} steps'} to undo" if length else "there is nothing to undo"
            )
        self._path.cut(length - back)
        return self._look()

    def _restart(self) -> list[str]:
        self._path.restart()
        return self._look()

    def _at_random(self, words: list[str]) -> list[str]:
        steps = number_of(words, 1)
        if steps > _LONGEST:
            raise Mistake(f"at most {_LONGEST} steps in one go")
        if not self._path.moves:
            raise Mistake("there is no move to take")
        scheduler = Uniform(self._random)

        def drawn() -> Iterator[Outcome]:
            for _ in range(steps):
                moves = self._path.moves
                if not moves:
                    return
                yield scheduler.pick(moves)

        return self._take(drawn())

    def _go(self, words: list[str]) -> list[str]:
        thread = next((one for one in self._program.threads if words == [one.name]), None)
        if thread is None:
            names = ", ".join(one.name for one in self._program.threads)
            raise Mistake(f"{f'`{words[0]}` is no thread' if words else '`g` wants a thread'}: they are {names}")
        if thread.id not in self._path.moves:
            raise Mistake(f"{thread.name} cannot move")
        if len(self._path.moves[thread.id]) > 1:
            raise Mistake(f"{thread.name} has a choice; pick one of the moves")

        def alone() -> Iterator[Outcome]:
            held = _held(self._path.views[-1], thread.name)
            for _ in range(_ENDLESS):
                mine = self._path.moves.get(thread.id, [])
                if len(mine) != 1 or _held(self._path.views[-1], thread.name) != held:
                    return
                yield mine[0]

        return self._take(alone())

    def _save(self, words: list[str]) -> list[str]:
        if len(words) != 1:
            raise Mistake("`s` wants the name of a file")
        self._setting.write(words[0], record(self._path, self._setting.defines, self._setting.extra))
        violated = [f"the violation of {prop}" for prop in self._path.violations()]
        what = " and ".join(violated) or f"a walk of {_steps(len(self._path.outcomes))}"
        return self._ink.wrapped(f"saved {what}; again: formal replay {shlex.quote(words[0])}", 0)

    def _quit(self) -> list[str]:
        self.ended = True
        return []


def _held(view: View, thread: str) -> set[str]:
    """The keys of the locks that a thread holds, and how often it has taken them."""
    owned = {key for key, value in view.items() if key.endswith((".owner", ".writer")) and value == thread}
    read = {key for key, value in view.items() if key.endswith(".readers") and isinstance(value, tuple) and thread in value}
    return owned | read


def number_of(words: list[str], default: int) -> int:
    """The number of steps that a command's words say. Raises Mistake."""
    if not words:
        return default
    if len(words) > 1 or not (words[0].isascii() and words[0].isdigit()) or int(words[0][:9]) < 1:
        raise Mistake("a number of steps is wanted")
    return int(words[0][:9])


def _steps(number: int) -> str:
    return f"{number} step{'' if number == 1 else 's'}"
