"""Every mistake is told once, with its code, at its line. The corpus says where: `//~ CODE …` on a line stands for exactly those
diagnostics with that line as their place, `//! CODE` for one that has no place in the text."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formal import limits
from formal.codes import Code
from formal.explain import explain, topics
from formal.frontend import Loaded, load, load_text

CORPUS = Path(__file__).parent / "diagnostics"
FILES = sorted(CORPUS.glob("*.dsl"))
# Codes that no text of a model can show: they are about files and the command line, about logs (tests/test_conform.py), about
# C sources (tests/test_anchors.py), about contracts (tests/test_contracts.py).
ELSEWHERE = {Code.CONTRACT, Code.FILE_ENCODING, Code.PARAM_UNKNOWN, Code.PARAM_VALUE, Code.COMMAND_WORD, Code.FILE_EXISTS}
ELSEWHERE |= {code for code in Code if code.code.startswith(("E08", "E09"))}
SMALL = "protocol t;\nparam N in 1..4 = 2;\nmutex m[N];\nthread a {\n    lock m[0];\n    unlock m[0];\n}\n"


def wanted(text: str) -> Counter[tuple[int | None, str]]:
    """The (line, code) pairs that the markers of a file stand for."""
    found: Counter[tuple[int | None, str]] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        for kind, codes in re.findall(r"//([~!])((?: [EW]\d{4})+)", line):
            found.update((number if kind == "~" else None, code) for code in codes.split())
    return found


def told(loaded: Loaded) -> Counter[tuple[int | None, str]]:
    return Counter((d.span.line if d.span else None, d.code.code) for d in loaded.diagnostics)


def codes(loaded: Loaded) -> list[str]:
    return [d.code.code for d in loaded.diagnostics]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_corpus_is_told_exactly(path: Path) -> None:
    loaded = load(str(path))
    expected = wanted(path.read_text())
    assert told(loaded) == expected, "\n".join(d.render() for d in loaded.diagnostics)
    assert (loaded.program is None) == any(code.startswith("E") for _, code in expected)


def test_every_code_has_its_place_in_the_corpus() -> None:
    shown = {code for path in FILES for _, code in wanted(path.read_text())}
    assert {code.code for code in Code} - {code.code for code in ELSEWHERE} == shown


def test_codes_are_unique_and_explained() -> None:
    assert len({code.code for code in Code}) == len(Code)
    for topic in topics():
        text = explain(topic)
        assert text is not None
        assert "For example:" in text, topic
    assert explain("E9999") is None


@pytest.mark.parametrize(
    ("defines", "code"),
    [
        ({"M": "1"}, "E0105"),
        ({"N": "5"}, "E0106"),
        ({"N": "x"}, "E0106"),
        ({"N": "9" * 5000}, "E0106"),
        ({"N": "²"}, "E0106"),
        ({"N": ""}, "E0106"),
    ],
)
def test_defines(defines: dict[str, str], code: str) -> None:
    loaded = load_text(SMALL, defines=defines)
    assert codes(loaded) == [code]
    assert loaded.program is None


def test_a_define_changes_the_model() -> None:
    loaded = load_text(SMALL, defines={"N": "4"})
    assert loaded.program is not None
    assert loaded.program.parameters == {"N": 4}
    assert loaded.program.mutexes[0].size == 4


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.dsl").write_bytes(b"protocol t; // caf\xe9\n")
    (tmp_path / "big.dsl").write_text("//" + "x" * limits.FILE_BYTES)
    (tmp_path / "empty.dsl").write_text("")
    assert codes(load(str(tmp_path / "missing.dsl"))) == ["E0101"]
    assert codes(load(str(tmp_path))) == ["E0102"]
    assert codes(load(str(tmp_path / "latin.dsl"))) == ["E0103"]
    assert codes(load(str(tmp_path / "big.dsl"))) == ["E0601"]
    assert codes(load(str(tmp_path / "empty.dsl"))) == ["E0107"]
    assert codes(load("nul\0byte.dsl")) in (["E0101"], ["E0102"])


def test_a_byte_that_is_no_text_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "latin.dsl").write_bytes(b"\xef\xbb\xbfmutex m;\r\nmutex caf\xe9;\r\n")
    (tmp_path / "main.dsl").write_text('protocol t;\nimport "latin.dsl";\n')
    (told,) = load(str(tmp_path / "main.dsl")).diagnostics
    assert told.span is not None
    assert (told.code.code, Path(told.span.source.path).name, told.span.line, told.span.column) == ("E0103", "latin.dsl", 2, 10)
    assert [(note.text, note.span.line) for note in told.notes] == [("imported here", 2)]


def test_a_link_that_leads_in_a_circle_leads_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "circle.dsl").symlink_to("circle.dsl")
    (tmp_path / "main.dsl").write_text('protocol t;\nimport "circle.dsl";\n')
    assert codes(load(str(tmp_path / "circle.dsl"))) == ["E0101"]
    assert codes(load(str(tmp_path / "main.dsl"))) == ["E0101"]


def test_imports_may_meet_again_and_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.dsl").write_text('protocol a;\nimport "b.dsl";\nimport "c.dsl";\nthread t { lock m; unlock m; }\n')
    (tmp_path / "b.dsl").write_text('import "c.dsl";\nimport "a.dsl";\nmutex m;\n')
    (tmp_path / "c.dsl").write_text("const C = 1;\n")
    loaded = load(str(tmp_path / "a.dsl"))
    assert loaded.program is not None, codes(loaded)


def test_imported_files_are_named_without_a_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("lib/deep", "callbacks", "elsewhere/inner"):
        Path(name).mkdir(parents=True)
    Path("a.dsl").write_text('protocol a;\nimport "callbacks/ram.dsl";\nimport "link/../other.dsl";\nthread t { lock m; unlock m; }\n')
    Path("callbacks/ram.dsl").write_text('import "../lib/deep/../locks.dsl";\n')
    Path("lib/locks.dsl").write_text("mutex m;\n")
    Path("link").symlink_to("elsewhere/inner")
    Path("elsewhere/other.dsl").write_text("const C = 1;\n")
    loaded = load("a.dsl")
    assert loaded.program is not None, codes(loaded)
    names = [source.path for source in loaded.program.sources]
    assert names == ["a.dsl", "callbacks/ram.dsl", "lib/locks.dsl", "link/../other.dsl"]  # the last is not other.dsl: link leads elsewhere
    assert [Path(name).exists() for name in names] == [True] * 4


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    inside, outside = tmp_path / "model", tmp_path / "secret.dsl"
    inside.mkdir()
    outside.write_text("mutex m;\n")
    (inside / "link.dsl").symlink_to(outside)
    (inside / "a.dsl").write_text('protocol a;\nimport "link.dsl";\nthread t { lock m; unlock m; }\n')
    assert codes(load(str(inside / "a.dsl"))) == ["E0104"]


def test_extra_files_register_their_callbacks_last(tmp_path: Path) -> None:
    (tmp_path / "a.dsl").write_text(
        "protocol a;\nhook h;\ncallback f for h { skip; }\nmutex m;\nthread t { lock m; invoke h; unlock m; }\n"
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "g.dsl").write_text("callback g for h requires holds(m) { skip; }\n")
    loaded = load(str(tmp_path / "a.dsl"), extra=[str(tmp_path / "more" / "g.dsl")])
    assert loaded.program is not None, codes(loaded)
    assert loaded.program.hooks == {"h": ("f", "g")}


def test_line_ends_tabs_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.dsl"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("    ", "\t").replace("\n", "\r\n").encode())
    loaded = load(str(path))
    assert loaded.program is not None
    assert not loaded.diagnostics


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "protocol t;\nmutex BQL;\nthread a { lock BLQ; }\n",
            [
                "t:3:17: error[E0301]: unknown name `BLQ`",
                "  3 | thread a { lock BLQ; }",
                "    |                 ^^^",
                "  = help: did you mean `BQL`?",
            ],
        ),
        (
            "protocol t;\nthread a { skip;",
            ["t:2:17: error[E0201]: the text ends here; expected a statement or `}`", "  2 | thread a { skip;", "    |                 ^"],
        ),
        (
            "protocol t;\nthread a {\n\tlock x;\n}\n",
            ["t:3:7: error[E0301]: unknown name `x`", "  3 |  lock x;", "    |       ^"],
        ),
        (
            'protocol t "Grüße";\nmutex m;\nmutex m;\n',
            [
                "t:3:7: error[E0302]: `m` is declared twice",
                "  3 | mutex m;",
                "    |       ^",
                "  t:2:7: declared here",
                "  2 | mutex m;",
                "    |       ^",
            ],
        ),
        (
            'protocol t;\nthread a { assert "ü" ; }\n',
            [
                't:2:19: error[E0201]: unexpected `"ü"`; expected an expression',
                '  2 | thread a { assert "ü" ; }',
                "    |                   ^^^",
            ],
        ),
    ],
    ids=["suggestion", "end of text", "tab", "two places", "non-ASCII"],
)
def test_rendering(text: str, shown: list[str]) -> None:
    assert load_text(text, "t").diagnostics[0].render().splitlines() == shown


def test_a_long_line_is_cut_around_the_caret() -> None:
    rendered = load_text("protocol t; thread a { " + "skip; " * 60 + "lock x; }\n", "t").diagnostics[0].render()
    assert all(len(line) <= 80 for line in rendered.splitlines())
    source, carets = rendered.splitlines()[1:3]
    assert source[carets.index("^")] == "x"


@pytest.mark.parametrize("count", [100_000])
def test_depth_is_refused_before_it_hurts(count: int) -> None:
    for text in (
        "(" * count,
        "{" * count,
        "thread a { x = " + "!" * count + "x; }",
        "thread a { x = " + "-" * count + "1; }",
        "thread a { a: " * count,
    ):
        loaded = load_text("protocol t;\n" + text)
        assert loaded.program is None
        assert loaded.diagnostics


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066"])
def test_what_a_terminal_would_obey_is_refused_in_strings_and_comments_too(character: str) -> None:
    for text in (f'protocol t "a{character}b";', f"protocol t; // {character}", f"protocol t; {character}"):
        (told,) = load_text(text).diagnostics
        assert told.span is not None
        assert (told.code.code, told.span.start) == ("E0202", text.index(character))
        assert f"U+{ord(character):04X}" in told.render()
        assert character not in told.render()


@pytest.mark.parametrize("operand", ["!", "true && "])
def test_what_is_too_deep_is_pointed_at(operand: str) -> None:
    (told,) = load_text(f"protocol t;\n\nthread a {{\n    await {operand * 150}true;\n}}\n").diagnostics
    assert told.span is not None
    assert (told.code.code, told.span.line) == ("E0602", 4)
    assert told.span.column > len("    await")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_gives_diagnostics_only(text: str) -> None:
    assert load_text(text).program is None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(0, 2000),
    st.integers(0, 40),
    st.sampled_from(["", "{", "}", ";", "(", "[", "lock", "0..", "\x00", '"', "/*", "9" * 30, "self", "m"]),
)
def test_a_damaged_model_gives_diagnostics_only(place: int, length: int, insert: str) -> None:
    text = (Path(__file__).parent / "diagnostics" / "kinds.dsl").read_text()
    at = place % len(text)
    load_text(text[:at] + insert + text[at + length :])
