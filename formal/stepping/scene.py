"""One state of an execution on the screen: what is held, pending and set, where each thread stands, and why who waits does.

In: a path and a position on it. Out: lines. What is as in the beginning is left out, and that is said; what the last step changed is set
off. Must not know commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from formal.interp import Machine, State, Waiting
from formal.interp.environment import NOBODY
from formal.program import BoolType, ContextDecl, Direct, InContext, Info, Literal, ThreadType
from formal.stepping.blocking import why_blocked
from formal.stepping.ink import Ink
from formal.stepping.path import Path
from formal.verdict import ViewValue

_STATUS = {"not spawned": "not spawned yet", "finished": "finished"}


class Scene:
    """Shows the states of one program."""

    def __init__(self, machine: Machine, ink: Ink) -> None:
        self._machine = machine
        self._program = machine.program
        self._ink = ink
        self._groups = list(self._sorted())

    def _sorted(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """The keys of the view by what they are about: a label, and each key with what is shown before its value."""
        program, name = self._program, self._machine.views.name

        def keys(decls: Sequence[object], *parts: str) -> list[tuple[str, str]]:
            names = [name(decl, index) for decl in decls for index in range(getattr(decl, "size", None) or 1)]  # type: ignore[arg-type]
            return [(f"{one}.{part}", one if part == parts[0] else f"{one} {part}") for one in names for part in parts]

        yield "locks", [*keys(program.mutexes, "owner"), *keys(program.rwlocks, "writer", "readers")]
        recursive = [mutex for mutex in program.mutexes if mutex.recursive]
        yield "taken times", keys(recursive, "count")
        yield "pending", keys(program.bhs, "pending")
        yield "semaphores", keys(program.sems, "count")
        yield "events", keys(program.events, "set")
        yield "conditions", [(key, f"{shown} waiters") for key, shown in keys(program.conds, "waiters")]
        plain = [name(decl, index) for decl in program.variables for index in range(decl.size or 1)]
        plain += [name(decl, thread.id) for decl in program.thread_locals for thread in program.threads]
        yield "variables", [(key, key) for key in plain]

    # ------------------------------------------------------------ the state

    def state(self, path: Path, position: int, *, everything: bool = False) -> list[str]:
        """What is otherwise than in the beginning, or everything; a star at what the last step changed."""
        now, first = path.views[position], path.views[0]
        before = path.views[position - 1] if position else now
        lines: list[str] = []
        left = 0
        for label, keys in self._groups:
            shown = [pair for pair in keys if everything or now[pair[0]] != first[pair[0]] or now[pair[0]] != before[pair[0]]]
            left += len(keys) - len(shown)
            if shown:
                entries = [(f"{name}: {show(now[key])}", now[key] != before[key]) for key, name in shown]
                lines += self._ink.entries(label, entries)
        contexts = [*self._contexts(path, position)]
        if contexts:
            lines += self._ink.entries("contexts", contexts)
        if left:
            rest = "everything else" if lines else "everything"
            lines.append(self._ink.paint(f"  {rest} is as in the beginning ({left} not shown; v shows all)", "dim"))
        return lines

    def _contexts(self, path: Path, position: int) -> Iterator[tuple[str, bool]]:
        """Who is in which context."""
        for context in self._program.contexts:
            inside = self._inside(context, path.states[position])
            before = self._inside(context, path.states[position - 1]) if position else inside
            if inside or before:
                yield f"{context.name}: {show(inside)}", inside != before

    def _inside(self, context: ContextDecl, state: State) -> tuple[str, ...]:
        found = []
        for thread in self._program.threads:
            who = Literal(thread.id, ThreadType(), context.span)
            asked = InContext(who, Direct(context, None), BoolType(), context.span)
            if self._machine.status(state, thread.id) == "running" and self._machine.value(asked, NOBODY, state):
                found.append(thread.name)
        return tuple(found)

    # ------------------------------------------------------------ the threads

    def threads(self, path: Path, position: int, *, stacks: bool = False) -> list[str]:
        """Each thread: where it stands, and what it waits for. The one that moved last has a star."""
        state = path.states[position]
        waits = {member.thread: member for member in self._machine.waits(state)}
        last = path.outcomes[position - 1].thread if position else None
        lines: list[str] = []
        for thread in self._program.threads:
            lines += self._thread(path, position, thread.id, waits.get(thread.id), starred=thread.id == last, stacks=stacks)
        return lines

    def _thread(self, path: Path, position: int, thread: int, wait: Waiting | None, *, starred: bool, stacks: bool) -> Iterator[str]:
        ink, name, state = self._ink, self._program.threads[thread].name, path.states[position]
        place = self._machine.place(state, thread)
        mark = "*" if starred else " "
        if place is None:
            yield ink.paint(f" {mark}{name}: {_STATUS[self._machine.status(state, thread)]}", "dim")
            return
        doing = "at" if wait is None else "idle at" if place.info.idle else "waits at"
        head = ink.wrapped(f"{mark}{name} {doing} {place.info.text}", 1, "" if wait is None else "dim", 4)
        yield from head
        if wait is not None:
            yield from ink.wrapped(why_blocked(path, position, wait), 6, "cyan")
        yield from ink.wrapped(_where(place.info, place.stack), 6, "dim")
        if stacks and len(place.stack) > 1:
            yield from ink.wrapped(" > ".join(place.stack), 6, "dim")
        local = list(_locals(path.views[position], name, None if stacks else len(place.stack) - 1))
        if local:
            yield from ink.wrapped(", ".join(local), 6)


def _where(info: Info, stack: tuple[str, ...]) -> str:
    """The place in the model, and the C function, else the body."""
    body = stack[-1] if len(stack) > 1 else ""
    whose = info.c_source or body
    return f"{info.span.source.path}:{info.span.line}{f', {whose}' if whose else ''}"


def _locals(view: Mapping[str, ViewValue], thread: str, frame: int | None) -> Iterator[str]:
    """The locals of one frame, or of all."""
    for key, value in view.items():
        if not key.startswith(f"{thread}/"):
            continue
        number, _, name = key.removeprefix(f"{thread}/").partition(".")
        if frame is None or number == str(frame):
            yield f"{name} = {show(value)}"


def show(value: ViewValue) -> str:
    """One value of a view."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value) or "nobody"
        case _:
            return str(value)
