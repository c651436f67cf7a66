"""Pictures as SVG: one document with everything in it, light or dark as the reader has it.

In: pictures. Out: text. Nothing is loaded from anywhere, and nothing runs; whatever a model says is text. Lengths are pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from html import escape
from types import MappingProxyType
from typing import Final

from formal.drawings.graph import Line, Node, Picture, Tone
from formal.drawings.labels import LABEL_ROW, Label, place_labels
from formal.drawings.layout import Arrow, Laid, Point, Size, lay_out
from formal.drawings.theme import STYLE

CHAR, _ROW, _PAD = 7.25, 17.0, 9.0  # of the font's 12 px: a character's width, a line's height, and around them
_BAR = 7.0  # between two brackets of held locks
_MARGIN, _HEAD, _BETWEEN = 20.0, 46.0, 36.0
_WIDEST = 1500.0  # of the page, unless one picture is wider
_FLOW_ROOM, _WAITS_ROOM = (34.0, 32.0), (46.0, 92.0)
_LOCKS: Final = 6  # colours of brackets, then again from the first
_MEANING: Final = 330.0  # of one entry of a legend
_LONGEST: Final = 76  # characters of a box's line, before it goes on in the next one
_TONES: Final[Mapping[Tone, str]] = MappingProxyType(
    {"plain": "head", "back": "head", "asks": "head-asks", "helps": "head-helps", "order": "head-order"}
)


@dataclass(frozen=True, slots=True)
class _Panel:
    """One picture, laid out; its own size, with its heading."""

    picture: Picture
    laid: Laid
    sizes: Mapping[str, Size]
    locks: tuple[str, ...]
    labels: tuple[Label, ...]
    width: float
    height: float


def paint(title: str, pictures: Sequence[Picture], legends: Mapping[str, Sequence[tuple[Tone, str]]]) -> str:
    """One document. `legends`: by a picture's id, what its kinds of arrows mean."""
    there = {picture.id for picture in pictures}
    folded = [replace(picture, nodes=tuple(_folded(node, there) for node in picture.nodes)) for picture in pictures]
    panels = [_panel(picture, flow=picture.id not in legends, legend=len(legends.get(picture.id, ()))) for picture in folded]
    places, width, height = _arranged(panels)
    size = f'width="{_n(width)}" height="{_n(height)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_n(width)} {_n(height)}" {size}>',
        f"<title>{_text(title)}</title>",
        f"<style>{STYLE}</style>",
        "<defs>",
        *_heads(),
        "</defs>",
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="var(--paper)"/>',
    ]
    for panel, (x, y) in zip(panels, places, strict=True):
        parts += [f'<g id="{_text(panel.picture.id)}" transform="translate({_n(x)} {_n(y)})">']
        parts += _drawn(panel, legends.get(panel.picture.id, ()))
        parts += ["</g>"]
    return "\n".join([*parts, "</svg>"])


# ---------------------------------------------------------------- panels


def _panel(picture: Picture, *, flow: bool, legend: int) -> _Panel:
    sizes = {node.id: _size(node) for node in picture.nodes}
    laid = lay_out(picture, sizes, _FLOW_ROOM if flow else _WAITS_ROOM)
    locks = tuple(dict.fromkeys(lock for node in picture.nodes for line in node.lines for lock in line.held))
    heads = max(CHAR * 1.27 * len(picture.title), CHAR * len(picture.note), sum(CHAR * len(lock) + 24 for lock in locks))
    labels = place_labels(laid, sizes, CHAR)
    width = max(laid.width + 24, heads, max([label.x + label.width for label in labels], default=0.0), legend * _MEANING)
    return _Panel(picture, laid, sizes, locks, labels, width, laid.height + _HEAD + (_ROW if locks or legend else 0))


def _arranged(panels: Sequence[_Panel]) -> tuple[list[Point], float, float]:
    """Side by side as far as the page is wide, then below: where each is, and the size of the whole."""
    widest = max(_WIDEST, max((panel.width for panel in panels), default=0.0))
    places, x, y, row, right = [], 0.0, 0.0, 0.0, 0.0
    for panel in panels:
        if x and x + panel.width > widest:
            x, y, row = 0.0, y + row + _BETWEEN, 0.0
        places.append((x + _MARGIN, y + _MARGIN))
        x, row = x + panel.width + _BETWEEN, max(row, panel.height)
        right = max(right, x - _BETWEEN)
    return places, right + 2 * _MARGIN, y + row + 2 * _MARGIN


def _drawn(panel: _Panel, legend: Sequence[tuple[Tone, str]]) -> Iterator[str]:
    yield f'<text class="title" y="12">{_text(panel.picture.title)}</text>'
    yield f'<text class="soft" y="28">{_text(panel.picture.note)}</text>'
    top = _HEAD - 6
    if panel.locks or legend:
        yield from _lock_legend(panel.locks)
        yield from _arrow_legend(legend)
        top += _ROW
    yield f'<g transform="translate(0 {_n(top)})">'
    yield from map(_arrow, panel.laid.arrows)
    for node in panel.picture.nodes:
        yield from _box(node, panel.laid.centres[node.id], panel.sizes[node.id], panel.locks)
    for label in panel.labels:
        yield from _label(label)
    yield "</g>"


def _lock_legend(locks: Sequence[str]) -> Iterator[str]:
    x = 2.0
    for number, lock in enumerate(locks):
        yield f'<path class="bar" style="stroke: var(--l{number % _LOCKS})" d="M{_n(x)} 36v12"/>'
        yield f'<text class="soft" x="{_n(x + 6)}" y="46">{_text(lock)}</text>'
        x += CHAR * len(lock) + 24


