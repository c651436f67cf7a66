"""Whether a record stands, found out without searching: its witnesses are followed, its invariant and rankings are put to fresh solvers.

In: a record, the model that it names, and solvers. Out: what stands, what differs, and what nobody could tell. Nothing that the record says
is believed, and nothing is shared with the engines or with what learned the invariant: properties come from the model, steps from the
interpreter, the obligations from the other reading, as text. It must not read files or print.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from formal.certificates.kinds_listing import KindsListing
from formal.certificates.listing import Listing
from formal.certificates.record import Claim, Record, certificate_of
from formal.certificates.solvers import SAT, UNSAT, Answer, Solver, ask
from formal.program import Program
from formal.verdict import Verdict

State: TypeAlias = Literal["stands", "differs", "stale", "undecided", "nothing", "disagreement"]

_BROKEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "initiation": "the first state does not have the invariant",
        "consecution": "some step leads out of the invariant",
        "safety": "the invariant allows a violation of what it is to prove",
        "owed": "the goal is owed in some state where the ranking says that it is not",
        "progress": "some step takes the goal further away",
        "helpful": "the goal is owed in some state where its helper cannot move",
    }
)
_ORDER: Final = (Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.PROVED_UP_TO, Verdict.PROVED)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What going through all reachable states came to. `states`: how many there are; None if that was not done, and why. `problems`: what
    they contradict."""

    states: int | None
    reason: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """`state`: "nothing" if there is nothing in it to recheck; `problems`: why it does not stand; `scripts`: the obligations by
    name, and the solvers' `answers` to them; `followed`: steps of each witness that stands; `unchecked`: properties whose verdict nothing
    in the record shows, and why; `confirmed`: what going through all states came to, if that was asked for; `closed`: of a record of every
    size, how many states were looked at that have all others."""

    state: State
    problems: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    followed: Mapping[str, int] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)
    confirmed: Confirmed | None = None
    closed: int | None = None


def check(record: Record, program: Program, solvers: Sequence[Solver], deadline: float, jobs: int) -> Checked:
    """Check a record. `program`: loaded as the record says; `deadline`: of time.monotonic(); `jobs`: solvers at work at the same time."""
    if program.digest != record.digest:
        return Checked("stale", (f"{record.file} has changed since this was recorded",))
    wrong = (
        *_header(record, program),
        *_claims(record, program),
        *_proof(record, program),
        *_rankings(record, program),
        *_sizes(record),
    )
    if wrong:
        return Checked("differs", wrong)
    if record.family is not None:
        return _closed(record, record.family, program, deadline)
    followed, problems = _witnesses(record, program)
    scripts, state, told = _scripts(record, program)
    answers = ask(solvers, scripts, deadline, jobs)
    if scripts:
        state, told = _judge(answers)
    if problems and state != "disagreement":
        state = "differs"
    if not answers and not followed and state == "stands":
        state, told = "nothing", ("nothing in it can be rechecked",)
    return Checked(state, (*problems, *told), scripts, answers, followed, _unchecked(record))


# ---------------------------------------------------------------- what the record says against itself and the model


def _header(record: Record, program: Program) -> Iterator[str]:
    for what, told, is_so in (
        ("model", record.model, program.name),
        ("title", record.title, program.title),
        ("assumptions", record.assumptions, program.assumptions),
        ("verdict", record.verdict, next((v for v in _ORDER if any(claim.verdict is v for claim in record.claims)), Verdict.PROVED)),
    ):
        if told != is_so:
            yield f"its {what} is not {_spelled(told)}, but {_spelled(is_so)}"


def _claims(record: Record, program: Program) -> Iterator[str]:
    claims = {claim.name: claim for claim in record.claims}
    for prop in program.properties:
        claim = claims.pop(prop.name, None)
        if claim is None:
            yield f"{prop.name} is a property of the model, and not in the record"
        elif (claim.kind, claim.line) != (prop.kind, None if prop.span is None else prop.span.line):
            yield f"{prop.name} is not what the record says it is, or not where"
        elif claim.verdict is Verdict.VIOLATED and claim.witness is not None and claim.depth != claim.witness["length"]:
            yield f"{prop.name} is violated after {claim.depth} steps, says the record, and shows {claim.witness['length']}"
        elif claim.verdict is Verdict.PROVED and claim.depth is not None:
            yield f"{prop.name} is proved, says the record, and to a depth"
    yield from (f"{name} is not a property of the model" for name in claims)


