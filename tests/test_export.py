"""`formal export`: what it writes is the transition system that is proved, as other tools read it."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import circuits
import pytest
import z3
from tools import lacking, tool

from formal.cli import main
from formal.exports import Wanted, load_export
from formal.exports.gates import Blasting, Gates
from formal.exports.spelling import Spelled, Speller
from formal.frontend import load
from formal.netlist import BINARY, Term, Terms
from formal.pipeline import Request, prove
from formal.program import Program, Property
from formal.smt.guarded import machine
from formal.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent
CLASSIC = ROOT / "models" / "classic"

HALVES = """
protocol halves "bottom halves within bottom halves, a thread that is spawned twice, numbers below 0";
enum phase { COLD, WARM, HOT }
mutex L;
sem S max 2;
event E;
cond C;
context X home main;
phase now = COLD;
-3..3 debt = -1;
bool busy = false;
bh first on X {
    -2..2 mine = -2;
    mine = debt + 1;
    schedule second;
    poll X;
    debt = mine;
}
bh second on X { choose { now = WARM; } or { now = HOT; set E; } }
bh twice[2] on X { }
oneshot bh many on X max 2 { busy = !busy; }
thread main {
    loop {
        idle: await pending(X);
        poll X;
    }
}
thread worker { lock L; busy = true; wait C with L; unlock L; }
thread boss {
    schedule first;
    spawn worker;
    atomic { schedule many; choose { schedule many; } or { skip; } }
    wait E;
    with L { broadcast C; }
    join worker;
    spawn worker;
    assert paid: debt % 2 == 0 "a remainder";
}
deadlock free;
nesting 2;
invariant never_hot_and_deep: now == HOT implies debt > -3;
invariant cold: now != HOT || busy;
"""


@cache
def program(text_or_path: str, **defines: str) -> Program:
    path = Path(text_or_path)
    loaded = load(str(path), defines, [])
    assert loaded.program is not None, [diagnostic.render() for diagnostic in loaded.diagnostics]
    return loaded.program


def safety(one: Program) -> tuple[Property, ...]:
    return tuple(prop for prop in one.properties if prop.kind != "liveness")


def written(one: Program, name: str, *, depth: int | None = None, binary: bool = False, only: tuple[str, ...] = ()) -> bytes:
    properties = tuple(prop for prop in safety(one) if not only or prop.name in only)
    return load_export(name)(Wanted(one, properties, depth, binary, "a test"))


@cache
def expected(one: Program) -> dict[str, int]:
    """The shortest violations, by the interpreter's own search."""
    names = tuple(prop.name for prop in safety(one))
    report = prove(one, Request(names, engine="explicit", jobs=1, without=frozenset({"merging", "symmetry"}))).report
    assert all(result.verdict in (Verdict.PROVED, Verdict.VIOLATED) for result in report.properties)
    return {result.name: result.depth or 0 for result in report.properties if result.verdict is Verdict.VIOLATED}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = tmp_path_factory.mktemp("halves") / "halves.dsl"
    path.write_text(HALVES)
    return program(str(path))


SMALL = ("peterson_broken", "peterson", "abba", "readers_writer_builtin", "philosophers_naive")


def run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


# ---------------------------------------------------------------- terms


def _random_term(terms: Terms, names: list[Term], dice: random.Random, depth: int, width: int) -> Term:
    """A term of that width over the variables, which have 4 bits."""

    def word(bits: int) -> Term:
        return _random_term(terms, names, dice, depth - 1, bits)

    if depth == 0:
        if width == 4 and dice.random() < 0.8:
            return dice.choice(names)
        return terms.const(dice.randrange(1 << max(width, 1)), width)
    if width == 0:
        return _random_truth(terms, dice, word)
    op = dice.choice(("add", "sub", "mul", "sdiv", "srem", "ite", "extract", "zext", "sext", "concat"))
    if op == "ite":
        return terms.ite(word(0), word(width), word(width))
    if op == "extract":
        low = dice.randrange(2)
        return terms.extract(low + width - 1, low, word(low + width + dice.randrange(2)))
    if op in ("zext", "sext") and width > 1:
        return terms.extend(op, word(dice.randrange(1, width)), width)
    if op == "concat" and width > 1:
        high = dice.randrange(1, width)
        return terms.concat((word(high), word(width - high)))
    return terms.binary(op if op in BINARY else "add", word(width), word(width))


