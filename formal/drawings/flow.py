"""The control flow of one body as a picture: straight lines collapsed into boxes, arrows where control branches, meets or goes round.

In: a program. Out: `Picture`s, one for each body that a thread can come to; a line that calls leads to the picture of what it calls. Beside
each line stand the locks that may be held there, taken in this body, or held at its start by what it `requires`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from formal.drawings.graph import Edge, Line, Node, Picture, Shape
from formal.drawings.naming import name_of
from formal.drawings.tracing import Held, Tracer
from formal.frontend.walking import blocks_of, walk
from formal.outline import Body, reachable
from formal.program import (
    Assert,
    Atomic,
    Binary,
    Block,
    Break,
    Call,
    Choose,
    Continue,
    Expr,
    For,
    Holds,
    If,
    Invoke,
    Lock,
    Loop,
    Program,
    Return,
    Self,
    Stmt,
    Unlock,
    While,
    With,
)


def flows(program: Program) -> tuple[Picture, ...]:
    """Every body that a thread can come to, but for those that do nothing."""
    return tuple(flow(program, body) for body in reachable(program) if any(not isinstance(one, Block) for one in walk(body.whole)))


def flow(program: Program, body: Body) -> Picture:
    """One body."""
    drawn = _Drawing(program, held_in(program, body))
    drawn.whole(body)
    span = body.decl.span
    c_source = f", {body.decl.c_source}" if body.decl.c_source else ""
    return Picture(
        picture_id(body.name), heading(body), f"{span.source.path}:{span.line}{c_source}", tuple(drawn.boxes()), tuple(drawn.edges)
    )


def heading(body: Body) -> str:
    """ "thread vcpu[*]"."""
    words = {"thread": "thread", "proc": "proc", "callback": "callback", "bh": "bottom half"}
    family = "[*]" if getattr(body.decl, "size", None) is not None else ""
    return f"{words[body.kind]} {body.name}{family}"


def picture_id(name: str) -> str:
    """Of the body of that name."""
    return f"flow-{name}"


def held_in(program: Program, body: Body) -> dict[int, Held]:
    """By uid, the locks that may be held before each statement of a body."""
    found: dict[int, Held] = {}

    def see(stmt: Stmt, held: Held, _names: object) -> None:
        if not isinstance(stmt, Block):
            found[stmt.info.uid] = found.get(stmt.info.uid, frozenset()) | held

    required = [name for stmt in body.whole.statements if _is_requires(stmt) for name in _held_by_self(stmt.condition)]  # type: ignore[union-attr]
    Tracer(program, see, calls=False).body(body.whole, frozenset(required), {})
    return found


def _is_requires(stmt: Stmt) -> bool:
    return isinstance(stmt, Assert) and stmt.prop.startswith("requires.")


def _held_by_self(condition: Expr) -> Iterator[str]:
    """The locks that a condition says self holds."""
    match condition:
        case Holds(thread=Self(), lock=lock):
            yield name_of(lock, {})
        case Binary(op="&&", left=left, right=right):
            yield from _held_by_self(left)
            yield from _held_by_self(right)
        case _:
            pass


@dataclass(slots=True)
class _Box:
    """A box that is being filled."""

    id: str
    shape: Shape
    lines: list[Line] = field(default_factory=list)


_Loose = list[tuple[str, str]]  # boxes whose arrow does not lead anywhere yet, each with the arrow's label


@dataclass(slots=True)
class _Ways:
    """The other ways out of a block than its end."""

    broken: _Loose = field(default_factory=list)
    continued: _Loose = field(default_factory=list)


class _Drawing:
    def __init__(self, program: Program, held: dict[int, Held]) -> None:
        self._program = program
        self._held = held
        self._boxes: list[_Box] = []
        self._returned: _Loose = []
        self.edges: list[Edge] = []

    def boxes(self) -> Iterator[Node]:
        """The boxes, done."""
        for box in self._boxes:
            yield Node(box.id, box.shape, tuple(box.lines))

    def whole(self, body: Body) -> None:
        """From the start of a body to its end."""
        start = self._box("mark", [], "start")
        loose = self._block(body.whole, [(start.id, "")], _Ways(), 0)
        ends = [*loose, *self._returned]
        if self._boxes[1:] and ends == [(self._boxes[-1].id, "")] and [box.shape for box in self._boxes] == ["mark", "plain"]:
            del self._boxes[0], self.edges[:]  # one straight line needs no start and no end
        elif ends:
            self._box("mark", ends, "end")

    # ------------------------------------------------------------ boxes and lines

    def _box(self, shape: Shape, loose: _Loose, *lines: str) -> _Box:
        box = _Box(f"n{len(self._boxes)}", shape, [Line(text) for text in lines])
        self._boxes.append(box)
        self._lead(loose, box.id)
        return box

    def _lead(self, loose: _Loose, target: str, *, back: bool = False) -> None:
        self.edges += [Edge(source, target, label, "back" if back else "plain") for source, label in loose]

    def _line(self, loose: _Loose, line: Line) -> _Loose:
        """One more line: in the box that control comes from, if it comes from one alone and straight."""
        if len(loose) == 1 and not loose[0][1]:
            box = next(box for box in self._boxes if box.id == loose[0][0])
            if box.shape == "plain":
                box.lines.append(line)
                return loose
        box = self._box("plain", loose)
        box.lines.append(line)
        return [(box.id, "")]

    def _stated(self, stmt: Stmt, text: str, depth: int, target: str | None = None) -> Line:
        assert not isinstance(stmt, Block), "a block is not stated"
        held = self._held.get(stmt.info.uid, frozenset())
        label = f"{stmt.info.label}: " if stmt.info.label else ""
        match stmt:
            case Lock(ref=ref) | With(ref=ref):
                return Line(label + text, depth, (*sorted(held), name_of(ref, {})), "open", target)
            case Unlock(ref=ref):
                name = name_of(ref, {})
                return Line(label + text, depth, (*sorted(held - {name}), name), "close", target)
            case _:
                return Line(label + text, depth, tuple(sorted(held)), "", target)

    # ------------------------------------------------------------ statements

    def _block(self, block: Block, loose: _Loose, ways: _Ways, depth: int) -> _Loose:
        for stmt in block.statements:
            if not loose:
                break  # control does not get here
            loose = self._statement(stmt, loose, ways, depth)
        return loose

    def _statement(self, stmt: Stmt, loose: _Loose, ways: _Ways, depth: int) -> _Loose:  # noqa: C901 - one arm a kind
        match stmt:
            case Block():
                return self._block(stmt, loose, ways, depth)
            case If(then=then, otherwise=otherwise):
                test = self._test(stmt, loose)
                taken = self._block(then, [(test.id, "yes")], ways, depth)
                return [*taken, *self._block(otherwise, [(test.id, "no")], ways, depth)]
            case Choose(branches=branches):
                test = self._test(stmt, loose)
                return [end for n, one in enumerate(branches, 1) for end in self._block(one, [(test.id, f"or {n}")], ways, depth)]
            case While(body=body):
                return self._loop(self._test(stmt, loose), body, "yes", "no", depth)
            case For(body=body):
                return self._loop(self._test(stmt, loose), body, "each", "done", depth)
            case Loop(body=body):
                return self._loop(self._box("mark", loose, "loop"), body, "", None, depth)
            case With():
                return self._with(stmt, loose, ways, depth)
            case Break():
                ways.broken += loose
                return []
            case Continue():
                ways.continued += loose
                return []
            case Return(value=value):
                self._returned += loose if value is None else self._line(loose, self._stated(stmt, stmt.info.text, depth))
                return []
            case _:
                for line in self._lines(stmt, depth):
                    loose = self._line(loose, line)
                return loose

    def _test(self, stmt: If | Choose | While | For, loose: _Loose) -> _Box:
        box = self._box("test", loose)
        box.lines.append(self._stated(stmt, stmt.info.text, 0))
        return box

    def _loop(self, head: _Box, body: Block, into: str, out: str | None, depth: int) -> _Loose:
        inner = _Ways()
        end = self._block(body, [(head.id, into)], inner, depth)
        self._lead([*end, *inner.continued], head.id, back=True)
        return [*([] if out is None else [(head.id, out)]), *inner.broken]

    def _with(self, stmt: With, loose: _Loose, ways: _Ways, depth: int) -> _Loose:
        """Its lines, indented; ways out of its middle leave it where they are."""
        lock = name_of(stmt.ref, {})
        loose = self._line(loose, self._stated(stmt, f"{stmt.info.text} {{", depth))
        loose = self._block(stmt.body, loose, ways, depth + 1)
        if not loose:
            return []
        held = self._held.get(stmt.info.uid, frozenset()) - {lock}
        return self._line(loose, Line("}", depth, (*sorted(held), lock), "close"))

    def _lines(self, stmt: Stmt, depth: int) -> Iterator[Line]:
        """A statement that control goes straight through. An `atomic` is shown whole, however it branches: it is one step."""
        match stmt:
            case Block():
                for one in stmt.statements:
                    yield from self._lines(one, depth)
            case Call(proc=proc):
                yield self._stated(stmt, stmt.info.text, depth, picture_id(proc))
            case Invoke(hook=hook):
                yield self._stated(stmt, stmt.info.text, depth)
                for name in self._program.hooks.get(hook, ()):
                    yield self._stated(stmt, name, depth + 1, picture_id(name))
            case _ if blocks_of(stmt):
                yield from self._nested(stmt, depth)
            case _:
                yield self._stated(stmt, stmt.info.text, depth)

    def _nested(self, stmt: Stmt, depth: int) -> Iterator[Line]:
        """A statement with blocks in it, as it is written."""
        assert not isinstance(stmt, Block), "a block has no head"
        head = "atomic" if isinstance(stmt, Atomic) else stmt.info.text
        held = self._held.get(stmt.info.uid, frozenset())
        between = "} else {" if isinstance(stmt, If) else "} or {"
        for number, block in enumerate(blocks_of(stmt)):
            if not number:
                yield self._stated(stmt, f"{head} {{", depth)
            elif block.statements or not isinstance(stmt, If):
                yield Line(between, depth, tuple(sorted(held)))
            yield from self._lines(block, depth + 1)
        if isinstance(stmt, With):
            lock = name_of(stmt.ref, {})
            yield Line("}", depth, (*sorted(held - {lock}), lock), "close")
        else:
            yield Line("}", depth, tuple(sorted(held)))
