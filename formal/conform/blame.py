"""Why an event fits no execution: where its thread may stand, what keeps it there, and what the model allows instead.

In: the states that the events before leave possible, closed under silent steps, and the event. Out: `Rejection`. Must not read logs.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal.conform.following import Following, Seen
from formal.conform.log import Event
from formal.conform.result import Allowed, Rejection, Statement, Stood
from formal.conform.states import UNBOUND, Closure, taken
from formal.interp import State, Stop
from formal.program import Info
from formal.verdict import SourceRef

ENDS = {"semaphore": "a post", "event": "its set", "condition": "a wake-up", "context": "a bottom half", "thread": "the end of"}


def reject(following: Following, closure: Closure, event: Event, seen: Seen, previous: int | None, fitting: int) -> Rejection:
    """The rejection of the event behind these states."""
    names = [thread.name for thread in following.machine.program.threads]
    threads = {thread: None for member in closure.members for thread in following.could_be(seen.thread, member.bound)}
    bound = [thread for thread in threads if any(member.bound[thread] != UNBOUND for member in closure.members)]
    stood = dict.fromkeys(_stood(following, closure, seen))
    allowed = dict.fromkeys(_allowed(following, closure))
    return Rejection(
        event=event,
        known=bool(seen.meanings),
        previous=previous,
        fitting=fitting,
        threads=tuple(names[thread] for thread in (bound or threads)),
        stood=tuple(
            sorted(stood, key=lambda one: (not one.here, not one.wait, one.thread, one.statement.source.file, one.statement.source.line))
        ),
        allowed=tuple(sorted(allowed, key=lambda one: (one.thread, one.shown, one.stack))),
    )


def statement(info: Info) -> Statement:
    """A statement and its place, for messages."""
    return Statement(info.text, SourceRef(info.span.source.path, info.span.line), info.body)


def _stood(following: Following, closure: Closure, seen: Seen) -> Iterator[Stood]:
    """The places of the threads that the line may be about; first those at which the line's step is written."""
    machine = following.machine
    for state, bound in closure.members:
        for thread in following.could_be(seen.thread, bound):
            place = machine.place(state, thread)
            if place is None:
                continue
            here = any(following.selecting.stands(*meaning, state, thread) for meaning in seen.meanings)
            if here or bound[thread] == seen.thread:
                name = machine.program.threads[thread].name
                yield Stood(name, statement(place.info), place.stack, here, _wait(following, state, thread, here=here))


def _wait(following: Following, state: State, thread: int, *, here: bool) -> str:
    """What keeps a thread from the step that it stands at, or makes that another step than the line's."""
    machine = following.machine
    results = list(machine.run(state[thread])(state))
    errors = {after.prop for _, after in results if isinstance(after, Stop) and after.prop is not None}
    if errors:
        return f"the step violates {' or '.join(sorted(errors))}"
    if results:
        return "the step does something else" if here else ""
    wait = machine.wait(state, thread)
    if wait.target is None:
        return "it waits for a condition that does not hold"
    name = machine.views.name_of(wait.target(state))
    if wait.kind == "lock":
        holders = [machine.program.threads[holder].name for holder in sorted(wait.holders(state))]
        return f"it waits for {name}, which {' and '.join(holders) or 'nobody'} holds"
    return f"it waits for {ENDS.get(wait.kind, 'something')} of {name}"


def _allowed(following: Following, closure: Closure) -> Iterator[Allowed]:
    machine = following.machine
    for state, _ in closure.members:
        for thread, instance in enumerate(machine.program.threads):
            for _, after in taken(machine, state, thread):
                for rule in following.selecting.rules_of(state, after, thread):
                    place = machine.place(state, thread)
                    if place is not None:
                        yield Allowed(instance.name, statement(place.info), place.stack, following.mapping.rules[rule].shown)