def _random_truth(terms: Terms, dice: random.Random, word: Callable[[int], Term]) -> Term:
    op = dice.choice(("ult", "slt", "eq", "not", "and", "or", "eq0", "xor"))
    if op == "not":
        return terms.negation(word(0))
    if op in ("and", "or"):
        return (terms.conjunction if op == "and" else terms.disjunction)((word(0), word(0), word(0)))
    bits = 0 if op in ("eq0", "xor") else dice.choice((3, 4, 5))
    return terms.binary(op.removesuffix("0"), word(bits), word(bits))


def _cases(count: int) -> tuple[list[Term], list[Term]]:
    terms, dice = Terms(), random.Random(7)
    names = [terms.var(name, 4) for name in ("a", "b")]
    return names, [_random_term(terms, names, dice, 3, dice.choice((0, 0, 3, 4, 5))) for _ in range(count)]


def test_gates_compute_what_the_terms_do() -> None:
    names, roots = _cases(150)
    for root in roots:
        gates = Gates(9)
        words = {name: tuple(2 * (4 * i + bit + 1) for bit in range(4)) for i, name in enumerate(names)}
        literals = Blasting(gates, words).word(root)
        for a in range(16):
            for b in range(0, 16, 3):
                bits = [0, *(a >> i & 1 for i in range(4)), *(b >> i & 1 for i in range(4))]
                for left, right in gates.ands:
                    bits.append((bits[left >> 1] ^ left & 1) & (bits[right >> 1] ^ right & 1))
                value = sum((bits[literal >> 1] ^ literal & 1) << i for i, literal in enumerate(literals))
                assert value == circuits.evaluate(root, {"a": a, "b": b}, {})


def test_expressions_of_c_compute_what_the_terms_do(tmp_path: Path) -> None:
    """`a` is declared as a number from 0, `b` as one from -8; Promela's conditional is C's, spelled differently."""
    compiler = tool("gcc", package="gcc")
    names, roots = _cases(120)
    speller = Speller({names[0]: Spelled("a", 0, 15), names[1]: Spelled("b", -8, 7)})
    checks = []
    for i, root in enumerate(roots):
        text = speller.spelled(root).text.replace("->", "?")
        mask = (1 << max(root.width, 1)) - 1
        checks.append(f"static int f{i}(int a, int b) {{ return ({text}) & {mask}; }}")
    table = [[circuits.evaluate(root, {"a": a, "b": b & 15}, {}) for a in range(16) for b in range(-8, 8)] for root in roots]
    rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in table)
    calls = "\n".join(f"for (i = 0; i < 256; i++) if (f{n}(i / 16, i % 16 - 8) != t[{n}][i]) return {n} + 1;" for n in range(len(roots)))
    head = "#include <stdbool.h>\n" + "\n".join(checks)
    (tmp_path / "t.c").write_text(f"{head}\nstatic int t[][256] = {{{rows}}};\nint main(void) {{ int i; {calls} return 0; }}\n")
    assert run(compiler, "-w", "-fsanitize=undefined", "-fno-sanitize-recover", "-o", "t", "t.c", cwd=tmp_path) == ""
    done = subprocess.run([str(tmp_path / "t")], check=False, capture_output=True, text=True)
    assert done.returncode == 0, (done.stderr, speller.spelled(roots[done.returncode - 1]).text)


# ---------------------------------------------------------------- whole systems


@pytest.mark.parametrize("name", SMALL)
def test_guarded_commands_have_our_shortest_violations(name: str) -> None:
    one = program(str(CLASSIC / f"{name}.dsl"))
    assert circuits.shortest_guarded(machine(one, safety(one)))[0] == expected(one)


def test_guarded_commands_nest_spawn_and_choose(halves: Program) -> None:
    found, _ = circuits.shortest_guarded(machine(halves, safety(halves)))
    assert found == expected(halves)
    assert {"assert.paid", "invariant.cold", "deadlock.global"} <= set(found)


