"""A repair on disk: the models with it, as they can be proved again, the diff, and a record of each proof for `formal recheck`.

In: a repair, what its models are loaded with. Out: files below a folder. Writes through the caller's hands.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from formal.program import Program
from formal.repair.places import real


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of some models, to be written elsewhere. `files`: texts by path below the folder; `models`: of each model, its path."""

    files: Mapping[str, str]
    models: tuple[str, ...]


def tree(programs: Sequence[Program], texts: Mapping[str, str]) -> Tree:
    """All that the programs read, each where it lies to the others, with some texts another."""
    sources = {str(real(source.path)): source.text for program in programs for source in program.sources}
    root = os.path.commonpath([str(Path(file).parent) for file in sources])
    files = {os.path.relpath(file, root): texts.get(file, text) for file, text in sources.items()}
    return Tree(files, tuple(os.path.relpath(str(real(program.file)), root) for program in programs))


def write(found: Tree, folder: str, put: Callable[[str, str], None], make: Callable[[str], None]) -> tuple[str, ...]:
    """The tree below a folder; returns where its models are then."""
    for name, text in sorted(found.files.items()):
        path = Path(folder) / name
        make(str(path.parent))
        put(text.removesuffix("\n"), str(path))
    return tuple(str(Path(folder) / name) for name in found.models)