def _proof(record: Record, program: Program) -> Iterator[str]:
    """That the record says of each proved property, and of no other, what its proof is."""
    verdicts = {claim.name: claim.verdict for claim in record.claims}
    kinds = {prop.name: prop.kind for prop in program.properties}
    of_all = () if record.family is None else record.family.proves
    for where, names in (
        ("proves", record.proves),
        ("rankings", tuple(record.rankings)),
        ("uncertified", tuple(record.uncertified)),
        ("family.proves", of_all),
    ):
        for name in names:
            if name not in kinds:
                yield f"`{where}` names {name}, which is not a property of the model"
            elif verdicts.get(name) is not Verdict.PROVED:
                yield f"`{where}` names {name}, which is not proved"
    yield from (f"{name} is liveness: no invariant proves that" for name in (*record.proves, *of_all) if kinds.get(name) == "liveness")
    yield from (f"{name} is not liveness: no ranking proves that" for name in record.rankings if kinds.get(name, "liveness") != "liveness")
    if record.rankings and record.invariant is None:
        yield "it has rankings, and no invariant for them to rest on"
    for claim in record.claims:
        shown = sum(claim.name in names for names in (record.proves, record.rankings, record.uncertified, of_all))
        certificate = certificate_of(claim.name, record.proves, record.rankings, record.family)
        if claim.verdict is Verdict.PROVED and shown != 1:
            yield f"{claim.name} is proved, says the record, and {'nothing' if not shown else 'two things'} in it shows how"
        elif claim.certificate != certificate:
            yield f"{claim.name} has a certificate, or has none, against what `proves` and `rankings` say"


def _sizes(record: Record) -> Iterator[str]:
    """That a record is of every value of a parameter exactly if it has a certificate for that, and of nothing less."""
    family = record.family
    of = {} if family is None else family.parameters
    more = {name: least for name, least in of.items() if name not in record.unbounded and isinstance(family, KindsListing)}
    fewer = [
        name for name, least in more.items() if not record.parameters.get(name, "").isdecimal() or int(record.parameters[name]) < least
    ]
    if fewer or {name: least for name, least in of.items() if name not in more} != record.unbounded:
        yield "the parameters that it says are without a bound are not those of its `family`"
    if family is not None and (record.invariant is not None or any(claim.verdict is not Verdict.PROVED for claim in record.claims)):
        yield "it is of every size, and has more to say than that all is proved"
    if family is not None and record.uncertified:
        yield "it is of every size, and what has no certificate is proved of none"


def _rankings(record: Record, program: Program) -> Iterator[str]:
    """What is wrong with them without asking anybody."""
    from formal.smt.response import faults

    threads = [thread.name for thread in program.threads]
    strong = [threads[number] for number in sorted(program.strong_fair)]
    for name, ranking in record.rankings.items():
        yield from (f"the ranking of {name}: {fault}" for fault in faults(ranking, threads, strong))


def _closed(record: Record, listing: Listing | KindsListing, program: Program, deadline: float) -> Checked:
    """What becomes of a record of every size."""
    from formal.certificates.crowded import Unsuited
    from formal.certificates.each import Late

    try:
        if isinstance(listing, Listing):
            problems = _counted(record, listing, program, deadline)
        else:
            problems = _told(record, listing, program, deadline)
    except Unsuited as reason:
        return Checked("undecided", (f"it cannot be held to every size: {reason}",))
    except Late:
        return Checked("undecided", ("out of time",))
    return Checked("differs" if problems else "stands", tuple(problems), closed=len(listing.states))


def _counted(record: Record, listing: Listing, program: Program, deadline: float) -> list[str]:
    from formal.certificates.closing import wrong
    from formal.certificates.family import Family

    family = Family(program, listing.parameter, listing.least, listing.proves, record.extra)
    if family.least != listing.least or family.enough > listing.many:
        return [f"it counts up to {listing.many}, where {family.enough} are as good as more"]
    family.many = listing.many
    return wrong(family, listing.states, listing.proves, lambda: time.monotonic() > deadline)