@pytest.mark.parametrize("name", ["peterson_broken", "abba"])
@pytest.mark.parametrize("binary", [False, True])
def test_aiger_has_our_shortest_violations(name: str, binary: bool) -> None:
    one = program(str(CLASSIC / f"{name}.dsl"))
    circuit = circuits.read_aiger(written(one, "aiger", binary=binary, only=tuple(p.name for p in safety(one) if p.kind != "deadlock")))
    kinds = {prop.name: prop.kind for prop in safety(one)}
    found, _ = circuits.shortest(circuit, lambda name: kinds[name] != "invariant")
    assert found == {name: depth for name, depth in expected(one).items() if kinds[name] != "deadlock"}


def test_both_forms_of_aiger_say_the_same(halves: Program) -> None:
    text, binary = (circuits.read_aiger(written(halves, "aiger", binary=form)) for form in (False, True))
    assert (text.inputs, text.latches, text.bads, text.reset) == (binary.inputs, binary.latches, binary.bads, binary.reset)
    dice = random.Random(3)
    for _ in range(20):
        state, given = ([dice.getrandbits(64) for _ in row] for row in (text.latches, text.inputs))
        assert text.step(state, given, (1 << 64) - 1) == binary.step(state, given, (1 << 64) - 1)


def test_btor2_and_aiger_take_the_same_steps(halves: Program) -> None:
    words, circuit = circuits.read_btor2(written(halves, "btor2")), circuits.read_aiger(written(halves, "aiger"))
    places = [(n, f"{name}#{i}" if width > 1 or f"{name}#0" in (*circuit.latches, *circuit.inputs) else name, i)
              for kind in ("input", "state") for n, name, width in words.named(kind) for i in range(width)]  # fmt: skip
    where = {name.replace(" ", "_"): (n, i) for n, name, i in places}
    initial = words.initial()
    assert [initial[where[name][0]] >> where[name][1] & 1 for name in circuit.latches] == circuit.reset
    dice = random.Random(5)
    state = dict(initial)
    for _ in range(400):
        values = {**state, **{n: dice.randrange(1 << width) for n, _, width in words.named("input")}}
        bits = [[values[where[name][0]] >> where[name][1] & 1 for name in row] for row in (circuit.latches, circuit.inputs)]
        after, bads = words.step(values)
        latches, wrong = circuit.step(bits[0], bits[1], 1)
        assert latches == [after[where[name][0]] >> where[name][1] & 1 for name in circuit.latches]
        assert [bads[name] for name in circuit.bads] == [bool(bit) for bit in wrong]
        state = after


def test_vmt_is_the_same_system(halves: Program) -> None:
    """Read by Z3 as plain SMT-LIB: the first violation of `.prop` is where the interpreter finds it."""
    text = written(halves, "smt2").decode()
    assert text.count(":next") == text.count("(define-fun .next")
    marked = re.sub(r"\(! (\S+|\(.*\)) :(?:next [^)]+|init true|trans true|invar-property 0)\)", r"\1", text)
    assert ":next" not in marked
    first = min(depth for depth in expected(halves).values())
    for depth, answer in ((first, z3.sat), (first - 1, z3.unsat)):
        assert _violated_at(marked, depth) == answer


def _violated_at(text: str, depth: int) -> Any:
    declared = dict(re.findall(r"^\(declare-fun (\|[^|]*\||\S+) \(\) (.*)\)$", text, re.MULTILINE))
    sorts = {name.strip("|"): sort for name, sort in declared.items()}

    def copy(asserted: str, k: int) -> list[Any]:
        """An assertion about the step after k steps."""
        solver = z3.Solver()
        solver.from_string(f"{text}\n(assert {asserted})")
        pairs = [
            (_constant(name, sort), _constant(f"{name[:-1]}@{k + 1}" if name.endswith("+") else f"{name}@{k}", sort))
            for name, sort in sorts.items()
        ]
        return [z3.substitute(term, *pairs) for term in solver.assertions()]

    solver = z3.SolverFor("QF_FD")
    solver.add(*copy(".init", 0), *copy("(not .prop)", depth))
    for k in range(depth):
        solver.add(*copy(".trans", k))
    return solver.check()


