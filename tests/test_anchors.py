"""`formal anchors`: what of a C function counts, what is found where, records, comparisons, mistakes."""

from __future__ import annotations

import builtins
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from formal.anchors.definitions import definitions
from formal.cli import main

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "tests" / "data" / "c"
MODEL = """protocol sluice "water";
mutex gate;
proc raise_gate() @ "util/sluice.c:sluice_open" { lock gate; unlock gate; }
proc sluice_wait() @ "util/sluice.c:sluice_wait" { skip; }
proc wait_while() @ "include/sluice.h:SLUICE_WAIT_WHILE" { skip; }
thread keeper @ "util/sluice.c:sluice_shut" {
    raise_gate();
    sluice_wait() @ "scripts/wrapper.py:gen_wrapper";
    wait_while();
}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, sources, and a record of them."""
    shutil.copytree(SOURCES, tmp_path / "src")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sluice.dsl").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    assert main(["anchors", "--source", "src", "--record", "models/anchors.toml", "-o", "said.txt"]) == 0
    return tmp_path


def edit(path: Path, **changes: str) -> None:
    text = path.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def states(capsys: pytest.CaptureFixture[str], code: int, *more: str) -> dict[str, str]:
    """What became of each function, by its name."""
    assert main(["anchors", "--source", "src", "--format", "json", *more]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["same"] == (code == 0)
    return {row["function"].rpartition(":")[2]: row["state"] for row in document["functions"]}


def digests(text: str, name: str, path: str = "x.c") -> list[str]:
    return [one.digest for one in definitions(path, text.encode(), {name}).get(name, [])]


# ---------------------------------------------------------------- digests

PLAIN = 'static int f(int a)\n{\n    return g("x  y", a) + 1;\n}\n'


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ('static int f( int a ){return g("x  y",a)+1;}', True),
        (PLAIN.replace("return", "/* why */ return // so\n"), True),
        (PLAIN.replace("return g", "return \\\n    g"), True),
        ("int other(void) { return 0; }\n#define f2 3\n" + PLAIN, True),
        (PLAIN.replace("+ 1", "- 1"), False),
        (PLAIN.replace("x  y", "x y"), False),
        (PLAIN.replace("int a", "long a"), False),
        (PLAIN.replace("x  y", "x /* y"), False),
        (PLAIN.replace("static ", ""), False),
    ],
)
def test_what_counts(other: str, same: bool) -> None:
    (before,) = digests(PLAIN, "f")
    (after,) = digests(other, "f")
    assert (before == after) == same


def test_every_definition_counts() -> None:
    text = (SOURCES / "util" / "sluice.c").read_bytes()
    found = definitions("util/sluice.c", text, {"sluice_wait", "sluice_name", "sluice_shut", "spillway", "level", "sluice_open"})
    assert {name: [one.line for one in ones] for name, ones in found.items()} == {
        "sluice_open": [6],
        "sluice_wait": [14, 19],
        "sluice_name": [25],
        "sluice_shut": [35],
    }
    assert len({one.digest for one in found["sluice_wait"]}) == 2
    assert not any(one.doubtful for ones in found.values() for one in ones)


def test_a_body_that_cannot_be_read_is_doubtful() -> None:
    (one,) = definitions("x.c", b"void f(void)\n{\n    int a = = 3 ];\n}\n", {"f"})["f"]
    assert one.doubtful


def test_macros_and_scripts() -> None:
    inside = "int f(void)\n{\n#define TWICE 2 /* again */\n    return TWICE;\n}\n"
    assert digests(inside, "f") != digests(inside.replace("TWICE 2", "TWICE 3"), "f") != []
    assert digests("#define M(x) do { x++; } \\\n  while (0)\n", "M") == digests("#define M(x) do { x++; } while (0) /* so */\n", "M")
    assert digests("#define M(x) x\n", "M") != digests("#define M(x) (x)\n", "M")
    script = "def f(a):\n    # why\n    return a\n"
    assert digests(script, "f", "x.py") == digests("import os\n\ndef f(a):\n    return a  # so\n", "f", "x.py") != []
    assert digests(script, "f", "x.py") != digests("def f(a):\n    return -a\n", "f", "x.py")
    assert digests("def f(:\n", "f", "x.py") == []


