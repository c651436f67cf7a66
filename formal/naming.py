"""Names in running text: lists of them, families of threads grouped.

In: names. Out: words. Must not know what the names stand for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_ELEMENT = re.compile(r"(.+)\[(\d+)\]")


def listed(names: Sequence[str], word: str = "and") -> str:
    """a, b and c."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)


def grouped(names: Iterable[str]) -> list[str]:
    """The names, each family once: vcpu[0..3] for four in a row, vcpu[0] and vcpu[2] as they are. In order of first occurrence."""
    indices: dict[str, list[int]] = {}
    for name in dict.fromkeys(names):
        found = _ELEMENT.fullmatch(name)
        if found is None:
            indices[name] = []
        else:
            indices.setdefault(found[1], []).append(int(found[2]))
    return [name for base, members in indices.items() for name in (_runs(base, sorted(members)) if members else [base])]


def _runs(base: str, indices: Sequence[int]) -> list[str]:
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return [f"{base}[{run[0]}]" if len(run) == 1 else f"{base}[{run[0]}..{run[-1]}]" for run in runs]
