"""Where lines break: the author's choice, but for braces, `else` and `or`, and more than one blank line.

In: items. Out: the same items with `breaks` settled: 0 (same line), 1 (next line) or 2 (a blank line between).
"""

from __future__ import annotations

from formal.formatting.items import Item

_CLOSE_UP = (";", ",", ")", "]")  # never begin a line


def settle_breaks(items: list[Item]) -> list[Item]:
    """Settle every break, in place; the items are returned."""
    for position, item in enumerate(items):
        item.breaks = _first_guess(items, position)
    for opening, closing in _braces(items):
        _open_up(items, opening, closing)
    return items


def _first_guess(items: list[Item], position: int) -> int:
    item = items[position]
    if position == 0:
        return 0
    before = items[position - 1]
    if before.is_comment:
        return min(item.breaks, 2)
    joined = (
        item.text in _CLOSE_UP
        or (item.text == "{" and before.text not in (";", "{", "}", ":"))
        or (item.kind in ("ELSE", "OR") and before.text == "}" and item.text != "||")
    )
    return 0 if joined else min(item.breaks, 2)


def _braces(items: list[Item]) -> list[tuple[int, int]]:
    """Positions of each pair."""
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    for position, item in enumerate(items):
        if item.kind == "LBRACE":
            open_.append(position)
        elif item.kind == "RBRACE":
            found.append((open_.pop(), position))
    return found


def _open_up(items: list[Item], opening: int, closing: int) -> None:
    """What is in braces is on one line, or none of it is on the line of either brace; a comment may stand behind the first."""
    inside = items[opening + 1 : closing + 1]
    if not any(item.breaks or item.ends_line for item in inside):
        return
    if inside[0].is_comment and not inside[0].breaks:
        inside = inside[1:]
    inside[0].breaks = 1
    items[closing].breaks = 1
    behind = closing + 1
    if behind < len(items) and _stands_alone(items[behind]):
        items[behind].breaks = max(1, items[behind].breaks)


def _stands_alone(item: Item) -> bool:
    """Whether something cannot go on behind the closing brace of a block over several lines."""
    return not item.is_comment and item.kind not in ("ELSE", "OR", "AT") and item.text not in (";", ",")
