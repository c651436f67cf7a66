"""Pictures as plain text: the boxes in order with their arrows, and who waits for whom as a list.

In: pictures. Out: text. Lines may be long: they are a model's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formal.drawings.graph import Edge, Line, Picture

_BRACKETS = {"": "|", "open": "/", "close": "\\"}


def text(pictures: Sequence[Picture]) -> str:
    """One below the other."""
    shown = "\n\n".join("\n".join(_flow(picture) if picture.id != "waits" else _waits(picture)) for picture in pictures)
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in shown)


def _flow(picture: Picture) -> Iterator[str]:
    """Boxes have numbers where arrows lead to them that do not come from the box above."""
    yield f"{picture.title}  ({picture.note})"
    place = {node.id: number for number, node in enumerate(picture.nodes)}
    out: dict[str, list[Edge]] = {node.id: [] for node in picture.nodes}
    for edge in picture.edges:
        out[edge.source].append(edge)
    jumped = {edge.target for edge in picture.edges if place[edge.target] != place[edge.source] + 1 or edge.label}
    numbers = {node.id: number for number, node in enumerate((one for one in picture.nodes if one.id in jumped), 1)}
    margin = len(f"{len(numbers)}:") + 3
    deepest = max((len(line.held) for node in picture.nodes for line in node.lines), default=0)
    for node in picture.nodes:
        head = f"{numbers[node.id]}:" if node.id in numbers else ""
        for line in node.lines:
            yield f"  {head:<{margin}}{_bars(line, deepest)}{'  ' * line.depth}{line.text}{' ...' if line.target else ''}".rstrip()
            head = ""
        for edge in out[node.id]:
            follows = place[edge.target] == place[node.id] + 1 and not edge.label
            if not follows:
                why = f"{edge.label}: " if edge.label else ""
                yield f"  {'':<{margin}}{' ' * (deepest + 1 if deepest else 0)}-> {why}{numbers[edge.target]}"


def _bars(line: Line, deepest: int) -> str:
    """The brackets of held locks, and the name where one is taken."""
    if not deepest:
        return ""
    bars = "".join(_BRACKETS[line.bracket if place == len(line.held) - 1 else ""] for place in range(len(line.held)))
    return f"{bars:<{deepest}} "


def _waits(picture: Picture) -> Iterator[str]:
    yield f"{picture.title}  ({picture.note})"
    for node in picture.nodes:
        yield f"  {' -- '.join(line.text for line in node.lines)}"
        for edge in picture.edges:
            if edge.source == node.id:
                yield from (f"    {one}" for one in _sentences(edge))


def _sentences(edge: Edge) -> Iterator[str]:
    """ "takes ramlist", "waits in main_context, holding BQL"; of a lock, who holds it while taking which one."""
    if edge.tone == "order":
        yield edge.label.removesuffix(" it") + f" {edge.target}"
        return
    for part in edge.label.split("; "):
        verb, comma, held = part.partition(", ")
        yield f"{verb} {edge.target}{comma}{held}"
