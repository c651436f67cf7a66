"""Labels, once every body is complete: where they stand, and what `at(t, label)` means.

In: the completed tables, the calls. Out: `At` nodes with their targets; diagnostics in the tables.
"""

from __future__ import annotations

from dataclasses import replace

from formal.codes import Code
from formal.diagnostics import Diagnostic, Note
from formal.frontend.calls import Calls, call_steps
from formal.frontend.declarations import complete
from formal.frontend.names import LabelUse, Names, similar
from formal.frontend.walking import blocks_in
from formal.program import Skip


def resolve_labels(names: Names, calls: Calls) -> None:
    """Put the labels of calls where they belong, then find what the conditions speak of."""
    _settle_calls(names, calls)
    for use in names.label_uses:
        targets = _targets(use, names)
        if targets is not None:
            complete(use.node, targets=frozenset(targets))
        elif not names.is_poisoned(use.name):
            names.diagnostics.append(_unknown(use, names))


def _settle_calls(names: Names, calls: Calls) -> None:
    """A label on a call that takes a step is the call's own; only then is there no `skip` in front of it."""
    superfluous: set[Skip] = set()
    for place, call in names.labelled_calls:
        if call_steps(call, names, calls):
            superfluous.add(place)
            complete(call, info=replace(call.info, label=place.info.label))
            uids = names.labels[place.info.body, place.info.label or ""]
            if place.info.uid in uids:
                uids.remove(place.info.uid)
                uids.add(call.info.uid)
    if superfluous:
        for body in names.bodies():
            for block in blocks_in(body):
                if any(statement in superfluous for statement in block.statements):
                    complete(block, statements=tuple(s for s in block.statements if s not in superfluous))


def _targets(use: LabelUse, names: Names) -> set[int] | None:
    labels = names.labels
    if use.body is not None:
        return labels.get((use.body, use.name))
    owners = [owner for owner, label in labels if label == use.name]
    if len(owners) == 1:
        return labels[owners[0], use.name]
    return labels.get((use.own, use.name)) if use.own is not None else None


def _unknown(use: LabelUse, names: Names) -> Diagnostic:
    owners = sorted(owner for owner, label in names.labels if label == use.name) if use.body is None else []
    if owners:
        notes = tuple(Note("one is here", names.label_spans[owner, use.name]) for owner in owners[:2])
        hint = f"say which: `{owners[0]}.{use.name}`"
        return Diagnostic(Code.UNKNOWN_LABEL, f"`{use.name}` is a label of several bodies", use.span, notes, hint)
    known = [label for body, label in names.labels if use.body in (None, body)]
    shown = f"{use.body}.{use.name}" if use.body else use.name
    return Diagnostic(Code.UNKNOWN_LABEL, f"unknown label `{shown}`", use.span, hint=similar(use.name, known))
