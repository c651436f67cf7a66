"""The language server: what it knows (looked at directly), and what an editor sees of it (through a real client)."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from formal.cli import main
from formal.diagnostics import Source
from formal.explain import topics
from formal.frontend import load
from formal.frontend.names import BUILTIN_FUNCTIONS
from formal.lsp.checking import check, merged
from formal.lsp.completing import complete
from formal.lsp.describing import describe
from formal.lsp.meanings import explained, functions, meaning
from formal.lsp.outline import outline
from formal.lsp.positions import Places
from formal.lsp.project import Project
from formal.lsp.repair import readable
from formal.lsp.symbols import Found, RenameError, find, find_symbol, rename
from formal.parser.reading import keywords

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")

LIB = """// The lock that everybody needs.
mutex big_lock @ "util/lock.c:big_lock";
bool ready = false;  // set once

proc take(ref bool flag) requires !holds(big_lock) @ "util/lock.c:take" {
    taking: lock big_lock;
    flag = LIMIT > 1;
}
"""
MODEL = """protocol model "a model";
import "lib.dsl";

const LIMIT = 2;
enum phase { NEW, OLD }
phase now;

thread t[i: 2] {
    0..3 count_ = i;
    take(ready);
    now = OLD;
    critical: skip;
    unlock big_lock;
}

