"""Formats that hold one trace: ITF against the interpreter, Mermaid against its grammar, and what passes between threads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from reports import HOSTILE, hostile, program, report, violation

from formal.formats import Style, itf, mermaid
from formal.formats.messages import Tracker
from formal.formats.single import Violation
from formal.formats.states import failing_step, place, states
from formal.interp import Machine
from formal.interp.history import changed
from formal.verdict import PropertyResult, SourceRef, Verdict, View, ViewValue, Witness, WitnessStep

ALL = [("crossed", "deadlock.global"), ("talk", "assert.main.1"), ("lasso", "liveness.l"), ("stuck", "liveness.l")]
ALL.append(("false_at_once", "invariant.i"))


def trace(name: str, prop: str) -> Any:
    one = violation(name, prop)
    return json.loads(itf.render([_only(one)], Style()))


def _only(one: Violation) -> Any:
    from dataclasses import replace

    return replace(one.report, properties=(one.result,))


def _plain(value: Any) -> Any:
    """A value of an ITF state as views have it."""
    match value:
        case {"#bigint": str(digits)}:
            return int(digits)
        case {"#set": list(items)}:
            return tuple(items)
        case {"tag": "Some", "value": inner}:
            return _plain(inner)
        case _:
            assert isinstance(value, (bool, str))
            return value


def _shown(state: View) -> dict[str, Any]:
    return {key: value for key, value in state.items() if not key.endswith((".at", ".stack"))}


def _runs(name: str, prop: str) -> list[dict[str, Any]]:
    """The states as the interpreter goes through them, following the witness's threads and changes."""
    one, machine = violation(name, prop), Machine(program(name))
    ids = {thread.name: thread.id for thread in program(name).threads}
    state = machine.initial()
    found = [_shown(machine.view(state))]
    steps = one.witness.steps if failing_step(one.result) is None else one.witness.steps[:-1]
    for step in steps:
        after = [outcome.after for outcome in machine.steps(state, ids[step.thread])]
        views = machine.view(state)
        state = next(one for one in after if one is not None and changed(views, machine.view(one)) == step.changes)
        found.append(_shown(machine.view(state)))
    return found


@pytest.mark.parametrize(("name", "prop"), ALL)
def test_the_states_of_an_itf_trace_are_those_of_the_replay(name: str, prop: str) -> None:
    found = trace(name, prop)
    constants = {key: _plain(value) for key, value in found["states"][0].items() if key in found["params"]}
    assert constants == dict(report(name).parameters)
    run = []
    for index, state in enumerate(found["states"]):
        assert state["#meta"]["index"] == index
        cells = {key: value for key, value in state.items() if key != "#meta" and key not in found["params"]}
        assert list(cells) == found["vars"]
        run.append({key: _plain(value) for key, value in cells.items() if value != {"tag": "None", "value": "U_OF_UNIT"}})
    assert run == _runs(name, prop)
    assert set(found["#meta"]["varTypes"]) == set(found["vars"])


def test_an_itf_lasso_says_where_it_comes_back() -> None:
    for name in ("lasso", "stuck"):
        found = trace(name, "liveness.l")
        back, last = found["states"][found["loop"]], found["states"][-1]
        assert {**back, "#meta": None} == {**last, "#meta": None}
    assert "loop" not in trace("crossed", "deadlock.global")


def test_itf_spells_locals_as_options_and_tells_the_failing_step() -> None:
    found = trace("talk", "assert.main.1")
    kinds = found["#meta"]["varTypes"]
    assert kinds["w/0.mine"] == "None(UNIT) | Some(Int)"
    assert (kinds["s.count"], kinds["r.readers"], kinds["e.set"], kinds["m.owner"]) == ("Int", "Set(Str)", "Bool", "Str")
    assert found["states"][0]["s.count"] == {"#bigint": "0"}
    assert found["states"][0]["w/0.mine"]["tag"] == "None"
    assert any(state["w/0.mine"] == {"tag": "Some", "value": {"#bigint": "1"}} for state in found["states"])
    assert found["#meta"]["failing-step"]["statement"] == "assert told != 2"


@pytest.mark.parametrize("form", [itf, mermaid])
def test_what_is_not_shown_is_said(form: Any) -> None:
    (told,) = form.remarks([report("fine"), report("crossed"), report("talk")])
    assert "shows one trace: deadlock.global of crossed.dsl" in told
    assert "deadlock.lock_order of crossed.dsl" in told
    assert "assert.main.1 of talk.dsl" in told
    assert form.remarks([report("lasso")]) == ()
    assert "no property is violated" in form.remarks([report("fine")])[0]