def _arrow_legend(legend: Sequence[tuple[Tone, str]]) -> Iterator[str]:
    for number, (tone, meaning) in enumerate(legend):
        x = _MEANING * number
        yield f'<path class="arrow {tone}" marker-end="url(#{_TONES[tone]})" d="M{_n(x)} 42h26"/>'
        yield f'<text class="soft" x="{_n(x + 36)}" y="46">{_text(meaning)}</text>'


# ---------------------------------------------------------------- boxes


def _folded(node: Node, there: Set[str]) -> Node:
    """With lines that are not too long, and none that leads to a picture which is not there."""
    lines = []
    for line in node.lines:
        pieces = textwrap.wrap(line.text, _LONGEST, break_on_hyphens=False) or [""]
        lines.append(replace(line, text=pieces[0], target=line.target if line.target in there else None))
        held = line.held if line.bracket != "close" else line.held[:-1]
        lines += [Line(piece, line.depth + 2, held) for piece in pieces[1:]]
    return replace(node, lines=tuple(lines))


def _bars(node: Node) -> int:
    return max((len(line.held) for line in node.lines), default=0)


def _size(node: Node) -> Size:
    longest = max((len(line.text) + 2 * line.depth for line in node.lines), default=0)
    sides = 2 * _PAD + (14 if node.shape == "test" else 0)
    return longest * CHAR + sides + _bars(node) * _BAR, max(1, len(node.lines)) * _ROW + _PAD


def _box(node: Node, centre: Point, size: Size, locks: Sequence[str]) -> Iterator[str]:
    (x, y), (w, h) = (centre[0] - size[0] / 2, centre[1] - size[1] / 2), size
    if node.shape == "test":
        points = [(x, y + h / 2), (x + 8, y), (x + w - 8, y), (x + w, y + h / 2), (x + w - 8, y + h), (x + 8, y + h)]
        yield f'<polygon class="test" points="{" ".join(f"{_n(px)},{_n(py)}" for px, py in points)}"/>'
    else:
        round_ = h / 2 if node.shape in ("mark", "thread", "bh") else 4
        yield f'<rect class="{node.shape}" x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="{_n(round_)}"/>'
    bars = _bars(node) * _BAR
    inset = 7 if node.shape == "test" else 0
    for number, line in enumerate(node.lines):
        top = y + _PAD / 2 + number * _ROW
        yield from _brackets(line, x + inset + 5, top, locks)
        yield from _line(
            line, x + inset + _PAD + bars + 2 * line.depth * CHAR, top, soft=number > 0 and node.shape not in ("plain", "test")
        )


def _brackets(line: Line, x: float, top: float, locks: Sequence[str]) -> Iterator[str]:
    """A bar for each lock that is held; it begins where the lock is taken, and ends where it is given back."""
    for place, lock in enumerate(line.held):
        colour, left = locks.index(lock) % _LOCKS, x + place * _BAR
        last = place == len(line.held) - 1
        if last and line.bracket == "open":
            shape = f"M{_n(left + 5)} {_n(top + 4)}h-5V{_n(top + _ROW)}"
        elif last and line.bracket == "close":
            shape = f"M{_n(left)} {_n(top)}V{_n(top + _ROW - 5)}h5"
        else:
            shape = f"M{_n(left)} {_n(top)}v{_n(_ROW)}"
        yield f'<path class="bar" style="stroke: var(--l{colour})" d="{shape}"><title>{_text(lock)} may be held</title></path>'


def _line(line: Line, x: float, top: float, *, soft: bool) -> Iterator[str]:
    text = f'<text x="{_n(x)}" y="{_n(top + 12.5)}"{" class=" + chr(34) + "soft" + chr(34) if soft else ""}>{_text(line.text)}</text>'
    if line.target is None:
        yield text
        return
    width = len(line.text) * CHAR
    yield f'<a href="#{_text(line.target)}">'
    yield f'<rect class="call" x="{_n(x - 3)}" y="{_n(top + 0.5)}" width="{_n(width + 6)}" height="{_n(_ROW - 2)}" rx="3"/>{text}</a>'


# ---------------------------------------------------------------- arrows


def _heads() -> Iterator[str]:
    for name in dict.fromkeys(_TONES.values()):
        size = 'viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto" markerUnits="userSpaceOnUse"'
        yield f'<marker id="{name}" {size}><path class="{name}" d="M0 0L8 4L0 8z"/></marker>'


def _arrow(arrow: Arrow) -> str:
    tone = arrow.edges[-1].tone
    return f'<path class="arrow {tone}" marker-end="url(#{_TONES[tone]})" d="{_curve(arrow.points)}"/>'


def _curve(points: Sequence[Point]) -> str:
    """Through the points, with round corners."""
    path = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = _near(here, before), _near(here, after)
        path += f"L{_n(x1)} {_n(y1)}Q{_n(here[0])} {_n(here[1])} {_n(x2)} {_n(y2)}"
    return f"{path}L{_n(points[-1][0])} {_n(points[-1][1])}"


def _near(corner: Point, other: Point) -> Point:
    """A little way from a corner to another point, at most half of it."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    share = min(12.0 / length, 0.5)
    return corner[0] + dx * share, corner[1] + dy * share


def _label(label: Label) -> Iterator[str]:
    for number, line in enumerate(label.lines):
        yield f'<text class="label" x="{_n(label.x)}" y="{_n(label.y + LABEL_ROW * (number + 0.8))}">{_text(line)}</text>'


def _text(text: str) -> str:
    """Text that stays text, without anything that XML forbids."""
    return escape("".join(one if one.isprintable() else "\ufffd" for one in text))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
