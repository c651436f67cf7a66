"""Where each name stands in a file, and what it names: declarations and uses, as editors ask for them.

In: the declarations of one file. Out: every occurrence of a name, in textual order. Scopes are those of `names.Scope` and `Expressions`: a
local comes first, except where only what is known before the run counts (types, sizes, domains). Nothing is typed, and a name need not be
declared in the same file, so that this works for parts of models and for texts with mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from formal.diagnostics import Span
from formal.frontend.names import BUILTIN_FUNCTIONS
from formal.syntax import Leaf, Node, Tree

_CLAIMS = {"invariant": "invariant", "eventually": "liveness", "leads_to": "liveness"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name names. `kind`: "global", "local", "label" or "property" (then `name` is the whole: invariant.one).
    `owner`: of a label the body that it is in, empty where a use doesn't say; of a local its body and its number in the file."""

    kind: str
    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in a text. `declared`: the declaration, if this is one, else None; `own`: of a label in `at(t, label)`, the body that t is
    known to run."""

    symbol: Symbol
    span: Span
    declared: Node | None = None
    own: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """What is visible: locals by name, and whose body this is. `families`: locals that run over one family of threads."""

    body: str = ""
    is_thread: bool = False
    locals: Mapping[str, Symbol] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)


def occurrences(items: Iterable[Node]) -> tuple[Occurrence, ...]:
    """Of all declarations of a file."""
    reader = _Reader()
    for item in items:
        reader.declaration(item)
    return tuple(sorted(reader.found, key=lambda one: one.span.start))


class _Reader:
    """Collects the occurrences of one file."""

    def __init__(self) -> None:
        self.found: list[Occurrence] = []
        self.locals = 0

    def _add(self, symbol: Symbol, leaf: Tree, declared: Node | None = None, own: str | None = None) -> None:
        self.found.append(Occurrence(symbol, leaf.span, declared, own))

    def _use(self, leaf: Tree) -> None:
        self._add(Symbol("global", str(leaf)), leaf)

    def _bind(self, place: _Place, leaf: Leaf, declared: Node, family: str | None = None) -> _Place:
        self.locals += 1
        symbol = Symbol("local", str(leaf), f"{place.body}#{self.locals}")
        self._add(symbol, leaf, declared)
        families = {**place.families, **({str(leaf): family} if family is not None else {})}
        return _Place(place.body, place.is_thread, {**place.locals, str(leaf): symbol}, families)

    # ------------------------------------------------------------ declarations

    def declaration(self, node: Node) -> None:
        leaves = node.leaves()
        match node.kind:
            case "protocol" | "import_":
                return
            case "invariant" | "eventually" | "leads_to":
                for leaf in leaves:
                    self._add(Symbol("property", f"{_CLAIMS[node.kind]}.{leaf}"), leaf, node)
                leaves = ()
            case "enum":
                for leaf in leaves:
                    self._add(Symbol("global", str(leaf)), leaf, node)
            case "bh" | "callback":
                self._add(Symbol("global", str(leaves[0])), leaves[0], node)
                self._use(leaves[1])
            case _ if leaves:
                self._add(Symbol("global", str(leaves[0])), leaves[0], node)
            case _:
                pass
        self._parts(node, _Place(str(leaves[0]) if leaves else "", node.kind == "thread"))

    def _parts(self, node: Node, place: _Place) -> None:
        """What a declaration is made of; parameters and family indices are seen by what comes behind them."""
        for item in node.nodes():
            match item.kind:
                case "family":
                    self.expression(item.items[-1], _Place())
                    for leaf in item.leaves():
                        place = self._bind(place, leaf, item)
                case "value_parameter" | "ref_parameter":
                    self._constants(item.nodes()[0])
                    place = self._bind(place, item.leaves()[0], item)
                case "may_drop" | "may_lock" | "may_lockop" | "may_poll" | "may_call" | "thread_may_lock":
                    for leaf in item.leaves():
                        self._use(leaf)
                    self.expression(item, _Place())
                case "requires" | "ensures" | "when":
                    self.expression(item.items[0], place)
                case "block":
                    self.block(item, place)
                case "property":
                    self._property(item)
                case _:
                    self.expression(item, _Place())

    def _property(self, node: Node) -> None:
        """`invariant.NAME` names a claim, `requires.p` a procedure; a number behind it names nothing."""
        head, rest = node.items[0], node.leaves()
        if not isinstance(head, Node) or not rest:
            return
        word = str(head.items[0])
        if word in ("requires", "ensures") or (word == "assert" and len(node.items) > 2):
            self._use(rest[0])
        elif word in ("invariant", "liveness", "assert"):
            self._add(Symbol("property", f"{word}.{rest[0]}"), rest[0])

    # ------------------------------------------------------------ statements

    def block(self, node: Node, place: _Place) -> None:
        for item in node.nodes():
            place = self.statement(item, place)

    def statement(self, node: Node, place: _Place) -> _Place:
        """Reads one; what is visible behind it."""
        match node.kind:
            case "block":
                self.block(node, place)
            case "labelled":
                self._add(Symbol("label", str(node.items[0]), place.body), node.items[0], node)
                return self.statement(node.nodes()[0], place)
            case "local":
                self._constants(node.nodes()[0])
                for item in node.nodes()[1:]:
                    self.expression(item, place)
                return self._bind(place, node.leaves()[0], node)
            case "for_":
                domain = node.nodes("domain")[0]
                self._constants(domain)
                inner = self._bind(place, node.leaves()[0], node, _family(domain))
                self.block(node.nodes("block")[0], inner)
            case "else_":
                for item in node.nodes():
                    self.statement(item, place)
            case _:
                self._simple(node, place)
        return place

    def _simple(self, node: Node, place: _Place) -> None:
        for item in node.items:
            if isinstance(item, Node):
                if item.kind in ("block", "else_"):
                    self.statement(item, place)
                else:
                    self.expression(item, place)
            elif item.kind == "NAME" and node.kind == "invoke":
                self._use(item)
            elif item.kind == "NAME" and node.kind == "assert_":
                self._add(Symbol("property", f"assert.{item}"), item, node)

    # ------------------------------------------------------------ expressions

    def _constants(self, node: Tree) -> None:
        """What is known before the run: locals are not looked at."""
        self.expression(node, _Place())

    def expression(self, node: Tree, place: _Place) -> None:
        if not isinstance(node, Node):
            return
        match node.kind:
            case "name":
                self._add(place.locals.get(str(node.items[0])) or Symbol("global", str(node.items[0])), node.items[0])
            case "named_type":
                self._use(node.items[0])
            case "member":
                self.expression(node.items[0], place)
                self._use(node.items[1])
            case "apply":
                self._apply(node, place)
            case "quantifier" | "number":
                domain = node.nodes("domain")[0]
                self._constants(domain)
                self.expression(node.items[-1], self._bind(place, node.leaves()[0], node, _family(domain)))
            case _:
                for item in node.items:
                    self.expression(item, place)

    def _apply(self, node: Node, place: _Place) -> None:
        name = str(node.items[0])
        if name not in BUILTIN_FUNCTIONS:
            self._use(node.items[0])
        if name == "at" and len(node.items) == 3:
            self.expression(node.items[1], place)
            self._label(node.items[2], _runs(node.items[1], place))
            return
        for item in node.items[1:]:
            self.expression(item, place)

    def _label(self, node: Tree, own: str | None) -> None:
        if not isinstance(node, Node):
            return
        if node.kind == "name":
            self._add(Symbol("label", str(node.items[0])), node.items[0], own=own)
        elif node.kind == "member" and isinstance(node.items[0], Node) and node.items[0].kind == "name":
            body = node.items[0].items[0]
            self._use(body)
            self._add(Symbol("label", str(node.items[1]), str(body)), node.items[1])


def _family(domain: Node) -> str | None:
    """The name that a domain consists of, which may be a family of threads."""
    first = domain.items[0]
    return str(first.items[0]) if len(domain.items) == 1 and isinstance(first, Node) and first.kind == "name" else None


def _runs(node: Tree, place: _Place) -> str | None:
    """The thread declaration that a thread is of, where the text says it: as Functions._body_of says of the typed tree."""
    if not isinstance(node, Node):
        return None
    if node.kind == "self_":
        return place.body if place.is_thread else None
    base = node.items[0] if node.kind == "index" else node
    if not isinstance(base, Node) or base.kind != "name":
        return None
    name = str(base.items[0])
    return place.families.get(name) if name in place.locals else name
