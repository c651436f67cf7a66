"""What parts can be where threads stand: right at once on generated models, what a reader expects, and given up where it takes too long."""

from __future__ import annotations

import random

import pytest
import z3
from differential import findings, parsed
from hypothesis import HealthCheck, given, settings
from strategies import model_texts
from tangles import Tangle

from formal.frontend import load, load_text
from formal.program import Program
from formal.smt import standpoints
from formal.smt.finite import TooManyCases
from formal.smt.obligations import Obligations
from formal.smt.outline import outline
from formal.smt.outline_proof import OutlineProof
from formal.smt.questions import Questions
from formal.smt.scripts import ask_z3
from formal.smt.standpoints import Standpoints, TooMuchWork
from formal.verdict import Verdict

STOPPED = """protocol p;
mutex m; cond c; event asked;
enum state { RUN, SAVE }
state now = RUN;
bool stopped;
thread guest {
    await is_set(asked);
    lock m;
    stopped = true;
    signal c;
    wait c with m;
    stopped = false;
    unlock m;
}
thread saver {
    lock m;
    set asked;
    wait c with m;
    now = SAVE;
    skip;
    now = RUN;
    unlock m;
}
invariant saved_by_one: now == SAVE implies holds(saver, m);
invariant stopped_sleeps: stopped implies at(guest, guest.asleep) || holds(guest, m);
"""


def table(program: Program) -> tuple[Standpoints, set[str]]:
    """The table, and what a solver says of it."""
    questions = Questions(program, ())
    found = Standpoints(questions.changes)
    return found, {ask_z3(text)[0] for text in questions.inductive(found.invariant()).values()}


def text() -> str:
    return STOPPED.replace("wait c with m;\n    stopped", "asleep: wait c with m;\n    stopped")


def test_what_a_lock_keeps_others_from() -> None:
    program = parsed(text())
    found, said = table(program)
    assert said == {"unsat"}
    (now,) = (found.may(1, part) for part in found.parts if part.name == "now")
    assert {some: places for some, places in now.items() if some != {"RUN"}} == {frozenset({"SAVE"}): {"saver:20", "saver:21"}}


def test_more_follows_than_from_locks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    program = parsed(text())
    assert {"invariant.saved_by_one", "invariant.stopped_sleeps"} <= set(proved(program))
    assert any(line.startswith("saver: now = SAVE at saver:20,21") for line in OutlineProof(program, (), 2048).lines())
    monkeypatch.setattr(standpoints, "MOST_WORK", 1)
    assert "invariant.saved_by_one" not in proved(program)


def proved(program: Program) -> list[str]:
    return OutlineProof(program, program.properties, 2048).proved()


def test_too_much_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standpoints, "MOST_WORK", 1)
    with pytest.raises(TooMuchWork):
        table(parsed(text()))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(model_texts())
def test_generated_tables_are_inductive(text: str) -> None:
    program = load_text(text).program
    if program is None:
        return
    try:
        _, said = table(program)
    except (TooManyCases, TooMuchWork):
        return
    assert said == {"unsat"}


def said_of_locks(program: Program) -> tuple[int, int]:
    """How many of the notes about locks and thread-locals a table says, and that it leaves others. What it says follows from it."""
    obligations = Obligations(program, ())
    questions = Questions(program, ())
    table = Standpoints(questions.changes)
    threads = [thread.name for thread in program.threads]
    clauses = [(threads.index(note.thread), clause) for note in outline(obligations.parts) for clause in note.clauses]
    said = [clause for thread, clause in clauses if table.says(thread, clause)]
    solver = z3.Solver()
    solver.add(*obligations.having((*questions.changes.proper_clauses(), *table.invariant())))
    solver.add(z3.Not(z3.And(*map(obligations.clause, said))))
    assert solver.check() == z3.unsat
    return len(said), len(clauses) - len(said)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_table_says_of_locks_follows_from_it(seed: int) -> None:
    said_of_locks(parsed(Tangle(random.Random(seed).randrange).text()))


def test_what_the_table_does_not_say_is_proved_by_itself() -> None:
    """Who takes a fork may be any of the two that can, so far as one thread at a time can tell."""
    program = parsed("protocol p; mutex m[2]; 0..1 k; thread t { lock m[k]; skip; } thread u { k = 1; lock m[0]; skip; unlock m[0]; }")
    said, left = said_of_locks(program)
    assert said > 0
    assert left > 0
    assert "u: m[0] held exactly at u:1*" in OutlineProof(program, (), 2048).lines()


def test_an_element_that_may_not_be_the_one_written_keeps_its_values() -> None:
    program = parsed("protocol p; 0..2 k; 0..9 n[3]; thread t { choose { k = 1; } or { k = 2; } n[k] = 7; }")
    found, said = table(program)
    assert said == {"unsat"}
    values = {part.name: frozenset().union(*found.may(0, part)) for part in found.parts}
    assert [values[f"n[{index}]"] for index in range(3)] == [{"0", "7"}] * 3  # as far as it is told, the index may be 0


# ---------------------------------------------------------------- locks waited for in a circle


def orders(seed: int) -> str:
    """Threads that take locks of an array one after the other, each in an order of its own."""
    draw = random.Random(seed)
    threads, locks = draw.randint(2, 4), draw.randint(2, 4)
    bodies = []
    for thread in range(threads):
        taken = draw.sample(range(locks), draw.randint(1, locks))
        if draw.random() < 0.6:
            taken.sort()
        body = "".join(f"lock m[{_index(draw, lock)}]; " for lock in taken) + "skip; "
        given = draw.sample(taken, len(taken)) if draw.random() < 0.5 else taken[::-1]
        body += "".join(f"unlock m[{_index(draw, lock)}]; " for lock in given)
        bodies.append(f"thread t{thread} {{ {'loop { choose { } or { return; } ' + body + '}' if draw.random() < 0.5 else body} }}")
    return f"protocol p; const ONE = 1; mutex m[{locks}]; {' '.join(bodies)} deadlock free;"


def _index(draw: random.Random, number: int) -> str:
    return draw.choice([str(number), f"{number} * ONE", f"{number + 4} % 4"])


def test_no_circle_of_locks_follows_where_there_is_none() -> None:
    """What follows holds, and where no order is the other way round, it follows."""
    kinds = {"deadlock.global", "deadlock.partial", "deadlock.lock_order"}
    violated = 0
    for seed in range(24):
        program = parsed(orders(seed))
        held = set(proved(program)) & kinds
        told = findings("explicit", program, tuple(kinds), None).values()
        wrong = {finding.prop for finding in told if finding.verdict is Verdict.VIOLATED}
        assert held == (kinds - wrong if wrong else kinds), orders(seed)
        violated += bool(wrong)
    assert 4 < violated < 20


@pytest.mark.parametrize(("last", "follow"), [("ordered", True), ("naive", False)])
def test_philosophers_who_take_their_forks_in_order_do_not_wait_for_each_other(last: str, follow: bool) -> None:
    program = load(f"models/classic/philosophers_{last}.dsl", {"PHILOSOPHERS": "12"}, []).program
    assert program is not None
    held = proved(program)
    assert [name in held for name in ("deadlock.global", "deadlock.partial", "deadlock.lock_order")] == [follow] * 3
