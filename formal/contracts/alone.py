"""A callback alone: who calls it, and what the rest may do meanwhile, as a part of a model.

In: a contract, what the callback looks at. Out: text in the language. A thread calls the hook again and again, in every state that the
contract allows, and at last once more; what a callback may call or poll is a place where the lock may be dropped; the variables that
it looks at change whenever they like. Nobody else is needed: the rest can stop a callback only where the contract lets it wait, and
there it is the protocol's matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formal.contracts.clauses import Contract


@dataclass(frozen=True, slots=True)
class Seen:
    """A variable that a callback looks at. `values`: all that it can have; `bounds`: of a range with too many of them; `each`: over what
    an array's index runs."""

    name: str
    values: tuple[str, ...] = ()
    bounds: tuple[str, str] | None = None
    each: str | None = None


def calls_of(contract: Contract) -> str:
    """The name of the procedure that all callers run."""
    return f"{contract.hook}_calls"


def template(contract: Contract, what: str) -> str:
    """The name of a procedure with one assertion, for `formal.contracts.keeping` to put where it belongs."""
    return f"{contract.hook}_clause_{what}"


def surroundings(contract: Contract, seen: Sequence[Seen], thread_locals: Sequence[str]) -> str:
    """The declarations around a callback. `thread_locals`: those that the contract speaks of."""
    hook = contract.hook
    lines = [
        f"bool {hook}_is_running = false;",
        *(f"bool {hook}_called_{call.proc} = false;" for call in contract.once),
        f"thread {hook}_caller {{ {calls_of(contract)}(); }}",
        *_rest(contract, seen),
        *_calls(contract, thread_locals),
        f"proc {hook}_polls() {_stub(contract)}",
        *_templates(contract),
        "deadlock free;",
    ]
    return "\n".join(lines) + "\n"


def stub(contract: Contract, proc: str) -> str:
    """The body of what a callback may call: somebody else's matter, but that the locks may be free for a moment."""
    called = next((call for call in contract.once if call.proc == proc), None)
    return _stub(contract, f"{contract.hook}_called_{proc} = true; " if called is not None else "")


def _stub(contract: Contract, first: str = "") -> str:
    for lock in contract.locks:
        if lock.dropped:
            first += f"choose {{ }} or {{ if (holds({lock.name})) {{ {lock.give} {lock.take} }} }} "
    return f"{{ skip; {first}}}"


def _calls(contract: Contract, thread_locals: Sequence[str]) -> Iterator[str]:
    """One call at a time, by whichever thread. Behind the last one nobody has anything left to do: what is to end a wait then, the callback
    and its threads have to do themselves."""
    hook, dropped = contract.hook, [lock for lock in contract.locks if lock.dropped]
    yield f"proc {calls_of(contract)}() {{"
    yield "    loop {"
    yield f"        idle: atomic {{ await !{hook}_is_running; {hook}_is_running = true; }}"
    yield f"        choose {{ {hook}_call(); {hook}_is_running = false; }} or {{ break; }}"
    yield "    }"
    yield f"    {hook}_call();"
    yield "}"
    yield f"proc {hook}_call() {{"
    yield from (f"    choose {{ }} or {{ {lock.take} }}" for lock in dropped)
    yield from (f"    choose {{ }} or {{ {name} = !{name}; }}" for name in thread_locals)
    yield from (f"    assume {one.text};" for one in contract.requires)
    yield f"    invoke {hook};"
    yield from (f"    if (holds({lock.name})) {{ {lock.give} }}" for lock in dropped)
    reset = [f"{hook}_called_{call.proc}" for call in contract.once] + list(thread_locals)
    if reset:
        yield f"    atomic {{ {' '.join(f'{name} = false;' for name in reset)} }}"
    yield "}"


def _rest(contract: Contract, seen: Sequence[Seen]) -> Iterator[str]:
    if not seen:
        return
    yield f"thread {contract.hook}_rest {{"
    yield "    loop {"
    yield "        choose { skip; }"
    for one in seen:
        place = one.name if one.each is None else f"{one.name}[element]"
        changes = [f"{place} = {value};" for value in one.values]
        if one.bounds is not None:
            low, high = one.bounds
            changes = [f"{place} = {low};", f"if ({place} < {high}) {{ {place} = {place} + 1; }}"]
        any_of = "choose { skip; } " + " ".join(f"or {{ {change} }}" for change in changes)
        yield f"        or {{ {any_of} }}" if one.each is None else f"        or {{ for element in {one.each} {{ {any_of} }} }}"
    yield "    }"
    yield "}"


# ---------------------------------------------------------------- what a clause asks


def _templates(contract: Contract) -> Iterator[str]:
    """One assertion each; where it belongs is not known yet."""
    for lock in contract.locks:
        yield _template(contract, f"takes_{lock.name}", f"({lock.guard}) && {contract.orderly(lock)}", "locks are taken in this order")
        yield _template(contract, f"gives_{lock.name}", f"({lock.guard})", "there is no such clause here")
    for poll in contract.polls:
        yield _template(contract, f"polls_{poll.context}", f"({poll.guard}) && ({poll.requires})", "a poll where the clause permits it")
    for call in contract.calls:
        once = f" && !{contract.hook}_called_{call.proc}" if call.once else ""
        yield _template(contract, f"calls_{call.proc}", f"({call.guard}) && ({call.requires}){once}", "a call where the clause permits it")
    threads = [lock for lock, _, _ in contract.threads]
    for lock, guard, _ in contract.threads:
        others = "".join(f" && !holds({other.name})" for other in threads if other.name != lock.name)
        yield _template(contract, f"threads_{lock.name}", f"({guard}){others}", "a thread holds one such lock at a time")
    free = " && ".join(f"!holds({lock.name})" for lock in threads) or "true"
    yield _template(contract, "threads_wait", free, "a thread that holds such a lock waits for nothing, and does not end")
    yield _template(contract, "inner", "true", "a lock that its threads take while they hold such a lock: who holds it waits for nothing")
    yield _template(contract, "returned", contract.returned, "a callback gives back what it took")
    for position, one in enumerate(contract.ensures, 1):
        yield _template(contract, f"ensures_{position}", one.text, "what the hook ensures")
    yield _template(contract, "nothing_else", "false", "no clause permits this")


def _template(contract: Contract, what: str, condition: str, why: str) -> str:
    name = template(contract, what)
    return f'proc {name}() {{ assert {name}: {condition} "{why}"; }}'
