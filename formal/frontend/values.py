"""Enums, constants and parameters: what is known before the run.

In: their declarations, in any order, and what -D gives. Out: the names' table of constants, filled in an order in which each finds what it
needs, so that no chain of constants is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.expressions import Expressions
from formal.frontend.graphs import components
from formal.frontend.names import Mistake, Names, Poisoned, limited, mistake, similar
from formal.frontend.sizing import sizing
from formal.syntax import Node


class Values:
    """Fills the table of constants of one model."""

    def __init__(self, names: Names, expressions: Expressions, defines: Mapping[str, str]) -> None:
        self.names = names
        self.expressions = expressions
        self.defines = defines
        self.items: tuple[Node, ...] = ()

    def read(self, items: Iterable[Node]) -> None:
        """Read every enum, constant and parameter."""
        nodes: dict[str, Node] = {}
        self.items = tuple(items)
        for item in self.items:
            if item.kind == "enum":
                self._attempt(self._enum, item)
            elif item.kind in ("const", "param"):
                self._attempt(lambda node: nodes.update({self.names.declare_node(node): node}), item)
        self._unknown_defines({name for name, node in nodes.items() if node.kind == "param"})
        for component in components({name: _mentioned(node, nodes) for name, node in nodes.items()}):
            if len(component) > 1 or component[0] in _mentioned(nodes[component[0]], nodes):
                self._circle(component, nodes)
                continue
            node = nodes[component[0]]
            self._attempt(self._const if node.kind == "const" else self._param, node)

    def _attempt(self, read: Callable[[Node], None], node: Node) -> None:
        try:
            read(node)
        except Mistake as error:
            self.names.diagnostics.append(error.diagnostic)
            self.names.poison(node)
        except Poisoned:
            self.names.poison(node)

    def _unknown_defines(self, known: set[str]) -> None:
        for name, value in self.defines.items():
            if name not in known and not self.names.is_poisoned(name):
                text = f"-D {name[:40]}={value[:40]}: the model has no parameter `{name[:40]}`"
                self.names.diagnostics.append(Diagnostic(Code.PARAM_UNKNOWN, text, None, hint=similar(name, known)))

    def _circle(self, component: list[str], nodes: Mapping[str, Node]) -> None:
        first = min((nodes[name] for name in component), key=lambda node: (node.span.source.path, node.span.start))
        name = str(first.leaves()[0])
        through = sorted(other for other in component if other != name)
        shown = f" through {', '.join(f'`{other}`' for other in through[:5])}" if through else ""
        error = mistake(Code.CONST_CYCLE, f"the value of `{name}` depends on itself{shown}", first.leaves()[0].span)
        self.names.diagnostics.append(error.diagnostic)
        self.names.poisoned.update(component)

    def _enum(self, node: Node) -> None:
        name = self.names.declare_node(node)
        members = node.leaves()[1:]
        limited(len(members), limits.ENUM_MEMBERS, "an enum", node.span)
        type_ = p.EnumType(name, tuple(str(member) for member in members))
        self.names.enums[name] = type_
        for position, member in enumerate(members):
            self.names.declare(str(member), member.span)
            self.names.used.add(str(member))  # an enum's members need not all be used
            self.names.constants[str(member)] = p.Literal(position, type_, member.span)

    def _const(self, node: Node) -> None:
        self.names.constants[str(node.leaves()[0])] = self.expressions.constant(node.items[1])

    def _param(self, node: Node) -> None:
        name = str(node.leaves()[0])
        given = self.defines.get(name)
        type_node = node.items[1]
        assert isinstance(type_node, Node)
        type_ = self._param_type(type_node)
        value = self.expressions.fitting(self.expressions.constant(node.items[2]), type_, node.items[2].span)
        if given is not None:
            value = self._given(name, given, type_, node)
        literal_type = p.IntType(value, value) if isinstance(type_, p.IntType) else type_
        if isinstance(type_, p.IntType):
            high = None if type_node.kind == "open_type" else type_.hi
            self.names.counts[name] = sizing(self.items, name, type_.lo, high)
        self.names.constants[name] = p.Literal(value, literal_type, node.span)
        self.names.parameters[name] = type_.members[value] if isinstance(type_, p.EnumType) else value

    def _param_type(self, node: Node) -> p.ValueType:
        """lo..* goes as far as numbers do."""
        if node.kind != "open_type":
            return self.expressions.value_type(node)
        return p.IntType(self.expressions.constant_int(node.items[0]), limits.INTEGER)

    def _given(self, name: str, text: str, type_: p.ValueType, node: Node) -> int | bool:
        """The value that -D gives."""
        wanted = ""
        match type_:
            case p.BoolType():
                if text in ("true", "false"):
                    return text == "true"
                wanted = "true or false"
            case p.IntType(lo=lo, hi=hi):
                digits = text.removeprefix("-")
                if digits.isascii() and digits.isdigit() and len(digits) < 12 and lo <= int(text) <= hi:
                    return int(text)
                wanted = f"{lo}..{hi}" if hi < limits.INTEGER else f"{lo}..*"
            case p.EnumType(members=members):
                if text in members:
                    return members.index(text)
                wanted = ", ".join(members)
        shown = text if len(text) < 40 else text[:37] + "..."
        raise mistake(Code.PARAM_VALUE, f"-D {name}={shown}: `{name}` takes {wanted}", node.span)


def _mentioned(node: Node, known: Mapping[str, Node]) -> tuple[str, ...]:
    """The constants and parameters that the value or type of one speaks of."""
    leaves = [str(leaf) for item in node.nodes() for inner in item.walk() for leaf in inner.leaves()]
    return tuple(dict.fromkeys(leaf for leaf in leaves if leaf in known))
