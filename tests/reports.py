"""Reports to render: small models with every kind of violation, and results that no engine gives on purpose."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from formal.formats.single import Violation, violations
from formal.frontend import load_text
from formal.pipeline import Request, prove, select
from formal.program import Program
from formal.verdict import PropertyResult, Report, SourceRef, Verdict, Witness, WitnessStep

MODELS = {
    "crossed": """protocol crossed "two locks"; param N in 1..4 = 2; mutex a; mutex b;
        thread t @ "block.c:one" { lock a; lock b; unlock b; unlock a; }
        thread u @ "graph.c:two" { lock b; lock a; unlock a; unlock b; }
        deadlock free;""",
    "talk": """protocol talk "everything that passes between threads"; sem s max 2 = 0; event e; cond c; mutex m; rwlock r; 0..3 told = 0;
        context x home main; bh b on x { told = 1; }
        thread main { spawn w; await pending(b); poll x; wait e; join w; rdlock r; rdunlock r; told = 2; assert told != 2; }
        thread w { 0..3 mine = 1; schedule b; post s; lock m; signal c; unlock m; set e; mine = 2; }
        thread v { lock m; wait c with m; unlock m; wait s; told = 3; }""",
    "lasso": """protocol lasso "never again"; bool go; mutex m; thread t { loop { lock m; go = false; unlock m; } }
        liveness l: eventually go;""",
    "stuck": """protocol stuck "stops"; bool go; mutex m; thread t { lock m; idle: await go; } liveness l: eventually go;""",
    "false_at_once": """protocol false_at_once "from the start"; bool ok; thread t { ok = true; } invariant i: ok;""",
    "fine": """protocol fine "fine"; mutex m; thread t[2] { lock m; unlock m; } deadlock free;""",
}


@cache
def program(name: str) -> Program:
    """The model of that name, loaded."""
    loaded = load_text(MODELS[name], f"{name}.dsl")
    assert loaded.program is not None, loaded.diagnostics
    return loaded.program


@cache
def report(name: str) -> Report:
    """What proving it gives."""
    model = program(name)
    return prove(model, Request(select(model, ())[0], engine="explicit")).report


def violation(name: str, prop: str) -> Violation:
    """One of its violated properties."""
    return next(one for one in violations([report(name)]) if one.result.name == prop)


def undecided() -> Report:
    """A report with every verdict in it but a violation."""
    fine = report("fine")
    results = (
        replace(fine.properties[0], verdict=Verdict.PROVED_UP_TO, depth=40, reason="no violation within 40 steps"),
        replace(fine.properties[1], verdict=Verdict.UNDECIDED, engine="", reason="out of time; try % and\nmore"),
        *fine.properties[2:],
    )
    return replace(fine, model="open", properties=results, depth=40, warnings=("the bmc engine broke down",), assumptions=("fairness",))


HOSTILE = (
    "end",
    "a; b #59; c",
    "\"q\" `t` 'x'",
    "<script>alert(1)</script> & &amp;",
    '%%{init: {"theme":"dark"}}%%',
    "style x: a#b; classDef y: z",
    "nowrap: x",
    "T0->>T1: no",
    "two\nlines\r\x00\x1b[31m",
    "$$x^2$$ @{ x }",
    "ä € 漢 🙂",
    "::error file=x,line=1::no",
    "]]> <!-- -->",
    "%0A 100% | `` **b** [l](u)",
)


def hostile() -> Report:
    """A report in which everything that a model could say is meant to break a format."""
    steps = tuple(
        WitnessStep(number, word, word, SourceRef("a b%/ü#.dsl", number), word, (word, word), {f"{word}.x": (None, word)})
        for number, word in enumerate(HOSTILE, 1)
    )
    witness = Witness(steps, len(steps) - 1, 2, " ".join(HOSTILE), {f"{word}.status": "running" for word in HOSTILE})
    result = PropertyResult(HOSTILE[5], "liveness", SourceRef("a b%/ü#.dsl", 3), Verdict.VIOLATED, len(steps), "x", "", witness)
    return Report(HOSTILE[3], HOSTILE[4], "a b%/ü#.dsl", "sha256:0", {}, None, 0.5, HOSTILE, (result,), HOSTILE)
