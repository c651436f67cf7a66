"""The encoding: its arithmetic is the language's, its analyses see what the control flow says, its limits are told."""

from __future__ import annotations

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from formal.frontend import load_text
from formal.pipeline import Request, prove, select
from formal.program import Program
from formal.smt.bodies import bodies_by_thread
from formal.smt.cfg import EncodingLimitError
from formal.smt.holding import facts_of
from formal.smt.layout import lay_out
from formal.smt.lock_order import lock_order_cycles
from formal.smt.lower import lower
from formal.smt.relation import relate
from formal.smt.terms import (
    Num,
    add,
    divide,
    equal,
    less,
    multiply,
    number,
    recast,
    remainder,
    subtract,
    total,
    widen,
    width,
)


def program(text: str) -> Program:
    loaded = load_text("protocol p;\n" + text)
    assert loaded.program is not None
    return loaded.program


def truncated(dividend: int, divisor: int) -> int:
    size = abs(dividend) // abs(divisor)
    return size if (dividend < 0) == (divisor < 0) else -size


def symbol(name: str, lo: int, hi: int) -> Num:
    return number(lo) if lo == hi else Num(lo, hi, z3.BitVec(name, width(lo, hi)))


def valued(num: Num, values: dict[str, tuple[Num, int]]) -> int:
    if num.term is None:
        return num.lo
    pairs = [(n.term, z3.BitVecVal(v, n.term.size())) for n, v in values.values() if n.term is not None]
    result = z3.simplify(z3.substitute(num.term, *pairs))
    return int(result.as_signed_long() if num.lo < 0 else result.as_long())


@st.composite
def operands(draw: st.DrawFn) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    def one() -> tuple[int, int, int]:
        lo, hi = sorted((draw(st.integers(-40, 40)), draw(st.integers(-40, 40))))
        return lo, hi, draw(st.integers(lo, hi))

    return one(), one()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(operands())
def test_arithmetic_is_mathematical_and_division_truncates(pair: tuple[tuple[int, int, int], tuple[int, int, int]]) -> None:
    (alo, ahi, a), (blo, bhi, b) = pair
    left, right = symbol("a", alo, ahi), symbol("b", blo, bhi)
    values = {"a": (left, a), "b": (right, b)}
    expected = {add: a + b, subtract: a - b, multiply: a * b}
    if b:
        expected |= {divide: truncated(a, b), remainder: a - b * truncated(a, b)}
    for operation, result in expected.items():
        num = operation(left, right)
        assert valued(num, values) == result
        assert num.lo <= result <= num.hi
    for relation, truth in ((equal, a == b), (less, a < b)):
        term = relation(left, right)
        if not isinstance(term, bool):
            pairs = [(n.term, z3.BitVecVal(v, n.term.size())) for n, v in values.values() if n.term is not None]
            term = z3.is_true(z3.simplify(z3.substitute(term, *pairs)))
        assert term == truth


def test_recasting_keeps_the_value() -> None:
    num = symbol("a", -3, 5)
    assert valued(recast(num, 0, 5), {"a": (num, 4)}) == 4
    assert valued(recast(num, -20, 20), {"a": (num, -3)}) == -3
    assert widen(number(-1), 4).as_signed_long() == -1
    assert recast(number(2), 0, 5).constant == 2


def test_a_sum_of_many_truths_does_not_wrap() -> None:
    bits = [z3.Bool(f"b{i}") for i in range(11)]
    summed = total(bits)
    assert (summed.lo, summed.hi) == (0, 11)
    term = z3.simplify(z3.substitute(summed.term, *[(bit, z3.BoolVal(True)) for bit in bits]))
    assert term.as_long() == 11


def test_procedures_are_inlined_once_a_call_and_bottom_halves_once() -> None:
    cfg = lower(program("context x; bh b on x { skip; } proc p() { skip; } thread t[3] { p(); p(); poll x; } thread u { poll x; }"))
    texts = sorted(node.info.body for node in cfg.nodes.values())
    assert texts == ["b", "p", "p", "t", "u"]


def test_an_atomic_is_one_location() -> None:
    cfg = lower(program("0..9 n; thread t { atomic { n = 1; while (n < 5) { n = n + 1; } } skip; }"))
    assert sum(not node.inner for node in cfg.nodes.values()) == 2


def test_inlining_without_end_is_told() -> None:
    doubling = "".join(f"proc p{i}() {{ p{i + 1}(); p{i + 1}(); }}\n" for i in range(13))
    with pytest.raises(EncodingLimitError):
        lower(program(doubling + "mutex m; proc p13() { lock m; skip; skip; } thread t { p0(); }"))


def test_facts_follow_control_flow() -> None:
    checked = program("mutex m; cond c; thread t { lock m; wait c with m; choose { unlock m; } or { skip; } skip; }")
    cfg = lower(checked)
    facts = facts_of(cfg, bodies_by_thread(cfg)[0], 0)
    mutex = (checked.mutexes[0], 0)
    held = [(mutex in facts[ident].may, mutex in facts[ident].must) for ident in sorted(facts) if ident in cfg.nodes]
    # lock, wait, wake, choose, unlock, last skip (either way), skip in the branch
    assert sorted(held) == sorted([(False, False), (True, True), (False, False), (True, True), (True, True), (True, True), (True, False)])


def test_circles_in_the_lock_order_are_told() -> None:
    crossing = "mutex a; mutex b; thread t { lock a; lock b; } thread u { lock b; lock a; }"
    (line,) = lock_order_cycles(program(crossing))
    assert "b while holding a (t, " in line
    assert "a while holding b (u, " in line


@pytest.mark.parametrize(
    "text",
    [
        "mutex a; mutex b; thread t { lock a; lock b; } thread u { lock a; lock b; }",
        "mutex a; mutex b; thread t { lock a; lock b; unlock b; unlock a; lock b; lock a; }",
        "recursive mutex a; thread t[2] { lock a; lock a; }",
    ],
)
def test_no_circle_where_the_order_is_one(text: str) -> None:
    assert lock_order_cycles(program(text)) == []


def test_a_circle_through_a_bottom_half() -> None:
    text = "mutex a; mutex b; context x; bh h on x { lock b; } thread t { lock a; poll x; } thread u { lock b; lock a; schedule h; }"
    assert len(lock_order_cycles(program(text))) == 1


NAMESAKES = """
0..1 who = 0; 0..1 choice0 = 0; bool going; bool unsafe; bool out; bool Violated; bool ordered; 0..1 y = 0;
thread a { y = 1; }
thread b { choose { assert y == 0; } or { skip; } }
"""


@pytest.mark.parametrize("engine", ["bmc", "k-induction", "pdr"])
def test_no_variable_is_taken_for_an_input(engine: str) -> None:
    checked = program(NAMESAKES)
    report = prove(checked, Request(select(checked, ())[0], engine=engine)).report
    assert {result.name: result.verdict.value for result in report.properties} == {"range": "proved", "assert.b.1": "violated"}


def test_inputs_and_cells_have_names_of_their_own() -> None:
    cfg = lower(program(NAMESAKES))
    relation = relate(cfg, lay_out(cfg), False)
    cells = {cell.name for cell in relation.layout.cells}
    assert cells.isdisjoint(str(term) for term in relation.inputs)
