"""Obligations written down move by move: the moves are the relation, and what is asked of them comes to the same as asked of it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import z3
from certificates import answers, asked
from hypothesis import HealthCheck, given, settings
from strategies import model_texts

from formal.certificates.asking import by_move, scripts
from formal.certificates.learning import NotLearned, learn
from formal.certificates.whereabouts import Unplaced
from formal.engines.exploration import Exploration
from formal.frontend import load_text
from formal.interp import Machine
from formal.invariant import Invariant, read_clause
from formal.invariant.ranking import Ranking
from formal.program import Program
from formal.smt.finite import TooManyCases
from formal.smt.moves import Fault, Move, moves, properly
from formal.smt.obligations import CONSECUTION, Obligations
from formal.smt.terms import as_term, equal, number
from formal.smt.unroll import cell_term

MOST = 500  # states, to learn from in a test
NESTED = """protocol nested "a bottom half in a bottom half in an aio_wait_while";
context X home t; bool done; 0..2 n; nesting 3;
bh inner on X { n = (n + 1) % 3; }
bh outer on X { 0..2 x = n; aio_wait_while X (x == n && !done); done = true; }
thread t { schedule outer; poll X; aio_wait_while X (!done); }
thread u { schedule inner; }
thread v[2] { spawn w; join w; }
thread w { skip; }
invariant small: n < 3;
deadlock free;
"""


def program_of(text: str) -> Program | None:
    return load_text(text).program


def proper_states(obligations: Obligations) -> Iterator[Any]:
    yield from obligations.ranges()
    layout = obligations.relation.layout
    for thread in range(len(layout.threads)):
        for clause in properly(layout, thread):
            yield z3.Or(*[as_term(equal(cell.value, number(value))) for cell, values in clause for value in values])


def compare(program: Program) -> None:
    """No step of the relation is without a move, no move without its step, and so with faults."""
    obligations = Obligations(program, ())
    relation = obligations.relation
    taken: list[tuple[Any, Any]] = []
    faults: dict[str, list[Any]] = {}
    for one in moves(relation.cfg, relation.layout):
        cells = relation.layout.threads[one.spot.thread]
        here = [relation.who, cells.pc.value, cells.level.value]
        stands = [as_term(equal(a, number(b))) for a, b in zip(here, (one.spot.thread, one.spot.node.id, one.spot.level), strict=True)]
        match one:
            case Move(guard=guard, after=after):
                then = [relation.next[cell] for cell in relation.layout.cells]
                said = [after.get(cell, cell.value) for cell in relation.layout.cells]
                same = [cell_term(c, a) == cell_term(c, b) for c, a, b in zip(relation.layout.cells, then, said, strict=True)]
                taken.append((z3.And(*stands, *map(as_term, guard)), z3.And(as_term(relation.going), *same)))
            case Fault(guard=guard, prop=prop):
                faults.setdefault(prop, []).append(z3.And(*stands, as_term(guard)))
    solver = z3.SolverFor("QF_BV")
    solver.add(*proper_states(obligations))
    going = as_term(relation.going)
    wrong = [z3.And(going, *[z3.Not(guard) for guard, _ in taken]), *(z3.And(guard, z3.Not(same)) for guard, same in taken)]
    wrong += [as_term(relation.failing.get(prop, False)) != z3.Or(*some) for prop, some in faults.items()]
    wrong += [as_term(failing) for prop, failing in relation.failing.items() if prop not in faults]
    solver.add(z3.Or(*wrong))
    assert solver.check() == z3.unsat


def test_moves_through_nested_bottom_halves_are_the_relation() -> None:
    program = program_of(NESTED)
    assert program is not None
    compare(program)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(model_texts())
def test_generated_moves_are_the_relation(text: str) -> None:
    program = program_of(text)
    if program is not None:
        compare(program)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(model_texts())
def test_weaker_invariants_fail_alike(text: str) -> None:
    """`answers` asks both ways, and compares."""
    program = program_of(text)
    if program is None:
        return
    exploration = Exploration(Machine(program))
    while not exploration.exhausted:
        exploration.expand(lambda *_: None, lambda *_: None)
        if len(exploration.states) > MOST:
            return
    names = [prop.name for prop in program.properties if prop.kind != "liveness"]
    for some in (names, names[:1]):
        try:
            invariant = learn(program, [prop for prop in program.properties if prop.name in some], exploration, 2048)
        except (NotLearned, Unplaced):
            invariant = ()
        answers(program, invariant, some)
        for left in range(0, len(invariant), 5):
            answers(program, invariant[:left] + invariant[left + 1 :], names)


SUM = """protocol sum "many numbers at once";
0..40 a; 0..40 b; 0..40 c;
thread t { a = 1; b = 2; if ((a * b + c) * (b + c * a) < 9999) { c = 3; } }
invariant fine: a < 2;
"""


def test_what_reckons_with_too_much_is_asked_at_once() -> None:
    program = program_of(SUM)
    assert program is not None
    given_: tuple[Program, Invariant, list[str], dict[str, Ranking]] = program, (read_clause("a in {0, 1}"),), ["invariant.fine"], {}
    with pytest.raises(TooManyCases):
        by_move(*given_)
    assert all(text.startswith("(set-logic QF_BV)") for text in scripts(*given_).values())
    assert set(asked(scripts(*given_)).values()) == {"unsat"}


def test_a_part_twice_in_a_clause_is_one_literal() -> None:
    program = program_of(SUM.replace("if ((a * b + c) * (b + c * a) < 9999) { c = 3; }", ""))
    assert program is not None
    assert set(answers(program, (read_clause("a in {0} || a in {1}"),), ["invariant.fine"]).values()) == {"unsat"}
    assert answers(program, (read_clause("a in {0} || a in {0}"),), ["invariant.fine"])[CONSECUTION] == "sat"


def test_terms_may_be_nested_deeply() -> None:
    program = program_of(
        'protocol deep "a loop in one step"; 0..2 n; bool b[2]; invariant fine: n < 3;'
        " thread t { atomic { 0..60 i = 0; while (i < 50) { if (b[n % 2]) { n = (n + i) % 3; } i = i + 1; } } }"
    )
    assert program is not None
    assert set(answers(program, (), ["invariant.fine"]).values()) == {"unsat"}
