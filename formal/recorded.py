"""A witness that was written down, read back and followed.

In: the JSON document that `prove --format json` wrote, and a machine of the interpreter. Out: the steps as they happen now, and where they
differ from the record, if they do. It must not print or read files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formal.interp import Machine, Outcome, ReplayError, State, replay
from formal.interp.history import changed
from formal.interp.replay import unjudged
from formal.program import Program
from formal.verdict import Move, Trace, View, Witness

WALK = "walk"  # in the place of a property: an execution that is to show no violation; no property has this name


class BadRecord(Exception):
    """The document is not a record of a witness; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a document says of one violated property, or of a walk (`prop` is then WALK)."""

    prop: str
    file: str
    digest: str
    defines: Mapping[str, str]
    extra: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    loop_to: int | None
    contract: str = ""  # as in `Report`
    around: str | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """`witness` is set when the record ends in its violation; else `difference` says what came instead, after `done` steps.
    `outcomes`: the steps that could be followed."""

    witness: Witness | None
    done: int
    difference: str | None
    outcomes: tuple[Outcome, ...] = ()


def records(document: Any) -> tuple[Record, ...]:
    """Every witness of a document (an object, or an array of them). Raises BadRecord."""
    reports = document if isinstance(document, list) else [document]
    found = tuple(record for report in reports for record in _of(report))
    if not found:
        raise BadRecord("it has no witness: no property in it is violated, and no walk is in it")
    return found


def _of(report: Any) -> Sequence[Record]:
    try:
        defines = {str(name): _word(value) for name, value in report["parameters"].items()}
        extra = tuple(str(path) for path in report.get("with", ()))
        contract = report.get("contract", {"side": "", "around": None})
        witnesses = [(str(result["name"]), result["witness"]) for result in report["properties"] if result["witness"] is not None]
        if report.get(WALK) is not None:
            witnesses.append((WALK, report[WALK]))
        return [
            Record(
                name,
                str(report["file"]),
                str(report["digest"]),
                defines,
                extra,
                tuple(_step(step) for step in witness["steps"]),
                _position(witness["loop_to"]),
                str(contract["side"]),
                contract["around"],
            )
            for name, witness in witnesses
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadRecord(f"it is not what `formal prove --format json` writes ({type(error).__name__}: {error})") from error


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _position(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f"loop_to {value!r}")


def _step(step: Any) -> Mapping[str, Any]:
    for key, kind in (("thread", str), ("statement", str), ("changes", dict), ("stack", list)):
        if not isinstance(step[key], kind):
            raise TypeError(f"a step's {key} is not what it should be")
    return dict(step)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One run of the model that has matched the record so far, as a linked list: several can look the same to the reader of a witness."""

    state: State
    outcome: Outcome | None
    before: _Run | None

    def outcomes(self) -> tuple[Outcome, ...]:
        found = []
        run: _Run | None = self
        while run is not None and run.outcome is not None:
            found.append(run.outcome)
            run = run.before
        return tuple(reversed(found))


def follow(program: Program, machine: Machine, record: Record) -> Followed:
    """Run the recorded steps: each by the same thread, with the same statement and the same changes. The interpreter judges the end."""
    runs = [_Run(machine.initial(), None, None)]
    for done, step in enumerate(record.steps):
        last = done == len(record.steps) - 1
        matching = [(run, outcome) for run in runs for outcome in _matching(program, machine, run.state, step)]
        if last:
            for run, outcome in matching:
                if outcome.error == record.prop or (outcome.after is None and record.prop == WALK):
                    return _judge(machine, record, (*run.outcomes(), outcome))
        after: dict[State, _Run] = {}
        for run, outcome in matching:
            if outcome.after is not None and outcome.error is None and not outcome.ended:
                after.setdefault(outcome.after, _Run(outcome.after, outcome, run))
        if not after:
            return Followed(None, done, _instead(program, machine, runs[0].state, step, matching), runs[0].outcomes())
        runs = list(after.values())
    found = [_judge(machine, record, run.outcomes()) for run in runs]
    return next((one for one in found if one.witness is not None), found[0])


def _judge(machine: Machine, record: Record, outcomes: tuple[Outcome, ...]) -> Followed:
    if record.prop == WALK:
        return Followed(unjudged(machine, outcomes), len(outcomes), None, outcomes)
    moves = tuple(Move(one.thread, None if one.after is None else machine.view(one.after)) for one in outcomes)
    try:
        witness = replay(machine, Trace(record.prop, moves, record.loop_to))
    except ReplayError as error:
        return Followed(None, len(moves), str(error), outcomes)
    return Followed(witness, len(moves), None, outcomes)


def _matching(program: Program, machine: Machine, state: State, step: Mapping[str, Any]) -> list[Outcome]:
    """The ways in which the recorded step can happen here."""
    thread = next((thread.id for thread in program.threads if thread.name == step["thread"]), None)
    place = None if thread is None else machine.place(state, thread)
    if thread is None or place is None or place.info.text != step["statement"]:
        return []
    before = machine.view(state)
    outcomes = machine.steps(state, thread)
    return [one for one in outcomes if one.after is None or _changes(before, machine.view(one.after)) == step["changes"]]


def _changes(before: View, after: View) -> dict[str, list[Any]]:
    """What a step changed, as the document spells it."""
    return {key: [_plain(old), _plain(new)] for key, (old, new) in changed(before, after).items()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _instead(program: Program, machine: Machine, state: State, step: Mapping[str, Any], matching: Sequence[tuple[_Run, Outcome]]) -> str:
    """Why no run goes on with the recorded step."""
    wanted = f"the record says {step['thread']}: {step['statement']}"
    if matching:
        error = next((outcome.error for _, outcome in matching if outcome.error is not None), None)
        return f"{wanted}; that ends the run" + (f" with a violation of {error}" if error else "")
    able = sorted({outcome.thread for outcome in machine.successors(state)})
    standing = {thread: machine.place(state, thread) for thread in able}
    told = "; ".join(f"{program.threads[thread].name}: {place.info.text}" for thread, place in standing.items() if place is not None)
    same = any(
        program.threads[t].name == step["thread"] and p is not None and p.info.text == step["statement"] for t, p in standing.items()
    )
    changed = f", changing {_told(step['changes'])}; now it changes something else" if same else f"; what can move is {told or 'nothing'}"
    return wanted + changed


def _told(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} to {pair[1]}" for key, pair in changes.items() if isinstance(pair, list) and len(pair) == 2) or "nothing"
