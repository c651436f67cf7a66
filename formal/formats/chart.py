"""A sweep as a chart: what a verdict costs against the size, in seconds and in states, and which verdict it is.

In: the axes and what became of each point. Out: one SVG, light or dark as the reader has it; nothing is loaded, nothing runs. The first
axis lies at the bottom; each combination of the others, and each model, is a line. A verdict has a shape of its own besides its colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, takewhile
from types import MappingProxyType
from typing import Final

from formal.sweep import Axis, Point

_WIDTH, _PANEL, _GAP, _LEFT, _RIGHT, _TOP = 760.0, 210.0, 58.0, 74.0, 24.0, 66.0
_ROW, _ENTRY, _CHAR = 18.0, 22.0, 6.7
_LINES: Final = 6  # colours of lines, then again from the first, dashed
_LOG: Final = 20.0  # times that the greatest is the least, from which on the scale is logarithmic
_SHAPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "proved": ("proved", "M0-5A5 5 0 1 1 0 5 5 5 0 1 1 0-5Z"),
        "proved_up_to": ("no violation within the depth", "M-4.5-4.5h9v9h-9Z"),
        "violated": ("violated", "M-5-5 5 5M-5 5 5-5"),
        "undecided": ("undecided", "M0-5.5 5.5 4.5h-11Z"),
        "interrupted": ("interrupted", "M0-5.5 5.5 4.5h-11Z"),
        "refused": ("refused by the model", "M0-6V6"),
        "lost": ("lost with its process", "M0-6V6M-4-2h8"),
    }
)
_STYLE: Final = """
:root { color-scheme: light dark; }
svg { --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --grid: #e4e8ec; --good: #1a7f37; --bound: #0969da; --bad: #cf222e;
  --open: #9a6700; --l0: #0969da; --l1: #8250df; --l2: #bc4c00; --l3: #1a7f37; --l4: #bf3989; --l5: #57606a; background: var(--paper); }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --grid: #262c34; --good: #56d364;
  --bound: #79c0ff; --bad: #ff7b72; --open: #e3b341;
  --l0: #79c0ff; --l1: #d2a8ff; --l2: #ffa657; --l3: #56d364; --l4: #f778ba; --l5: #9198a1; } }
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink); }
.title { font-size: 15px; font-weight: bold; } .soft { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 1.6; } .again { stroke-dasharray: 5 3; }
.mark { stroke-width: 2; stroke: var(--soft); fill: var(--paper); }
.proved { fill: var(--good); stroke: var(--good); } .proved_up_to { stroke: var(--bound); } .violated { stroke: var(--bad); fill: none; }
.undecided, .interrupted { stroke: var(--open); }
""".strip()


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels. `ticks`: values and their words."""

    place: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool


def chart(title: str, axes: Sequence[Axis], points: Sequence[Point]) -> str:
    """The SVG. A measure that nobody told has no panel."""
    measures: list[tuple[str, Callable[[Point], float | None]]] = [("seconds to the verdict", lambda point: point.cost)]
    if any(point.states is not None for point in points):
        measures.append(("states looked at", lambda point: point.states))
    lines = _lines(axes, points)
    several = list(lines) if len(lines) > 1 else []
    met = [state for state in _SHAPES if any(point.state == state for point in points)]
    legend = _TOP + len(measures) * (_PANEL + _GAP)
    height = legend + _ROW * (len(several) + 1) + 10
    size = f'viewBox="0 0 {_n(_WIDTH)} {_n(height)}" width="{_n(_WIDTH)}" height="{_n(height)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(_told(axes, points))}</desc>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_n(_WIDTH)}" height="{_n(height)}" fill="var(--paper)"/>',
        f'<text class="title" x="20" y="28">{escape(_short(title, 78))}</text>',
    ]
    for number, (name, measure) in enumerate(measures):
        parts += [f'<g transform="translate(0 {_n(_TOP + number * (_PANEL + _GAP))})">', *_panel(axes[0], lines, name, measure), "</g>"]
    parts += [*_verdicts(met, legend), *_names(several, legend + _ROW)]
    return "\n".join([*parts, "</svg>"])


def _lines(axes: Sequence[Axis], points: Sequence[Point]) -> dict[str, list[Point]]:
    """The points of each line, by what it is called."""
    files = {point.file for point in points}
    found: dict[str, list[Point]] = {}
    for point in points:
        others = [f"{axis.name} = {value}" for axis, value in zip(axes[1:], point.values[1:], strict=True)]
        found.setdefault(", ".join([*([point.file] if len(files) > 1 else []), *others]), []).append(point)
    return found


def _told(axes: Sequence[Axis], points: Sequence[Point]) -> str:
    """The chart in words, for those who do not see it."""
    names = [axis.name for axis in axes]
    return "; ".join(
        f"{point.file}, {', '.join(f'{name} = {value}' for name, value in zip(names, point.values, strict=True))}: {_point(point)}"
        for point in points
    )


def _point(point: Point) -> str:
    told = [_SHAPES[point.state][0]]
    told += [] if point.cost is None else [f"{point.cost:.2f} s" + ("" if point.then is None else " when it was found")]
    told += [] if point.states is None else [f"{point.states:,} states"]
    return ", ".join(told)