def test_without_a_violation_there_is_a_document_all_the_same() -> None:
    found = json.loads(itf.render([report("fine")], Style()))
    assert (found["vars"], found["states"]) == ([], [])
    assert mermaid.render([report("fine")], Style()).splitlines()[-1].endswith("fine.dsl: proved")


# ---------------------------------------------------------------- who tells whom


def test_what_passes_between_threads() -> None:
    one = violation("talk", "assert.main.1")
    tracker = Tracker(one.witness)
    found = {
        (message.sender, message.receiver, re.sub(r"\d+$", "", message.what), None if message.since is None else "earlier")
        for step in one.witness.steps
        for message in tracker.messages(step)
    }
    assert found >= {
        ("main", "w", "spawns it", None),
        ("w", "main", "b scheduled", "earlier"),
        ("w", "main", "e set", "earlier"),
        ("w", "main", "w finished", "earlier"),
    }


def test_posts_are_received_in_order_and_wake_ups_at_once() -> None:
    text = """protocol p; sem s max 3 = 1; cond c; mutex m; bool done;
        thread a { post s; lock m; broadcast c; unlock m; }
        thread b { lock m; wait c with m; unlock m; wait s; wait s; done = true; }
        invariant never: !done;"""
    from formal.frontend import load_text
    from formal.pipeline import Request, prove

    model = load_text(text, "p.dsl").program
    assert model is not None
    (result,) = prove(model, Request(("invariant.never",), engine="explicit")).report.properties
    assert result.witness is not None
    tracker = Tracker(result.witness)
    found = [(message, step.statement) for step in result.witness.steps for message in tracker.messages(step)]
    posted = next(step.step for step in result.witness.steps if step.statement == "post s")
    assert [(one.sender, one.receiver, one.what, one.since, at) for one, at in found] == [
        ("a", "b", "wakes it from c", None, "broadcast c"),
        ("a", "b", "s posted", posted, "wait s"),  # the first wait took what was there from the start
    ]


def _witness(initial: dict[str, ViewValue], *steps: tuple[str, dict[str, tuple[ViewValue | None, ViewValue | None]]]) -> Witness:
    """Threads and what they change."""
    told = [
        WitnessStep(at, thread, "skip", SourceRef("m.dsl", at), None, (thread,), changes) for at, (thread, changes) in enumerate(steps, 1)
    ]
    threads = {f"{name}.status": "running" for name in ("a", "b", "c")}
    return Witness(tuple(told), 0, None, "", {**initial, **threads})


def _told(witness: Witness) -> list[tuple[int, str, str, int | None]]:
    tracker = Tracker(witness)
    return [(step.step, one.sender, one.receiver, one.since) for step in witness.steps for one in tracker.messages(step)]


def test_the_first_post_is_the_first_received() -> None:
    up, down = {"s.count": (0, 1)}, {"s.count": (1, 0)}
    posts: list[Any] = [("a", up), ("b", {"s.count": (1, 2)}), ("c", {"s.count": (2, 1)}), ("c", down)]
    assert _told(_witness({"s.count": 0}, *posts)) == [(3, "a", "c", 1), (4, "b", "c", 2)]
    one_was_there: list[Any] = [("a", {"s.count": (1, 2)}), ("c", {"s.count": (2, 1)}), ("c", down)]
    assert _told(_witness({"s.count": 1}, *one_was_there)) == [(3, "a", "c", 1)]
    own: list[Any] = [("a", up), ("a", down)]
    assert _told(_witness({"s.count": 0}, *own)) == []


def test_what_only_looks_like_a_message_is_none() -> None:
    assert _told(_witness({"k.waiters": ("a",)}, ("a", {"k.waiters": (("a",), ())}))) == []
    recursive: dict[str, ViewValue] = {"m.owner": "none", "m.count": 0}
    assert _told(_witness(recursive, ("a", {"m.count": (0, 1)}), ("b", {"m.count": (1, 0)}))) == []
    thread_local: list[Any] = [("a", {"a.count": (0, 1)}), ("b", {"a.count": (1, 0)})]
    assert _told(_witness({"a.count": 0}, *thread_local)) == []
    tracker = Tracker(_witness({"a.count": 0}, *thread_local))
    assert list(tracker.variables(tracker.witness.steps[0])) == [("a.count", 1)]