# ---------------------------------------------------------------- comparing


def test_nothing_has_changed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(states(capsys, 0).values()) == {"same"}
    assert main(["anchors", "--source", "src"]) == 0
    out = capsys.readouterr().out
    assert "5 anchored functions, 7.2.22 (recorded) against 7.2.22: 5 same" in out
    assert "models to look at" not in out


def test_the_record_is_sorted_and_says_what_it_is_of(place: Path) -> None:
    lines = (place / "models" / "anchors.toml").read_text().splitlines()
    assert 'version = "7.2.22"' in lines
    names = [line.split(" = ")[0] for line in lines if ":" in line and line.startswith('"')]
    assert names == sorted(names)
    assert len(names) == 5
    assert next(line for line in lines if "sluice_wait" in line).count(",") == 1
    assert "5 of 5 anchored functions of 7.2.22" in (place / "said.txt").read_text()


def test_comments_and_layout_do_not_count(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(place / "src" / "util" / "sluice.c", **{"/* who opens it has the gate */": "", "    assert": "\n\n  assert"})
    assert set(states(capsys, 0).values()) == {"same"}


def test_changes_are_told_with_their_models(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(place / "src" / "util" / "sluice.c", INFINITE="1000", **{"void sluice_shut": "int sluice_shut"})
    (place / "src" / "VERSION").write_text("8.2.0\n")
    found = states(capsys, 1)
    assert found.pop("sluice_wait") == found.pop("sluice_shut") == "changed"
    assert set(found.values()) == {"same"}
    assert main(["anchors", "--source", "src"]) == 1
    out = capsys.readouterr().out
    assert "7.2.22 (recorded) against 8.2.0: 3 same, 2 changed" in out
    assert "util/sluice.c:sluice_wait (util/sluice.c:14, util/sluice.c:19)" in out
    assert "in models/sluice.dsl:4" in out
    assert "models to look at (1): models/sluice.dsl" in out


def test_one_definition_more_is_a_change(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (place / "src" / "util" / "sluice.c").open("a") as file:
        file.write("#ifdef B\nint sluice_wait(Sluice *s) { return 0; }\n#endif\n")
    assert main(["anchors", "--source", "src"]) == 1
    assert "2 definitions before, 3 now" in capsys.readouterr().out


def test_what_has_moved_is_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "src" / "system").mkdir()
    (place / "src" / "util" / "sluice.c").rename(place / "src" / "system" / "gates.c")
    edit(place / "src" / "system" / "gates.c", **{"level--": "level -= 2"})
    found = states(capsys, 1)
    assert found["sluice_open"] == found["sluice_wait"] == "moved"
    assert found["sluice_shut"] == "moved and changed"
    assert found["gen_wrapper"] == "same"
    assert main(["anchors", "--source", "src"]) == 1
    assert "util/sluice.c:sluice_open (system/gates.c:6)" in capsys.readouterr().out


def test_what_is_gone_what_is_new_and_what_cannot_be_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(place / "src" / "util" / "sluice.c", sluice_shut="sluice_close")
    edit(place / "models" / "sluice.dsl", sluice_open="sluice_name")
    with (place / "models" / "sluice.dsl").open("a") as file:
        file.write('proc spill() @ "util/sluice.c:spillway" { skip; }\nproc gen() @ "block/gen.c:made" { skip; }\n')
    found = states(capsys, 1)
    assert found == {
        "sluice_shut": "gone",
        "made": "gone",
        "spillway": "unreadable",
        "sluice_name": "new",
        "sluice_wait": "same",
        "SLUICE_WAIT_WHILE": "same",
        "gen_wrapper": "same",
    }
    assert main(["anchors", "--source", "src"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "recorded, and named by none of these models: util/sluice.c:sluice_open" in out
    assert "if a build makes it, name the build's folder" in out
    assert "a macro may make it" in out


def test_a_build_folder_has_what_the_sources_lack(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (place / "models" / "sluice.dsl").open("a") as file:
        file.write('proc gen() @ "block/gen.c:made" { skip; }\n')
    (place / "build" / "block").mkdir(parents=True)
    (place / "build" / "block" / "gen.c").write_text("int made(void) { return 0; }\n")
    assert states(capsys, 1)["made"] == "gone"
    assert states(capsys, 1, "--source", "build")["made"] == "new"


def test_annotations(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(place / "src" / "util" / "sluice.c", **{"height + 1": "height"})
    assert main(["anchors", "--source", "src", "--format", "github"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::warning file=models/sluice.dsl,line=3,title=util/sluice.c%3Asluice_open changed::")


def test_anchors_of_imported_files_count(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "models" / "sluice.dsl").rename(place / "models" / "part.dsl")
    edit(place / "models" / "part.dsl", **{'protocol sluice "water";\n': ""})
    (place / "models" / "whole.dsl").write_text('protocol whole "all";\nimport "part.dsl";\n')
    assert main(["anchors", "models/whole.dsl", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 5
    assert all(row["models"] == ["models/whole.dsl"] for row in rows)
    assert main(["anchors"]) == 0
    assert "5 anchored functions" in capsys.readouterr().out


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize("text", ["save_snapshot", "a.c", "a.c:b c", "/a/b.c:f", "../b.c:f", "x/../b.c:f", "a.c:2f", "a/:f", ""])
def test_malformed_anchors(place: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (place / "models" / "bad.dsl").write_text(f'proc p() @ "{text}" {{ skip; }}\n')
    assert main(["anchors", "--source", "src", "--record", "models/new.toml"]) == 2
    said = capsys.readouterr().err
    assert "models/bad.dsl:1:12: error[E0901]" in said
    assert not (place / "models" / "new.toml").exists()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("version = ", "not TOML"),
        ('version = "1"\n', "[functions]"),
        ('version = "1"\nwhat = 1\n[functions]\n', "nothing reads `what`"),
        ('version = "1"\n[functions]\n"a.c:f" = "yes"\n', "`a.c:f` has a list of digests"),
        ('version = "1"\n[functions]\n"a.c:f" = []\n', "`a.c:f` has a list of digests"),
    ],
)
def test_bad_records(place: Path, capsys: pytest.CaptureFixture[str], record: str, message: str) -> None:
    (place / "bad.toml").write_text(record)
    assert main(["anchors", "--source", "src", "--against", "bad.toml"]) == 2
    said = capsys.readouterr().err
    assert "error[E0902]" in said
    assert message in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "nowhere"], "no such folder"),
        (["--source", "models"], "error[E0903]"),
        (["--source", "src", "--against", "none.toml"], "error[E0101]: no record `none.toml`"),
        (["--record", "x.toml"], "need --source"),
        (["--source", "src", "--record", "x", "--against", "y"], "exclude each other"),
        (["none.dsl"], "no file or folder `none.dsl`"),
        (["src"], "no model below src"),
        (["--format", "github"], "nothing to annotate"),
        (["--format", "xml"], "unknown format `xml`"),
    ],
)
def test_usage(place: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["anchors", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_package_is_named(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, scope: Mapping[str, Any] | None = None, *rest: Any) -> Any:
        if name.startswith("tree_sitter"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, scope, *rest)

    from formal.anchors.definitions import _parser

    _parser.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["anchors", "--source", "src"]) == 2
    said = capsys.readouterr().err
    assert "needs the package tree_sitter" in said
    assert "formal[source]" in said


def test_the_shipped_models_name_functions(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["anchors"]) == 0
    assert "migration/savevm.c:qemu_savevm_state_setup " in capsys.readouterr().out
