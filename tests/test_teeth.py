"""Every lock, unlock and requires of the proved models matters, or the model says why not; and the tool that finds out finds it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from teeth import Answer, NotProved, judge, model, proved_models, table

MODELS = Path(__file__).parent.parent / "models"

HEAD = 'protocol m "m";\nexpect proved;\nmutex L;\nbool busy;\n'
# What L protects: two threads, one at a time. `free` says so.
WORK = "{ busy = true; busy = false; }"


def tried(tmp_path: Path, **texts: str) -> Answer:
    """Writes these models, and tries those that expect to be proved."""
    for name, text in texts.items():
        (tmp_path / f"{name}.dsl").write_text(text, encoding="utf-8")
    return judge(proved_models(tmp_path), jobs=1)


def fates(answer: Answer) -> dict[str, str]:
    """By name: what noticed, without its model; or the state."""
    return {fate.site.name: fate.by.rpartition(" (")[0] or fate.state for fate in answer.fates}


KINDS = f"""{HEAD}
rwlock R;
bool changing = false;
thread_local bool mine = false;
proc take() {{ atomic {{ lock L; mine = true; }} }}
proc give() {{ unlock L; }}
proc work() requires holds(L) {WORK}
thread t {{ take(); work(); give(); }}
thread u {{ held: lock L; work(); unlock L; with L {{ work(); }} }}
thread reader {{ rdlock R; reading: skip; rdunlock R; }}
thread writer {{ wrlock R; changing = true; changing = false; wrunlock R; }}
invariant no_reader: changing implies !at(reader, reading);
deadlock free;
"""


def test_each_kind_of_statement_is_taken_away(tmp_path: Path) -> None:
    answer = tried(tmp_path, m=KINDS)
    assert fates(answer) == {
        "lock L in take": "requires.work in 2 steps",
        "unlock L in give": "deadlock.partial in 4 steps",
        "take() in t": "requires.work in 1 step",
        "give() in t": "deadlock.partial in 4 steps",
        "requires holds(L) in work": "requires.work in 2 steps without lock L in take",
        "lock L in u": "requires.work in 2 steps",
        "unlock L in u": "relock in 5 steps",
        "with L in u": "requires.work in 6 steps",
        "rdlock R in reader": "not_owner in 2 steps",
        "rdunlock R in reader": "deadlock.partial in 2 steps",
        "wrlock R in writer": "invariant.no_reader in 2 steps",
        "wrunlock R in writer": "deadlock.partial in 3 steps",
    }


def test_what_constants_rule_out_and_what_nobody_calls_is_no_site(tmp_path: Path) -> None:
    text = f"""{HEAD}
const SLOW = false;
proc nobody() {{ lock L; unlock L; }}
context c home t;
bh called on c {{ with L {WORK} }}
bh dropped on c {{ with L {WORK} }}
thread t {{ if (SLOW) {{ lock L; unlock L; }} schedule called; poll c; }}
deadlock free;
"""
    assert fates(tried(tmp_path, m=text)) == {"with L in called": "survives"}


def test_a_clause_behind_another_one_is_tried_alone(tmp_path: Path) -> None:
    text = (
        f"{HEAD}proc outer() requires holds(L) {{ inner(); }}\nproc inner() requires holds(L) {{ }}\nthread t {{ with L {{ outer(); }} }}\n"
    )
    assert fates(tried(tmp_path, m=text)) == {
        "with L in t": "requires.outer in 1 step",
        "requires holds(L) in outer": "requires.outer in 1 step without with L in t",
        "requires holds(L) in inner": "requires.inner in 1 step without with L in t",
    }


def test_the_same_text_twice_is_two_sites(tmp_path: Path) -> None:
    text = f"{HEAD}thread t {{ lock L; busy = true; unlock L; lock L; unlock L; }}\ndeadlock free;\n"
    assert fates(tried(tmp_path, m=text)) == {
        "lock L (1) in t": "not_owner in 2 steps",
        "unlock L (1) in t": "relock in 3 steps",
        "lock L (2) in t": "not_owner in 4 steps",
        "unlock L (2) in t": "survives",
    }


def test_a_model_that_is_refused_without_it_needs_it(tmp_path: Path) -> None:
    text = f"{HEAD}thread t {{ loop {{ with L {{ }} }} }}\ndeadlock free;\n"
    (found,) = fates(tried(tmp_path, m=text)).values()
    assert found.endswith("of the front end")


SHARED = "mutex L;\nbool busy;\nthread t { lock L; unlock L; }\n"
IMPORTER = 'protocol m "m";\nimport "shared.dsl";\nexpect proved;\ndeadlock free;\n'


def test_a_shared_statement_must_matter_in_one_model(tmp_path: Path) -> None:
    other = 'protocol other "o";\nimport "shared.dsl";\nexpect proved;\ninvariant given_back: finished(t) implies !holds(t, L);\n'
    assert fates(tried(tmp_path, shared=SHARED, m=IMPORTER))["unlock L in t"] == "survives"
    model.cache_clear()
    answer = tried(tmp_path, other=other)
    assert fates(answer) == {"lock L in t": "not_owner in 1 step", "unlock L in t": "invariant.given_back in 1 step"}
    assert answer.unexplained() == []


@pytest.mark.parametrize("file", ["m", "shared"])
def test_an_explanation_stands_in_the_header_of_the_file_or_of_the_model(tmp_path: Path, file: str) -> None:
    texts = {"shared": SHARED, "m": IMPORTER}
    texts[file] = f"// A model.\n//\n// Not needed: unlock L in t: it ends here.\n\n{texts[file]}"
    answer = tried(tmp_path, **texts)
    assert answer.unexplained() == []
    assert answer.stale == []
    assert "not needed: it ends here." in table(answer)


STALE = (
    "lock L in t: but it is.",
    "unlock L in u: there is no such thing.",
    "unlock L in t:",
    "unlock L in t",
    "unlock L in t: told behind the first declaration.",
)


def test_an_explanation_that_explains_nothing_is_told(tmp_path: Path) -> None:
    *above, below = (f"// Not needed: {line}" for line in STALE)
    answer = tried(tmp_path, shared=SHARED, m="\n".join([*above, "bool first;", below, IMPORTER]))
    assert [told.partition(": ")[2] for told in answer.stale] == list(STALE)
    assert [told.partition(": ")[0].rpartition(":")[2] for told in answer.stale] == ["1", "2", "3", "4", "6"]
    assert [fate.site.name for fate in answer.unexplained()] == ["unlock L in t"]


def test_a_model_that_is_not_proved_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotProved, match="not_owner"):
        tried(tmp_path, m=f"{HEAD}thread t {{ unlock L; }}\n")


def test_what_takes_too_long_is_undecided(tmp_path: Path) -> None:
    seen = "invariant seen: n[0] + n[1] + n[2] + n[3] + n[4] + n[5] < 60;"  # by which no step can be merged
    text = f"{HEAD}0..9 n[6];\nthread t[i: 6] {{ with L {{ for k in 0..9 {{ n[i] = k; }} }} }}\ndeadlock free;\n{seen}\n"
    (tmp_path / "m.dsl").write_text(text, encoding="utf-8")
    (fate,) = judge([str(tmp_path / "m.dsl")], jobs=1, limit=1.0).unexplained()
    assert fate.state == "undecided"
    assert fate.reasons == ["m: not settled within 1 s"]


def test_every_lock_of_the_proved_models_matters() -> None:
    answer = judge(proved_models(MODELS))
    told = table(answer)
    assert answer.fates
    assert answer.unexplained() == [], told
    assert answer.stale == [], told