# ---------------------------------------------------------------- one panel


def _panel(axis: Axis, lines: Mapping[str, Sequence[Point]], name: str, measure: Callable[[Point], float | None]) -> Iterator[str]:
    values = [value for points in lines.values() for point in points if (value := measure(point)) is not None]
    scale = _scale(values)
    yield f'<text class="soft" x="{_n(_LEFT)}" y="-10">{name}{" (logarithmic)" if scale.logarithmic else ""}</text>'
    for value, words in scale.ticks:
        y = _n(scale.place(value))
        yield f'<path class="grid" d="M{_n(_LEFT)} {y}H{_n(_WIDTH - _RIGHT)}"/>'
        yield f'<text class="soft" text-anchor="end" x="{_n(_LEFT - 8)}" y="{_n(scale.place(value) + 4)}">{words}</text>'
    across = _across(axis)
    yield from _bottom(axis, across)
    for number, points in enumerate(lines.values()):
        places = [(across[point.values[0]], scale.place(value)) for point in points if (value := measure(point)) is not None]
        if len(places) > 1:
            dashed = " again" if number >= _LINES else ""
            shape = "L".join(f"{_n(x)} {_n(y)}" for x, y in places)
            yield f'<path class="line{dashed}" style="stroke: var(--l{number % _LINES})" d="M{shape}"/>'
    for points in lines.values():
        for point in points:
            value = measure(point)
            height = _PANEL if value is None else scale.place(value)
            where = f'transform="translate({_n(across[point.values[0]])} {_n(height)})"'
            hint = f"{axis.name} = {point.values[0]}: {_point(point)}"
            yield f'<path class="mark {point.state}" {where} d="{_SHAPES[point.state][1]}"><title>{escape(hint)}</title></path>'


def _across(axis: Axis) -> dict[str, float]:
    """Where the values lie: numbers by their size, other values side by side."""
    try:
        sizes = [float(value) for value in axis.values]
    except ValueError:
        sizes = [float(position) for position in range(len(axis.values))]
    low, high = min(sizes), max(sizes)
    room = _WIDTH - _LEFT - _RIGHT - 40
    shares = [(size - low) / (high - low) if high > low else 0.5 for size in sizes]
    return {value: _LEFT + 20 + room * share for value, share in zip(axis.values, shares, strict=True)}


def _bottom(axis: Axis, across: Mapping[str, float]) -> Iterator[str]:
    """The values, as many as have room, and the name."""
    yield f'<path class="grid" d="M{_n(_LEFT)} {_n(_PANEL)}H{_n(_WIDTH - _RIGHT)}"/>'
    free = 0.0
    for value, x in sorted(across.items(), key=lambda item: item[1]):
        half = len(value) * _CHAR / 2
        if x - half >= free:
            yield f'<text class="soft" text-anchor="middle" x="{_n(x)}" y="{_n(_PANEL + 20)}">{escape(value)}</text>'
            free = x + half + 6
    yield f'<text class="soft" text-anchor="end" x="{_n(_WIDTH - _RIGHT)}" y="{_n(_PANEL + 36)}">{escape(axis.name)}</text>'


def _scale(values: Sequence[float]) -> _Scale:
    low, high = min(values, default=0.0), max(values, default=1.0)
    low = max(low, 0.01)
    if high / low > _LOG:
        bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
        ticks = tuple((10.0**power, _words(10.0**power)) for power in range(bottom, top + 1))
        return _Scale(lambda value: _PANEL * (1 - (math.log10(max(value, 10.0**bottom)) - bottom) / (top - bottom)), ticks, True)
    step = _step(max(high, 0.01))
    places = tuple(takewhile(lambda value: value < high + step, (number * step for number in count())))
    return _Scale(lambda value: _PANEL * (1 - value / places[-1]), tuple((value, _words(value)) for value in places), False)


def _step(high: float) -> float:
    """A round number that goes into it about four times."""
    power = 10.0 ** math.floor(math.log10(high / 4))
    return next(power * times for times in (1, 2, 5, 10) if high / (power * times) <= 5)


def _words(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.4g}"


# ---------------------------------------------------------------- legends


def _verdicts(states: Sequence[str], y: float) -> Iterator[str]:
    x = _LEFT
    for state in states:
        words, shape = _SHAPES[state]
        yield f'<path class="mark {state}" transform="translate({_n(x)} {_n(y)})" d="{shape}"/>'
        yield f'<text class="soft" x="{_n(x + 12)}" y="{_n(y + 4)}">{words}</text>'
        x += _ENTRY + 14 + len(words) * _CHAR


def _names(names: Sequence[str], y: float) -> Iterator[str]:
    for number, name in enumerate(names):
        at = y + number * _ROW
        dashed = " again" if number >= _LINES else ""
        yield f'<path class="line{dashed}" style="stroke: var(--l{number % _LINES})" d="M{_n(_LEFT - 6)} {_n(at)}h22"/>'
        yield f'<text class="soft" x="{_n(_LEFT + 24)}" y="{_n(at + 4)}">{escape(_short(name, 96))}</text>'


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 3] + "..."


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
