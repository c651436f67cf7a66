"""`formal catalogue`: the table says what the models say, and models/README.md is that table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from formal.cli import main
from formal.library import Library

ROOT = Path(__file__).resolve().parent.parent

FILES = {
    "m/about.dsl": "// Two things. And more.\n",
    "m/good.dsl": """// A lock (A. B. Author, 1999): it is taken.
// And given back.
//
// What is abstracted:
// - all | else.

protocol good "a lock \\"L\\" and | a bar";

import "parts/shared.dsl";
param N in 1..4 = 1 + 1;

expect proved;
""",
    "m/bad.dsl": """// The same, broken by f_g() and *this*
protocol bad;
import "parts/shared.dsl";
param DEEP in bool = false;
expect violated deadlock.global within 7;
expect violated relock;
""",
    "m/bounded.dsl": 'protocol bounded "b";\nthread t { lock L; }\nmutex L;\nexpect proved up to 2 * 4;\n',
    "m/parts/shared.dsl": """// What both share.
//
// What is abstracted, beyond nothing:
// - The first thing, which takes more words than there is room for in a table, so that it is a link in each row that needs it.
// - The second thing.
//
// Not abstracted: this.

import "../parts/deeper.dsl";
mutex L;
thread t { lock L; unlock L; }
deadlock free;
""",
    "m/parts/deeper.dsl": "param M in 0..9 = 3;\n",
}


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(("catalogue", *words)) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def row(text: str, model: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| [{model}]"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_row_says_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    link = "[m/parts/shared.dsl](m/parts/shared.dsl#L3)"
    assert row(printed(capsys, "m"), "good") == [
        "[good](m/good.dsl)",
        'a lock "L" and \\| a bar',
        "A lock (A. B. Author, 1999): it is taken.",
        f"[m/good.dsl](m/good.dsl#L4)<br>{link}",
        "proved",
        "`N = 2`<br>`M = 3`",
    ]
    assert row(printed(capsys, "m"), "bad") == [
        "[bad](m/bad.dsl)",
        "",
        "The same, broken by f_g() and \\*this\\*",
        link,
        "violated `deadlock.global within 7`<br>violated `relock`",
        "`DEEP = false`<br>`M = 3`",
    ]
    assert row(printed(capsys, "m"), "bounded") == ["[bounded](m/bounded.dsl)", "b", "", "", "proved up to 2 * 4", ""]


def test_what_is_short_stands_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m/good.dsl").write_text(FILES["m/good.dsl"].replace('import "parts/shared.dsl";', ""), encoding="utf-8")
    assert row(printed(capsys, "m"), "good")[3] == "all \\| else."


def test_a_section_for_each_folder_and_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "m")
    assert "3 models, of which 2 are expected to be proved" in text
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == ["m", "m/parts"]
    assert "## m\n\nTwo things.\n\n| model |" in text
    assert "* [shared.dsl](m/parts/shared.dsl): What both share. In 2 models." in text
    assert "about.dsl" not in text


def test_links_start_from_the_file_that_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "m", "-o", "m/README.md")
    text = (tmp_path / "m/README.md").read_text(encoding="utf-8")
    assert row(text, "good")[0] == "[good](good.dsl)"
    assert "`formal catalogue m -o m/README.md`" in text
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert targets
    assert all((tmp_path / "m" / target).is_file() for target in targets)


def test_the_check_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("catalogue", "m", "-o", "m/README.md", "--check")
    assert main(words) == 1
    assert not (tmp_path / "m/README.md").exists()
    assert main(words[:-1]) == 0
    assert main(words) == 0
    before = (tmp_path / "m/README.md").read_text(encoding="utf-8")
    (tmp_path / "m/bad.dsl").unlink()
    capsys.readouterr()
    assert main(words) == 1
    assert "`formal catalogue m -o m/README.md` writes it" in capsys.readouterr().err
    assert (tmp_path / "m/README.md").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    "words",
    [("nowhere",), ("m/parts",), ("m", "--check"), ("m", "-o", "m/good.dsl"), ("m", "-o", "no/folder.md"), ("m", "-o", "m")],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(("catalogue", *words)) == 2
    said = capsys.readouterr()
    assert (said.out, said.err[:15]) == ("", "formal: error: ")


def test_a_model_that_cannot_be_read_is_a_diagnostic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m/bad.dsl").write_text("protocol bad;\nlock L;\n")
    assert main(("catalogue", "m", "-o", "m/README.md")) == 2
    assert "m/bad.dsl:2:1: error[E0201]" in capsys.readouterr().err
    assert not (tmp_path / "m/README.md").exists()


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("// One. Two.", "One."),
        ("// One since 7.2.9, e.g. here.\n// Two.", "One since 7.2.9, e.g. here."),
        ("// One\n//\n// Two.", "One"),
        ("// One\n// goes on", "One goes on"),
        ("//One.", "One."),
        ("mutex m; // One.", ""),
        ("", ""),
    ],
)
def test_first_sentences(tmp_path: Path, header: str, sentence: str) -> None:
    (tmp_path / "one.dsl").write_text(header + "\n")
    assert Library().file("one.dsl").first_sentence() == sentence


def test_the_page_of_the_models_is_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(("catalogue", "models", "-o", "models/README.md", "--check")) == 0


def test_every_folder_of_models_says_what_it_is_for() -> None:
    folders = {path.parent for path in (ROOT / "models").rglob("*.dsl")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "about.dsl").is_file()] == []
