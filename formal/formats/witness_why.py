"""The evidence behind a violation, spelled out: values and who set them, who waits for whom, what a lasso owes.

In: a witness. Out: lines with their indentation, for a width; steps are named by their numbers, with statement, C function and line of the
model. Must not judge.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from formal.formats.witness_words import ascii_only, full_place, line
from formal.naming import grouped, listed
from formal.verdict import Dispatch, Fact, Hop, Loop, Owed, Spot, Witness, WitnessStep

_COULD = {"semaphore": "post", "event": "set", "condition": "wake", "context": "schedule something there", "spawn": "spawn"}


def lines(witness: Witness, width: int) -> list[str]:
    """The block, without its heading; nothing if the witness says nothing."""
    why = _Why(witness, width)
    return [*why.lasso(), *why.facts(), *why.cycle(), *why.others(), *why.stack()]


class _Why:
    """One witness."""

    def __init__(self, witness: Witness, width: int) -> None:
        self._witness = witness
        self._width = width
        self._hops = [one for one in witness.why if isinstance(one, Hop)]

    def _line(self, text: str, indent: int) -> Iterator[str]:
        """One line, wrapped where it is too long."""
        lead = " " * indent
        yield from textwrap.wrap(
            ascii_only(text),
            self._width,
            initial_indent=lead,
            subsequent_indent=f"{lead}    ",
            break_on_hyphens=False,
            break_long_words=True,
        )

    def _step(self, number: int) -> WitnessStep:
        return self._witness.steps[number - 1]

    def _set(self, number: int, indent: int, head: str, known: Sequence[str] = ()) -> Iterator[str]:
        """Who did it, unless that is known, and where."""
        step = self._step(number)
        who = "" if [step.thread] == list(known) else f", by {step.thread}"
        yield from self._line(f"{head} step {number}{who}: `{step.statement}`", indent)
        yield from self._line(f"in {full_place(step)}", indent + 2)

    # ------------------------------------------------------------ values

    def facts(self) -> Iterator[str]:
        """Values, those that one step made in one piece."""
        owed = {one.goal for one in self._witness.why if isinstance(one, Owed)}
        found = [one for one in self._witness.why if isinstance(one, Fact) and one.what not in owed]
        for number, some in groupby(found, key=lambda one: one.step):
            facts = list(some)
            for value, same in groupby(facts, key=lambda one: one.value):
                yield from self._line(f"{_are([one.what for one in same], value)}{'' if number else ', from the start'}", 2)
            if number:
                yield from self._set(number, 4, "since")

    # ------------------------------------------------------------ deadlocks

    def cycle(self) -> Iterator[str]:
        """Hop by hop; where all wait for locks, the locks in their circle first."""
        core = [one for one in self._hops if one.role in ("cycle", "stuck")]
        cycle = [one for one in core if one.role == "cycle"]
        if cycle and all(one.kind == "lock" for one in cycle):
            locks = [one.wants for one in cycle]
            yield from self._line(f"the locks form a circle: {' -> '.join([locks[-1], *locks])}", 2)
        for number, one in enumerate(core):
            before = core[number - 1] if cycle else None
            holding = f" while it holds {before.wants}" if before is not None and before.kind == "lock" and one.thread in before.by else ""
            yield from self._line(f"{one.thread} -> {_wait(one)}{holding}", 2)
            if number and self._places(one) == self._places(core[number - 1]):
                yield from self._line(f"-> held by {listed(grouped(one.by))}, taken at step {one.since}: the same places", 4)
                continue
            if one.spot is not None:
                yield from self._at(one.thread, one.spot, 4)
            yield from self._ended_by(one)

    def _places(self, one: Hop) -> tuple[object, ...]:
        """Where it waits, and where its lock was taken; unlike any other's where it is not all about places."""
        taken = None if one.since is None else self._step(one.since)
        if one.kind != "lock" or one.spot is None or taken is None or self._running(one.thread, one.spot) is not None:
            return (one.thread,)
        return tuple((spot.statement, spot.source, spot.c_source, spot.stack[1:]) for spot in (one.spot, taken))

    def _at(self, thread: str, spot: Spot, indent: int) -> Iterator[str]:
        yield from self._line(f"at `{spot.statement}`", indent)
        yield from self._line(f"in {full_place(spot)}", indent + 2)
        yield from self._inside(thread, spot, indent)

    def _inside(self, thread: str, spot: Spot | WitnessStep, indent: int) -> Iterator[str]:
        """The innermost bottom half that it runs, who scheduled it, and when."""
        one = self._running(thread, spot)
        if one is not None:
            who = self._step(one.scheduled).thread
            yield from self._line(
                f"inside of {one.body}: scheduled at step {one.scheduled} by {who}, dispatched at step {one.dispatched}", indent
            )

    def _running(self, thread: str, spot: Spot | WitnessStep) -> Dispatch | None:
        running = [one for one in self._witness.dispatches if one.dispatched is not None and one.ended is None and one.body in spot.stack]
        mine = [one for one in running if self._step(one.dispatched or 0).thread == thread]
        return max(mine, key=lambda one: one.dispatched or 0, default=None)

    def _ended_by(self, one: Hop) -> Iterator[str]:
        if one.kind == "lock":
            if one.since is None:
                yield from self._line(f"-> held by {listed(grouped(one.by)) or 'nobody'}", 4)
            else:
                yield from self._set(one.since, 4, f"-> held by {listed(grouped(one.by))}, taken at", one.by)
        elif one.kind in _COULD:
            yield from self._line(f"-> {_could(one)}", 4)
        elif one.kind == "thread":
            yield from self._line(f"-> {one.wants} has to finish", 4)
        else:
            yield from self._line(f"-> {_who(one)} could make that true", 4)

    def others(self) -> Iterator[str]:
        """Who could end the waiting and does not, and who hangs on it; identical threads of a family in one piece."""
        yield from self._groups("needed", lambda one: one)
        yield from self._groups("hangs", lambda one: f"behind them: {one}")

    def _groups(self, role: str, head: Callable[[str], str]) -> Iterator[str]:
        groups: dict[tuple[object, ...], list[Hop]] = {}
        for one in self._hops:
            if one.role == role:
                groups.setdefault(_alike(one), []).append(one)
        for some in groups.values():
            yield from self._group(some, head)

    def _group(self, some: Sequence[Hop], head: Callable[[str], str]) -> Iterator[str]:
        one = some[0]
        names = listed(grouped(hop.thread for hop in some))
        wants = listed(grouped(hop.wants for hop in some if hop.wants))
        told = f"{names} -> {_wait(one, wants, several=len(some) > 1)}"
        behind = (
            f", held by {listed(grouped(one.by))}"
            if one.kind == "lock"
            else f"; {_could(one, several=len(some) > 1)}"
            if one.kind in _COULD
            else ""
        )
        yield from self._line(head(told + behind), 2)
        if one.spot is not None:
            yield from self._line(f"at `{one.spot.statement}` in {full_place(one.spot)}", 4)

    # ------------------------------------------------------------ lassos

    def lasso(self) -> Iterator[str]:
        """What is owed, what repeats, and who is left behind."""
        for one in self._witness.why:
            match one:
                case Owed():
                    yield from self._owed(one)
                case Loop():
                    yield from self._line(
                        f"steps {one.first} to {one.last} repeat for ever: {listed(grouped(one.movers))} and nobody else", 2
                    )
                case _:
                    pass
        loop = next((one for one in self._witness.why if isinstance(one, Loop)), None)
        for hop in self._hops:
            if hop.role == "starved" and loop is not None:
                yield from self._starved(hop, loop)

    def _owed(self, one: Owed) -> Iterator[str]:
        yield from self._line(f"owed: `{one.goal}`", 2)
        if one.trigger:
            yield from self._line(f"since `{one.trigger}`", 4)
            if one.since is None:
                yield from self._line("held in the initial state", 6)
            else:
                yield from self._set(one.since, 6, "held after")

    def _starved(self, one: Hop, loop: Loop) -> Iterator[str]:
        yield from self._line(f"{one.thread} -> {_wait(one)}", 2)
        if one.spot is not None:
            yield from self._at(one.thread, one.spot, 4)
        states = loop.last - loop.first + 1
        if one.able:
            then = f"{listed(grouped(one.by), 'or')} holds {one.wants}" if one.kind == "lock" else "it has to wait"
            yield from self._line(f"-> could go on after {_steps(one.able)}, {len(one.able)} of {states} states; in the others {then}", 4)
            yield from self._line("weak fairness is only for threads that can go on all the time", 7)
        elif one.kind == "lock" and one.since is None:
            yield from self._line(f"-> held by {listed(grouped(one.by), 'or')} in all {states} states of the loop", 4)
        else:
            yield from self._ended_by(one)
            yield from self._line(f"and can go on in none of the {states} states of the loop: fairness gives it nothing", 7)

    # ------------------------------------------------------------ where it happened

    def stack(self) -> Iterator[str]:
        """The frames of the thread that went wrong; a deadlock has its places already."""
        if self._hops or not self._witness.steps:
            return
        last = self._witness.steps[-1]
        if len(last.stack) > 1:
            yield from self._inside(last.thread, last, 2)
            yield from self._line(f"stack: {' > '.join(last.stack)}", 2)


