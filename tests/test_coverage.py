"""What `check` says after a look at the states: only what is certain."""

from __future__ import annotations

import pytest

from formal.coverage import checked, unreached
from formal.engines.survey import survey
from formal.frontend import load_text


def told(body: str, max_states: int = 1000) -> list[tuple[str, int]]:
    """Codes and lines (the first line of the body is 2)."""
    loaded = load_text(f"protocol p;\n{body}\ndeadlock free;\n")
    assert loaded.program is not None
    return [
        (str(one.code), one.span.line) for one in unreached(loaded.program, survey(loaded.program, max_states), ("<text>",)) if one.span
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("mutex L; thread t { lock L; unlock L; }", []),
        ("bool x; thread t { if (x) {\n skip; x = false;\n } }", [("W0702", 3)]),
        ("bool x; thread t { if (x) {\n assert !x;\n } }", [("W0704", 3)]),
        ("bool x; thread t {\n await x; skip; }", [("W0703", 3)]),
        ("event E; thread t {\n idle: wait E;\n skip; }", []),
        ("bool x; thread t { atomic { if (x) {\n skip;\n } } }", [("W0702", 3)]),
        ("bool x; proc p() requires true { skip; } thread t { if (x) {\n skip; p();\n } }", [("W0702", 3), ("W0704", 2)]),
        ("context c home t; bh b on c {\n skip; }\n thread t { poll c; } thread u { schedule b; }", []),
        ("bool x; thread t { x = true; while (!x) {\n skip; } }", [("W0702", 3)]),
        ("thread t { for i in 0..1 { skip; } choose { skip; } or { skip; } return; }", []),
    ],
)
def test_what_no_execution_reaches(body: str, expected: list[tuple[str, int]]) -> None:
    assert told(body) == expected


def test_what_text_and_states_both_say_is_said_once_in_the_order_of_the_text() -> None:
    body = """bool x; context c; mutex unused;
bh never on c { skip; }
proc nobody() { skip; }
thread t { await false; skip; }
thread u { await x; return; skip; }
thread v { loop { skip; } skip; }"""
    loaded = load_text(f"protocol p;\n{body}\ndeadlock free;\n")
    assert loaded.program is not None
    found = checked(loaded.program, loaded.diagnostics, survey(loaded.program, 1000), ("<text>",))
    assert [(str(one.code), one.span.line) for one in found if one.span] == [
        ("W0701", 2),
        ("W0706", 3),
        ("W0701", 4),
        ("W0703", 5),
        ("W0703", 6),
        ("W0702", 6),
        ("W0702", 7),
    ]


def test_nothing_is_said_when_the_look_was_too_short() -> None:
    body = "bool x; 0..99 n; thread t { while (n < 99) { n = n + 1; } if (x) { skip; } }"
    assert told(body, 20) == []
    assert told(body) == [("W0702", 2)]
