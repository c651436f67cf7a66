"""Lemmas told of one of several alike threads: the same table, the same questions' answers and the same proofs as without."""

from __future__ import annotations

import random
from collections.abc import Iterator

from test_interp import program_of
from test_symmetry import TOLD_APART, Family

from formal.engines import lemmas
from formal.engines.alike import alike
from formal.engines.protocol import Event, Options, Statistics
from formal.frontend import load
from formal.invariant import Clause, Invariant, Literal
from formal.program import Program
from formal.smt.alike import Roster, normal, pattern, reverse
from formal.smt.obligations import CONSECUTION
from formal.smt.outline_proof import OutlineProof
from formal.smt.questions import Questions
from formal.smt.scripts import ask_z3
from formal.smt.standpoints import Standpoints


class Crowd(Family):
    """A random model of threads that are alike, with bottom halves, locks and flags for each, and somebody who does not go through them one
    by one."""

    def text(self) -> str:
        size = self._pick.choice((3, 4))
        own, other = ("".join(f"    {self.statement('i')}\n" for _ in range(self._pick.randint(1, 3))) for _ in range(2))
        return "\n".join(
            (
                f"mutex L; recursive mutex K max 2; rwlock R; cond C; cond D[{size}]; event E; bool x; thread_local bool p;",
                f"mutex M[{size}]; sem S[{size}] max 1; 0..2 n[{size}]; bool f[t]; context X;",
                self.some(("context Y;", "context Y;", "context Y home t[0];")),
                f"bh b[i: {size}] on X {{ {self.plain('i')} }}",
                "bh c on Y { x = !x; }",
                f"thread t[i: {size}] {{ {self.some(('{}', 'loop {{ {} }}')).format(own)} }}",
                self.some((f"thread w[i: {size}] {{ {other} }}", "thread w[3] { with K { skip; } }", "")),
                f"thread u {{ {self.around(size)} {self.around(size)} }}",
                "proc q(ref mutex m, ref 0..2 k) { with m { k = 1; skip; } }",
                "deadlock free;",
                f"invariant a: {self.condition(size)};",
                f"invariant b: {self.condition(size)};",
            )
        )

    def statement(self, i: str) -> str:
        text = super().statement(i)
        return "skip;" if "atomic" in text and ("poll" in text or "wait" in text) else text

    def plain(self, i: str) -> str:
        more = (
            "lock K; lock K; unlock K; unlock K;",
            "rdlock R; skip; rdunlock R;",
            "wrlock R; x = !x; wrunlock R;",
            f"with L {{ wait D[{i}] with L; }}",
            f"signal D[{i}];",
            "broadcast C;",
            "schedule c;",
            "poll Y;",
            "set E;",
        )
        return self.some(more) if self._pick.random() < 0.4 else super().plain(i)

    def around(self, size: int) -> str:
        return self.some(
            (
                f"atomic {{ for v in 0..{size - 1} {{ if (n[v] == 0) {{ n[v] = 1; schedule b[v]; }} }} }}",
                f"atomic {{ for v in 0..{size - 1} {{ f[t[v]] = true; signal D[v]; }} }}",
                self.plain("0"),
                "x = true;",
                "with L { x = !x; broadcast C; }",
                "loop { poll X blocking; }",
                f"await forall v in 0..{size - 1}: n[v] != 0; x = !x;",
            )
        )


def programs() -> Iterator[tuple[str, Program]]:
    """Models with threads, or elements, that are alike."""
    texts = (*TOLD_APART.values(), *(Family(seed).text() for seed in range(12)), *(Crowd(seed).text() for seed in range(18)))
    for text in texts:
        program = program_of(text)
        if alike(program):
            yield text, program


# ---------------------------------------------------------------- tables


def table(program: Program, *, told: bool) -> tuple[Questions, Standpoints]:
    """What is asked of the program, and its table: of those that are alike, of one, or of each."""
    questions = Questions(program, (), alike(program) if told else ())
    return questions, Standpoints(questions.changes)


def rows(found: Standpoints) -> dict[tuple[int, str, str], frozenset[str]]:
    """By thread, part and place, what the part may be there."""
    threads = range(len(found.layout.threads))
    told = [(thread, part, some, places) for thread in threads for part in found.parts for some, places in found.may(thread, part).items()]
    return {(thread, part.name, place): some for thread, part, some, places in told for place in places}


def test_a_table_of_representatives_is_that_of_all() -> None:
    """But for what the table of all happens to say of the last one alone."""
    same = less = 0
    for text, program in programs():
        (everything, everybody), (asked, few) = table(program, told=False), table(program, told=True)
        whole, renamed = rows(everybody), rows(few)
        assert renamed.keys() == whole.keys(), text
        assert all(some <= renamed[where] for where, some in whole.items()), text
        same += renamed == whole
        less += len(asked.changes.all) < len(everything.changes.all)
        assert asked.changes.roster.closed((*asked.changes.proper_clauses(), *few.invariant())), text
        assert {ask_z3(script)[0] for script in everything.inductive(few.invariant()).values()} == {"unsat"}, text
    assert same > 20
    assert less > 15


