"""Steps of a program with all edits in it: those of its own, and those that choose.

In: an embedded program. Out: its states and steps, and which acts a choice rests on. A state in which nobody stands at a choice is one of
the program with the chosen acts made, and what a property says of it is so there, too. Must not know searches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from formal import program as p
from formal.frontend.walking import expressions_of
from formal.interp import Machine, State, Stop
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL
from formal.repair.edits import Act
from formal.repair.embedding import Embedded
from formal.rewriting.bodies import statements_of

RUNNING: Final = 2  # controls below belong to threads that do not run

Rests: TypeAlias = tuple[tuple[Act, bool], ...]  # acts that have to be made, or not made
Sort: TypeAlias = Literal["choice", "loose", "bound"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a thread stands: the statement and its phase; `sort`: at a choice, or at a statement of the lock, or elsewhere."""

    place: tuple[int, str]
    sort: Sort


class Walker:
    """The steps of an embedded program. `watched`: some statement tests where a thread stands, so that no choice may be left for later."""

    def __init__(self, program: Embedded) -> None:
        self.machine = Machine(program.program)
        self.threads = range(len(program.program.threads))
        self._choices = program.choices
        self._loose = program.loose
        self._known = {one.info.uid for one in statements_of(program.program) if not isinstance(one, p.Block)}
        self._met: dict[tuple[int, int], Standing] = {}
        properties = program.program.properties
        named = [prop.condition for prop in properties if prop.kind == "invariant" and prop.condition is not None]
        self.watched = any(map(_watches, _conditions(program.program)))
        self._anywhere = [self.machine.condition(one) for one in named if not self.watched and not _watches(one)]
        self._settled = [self.machine.condition(one) for one in named if self.watched or _watches(one)]
        self._holds = [self.machine.condition(_holds(thread.id, program.lock)) for thread in program.program.threads]
        self._deadlocks = [prop.name for prop in properties if prop.kind == "deadlock"]

    def standing(self, state: State, thread: int) -> Standing | None:
        """Where a thread stands; None if it does not run."""
        control = state[thread]
        if control < RUNNING:
            return None
        known = self._met.get((control, thread))
        if known is None:
            place = self.machine.place(state, thread)
            assert place is not None
            uid = place.info.uid
            sort: Sort = "choice" if uid in self._choices else "loose" if uid in self._loose else "bound"
            known = self._met[control, thread] = Standing((uid, place.phase), sort)
        return known

    def is_loose(self, uid: int) -> bool:
        """Whether a statement takes the lock or gives it back; one that is not known was put there by an edit."""
        return uid in self._loose or uid not in self._known

    def moves(self, state: State, thread: int) -> list[tuple[State | None, str | None]]:
        """The ways in which one thread's step can go: a state, or the property that it violates; neither, if it ends the execution."""
        return [(None, after.prop) if isinstance(after, Stop) else (after, None) for _, after in self.machine.run(state[thread])(state)]

    def choose(self, state: State, thread: int) -> list[tuple[Rests, State]]:
        """Of a thread that stands at a choice: what each way rests on, and the state after it."""
        found: list[tuple[Rests, State]] = []
        offered = self._offered(state, thread)
        for act, after in zip(offered, self.moves(state, thread), strict=True):
            rests = tuple((one, False) for one in offered if one is not None) if act is None else ((act, True),)
            assert after[0] is not None
            found.append((rests, after[0]))
        return found

    def _offered(self, state: State, thread: int) -> tuple[Act | None, ...]:
        standing = self.standing(state, thread)
        assert standing is not None
        return self._choices[standing.place[0]]

    def owner(self, state: State) -> int | None:
        """Who has the lock."""
        return next((thread for thread, holds in enumerate(self._holds) if holds(state)), None)

    def can_move(self, state: State, thread: int) -> bool:
        """Whether a thread runs and does not have to wait."""
        return state[thread] >= RUNNING and bool(self.machine.run(state[thread])(state))

    def violated(self, state: State) -> bool:
        """Whether an invariant does not hold here, whatever those choose who have not chosen yet."""
        if not all(holds(state) for holds in self._anywhere):
            return True
        return not all(holds(state) for holds in self._settled) and not self.choosing(state)

    def deadlocked(self, state: State) -> bool:
        """Whether this is a deadlock, whatever those choose who have not chosen yet. They count as moving, so that it is a partial one,
        which is a global one if they have to wait, too."""
        if self.choosing(state) and not {DEADLOCK_GLOBAL, DEADLOCK_PARTIAL} <= set(self._deadlocks):
            return False
        waiting, moving = self._waiting(state)
        return bool(waiting and self.machine.deadlocked(state, waiting, moving, self._deadlocks))

    def choosing(self, state: State) -> list[int]:
        """The threads that stand at a choice."""
        return [thread for thread in self.threads if (at := self.standing(state, thread)) is not None and at.sort == "choice"]

    def _waiting(self, state: State) -> tuple[list[int], list[int]]:
        """Who runs and has to wait, and who can move."""
        moving = [thread for thread in self.threads if self.can_move(state, thread)]
        return [thread for thread in self.threads if state[thread] >= RUNNING and thread not in moving], moving


def _holds(thread: int, lock: p.MutexDecl) -> p.Expr:
    return p.Holds(p.Literal(thread, p.ThreadType(), lock.span), p.Direct(lock, None), p.BoolType(), lock.span)


def _conditions(program: p.Program) -> Iterator[p.Expr]:
    """All that statements and contexts test."""
    for statement in statements_of(program):
        yield from expressions_of(statement)
    yield from (context.when for context in program.contexts if context.when is not None)


def _watches(condition: p.Expr) -> bool:
    """Whether it speaks of where some thread stands."""
    return isinstance(condition, p.At | p.Finished) or any(map(_watches, expressions_of(condition)))
