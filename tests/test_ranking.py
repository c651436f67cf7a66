"""Rankings: what always comes has one that stands, what may never come has none, and the obligations refuse a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import certificates
import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Pick
from systems import BOOL, SPAN, SystemBuilder

from formal.certificates.census import Census
from formal.certificates.learning import Learned, NotLearned, learn_all
from formal.certificates.regions import Graph, Levels, rank
from formal.certificates.whereabouts import Unplaced
from formal.engines.components import components
from formal.engines.exploration import Exploration
from formal.engines.fairness import find_lasso
from formal.frontend import load_text
from formal.interp import Machine
from formal.invariant import Invariant, Literal
from formal.invariant.ranking import Level, Ranking, RankingError, Rule, read_rule, rule_text
from formal.program import Program, Property, Unary
from formal.smt.obligations import Obligations
from formal.smt.parts import UnknownName
from formal.smt.questions import Questions
from formal.smt.ranked import Ranked
from formal.smt.response import HELPFUL, OWED, PROGRESS, RESPONSE, Response, faults

MEMORY = 2048


def program_of(text: str) -> Program:
    loaded = load_text(f'protocol p "p"; {text}')
    assert loaded.program is not None, [d.message for d in loaded.diagnostics]
    return loaded.program


def explored(program: Program, most: int = 3_000) -> Exploration | None:
    """All states; None where there are too many for a test."""
    exploration = Exploration(Machine(program))
    while not exploration.exhausted:
        exploration.expand(lambda *_: None, lambda *_: None)
        if len(exploration.states) > most:
            return None
    return exploration


def liveness(program: Program) -> list[Property]:
    return [prop for prop in program.properties if prop.kind == "liveness"]


def ranked(program: Program) -> Learned:
    """Rankings of the liveness properties, with an invariant for them alone."""
    exploration = explored(program)
    assert exploration is not None
    return learn_all(program, liveness(program), exploration, MEMORY)


def answers(program: Program, prop: Property, invariant: Invariant, ranking: Ranking) -> dict[str, str]:
    """What a fresh solver says of each obligation, given as text."""
    told = certificates.answers(program, invariant, [], {prop.name: ranking})
    return {which: told[f"{prop.name}: {which}"] for which in RESPONSE}


def strong(program: Program) -> list[str]:
    return [program.threads[number].name for number in program.strong_fair]


def wrong(program: Program, prop: Property, invariant: Invariant, ranking: Ranking) -> set[str]:
    """The obligations that do not hold; "static" for what needs no solver."""
    found = {which for which, said in answers(program, prop, invariant, ranking).items() if said != "unsat"}
    names = [thread.name for thread in program.threads]
    return found | ({"static"} if list(faults(ranking, names, strong(program))) else set())


def wrong_where_reachable(program: Program, prop: Property, ranking: Ranking) -> set[str]:
    """The obligations that fail in a reachable state, so for every invariant."""
    exploration = explored(program)
    assert exploration is not None
    obligations = Obligations(program, [])
    census = Census(exploration, obligations.parts)
    states = []
    for number in range(len(exploration.states)):
        known = [
            (part, [name for name, value in part.number_of.items() if census.having(part, value) >> number & 1]) for part in census.parts
        ]
        states.append(
            z3.And(*[obligations.clause((Literal(part.name, tuple(names)),)) for part, names in known if names != list(part.domain)])
        )
    response = Response(obligations, prop, ranking)
    found = set()
    for which in RESPONSE:
        solver = z3.SolverFor("QF_BV")
        solver.add(z3.Or(*states), *obligations.definitions, *response.question(which))
        if solver.check() != z3.unsat:
            found.add(which)
    return found


def rules(*texts: str) -> Ranking:
    return tuple(map(read_rule, texts))


# ---------------------------------------------------------------- what always comes

ALWAYS = {
    "at once": "bool b = true; liveness l: eventually b; thread t { skip; }",
    "one thread": "bool done; liveness l: eventually done; thread t { skip; skip; done = true; }",
    "beside one that never ends": "0..3 n; bool done; liveness l: eventually done;"
    " thread t { skip; done = true; } thread u { loop { n = (n + 1) % 4; } }",
    "after another": "bool done; event e; liveness l: eventually done;"
    " thread t { wait e; done = true; } thread u { skip; set e; loop { skip; } }",
    "leads to": "bool asked; bool done; liveness l: asked leads to done;"
    " thread t { loop { await asked; atomic { done = true; asked = false; } } }"
    " thread u { loop { choose { asked = true; done = false; } or { skip; } } }",
    "again and again": "mutex L; liveness l: at(t, want) leads to at(t, got); strong fair t;"
    " thread t { loop { want: lock L; got: skip; unlock L; } } thread u { loop { lock L; unlock L; } }",
    "two locks": "mutex A; mutex B; liveness l: at(t, want) leads to at(t, got); strong fair t; strong fair u;"
    " thread t { loop { want: lock A; lock B; got: skip; unlock B; unlock A; } } thread u { loop { lock A; lock B; unlock B; unlock A; } }"
    " thread v { loop { lock B; unlock B; } }",
    "or else an error": "bool done; 0..1 n; liveness l: eventually done; thread t { choose { n = n + 2; } or { skip; } done = true; }",
    "or else a false assumption": "bool done; liveness l: eventually done; thread t { assume done; done = true; }",
    "or else a check that is disabled": "mutex L; bool done; liveness l: eventually done; disable not_owner; thread t { unlock L; }",
    "never asked for": "bool asked; bool done; liveness l: asked leads to done; thread t { loop { skip; } }",
    "at the end of all": "mutex L; liveness l: eventually forall t in thread: finished(t);"
    " thread t { with L { skip; } } thread u { with L { } }",
    "a bottom half": "context X; bool done; bh b on X { done = true; } liveness l: eventually done;"
    " thread t { skip; schedule b; } thread u { loop { poll X blocking; } }",
    "a spawned thread": "bool done; liveness l: eventually done; thread t { spawn u; join u; } thread u { skip; done = true; }",
    "once, and never again": "bool b; liveness l: eventually b; thread t { b = true; b = false; }",
    "one of two, now and then": "bool x; bool done; liveness l: eventually done; strong fair t;"
    " thread t { atomic { await x; done = true; } } thread u { atomic { await !x; done = true; } } thread v { loop { x = !x; } }",
    "undefined for a while": "0..2 n; liveness l: eventually 2 / n == 1; thread t { n = 1; n = 2; } thread u { loop { skip; } }",
}


@pytest.mark.parametrize("text", ALWAYS.values(), ids=ALWAYS)
def test_what_always_comes_has_a_ranking(text: str) -> None:
    program = program_of(text)
    (prop,) = liveness(program)
    learned = ranked(program)
    assert learned.unranked == {}
    assert wrong(program, prop, learned.invariant, learned.rankings["liveness.l"]) == set()


def test_a_ranking_reads_as_the_way_to_the_goal() -> None:
    program = program_of(ALWAYS["after another"])
    assert [rule_text(rule) for rule in ranked(program).rankings["liveness.l"]] == [
        "t.at in {t:1#2} => 0 t",
        "u.at in {u:1#3} => 1 t",
        "u.at in {u:1#2} => 2 u",
        "=> 3 u",
        "=> not owed",
    ]


def test_strong_fairness_takes_a_level_of_its_own() -> None:
    program = program_of(ALWAYS["again and again"])
    found = ranked(program).rankings["liveness.l"]
    assert [rule.levels for rule in found if len(rule.levels) > 1] == [(Level(0, "t"), Level(0, "u"))]


# ---------------------------------------------------------------- what may never come

NEVER = {
    "it ends before": "bool done; liveness l: eventually done; thread t { skip; }",
    "it waits for ever": "bool done; event e; liveness l: eventually done; thread t { wait e; done = true; }",
    "it need not choose": "bool done; liveness l: eventually done; thread t { loop { choose { skip; } or { done = true; } } }",
    "somebody else takes the lock each time": ALWAYS["again and again"].replace("strong fair t;", ""),
    "fairness to the wrong one": ALWAYS["again and again"].replace("strong fair t;", "strong fair u;"),
    "once is not enough": "bool asked; bool done; liveness l: asked leads to done;"
    " thread t { await asked; done = true; } thread u { loop { asked = true; done = false; } }",
    "each only now and then": ALWAYS["one of two, now and then"].replace("strong fair t;", ""),
    "one of two locks": ALWAYS["two locks"].replace("strong fair t;", ""),
}


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_what_may_never_come_has_no_ranking(text: str) -> None:
    learned = ranked(program_of(text))
    assert learned.rankings == {}
    assert "some fair execution misses it" in learned.unranked["liveness.l"]


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_no_forged_ranking_stands(text: str) -> None:
    program = program_of(text)
    (prop,) = liveness(program)
    names = [thread.name for thread in program.threads]
    forged = [rules(f"=> 0 {name}") for name in names]
    forged += [rules(f"=> 0 {one}, 0 {other}") for one in names for other in names]
    forged += [rules("=> not owed"), *(as_others_would(program, name) for name in names)]
    for ranking in forged:
        static = set(faults(ranking, names, strong(program)))
        assert static or wrong_where_reachable(program, prop, ranking), [rule_text(rule) for rule in ranking]


def as_others_would(program: Program, helper: str) -> Ranking:
    """The ranking under strong fairness of all, if that is any better, and `helper` for what it does not rank."""
    kinder = replace(program, strong_fair=frozenset(range(len(program.threads))))
    found = ranked(kinder).rankings.get("liveness.l", ())
    return (*found[:-1], Rule((), (Level(99, helper),)))


# ---------------------------------------------------------------- wrong ones

LOCK = ALWAYS["again and again"]


@pytest.fixture(scope="module")
def lock() -> tuple[Program, Property, Learned]:
    program = program_of(LOCK)
    return program, liveness(program)[0], ranked(program)


def changes(ranking: Ranking, names: list[str]) -> Mapping[str, Ranking]:
    """One thing changed in each."""
    found: dict[str, Ranking] = {}
    for place, rule in enumerate(ranking[:-1]):
        text = rule_text(rule)
        found[f"without {text}"] = ranking[:place] + ranking[place + 1 :]
        for number, level in enumerate(rule.levels):
            for other in (replace(level, rank=level.rank + 50), replace(level, helper=names[1 - names.index(level.helper)])):
                levels = (*rule.levels[:number], other, *rule.levels[number + 1 :])
                found[f"{other} in {text}"] = (*ranking[:place], Rule(rule.when, levels), *ranking[place + 1 :])
        found[f"not owed: {text}"] = (*ranking[:place], Rule(rule.when, ()), *ranking[place + 1 :])
    return found


def test_every_rank_and_helper_counts(lock: tuple[Program, Property, Learned]) -> None:
    program, prop, learned = lock
    ranking = learned.rankings["liveness.l"]
    assert wrong(program, prop, learned.invariant, ranking) == set()
    stands = {what for what, other in changes(ranking, ["t", "u"]).items() if not wrong(program, prop, learned.invariant, other)}
    assert {what.split(" in ")[0] for what in stands} <= {"50 u", "51 u", "52 u"}  # inner ranks, all the greater: an order all the same


def test_each_obligation_is_for_something(lock: tuple[Program, Property, Learned]) -> None:
    program, prop, learned = lock
    told = [wrong(program, prop, learned.invariant, other) for other in changes(learned.rankings["liveness.l"], ["t", "u"]).values()]
    assert {PROGRESS} in told
    assert {HELPFUL} in told
    program = program_of(ALWAYS["one thread"])
    assert wrong(program, liveness(program)[0], (), rules("=> not owed")) == {OWED}


ONLY_PROGRESS = {
    "the helper moves, and nothing becomes less": (NEVER["it need not choose"], ["=> 0 t"]),
    "the helper changes": (NEVER["each only now and then"], ["x => 0 t", "=> 0 u"]),
    "the rank grows": (ALWAYS["one thread"], ["t.at in {t:1} => 1 t", "t.at in {t:1#2} => 2 t", "=> 0 t"]),
    "the goal is forgotten": (ALWAYS["one thread"], ["t.at in {t:1} => 5 t", "=> not owed"]),
    "on the second level the helper moves": (ALWAYS["again and again"], ["t.at in {t:1} => 0 t, 0 u", "=> not owed"]),
}


@pytest.mark.parametrize(("text", "texts"), ONLY_PROGRESS.values(), ids=ONLY_PROGRESS)
def test_each_part_of_progress_counts(text: str, texts: list[str]) -> None:
    program = program_of(text)
    assert wrong_where_reachable(program, liveness(program)[0], rules(*texts)) == {PROGRESS}


def test_it_needs_its_invariant(lock: tuple[Program, Property, Learned]) -> None:
    program, prop, learned = lock
    assert wrong(program, prop, (), learned.rankings["liveness.l"])


def test_the_ranking_of_another_property_is_none() -> None:
    program = program_of(
        f"{LOCK} liveness m: at(u, want) leads to at(u, got);".replace(
            "{ loop { lock L; unlock L; }", "{ loop { want: lock L; got: unlock L; }"
        )
    )
    one, other = liveness(program)
    found = learn_all(replace(program, strong_fair=frozenset({0, 1})), [one], explored(program), MEMORY)  # type: ignore[arg-type]
    assert OWED in wrong(program, other, found.invariant, found.rankings["liveness.l"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((), "last rule is not for all"),
        (("t.at in {t:1} => 0 t",), "last rule is not for all"),
        (("=> 0 w",), "rule 1: there is no thread `w`"),
        (("=> 0 t, 0 w",), "rule 1: there is no thread `w`"),
        (("t.at in {t:1} => 0 u, 0 t", "=> not owed"), "rule 1: u is only weakly fair"),
    ],
)
def test_faults_that_need_no_solver(texts: tuple[str, ...], message: str) -> None:
    assert message in next(faults(rules(*texts), ["t", "u"], ["t"]))


@pytest.mark.parametrize("text", ["K.owner in {none} => 0 t", "L.owner in {w} => 0 t", "=> 0 w", "=> 0 t, 1 w"])
def test_unknown_names_are_told(lock: tuple[Program, Property, Learned], text: str) -> None:
    program, prop, _ = lock
    with pytest.raises(UnknownName):
        Response(Obligations(program, []), prop, rules(text))
    with pytest.raises(UnknownName):
        Ranked(Questions(program, []), prop, rules(text))


# ---------------------------------------------------------------- as text


@pytest.mark.parametrize(
    "text", ["=> not owed", "=> 0 t", "a && !b => 1 t", "a.at in {p:1.enter#2} && c not in {-1, 0} => 12 vcpu[0], 3 t"]
)
def test_rules_read_back(text: str) -> None:
    assert rule_text(read_rule(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "a", "a => ", "a => t", "a => -1 t", "a => 1", "a => 1 t,2 u", "a || b => 1 t", "a && => 1 t", "=> 9999999999 t", "=> 1 t => 2 u"],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(RankingError):
        read_rule(text)


# ---------------------------------------------------------------- regions


def test_states_in_a_row_of_any_length() -> None:
    """No recursion, and no quadratic rescans."""
    length = 10_000
    steps = {number: [(0, number + 1), (1, number)] for number in range(length)}
    graph = Graph(steps, {number: {0, 1} for number in steps})
    levels = rank(graph, [1, 0], frozenset())
    assert levels[0] == ((length - 1, 0),)
    assert levels[length - 1] == ((0, 0),)


def test_a_fair_circle_is_not_ranked() -> None:
    graph = Graph({0: [(0, 1)], 1: [(0, 0), (1, 2)]}, {0: {0}, 1: {0, 1}})
    assert rank(graph, [0, 1], frozenset()) == {}
    assert rank(graph, [0, 1], frozenset({1})) == {0: ((0, 1), (0, 0)), 1: ((0, 1),)}


def lively_graph(pick: Pick) -> tuple[Graph, list[int], frozenset[int]]:
    """A few states; a step of a thread that can move may lead out of them."""
    count, threads = 1 + pick(6), list(range(1 + pick(4)))
    able = {state: {thread for thread in threads if pick(3)} for state in range(count)}
    ways = {state: [(thread, pick(count + 1)) for thread in sorted(some) for _ in range(pick(3))] for state, some in able.items()}
    return Graph(ways, able), threads, frozenset(thread for thread in threads if pick(2))


def missed(graph: Graph, inside: set[int], strong: frozenset[int]) -> bool:
    """Whether a fair execution can stay among these states for ever: it can see all of a strongly connected part, or of a part of that."""
    for part in map(set, components(sorted(inside), lambda state: [after for _, after in graph.steps[state] if after in inside])):
        able = [graph.able[state] for state in part]
        movers = {thread for state in part for thread, after in graph.steps[state] if after in part}
        if not movers:
            if not any(able):
                return True
            continue
        starved = {state for state in part if graph.able[state] & strong - movers}
        if frozenset.intersection(*map(frozenset, able)) <= movers and (not starved or missed(graph, part - starved, strong)):
            return True
    return False


def in_order(here: Levels, there: Levels, mover: int) -> bool:
    """Whether a step is in order on the first of these levels."""
    if there[0][0] < here[0][0]:
        return True
    stays = there[0] == here[0] and mover != here[0][1]
    return stays and (len(here) == 1 or len(there) == 1 or in_order(here[1:], there[1:], mover))


def check_graph(pick: Pick) -> str:
    graph, threads, strong = lively_graph(pick)
    levels = rank(graph, threads, strong)
    for state, some in levels.items():
        assert some[-1][1] in graph.able[state]
        assert all(helper in strong for _, helper in some[:-1])
        assert all(after not in graph.steps or in_order(some, levels[after], mover) for mover, after in graph.steps[state])
    assert (len(levels) < len(graph.steps)) == missed(graph, set(graph.steps), strong)
    return "unranked" if len(levels) < len(graph.steps) else f"{max(map(len, levels.values()))} levels"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_generated_graphs(data: st.DataObject) -> None:
    check_graph(lambda n: data.draw(st.integers(0, n - 1)))


# ---------------------------------------------------------------- against the engine


def check(program: Program, most: int = 300) -> list[str]:
    """What the explicit engine proves has a ranking that stands, what it doesn't has none. Says how it went, by property."""
    exploration = explored(program, most)
    if exploration is None:
        return ["too large"]
    told = []
    for prop in liveness(program):
        lasso = find_lasso(exploration, prop)
        try:
            learned = learn_all(program, [prop], exploration, MEMORY)
        except (NotLearned, Unplaced) as error:
            told.append(f"refused: {error}")
            continue
        if lasso is not None:
            assert "some fair execution misses it" in learned.unranked[prop.name]
            for thread in program.threads:
                assert wrong(program, prop, learned.invariant, rules(f"=> 0 {thread.name}"))
            told.append("violated")
        elif learned.unranked:
            assert "alike" in learned.unranked[prop.name] or "told" in learned.unranked[prop.name]
            told.append(f"refused: {learned.unranked[prop.name]}")
        else:
            ranking = learned.rankings[prop.name]
            assert wrong(program, prop, learned.invariant, ranking) == set()
            told.append(f"proved by {max(len(rule.levels) for rule in ranking)} levels")
    return told


def lively_system(pick: Pick) -> Program:
    """A transition system with liveness, some threads strongly fair."""
    builder = SystemBuilder(pick)
    program = builder.program()
    machine = Machine(program)
    goals = [builder.boolean(2, ()) for _ in range(2)]
    goals = [Unary("!", goal, BOOL, SPAN) if machine.condition(goal)(machine.initial()) else goal for goal in goals]
    triggers = [None, Unary("!", goals[1], BOOL, SPAN) if pick(2) else builder.boolean(2, ())]
    found = [
        Property(f"liveness.{i}", "liveness", SPAN, goal, trigger) for i, (goal, trigger) in enumerate(zip(goals, triggers, strict=True))
    ]
    fair = frozenset(thread.id for thread in program.threads if pick(2))
    return replace(program, properties=(*program.properties, *found), strong_fair=fair)


@st.composite
def lively_systems(draw: st.DrawFn) -> Program:
    return lively_system(lambda n: draw(st.integers(0, n - 1)))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(lively_systems())
def test_generated_systems(program: Program) -> None:
    check(program)
