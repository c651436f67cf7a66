"""Where a thread stands, followed from outside: which location it has come to, told what a witness would show of it.

In: a control-flow graph; of each move of a thread, what it stands at then and the bodies it is inside of. Out: its place, as the cells have
it. Somebody else's states can so be put into the terms of this reading; a wrong guess makes poor lemmas, never a wrong proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from formal.smt.bodies import bhs_of, is_poll
from formal.smt.cfg import EXIT, FINISHED, FIRST, NOT_SPAWNED, Slot
from formal.smt.decode import phase_shown, root_name
from formal.smt.layout import Staged


@dataclass(frozen=True, slots=True)
class Place:
    """A location, and the polls that the thread is inside of, outermost first."""

    location: int
    polls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """`level`: of nested bottom halves; `key`: frame and name, as views have it, or those that have what views leave out (`hidden`)."""

    level: int
    slot: Slot
    key: str
    hidden: bool


UNSPAWNED = Place(NOT_SPAWNED)
DONE = Place(FINISHED)


class Places:
    """The places of one program's threads."""

    def __init__(self, relation: Staged) -> None:
        self._cfg = relation.cfg
        self._bodies = relation.layout.reachable
        self._names = [thread.name for thread in relation.cfg.program.threads]

    def start(self, thread: int) -> Place:
        """Where a thread stands that has just begun."""
        return next(self._settled(Place(self._bodies[thread][0].entry)))

    def follow(self, place: Place, thread: int, at: str, stack: tuple[str, ...]) -> tuple[Place, ...]:
        """The places that a thread may have come to from `place` in one step, where it shows `at` and `stack` now (`formal.verdict`)."""
        node = self._cfg.nodes[place.location]
        nexts = [Place(target, place.polls) for target in node.targets]
        if is_poll(node):
            inside = (*place.polls, place.location)
            for bh in bhs_of(self._cfg.program, node):
                nexts += [Place(self._cfg.bhs[bh, i].entry, inside) for i in range(bh.size or 1)]
        found = dict.fromkeys(settled for one in nexts for settled in self._settled(one))
        return tuple(one for one in found if one.location >= FIRST and self._shows(one, thread) == (at, stack))

    def _settled(self, place: Place) -> Iterator[Place]:
        """Where control comes to rest from there: out of bodies that have ended, past what is inside of an atomic."""
        todo = [place]
        seen = set(todo)
        for one in todo:
            if one.location == EXIT:
                if not one.polls:
                    yield DONE
                    continue
                nexts = [Place(self._cfg.nodes[one.polls[-1]].targets[0], one.polls[:-1])]
            elif one.location >= FIRST and self._cfg.nodes[one.location].inner:
                nexts = [Place(target, one.polls) for target in self._cfg.nodes[one.location].targets]
            else:
                yield one
                continue
            todo += [other for other in nexts if other not in seen]
            seen.update(nexts)

    def registers(self, place: Place) -> Iterator[Register]:
        """The registers in use there whose meaning is known."""
        below = 0
        for level, number in enumerate((*place.polls, place.location)):
            if number < FIRST:
                return
            site = self._cfg.nodes[number].site
            for seen in site.visible:
                yield Register(level, seen.slot, f"{below + seen.position}.{seen.name}", False)
            for kept in site.hidden:
                yield Register(level, kept.slot, f"{below + kept.position}.{kept.name}", True)
            below += 1 + len(site.frames)

    def _shows(self, place: Place, thread: int) -> tuple[str, tuple[str, ...]]:
        nodes = [self._cfg.nodes[number] for number in (*place.polls, place.location)]
        stack: list[str] = []
        for node in nodes:
            stack += [root_name(node, self._names[thread]), *node.site.frames]
        last = nodes[-1]
        return f"{last.info.uid} {phase_shown(last)}", tuple(stack)