def _constant(name: str, sort: str) -> Any:
    return z3.Bool(name) if sort == "Bool" else z3.BitVec(name, int(sort.split()[2].rstrip(")")))


# ---------------------------------------------------------------- other tools


@pytest.mark.parametrize("name", ["cvc5", "bitwuzla", "z3"])
def test_solvers_find_the_shortest_violation_and_none_shorter(name: str, halves: Program) -> None:
    from formal.certificates.solvers import SOLVERS

    if SOLVERS[name].version is None:
        lacking(f"{name} is missing: pip install {SOLVERS[name].package}")
    for prop in ("assert.paid", "invariant.cold"):
        length = expected(halves)[prop]
        answers = [SOLVERS[name].ask(written(halves, "smt2", depth=depth, only=(prop,)).decode())[0] for depth in (length, length - 1)]
        assert answers == ["sat", "unsat"]


def test_names_in_a_bounded_question(halves: Program) -> None:
    text = written(halves, "smt2", depth=3).decode()
    assert "|main.at@3|" in text
    assert ".pc@" not in text
    assert "|violated invariant.cold@" in text


@pytest.mark.parametrize(("name", "broken"), [("peterson", False), ("peterson_broken", True), ("abba", True)])
def test_abc_agrees(name: str, broken: bool, tmp_path: Path) -> None:
    abc = tool("berkeley-abc", package="berkeley-abc")
    one = program(str(CLASSIC / f"{name}.dsl"))
    (tmp_path / "m.aig").write_bytes(written(one, "aiger", binary=True))
    said = run(abc, "-c", "read_aiger m.aig; orpos; pdr", cwd=tmp_path)
    assert ("was asserted in frame" in said) == broken, said
    assert ("Property proved" in said) != broken, said


def test_abc_finds_violations_in_our_frames(tmp_path: Path) -> None:
    abc = tool("berkeley-abc", package="berkeley-abc")
    one = program(str(CLASSIC / "peterson_broken.dsl"))
    (tmp_path / "m.aig").write_bytes(written(one, "aiger", binary=True, only=("invariant.mutual_exclusion",)))
    said = run(abc, "-c", "read_aiger m.aig; bmc3 -F 40", cwd=tmp_path)
    frame = re.search(r"asserted in frame (\d+)", said)
    assert frame is not None, said
    assert int(frame[1]) == expected(one)["invariant.mutual_exclusion"]


@pytest.mark.parametrize(("name", "broken"), [("peterson", False), ("bounded_buffer_if", True)])
def test_spin_agrees(name: str, broken: bool, tmp_path: Path) -> None:
    one = program(str(CLASSIC / f"{name}.dsl"))
    said = spin(written(one, "promela"), tmp_path)
    assert ("errors: 0" in said) != broken, said


@pytest.mark.parametrize(("name", "broken"), [("abba", True), ("philosophers_ordered", False)])
def test_spin_finds_sets_of_threads_that_wait_for_each_other(name: str, broken: bool, tmp_path: Path) -> None:
    one = program(str(CLASSIC / f"{name}.dsl"))
    said = spin(written(one, "promela", only=("deadlock.lock_order",)), tmp_path)
    assert ("errors: 0" in said) != broken, said


def test_what_no_longer_holds_anything_is_set_back(tmp_path: Path) -> None:
    """A local's last value makes no states apart: 3 places, and 4 values at one of them."""
    path = tmp_path / "locals.dsl"
    path.write_text(
        """protocol locals "a local of four values"; 0..3 x = 0;
        thread t { loop { { 0..3 mine = x; skip; } x = (x + 1) % 4; } }
        invariant low: x <= 3;"""
    )
    one = program(str(path))
    assert circuits.shortest_guarded(machine(one, safety(one))) == ({}, 12)


