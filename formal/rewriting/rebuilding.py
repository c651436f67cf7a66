"""A copy of a program in which some nodes have other fields.

In: a typed program, and changes by node. Out: a new one. The tree is a graph (a bottom half may schedule itself) whose nodes mean each
other by identity, so the copy is of everything; places in texts, types and what is printed are shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Final, TypeVar, cast, get_args

from formal import program as p
from formal.diagnostics import Source, Span
from formal.nodes import names_of

_SHARED: Final = (Span, Source, *get_args(p.Type), p.Info, p.Expectation)
_DECLARED: Final = (*get_args(p.ObjectDecl), p.ThreadLocalDecl, p.LocalDecl, p.RefParam, p.Binder, p.ProcDecl)

T = TypeVar("T")


@dataclass(slots=True)
class Changes:
    """What is to differ. `fields`: by node, the fields with another value; `instead`: a node that is another one wherever it is meant.
    Values are nodes of the old program, or new ones that speak of its declarations."""

    fields: dict[Any, dict[str, Any]] = field(default_factory=dict)
    instead: dict[Any, Any] = field(default_factory=dict)

    def set(self, node: Any, **values: Any) -> None:
        """These fields of a node are these."""
        self.fields.setdefault(node, {}).update(values)


def rebuilt(program: p.Program, changes: Changes) -> p.Program:
    """The program with the changes made; the old one is untouched."""
    return cast(p.Program, _Copy(changes.fields, changes.instead).of(program))


def fresh(statement: T, uids: Iterator[int]) -> T:
    """A second copy of a statement, with uids and without labels of its own; its declarations are the same."""
    return cast(T, _Fresh(uids).of(statement))


def renumbered(program: p.Program, uids: int) -> p.Program:
    """The same program, every uid larger by so much, so that it shares none with another program."""
    return cast(p.Program, _Renumbered(uids).of(program))


class _Copy:
    """`met`: of each old node, by id, the new one; the old one is kept, so that its id stays its own."""

    def __init__(self, changed: Mapping[Any, Mapping[str, Any]], instead: Mapping[Any, Any]) -> None:
        self._changed = changed
        self._instead = instead
        self._met: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """The copy of a value."""
        if isinstance(value, tuple):
            return tuple([self.of(item) for item in value])
        if isinstance(value, Mapping):
            return {key: self.of(item) for key, item in value.items()}
        if not is_dataclass(value) or isinstance(value, _SHARED):
            return value
        value = self._instead.get(value, value) if self._instead and isinstance(value, _DECLARED) else value
        known = self._met.get(id(value))
        return self._node(value) if known is None else known[1]

    def _node(self, node: Any) -> Any:
        kind: Any = type(node)
        made = object.__new__(kind)
        self._met[id(node)] = (node, made)  # before its fields: they may lead back to it
        other = self._changed.get(node, {}) if self._changed else {}
        for name in names_of(node):
            object.__setattr__(made, name, self.of(other[name] if name in other else getattr(node, name)))
        return made


class _Fresh(_Copy):
    """Copies statements and expressions alone."""

    def __init__(self, uids: Iterator[int]) -> None:
        super().__init__({}, {})
        self._uids = uids

    def of(self, value: Any) -> Any:
        if isinstance(value, p.Info):
            return replace(value, uid=next(self._uids), label=None)
        return value if isinstance(value, _DECLARED) else super().of(value)


class _Renumbered(_Copy):
    def __init__(self, uids: int) -> None:
        super().__init__({}, {})
        self._uids = uids

    def of(self, value: Any) -> Any:
        if isinstance(value, p.Info):
            return replace(value, uid=value.uid + self._uids)
        return super().of(value)

    def _node(self, node: Any) -> Any:
        made = super()._node(node)
        if isinstance(node, p.At):
            object.__setattr__(made, "targets", frozenset(uid + self._uids for uid in node.targets))
        return made
