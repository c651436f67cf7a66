"""What the server can do: one function for each request and notification, and the table of them.

In: a server, the parameters of a message. Out: its answer. None of them knows how an answer is found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from formal.diagnostics import Diagnostic
from formal.formatting import formatted
from formal.lsp import completing, describing, outline, symbols
from formal.lsp.project import Project
from formal.lsp.server import FormalServer

_REQUEST_FAILED = -32803

# ------------------------------------------------------------ what the editor tells


def initialized(ls: FormalServer, _: types.InitializedParams) -> None:
    """The editor is ready: have every file parsed before it asks."""
    ls.set_folders()
    ls.worker.submit(ls.project.closures)


def opened(ls: FormalServer, params: types.DidOpenTextDocumentParams) -> None:
    """A document counts instead of its file from now on."""
    path = ls.note(params.text_document.uri)
    ls.set_folders()
    ls.check_soon(path)


def changed(ls: FormalServer, params: types.DidChangeTextDocumentParams) -> None:
    """A keystroke, or many."""
    ls.check_soon(ls.note(params.text_document.uri))


def saved(ls: FormalServer, params: types.DidSaveTextDocumentParams) -> None:
    """Time to look at every model that the file is a part of."""
    ls.project.refresh()
    ls.check_soon(ls.path(params.text_document.uri), saved=True)


def closed(ls: FormalServer, params: types.DidCloseTextDocumentParams) -> None:
    """What is in the file counts again."""
    ls.forget(params.text_document.uri)
    ls.set_folders()


def watched(ls: FormalServer, _: types.DidChangeWatchedFilesParams) -> None:
    """Files have changed behind the editor's back."""
    ls.project.refresh()
    for path in ls.uris:
        ls.check_soon(path)


def folders_changed(ls: FormalServer, _: types.DidChangeWorkspaceFoldersParams) -> None:
    """Other folders are open."""
    ls.set_folders()


def shutdown(ls: FormalServer, _: None) -> None:
    """Nothing is asked any more."""
    ls.worker.shutdown(wait=False, cancel_futures=True)


# ------------------------------------------------------------ questions that change nothing


async def hover(ls: FormalServer, params: types.HoverParams) -> types.Hover | None:
    """What stands under the pointer."""
    place = await ls.at(params)
    found = await ls.work(describing.describe, ls.project, place[0], place[2]) if place is not None else None
    if place is None or found is None:
        return None
    answers = ls.answers()
    shown = answers.range(answers.places(place[1].source.text), found.start, found.end)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, found.text), shown)


async def definition(ls: FormalServer, params: types.DefinitionParams) -> list[types.Location] | None:
    """Where a name is declared: in several places, if models differ. Of an import, the file."""
    place = await ls.at(params)
    if place is None:
        return None
    path, parsed, offset = place
    for node, target in parsed.imports():
        if target is not None and node.items[0].span.start <= offset <= node.items[0].span.end:
            return [types.Location(ls.uri(target), types.Range(types.Position(0, 0), types.Position(0, 0)))]
    found = await ls.work(symbols.find, ls.project, path, offset)
    return [ls.answers().location(file, one.span) for file, one in found.declarations()] if found is not None else None


async def references(ls: FormalServer, params: types.ReferenceParams) -> list[types.Location] | None:
    """Every place of a name."""
    found = await ls.symbol(params)
    if found is None:
        return None
    places = [(file, one) for file, ones in found[1].places.items() for one in ones]
    everything = params.context.include_declaration
    return [ls.answers().location(file, one.span) for file, one in places if everything or one.declared is None]


