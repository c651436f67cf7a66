"""How large a model is once procedures are put in place and `for`s and quantifiers unrolled: computed without doing so.

In: the completed tables. Out: a diagnostic for each body or expression that is beyond a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.calls import Calls, called
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of, expressions_of, walk

_ENDLESS = 10**12  # counted no further


class Sizes:
    """Estimates for one model. `recursion`: how many activations of a procedure are unrolled."""

    def __init__(self, names: Names, calls: Calls, recursion: int) -> None:
        self.names = names
        self.calls = calls
        self.recursion = recursion
        self._procs: dict[tuple[str, int], int] = {}
        self._conditions: dict[p.ContextDecl, int] = {}

    def check(self, claimed: Iterable[p.Property]) -> None:
        """Tells what is too large; `claimed`: properties that no statement holds."""
        bodies = [(thread.name, 1, thread.body) for thread in self.names.thread_decls()]
        bodies += [(bh.name, bh.size or 1, bh.body) for bh in self.names.bottom_halves()]
        for name, copies, body in bodies:
            total = copies * self._block(body, self.recursion, None)
            if total > limits.STATEMENTS:
                counted = f"{_shown(total)} statements with procedures in place and `for`s unrolled"
                text = f"`{name}` has {counted}; the limit is {limits.STATEMENTS}"
                self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, self.names.declared[name]))
        self._cells()
        for holder in (*self.names.contexts, *self._statements(), *claimed):
            self._expressions(holder)

    def _statements(self) -> Iterator[p.Stmt]:
        for body in self.names.bodies():
            yield from walk(body)
        for proc in self.names.procs.values():
            yield from (*proc.requires, *proc.ensures)

    def _block(self, block: p.Block, depth: int, within: str | None) -> int:
        total = 0
        for statement in block.statements:
            total += self._statement(statement, depth, within)
        return total

    def _statement(self, statement: p.Stmt, depth: int, within: str | None) -> int:
        inner = 0
        for block in blocks_of(statement):
            inner += self._block(block, depth, within)
        if isinstance(statement, p.For):
            return min(1 + len(statement.domain) * inner, _ENDLESS)
        for name in called(statement, self.names):
            inner += self._proc(name, depth, within)
        return min(1 + inner, _ENDLESS)

    def _proc(self, name: str, depth: int, within: str | None) -> int:
        if within is not None and self.calls.circle[within] == self.calls.circle[name]:
            depth -= 1  # one more activation in a circle of calls
        if depth <= 0:
            return 1
        if (name, depth) not in self._procs:
            circle = name if name in self.calls.recursive else None
            self._procs[name, depth] = 1
            self._procs[name, depth] = 2 + self._block(self.names.procs[name].body, depth, circle)
        return self._procs[name, depth]

    def _cells(self) -> None:
        threads = len(self.names.thread_names)
        total = threads * (2 + len(self.names.thread_locals))
        for decl in self.names.objects.values():
            each = threads if isinstance(decl, p.RwlockDecl | p.CondDecl) else 1  # readers and waiters: one value a thread
            total += each * (getattr(decl, "size", None) or 1)
        if total > limits.CELLS:
            text = f"a state of this model holds {total} values; the limit is {limits.CELLS}"
            self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, None))

    def _expressions(self, holder: p.Stmt | p.Property | p.ContextDecl) -> None:
        for expr in expressions_of(holder):
            total = self._nodes(expr)
            if total > limits.EXPRESSION_NODES:
                text = f"an expression of {_shown(total)} parts once its quantifiers are unrolled; the limit is {limits.EXPRESSION_NODES}"
                self.names.diagnostics.append(Diagnostic(Code.LIMIT, text, expr.span))

    def _nodes(self, expr: p.Expr) -> int:
        """Parts of an expression, quantifiers unrolled and the conditions of contexts put in place."""
        total = 1 + sum(self._nodes(inner) for inner in expressions_of(expr))
        match expr:
            case p.Quantifier(domain=domain):
                total *= max(1, len(domain))
            case p.InContext(context=p.Direct(decl=p.ContextDecl() as decl)):
                total += self._condition(decl)
            case p.InContext() | p.CurrentContext():
                total += sum(self._condition(decl) for decl in self.names.contexts)
            case _:
                pass
        return min(total, _ENDLESS)

    def _condition(self, context: p.ContextDecl) -> int:
        """Conditions do not go in circles, and do not nest deeply: that was checked."""
        if context not in self._conditions:
            self._conditions[context] = self._nodes(context.when) if context.when is not None else 1
        return self._conditions[context]


def _shown(total: int) -> str:
    return str(total) if total < _ENDLESS else f"more than {_ENDLESS}"
