"""What the lines of a log are to a mapping: which count, how each can be read, and how many were passed over, and why.

In: events. Out: the mapped ones, each as `Seen`. Must not know a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from formal.codes import Code
from formal.conform.following import Meaning, Seen
from formal.conform.log import BadLog, Event, Reader
from formal.conform.mapping import Mapping
from formal.diagnostics import Diagnostic

LOOK_AHEAD: Final = 50_000  # lines in which every object has to show its name
KEPT: Final = 50_000  # texts of lines whose reading is kept


@dataclass(slots=True)
class Tally:
    """How many events there were, by what became of them. `before` and `behind`: the part that the mapping says the model is about;
    `elsewhere`: about other objects; `ignored`: by why; `unmapped`: by event; `mapped`: looked at."""

    events: int = 0
    before: int = 0
    behind: int = 0
    elsewhere: int = 0
    mapped: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)


class Sieve:
    """One log's events under a mapping. `names`: what objects are called in this log."""

    def __init__(self, mapping: Mapping, path: str, reader: Reader) -> None:
        self._mapping = mapping
        self._path = path
        self._reader = reader
        self._read: dict[tuple[str, str], tuple[Meaning, ...] | str] = {}
        self.names: dict[str, str] = {}
        self.tally = Tally()

    def sift(self, events: Iterable[Event]) -> Iterator[tuple[Event, Seen]]:
        """The mapped events. Raises BadLog."""
        tally, mapping = self.tally, self._mapping
        started = mapping.first is None
        ended = False
        for event in self._learning(iter(events)):
            tally.events += 1
            if not started:
                started = mapping.first is not None and mapping.first.fits(event.name, event.arguments)
            if not started:
                tally.before += 1
                continue
            ended = ended or (mapping.last is not None and mapping.last.fits(event.name, event.arguments))
            if ended:
                tally.behind += 1
                continue
            meanings = self._meanings(event)
            if meanings is not None:
                tally.mapped += 1
                yield event, Seen(event.thread, meanings)
        self._judge(started)

    def _judge(self, started: bool) -> None:
        """Raises BadLog if nothing was said that the mapping is about."""
        if not started and self._mapping.first is not None:
            message = f"no line is the event at which {self._mapping.source} starts: {self._mapping.first.event}"
            raise BadLog(Diagnostic(Code.LOG_UNMAPPED, message, None, file=self._path))
        if self.tally.mapped == 0:
            common = ", ".join(name for name, _ in self.tally.unmapped.most_common(3))
            message = f"none of the {self.tally.events} events is one that {self._mapping.source} knows" + (
                f" (but {common})" if common else ""
            )
            hint = f"it knows {', '.join(self._mapping.by_event)}"
            raise BadLog(Diagnostic(Code.LOG_UNMAPPED, message, None, hint=hint, file=self._path))

    def _learning(self, events: Iterator[Event]) -> Iterator[Event]:
        """All events, once the names of the objects are known; the lines until then are held back."""
        held: list[Event] = []
        wanted = dict(self._mapping.objects)
        while wanted and len(held) < LOOK_AHEAD:
            event = next(events, None)
            if event is None:
                break
            held.append(event)
            for name, learned in list(wanted.items()):
                found = None
                if learned.pattern.event == event.name and learned.pattern.match is not None:
                    found = learned.pattern.match.search(event.arguments)
                if found is not None:
                    self.names[name] = found[1]
                    del wanted[name]
        needed = {self._mapping.only[event.name].object for event in held if event.name in self._mapping.only}
        for name in needed.intersection(wanted):
            learned = wanted[name]
            message = f"no line says what {name} is called in this log: {learned.pattern.event} was to show it"
            raise BadLog(Diagnostic(Code.LOG_UNMAPPED, f"{self._path}: {message}", learned.span))
        return chain(held, events)

    # ------------------------------------------------------------ one event

    def _meanings(self, event: Event) -> tuple[Meaning, ...] | None:
        """The ways to read it, none if no rule knows such a line; None if it does not count."""
        if event.name not in self._mapping.by_event and event.name not in self._mapping.only:
            if not self._ignored(event):
                self.tally.unmapped[event.name] += 1
            return None
        key = (event.name, event.arguments)
        found = self._read.get(key)
        if found is None:
            if len(self._read) > KEPT:
                self._read.clear()
            found = self._read[key] = self._reading(event)
        if isinstance(found, tuple):
            return found
        if found:
            self.tally.ignored[found] += 1
        else:
            self.tally.elsewhere += 1
        return None

    def _reading(self, event: Event) -> tuple[Meaning, ...] | str:
        """How a line can be read; or why it is ignored; "" if it is about another object."""
        only = self._mapping.only.get(event.name)
        if only is not None:
            found = only.match.search(event.arguments)
            if found is not None and (found[1] == self.names.get(only.object)) == only.other:
                return ""
        meanings = []
        for number in self._mapping.by_event.get(event.name, ()):
            match = self._mapping.rules[number].pattern.match
            hit = None if match is None else match.search(event.arguments)
            if match is None or hit is not None:
                groups = () if hit is None else tuple((name, value or "") for name, value in hit.groupdict().items())
                meanings.append(Meaning(number, groups))
        if not meanings:
            for one in self._mapping.ignored:
                if one.pattern.fits(event.name, event.arguments):
                    return one.why
        return tuple(meanings)

    def _ignored(self, event: Event) -> bool:
        for one in self._mapping.ignored:
            if one.pattern.fits(event.name, event.arguments):
                self.tally.ignored[one.why] += 1
                return True
        return False
