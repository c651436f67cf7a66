"""What the codes of diagnostics and the built-in checks mean, for `formal explain`. In: a word. Out: a text of a few lines."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from formal.codes import Code

_COLUMNS: Final = 80
_CHECKS: dict[str, tuple[str, str]] = {
    "relock": (
        "A thread takes a non-recursive lock that it already has. QEMU's mutexes assert or hang there.",
        "lock BQL;\nlock BQL;                    // relock",
    ),
    "not_owner": (
        "A thread gives back a lock that it doesn't have, or waits on a condition variable without its mutex.",
        "unlock BQL;                  // not_owner, unless this thread took it",
    ),
    "range": (
        "A value leaves the range of its variable, a count its capacity, an index its array, or a divisor is 0.",
        "0..3 x = 3;\n…\nx = x + 1;                   // range",
    ),
    "wrong_context": (
        "`aio_wait_while X` in a thread that isn't in context X: the assertion in AIO_WAIT_WHILE().",
        "unlock BQL;                  // a vCPU: now in no context\naio_wait_while main_context (in_progress);      // wrong_context",
    ),
    "nesting": (
        """A poll would dispatch a bottom half inside more bottom halves than the bound, or a procedure call itself too often.
The bound is `nesting N;`, or what the model needs.""",
        "bh b on X { schedule b; poll X; }               // nests without end",
    ),
    "spawn": ("A thread is spawned that is running.", "spawn worker;\nspawn worker;                // spawn"),
    "atomic": (
        "An atomic block has to wait after it changed something, or tests one `while` more than 64 times in one step.",
        "atomic { x = 1; lock BQL; }  // atomic, where somebody else has BQL",
    ),
    "deadlock.global": (
        "No thread can move, and one of them waits at a place that isn't labelled `idle:`.",
        "lock A; lock B;  in one thread,  lock B; lock A;  in another",
    ),
    "deadlock.partial": (
        """Some threads wait for each other for ever while others go on: whoever could end the wait of one of them is one of them.
For a lock that is its owner; for a semaphore, event or condition every thread that could still post it, bottom halves included.""",
        "lock BQL; wait done;         // and `post done` is in a bottom half that needs BQL",
    ),
    "deadlock.lock_order": (
        """Threads that wait for locks in a circle, each for one that the next has. Circles in the static lock order that no
execution closes are warnings.""",
        "lock A; lock B;  in one thread,  lock B; lock A;  in another",
    ),
    "assert": (
        "An `assert` is false when it executes: `assert.BODY.N`, the N-th of its body, or `assert.NAME`.",
        'assert ready: holds(BQL) "needs the BQL";',
    ),
    "requires": (
        "A procedure or callback is entered while its `requires` is false.",
        "callback f for save_setup requires holds(BQL) { … }",
    ),
    "ensures": ("A procedure or callback returns while its `ensures` is false.", "proc p() returns 0..3 ensures result > 0 { … }"),
    "invariant": (
        "A state is reached in which the invariant is false, or undefined.",
        "invariant one: forall v in vcpu: holds(v, BQL) implies !holds(main_loop, BQL);",
    ),
    "liveness": (
        "An execution that is fair to every thread never reaches what `eventually` asks for, or not after `leads to`'s trigger.",
        "liveness done: pending(job) leads to finished(worker);",
    ),
    "contract": (
        """A callback alone does what no clause of its hook's contract permits: `contract.HOOK.takes_L`, `gives_L`, `polls_X` and
`calls_p` name the clause; `ensures_N` and `returned`, what does not hold when it returns; `nothing_else` is all that no clause names.""",
        "hook save_setup { may drop BQL; }               // and a callback that returns without it",
    ),
}


def topics() -> tuple[str, ...]:
    """Everything that can be explained."""
    return (*(code.code for code in Code), *_CHECKS)


def explain(topic: str) -> str | None:
    """The meaning of a code or check; None for what nobody knows. A property's full name is explained by its kind."""
    for code in Code:
        if topic.upper() == code.code:
            return _text(f"{code.code}: {code.title}", code.value[2], code.value[3])
    name = topic if topic in _CHECKS else topic.split(".")[0]
    if name not in _CHECKS:
        return None
    meaning, example = _CHECKS[name]
    return _text(name, meaning, example)


def _text(head: str, meaning: str, example: str) -> str:
    parts = [head, ""]
    if meaning:
        parts += [fill(meaning, _COLUMNS, break_long_words=False), ""]
    if example:
        parts += ["For example:", "", *(f"    {line}" for line in example.split("\n"))]
    return "\n".join(parts).rstrip()
