"""The states that a witness goes through, whole, as its steps tell them by their changes.

In: a witness. Out: one mapping a state, by the keys of `verdict.View`, but for where threads stand. It must not know the program.
"""

from __future__ import annotations

from formal.verdict import PropertyResult, SourceRef, ViewValue, Witness, WitnessStep

_PLACES = (".at", ".stack")  # steps do not tell how these change
_STATUS = ".status"
# The kinds of property whose violation is a step that goes wrong, and not a state: there is no state after that step.
_ERRORS = ("builtin", "assert", "requires", "ensures")


def states(witness: Witness) -> tuple[dict[str, ViewValue], ...]:
    """The initial state and the one after each step. A step that is itself the error leaves the state as it was."""
    state = {key: value for key, value in witness.initial.items() if not key.endswith(_PLACES)}
    found = [state]
    for step in witness.steps:
        state = dict(state)
        for key, (_, after) in step.changes.items():
            if after is None:
                state.pop(key, None)
            else:
                state[key] = after
        found.append(state)
    return tuple(found)


def failing_step(result: PropertyResult) -> WitnessStep | None:
    """The step that is itself the error; None where the last state is what is wrong, or where nothing is."""
    if result.witness is None or not result.witness.steps or result.kind not in _ERRORS:
        return None
    return result.witness.steps[-1]


def threads(witness: Witness) -> tuple[str, ...]:
    """All threads of the model in its order, then any others that a step names."""
    known = [key.removesuffix(_STATUS) for key in witness.initial if key.endswith(_STATUS)]
    return tuple(dict.fromkeys((*known, *(step.thread for step in witness.steps))))


def place(result: PropertyResult) -> SourceRef | None:
    """The line of the model to point at: the statement that goes wrong, else where the property is declared, else the last step."""
    failing = failing_step(result)
    if failing is not None:
        return failing.source
    if result.source is not None:
        return result.source
    return result.witness.steps[-1].source if result.witness is not None and result.witness.steps else None
