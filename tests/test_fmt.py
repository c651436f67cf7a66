"""The layout: what it settles, what it leaves to the author, and that it never changes what a text means."""

from __future__ import annotations

import io
import random
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ModelText

from formal import formatting, limits
from formal.cli import main
from formal.diagnostics import InternalError, Source
from formal.formatting import formatted
from formal.formatting.items import Item, items_of
from formal.parser.reading import parse
from formal.syntax import Leaf, Tree

MODELS = Path(__file__).resolve().parent.parent / "models"
SHIPPED = sorted(MODELS.rglob("*.dsl"))
_BLANKS = ("", " ", "  ", "\t", "\n", "\n    ", " \n\n\n\t", "\f")


def laid_out(text: str) -> str:
    result = formatted(Source("t.dsl", text))
    assert result.text is not None, result.diagnostics[0].render()
    return result.text


def shape(nodes: tuple[Tree, ...]) -> object:
    return [(n.kind, n.text) if isinstance(n, Leaf) else (n.kind, shape(n.items)) for n in nodes]


def tree(text: str) -> object:
    items, diagnostics, _ = parse(Source("t.dsl", text))
    assert not diagnostics
    return shape(items)


def comments(text: str) -> list[str]:
    return [" ".join(c.split()) for c in re.findall(r'"(?:\\.|[^"\\\n])*"|(//[^\n]*|/\*.*?\*/)', text, re.DOTALL) if c]


def mangled(text: str, chance: random.Random, *, lines: bool) -> str:
    """Other blanks wherever blanks may stand; with `lines`, other line breaks, too. Comments keep their words and their place."""
    found = ""
    before: Item | None = None
    for item in items_of(Source("t.dsl", text)):
        gap = chance.choice(_BLANKS) if lines else "\n" * item.breaks + chance.choice(_BLANKS[:4])
        if before is not None and before.ends_line and "\n" not in gap:
            gap = "\n" + gap
        if item.ends_line and not item.breaks and not lines:
            gap = " " * (item.column - len(found[found.rfind("\n") + 1 :].expandtabs(8))) or " "
        words = before is not None and (found[-1:].isalnum() or found[-1:] == "_") and (item.text[0].isalnum() or item.text[0] == "_")
        found += (gap or (" " if words or item.is_comment or (before and before.is_comment) else "")) + item.text
        before = item
    return found + chance.choice(_BLANKS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(MODELS)))
