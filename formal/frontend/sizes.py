"""How large a model is once procedures are put in place and `for`s and quantifiers unrolled: computed without doing so.

In: the completed tables. Out: a diagnostic for each body or expression that is beyond a limit.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.checks import called
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of, walk


class Sizes:
    """Estimates for one model. `recursion`: how many activations of a procedure are unrolled."""

    def __init__(self, names: Names, reach: dict[str, set[str]], recursion: int) -> None:
        self.names = names
        self.reach = reach
        self.recursion = recursion
        self._procs: dict[tuple[str, int], int] = {}

    def check(self) -> None:
        """Tells what is too large."""
        bodies = [(thread.name, thread.span, 1, thread.body) for thread in self.names.thread_decls()]
        bodies += [(bh.name, bh.span, bh.size or 1, bh.body) for bh in self.names.bottom_halves()]
        for name, span, copies, body in bodies:
            total = copies * self._block(body, self.recursion, None)
            if total > limits.STATEMENTS:
                shown = str(total) if total < 10**12 else "more than 10^12"
                text = f"`{name}` has {shown} statements once procedures are in place and `for`s unrolled; the limit is {limits.STATEMENTS}"
                self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, span))
        self._cells()
        for statement in self._statements():
            self._expressions(statement)
        for prop in self.names.properties:
            self._expressions(prop)

    def _statements(self) -> list[p.Stmt]:
        return [statement for body in self.names.bodies() for statement in walk(body)]

    def _block(self, block: p.Block, depth: int, within: str | None) -> int:
        return sum(self._statement(statement, depth, within) for statement in block.statements)

    def _statement(self, statement: p.Stmt, depth: int, within: str | None) -> int:
        inner = sum(self._block(block, depth, within) for block in blocks_of(statement))
        if isinstance(statement, p.For):
            return 1 + len(statement.domain) * inner
        return 1 + inner + sum(self._proc(name, depth, within) for name in called(statement, self.names))

    def _proc(self, name: str, depth: int, within: str | None) -> int:
        if within is not None and within in self.reach[name]:
            depth -= 1  # one more activation in a circle of calls
        if depth <= 0:
            return 1
        if (name, depth) not in self._procs:
            circle = name if name in self.reach[name] else None
            self._procs[name, depth] = 1
            self._procs[name, depth] = 2 + self._block(self.names.procs[name].body, depth, circle)
        return self._procs[name, depth]

    def _cells(self) -> None:
        threads = len(self.names.thread_names)
        total = threads * (2 + len(self.names.thread_locals))
        for decl in self.names.objects.values():
            total += getattr(decl, "size", None) or 1
        if total > limits.CELLS:
            text = f"a state of this model holds {total} values; the limit is {limits.CELLS}"
            self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, None))

    def _expressions(self, holder: object) -> None:
        for field in fields(holder):  # type: ignore[arg-type]
            value = getattr(holder, field.name)
            if isinstance(value, p.Block):
                continue
            if is_dataclass(value) and hasattr(value, "type") and hasattr(value, "span"):
                total = _nodes(value)
                if total > limits.EXPRESSION_NODES:
                    text = f"an expression of {total} parts once its quantifiers are unrolled; the limit is {limits.EXPRESSION_NODES}"
                    self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, value.span))


def _nodes(expr: object) -> int:
    """Parts of an expression, quantifiers unrolled."""
    total = 1
    for field in fields(expr):  # type: ignore[arg-type]
        value = getattr(expr, field.name)
        if is_dataclass(value) and hasattr(value, "type") and hasattr(value, "span") and not hasattr(value, "name"):
            total += _nodes(value)
        elif isinstance(value, p.Direct) and value.index is not None:
            total += _nodes(value.index)
    return total * len(expr.domain) if isinstance(expr, p.Quantifier) else total