def test_spin_stores_our_states(halves: Program, tmp_path: Path) -> None:
    calm = ("relock", "invariant.never_hot_and_deep")
    states = circuits.shortest_guarded(machine(halves, tuple(p for p in safety(halves) if p.name in calm)))[1]
    said = spin(written(halves, "promela", only=calm), tmp_path)
    assert "errors: 0" in said
    stored = re.search(r"(\d+) states, stored", said)
    assert stored is not None
    assert int(stored[1]) in range(states, states + 3)


def spin(text: bytes, folder: Path) -> str:
    """What SPIN's verifier says of a model."""
    command, compiler = tool("spin", package="spin"), tool("gcc", package="gcc")
    (folder / "m.pml").write_bytes(text)
    made = run(command, "-a", "m.pml", cwd=folder)
    assert "rror" not in made, made
    made = run(compiler, "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c", cwd=folder)
    assert made == ""
    return run(str(folder / "pan"), "-E", "-m100000", cwd=folder)


def test_names_that_mean_something_to_spin(tmp_path: Path) -> None:
    path = tmp_path / "names.dsl"
    path.write_text(
        """protocol names "words of Promela and C, names that meet";
        bool timeout = false; bool len = false; bool DONE = false; 0..3 run[2]; 0..3 run_0 = 2; bool end_it = false; -2..2 int_ = -2;
        thread init { timeout = true; len = !timeout; DONE = true; atomic { run[0] = run_0; run_0 = run[1]; run[1] = run[0]; } }
        thread typedef { await DONE; end_it = true; int_ = int_ + 1; }
        invariant fine: run[1] <= 2 && int_ < 0;"""
    )
    one = program(str(path))
    text = written(one, "promela")
    assert "errors: 0" in spin(text, tmp_path)
    assert b"/* run[0] */" in text


# ---------------------------------------------------------------- the command


def test_endings_choose_the_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starts = {"m.pml": b"/*", "m.smt2": b"; ", "m.vmt": b"; ", "m.btor2": b"; ", "m.aag": b"aag ", "m.aig": b"aig "}
    for name, start in starts.items():
        assert main(["export", str(CLASSIC / "abba.dsl"), "-o", str(tmp_path / name)]) == 0
        data = (tmp_path / name).read_bytes()
        assert data.startswith(start)
        assert b"formal export" in data
    assert "left out, being about whole executions: liveness.all_done" in capsys.readouterr().err


def test_standard_output_is_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(CLASSIC / "abba.dsl"), "--to", "btor2", "--property", "deadlock.*", "-D", "TRY=1"]) == 2
    capsys.readouterr()
    assert main(["export", str(CLASSIC / "abba.dsl"), "--to", "btor2", "--property", "deadlock.*"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[-1] for line in text.splitlines() if " bad " in line] == [
        "deadlock.global",
        "deadlock.partial",
        "deadlock.lock_order",
    ]
    assert "-1 = none" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "promla"], "unknown format `promla`\n  = help: did you mean `promela`?"),
        ([], "--to is missing\n  = help: known are promela, smt2, btor2, aiger"),
        (["--to", "aiger", "--depth", "3"], "--depth goes with --to smt2"),
        (["--to", "aiger", "--property", "liveness.all_done"], "`liveness.all_done` is about whole executions, and is not exported"),
        (["--to", "aiger", "--property", "live*"], "nothing to export"),
        (["--to", "aiger", "--property", "relok"], "no property matches `relok`\n  = help: did you mean `relock`?"),
        (["-o", str(CLASSIC / "abba.dsl"), "--to", "smt2"], "that is a model"),
        (["-o", "/no/such/folder/m.aig"], "there is no folder"),
    ],
)
def test_mistakes(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(CLASSIC / "abba.dsl"), *words]) == 2
    streams = capsys.readouterr()
    assert said in streams.err
    assert streams.out == ""


def test_too_large(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "crowd.dsl"
    path.write_text('protocol crowd "255 threads"; mutex L; thread t[255] { lock L; unlock L; } deadlock free;')
    assert main(["export", str(path), "--to", "promela"]) == 2
    assert "too large for promela: 255 threads, SPIN has at most 254 processes" in capsys.readouterr().err