def _told(record: Record, listing: KindsListing, program: Program, deadline: float) -> list[str]:
    from formal.certificates.covering import uncovered
    from formal.certificates.kindred import Kindred

    kindred = Kindred(program, listing.parameters, listing.proves, record.extra)
    if kindred.least != listing.parameters:
        return ["it is said to be of sizes that the model does not have"]
    return uncovered(kindred, listing.states, listing.proves, lambda: time.monotonic() > deadline)


def _unchecked(record: Record) -> Mapping[str, str]:
    found = dict(record.uncertified)
    for claim in record.claims:
        if claim.verdict in (Verdict.UNDECIDED, Verdict.PROVED_UP_TO):
            found[claim.name] = f"{_spelled(claim.verdict)}: {claim.reason}"
    return found


def _spelled(value: object) -> str:
    match value:
        case Verdict():
            return value.replace("_", " ")
        case tuple():
            return "; ".join(map(str, value)) or "none"
        case _:
            return f"`{value}`"


# ---------------------------------------------------------------- witnesses


def _witnesses(record: Record, program: Program) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """Steps of those that stand, and how the others differ."""
    from formal.interp import Machine
    from formal.recorded import BadRecord, follow, records

    claims = {claim.name: claim for claim in record.claims if claim.witness is not None}
    if not claims:
        return {}, ()
    try:
        stored = records(record.document)
    except BadRecord as error:
        return {}, (str(error),)
    machine = Machine(program)
    followed: dict[str, int] = {}
    problems = []
    for one in stored:
        found = follow(program, machine, one)
        if found.witness is None:
            problems.append(f"{one.prop}: its witness differs after {found.done} of {len(one.steps)} steps: {found.difference}")
        elif told := _retold(claims[one.prop], found.witness):
            problems.append(f"{one.prop}: its witness is told differently, {told}")
        else:
            followed[one.prop] = found.done
    return followed, tuple(problems)


def _retold(claim: Claim, witness: Any) -> str | None:
    """Where the record tells of a run what the interpreter does not."""
    from formal.formats.json import witness_document

    stored, told = claim.witness or {}, witness_document(witness)
    for number, (one, other) in enumerate(zip(stored["steps"], told["steps"], strict=True), 1):
        if one != other:
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
            return f"at step {number} ({', '.join(keys)})"
    wrong = [key for key in told if key != "steps" and stored.get(key) != told[key]]
    return ", ".join(wrong) or None


# ---------------------------------------------------------------- the invariant


def _scripts(record: Record, program: Program) -> tuple[Mapping[str, str], State, tuple[str, ...]]:
    """The obligations by name, none if there is no invariant, or if they cannot be put into words: then why."""
    from formal.certificates.asking import scripts
    from formal.smt.cfg import EncodingLimitError
    from formal.smt.parts import UnknownName

    if record.invariant is None:
        return {}, "stands", ()
    try:
        return scripts(program, record.invariant, record.proves, record.rankings), "stands", ()
    except UnknownName as error:
        return {}, "differs", (str(error),)
    except EncodingLimitError as error:
        return {}, "undecided", (f"its obligations cannot be written down: {error}",)


def _judge(answers: Sequence[Answer]) -> tuple[State, tuple[str, ...]]:
    """What the answers make of the invariant, and what is wrong with it."""
    judged = [_judge_one(which, [one for one in answers if one.script == which]) for which in dict.fromkeys(one.script for one in answers)]
    order: Sequence[State] = ("disagreement", "differs", "undecided")
    worst: State = next((state for state in order if any(state == one for one, _ in judged)), "stands")
    return worst, tuple(told for _, told in judged if told)


def _judge_one(which: str, answers: Sequence[Answer]) -> tuple[State, str]:
    """The same of one obligation: `unsat` says that it holds. Who does not know leaves it to the others."""
    said = {word: " and ".join(one.solver for one in answers if one.said == word) for word in (SAT, UNSAT)}
    if said[SAT] and said[UNSAT]:
        return "disagreement", f"{which}: the solvers contradict each other: sat says {said[SAT]}, unsat says {said[UNSAT]}"
    if said[SAT]:
        return "differs", f"{which}: {_BROKEN[which.rpartition(': ')[2]]}, says {said[SAT]}"
    if said[UNSAT]:
        return "stands", ""
    return "undecided", f"{which}: nobody knows: " + "; ".join(f"{one.solver}: {one.reason}" for one in answers)
