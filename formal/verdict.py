"""Verdicts with their evidence, and the one view of a state that both readings can show.

A bounded result never becomes a proof: `Verdict` keeps them apart, and nothing here converts one into the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from formal.diagnostics import Source

ViewValue: TypeAlias = bool | int | str | tuple[str, ...]
# A state, flat, by name. Both readings produce exactly these keys, so that a witness can be compared key by key:
#   "BQL.owner": thread name or "none"     "M.count": int (recursive mutexes)      (array elements: "chan[1].owner")
#   "G.writer": thread name or "none"      "G.readers": sorted-by-id tuple of thread names
#   "S.count": int     "E.set": bool     "C.waiters": tuple of thread names (by id)
#   "job.pending": bool, for a oneshot bottom half an int     (family: "done[2].pending")
#   "x": bool, int or enum member name     "x[0]"     ("stop[vcpu[0]]" when indexed by a family)
#   "vcpu[0].iothread_locked": a thread-local
#   "vcpu[0].status": "not spawned", "running" or "finished"
# and, for running threads only:
#   "vcpu[0].at": "UID PHASE", the innermost statement's uid and the phase of that statement (see PHASES)
#   "vcpu[0].stack": names of the frames, outermost first: ("vcpu[0]", "pflash_update", "snapshot_save_job_bh")
#   "vcpu[0]/1.x": local or value parameter x of the frame at position 1 of the stack, from its declaration step (parameter: the call) to
#       the end of its scope (the enclosing block; parameter: the frame)
View: TypeAlias = Mapping[str, ViewValue]

# "run" unless the statement has several places to stand:
#   with: "enter", "leave"    aio_wait_while: "enter", "poll", "test"    wait C with L: "wait", "wake"    x = p(): "call", "assign"
PHASES = ("run", "enter", "leave", "poll", "test", "wait", "wake", "call", "assign")


class Verdict(StrEnum):
    PROVED = "proved"
    PROVED_UP_TO = "proved_up_to"
    VIOLATED = "violated"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A place in a model file, 1-based line."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a trace as an engine found it: who moved, and the state after it (None where the step is the error itself)."""

    thread: int
    after: View | None


@dataclass(frozen=True, slots=True)
class Trace:
    """An engine's unreplayed violation: the moves from the initial state. `loop_to`: the lasso's last state equals the state after
    that many moves (0: the initial state). `omitted`: keys that its views lack, since nothing that was asked depends on them."""

    prop: str
    moves: tuple[Move, ...]
    loop_to: int | None = None
    omitted: frozenset[str] = frozenset()


def context_switches(threads: Iterable[int]) -> int:
    """Context switches: how often the thread that moves is another one than before."""
    return sum(one != other for one, other in pairwise(threads))


@dataclass(frozen=True, slots=True)
class WitnessStep:
    """One replayed step. `stack` is outermost first, as it was when the statement executed. `about`: the object that the statement is
    about, by its full name ("fork[1]", where the model says `lock first`); empty where it is about none. `phase`: see PHASES."""

    step: int
    thread: str
    statement: str
    source: SourceRef
    c_source: str | None
    stack: tuple[str, ...]
    changes: Mapping[str, tuple[ViewValue | None, ViewValue | None]]
    about: str = ""
    phase: str = "run"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a thread stands: the statement, its place in the model, the C source, and the frames, outermost first."""

    statement: str
    source: SourceRef
    c_source: str | None
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A value at the end that the violation rests on: `what` ("holds(BQL)", "vcpu[0].iothread_locked") is `value`. `step`: the one that
    changed it last, from 1; None if it has been so from the start."""

    what: str
    value: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """A thread that will not go on, and what it waits for.

    `kind`: of the wait, one of lock, semaphore, event, condition, context, thread, await, atomic, spawn (it has not been spawned, or has
    finished). `wants`: the object that is waited for, empty where there is no one such object. `by`: who holds that lock, otherwise
    whoever could end the wait (the thread itself, if it would later on). `since`: the step that took the lock.
    `role`: "cycle", they wait for each other in this order, the last for the first; "stuck", there is no such cycle, this is where the
    waiting comes from; "needed", could end a wait of one of those, and never will; "hangs", waits for one of all these; "starved", what a
    lasso leaves behind. `able`, of the starved: the steps of the loop after which it could move. `idle`: its waiting is no harm by itself.
    """

    thread: str
    role: str
    kind: str
    wants: str
    by: tuple[str, ...]
    since: int | None
    spot: Spot | None
    idle: bool = False
    able: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Owed:
    """What a liveness property asks for, and does not get: `goal`, since `trigger` held after step `since` (None: at the start; of a
    property without a trigger, `trigger` is empty)."""

    goal: str
    trigger: str
    since: int | None