async def highlight(ls: FormalServer, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
    """Every place of a name in this file."""
    found = await ls.symbol(params)
    if found is None:
        return None
    here = found[1].places.get(found[0].path, ())
    kinds = [types.DocumentHighlightKind.Text if one.declared is None else types.DocumentHighlightKind.Write for one in here]
    ranges = ls.answers().spans(one.span for one in here)
    return [types.DocumentHighlight(place, kind) for place, kind in zip(ranges, kinds, strict=True)]


async def document_symbols(ls: FormalServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """The outline of a file."""
    parsed = await ls.work(ls.project.parsed, ls.path(params.text_document.uri))
    return [ls.answers().symbol(entry) for entry in outline.outline(parsed)] if parsed is not None else []


async def workspace_symbols(ls: FormalServer, params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
    """Declarations of all files, by a part of their names."""
    found = await ls.work(_everything, ls.project, params.query.lower())
    return [ls.answers().found(path, entry) for path, entry in found]


def _everything(project: Project, query: str) -> list[tuple[Path, outline.Entry]]:
    parsed = [found for path in project.files() if (found := project.parsed(path)) is not None]
    return [(file.path, entry) for file in parsed for entry in outline.outline(file) if query in entry.name.lower()]


async def completion(ls: FormalServer, params: types.CompletionParams) -> types.CompletionList | None:
    """What could stand at the cursor."""
    place = await ls.at(params)
    if place is None:
        return None
    path, parsed, offset = place
    found = await ls.work(completing.complete, ls.project, path, offset)
    return ls.answers().completion(parsed.source.text, offset, found)


# ------------------------------------------------------------ questions whose answers are edits


async def prepare_rename(ls: FormalServer, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    """Whether there is something that could get another name."""
    place = await ls.at(params)
    one = place[1].at(place[2]) if place is not None else None
    found = await ls.symbol(params)
    if one is None or found is None or not found[1].declarations():
        return None
    return types.PrepareRenamePlaceholder(ls.answers().spans([one.span])[0], one.span.source.text[one.span.start : one.span.end])


async def rename(ls: FormalServer, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """Another name, everywhere. Raises JsonRpcException, whose message the editor shows, where it cannot be."""
    place = await ls.at(params)
    if place is None:
        return None
    try:
        found = await ls.work(symbols.rename, ls.project, place[0], place[2], params.new_name)
    except symbols.RenameError as error:
        raise JsonRpcException(str(error), _REQUEST_FAILED) from error
    answers = ls.answers()
    edits = {
        ls.uri(file): [types.TextEdit(span, params.new_name) for span in answers.spans(one.span for one in places)]
        for file, places in found.places.items()
    }
    return types.WorkspaceEdit(changes=edits)


async def formatting(ls: FormalServer, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """The layout of `formal fmt`. Raises JsonRpcException where the text cannot be parsed."""
    parsed = await ls.work(ls.project.parsed, ls.path(params.text_document.uri))
    made = await ls.work(formatted, parsed.source) if parsed is not None else None
    if parsed is None or made is None:
        return None
    if made.text is None:
        raise JsonRpcException(f"line {_line(made.diagnostics)}: {made.diagnostics[0].message}", _REQUEST_FAILED)
    return ls.answers().rewritten(parsed.source.text, made.text)


def _line(diagnostics: tuple[Diagnostic, ...]) -> int:
    return diagnostics[0].span.line if diagnostics[0].span is not None else 1


_FEATURES: tuple[tuple[str, Callable[..., Any], Any], ...] = (
    (types.INITIALIZED, initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, opened, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, changed, None),
    (types.TEXT_DOCUMENT_DID_SAVE, saved, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, closed, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched, None),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, folders_changed, None),
    (types.SHUTDOWN, shutdown, None),
    (types.TEXT_DOCUMENT_HOVER, hover, None),
    (types.TEXT_DOCUMENT_DEFINITION, definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlight, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, document_symbols, None),
    (types.WORKSPACE_SYMBOL, workspace_symbols, None),
    (types.TEXT_DOCUMENT_COMPLETION, completion, types.CompletionOptions(trigger_characters=[".", '"', "/"])),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, rename, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_FORMATTING, formatting, None),
)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether the log should have it: an answer that refuses something is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcException))


def make_server() -> FormalServer:
    """A server with everything that it can do."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_news)
    server = FormalServer()
    for method, answer, options in _FEATURES:
        server.feature(method, options)(answer)
    return server
