"""Inductive invariants as data: clauses over the named parts of a state.

In: nothing (pure data). Out: `Invariant`, a conjunction of clauses; a clause is a disjunction of literals; a literal says which values a
part of the state has, or has not. The names are those of `formal.smt.parts`; nothing here knows what they stand for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.diagnostics import InternalError

TRUE: Final = "true"
FALSE: Final = "false"
_LITERAL = re.compile(r"(?P<bang>!?)(?P<part>[^ {}!]+)(?: (?P<not>not )?in \{(?P<values>[^{}]*)\})?")
_SPACE = re.compile(r"\s+")


class InvariantError(Exception):
    """A text is no clause; says what it is instead."""


@dataclass(frozen=True, slots=True, order=True)
class Literal:
    """`part` has one of `values` (of a Boolean part: `true`), or with `negated` none of them."""

    part: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        if self.values == (TRUE,):
            return f"!{self.part}" if self.negated else self.part
        return f"{self.part} {'not ' if self.negated else ''}in {{{', '.join(self.values)}}}"


Clause: TypeAlias = tuple[Literal, ...]
Invariant: TypeAlias = tuple[Clause, ...]


def clause_text(clause: Clause) -> str:
    """A clause on one line; the empty one is `false`."""
    return " || ".join(map(str, clause)) or FALSE


def read_clause(text: str) -> Clause:
    """The clause that `clause_text` wrote. Raises InvariantError."""
    if text.strip() == FALSE:
        return ()
    return tuple(_read_literal(_SPACE.sub(" ", part).strip()) for part in text.split("||"))


def _read_literal(text: str) -> Literal:
    match = _LITERAL.fullmatch(text)
    if match is None:
        raise InvariantError(f"not a literal: `{text}`")
    if match["values"] is None:
        return Literal(match["part"], (TRUE,), bool(match["bang"]))
    if match["bang"]:
        raise InvariantError(f"`!` before a set of values: `{text}`")
    return Literal(match["part"], tuple(value.strip() for value in match["values"].split(",")), match["not"] is not None)


def literal_over(part: str, domain: tuple[str, ...], values: frozenset[str]) -> Literal:
    """The literal that says that a part has one of these values of its domain, told by the shorter of the two lists."""
    if not values <= set(domain):
        raise InternalError(f"{part}: not all of {sorted(values)} are values of it")
    if domain == (FALSE, TRUE):
        return Literal(part, (TRUE,), negated=TRUE not in values)
    inside = tuple(value for value in domain if value in values)
    outside = tuple(value for value in domain if value not in values)
    return Literal(part, inside) if len(inside) <= len(outside) else Literal(part, outside, negated=True)
