"""Reports as SARIF 2.1.0, which GitHub code scanning, VS Code and others show at the lines of the model.

In: reports. Out: one document with one run. A violation is a failure with its witness as a code flow, a thread flow a thread, numbered
over all of them; what is undecided is an open result; what is proved, and how far, stands in the run's properties, since viewers list every
result as a finding. Lines are the model's; the C functions that it stands for are logical locations, and related ones in the tree named
CSOURCE.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, errata 01.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from formal import __version__
from formal.explain import explain
from formal.formats import Style
from formal.formats.flows import code_flow, logical, text, unique, where
from formal.formats.places import uri
from formal.formats.states import place
from formal.verdict import PropertyResult, Report, SourceRef, Verdict

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_C_SOURCE = "CSOURCE"


def render(reports: Sequence[Report], _style: Style) -> str:
    """The document."""
    found = [(report, one) for report in reports for one in report.properties if one.verdict in (Verdict.VIOLATED, Verdict.UNDECIDED)]
    rules = list(dict.fromkeys(rule_of(one) for _, one in found))
    notifications = [notification("warning", warning, report.file) for report in reports for warning in report.warnings]
    files = [source.path for report in reports for source in report.sources] + [report.file for report in reports]
    return document(
        rules={rule: _meaning(rule) for rule in rules},
        results=[_result(report, one, rules) for report, one in found],
        notifications=notifications,
        files=files,
        properties={"models": [_model(report) for report in reports]},
    )


def document(
    *,
    rules: Mapping[str, str],
    results: Sequence[Mapping[str, Any]],
    notifications: Sequence[Mapping[str, Any]],
    files: Sequence[str],
    properties: Mapping[str, Any],
) -> str:
    """The text of one run. `rules`: what each id means; `results` name them by `ruleIndex`, too."""
    driver = {"name": "formal", "version": __version__, "semanticVersion": __version__, "rules": [_rule(*rule) for rule in rules.items()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_C_SOURCE: {"description": text("the root of the C sources that the models stand for")}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(notifications)}],
        "artifacts": [{"location": {"uri": one}} for one in dict.fromkeys(map(uri, files))],
        "results": list(results),
        "properties": dict(properties),
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False)


def notification(level: str, message: str, file: str) -> dict[str, Any]:
    """What is to be said besides results. `level`: error, warning or note."""
    return {"level": level, "message": text(message), "locations": [where(file, None)]}


def finding(rule: str, index: int, message: str, file: str) -> dict[str, Any]:
    """A failure that is about a whole file."""
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "kind": "fail",
        "level": "error",
        "message": text(message),
        "locations": [where(file, 1)],
        "partialFingerprints": fingerprint(rule, file),
    }


def rule_of(result: PropertyResult) -> str:
    """The id of what a property checks: built-in checks are rules of their own, the others by kind."""
    return result.name if result.kind in ("builtin", "deadlock") else result.kind


def fingerprint(*words: str) -> dict[str, str]:
    """What tells that a result is the same as in an earlier run, whatever lines have moved."""
    return {"formalProperty/v1": hashlib.sha256("\0".join(words).encode()).hexdigest()}


def _rule(name: str, meaning: str) -> dict[str, Any]:
    first = meaning.partition(". ")[0].removesuffix(".")
    return {
        "id": name,
        "shortDescription": text(" ".join(first.split()) + "."),
        "fullDescription": text(" ".join(meaning.split())),
        "help": text(explain(name) or meaning),
        "defaultConfiguration": {"level": "error"},
    }


def _meaning(rule: str) -> str:
    """What `formal explain` says, without its head and its example."""
    paragraphs = (explain(rule) or f"{rule}\n\nA property of the model.").split("\n\n")
    return paragraphs[1]


def _result(report: Report, result: PropertyResult, rules: Sequence[str]) -> dict[str, Any]:
    at = place(result) or SourceRef(report.file, 1)
    violated = result.verdict is Verdict.VIOLATED
    rule = rule_of(result)
    found: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "kind": "fail" if violated else "open",
        "level": "error" if violated else "none",  # the standard has it so: a level is for failures
        "message": text(_message(report, result)),
        "locations": [{**where(at.file, at.line), **_last_function(result)}],
        "partialFingerprints": fingerprint(report.model, result.name, *(f"{key}={value}" for key, value in sorted(report.defines.items()))),
        "properties": {"model": report.model, "property": result.name, "kind": result.kind, "engine": result.engine or None},
    }
    related = _related(result, at)
    if related:
        found["relatedLocations"] = related
    if result.witness is not None:
        found["properties"] |= {"steps": len(result.witness.steps), "contextSwitches": result.witness.context_switches}
        if result.witness.steps:
            found["codeFlows"] = [code_flow(result.name, result.witness)]
    return found


def _message(report: Report, result: PropertyResult) -> str:
    if result.witness is None:
        return f"{result.name} of {report.model} is {result.verdict.value}: {result.reason}"
    return f"{result.name} of {report.model} is violated. {result.witness.explanation}"


def _last_function(result: PropertyResult) -> dict[str, Any]:
    anchor = result.witness.steps[-1].c_source if result.witness is not None and result.witness.steps else None
    return {} if anchor is None else {"logicalLocations": [logical(anchor)]}


def _related(result: PropertyResult, at: SourceRef) -> list[dict[str, Any]]:
    """Where the property is declared, if that is not where it is shown, and the C functions on the way, each once."""
    found = []
    if result.source is not None and result.source != at:
        found.append({**where(result.source.file, result.source.line), "message": text("declared here")})
    anchors = unique(step.c_source for step in result.witness.steps) if result.witness is not None else ()
    for anchor in anchors:
        file, _, function = anchor.rpartition(":")
        physical = {"physicalLocation": {"artifactLocation": {"uri": uri(file), "uriBaseId": _C_SOURCE}}} if file else {}
        found.append(
            {**physical, "logicalLocations": [logical(anchor)], "message": text(f"the model's steps in {function} stand for this")}
        )
    return [{"id": number, **one} for number, one in enumerate(found, 1)]


def _model(report: Report) -> dict[str, Any]:
    return {
        "model": report.model,
        "file": report.file,
        "digest": report.digest,
        "parameters": dict(report.parameters),
        "verdict": report.verdict.value,
        "depth": report.depth,
        "seconds": round(report.seconds, 3),
        "assumptions": list(report.assumptions),
        "properties": [
            {"name": one.name, "kind": one.kind, "verdict": one.verdict.value, "depth": one.depth, "engine": one.engine or None}
            | {"reason": one.reason, "certificate": one.certificate}
            for one in report.properties
        ],
    }
