"""An execution as far as it has got: its states, what they violate, and who changed what.

In: outcomes of steps, one after the other. Out: states and views by position (0: the initial state), violations. Must not know how any
of it is shown.
"""

from __future__ import annotations

from formal.interp import Machine, Outcome, State, replay
from formal.interp.replay import unjudged
from formal.verdict import View, Witness
from formal.walks.judging import Judge
from formal.walks.walk import Met, trace_of


class Path:
    """One execution. Where its last step has no state behind it (an error, a false `assume`), its last state is the one before."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.judge = Judge(machine)
        self.restart()

    def restart(self) -> None:
        """Back to the initial state."""
        self.cut(0)

    def cut(self, length: int) -> None:
        """Take steps back until there are so many."""
        outcomes = self.outcomes[:length] if length else []
        self.outcomes: list[Outcome] = []
        self.states: list[State] = [self.machine.initial()]
        self.views: list[View] = [self.machine.view(self.states[0])]
        self.met: list[tuple[Met, ...]] = []
        self._lassos = self.judge.lassos()
        self._look()
        for outcome in outcomes:
            self.take(outcome)

    @property
    def over(self) -> bool:
        """Whether the execution has ended in its last step."""
        return bool(self.outcomes) and self.outcomes[-1].after is None

    @property
    def moves(self) -> dict[int, list[Outcome]]:
        """The steps that are possible now, by thread."""
        return {} if self.over else self.judge.moves(self.states[-1])

    def take(self, outcome: Outcome) -> None:
        """One more step."""
        self.outcomes.append(outcome)
        self.states.append(self.states[-1] if outcome.after is None else outcome.after)
        self.views.append(self.views[-1] if outcome.after is None else self.machine.view(outcome.after))
        if outcome.after is not None:
            self._look()
        else:
            self.met.append(() if outcome.error is None else (Met(outcome.error, len(self.outcomes)),))

    def _look(self) -> None:
        """What the last state violates that the one before did not."""
        state, steps = self.states[-1], len(self.outcomes)
        moves = self.judge.moves(state)
        broken = self.judge.broken(state, self.judge.waiting(state, moves), list(moves))
        met = [Met(prop, steps) for prop in broken]
        moved = self.outcomes[-1].thread if self.outcomes else None
        met += [Met(prop, steps, loop_to) for prop, loop_to in self._lassos.visit(state, frozenset(moves), moved)]
        self.met.append(tuple(met))

    def new(self, position: int) -> tuple[Met, ...]:
        """What is violated at a position and was not just before."""
        before = {met.prop for met in self.met[position - 1]} if position else set()
        return tuple(met for met in self.met[position] if met.prop not in before)

    def violations(self) -> dict[str, Met]:
        """The first violation of each property on the way."""
        found: dict[str, Met] = {}
        for position in self.met:
            for met in position:
                found.setdefault(met.prop, met)
        return found

    def witness(self, met: Met) -> Witness:
        """The execution up to a violation."""
        return replay(self.machine, trace_of(self.machine, tuple(self.outcomes), met))

    def walked(self) -> Witness:
        """All of the execution, whatever it violates."""
        return unjudged(self.machine, self.outcomes)

    def since(self, key: str, position: int) -> int | None:
        """The last step up to a position that changed a key of the view; None if it is as in the beginning."""
        for number in range(position, 0, -1):
            if self.views[number].get(key) != self.views[number - 1].get(key):
                return number
        return None
