"""Pictures as Mermaid flowcharts.

In: pictures. Out: one flowchart for each, as text; several are in fenced blocks of a Markdown text. Whatever a model says is text: what
Mermaid could read as syntax is written by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from formal.drawings.graph import Line, Node, Picture, Shape, Tone

_BRACKETS: Final = MappingProxyType({"": "\u2502", "open": "\u250c", "close": "\u2514"})
_SHAPES: Final[Mapping[Shape, tuple[str, str]]] = MappingProxyType(
    {
        "plain": ("[", "]"),
        "test": ("{{", "}}"),
        "mark": ("([", "])"),
        "thread": ("([", "])"),
        "bh": ("[/", "/]"),
        "lock": ("[", "]"),
        "context": ("[[", "]]"),
        "semaphore": ("(", ")"),
        "event": ("(", ")"),
        "condition": ("(", ")"),
    }
)
_ARROWS: Final[Mapping[Tone, str]] = MappingProxyType({"plain": "-->", "back": "-.->", "asks": "-->", "helps": "-.->", "order": "==>"})


def mermaid(pictures: Sequence[Picture]) -> str:
    """The flowchart by itself if there is one, else a Markdown text with a heading above each."""
    charts = ["\n".join(_chart(picture)) for picture in pictures]
    if len(charts) == 1:
        return charts[0]
    blocks = [
        f"## {_plain(picture.title)}\n\n{_plain(picture.note)}\n\n```mermaid\n{chart}\n```"
        for picture, chart in zip(pictures, charts, strict=True)
    ]
    return "\n\n".join(blocks)


def _chart(picture: Picture) -> Iterator[str]:
    yield "flowchart TD"
    yield f"  accTitle: {_flat(picture.title)}"
    numbers = {node.id: f"n{number}" for number, node in enumerate(picture.nodes)}
    for node in picture.nodes:
        yield f"  {numbers[node.id]}{_node(node)}"
    for edge in picture.edges:
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        yield f"  {numbers[edge.source]} {_ARROWS[edge.tone]}{label} {numbers[edge.target]}"
    for shape in dict.fromkeys(node.shape for node in picture.nodes if node.shape not in ("plain", "mark")):
        yield f"  class {','.join(numbers[node.id] for node in picture.nodes if node.shape == shape)} {shape}"


def _node(node: Node) -> str:
    opening, closing = _SHAPES[node.shape]
    return f'{opening}"{"<br/>".join(_line(line) for line in node.lines) or " "}"{closing}'


def _line(line: Line) -> str:
    """Brackets of the locks that are held, the indentation, and the text; what is called is set off."""
    bars = "".join(_BRACKETS[line.bracket if place == len(line.held) - 1 else ""] for place in range(len(line.held)))
    called = "\u25b7 " if line.target else ""
    text = called + line.text
    return f"{bars}{' ' if bars else ''}{'&nbsp;' * (2 * line.depth)}{_escaped(text)}"


def _escaped(text: str) -> str:
    """Everything but letters, digits and what is harmless, by its number."""
    return "".join(one if one.isalnum() or one in " _.,:/-" else f"#{ord(one) if one.isprintable() else 0xFFFD};" for one in text)


def _flat(text: str) -> str:
    """A title, which Mermaid takes up to the end of the line and cannot quote."""
    return "".join(one if one.isalnum() or one in " _.,:/-()[]*" else " " for one in text)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>()#+-!|" else one if one.isprintable() else "\ufffd" for one in text)