def _are(names: Sequence[str], value: str) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} {value}"


def _alike(one: Hop) -> tuple[object, ...]:
    """Equal for threads of a family that are in the same position; an element that is each one's own counts as the same."""
    base, _, index = one.thread.partition("[")
    wants = one.wants.removesuffix(f"[{index}") if index else one.wants
    place = None if one.spot is None else (one.spot.statement, line(one.spot.source), one.spot.stack[1:])
    others = (
        tuple(name for name in one.by if name != one.thread)
        if one.kind == "lock"
        else tuple(name for name in one.by if name.partition("[")[0] != base)
    )
    return base, one.kind, wants, others, place


def _wait(one: Hop, wants: str = "", *, several: bool = False) -> str:
    """What it does: "waits for BQL"."""
    if one.spot is None:
        return "do not run" if several else "does not run"
    verb = "wait" if several else "waits"
    wants = wants or one.wants
    idle = " (idle)" if one.idle else ""
    match one.kind:
        case "context":
            return f"{'poll' if several else 'polls'} {wants}{idle}"
        case "thread":
            return f"{verb} for {wants} to finish{idle}"
        case _:
            return f"{verb} for {wants}{idle}" if wants else f"{verb}{idle}"


def _could(one: Hop, *, several: bool = False) -> str:
    """Who could end the wait, and how."""
    told = f"{_who(one)} could {_COULD[one.kind]}"
    return told if one.kind == "context" else f"{told} {'them' if several else 'it'}"


def _who(one: Hop) -> str:
    others = grouped(name for name in one.by if name != one.thread)
    if one.thread in one.by:
        others.append(f"{one.thread} itself, later on,")
    return f"only {listed(others, 'or')}" if others else "nobody"


def _steps(numbers: Sequence[int]) -> str:
    """1, 2 and 5 to 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [word for run in runs for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    return f"step{'s' if len(numbers) > 1 else ''} {listed(told)}"
