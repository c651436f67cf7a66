"""`make bench`: what it writes of its measurements. Nothing is timed here."""

from bench import models, report
from bench.ladders import LADDERS
from bench.peers import PROVED, TIMEOUT, VIOLATED, Measured, Result, Row


def measured(**verdicts: str) -> Measured:
    row = Row(LADDERS[0], 2, {name: Result([1.0, 2.0, 3.0], verdict) for name, verdict in verdicts.items()})
    return Measured(20.0, 3, "a machine", {}, [row], tuple(verdicts))


def test_tools_that_contradict_each_other_are_told() -> None:
    assert report.contradictions(measured(formal=PROVED, SPIN=PROVED)) == []
    assert report.contradictions(measured(formal=PROVED, SPIN=VIOLATED)) == ["savevm_locked 2: formal proved, SPIN violated"]


def test_who_ran_out_of_time_has_no_ratio() -> None:
    row = measured(formal=PROVED, SPIN=TIMEOUT).rows[0]
    assert report.ratio(row, "SPIN") is None
    assert report.ratio(measured(formal=PROVED, SPIN=PROVED).rows[0], "SPIN") == 1.0


def test_an_answer_that_discharges_nothing_is_shown() -> None:
    said = {"z3": {"unsat": 3}, "cvc5": {"unsat": 2, "unknown": 1}}
    one = models.Model("models/x.dsl", "proved", 1.0, (("explicit", 4),), 12, 2, said, 0.5)
    assert "| `models/x.dsl` | proved | 1.00 | explicit 4 | 12 + 2 rankings | 3 | 2 (1 unknown) | 0.50 |" in models.as_markdown([one])
