"""A witness as a Mermaid sequence diagram, which GitHub, GitLab and many editors draw.

In: reports. Out: the text of one diagram, the first violated property's: a file holds one, `remarks` names the others. Participants are the
threads that act. A bar is a lock held; an arrow is a post, a wake-up, a spawn or a bottom half, drawn where it arrives; a block is what a
lasso repeats. All text is escaped: nothing that a model says can be read as part of the diagram.

Source of the grammar: Mermaid's documentation of sequence diagrams, https://mermaid.js.org/syntax/sequenceDiagram.html.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from formal.formats import Style
from formal.formats.messages import Holding, Message, Tracker
from formal.formats.single import Violation, left_out, violations
from formal.verdict import Report, ViewValue, WitnessStep

_COLUMN = 42  # characters in a line of a note over one thread
_HOSTILE = re.compile(r"[^A-Za-z0-9 _.,:()\[\]=!&|/+*'?-]")  # what is written as an entity
_WORDS = re.compile(r"\bend\b|style|classdef|(?:no)?wrap(?=:)", re.IGNORECASE)  # words that its scanner looks for, wherever they stand


def render(reports: Sequence[Report], _style: Style) -> str:
    """The diagram. Without a violation it is one note that says so."""
    found = violations(reports)
    if found:
        return "\n".join(_Diagram(found[0]).lines())
    told = (f"{report.file}: {report.verdict.replace('_', ' ')}" for report in reports)
    return "\n".join(["sequenceDiagram", "    participant T0 as formal", f"    Note over T0: {_lines(told, 60)}"])


def remarks(reports: Sequence[Report]) -> tuple[str, ...]:
    """What the document does not show."""
    return left_out(reports, "mermaid")


class _Diagram:
    """One witness, drawn from top to bottom. `held`: the bars that are open, innermost last."""

    def __init__(self, found: Violation) -> None:
        self._found = found
        self._tracker = Tracker(found.witness)
        self._steps = [(step, self._tracker.messages(step), tuple(self._tracker.holdings(step))) for step in found.witness.steps]
        acting = {step.thread for step in found.witness.steps}
        acting |= {one for _, messages, _ in self._steps for message in messages for one in (message.sender, message.receiver)}
        names = [name for name in self._tracker.threads if name in acting] or list(self._tracker.threads[:1]) or ["formal"]
        self._id = {name: f"T{number}" for number, name in enumerate(names)}
        self._held: list[str] = []
        self._where: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        """The whole text, line by line."""
        report, result, witness = self._found.report, self._found.result, self._found.witness
        yield "sequenceDiagram"
        yield f"    title {escape(f'{result.name} of {report.model} is violated')}"
        yield from (f"    participant {one} as {escape(name)}" for name, one in self._id.items())
        looping = witness.loop_to is not None and witness.loop_to < len(witness.steps)
        for step, messages, holdings in self._steps:
            if looping and step.step == (witness.loop_to or 0) + 1:
                yield f"    loop {escape('from here on, again and again')}"
            yield from self._step(step, messages, holdings)
        if looping:
            yield "    end"
        yield self._verdict()
        yield from (f"    deactivate {self._id[thread]}" for thread in reversed(self._held))

    def _step(self, step: WitnessStep, messages: Sequence[Message], holdings: Sequence[Holding]) -> Iterator[str]:
        actor = self._id[step.thread]
        arriving = [message for message in messages if message.receiver == step.thread]
        leaving = [message for message in messages if message.sender == step.thread]
        text = list(self._text(step))
        if arriving:
            for message in arriving[:-1]:
                yield self._arrow(message, [_told(message)])
            yield self._arrow(arriving[-1], [*text, _told(arriving[-1])])
        elif leaving:
            yield self._arrow(leaving[0], text)
        else:
            yield f"    Note over {actor}: {_lines(text, _COLUMN)}"
        for message in leaving if arriving else leaving[1:]:
            yield self._arrow(message, [_told(message)])
        for holding in holdings:
            yield from self._bar(holding)

    def _text(self, step: WitnessStep) -> Iterator[str]:
        """What stands at the step: the C function where it has changed, the statement, what it has set."""
        where = step.c_source or (step.stack[-1] if step.stack else step.thread)
        if self._where.get(step.thread, step.thread) != where:
            yield from (f"[{where}]",) if len(where) + 2 <= _COLUMN else re.split("(?<=:)", f"[{where}]", maxsplit=1)
        self._where[step.thread] = where
        yield f"{step.step}. {step.statement}"
        yield from (f"{name} = {_shown(value)}" for name, value in self._tracker.variables(step))

    def _arrow(self, message: Message, text: Sequence[str]) -> str:
        line = "-->>" if message.since is not None else "->>"  # dotted: it was sent in an earlier step
        return f"    {self._id[message.sender]}{line}{self._id[message.receiver]}: {_lines(text, _COLUMN)}"

    def _bar(self, holding: Holding) -> Iterator[str]:
        if holding.taken:
            self._held.append(holding.thread)
            yield f"    activate {self._id[holding.thread]}"
        elif holding.thread in self._held:  # else it had the lock from the start, and has no bar
            self._held.remove(holding.thread)
            yield f"    deactivate {self._id[holding.thread]}"

    def _verdict(self) -> str:
        """The last note, over all threads: what is violated, and how that came."""
        names = list(self._id.values())
        over = names[0] if len(names) == 1 else f"{names[0]},{names[-1]}"
        text = (f"{self._found.result.name} is violated", self._found.witness.explanation)
        return f"    Note over {over}: {_lines(text, max(60, 30 * len(names)))}"


def _told(message: Message) -> str:
    return f"({message.what}{'' if message.since is None else f' in step {message.since}'})"


def _shown(value: ViewValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(parts: Iterable[str], width: int) -> str:
    """Each part from a new line, and wrapped."""
    lines = (line for part in parts for line in textwrap.wrap(part, width, break_on_hyphens=False, break_long_words=False))
    return "<br/>".join(escape(line) for line in lines)


def escape(text: str) -> str:
    """The text on one line, as entities wherever the diagram's grammar, or what is done before it is parsed, could see something in it."""
    flat = "".join(one if one.isprintable() else "\ufffd" for one in " ".join(text.split()))
    marked = {found.start() for found in _WORDS.finditer(flat)}
    return "".join(f"#{ord(one)};" if at in marked or _HOSTILE.match(one) else one for at, one in enumerate(flat))