invariant one: (number of v in t: at(v, critical)) <= 1;
invariant taken: forall v in t: at(v, critical) implies holds(v, big_lock);
deadlock free;
expect proved;
"""
OTHER = """protocol other "another model";
import "lib.dsl";
const LIMIT = 3;
thread solo { bool mine; critical: take(mine); unlock big_lock; }
deadlock free;
expect violated invariant.never within LIMIT;
invariant never: !at(solo, take.taking);
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the editor of this module has open."""
    return tmp_path_factory.mktemp("workspace").resolve()


@pytest.fixture
def folder(workspace: Path, request: pytest.FixtureRequest) -> Path:
    """A part, and two models that it is a part of: a folder for each test, in the workspace."""
    made = workspace / str(abs(hash(request.node.name)))
    made.mkdir()
    (made / "lib.dsl").write_text(LIB)
    (made / "model.dsl").write_text(MODEL)
    (made / "other.dsl").write_text(OTHER)
    return made


@pytest.fixture
def project(folder: Path) -> Project:
    return Project([folder])


def place(text: str, marked: str) -> int:
    """The offset of `|` in a piece of the text; the mark itself is not in the text."""
    before, _, behind = marked.partition("|")
    assert text.count(before + behind) == 1, marked
    return text.index(before + behind) + len(before)


def found_at(project: Project, file: str, marked: str) -> Found:
    path = project.folders[0] / file
    parsed = project.parsed(path)
    assert parsed is not None
    found = find(project, path, place(parsed.source.text, marked))
    assert found is not None
    return found


def lines(found: Found) -> list[str]:
    return [f"{path.name}:{one.span.line}" for path, ones in found.places.items() for one in ones]


# ------------------------------------------------------------ names


SYMBOLS = [
    ("model.dsl", "unlock big|_lock", ["lib.dsl:2", "lib.dsl:5", "lib.dsl:6", "model.dsl:13", "model.dsl:17", "other.dsl:4"]),
    ("lib.dsl", "LIMIT| >", ["lib.dsl:7", "model.dsl:4", "other.dsl:3", "other.dsl:6"]),
    ("lib.dsl", "flag| =", ["lib.dsl:5", "lib.dsl:7"]),
    ("model.dsl", "i|: 2", ["model.dsl:8", "model.dsl:9"]),
    ("model.dsl", "now = OLD|", ["model.dsl:5", "model.dsl:11"]),
    ("model.dsl", "phase now|", ["model.dsl:6", "model.dsl:11"]),
    ("model.dsl", "critical|: skip", ["model.dsl:12", "model.dsl:16", "model.dsl:17"]),
    ("other.dsl", "take.|taking", ["lib.dsl:6", "other.dsl:7"]),
    ("other.dsl", "invariant.nev|er", ["other.dsl:6", "other.dsl:7"]),
    ("model.dsl", "forall |v in", ["model.dsl:17", "model.dsl:17", "model.dsl:17"]),
    ("model.dsl", "of |v in", ["model.dsl:16", "model.dsl:16"]),
]


@pytest.mark.parametrize(("file", "marked", "wanted"), SYMBOLS, ids=[f"{row[0]} {row[1]}" for row in SYMBOLS])
def test_references(project: Project, file: str, marked: str, wanted: list[str]) -> None:
    assert lines(found_at(project, file, marked)) == wanted


def test_what_two_models_declare_is_declared_twice(project: Project) -> None:
    found = found_at(project, "lib.dsl", "LIMIT| >")
    assert [f"{path.name}:{one.span.line}" for path, one in found.declarations()] == ["model.dsl:4", "other.dsl:3"]


TWINS = """protocol twins;
const N = 2;
enum e { ONE, TWO }
thread a { bool e; for x in e { skip; } 0..3 N; N = N; for y in 0..N { skip; } here: skip; assert at(self, here); }
thread b[i: 2] { here: skip; there: skip; }
invariant in_a: !at(a, here);
invariant in_b: forall v in b: !at(v, here) && !at(b[0], here) && !at(a, b.here) && !at(a, there);
"""
NAMED_TWICE = [
    ("thread a { bool e; for x in |e {", [3, 4]),
    ("thread a { bool |e;", [4]),
    ("0..|N", [2, 4]),
    ("|N = N;", [4, 4, 4]),
    ("invariant in_a: !at(a, |here", [4, 4, 6]),
    ("!at(v, |here", [5, 7, 7, 7]),
    ("!at(a, |there", [5, 7]),
]


@pytest.mark.parametrize(("marked", "wanted"), NAMED_TWICE, ids=[row[0] for row in NAMED_TWICE])
def test_names_that_are_used_twice(folder: Path, marked: str, wanted: list[int]) -> None:
    project = Project([folder], {folder / "twins.dsl": TWINS})
    assert [int(line.partition(":")[2]) for line in lines(found_at(project, "twins.dsl", marked))] == wanted


@pytest.mark.parametrize(
    "model", ["savevm_locked", "multifd_sync_locked", "bugs/snapshot_job_in_iohandler", "classic/peterson_fenced", "save_setup/all"]
)
def test_every_name_of_a_model_can_be_another(model: str) -> None:
    """All symbols get new names at once. What was found too much, too little or in the wrong place makes a model with mistakes."""
    project = Project([ROOT / "models"])
    root = ROOT / "models" / f"{model}.dsl"
    edits: dict[Path, dict[tuple[int, int], str]] = {}
    known: dict[object, str] = {}
    for file in project.closure(root):
        parsed = project.parsed(file)
        assert parsed is not None
        assert parsed.whole
        for one in parsed.occurrences:
            if one.declared is not None and one.symbol.name != "idle":
                key = (one.symbol, file) if one.symbol.kind == "local" else one.symbol
                name = known.setdefault(key, f"s{len(known)}")
                for path, ones in find_symbol(project, file, one.symbol, {root: project.closure(root)}).places.items():
                    edits.setdefault(path, {}).update({(other.span.start, other.span.end): name for other in ones})
    buffers = {}
    for path, changes in edits.items():
        text = path.read_text(encoding="utf-8")
        for (start, end), name in sorted(changes.items(), reverse=True):
            text = text[:start] + name + text[end:]
        buffers[path] = text
    before, after = load(str(root)), load(str(root), buffers=buffers)
    assert [d.render() for d in after.diagnostics if d.is_error] == []
    assert before.program is not None
    assert after.program is not None
    assert len(after.program.properties) == len(before.program.properties)
    assert {kept for text in buffers.values() for kept in re.findall(r"\w+", re.sub(r'//[^\n]*|"[^"\n]*"', "", text))} <= (
        set(known.values()) | keywords() | set(BUILTIN_FUNCTIONS) | {"idle", root.stem, "global", "partial", "lock_order"} | set(topics())
    ) | {str(n) for n in range(300)}


RENAMES = [
    ("model.dsl", "unlock big|_lock", "9x", "no name"),
    ("model.dsl", "unlock big|_lock", "lock", "keyword"),
    ("model.dsl", "unlock big|_lock", "holds", "function of the language"),
    ("model.dsl", "unlock big|_lock", "solo", r"other.dsl:4"),
    ("model.dsl", "unlock big|_lock", "flag", "another `flag` is seen"),
    ("lib.dsl", "flag| =", "big_lock", "another `big_lock` is seen"),
    ("model.dsl", "count|_ = i", "i", "has a local `i` already"),
    ("model.dsl", "invariant on|e", "taken", "declared already, in model.dsl:17"),
    ("model.dsl", "critical|: skip", "idle", "meaning of its own"),
    ("model.dsl", "deadlock fr|ee", "x", "no name here"),
]


@pytest.mark.parametrize(("file", "marked", "name", "why"), RENAMES, ids=[f"{row[1]} {row[2]}" for row in RENAMES])
def test_renames_that_are_refused(project: Project, file: str, marked: str, name: str, why: str) -> None:
    path = project.folders[0] / file
    with pytest.raises(RenameError, match=why):
        rename(project, path, place(path.read_text(), marked), name)


def test_renames_that_cannot_be_seen_through(project: Project, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project.buffers[folder / "other.dsl"] = OTHER + '$"'
    with pytest.raises(RenameError, match=r"other\.dsl has a syntax error"):
        rename(project, folder / "lib.dsl", LIB.index("big_lock"), "qemu_lock")
    elsewhere = Project([tmp_path_factory.mktemp("elsewhere")], {folder / "model.dsl": MODEL})
    with pytest.raises(RenameError, match="outside of the folders"):
        rename(elsewhere, folder / "model.dsl", place(MODEL, "unlock big|_lock"), "qemu_lock")


# ------------------------------------------------------------ words


def test_every_keyword_has_a_meaning() -> None:
    assert explained() == keywords()
    assert set(functions()) == set(BUILTIN_FUNCTIONS)
    assert all(meaning(word) for word in (*keywords(), *functions(), *topics()))


DESCRIPTIONS = [
    (
        "model.dsl",
        "unlock big|_lock",
        ["mutex big_lock", "mutex in `lib.dsl:2`", "stands for `util/lock.c:big_lock`", "The lock that everybody needs."],
    ),
    ("model.dsl", "take(read|y)", ["bool ready = false", "variable", "set once"]),
    ("model.dsl", "ta|ke(ready)", ["proc take(ref bool flag) requires !holds(big_lock)", "procedure"]),
    ("lib.dsl", "LIMIT| >", ["constant in `model.dsl:4`", "constant in `other.dsl:3`"]),
    ("lib.dsl", "fl|ag =", ["ref bool flag", "the thing itself"]),
    ("model.dsl", "now = OL|D", ["member of `phase`"]),
    ("model.dsl", "dead|lock free", ["deadlock.partial"]),
    ("model.dsl", "hol|ds(v", ["owns mutex L"]),
    ("model.dsl", '"li|b.dsl"', ["The lock that everybody needs."]),
    ("lib.dsl", "tak|ing:", ["taking: lock big_lock;", "label"]),
]


@pytest.mark.parametrize(("file", "marked", "wanted"), DESCRIPTIONS, ids=[f"{row[0]} {row[1]}" for row in DESCRIPTIONS])
def test_descriptions(project: Project, file: str, marked: str, wanted: list[str]) -> None:
    path = project.folders[0] / file
    described = describe(project, path, place(path.read_text(), marked))
    assert described is not None
    for text in wanted:
        assert text in described.text


def test_nothing_is_said_of_comments_and_blanks(project: Project, folder: Path) -> None:
    assert describe(project, folder / "lib.dsl", LIB.index("lock that")) is None
    assert describe(project, folder / "model.dsl", MODEL.index("    unlock") + 1) is None


# ------------------------------------------------------------ completion


def proposed(project: Project, folder: Path, text: str) -> dict[str, str]:
    path = folder / "new.dsl"
    project.buffers[path] = text
    return {one.text: one.kind for one in complete(project, path, len(text))}


BEGUN = (
    'import "lib.dsl";\nsem s max 1;\nenum e { ONE, TWO }\nhook h;\ncontext c;\n'
    "proc q(ref mutex m, 0..3 n) { lab: skip; if (n > 1) { bool inner; } bool b;\n"
)
COMPLETIONS = [
    ("", {"mutex", "proc", "invariant"}, {"lock", "if", "self"}),
    ("mut", {"mutex"}, set()),
    ("mutex ", set(), {"s", "mutex"}),
    (BEGUN, {"lock", "q", "take", "n", "b", "e", "if"}, {"s", "big_lock", "m", "inner", "mutex", "self"}),
    (BEGUN + "lock ", {"big_lock", "m"}, {"s", "n", "true", "lock"}),
    (BEGUN + "lock bi", {"big_lock", "m"}, {"s"}),
    (BEGUN + "wait ", {"s"}, {"big_lock"}),
    (BEGUN + "invoke ", {"h", "any"}, {"s"}),
    (BEGUN + "poll ", {"c"}, {"s"}),
    (BEGUN + "poll c ", {"blocking"}, {"c"}),
    (BEGUN + "b = ", {"true", "forall", "holds", "ready", "n", "take", "ONE"}, {"big_lock", "result", "inner"}),
    (BEGUN + "await holds(", {"big_lock", "m", "self"}, {"s", "n", "true"}),
    (BEGUN + "for v in ", {"thread", "e"}, {"s", "true"}),
    (BEGUN + "for ", set(), {"s", "q"}),
    (BEGUN + "lock oops oops; unlock ", {"big_lock", "m"}, {"s"}),
    (BEGUN + "choose { } ", {"or"}, set()),
    (BEGUN + "// lock ", set(), {"big_lock"}),
    (BEGUN + 'assert b "lock ', set(), {"big_lock"}),
    (BEGUN + "} callback f for ", {"h"}, {"s", "q"}),
    (BEGUN + "} bh x on ", {"c"}, {"s"}),
    (BEGUN + "} thread t { } invariant at(", {"t"}, {"s"}),
    (BEGUN + "} thread t { } invariant at(t, ", {"lab", "taking"}, {"s"}),
    (BEGUN + "} thread t { } invariant at(t, take.", {"taking"}, {"lab", "s"}),
    (BEGUN + "} thread_local bool tl; invariant t.", {"tl"}, {"s", "ready"}),
    (BEGUN + "} invariant x: ready;\nexpect violated inv", {"invariant.x", "relock", "deadlock.global", "requires.take"}, {"s"}),
    ('import "', {"lib.dsl", "model.dsl", "lib/qemu.dsl"}, {"new.dsl"}),
]


@pytest.mark.parametrize(("text", "some", "none"), COMPLETIONS, ids=[row[0][-24:].replace("\n", " ") for row in COMPLETIONS])
def test_completion(project: Project, folder: Path, text: str, some: set[str], none: set[str]) -> None:
    found = set(proposed(project, folder, text))
    assert some - found == set()
    assert none & found == set()


# ------------------------------------------------------------ texts that are being written


@pytest.mark.parametrize(
    "typed", ["lock ", "lock\n", "if (", "x = ", "wait s with", "0..", "assert foo: ", "choose { lock ", "q(1, ", "else {", "poll c block"]
)
def test_names_around_half_a_statement_are_found(typed: str) -> None:
    text = f"mutex a;\nthread t {{\n    first: skip;\n    {typed}\n    last: lock a;\n}}\nmutex b;\n"
    items, _ = readable(Source("t.dsl", text))
    assert {"mutex", "thread"} <= {item.kind for item in items}
    assert [str(item.leaves()[0]) for item in items if item.kind == "mutex"] == ["a", "b"]
    inside = [str(node.items[0]) for item in items for node in item.walk() if node.kind == "labelled"]
    assert "first" in inside or "last" in inside


def test_an_unfinished_end_is_closed() -> None:
    items, whole = readable(Source("t.dsl", "mutex a;\nthread t {\n    loop {\n        lock a;\n"))
    assert not whole
    assert [item.kind for item in items] == ["mutex", "thread"]


def test_parts_are_checked_by_themselves_and_in_their_models(project: Project, folder: Path) -> None:
    path = folder / "lib.dsl"
    assert check(project, path)[path] == ()  # LIMIT is the models' affair
    project.buffers[path] = LIB.replace("lock big_lock;", "lock ready;").replace("LIMIT", "LIMITS")
    assert [d.code.code for d in check(project, path)[path]] == ["E0402"]
    one, other = (check(project, folder / name) for name in ("model.dsl", "other.dsl"))
    assert [d.code.code for d in merged((one, other), path)] == ["E0402", "E0301"]  # each thing once


def test_mistakes_of_shipped_models_are_told_where_they_are(project: Project, folder: Path) -> None:
    path = folder / "model.dsl"
    project.buffers[path] = 'protocol p;\nimport "lib/qemu.dsl";\nthread t { qemu_mutex_lock_iothread(); }\n'  # and no main_loop
    library = (ROOT / "models" / "lib" / "qemu.dsl").resolve()
    assert [d.code.code for d in check(project, path)[library]] == ["E0301"]


def test_states_are_looked_at_if_asked(project: Project, folder: Path) -> None:
    path = folder / "model.dsl"
    project.buffers[path] = MODEL.replace("critical: skip;", "if (!ready) { critical: skip; }")
    assert check(project, path)[path] == ()
    assert [d.code.code for d in check(project, path, states=True)[path]] == ["W0702"]


def test_outline(project: Project, folder: Path) -> None:
    parsed = project.parsed(folder / "model.dsl")
    assert parsed is not None
    entries = outline(parsed)
    assert [(entry.name, [child.name for child in entry.children]) for entry in entries] == [
        ("model", []), ("LIMIT", []), ("phase", ["NEW", "OLD"]), ("now", []), ("t", ["critical"]), ("one", []), ("taken", []),
    ]  # fmt: skip


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 8), ("utf-16", 6), ("utf-32", 5)])
def test_columns(encoding: str, column: int) -> None:
    text = "// a\n// 😀x\n"
    places = Places(text, encoding)
    offset = text.index("x") + 1
    assert places.place(offset) == (1, column)
    assert places.offset(1, column) == offset
    assert places.offset(1, 99) == len(text) - 1
    assert places.offset(99, 0) == len(text)


# ------------------------------------------------------------ an editor


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    config=ClientServerConfig(server_command=[sys.executable, "-m", "formal", "lsp"]), scope="module", loop_scope="module"
)
async def client(lsp_client: LanguageClient, workspace: Path) -> AsyncIterator[None]:
    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=pytest_lsp.client_capabilities("visual-studio-code"),
            workspace_folders=[types.WorkspaceFolder(workspace.as_uri(), "models")],
        )
    )
    yield
    await lsp_client.shutdown_session()


def open_(client: LanguageClient, path: Path, text: str | None = None) -> str:
    uri = path.as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "formal", 1, path.read_text() if text is None else text))
    )
    return uri


def type_(client: LanguageClient, uri: str, text: str, version: int) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, uri), [types.TextDocumentContentChangeWholeDocument(text)]
        )
    )


async def told(client: LanguageClient, uri: str, codes: list[str]) -> list[types.Diagnostic]:
    """Waits until the diagnostics of a document are these."""
    for _ in range(60):
        found = list(client.diagnostics.get(uri, ()))
        if uri in client.diagnostics and [one.code for one in found] == codes:
            return found
        await asyncio.wait_for(client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS), 30)
    raise AssertionError([(one.code, one.message) for one in client.diagnostics.get(uri, ())])


def at(text: str, marked: str) -> types.Position:
    return types.Position(*Places(text).place(place(text, marked)))


def document(uri: str) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri)


@pytest.mark.asyncio(loop_scope="module")
async def test_diagnostics_follow_what_is_typed(client: LanguageClient, folder: Path) -> None:
    uri = open_(client, folder / "model.dsl")
    await told(client, uri, [])
    library = open_(client, folder / "lib.dsl")
    await told(client, library, [])
    type_(client, library, LIB.replace("LIMIT", "LIMITS"), 2)  # only a model knows that this is a mistake
    found = await told(client, library, ["E0301"])
    assert found[0].range == types.Range(types.Position(6, 11), types.Position(6, 17))
    assert found[0].message == "unknown name `LIMITS`\nhelp: did you mean `LIMIT`?"
    assert found[0].severity == types.DiagnosticSeverity.Error
    type_(client, library, LIB.replace("lock big_lock;", "lock"), 3)
    await told(client, library, ["E0201"])
    type_(client, library, LIB.replace("mutex big_lock", "recursive mutex big"), 4)
    await told(client, uri, ["E0301", "E0301"])  # in the other document
    type_(client, library, LIB, 5)
    await told(client, library, [])
    await told(client, uri, [])
    type_(client, uri, MODEL.replace("phase now;", "phase now; mutex now;"), 2)
    found = await told(client, uri, ["E0302"])
    assert found[0].related_information is not None
    assert found[0].related_information[0].location == types.Location(uri, types.Range(types.Position(5, 6), types.Position(5, 9)))


@pytest.mark.asyncio(loop_scope="module")
async def test_saving_a_part_asks_every_model(client: LanguageClient, folder: Path) -> None:
    library = open_(client, folder / "lib.dsl")
    await told(client, library, [])
    type_(client, library, LIB.replace("LIMIT", "LIMITS"), 2)
    await told(client, library, ["E0301"])  # of one of them, while it is typed
    (folder / "lib.dsl").write_text(LIB + "hook solo;\n")
    type_(client, library, LIB + "hook solo;\n", 3)
    await told(client, library, [])
    client.text_document_did_save(types.DidSaveTextDocumentParams(document(library)))
    await told(client, library, ["E0302"])  # of other.dsl, which is not open


@pytest.mark.asyncio(loop_scope="module")
async def test_questions(client: LanguageClient, folder: Path) -> None:
    uri, library = open_(client, folder / "model.dsl"), (folder / "lib.dsl").as_uri()
    position = at(MODEL, "unlock big|_lock")
    hover = await client.text_document_hover_async(types.HoverParams(document(uri), position))
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "The lock that everybody needs." in hover.contents.value
    assert hover.range == types.Range(types.Position(12, 11), types.Position(12, 19))
    definition = await client.text_document_definition_async(types.DefinitionParams(document(uri), position))
    assert definition == [types.Location(library, types.Range(types.Position(1, 6), types.Position(1, 14)))]
    definition = await client.text_document_definition_async(types.DefinitionParams(document(uri), at(MODEL, '"li|b')))
    assert definition == [types.Location(library, types.Range(types.Position(0, 0), types.Position(0, 0)))]
    context = types.ReferenceContext(include_declaration=False)
    references = await client.text_document_references_async(types.ReferenceParams(context, document(uri), position))
    assert references is not None
    assert len(references) == 5
    marks = await client.text_document_document_highlight_async(types.DocumentHighlightParams(document(uri), position))
    assert marks is not None
    assert [mark.range.start.line for mark in marks] == [12, 16]
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document(uri)))
    assert symbols is not None
    assert [symbol.name for symbol in symbols] == ["model", "LIMIT", "phase", "now", "t", "one", "taken"]
    everything = await client.workspace_symbol_async(types.WorkspaceSymbolParams("big"))
    assert everything is not None
    assert [symbol.name for symbol in everything if symbol.location.uri == library] == ["big_lock"]
    assert await client.text_document_hover_async(types.HoverParams(document(uri), types.Position(2, 0))) is None
    assert await client.text_document_hover_async(types.HoverParams(document((folder / "none.dsl").as_uri()), position)) is None


@pytest.mark.asyncio(loop_scope="module")
async def test_completion_of_what_is_being_typed(client: LanguageClient, folder: Path) -> None:
    text = MODEL.replace("unlock big_lock;", "unlock big")
    uri = open_(client, folder / "model.dsl", text)
    found = await client.text_document_completion_async(types.CompletionParams(document(uri), at(text, "unlock big|")))
    assert isinstance(found, types.CompletionList)
    assert [item.label for item in found.items] == ["big_lock"]
    assert found.items[0].text_edit == types.TextEdit(types.Range(types.Position(12, 11), types.Position(12, 14)), "big_lock")
    assert found.items[0].detail == 'mutex big_lock @ "util/lock.c:big_lock";'


async def refused(question: Callable[[], Awaitable[T]], why: str) -> None:
    with pytest.raises(Exception, match=why):
        await question()


@pytest.mark.asyncio(loop_scope="module")
async def test_edits(client: LanguageClient, folder: Path) -> None:
    uri = open_(client, folder / "model.dsl")
    position = at(MODEL, "unlock big|_lock")
    prepared = await client.text_document_prepare_rename_async(types.PrepareRenameParams(document(uri), position))
    assert isinstance(prepared, types.PrepareRenamePlaceholder)
    assert prepared.placeholder == "big_lock"
    edit = await client.text_document_rename_async(types.RenameParams(document(uri), position, "BQL"))
    assert edit is not None
    assert edit.changes is not None
    assert {name.rpartition("/")[2]: len(edits) for name, edits in edit.changes.items()} == {"lib.dsl": 3, "model.dsl": 2, "other.dsl": 1}
    await refused(lambda: client.text_document_rename_async(types.RenameParams(document(uri), position, "solo")), "declared already")
    options = types.FormattingOptions(tab_size=4, insert_spaces=True)
    type_(client, uri, MODEL.replace("    now = OLD;", "  now=OLD ;"), 2)
    edits = await client.text_document_formatting_async(types.DocumentFormattingParams(document(uri), options))
    assert list(edits or ()) == [types.TextEdit(types.Range(types.Position(10, 0), types.Position(11, 0)), "    now = OLD;\n")]
    type_(client, uri, "mutex", 3)
    await refused(
        lambda: client.text_document_formatting_async(types.DocumentFormattingParams(document(uri), options)), "line 1: the text ends"
    )


# ------------------------------------------------------------ the command


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for module in [name for name in sys.modules if name.startswith(("formal.lsp.features", "formal.lsp.server"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    assert main(["lsp"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "formal: error: the language server needs the package pygls",
        "  = help: pip install 'formal[lsp]'",
    ]


@pytest.mark.parametrize("words", [["--tcp", "0"], ["--tcp", "x"], ["--tcp", "65536"], ["--stdio", "--tcp", "4000"]])
def test_ports(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lsp", *words]) == 2
    assert "--tcp" in capsys.readouterr().err


def test_a_port_of_the_loopback_interface() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert main(["lsp", "--tcp", str(port)]) == 2  # in use
    with subprocess.Popen([sys.executable, "-m", "formal", "lsp", "--tcp", str(port)], stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert server.stderr.readline() == f"listening on 127.0.0.1:{port}\n"
            assert "hoverProvider" in _initialize(port)
            assert server.wait(20) == 0
        finally:
            server.kill()


def _initialize(port: int) -> str:
    """What a server says that it can do; the connection is closed then."""
    request = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": null, "rootUri": null}}'
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(request), request))
                with connection.makefile("rb") as answer:
                    length = int(re.sub(rb"\D", b"", answer.readline()))
                    return answer.read(length).decode()
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("nobody listens")