def test_readers_come_and_go_one_by_one() -> None:
    steps: list[Any] = [
        ("a", {"r.readers": ((), ("a",))}),
        ("b", {"r.readers": (("a",), ("a", "b"))}),
        ("a", {"r.readers": (("a", "b"), ("b",))}),
    ]
    witness = _witness({"r.readers": ()}, *steps)
    tracker = Tracker(witness)
    found = [[(one.thread, one.lock, one.taken) for one in tracker.holdings(step)] for step in witness.steps]
    assert found == [[("a", "r", True)], [("b", "r", True)], [("a", "r", False)]]


def test_locals_leave_the_state_with_their_scope() -> None:
    witness = _witness({}, ("a", {"a/0.x": (None, 1)}), ("a", {"a/0.x": (1, None)}))
    assert ["a/0.x" in state for state in states(witness)] == [False, True, False]


@pytest.mark.parametrize("kind", ["builtin", "assert", "requires", "ensures", "invariant", "deadlock", "liveness"])
def test_a_step_or_a_state_is_what_is_wrong(kind: str) -> None:
    witness = _witness({}, ("a", {}))
    result = PropertyResult("p", kind, SourceRef("m.dsl", 77), Verdict.VIOLATED, 1, "", "", witness)
    failing = kind in ("builtin", "assert", "requires", "ensures")
    assert (failing_step(result) is not None) == failing
    assert place(result) == SourceRef("m.dsl", 1 if failing else 77)


# ---------------------------------------------------------------- Mermaid

_TEXT = r"(?:[A-Za-z0-9 _.,:()\[\]=!&|/+*'?-]|#\d+;|<br/>)+"
_LINES = (
    rf"title {_TEXT}",
    rf"participant T\d+ as {_TEXT}",
    rf"Note over T\d+(?:,T\d+)?: {_TEXT}",
    rf"T\d+(?:->>|-->>)T\d+: {_TEXT}",
    r"(?:de)?activate T\d+",
    rf"loop {_TEXT}",
    "end",
)
_GRAMMAR = re.compile(f"    (?:{'|'.join(_LINES)})")


def _check_diagram(text: str) -> list[str]:
    head, *lines = text.splitlines()
    assert head == "sequenceDiagram"
    known: set[str] = set()
    bars: dict[str, int] = {}
    open_blocks = 0
    for line in lines:
        assert _GRAMMAR.fullmatch(line), line
        word, _, rest = line.strip().partition(" ")
        statement = line.split(":", 1)[0]
        if word == "participant":
            known.add(rest.split()[0])
        elif word in ("activate", "deactivate"):
            bars[rest] = bars.get(rest, 0) + (1 if word == "activate" else -1)
            assert bars[rest] >= 0
        elif word in ("loop", "end"):
            open_blocks += 1 if word == "loop" else -1
            assert open_blocks in (0, 1)
        if word not in ("title", "loop"):
            assert set(re.findall(r"\bT\d+\b", statement)) <= known
    assert not any(bars.values())
    assert open_blocks == 0
    return lines


@pytest.mark.parametrize(("name", "prop"), ALL)
def test_diagrams_keep_to_the_grammar(name: str, prop: str) -> None:
    one = violation(name, prop)
    lines = _check_diagram(mermaid.render([_only(one)], Style()))
    for step in one.witness.steps:
        assert any(f"{step.step}. {mermaid.escape(step.statement.split()[0])}" in line for line in lines)
    assert any("is violated<br/>" in line and "Note over" in line for line in lines)


def test_a_diagram_shows_locks_messages_and_the_loop() -> None:
    lines = _check_diagram(mermaid.render([_only(violation("lasso", "liveness.l"))], Style()))
    assert "    activate T0" in lines
    assert lines.index("    loop from here on, again and again") < lines.index("    end")
    talk = "\n".join(_check_diagram(mermaid.render([report("talk")], Style())))
    assert re.search(r"T0->>T1: \d+\. spawn w", talk)
    assert re.search(r"T1-->>T0: \d+\. poll x<br/>.*\(b scheduled in step \d+\)", talk)


def test_hostile_names_stay_text() -> None:
    text = mermaid.render([hostile()], Style())
    lines = _check_diagram(text)
    assert not re.search(r"\bend\b(?!$)|style|classdef|\b(no)?wrap:", text.replace("    end\n", ""), re.IGNORECASE)
    aliases = [line.partition(" as ")[2] for line in lines if " as " in line and "participant" in line]
    decoded = [re.sub(r"#(\d+);", lambda code: chr(int(code.group(1))), alias) for alias in aliases]
    expected = [" ".join(word.split()).replace("\x00", "\ufffd").replace("\x1b", "\ufffd") for word in HOSTILE]
    assert decoded == expected
