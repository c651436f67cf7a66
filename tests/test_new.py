"""`formal new callback`: what it writes works as it stands and with every example in it taken up; what it cannot use is a diagnostic."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from formal.cli import main
from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load
from formal.verdict import Verdict

WORDS = ("new", "callback", "my_device", "--for", "save_setup")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def taken_up(text: str) -> str:
    """The text with the examples in its comments as declarations and statements."""
    return re.sub(r"^( *)// {5}(?!\$)", r"\1", text, flags=re.MULTILINE)


def verdicts(model: str, file: str) -> set[Verdict]:
    """What the explicit engine says of the model with the file, which nothing may be said against."""
    loaded = load(model, {}, (file,))
    assert [diagnostic.render() for diagnostic in loaded.diagnostics] == []
    assert loaded.program is not None
    assert "requires.my_device_save_setup" in {prop.name for prop in loaded.program.properties}
    events: list[Event] = []
    explicit.run(loaded.program, Options(tuple(prop.name for prop in loaded.program.properties)), events.append)
    return {event.verdict for event in events if isinstance(event, Finding)}


def test_what_it_writes_is_proved_where_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(WORDS) == 0
    text = (tmp_path / "my_device.dsl").read_text(encoding="utf-8")
    (tmp_path / "all.dsl").write_text(taken_up(text), encoding="utf-8")
    told = capsys.readouterr().out
    models = re.findall(r"formal prove (\S+) --with my_device\.dsl$", told, re.MULTILINE)
    assert models
    assert models == re.findall(r"formal prove (\S+) --with my_device\.dsl$", text, re.MULTILINE)
    assert any(model.endswith("models/savevm_locked.dsl") for model in models)
    for model in models:
        assert verdicts(model, "my_device.dsl") == {Verdict.PROVED}
        assert verdicts(model, "all.dsl") == {Verdict.PROVED}


def test_the_examples_are_all_there_is_to_say(tmp_path: Path) -> None:
    main(WORDS)
    text = (tmp_path / "my_device.dsl").read_text(encoding="utf-8")
    code = taken_up(text)
    examples = (
        "requires holds(BQL)",
        "mutex my_device_lock",
        "bdrv_poll_co(",
        "spawn ",
        "join ",
        "qemu_mutex_unlock_iothread();",
        "assert ",
    )
    for example in examples:
        assert example in code
    assert max(map(len, text.splitlines())) <= 140


def test_the_function_is_the_anchor(tmp_path: Path) -> None:
    assert main((*WORDS, "--function", "hw/misc/foo.c:foo_save", "-o", "other.dsl")) == 0
    text = (tmp_path / "other.dsl").read_text(encoding="utf-8")
    assert '@ "hw/misc/foo.c:foo_save" {' in text
    assert '@ "hw/misc/foo.c:my_device_worker" {' in text
    assert not (tmp_path / "my_device.dsl").exists()


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my_device.dsl"
    file.write_text("mine")
    assert main(WORDS) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "command line:1:21: error[E0110]: `my_device.dsl` is there already" in said.err
    assert "--force" in said.err
    assert file.read_text() == "mine"
    assert main((*WORDS, "--force")) == 0
    assert "callback my_device_save_setup for save_setup" in file.read_text()


def test_not_even_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "my_device.dsl").symlink_to("nowhere")
    assert main(WORDS) == 2
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("words", "code", "column", "hint"),
    [
        (("lock", "--for", "save_setup"), "E0109", 21, "`lock` is a keyword"),
        (("3com", "--for", "save_setup"), "E0109", 21, "no digit first"),
        (("a-b", "--for", "save_setup"), "E0109", 21, "letters"),
        (("a; mutex b", "--for", "save_setup"), "E0109", 21, "letters"),
        (("é", "--for", "save_setup"), "E0109", 21, "letters"),
        (("ram", "--for", "save_setup"), "E0302", 21, "another name"),
        (("dev", "--for", "save_stup"), "E0301", 31, "did you mean `save_setup`?"),
        (("dev", "--for", "zzz"), "E0301", 31, "the shipped models have `save_setup`"),
        (("dev", "--for", "save_setup", "--function", "foo"), "E0109", 53, "file:function"),
        (("dev", "--for", "save_setup", "--function", 'a" {}:b'), "E0109", 53, "file:function"),
    ],
)
def test_words_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str, column: int, hint: str
) -> None:
    assert main(("new", "callback", *words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"command line:1:{column}: error[{code}]: ")
    assert hint in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("new",),
        ("new", "callback", "dev"),
        ("new", "thread", "dev", "--for", "save_setup"),
        (*WORDS, "-o", "no/such/folder.dsl"),
        (*WORDS, "-o", "."),
        (*WORDS, "-o", "a\nb"),
        ("new", "callback", "x" * 5000, "--for", "save_setup"),
    ],
)
def test_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("formal: error: ")
    assert list(tmp_path.iterdir()) == []


def test_the_file_alone_is_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    """One thing is said, and it is what to do; not that every name of the models is unknown."""
    main(WORDS)
    capsys.readouterr()
    assert main(("check", "my_device.dsl")) == 2
    said = capsys.readouterr().err
    assert said.count("error[") == 1
    assert "error[E0107]: `my_device.dsl` has no `protocol` line" in said
    assert "`save_setup`" in said
    assert "--with my_device.dsl" in said


def test_a_mistake_in_the_file_alone_is_still_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "part.dsl").write_text("callback f for save_setup { lock lock; }")
    assert main(("check", "part.dsl")) == 2
    assert "error[E0201]" in capsys.readouterr().err
