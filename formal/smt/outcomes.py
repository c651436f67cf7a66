"""What can come of executing a statement, and the paths that lead there.

In: conditions and states. Out: `Outcome`s, mutually exclusive once the choices are fixed. It must not know statements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from formal.smt.scene import State
from formal.smt.terms import Bool, both, negation

Pick: TypeAlias = Callable[[int, int], Bool]  # (alternative, how many) -> whether the step takes this alternative


@dataclass(frozen=True, slots=True, eq=False)
class Goes:
    """Control goes on to `target` (a node or EXIT; None: the state says where). `changed`: the statement counts as a change."""

    condition: Bool
    state: State
    target: int | None
    changed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fails:
    """The step violates a property."""

    condition: Bool
    prop: str


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """The statement cannot be executed now."""

    condition: Bool


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """The execution ends here in silence."""

    condition: Bool


Outcome: TypeAlias = Goes | Fails | Waits | Ends


class Path:
    """Collects the outcomes of one statement while its checks are made, in order: each sees only what the earlier ones let through."""

    def __init__(self, disabled: frozenset[str]) -> None:
        self.outcomes: list[Outcome] = []
        self.open: Bool = True
        self._disabled = disabled

    def fail_if(self, condition: Bool, prop: str) -> None:
        """A check: here the step violates `prop`, or ends in silence where that is disabled."""
        failing = both(self.open, condition)
        if failing is not False:
            self.outcomes.append(Ends(failing) if prop in self._disabled else Fails(failing, prop))
        self.open = both(self.open, negation(condition))

    def wait_if(self, condition: Bool) -> None:
        waiting = both(self.open, condition)
        if waiting is not False:
            self.outcomes.append(Waits(waiting))
        self.open = both(self.open, negation(condition))

    def end_if(self, condition: Bool) -> None:
        ending = both(self.open, condition)
        if ending is not False:
            self.outcomes.append(Ends(ending))
        self.open = both(self.open, negation(condition))

    def go(self, state: State, target: int | None, changed: bool = False, where: Bool = True) -> None:
        """Control goes on, in one of perhaps several ways."""
        going = both(self.open, where)
        if going is not False:
            self.outcomes.append(Goes(going, state, target, changed))
