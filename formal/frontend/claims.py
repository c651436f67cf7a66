"""What a model wants proved: invariants, deadlock freedom, liveness, fairness, bounds, what is disabled, what is expected.

In: the declarations, the tables of names. Out: `Claims`. Mistakes are collected in the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Span
from formal.frontend.expressions import Expressions
from formal.frontend.functions import THREAD
from formal.frontend.names import Mistake, Names, Poisoned, Scope, limited, mistake
from formal.syntax import Node


@dataclass(slots=True)
class Claims:
    """What the model wants proved, and what it expects."""

    invariants: list[p.Property] = field(default_factory=list)
    deadlocks: list[p.Property] = field(default_factory=list)
    liveness: list[p.Property] = field(default_factory=list)
    disabled: dict[str, Span] = field(default_factory=dict)
    strong: set[int] = field(default_factory=set)
    nesting: int | None = None
    expectations: list[p.Expectation] = field(default_factory=list)


class ClaimReader:
    """Reads the claims of one model."""

    def __init__(self, names: Names, expressions: Expressions) -> None:
        self.names = names
        self.expressions = expressions
        self.claims = Claims()

    def read(self, items: Iterable[Node]) -> Claims:
        """Read the declarations of properties, bounds and expectations."""
        readers = {
            "invariant": self._invariant,
            "deadlock": self._deadlock,
            "eventually": self._liveness,
            "leads_to": self._liveness,
            "strong_fair": self._strong,
            "nesting": self._nesting,
            "disable": self._disable,
            "expect_proved": self._expect,
            "expect_up_to": self._expect,
            "expect_violated": self._expect,
        }
        for item in items:
            if item.kind in readers:
                try:
                    readers[item.kind](item)
                except Mistake as error:
                    self.names.diagnostics.append(error.diagnostic)
                except Poisoned:
                    continue
        return self.claims

    # ------------------------------------------------------------ claims

    def _named(self, kind: str, node: Node, known: Sequence[p.Property]) -> str:
        leaves = node.leaves()
        unnamed = sum(prop.name.removeprefix(f"{kind}.").isdigit() for prop in known)
        name = f"{kind}.{leaves[0]}" if leaves else f"{kind}.{unnamed + 1}"
        if any(prop.name == name for prop in known):
            raise mistake(Code.DUPLICATE, f"two properties are named `{name}`", node.span)
        return name

    def _invariant(self, node: Node) -> None:
        name = self._named("invariant", node, self.claims.invariants)
        condition = self.expressions.boolean(node.nodes()[0], Scope())
        self.claims.invariants.append(p.Property(name, "invariant", node.span, condition))

    def _deadlock(self, node: Node) -> None:
        self.claims.deadlocks = [p.Property(name, "deadlock", node.span) for name in p.DEADLOCKS]

    def _liveness(self, node: Node) -> None:
        name = self._named("liveness", node, self.claims.liveness)
        parts = [self.expressions.boolean(item, Scope()) for item in node.nodes()]
        trigger = parts[0] if node.kind == "leads_to" else None
        self.claims.liveness.append(p.Property(name, "liveness", node.span, parts[-1], trigger))

    def _strong(self, node: Node) -> None:
        item = node.nodes()[0]
        if item.kind == "name" and str(item.items[0]) in self.names.families:
            self.names.used.add(str(item.items[0]))
            self.claims.strong.update(self.names.families[str(item.items[0])])
            return
        thread = self.expressions.typed(item, Scope(), THREAD)
        if not isinstance(thread, p.Literal) or thread.value == p.NONE:
            raise mistake(Code.NOT_CONSTANT, "`strong fair` takes a thread or a family", item.span)
        self.claims.strong.add(thread.value)

    def _nesting(self, node: Node) -> None:
        if self.claims.nesting is not None:
            raise mistake(Code.DUPLICATE, "`nesting` is declared twice", node.span)
        bound = self.expressions.constant_int(node.nodes()[0])
        self.claims.nesting = limited(bound, min(limits.BH_NESTING, limits.RECURSION), "a nesting bound", node.span)

    def _disable(self, node: Node) -> None:
        for item in node.nodes("property"):
            self.claims.disabled[_dotted(item)] = item.span

    def _expect(self, node: Node) -> None:
        target = node.node("property")
        bounds = [item for item in node.nodes() if item.kind != "property"]
        bound = self.expressions.constant_int(bounds[0]) if bounds else None
        match node.kind:
            case "expect_proved":
                expectation = p.Expectation("proved", None, None, node.span)
            case "expect_up_to":
                expectation = p.Expectation("proved_up_to", None, bound, node.span)
            case _:
                assert target is not None
                expectation = p.Expectation("violated", _dotted(target), bound, target.span)
        self.claims.expectations.append(expectation)


def _dotted(node: Node) -> str:
    """A property's name, as written."""
    return "".join(node.span.source.text[node.span.start : node.span.end].split())
