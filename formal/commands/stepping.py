"""The terminal of a dialogue: lines in, lines out.

In: something that answers lines. Out: what it answers on standard output. On a terminal there are editing, history and completion; from a
pipe each line is read as it is, shown behind its prompt, and the first mistake ends it all, as whatever comes after was meant for another
state.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from formal.console import UsageError, answer
from formal.stepping.dialogue import Mistake


class Answering(Protocol):
    """What a terminal is for. `answer` raises Mistake for a line that means nothing."""

    ended: bool

    def greeting(self) -> list[str]: ...

    def prompt(self) -> str: ...

    def completions(self, line: str) -> list[str]: ...

    def answer(self, line: str) -> list[str]: ...


def converse(dialogue: Answering) -> None:
    """Until it has ended, or there are no more lines. Raises UsageError for a mistake in a pipe."""
    _show(dialogue.greeting())
    if sys.stdin.isatty() and sys.stdout.isatty():
        _on_terminal(dialogue)
    else:
        _from_pipe(dialogue, sys.stdin)


def _show(lines: Iterable[str]) -> None:
    text = "\n".join(lines)
    if text:
        answer(text)


def _from_pipe(dialogue: Answering, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines, 1):
        said = line.rstrip("\r\n")
        answer(f"{dialogue.prompt()}{said}" if said.isprintable() else dialogue.prompt())
        try:
            _show(dialogue.answer(said))
        except Mistake as mistake:
            raise UsageError(f"standard input, line {number}: {mistake}", "`?` as a line shows the commands") from mistake
        if dialogue.ended:
            return


def _on_terminal(dialogue: Answering) -> None:
    ask = _session(dialogue)
    while not dialogue.ended:
        try:
            line = ask()
        except EOFError:
            return
        except KeyboardInterrupt:  # the line is thrown away, as in a shell
            continue
        try:
            _show(dialogue.answer(line))
        except Mistake as mistake:
            answer(f"{mistake}")
        except KeyboardInterrupt:
            answer("interrupted")


def _session(dialogue: Answering) -> Callable[[], str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    class Words(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
            line = document.text_before_cursor
            for word in dialogue.completions(line):
                yield Completion(word, start_position=-len(line.split(" ")[-1]))

    session: PromptSession[str] = PromptSession(completer=Words(), complete_while_typing=False)
    return lambda: session.prompt(dialogue.prompt())