@dataclass(frozen=True, slots=True)
class Loop:
    """The steps that can be repeated for ever, and the threads that take them."""

    first: int
    last: int
    movers: tuple[str, ...]


Evidence: TypeAlias = Fact | Hop | Owed | Loop


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One time that a bottom half was scheduled. Steps, from 1: `dispatched` None, it is pending still; `ended` None, it runs still."""

    body: str
    scheduled: int
    dispatched: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class Witness:
    """A violation that the interpreter has replayed. `initial`: the state before the first step; each step's changes give the next, but
    for where threads stand.

    `why`: what the violation rests on, the most telling first. `involved`: the objects that it speaks of, by name. `key_steps`: the numbers
    of the steps that matter for it (docs of `formal.interp.explain_steps` say which); the last step is always one of them.
    `dispatches`: what became of each scheduled bottom half, in order of scheduling."""

    steps: tuple[WitnessStep, ...]
    context_switches: int
    loop_to: int | None
    explanation: str
    initial: View = field(default_factory=dict)
    why: tuple[Evidence, ...] = ()
    involved: tuple[str, ...] = ()
    key_steps: tuple[int, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """`depth`: steps covered for proved_up_to, the witness's length for violated, else None. `reason`: why it is proved or undecided.
    `then`: it comes from the cache, and the run that found it took so many seconds; None if it was found now. `least`: of a proof for every
    size, the parameters that say how many there are, and from which value of each on it is one."""

    name: str
    kind: str
    source: SourceRef | None
    verdict: Verdict
    depth: int | None
    engine: str
    reason: str
    witness: Witness | None = None
    certificate: str | None = None
    then: float | None = None
    least: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Needed:
    """Something that a proof rests on. `kind`: lock, wait, guard, assumption or assertion. `sure`: the property fails without it; else
    that is not known."""

    kind: str
    text: str
    source: SourceRef
    sure: bool


@dataclass(frozen=True, slots=True)
class Vacuity:
    """Whether a proved property could fail. `reached`: whether a statement that it speaks of is executed, None where that is not known or
    it speaks of states; `never`: its antecedents that hold in no state; `core`: what its proof needs, None where it was not found, then
    `reason` says why. `vacuous`: nothing is checked by it."""

    name: str
    vacuous: bool
    reached: bool | None
    never: tuple[str, ...]
    core: tuple[Needed, ...] | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One model's answer. `depth` is what --depth asked for; `defines` and `extra` are the -D and --with it was loaded with, `sources`
    the files read, `invariant` what holds where, an inductive invariant in lines for a reader, and `follows` the properties that
    follow from it alone; both empty where nobody looked. `contract`: what was looked at in place of the model as it stands: a "protocol"
    with any callback, or a "callback" alone; `around` is then what --around named. `vacuity`:
    of proved properties, if that was asked."""

    model: str
    title: str
    file: str
    digest: str
    parameters: Mapping[str, int | bool | str]
    depth: int | None
    seconds: float
    assumptions: tuple[str, ...]
    properties: tuple[PropertyResult, ...]
    warnings: tuple[str, ...] = ()
    statistics: Mapping[str, int | float | str] = field(default_factory=dict)
    defines: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    invariant: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    contract: str = ""
    around: str | None = None
    vacuity: tuple[Vacuity, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the properties: violated, then undecided, then proved_up_to, then proved."""
        found = {result.verdict for result in self.properties}
        for verdict in (Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.PROVED_UP_TO):
            if verdict in found:
                return verdict
        return Verdict.PROVED
