"""Parameters that say how many there are of something, and whether they say anything else.

In: the surface tree of a model and a parameter's name. Out: the names of what it counts, the semaphores that it bounds, and the first place
where it is used otherwise. A model is the same text for every value of a parameter that only counts. Must not know types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formal.diagnostics import Span
from formal.program import Counted
from formal.syntax import Leaf, Node, Tree


def sizing(items: Iterable[Node], name: str, low: int, high: int | None) -> Counted:
    """What the parameter, of that range, counts: the sizes of arrays and families, and ranges 0..name - 1. All else is something else."""
    names: set[str] = set()
    bounds: set[str] = set()
    otherwise: Span | None = None
    for item in items:
        if item.kind == "param" and str(item.leaves()[0]) == name:
            continue
        if any(_is_name(size.items[-1], name) for size in (*item.nodes("size"), *item.nodes("family"))):
            names.add(str(item.leaves()[0]))
        uses = list(_uses(item, name))
        if uses and item.kind == "sem" and _is_bounded(item, name):
            bounds.add(str(item.leaves()[0]))
        else:
            otherwise = otherwise or next(iter(uses), None)
    return Counted(low, high, frozenset(names), otherwise, frozenset(bounds))


def _uses(node: Node, name: str) -> Iterator[Span]:
    """Where the name stands, but for where it counts."""
    if node.kind == "size" and _is_name(node.items[-1], name):
        return
    if node.kind == "domain" and _is_all(node, name):
        return
    counts = node.kind == "family" and _is_name(node.items[-1], name)
    for item in node.items[:-1] if counts else node.items:
        if isinstance(item, Leaf):
            if item.kind == "NAME" and item.text == name:
                yield item.span
        else:
            yield from _uses(item, name)


def _is_bounded(sem: Node, name: str) -> bool:
    """Whether it is one semaphore, and what it starts from and how far it goes is so many for each, and so many besides."""
    stated = [*sem.nodes("max"), *sem.nodes("initial_all")]
    return not any(True for _ in sem.nodes("size")) and all(_degree(one.items[-1], name) is not None for one in stated)


def _degree(tree: Tree, name: str) -> int | None:
    """0 if the name is not in it, 1 if what it says grows with it in proportion; None if it does otherwise, or that cannot be seen."""
    if not isinstance(tree, Node):
        return None
    match tree.kind, [_degree(item, name) for item in tree.items] if tree.kind in ("add", "sub", "mul") else []:
        case (("add" | "sub"), [int(left), int(right)]):
            return max(left, right)
        case "mul", [int(left), int(right)] if left + right <= 1:
            return left + right
        case (("int" | "name"), _):
            return int(_is_name(tree, name))
        case _:
            return None


def _is_all(domain: Node, name: str) -> bool:
    """Whether it is 0..name - 1."""
    match domain.items:
        case (Node(kind="int") as low, Node(kind="sub", items=(first, Node(kind="int") as one))):
            return str(low.items[0]) == "0" and _is_name(first, name) and str(one.items[0]) == "1"
        case _:
            return False


def _is_name(tree: Tree, name: str) -> bool:
    return isinstance(tree, Node) and tree.kind == "name" and str(tree.items[0]) == name
