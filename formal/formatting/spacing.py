"""What stands between two items of one line: one blank or none.

In: all items. Out: for each, whether a blank comes before it. `-`, `:` and `(` have two meanings each, told apart by what is around them.
"""

from __future__ import annotations

from formal.formatting.items import Item

_NEVER_BEFORE = frozenset({";", ",", ")", "]", ".", "..", "["})
_NEVER_BEHIND = frozenset({"(", "[", "!", ".", ".."})
_VALUES = frozenset({"NAME", "INT", "RPAR", "RSQB", "TRUE", "FALSE", "NONE", "SELF", "RESULT"})  # may end an operand


def blanks(items: list[Item]) -> list[bool]:
    """Whether a blank stands before each item, if it is on the line of the one before."""
    words = [item for item in items if not item.is_comment]
    apart = _Reader().read(words)
    found: list[bool] = []
    position = 0
    for before, item in zip([None, *items], items, strict=False):
        if item.is_comment:
            found.append(before is not None and before.text not in ("(", "["))
            continue
        if before is not None and before.is_comment:
            found.append(item.text not in (";", ",", ")", "]"))
        else:
            found.append(apart[position])
        position += 1
    return found


class _Reader:
    """Reads tokens from left to right, with the little memory that the ambiguous ones need."""

    def __init__(self) -> None:
        self.pending: list[list[str]] = [[]]  # of each open bracket, the `?` and quantifiers whose `:` is still to come
        self.waiting = False  # between `aio_wait_while` and its condition

    def read(self, tokens: list[Item]) -> list[bool]:
        found: list[bool] = []
        unary = False
        before: Item | None = None
        for token in tokens:
            found.append(before is not None and self._apart(before, token, unary))
            unary = token.text == "-" and (before is None or before.kind not in _VALUES)
            self._remember(token)
            before = token
        return found

    def _apart(self, before: Item, token: Item, unary: bool) -> bool:
        if unary or token.text in _NEVER_BEFORE or before.text in _NEVER_BEHIND:
            return False
        if token.text == ":":
            return self.pending[-1][-1:] == ["?"]
        if token.text == "(":
            return before.kind != "NAME" or (self.waiting and len(self.pending) == 1)
        return True

    def _remember(self, token: Item) -> None:
        if token.text in ("(", "["):
            self.pending.append([])
        elif token.text in (")", "]") and len(self.pending) > 1:
            self.pending.pop()
        elif token.text in (";", "{", "}"):
            self.pending = [[]]
            self.waiting = False
        elif token.text == "?" or token.kind in ("QUANT", "NUMBER"):
            self.pending[-1].append(token.text)
        elif token.text == ":" and self.pending[-1]:
            self.pending[-1].pop()
        elif token.kind == "AIO_WAIT_WHILE":
            self.waiting = True
        if token.text == "(" and self.waiting and len(self.pending) == 2:
            self.waiting = False
