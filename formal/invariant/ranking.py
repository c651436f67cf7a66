"""Rankings as data: how near a goal is, and who brings it nearer, by rules over the named parts of a state.

In: nothing (pure data). Out: `Ranking`, a list of rules, of which the first counts whose condition a state meets. A condition is a
conjunction of literals as invariants have them; what follows is a list of levels, each a rank and a helpful thread, or that the goal is not
owed. The names are those of `formal.smt.parts`; nothing here knows what they stand for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.invariant import InvariantError, Literal, read_clause

NOT_OWED: Final = "not owed"
_ARROW: Final = "=> "
_LEVEL = re.compile(r"(?P<rank>\d{1,9}) (?P<helper>[^ ,]+)")


class RankingError(Exception):
    """A text is no rule; says what it is instead."""


@dataclass(frozen=True, slots=True, order=True)
class Level:
    """`rank`: a natural number, the goal is nearer the less it is; `helper`: the thread whose next step makes it less."""

    rank: int
    helper: str

    def __str__(self) -> str:
        return f"{self.rank} {self.helper}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`when`: literals, all of which hold; none: always. `levels`: outermost first; none: the goal is not owed."""

    when: tuple[Literal, ...]
    levels: tuple[Level, ...]


Ranking: TypeAlias = tuple[Rule, ...]


def rule_text(rule: Rule) -> str:
    """A rule on one line."""
    condition = " && ".join(map(str, rule.when))
    return f"{condition}{' ' if condition else ''}{_ARROW}{', '.join(map(str, rule.levels)) or NOT_OWED}"


def read_rule(text: str) -> Rule:
    """The rule that `rule_text` wrote. Raises RankingError."""
    condition, arrow, levels = text.rpartition(_ARROW)
    if not arrow:
        raise RankingError(f"not a rule: `{text}`")
    condition = condition.strip()
    when = tuple(_read_literal(one.strip()) for one in condition.split("&&")) if condition else ()
    return Rule(when, () if levels == NOT_OWED else tuple(_read_level(one) for one in levels.split(", ")))


def _read_literal(text: str) -> Literal:
    try:
        clause = read_clause(text)
    except InvariantError as error:
        raise RankingError(str(error)) from error
    if len(clause) != 1:
        raise RankingError(f"not a literal: `{text}`")
    return clause[0]


def _read_level(text: str) -> Level:
    match = _LEVEL.fullmatch(text)
    if match is None:
        raise RankingError(f"not a rank and a thread: `{text}`")
    return Level(int(match["rank"]), match["helper"])
