"""What is asked about the text of a candidate, and how it can be answered other than by a report.

In: nothing (pure data). Out: values that can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Question:
    """One model. `texts`: by the names that keys have; `seconds`: for all its properties."""

    file: str
    defines: Mapping[str, str]
    extra: tuple[str, ...]
    seconds: float
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The front end does not take the text; why."""

    message: str
