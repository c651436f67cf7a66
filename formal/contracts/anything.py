"""The most general callback of a contract, as a part of a model: it does whatever the contract permits, in any order.

In: a contract, the thread-locals that it speaks of. Out: text in the language. It has every execution that any sequence of callbacks
has that keep the contract, as far as the others can see. And it can come to stand wherever one of those can stand, with nothing left
to do but that one step, its last: so whoever waits for what only a callback could do is not saved by what another callback would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from formal.contracts.clauses import Contract


@dataclass(frozen=True, slots=True)
class _Act:
    """Something that a callback may do: `when` it may, `what` it comes to (nothing to be done: it is done by being picked), what it
    takes note of `after` that, what it changes of what others see when it picks it, and what it takes note of then. Behind the last one
    nothing that was noted is looked at."""

    when: str
    what: str
    changing: str = ""
    noting: str = ""
    after: str = ""


def most_general(contract: Contract, thread_locals: Sequence[str]) -> str:
    """The declarations: the callback, and the threads that it may have started. `thread_locals`: those that a callback may look at."""
    hook = contract.hook
    watched = [*(f"holds({lock.name})" for lock in contract.locks), *thread_locals]
    acts = [*_locking(contract, thread_locals), *_asking(contract), *_threading(contract)]
    last = len(acts)
    lines = [
        f"bool {hook}_is_running = false;",
        *(f"bool {_wanted(contract, lock.name)} = {guard};" for lock, guard, _ in contract.threads),
        *_threads(contract),
        f"callback any_{hook} for {hook}" + "".join(f" requires {one.text}" for one in contract.requires) + " {",
        "    atomic {",
        f'        assert {hook}_entered_once: !{hook}_is_running && {contract.returned} "one call at a time, nothing taken before";',
        f"        {hook}_is_running = true;",
        "    }",
        f"    0..{2 * last + 1} act = 0;                      // above {last}: the last thing",
        *(f"    bool had_{number} = {what};" for number, what in enumerate(watched, 1)),
        *(f"    bool called_{call.proc} = false;" for call in contract.once),
        "    loop {",
        *_pick(contract, watched, acts),
        f"        if (act > {last}) {{ break; }}",
        *_do(acts, 1, last, 8),
        "    }",
        *_do([replace(one, after="") for one in acts], 0, last, 4, last + 1),
        f"    assume {_returned(contract)};",
        f"    {hook}_is_running = false;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _returned(contract: Contract) -> str:
    return " && ".join([contract.returned, *(f"({one.text})" for one in contract.ensures)])


def _pick(contract: Contract, watched: Sequence[str], acts: Sequence[_Act]) -> Iterator[str]:
    """What comes next, of what the contract permits here, and whether it is the last thing. Before, two things that callbacks rely on: what
    they polled or called has left them their locks, and what one callback ensures is what the next one requires."""
    forgotten = "".join(f" had_{number} = false;" for number, _ in enumerate(watched, 1))
    forgotten += "".join(f" called_{call.proc} = false;" for call in contract.once)
    yield "        atomic {"
    if watched:
        same = " && ".join(f"had_{position} == {what}" for position, what in enumerate(watched, 1))
        yield f'            assert {contract.hook}_keeps: {same} "what a callback polls or calls leaves it the locks that it had";'
    if contract.requires:
        required = " && ".join(f"({one.text})" for one in contract.requires)
        why = "what one callback ensures, the next one requires"
        yield f'            assert {contract.hook}_goes_on: ({_returned(contract)}) implies ({required}) "{why}";'
    yield "            choose {"
    yield f"                act = {len(acts) + 1};{forgotten}"
    for position, act in enumerate(acts, 1):
        yield "            } or {"
        yield f"                await {act.when};"
        yield f"                act = {position};{act.changing}{act.noting}"
        yield "            } or {"
        yield f"                await {act.when};"
        yield f"                act = {len(acts) + 1 + position};{act.changing}{forgotten}"
    yield "            }"
    yield "        }"


def _do(acts: Sequence[_Act], first: int, last: int, indent: int, above: int = 0) -> Iterator[str]:
    """Do what was picked, one of first..last; `act` is higher by `above`; 0 is nothing. Halved again and again, for few tests."""
    blank = " " * indent
    if first == last:
        yield f"{blank}act = 0;"
        if first and acts[first - 1].what:
            yield f"{blank}{acts[first - 1].what}{acts[first - 1].after}"
        return
    middle = (first + last) // 2
    yield f"{blank}if (act <= {middle + above}) {{"
    yield from _do(acts, first, middle, indent + 4, above)
    yield f"{blank}}} else {{"
    yield from _do(acts, middle + 1, last, indent + 4, above)
    yield f"{blank}}}"


# ---------------------------------------------------------------- what a callback may do


def _locking(contract: Contract, thread_locals: Sequence[str]) -> Iterator[_Act]:
    """Take a lock, and give it back. Procedures for that may change thread-locals, too: that is looked at afterwards."""
    first = len(contract.locks) + 1
    changed = "".join(f" had_{position} = {name};" for position, name in enumerate(thread_locals, first))
    for position, lock in enumerate(contract.locks, 1):
        after = changed if lock.procs else ""
        free = f"({lock.guard}) && !holds({lock.name}) && {contract.orderly(lock)}"
        yield _Act(free, lock.take, noting=f" had_{position} = true;", after=after)
        yield _Act(f"({lock.guard}) && holds({lock.name})", lock.give, noting=f" had_{position} = false;", after=after)


def _asking(contract: Contract) -> Iterator[_Act]:
    """Poll, and call: there the protocol runs in this thread."""
    for poll in contract.polls:
        yield _Act(f"({poll.guard}) && ({poll.requires})", f"poll {poll.context};")
    for call in contract.calls:
        flag = f"called_{call.proc}"
        once, noting = (f" && !{flag}", f" {flag} = true;") if call.once else ("", "")
        yield _Act(f"({call.guard}) && ({call.requires}){once}", f"{call.proc}();", noting=noting)


def _threading(contract: Contract) -> Iterator[_Act]:
    """Set threads to work, and wait for them. Whether somebody waits who has the lock that they want is seen where the callback is looked
    at alone."""
    for lock, guard, _ in contract.threads:
        wanted = _wanted(contract, lock.name)
        yield _Act(f"({guard})", "", changing=f" {wanted} = true;")
        yield _Act(f"({guard}) && !holds({lock.name})", f"await !{wanted};")


def _wanted(contract: Contract, lock: str) -> str:
    return f"{contract.hook}_threads_want_{lock}"


def _threads(contract: Contract) -> Iterator[str]:
    """For each lock that they may take one thread, which stands for all of them: only one can have the lock at a time, and who has it
    waits for nothing. It may be at work from the start; when it has come to rest, a callback sets it to work again. That it rests it says
    where it would have come to work again: one place less to stand at."""
    for lock, _, _ in contract.threads:
        wanted = _wanted(contract, lock.name)
        yield f"thread {contract.hook}_threads_{lock.name} {{"
        yield "    bool works = false;"
        yield "    loop {"
        yield f"        idle: atomic {{ await {wanted}; choose {{ {wanted} = false; }} or {{ works = true; }} }}"
        yield f"        if (works) {{ works = false; {lock.take} {lock.give} }}"
        yield "    }"
        yield "}"
