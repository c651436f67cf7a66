"""One editor's server: what the editor holds, the worker that looks things up, and diagnostics as one types.

In: documents as they change. Out: diagnostics, published. Everything that takes time is done by one worker, one thing after the other, so
that nothing is looked at while it changes and the editor is always heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from formal import __version__
from formal.diagnostics import Diagnostic
from formal.lsp import checking, symbols
from formal.lsp.answers import Answers
from formal.lsp.project import Parsed, Project

_PAUSE = 0.2  # seconds without a keystroke before diagnostics are made
P = ParamSpec("P")
T = TypeVar("T")


class _Positioned(Protocol):
    """A request about a place."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


class FormalServer(LanguageServer):
    """One editor's server."""

    def __init__(self) -> None:
        super().__init__("formal", __version__)
        self.project = Project()
        self.uris: dict[Path, str] = {}
        self.findings: dict[Path, checking.Findings] = {}
        self.published: dict[Path, tuple[Diagnostic, ...]] = {}
        self.worker = ThreadPoolExecutor(1, "formal")
        self.changed: dict[Path, bool] = {}  # files to check, and whether with every model that they are a part of
        self.checking: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ what the editor has

    def path(self, uri: str) -> Path:
        """The real path behind a URI; a document that was never saved gets one in the first folder."""
        found = to_fs_path(uri) if uri.startswith("file:") else None
        if found is not None:
            return Path(found).resolve()
        folder = self.project.folders[0] if self.project.folders else Path.cwd()
        return folder / uri.rpartition(":")[2].replace("/", "_")

    def uri(self, path: Path) -> str:
        """What the editor calls a file."""
        return self.uris.get(path) or from_fs_path(str(path)) or ""

    def answers(self) -> Answers:
        """Makes answers for this editor."""
        return Answers(str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding)), self.uri)

    def note(self, uri: str) -> Path:
        """Take over what the editor holds of a document."""
        path = self.path(uri)
        self.uris[path] = uri
        self.project.buffers = {**self.project.buffers, path: self.workspace.get_text_document(uri).source}
        return path

    def forget(self, uri: str) -> None:
        """The editor has closed a document."""
        path = self.path(uri)
        self.project.buffers = {other: text for other, text in self.project.buffers.items() if other != path}
        self.uris.pop(path, None)
        gone = self.findings.pop(path, {})
        self.changed.pop(path, None)
        self.publish(gone)

    def set_folders(self) -> None:
        """The folders that are open; with none, those of the open files."""
        given = [to_fs_path(folder.uri) for folder in self.workspace.folders.values()] or [self.workspace.root_path]
        folders = [Path(folder).resolve() for folder in given if folder]
        self.project.folders = folders or sorted({path.parent for path in self.project.buffers})
        self.project.refresh()

    async def work(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have the worker do something."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, lambda: do(*args, **kwargs))

    # ------------------------------------------------------------ diagnostics

    def check_soon(self, path: Path, *, saved: bool = False) -> None:
        """Make diagnostics once there is a pause."""
        self.changed[path] = saved or self.changed.get(path, False)
        if self.checking is not None:
            self.checking.cancel()
        self.checking = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        await asyncio.sleep(_PAUSE)
        while self.changed:
            path, saved = next(iter(self.changed.items()))
            models = await self.work(self.project.models_with, path)
            others = [model for model in models if model != path]
            wanted = others if saved else [model for model in others if model in self.uris] or others[:1]
            for stale in [root for root, found in self.findings.items() if path in found and root not in (path, *wanted)]:
                self.publish(self.findings.pop(stale))
            for model in (path, *wanted):
                before = self.findings.get(model, {})
                self.findings[model] = await self.work(checking.check, self.project, model, states=model == path)
                self.publish({**before, **self.findings[model]})
            self.changed.pop(path, None)

    def publish(self, files: checking.Findings) -> None:
        """Tell the editor about files, where something has changed."""
        for file in files:
            found = checking.merged(self.findings.values(), file)
            if found != self.published.get(file, ()) or (file in self.uris and file not in self.published):
                self.published[file] = found
                answers = self.answers()
                diagnostics = [answers.diagnostic(one) for one in found]
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.uri(file), diagnostics))

    # ------------------------------------------------------------ places

    async def at(self, params: _Positioned) -> tuple[Path, Parsed, int] | None:
        """The file and the offset that a request is about; None where there is no such file."""
        path = self.path(params.text_document.uri)
        parsed = await self.work(self.project.parsed, path)
        if parsed is None:
            return None
        return path, parsed, self.answers().places(parsed.source.text).offset(params.position.line, params.position.character)

    async def symbol(self, params: _Positioned) -> tuple[Parsed, symbols.Found] | None:
        """The symbol that a request is about, with all its places."""
        place = await self.at(params)
        if place is None:
            return None
        path, parsed, offset = place
        found = await self.work(symbols.find, self.project, path, offset)
        return None if found is None else (parsed, found)
