"""Texts that were parsed before: what is read back is what parsing gives, and on any doubt it is parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from formal.diagnostics import Source
from formal.frontend import load
from formal.loader import read_model
from formal.parser import kept, reading
from formal.syntax import Leaf, Tree

ROOT = Path(__file__).resolve().parent.parent
TEXT = 'protocol p "a";\nmutex m;\nthread t { with m { skip; } }\n'


def plain(tree: Tree) -> object:
    below = tree.text if isinstance(tree, Leaf) else tuple(plain(item) for item in tree.items)
    return type(tree), tree.kind, tree.span.start, tree.span.end, below


def parsed(source: Source) -> list[object]:
    """As by a process that has parsed nothing yet."""
    kept.parse.cache_clear()
    nodes, problems, _ = kept.parse(source, keep=True)
    assert all(node.span.source is source for node in nodes)
    assert not problems
    return [plain(node) for node in nodes]


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where trees are kept, empty at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "formal" / "trees"


@pytest.mark.parametrize("path", sorted((ROOT / "models").rglob("*.dsl")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_read_back_is_what_was_parsed(path: Path, trees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    expected = [plain(node) for node in reading.parse(source)[0]]
    assert parsed(source) == expected
    assert len(list(trees.iterdir())) == 1
    monkeypatch.setattr(reading, "parse", lambda _: pytest.fail("parsed again"))
    assert parsed(source) == expected


@pytest.mark.parametrize("damage", [b"", b"x", b"0" * 64 + b"\n[]", b"\xff\n[]"])
def test_a_damaged_tree_is_none(damage: bytes, trees: Path) -> None:
    source = Source("a", TEXT)
    expected = parsed(source)
    (entry,) = trees.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(damage or good[:-9])
    assert parsed(source) == expected
    assert entry.read_bytes() == good


def test_another_text_or_another_way_to_read_it_is_another_tree(trees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed(Source("a", TEXT)) == parsed(Source("b", TEXT))
    assert len(list(trees.iterdir())) == 1
    assert parsed(Source("a", TEXT + "mutex n;")) != parsed(Source("a", TEXT))
    assert len(list(trees.iterdir())) == 2
    monkeypatch.setattr(kept, "_manner", lambda: "another grammar")
    parsed(Source("a", TEXT))
    assert len(list(trees.iterdir())) == 3


def test_mistakes_and_what_is_only_in_an_editor_are_not_kept(trees: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.dsl"
    path.write_text("protocol p; mutex", encoding="utf-8")
    assert load(str(path)).diagnostics == load(str(path)).diagnostics
    assert load(str(path)).program is None
    read_model(str(path), buffers={path.resolve(): TEXT})
    assert not trees.exists()
    path.write_text(TEXT, encoding="utf-8")
    assert load(str(path)).program is not None
    assert len(list(trees.iterdir())) == 1


def test_the_older_half_goes_when_there_are_too_many(trees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 4)
    for number in range(9):
        parsed(Source("a", f"mutex m{number};"))
        assert len(list(trees.iterdir())) <= 4
    parsed(Source("a", "mutex m8;"))


def test_without_a_safe_place_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "formal"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert parsed(Source("a", TEXT)) == parsed(Source("a", TEXT))
    assert not list(shared.iterdir())
