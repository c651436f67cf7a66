"""What the server knows, in the protocol's words: places, diagnostics, edits, symbols.

In: values of this package. Out: values of `lsprotocol`. It must not look anything up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from pathlib import Path

from lsprotocol import types

from formal.diagnostics import Diagnostic, Span
from formal.lsp.checking import file_of
from formal.lsp.completing import Proposal
from formal.lsp.outline import Entry
from formal.lsp.positions import Places

Uri = Callable[[Path], str]
_COMPLETIONS = {
    "keyword": types.CompletionItemKind.Keyword,
    "function": types.CompletionItemKind.Function,
    "file": types.CompletionItemKind.File,
    "property": types.CompletionItemKind.Property,
    "procedure": types.CompletionItemKind.Method,
    "callback": types.CompletionItemKind.Method,
    "bottom half": types.CompletionItemKind.Event,
    "constant": types.CompletionItemKind.Constant,
    "parameter of the model": types.CompletionItemKind.Constant,
    "enum": types.CompletionItemKind.Enum,
    "thread": types.CompletionItemKind.Class,
    "context": types.CompletionItemKind.Module,
    "hook": types.CompletionItemKind.Interface,
    "label": types.CompletionItemKind.Reference,
}
_SYMBOLS = {
    "protocol": types.SymbolKind.Module,
    "const": types.SymbolKind.Constant,
    "param": types.SymbolKind.Constant,
    "enum": types.SymbolKind.Enum,
    "member": types.SymbolKind.EnumMember,
    "thread": types.SymbolKind.Class,
    "bh": types.SymbolKind.Event,
    "proc": types.SymbolKind.Function,
    "callback": types.SymbolKind.Method,
    "hook": types.SymbolKind.Interface,
    "context": types.SymbolKind.Namespace,
    "labelled": types.SymbolKind.Key,
    "assert_": types.SymbolKind.Property,
    "invariant": types.SymbolKind.Property,
    "eventually": types.SymbolKind.Property,
    "leads_to": types.SymbolKind.Property,
    "variable": types.SymbolKind.Variable,
    "thread_local": types.SymbolKind.Variable,
}


class Answers:
    """Makes answers for one client. `encoding`: how it counts columns; `uri`: what it calls a file."""

    def __init__(self, encoding: str, uri: Uri) -> None:
        self.encoding = encoding
        self.uri = uri

    def places(self, text: str) -> Places:
        """The places of a text, as this client counts them."""
        return Places(text, self.encoding)

    def range(self, places: Places, start: int, end: int) -> types.Range:
        """Two offsets."""
        return types.Range(types.Position(*places.place(start)), types.Position(*places.place(end)))

    def spans(self, spans: Iterable[Span]) -> list[types.Range]:
        """Places in one text."""
        found = list(spans)
        places = self.places(found[0].source.text) if found else None
        return [self.range(places, span.start, span.end) for span in found if places is not None]

    def location(self, path: Path, span: Span) -> types.Location:
        """A place in a file."""
        return types.Location(self.uri(path), self.spans([span])[0])

    # ------------------------------------------------------------ diagnostics

    def diagnostic(self, one: Diagnostic) -> types.Diagnostic:
        """A mistake or warning; its hint becomes a second line, its notes related places."""
        unused = one.code.code in ("W0701", "W0704")
        return types.Diagnostic(
            range=self.spans([one.span])[0] if one.span is not None else types.Range(types.Position(0, 0), types.Position(0, 0)),
            message=one.message + (f"\nhelp: {one.hint}" if one.hint else ""),
            severity=types.DiagnosticSeverity.Error if one.is_error else types.DiagnosticSeverity.Warning,
            code=one.code.code,
            source="formal",
            tags=[types.DiagnosticTag.Unnecessary] if unused else None,
            related_information=[
                types.DiagnosticRelatedInformation(self.location(file_of(note.span), note.span), note.text) for note in one.notes
            ]
            or None,
        )

    # ------------------------------------------------------------ edits

    def rewritten(self, before: str, after: str) -> list[types.TextEdit]:
        """The edits that make one text of another, line by line, so that the cursor stays where it is."""
        old, new = _lines(before), _lines(after)
        matches = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        last = types.Position(*self.places(before).place(len(before)))

        def line(number: int) -> types.Position:
            return last if number >= len(old) else types.Position(number, 0)

        return [
            types.TextEdit(types.Range(line(first), line(behind)), "".join(new[start:end]))
            for what, first, behind, start, end in matches
            if what != "equal"
        ]

    def completion(self, text: str, offset: int, proposals: Iterable[Proposal]) -> types.CompletionList:
        """Proposals for what stands before an offset; names before keywords."""
        places = self.places(text)
        items = [
            types.CompletionItem(
                label=one.text,
                kind=_COMPLETIONS.get(one.kind, types.CompletionItemKind.Variable),
                detail=one.detail or None,
                sort_text=f"{int(one.kind == 'keyword')}{one.text}",
                text_edit=types.TextEdit(self.range(places, one.start, offset), one.text),
            )
            for one in proposals
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    # ------------------------------------------------------------ symbols

    def symbol(self, entry: Entry) -> types.DocumentSymbol:
        """An entry of the outline and all below it."""
        whole, span = self.spans([entry.whole, entry.span])
        return types.DocumentSymbol(
            name=entry.name,
            detail=entry.detail,
            kind=_SYMBOLS.get(entry.kind, types.SymbolKind.Object),
            range=whole,
            selection_range=span,
            children=[self.symbol(child) for child in entry.children],
        )

    def found(self, path: Path, entry: Entry) -> types.WorkspaceSymbol:
        """An entry of some file's outline."""
        return types.WorkspaceSymbol(
            location=self.location(path, entry.span), name=entry.name, kind=_SYMBOLS.get(entry.kind, types.SymbolKind.Object)
        )


def _lines(text: str) -> list[str]:
    """With their ends; only a newline ends a line."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