# ---------------------------------------------------------------- questions


def orbit(roster: Roster, clause: Clause) -> set[Clause]:
    """What permutations make of a clause."""
    found = {clause}
    work = [clause]
    for one in work:
        new = {roster.clause_under(to, one) for to in roster.generating()} - found
        found |= new
        work += sorted(new)
    return found


def altered(draw: random.Random, roster: Roster, invariant: Invariant) -> Invariant:
    """An invariant without a clause, and with a shorter one, whoever it is about."""
    one, other = draw.choice(invariant), draw.choice(invariant)
    shorter = tuple(sorted(draw.sample(other, max(1, len(other) - 1))))
    return tuple(sorted((set(invariant) - orbit(roster, one)) | orbit(roster, shorter)))


def test_the_steps_of_representatives_break_what_some_step_breaks() -> None:
    draw = random.Random(7)
    answers: list[str] = []
    for text, program in programs():
        asked, found = table(program, told=True)
        everything = Questions(program, ())
        for _ in range(4):
            invariant = altered(draw, asked.changes.roster, found.invariant())
            assert asked.changes.roster.closed(invariant), text
            few, whole = (ask_z3(questions.inductive(invariant)[CONSECUTION])[0] for questions in (asked, everything))
            assert few == whole, text
            answers.append(few)
    assert answers.count("sat") > 15
    assert answers.count("unsat") > 40


# ---------------------------------------------------------------- proofs


def proof(program: Program, *, told: bool) -> OutlineProof:
    safety = [prop for prop in program.properties if prop.kind != "liveness"]
    return OutlineProof(program, safety, 2048, alike=alike(program) if told else ())


def test_as_much_follows() -> None:
    fewer = 0
    for text, program in [*programs()][::2]:
        plain, told = proof(program, told=False), proof(program, told=True)
        assert told.proved() == plain.proved(), text
        assert plain.looked_at == len(program.threads)
        fewer += told.looked_at < plain.looked_at
    assert fewer > 5


def test_of_many_that_are_alike_one_is_looked_at() -> None:
    program = load("models/savevm_locked.dsl", {"VCPUS": "10"}, []).program
    assert program is not None
    told = proof(program, told=True)
    assert (told.looked_at, len(program.threads)) == (3, 12)
    assert len(told.proved()) == 26


def test_it_can_be_left_out_and_is_told() -> None:
    program = program_of("bool f[t]; thread t[i: 3] { f[t[i]] = true; }")
    for without, figures in ((frozenset[str](), {"threads looked at": 1}), (frozenset({"symmetry"}), {})):
        events: list[Event] = []
        lemmas.run(program, Options(tuple(prop.name for prop in program.properties), without=without), events.append)
        (told,) = [event.figures for event in events if isinstance(event, Statistics)]
        assert {name: told[name] for name in told if name == "threads looked at"} == figures


# ---------------------------------------------------------------- who is who


def test_clauses_that_tell_one_from_others_are_not_closed() -> None:
    program = program_of("bool f[t]; thread t[i: 3] { f[t[i]] = true; } thread u { f[t[0]] = false; }")
    roster = Questions(program, (), alike(program)).changes.roster
    assert roster.sizes == [2]
    first, second, third = ((Literal(f"f[t[{index}]]", ("true",)),) for index in range(3))
    assert [roster.closed(clauses) for clauses in ([first], [second], [second, third], [first, second, third])] == [True, False, True, True]


def test_a_thread_in_a_register_is_told_from_others() -> None:
    program = program_of("mutex L; thread_local bool p; proc q(ref bool b) { b = true; } thread t[3] { lock L; q(owner(L).p); unlock L; }")
    assert alike(program)
    assert Questions(program, (), alike(program)).changes.roster.sizes == []


def test_members_in_normal_form() -> None:
    one, two, other = (0, 5), (0, 2), (1, 1)
    assert normal((one, other, two, one)) == ((0, 0), (1, 0), (0, 1), (0, 0))
    assert pattern((one, other, two, one), {two}) == ((0, ~0), (1, ~0), two, (0, ~0))
    program = program_of("thread t[6] { skip; } thread w[2] { skip; }")
    roster = Questions(program, (), alike(program)).changes.roster
    to = roster.bringing((one, other, two))
    assert [to.get(member, member) for member in normal((one, other, two))] == [one, other, two]
    assert all(reverse(to)[there] == here for here, there in to.items())
    assert [roster.first(thread)[0] for thread in range(8)] == [0] * 6 + [6] * 2
    assert list(roster.meetings({one}, ((0, 0), (0, 1)))) == [(one, (0, 0)), ((0, 0), one), ((0, 0), (0, 1))]
