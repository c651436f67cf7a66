"""A violation that a walk has met, without most of the steps that did nothing for it.

In: the walk's steps. Out: fewer of them, which end in the same violation. The result is short, but not sure to be the shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from formal.diagnostics import InternalError
from formal.engines.shorten import shorter
from formal.interp import Machine, Outcome, State
from formal.program import Property

_MOST: Final = 60_000  # steps that are executed again, for each violation: less than a second


def shrink(machine: Machine, prop: Property, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """`outcomes` end in a violation of `prop`, which is no liveness property."""
    if outcomes and outcomes[-1].after is None:
        *before, last = outcomes

        def errs(state: State) -> Outcome | None:
            return next((one for one in machine.steps(state, last.thread) if one.error == prop.name), None)

        found = shorter(machine, before, lambda state: errs(state) is not None, _MOST, again=True)
        error = errs((found[-1].after if found else None) or machine.initial())
        assert error is not None
        return (*found, error)
    return tuple(shorter(machine, outcomes, _broken(machine, prop), _MOST, again=True))


def _broken(machine: Machine, prop: Property) -> Callable[[State], bool]:
    """Whether a state violates the property."""
    if prop.kind == "deadlock":
        return lambda state: prop.name in machine.deadlocks(state)
    if prop.kind == "invariant" and prop.condition is not None:
        holds = machine.condition(prop.condition)
        return lambda state: not holds(state)
    raise InternalError(f"{prop.name} is violated by no state")
