"""How far a witness of BEFORE goes in AFTER, and what is in its way.

In: the machines of two flat programs, which statement is which, and the steps of an execution of BEFORE. Out: `Course`. The steps are
taken in AFTER one by one, by the same threads at the same statements with the same choices. What AFTER has besides is executed where a
thread of the witness comes to it; what AFTER does not have is left out. Each such difference is told, the first one is where the witness as
such is no longer possible; it ends where AFTER's thread cannot take the step, or behind the last one, where the property is asked. Must not
search: AFTER's own statements take the first outcome that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formal import program as p
from formal.interp import Machine, Outcome, State, Waiting
from formal.interp.items import At as Standing
from formal.interp.items import Called, Each, Rest
from formal.interp.items import Frame as Body
from formal.program import Property
from formal.rewriting.bodies import place_of, statements_of
from formal.verdict import SourceRef

_OWN: Final = 1000  # steps that a thread of AFTER may take on the way to one of the witness's: a loop may never get there


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference on the way. `step`: of the witness, from 1; `kind`: gone, the statement is not in AFTER; own, AFTER has one more;
    blocked, the thread cannot move there; elsewhere, it stands at another statement; otherwise, the step goes another way."""

    step: int
    kind: str
    thread: str
    statement: str
    body: str
    source: SourceRef | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """`gaps`: in order; `taken`: steps of the witness that AFTER takes; `steps`: of the witness; `end`: what holds at the end, in words;
    `violated`: whether the property is violated there all the same."""

    prop: str
    steps: int
    taken: int
    gaps: tuple[Gap, ...]
    end: str
    violated: bool


def course(before: Machine, after: Machine, pairs: Mapping[int, int], prop: str, outcomes: Sequence[Outcome]) -> Course:
    """Of one witness. `outcomes`: its steps in BEFORE; `pairs`: by uid of a statement of BEFORE, that of AFTER's."""
    return _Follower(before, after, pairs, prop).follow(outcomes)


_Spot = tuple[object, ...]


