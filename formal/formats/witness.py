"""A witness drawn with one column for each thread, as lock validators draw two CPUs.

In: a witness and a width. Out: a styled text in plain ASCII. One line belongs to one thread, so that a line may run on to the right of its
column; that is what lets several threads share eighty characters.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from formal.formats.witness_columns import Columns
from formal.formats.witness_fold import Fold, fold, local_name, object_of
from formal.formats.witness_margin import Margin
from formal.formats.witness_words import ascii_only, place, show, statement
from formal.naming import grouped, listed
from formal.verdict import Hop, Witness, WitnessStep

__all__ = ["draw", "show"]

_NUMBER = 5  # for the step's number
_MARGIN = (".pending", ".owner", ".writer", ".readers")


def draw(witness: Witness, prop: str, width: int, *, unfold: bool = False) -> Text:
    """The steps that matter (`unfold`: all), each in its thread's column: the statement, its C function and line in the model, what it
    changed; where threads wait in the end; last, what is violated. Threads without a step that is drawn have no column."""
    pieces = fold(witness, everything=unfold)
    shown = [piece for piece in pieces if isinstance(piece, WitnessStep)]
    threads = list(dict.fromkeys(step.thread for step in shown))
    margin = Margin.of(witness, threads, [step.step for step in shown])
    drawing = _Drawing(witness, width, Columns.of(threads, width - _NUMBER - margin.width), margin, Text(), unfold)
    drawing.legend(len(shown))
    for piece in pieces:
        drawing.piece(piece)
    drawing.end(prop)
    return drawing.text


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A text that grows."""

    witness: Witness
    width: int
    columns: Columns
    margin: Margin
    text: Text
    unfold: bool

    def legend(self, shown: int) -> None:
        """How to read it, and the heads."""
        count = len(self.witness.steps)
        if shown < count:
            self._lines(f"{shown} of {count} steps, those that matter; --all shows each", 2, "dim")
        for line in self.margin.legend:
            self._lines(line, 2, "dim")
        if shown < count or self.margin.legend:
            self.text.append("\n")
        heads = list(self.columns.heads()) or [""]
        for number, head in enumerate(heads):
            margin = self.margin.heads if number == len(heads) - 1 else " " * self.margin.width
            line = f"{' ' * _NUMBER}{margin}{head}".rstrip()
            if line:
                self.text.append(line + "\n", style="bold")

    def piece(self, piece: WitnessStep | Fold) -> None:
        """A step, or what is said of several."""
        first = piece if isinstance(piece, WitnessStep) else piece.steps[0]
        if self.witness.loop_to is not None and first.step == self.witness.loop_to + 1:
            self.text.append(f"{' ' * _NUMBER}-- from here on, again and again --\n", style="bold")
        if isinstance(piece, Fold):
            self._folded(piece)
        else:
            self._step(piece)

    def end(self, prop: str) -> None:
        """Where they wait, and what is violated."""
        if self.witness.loop_to is not None and self.witness.loop_to < len(self.witness.steps):
            self.text.append(f"{' ' * _NUMBER}-- and back --\n", style="bold")
        else:
            for hop in self.witness.why:
                if isinstance(hop, Hop) and hop.thread in self.columns.threads:
                    self._waiting(hop)
        self.text.append(f"{' ' * _NUMBER}*** {prop} ***", style="bold red")

    def _folded(self, piece: Fold) -> None:
        lines = _wrapped(ascii_only(piece.told), self.width - _NUMBER)
        for number, line in enumerate(lines):
            self.text.append(f"{'...' if not number else '':>{_NUMBER - 2}}  {line}\n", style="dim")

    def _step(self, step: WitnessStep) -> None:
        told = statement(step)
        self._first(f"{step.step:>{_NUMBER - 2}}  ", step.step, step.thread, told, place(step))
        for line in self._events(step):
            self._more(line, step.thread, "cyan")

    def _waiting(self, hop: Hop) -> None:
        told = f"waits for {hop.wants}" if hop.wants else f"waits: {ascii_only(hop.spot.statement)}" if hop.spot else "does not run"
        told += f", held by {listed(grouped(hop.by))}" if hop.kind == "lock" else ""
        self._first(" " * _NUMBER, len(self.witness.steps), hop.thread, told, "", style="yellow")

    def _first(self, number: str, step: int, thread: str, told: str, where: str, style: str = "") -> None:
        """The line of a step; behind the statement, or below it, its place."""
        lead = self.margin.at(step, thread) + self.columns.lead(thread)
        told = f"{thread}: {told}" if self.columns.named else told
        room = self.width - _NUMBER - len(lead)
        first, *rest = _wrapped(told, room)
        beside = not rest and len(first) + len(where) + 2 <= room
        self.text.append(number, style="dim")
        self.text.append(lead, style="dim")
        self.text.append(first, style=style)
        if beside and where:
            self.text.append(f"  {where}", style="dim")
        self.text.append("\n")
        for line in rest:
            self._more(line, thread, style, indent=0)
        if where and not beside:
            self._more(where, thread, "dim")

    def _more(self, line: str, thread: str, style: str, indent: int = 2) -> None:
        """A line below a step."""
        lead = " " * (_NUMBER + self.margin.width) + self.columns.lead(thread) + " " * indent
        for part in _wrapped(line, self.width - len(lead)):
            self.text.append(lead)
            self.text.append(part + "\n", style=style)

    def _lines(self, line: str, column: int, style: str) -> None:
        for part in _wrapped(line, self.width - column):
            self.text.append(f"{' ' * column}{part}\n", style=style)

    # ------------------------------------------------------------ what a step did

    def _events(self, step: WitnessStep) -> Iterator[str]:
        for one in self.witness.dispatches:
            if one.scheduled == step.step and one.body not in step.statement:
                yield f"{one.body} is pending"
            if one.dispatched == step.step:
                who = self.witness.steps[one.scheduled - 1].thread
                yield f"runs {one.body}, scheduled by {who} at step {one.scheduled}"
            if one.ended == step.step:
                yield f"{one.body} ends"
        yield from self._changes(step)

    def _changes(self, step: WitnessStep) -> Iterator[str]:
        """Values; in a drawing of some steps, those of what the violation involves."""
        involved = set(self.witness.involved)
        for key, (before, after) in step.changes.items():
            shown = self.unfold or not involved or object_of(key) in involved
            if after is None or not shown or _told_elsewhere(step, key):
                continue
            name = local_name(key).removeprefix(f"{step.thread}.")
            if f"{name} = {show(after)}" not in step.statement:
                yield f"{name} = {show(after)}" if before is None else f"{name}: {show(before)} -> {show(after)}"


def _told_elsewhere(step: WitnessStep, key: str) -> bool:
    """By the margin, or by what the thread does next."""
    name = object_of(key)
    return key in (*(name + part for part in _MARGIN), f"{step.thread}.status") or f"{name}.owner" in step.changes


def _wrapped(content: str, room: int) -> list[str]:
    return textwrap.wrap(content, max(16, room), subsequent_indent="    ", break_on_hyphens=False) or [""]
