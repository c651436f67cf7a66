"""Where boxes and arrows go: layers from top to bottom, with few crossings.

In: a picture, and the size of each box. Out: positions, in the unit of the sizes. The method is Sugiyama's ("Methods for visual
understanding of hierarchical system structures", 1981), as grandalf implements it. Must not know how anything is painted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formal.drawings.graph import Edge, Picture

Point = tuple[float, float]
Size = tuple[float, float]
APART = 40.0  # between parts that nothing connects
_ASIDE = 12.0  # from an arrow that goes the other way


@dataclass(frozen=True, slots=True)
class Arrow:
    """Arrows between the same two boxes are one, with all their labels. `points`: from border to border, at least two."""

    edges: tuple[Edge, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Laid:
    """`centres`: of the boxes. Everything lies within 0..width, 0..height."""

    centres: Mapping[str, Point]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


class _View:
    """What grandalf wants to know of a box, and where it puts it."""

    def __init__(self, size: Size) -> None:
        self.w, self.h = size
        self.xy: Point = (0.0, 0.0)


class _Route:
    """Where grandalf puts the points of an arrow."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def setpath(self, points: list[Point]) -> None:
        self.points = list(points)


def lay_out(picture: Picture, sizes: Mapping[str, Size], room: Size) -> Laid:
    """Each connected part by itself, from left to right. `room`: between boxes of one layer, and between layers."""
    from grandalf.graphs import Edge as GEdge
    from grandalf.graphs import Graph, Vertex

    vertices = {node.id: Vertex(node.id) for node in picture.nodes}
    for name, vertex in vertices.items():
        vertex.view = _View(sizes[name])
    together: dict[tuple[str, str], list[Edge]] = {}
    for edge in picture.edges:
        together.setdefault((edge.source, edge.target), []).append(edge)
    links = {pair: GEdge(vertices[pair[0]], vertices[pair[1]]) for pair in downwards([node.id for node in picture.nodes], together)}
    for link in links.values():
        link.view = _Route()
    graph = Graph(list(vertices.values()), list(links.values()))
    left, height = 0.0, 0.0
    for part in graph.C:
        _sugiyama(part, room)
        box = _extent(part)
        for vertex in part.sV:
            vertex.view.xy = (vertex.view.xy[0] - box[0] + left, vertex.view.xy[1] - box[1])
        for link in part.sE:
            link.view.points = [(x - box[0] + left, y - box[1]) for x, y in link.view.points]
        left += box[2] - box[0] + APART
        height = max(height, box[3] - box[1])
    placed = {name: (vertex.view.xy, sizes[name]) for name, vertex in vertices.items()}
    routes = {pair: link.view.points for pair, link in links.items()}
    arrows = [_arrow(pair, tuple(edges), routes, placed, both=pair[::-1] in together) for pair, edges in together.items()]
    return Laid({name: centre for name, (centre, _) in placed.items()}, tuple(arrows), max(0.0, left - APART), height)


def downwards(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same connections without any circle: what leads back, from the first names on, is turned round; none is there twice."""
    leads: dict[str, list[str]] = {name: [] for name in names}
    for source, target in pairs:
        leads[source].append(target)
    incoming = {target for source, targets in leads.items() for target in targets if target != source}
    state: dict[str, str] = {}
    found: dict[tuple[str, str], None] = {}
    for first in sorted(names, key=lambda name: name in incoming):
        if first in state:
            continue
        state[first] = "open"
        trail = [(first, iter(leads[first]))]
        while trail:
            here, targets = trail[-1]
            target = next(targets, "")
            if not target:
                state[here] = "done"
                trail.pop()
            elif target != here:
                found[(target, here) if state.get(target) == "open" else (here, target)] = None
                if target not in state:
                    state[target] = "open"
                    trail.append((target, iter(leads[target])))
    return list(found)


def _sugiyama(part: Any, room: Size) -> None:
    """Lay out one connected part, which has no circle."""
    from grandalf.layouts import SugiyamaLayout

    layout = SugiyamaLayout(part)
    layout.xspace, layout.yspace = room
    layout.init_all(roots=[vertex for vertex in part.sV if not vertex.e_in()], inverted_edges=[])
    layout.draw(8)


def _extent(part: Any) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a part."""
    xs, ys = [], []
    for vertex in part.sV:
        (x, y), view = vertex.view.xy, vertex.view
        xs += [x - view.w / 2, x + view.w / 2]
        ys += [y - view.h / 2, y + view.h / 2]
    for link in part.sE:
        xs += [x for x, _ in link.view.points]
        ys += [y for _, y in link.view.points]
    return min(xs), min(ys), max(xs), max(ys)


def _arrow(
    pair: tuple[str, str],
    edges: tuple[Edge, ...],
    routes: Mapping[tuple[str, str], Sequence[Point]],
    placed: Mapping[str, tuple[Point, Size]],
    *,
    both: bool,
) -> Arrow:
    """`both`: there is an arrow the other way, too; then the one that leads back keeps to its side."""
    (centre, size), (goal, room) = placed[pair[0]], placed[pair[1]]
    if pair[0] == pair[1]:
        (x, y), (w, h) = centre, size
        right = x + w / 2
        return Arrow(edges, ((right, y - h / 4), (right + 18, y - h / 4), (right + 18, y + h / 4), (right, y + h / 4)))
    between = list(routes[pair][1:-1]) if pair in routes else list(routes[pair[1], pair[0]][-2:0:-1])
    if both and pair not in routes:
        between = [(x + _ASIDE, y) for x, y in between] or [((centre[0] + goal[0]) / 2 + _ASIDE, (centre[1] + goal[1]) / 2)]
    points = [_border(centre, (between or [goal])[0], size), *between, _border(goal, (between or [centre])[-1], room)]
    return Arrow(edges, tuple(points))


def _border(centre: Point, towards: Point, size: Size) -> Point:
    """Where the line from a box's centre to a point leaves the box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    if not dx and not dy:
        return centre
    scale = min(size[0] / 2 / abs(dx) if dx else float("inf"), size[1] / 2 / abs(dy) if dy else float("inf"), 1.0)
    return centre[0] + dx * scale, centre[1] + dy * scale