def test_shipped_models_are_laid_out(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert laid_out(text) == text


@pytest.mark.parametrize("name", ["savevm.dsl", "multifd.dsl", "lib/qemu.dsl", "bugs/snapshot_job.dsl", "classic/abba_trylock.dsl"])
def test_the_layout_is_found_again(name: str) -> None:
    """Blanks and indentation follow from the text alone, but for the columns of trailing comments."""
    text = (MODELS / name).read_text(encoding="utf-8")
    squeezed = re.sub(r"(?m)^[ ]+", "", text)
    assert squeezed != text
    found = laid_out(squeezed)
    assert re.sub(r" +//", " //", found) == re.sub(r" +//", " //", text)


@pytest.mark.parametrize("name", ["multifd.dsl", "classic/peterson_store_buffer.dsl", "lib/runstate.dsl"])
@pytest.mark.parametrize("lines", [False, True])
def test_mangled_models_keep_their_meaning(name: str, lines: bool) -> None:
    text = (MODELS / name).read_text(encoding="utf-8")
    worse = mangled(text, random.Random(name), lines=lines)
    found = laid_out(worse)
    assert tree(found) == tree(text)
    assert comments(found) == comments(text)
    assert laid_out(found) == found


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_generated_models_keep_their_meaning(seed: int) -> None:
    chance = random.Random(seed)
    text = ModelText(chance.randrange).text()
    sprinkled = re.sub(r"([;{,])", lambda m: m.group() + chance.choice(("", "", "", " // c", " /* a\n b */")), text)
    sprinkled = re.sub(r"(// c)(?!\n)", r"\1\n", sprinkled)
    worse = mangled(sprinkled, chance, lines=True)
    found = laid_out(worse)
    assert tree(found) == tree(text)
    assert comments(found) == comments(sprinkled)
    assert laid_out(found) == found
    assert not re.search(r"[ \t]\n|\n\n\n|\A\n|[^\n]\Z", found)


LAYOUTS = [
    ("indentation", "thread t {\nskip;\n      skip;\n}", "thread t {\n    skip;\n    skip;\n}\n"),
    ("a tab is a blank", "thread\tt\t{\t}", "thread t { }\n"),
    ("one line stays one", "thread t { skip; skip; }", "thread t { skip; skip; }\n"),
    ("a block opens up whole", "thread t { skip;\nskip; }", "thread t {\n    skip;\n    skip;\n}\n"),
    ("an inner block opens the outer", "thread t { loop {\nskip; } }", "thread t {\n    loop {\n        skip;\n    }\n}\n"),
    (
        "braces join their head",
        "thread t\n{\nif (b)\n{ skip; }\nelse\n{ skip; }\n}",
        "thread t {\n    if (b) { skip; } else { skip; }\n}\n",
    ),
    ("what follows a block begins a line", "thread t {\nskip; } thread u { }", "thread t {\n    skip;\n}\nthread u { }\n"),
    ("one blank line", "mutex m;\n\n\n\nmutex n;", "mutex m;\n\nmutex n;\n"),
    ("none at a brace", "thread t {\n\nskip;\n\n}", "thread t {\n    skip;\n}\n"),
    ("a line goes on", "invariant a: b\n&& c;", "invariant a: b\n    && c;\n"),
    ("a label and its statement", "thread t {\nl:\nskip;\n}", "thread t {\n    l:\n    skip;\n}\n"),
    ("aligned with a bracket", "thread t {\n  p(aa,\n    bb);\n}", "thread t {\n    p(aa,\n      bb);\n}\n"),
    ("not aligned", "thread t {\n  p(aa,\n bb);\n}", "thread t {\n    p(aa,\n        bb);\n}\n"),
    ("enum", "enum e{A,\nB ,C,}", "enum e {\n    A,\n    B, C,\n}\n"),
    ("values", "bool a [2]={true ,false};", "bool a[2] = { true, false };\n"),
    ("unary and binary", "const A=-1- -2*(- 3);", "const A = -1 - -2 * (-3);\n"),
    ("ranges", "param P in - 1 .. 2*3=0;", "param P in -1..2 * 3 = 0;\n"),
    ("the two colons", "invariant i:c?forall v in t:a:b;", "invariant i: c ? forall v in t: a : b;\n"),
    ("a conditional in an index", "invariant a[b ?1:2]:x;".replace(":x", "==x"), "invariant a[b ? 1 : 2] == x;\n"),
    ("calls and keywords", "thread t{p ( a );if(b){await(c);}}", "thread t { p(a); if (b) { await (c); } }\n"),
    ("aio_wait_while", "thread t{aio_wait_while X[0](f(a));}", "thread t { aio_wait_while X[0] (f(a)); }\n"),
    ("negation", "invariant ! ( a )&&! b;", "invariant !(a) && !b;\n"),
    ("anchors", 'mutex m@"f:g";', 'mutex m @ "f:g";\n'),
    ("dots", "expect violated assert . p . 1;", "expect violated assert.p.1;\n"),
    ("semicolon behind an enum", "enum e { A }\n;", "enum e { A };\n"),
    ("trailing comments keep their column", "mutex m;    // a\nmutex nn;   // b", "mutex m;    // a\nmutex nn;   // b\n"),
    ("and stay together", "const A=1;//a\nconst B=2;//b", "const A = 1; //a\nconst B = 2; //b\n"),
    ("comments of their own", "thread t {\n// a\nskip;\n// b\n}", "thread t {\n    // a\n    skip;\n    // b\n}\n"),
    ("behind an opening brace", "thread t { // a\nskip; }", "thread t { // a\n    skip;\n}\n"),
    (
        "before else",
        "thread t {\nif (a) { b(); }\n// c\nelse { d(); }\n}",
        "thread t {\n    if (a) { b(); }\n    // c\n    else { d(); }\n}\n",
    ),
    ("inside of a line", "thread t { p(/* a */b/* c */); }", "thread t { p(/* a */ b /* c */); }\n"),
    ("over several lines", "thread t {\n/* a\n   b */\nskip;\n}", "thread t {\n    /* a\n       b */\n    skip;\n}\n"),
    ("nothing", "\n \n", ""),
    ("only a comment", "// a  \n\n", "// a\n"),
]


@pytest.mark.parametrize(("text", "wanted"), [row[1:] for row in LAYOUTS], ids=[row[0] for row in LAYOUTS])
def test_layout(text: str, wanted: str) -> None:
    assert laid_out(text) == wanted
    assert laid_out(wanted) == wanted


def test_broken_syntax_is_told_and_nothing_made() -> None:
    result = formatted(Source("t.dsl", "mutex m"))
    assert result.text is None
    assert [str(d.code) for d in result.diagnostics] == ["E0201"]


@pytest.mark.parametrize("wrong", ["mutex n;\n", "mutex m\n", "mutex m; // lost\n"])
def test_a_wrong_layout_is_never_given(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "written", lambda _: wrong)
    with pytest.raises(InternalError, match="nothing is written"):
        formatted(Source("t.dsl", "mutex m;"))


# ------------------------------------------------------------ the command

UGLY, TIDY = b"mutex   m;\r\n", b"mutex m;\n"


def test_files_and_folders_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "ugly.dsl").write_bytes(UGLY)
    (inner / "ugly.dsl").chmod(0o640)
    (inner / "other.txt").write_bytes(UGLY)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "hidden.dsl").write_bytes(UGLY)
    (tmp_path / "tidy.dsl").write_bytes(TIDY)
    (tmp_path / "link.dsl").symlink_to(inner / "ugly.dsl")
    assert main(["fmt", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(inner / "ugly.dsl")]
    assert told.err.strip() == "1 file changed, 1 already laid out"
    assert (inner / "ugly.dsl").read_bytes() == TIDY
    assert (inner / "ugly.dsl").stat().st_mode & 0o777 == 0o640
    assert (inner / "other.txt").read_bytes() == UGLY == (tmp_path / ".git" / "hidden.dsl").read_bytes()
    assert (tmp_path / "link.dsl").is_symlink()
    assert sorted(path.name for path in inner.iterdir()) == ["other.txt", "ugly.dsl"]


def test_check_and_diff_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ugly.dsl"
    file.write_bytes(b"mutex   m;\n")
    assert main(["fmt", "--check", str(file)]) == 1
    assert capsys.readouterr().out.splitlines() == [str(file)]
    assert main(["fmt", "--diff", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == ["-mutex   m;", "+mutex m;", " "]
    assert main(["fmt", "--diff", "--check", str(file)]) == 1
    assert file.read_bytes() == b"mutex   m;\n"
    file.write_bytes(TIDY)
    assert main(["fmt", "--check", "--diff", str(file)]) == 0


def test_a_broken_file_is_left_alone_and_others_are_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.dsl").write_bytes(b"mutex\n")
    (tmp_path / "latin.dsl").write_bytes(b"// \xe9\n")
    (tmp_path / "ugly.dsl").write_bytes(UGLY)
    assert main(["fmt", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "broken.dsl:1:6: error[E0201]" in told
    assert "error[E0103]" in told
    assert "2 cannot be parsed" in told
    assert (tmp_path / "broken.dsl").read_bytes() == b"mutex\n"
    assert (tmp_path / "ugly.dsl").read_bytes() == TIDY


def test_what_is_no_model_file_or_larger_than_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "large.dsl").write_text("//" + "x" * limits.FILE_BYTES)
    assert main(["fmt", "--check", str(tmp_path / "large.dsl"), "/dev/null"]) == 2
    told = capsys.readouterr().err
    assert "error[E0601]" in told
    assert "error[E0102]: `/dev/null` is no regular file" in told


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["\t", " ", "\n", ";", "/* b\tc */", "// d\n", "/*\n\te */"]), max_size=20))
def test_columns_are_those_of_the_line_with_its_tabs_expanded(pieces: list[str]) -> None:
    text = "".join(f"{piece} x{number:02}" for number, piece in enumerate(pieces))
    for item in items_of(Source("t.dsl", text)):
        if item.kind == "NAME":
            at = text.index(item.text)
            assert item.column == len(text[text.rfind("\n", 0, at) + 1 : at].expandtabs(8))


def _standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _standard_input(monkeypatch, UGLY)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == ("mutex m;\n", "")
    _standard_input(monkeypatch, b"mutex")
    assert main(["fmt", "-"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("<stdin>:1:6: error[E0201]")


@pytest.mark.parametrize("words", [["no_such.dsl"], ["-", "x.dsl"], ["."], ["a\0b"]])
def test_usage(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fmt", *words]) == 2
    assert capsys.readouterr().err.startswith("formal: error: ")
