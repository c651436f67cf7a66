"""A chart of ratios: how many times as long as `formal` each peer takes, by size. In: `Measured`. Out: SVG, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from bench.peers import TIMEOUT, Measured, Row
from bench.report import ratio

_PEERS = (("SPIN", "a", "circle"), ("SPIN, compiled", "b", "square"), ("ABC pdr", "c", "triangle"), ("Z3, unrolled", "d", "diamond"))
_WIDTH, _PANEL, _HEIGHT, _LEFT, _GAP, _TOP, _ROW = 960, 260, 170, 56, 46, 96, 250
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 17px; font-weight: 600 } .name { font-weight: 600 } .dim { fill: #57606a }
  .grid { stroke: #d0d7de; stroke-width: 1 } .one { stroke: #24292f; stroke-width: 1.5; stroke-dasharray: 5 3 }
  .page { fill: #ffffff } path, polyline { fill: none; stroke-width: 2 }
  .a { stroke: #0072b2; fill: #0072b2 } .b { stroke: #56b4e9; fill: #56b4e9 } .c { stroke: #d55e00; fill: #d55e00 }
  .d { stroke: #8250a8; fill: #8250a8 } polyline.a, polyline.b, polyline.c, polyline.d { fill: none } .open { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .dim { fill: #9198a1 } .grid { stroke: #30363d } .one { stroke: #e6edf3 } .page, .open { fill: #0d1117 }
  }"""


def draw(measured: Measured) -> str:
    """Small multiples, one panel a ladder, all of one logarithmic scale; a dashed line where formal is."""
    names = list(dict.fromkeys(row.ladder.name for row in measured.rows))
    lo, hi = _scale(measured)
    height = _TOP + _ROW * ceil(len(names) / 3) + 8
    body = [
        line
        for i, name in enumerate(names)
        for line in _panel([r for r in measured.rows if r.ladder.name == name], i, (lo, hi), measured.limit)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">',
            "<title>How many times as long as formal other tools take, by size</title>",
            f"<style>{_STYLE}\n</style>",
            f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
            '<text class="title" x="16" y="30">Times what formal takes (above 1: formal is faster)</text>',
            *_legend(measured.limit),
            *body,
            "</svg>",
            "",
        ]
    )


def _points(rows: Sequence[Row], name: str, limit: float) -> list[tuple[int, float, bool]]:
    """Position, ratio, and whether that is a lower bound only, since the peer ran out of time."""
    found = []
    for i, row in enumerate(rows):
        result, ours = row.results.get(name), row.results.get("formal")
        times = ratio(row, name)
        if times is not None and times > 0:
            found.append((i, times, False))
        elif result and ours and ours.median and result.verdict == TIMEOUT and ours.verdict != TIMEOUT:
            found.append((i, limit / ours.median, True))
    return found


def _scale(measured: Measured) -> tuple[int, int]:
    """Whole powers of ten around everything that is shown."""
    values = [times for row in measured.rows for name, _, _ in _PEERS for _, times, _ in _points([row], name, measured.limit)]
    return min([-1, *(floor(log10(value)) for value in values)]), max([1, *(ceil(log10(value)) for value in values)])


def _legend(limit: float) -> Iterator[str]:
    x = 16.0
    for name, colour, shape in _PEERS:
        yield _mark(x + 6, 54, colour, shape, False)
        yield f'<text x="{x + 18:g}" y="58">{escape(name)}</text>'
        x += 46 + 6.6 * len(name)
    yield _mark(x + 6, 54, "a", "circle", True)
    yield f'<text class="dim" x="{x + 18:g}" y="58">open: the peer ran out of {limit:g} s, at least so many times</text>'


def _panel(rows: Sequence[Row], index: int, scale: tuple[int, int], limit: float) -> Iterator[str]:
    left, top = _LEFT + (index % 3) * (_PANEL + _GAP), _TOP + (index // 3) * _ROW
    lo, hi = scale

    def x(i: int) -> float:
        return left + (_PANEL / 2 if len(rows) == 1 else 14 + i * (_PANEL - 28) / (len(rows) - 1))

    def y(times: float) -> float:
        return top + _HEIGHT * (hi - log10(times)) / (hi - lo)

    yield f'<text class="name" x="{left}" y="{top - 10}">{escape(rows[0].ladder.name)}</text>'
    for power in range(lo, hi + 1):
        label, at, line = f"{10.0**power:g}", y(10.0**power), "one" if power == 0 else "grid"
        yield f'<line class="{line}" x1="{left}" x2="{left + _PANEL}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text class="dim" text-anchor="end" x="{left - 6}" y="{at + 4:.1f}">{label}</text>'
    for i, row in enumerate(rows):
        yield f'<text text-anchor="middle" x="{x(i):.1f}" y="{top + _HEIGHT + 17}">{row.size}</text>'
    yield f'<text class="dim" text-anchor="middle" x="{left + _PANEL / 2:g}" y="{top + _HEIGHT + 33}">{escape(rows[0].ladder.size)}</text>'
    for name, colour, shape in _PEERS:
        points = _points(rows, name, limit)
        if len(points) > 1:
            yield f'<polyline class="{colour}" points="{" ".join(f"{x(i):.1f},{y(times):.1f}" for i, times, _ in points)}"/>'
        for i, times, bound in points:
            yield f"<g><title>{escape(name)}, {rows[i].size}: {'at least ' if bound else ''}{times:.3g} times</title>"
            yield f"{_mark(x(i), y(times), colour, shape, bound)}</g>"


def _mark(x: float, y: float, colour: str, shape: str, hollow: bool) -> str:
    style = f'class="{colour} open"' if hollow else f'class="{colour}"'
    corners = {"square": "-4,-4 4,-4 4,4 -4,4", "triangle": "0,-5 5,4 -5,4", "diamond": "0,-5.5 5.5,0 0,5.5 -5.5,0"}
    at = f'transform="translate({x:.1f} {y:.1f})"'
    return f'<circle {style} {at} r="4.5"/>' if shape == "circle" else f'<polygon {style} {at} points="{corners[shape]}"/>'