class _Follower:
    def __init__(self, before: Machine, after: Machine, pairs: Mapping[int, int], prop: str) -> None:
        self._before, self._after, self._pairs, self._prop = before, after, pairs, prop
        self._known = frozenset(pairs.values())
        self._names = [thread.name for thread in after.program.threads]
        self._ids = {name: number for number, name in enumerate(self._names)}
        self._gaps: list[Gap] = []
        self._state = after.initial()
        self._taken = 0
        self._error: str | None = None

    def follow(self, outcomes: Sequence[Outcome]) -> Course:
        """Step by step."""
        state = self._before.initial()
        ended = False
        for number, outcome in enumerate(outcomes, 1):
            if not self._step(number, state, outcome):
                ended = True
                break
            state = state if outcome.after is None else outcome.after
        end, violated = self._end(stopped=ended)
        return Course(self._prop, len(outcomes), self._taken, tuple(self._gaps), end, violated)

    def _step(self, number: int, state: State, outcome: Outcome) -> bool:
        """One step of the witness; False where it ends."""
        name = self._before.program.threads[outcome.thread].name
        thread = self._ids.get(name)
        missing = self._missing(state, outcome.thread)
        if thread is None or missing is not None:
            self._note(_gap(number, "gone", name, missing or _stands(self._before, state, outcome.thread)))
            return True
        wanted = self._spot(self._before, state, outcome.thread, self._pairs)
        for _ in range(_OWN):
            here = self._spot(self._after, self._state, thread, None)
            if here == wanted:
                return self._take(number, thread, outcome)
            own = self._own(thread)
            if own is None:
                self._gaps.append(self._elsewhere(number, thread))
                return False
            self._note(_gap(number, "own", name, own))
            if not self._go(number, thread, None):
                return False
        self._gaps.append(self._elsewhere(number, thread))
        return False

    def _note(self, gap: Gap) -> None:
        """Another difference; several steps of one call are one."""
        same = [one for one in self._gaps[-1:] if (one.kind, one.thread, one.source) == (gap.kind, gap.thread, gap.source)]
        if not same:
            self._gaps.append(gap)

    # ------------------------------------------------------------ steps of AFTER

    def _take(self, number: int, thread: int, like: Outcome) -> bool:
        done = self._go(number, thread, like)
        self._taken += done
        return done

    def _go(self, number: int, thread: int, like: Outcome | None) -> bool:
        """One step of AFTER's thread, as it was in BEFORE if it is to be like that."""
        outcomes = self._after.steps(self._state, thread)
        here = _stands(self._after, self._state, thread)
        if not outcomes:
            self._gaps.append(_gap(number, "blocked", self._names[thread], here, self._wait(thread)))
            return False
        going = [one for one in outcomes if like is None or one.choice == like.choice]
        if not going:
            self._gaps.append(_gap(number, "otherwise", self._names[thread], here, "there is no such choice"))
            return False
        taken = going[0]
        if taken.after is None:
            self._error = taken.error
            if like is None or taken.error != like.error:
                why = "the execution ends there" if taken.error is None else f"it violates {taken.error}"
                self._gaps.append(_gap(number, "otherwise", self._names[thread], here, why))
            return taken.error is not None and like is not None and taken.error == like.error
        self._state = taken.after
        return True

    def _wait(self, thread: int) -> str:
        """What the interpreter says about a wait."""
        member = next((one for one in self._after.waits(self._state) if one.thread == thread), None)
        return "" if member is None else self._told(member)

    def _told(self, member: Waiting) -> str:
        wait = member.wait
        if wait.target is None:
            return "it waits until that is true"
        name = self._after.views.name_of(wait.target(self._state))
        if wait.kind == "lock":
            holders = " and ".join(self._names[holder] for holder in sorted(wait.holders(self._state)))
            return f"it waits for {name}, which {holders or 'nobody'} holds"
        return f"it waits for {name}"

    def _elsewhere(self, number: int, thread: int) -> Gap:
        place = _stands(self._after, self._state, thread)
        if place is None:
            return _gap(number, "elsewhere", self._names[thread], None, f"it is {self._after.status(self._state, thread)}")
        return _gap(number, "elsewhere", self._names[thread], place)

    # ------------------------------------------------------------ places

    def _spot(self, machine: Machine, state: State, thread: int, pairs: Mapping[int, int] | None) -> _Spot:
        """Where a thread stands, and through which calls, in the uids of AFTER."""
        found: list[object] = []
        for uid, more in _stack(machine, state, thread):
            found.append((uid if pairs is None or uid is None else pairs.get(uid), more))
        return tuple(found)

    def _missing(self, state: State, thread: int) -> p.Info | None:
        """The outermost statement on a thread's stack in BEFORE that is not in AFTER."""
        return _outermost(self._before, state, thread, lambda uid: uid not in self._pairs)

    def _own(self, thread: int) -> p.Info | None:
        """The outermost statement on a thread's stack in AFTER that is not in BEFORE."""
        return _outermost(self._after, self._state, thread, lambda uid: uid not in self._known)

    # ------------------------------------------------------------ the end

    def _end(self, *, stopped: bool) -> tuple[str, bool]:
        """What is to be said of the property at the end."""
        prop = next((one for one in self._after.program.properties if one.name == self._prop), None)
        if stopped:
            return "", False
        if prop is None:
            return f"AFTER has no property {self._prop}", False
        violated = self._violated(prop)
        if violated:
            return f"{self._prop} is violated there, too", True
        if prop.kind == "liveness":
            return f"{self._prop} is about what comes for ever: steps alone do not violate it", False
        return f"behind its last step {self._prop} is not violated{self._movers(prop)}", False

    def _violated(self, prop: Property) -> bool:
        if prop.kind == "invariant":
            return prop.name in self._after.broken_invariants(self._state)
        if prop.kind == "deadlock":
            return self._error is None and prop.name in self._after.deadlocks(self._state)
        return prop.kind != "liveness" and self._error == prop.name

    def _movers(self, prop: Property) -> str:
        """Who can go on where there was to be a deadlock, those at AFTER's own statements first."""
        if prop.kind != "deadlock" or self._error is not None:
            return ""
        able = [(self._own(thread), thread) for thread in self._after.enabled(self._state)]
        told = [
            f"{self._names[thread]} can go on with `{own.text}` in {own.body}, which BEFORE does not have" for own, thread in able if own
        ]
        told = told or [f"{self._names[thread]} can go on" for _, thread in able]
        return f"; {', '.join(told)}" if told else ""


def _stack(machine: Machine, state: State, thread: int) -> list[tuple[int | None, object]]:
    """From the innermost place outwards: statements by uid, with what else tells places apart."""
    found: list[tuple[int | None, object]] = []
    node = machine.node(state, thread)
    while node is not None:
        match node.item:
            case Standing(stmt=stmt, phase=phase, remaining=remaining) if not isinstance(stmt, p.Block):
                found.append((stmt.info.uid, (phase, remaining)))
            case Rest(block=block, place=place) if place and isinstance(block.statements[place - 1], p.Call | p.Invoke):
                found.append((_uid(block.statements[place - 1]), "inside"))
            case Each(stmt=stmt, place=place):
                found.append((stmt.info.uid, place))
            case Called(stmt=stmt, remaining=remaining):
                found.append((stmt.info.uid, remaining))
            case Body():
                found.append((None, node.env.frames))
            case _:
                pass
        node = node.below
    return found


def _outermost(machine: Machine, state: State, thread: int, wanted: Callable[[int], bool]) -> p.Info | None:
    """The outermost of the statements on a thread's stack that is wanted."""
    uids = [uid for uid, _ in _stack(machine, state, thread) if uid is not None and wanted(uid)]
    if not uids:
        return None
    return next(one.info for one in statements_of(machine.program) if not isinstance(one, p.Block) and one.info.uid == uids[-1])


def _stands(machine: Machine, state: State, thread: int) -> p.Info | None:
    place = machine.place(state, thread)
    return None if place is None else place.info


def _gap(step: int, kind: str, thread: str, info: p.Info | None, why: str = "") -> Gap:
    if info is None:
        return Gap(step, kind, thread, "", "", None, why)
    return Gap(step, kind, thread, info.text, info.body, place_of(info.span), why)


def _uid(statement: p.Stmt) -> int:
    assert not isinstance(statement, p.Block)
    return statement.info.uid
