"""Edits in words, for readers and for notes that name them.

In: edits, the sources they speak of. Out: one line each, without places. Must not know programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from formal.diagnostics import Source
from formal.repair.edits import Act, Deletion, Edit, Insertion
from formal.repair.operations import Kind
from formal.repair.texts import shown


class Words:
    """`spelled`: how what takes the lock and what gives it back are written; `edits`: all there are. Where models have different bodies of
    the same name, the file is told."""

    def __init__(self, sources: Mapping[str, Source], spelled: Mapping[Kind, str], edits: Iterable[Edit]) -> None:
        self._sources = sources
        self._files: dict[str, set[str]] = {}
        for edit in edits:
            self._files.setdefault(edit.body, set()).add(edit.acts[0].key[0])
        self._spelled = {kind: text.rstrip(";") for kind, text in spelled.items()}

    def edit(self, edit: Edit) -> str:
        """ "insert `unlock L` ... `lock L` around `p()` in q"."""
        what = " … ".join(f"`{self._what(act)}`" for act in self._moved(edit))
        file = f" ({self._sources[edit.acts[0].key[0]].path})" if len(self._files[edit.body]) > 1 else ""
        return f"{edit.verb} {what}{self._where(edit)} in {edit.body}{file}"

    def _moved(self, edit: Edit) -> tuple[Act, ...]:
        return tuple(act for act in edit.acts if isinstance(act, Deletion)) if edit.verb == "move" else edit.acts

    def _what(self, act: Act) -> str:
        return shown(self._sources, act.key) if isinstance(act, Deletion) else self._spelled[act.kind]

    def _where(self, edit: Edit) -> str:
        put = [act for act in edit.acts if isinstance(act, Insertion)]
        if not put:
            return ""
        texts = [shown(self._sources, act.key) for act in put]
        if len(put) == 1:
            return f" {'behind' if put[0].after else 'before'} `{texts[0]}`"
        if put[0].key == put[1].key:
            return f" around `{texts[0]}`"
        return f" around `{texts[0]}` … `{texts[1]}`"
