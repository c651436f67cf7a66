"""Strict reading of a JSON document: every field is there, is of its kind, and is known.

In: a text. Out: its fields, as they are asked for. It must not know what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from formal.recorded import BadRecord
from formal.verdict import Verdict

T = TypeVar("T")
_KINDS: Final[Mapping[type, str]] = MappingProxyType({str: "a text", int: "a whole number", list: "a list", dict: "an object"})
_SHOWN: Final = 40  # characters of a value that is wrong


def read_document(text: str) -> Fields:
    """The object that a text is. Raises BadRecord."""
    try:
        document = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"it is not a JSON document ({error})") from error
    return Fields(document, "")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise BadRecord(f"it says `{next(name for name in names if names.count(name) > 1)}` twice in one place")
    return found


def _no_number(word: str) -> Any:
    raise BadRecord(f"it has `{word}` for a number")


class Fields:
    """The fields of one object of the document; all of them are asked for."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise BadRecord(f"{where or 'the document'} is not an object")
        self.raw = value
        self._where = where
        self._asked: set[str] = set()

    def name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def any(self, key: str) -> Any:
        """A field's value. Raises BadRecord if it isn't there."""
        self._asked.add(key)
        if key not in self.raw:
            raise BadRecord(f"`{self.name(key)}` is missing")
        return self.raw[key]

    def one(self, key: str, kind: type[T]) -> T:
        """A field of a kind that `_KINDS` names."""
        value = self.any(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadRecord(f"`{self.name(key)}` is {_shown(value)}, which is not {_KINDS[kind]}")
        return value

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """A field of a kind, or null."""
        return None if self.any(key) is None else self.one(key, kind)

    def part(self, key: str) -> Fields | None:
        """A field that is an object, or null."""
        return None if self.any(key) is None else Fields(self.raw[key], self.name(key))

    def parts(self, key: str) -> tuple[Fields, ...]:
        """A list of objects."""
        return tuple(Fields(value, f"{self.name(key)}[{number}]") for number, value in enumerate(self.one(key, list)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.one(key, list)
        wrong = [value for value in values if not isinstance(value, str)]
        if wrong:
            raise BadRecord(f"`{self.name(key)}` has {_shown(wrong[0])} in it, which is not a text")
        return tuple(values)

    def words(self, key: str, kinds: tuple[type, ...] = (str,)) -> dict[str, str]:
        """An object of texts, or of what else -D takes, spelled as for -D."""
        values = self.one(key, dict)
        for name, value in values.items():
            if not isinstance(value, kinds):
                raise BadRecord(f"`{self.name(key)}.{name}` is {_shown(value)}")
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}

    def verdict(self, key: str) -> Verdict:
        """A field that is a verdict."""
        value = self.one(key, str)
        try:
            return Verdict(value)
        except ValueError:
            raise BadRecord(f"`{self.name(key)}` is `{value}`, which is not a verdict") from None

    def done(self) -> None:
        """Raises BadRecord if there is more than was asked for."""
        more = [key for key in self.raw if key not in self._asked]
        if more:
            raise BadRecord(f"`{self.name(more[0])}` is not in such a record")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"
