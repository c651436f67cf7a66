"""What the shape of the bodies must be: no loop without a step, nothing in an atomic that cannot be one step, results on every path.

In: the completed tables. Out: diagnostics, in the tables.
"""

from __future__ import annotations

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic, Note, Span
from formal.frontend.calls import Calls, call_steps, called
from formal.frontend.graphs import components
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of, expressions_of, walk


class Checks:
    """Checks every body of a model once the bodies are complete."""

    def __init__(self, names: Names, calls: Calls) -> None:
        self.names = names
        self.calls = calls
        self._stepless: dict[str, bool] = {}

    def run(self) -> None:
        """All checks of all bodies."""
        for body in self.names.bodies():
            for statement in walk(body):
                if isinstance(statement, p.Loop) and self._goes_round(statement.body):
                    self._tell(
                        Code.STEPLESS_LOOP, "this loop can go round without a step", statement.info.span, hint="put a `skip;` into it"
                    )
                if isinstance(statement, p.Atomic):
                    self._atomic(statement.body, statement.info.span, set())
                if isinstance(statement, p.Invoke) and statement.any_order:
                    self._inside_itself(statement)
        for proc in self.names.procs.values():
            if proc.result is not None and proc.name not in self.names.damaged and self._falls_off(proc.body):
                self._tell(Code.RESULT, f"`{proc.name}` can end without `return`", self.names.declared[proc.name])

    def _tell(self, code: Code, message: str, span: Span, *notes: Note, hint: str | None = None) -> None:
        self.names.diagnostics.append(Diagnostic(code, message, span, notes, hint))

    def _inside_itself(self, invoke: p.Invoke) -> None:
        callbacks = self.names.hooks[invoke.hook]
        body = invoke.info.body
        for name in callbacks if body in self.calls.reached(callbacks) else ():
            if body in self.calls.reached([name]):
                note = Note("this callback can come to it", self.names.declared[name])
                text = f"`{invoke.hook}` is invoked in any order by one of its own callbacks"
                self._tell(Code.RECURSIVE_HOOK, text, invoke.info.span, note)
                return

    # ------------------------------------------------------------ loops

    def _goes_round(self, body: p.Block) -> bool:
        """Whether control can come from the start of a loop's body to its next round without a step."""
        ways = self._ways(body)
        return "end" in ways or "continue" in ways

    def _ways(self, block: p.Block) -> set[str]:
        """How control can leave a block without having taken a step: "end", "continue", "break", "return"."""
        ways: set[str] = set()
        for statement in block.statements:
            through = self._through(statement)
            ways |= through - {"end"}
            if "end" not in through:
                return ways
        return ways | {"end"}

    def _through(self, statement: p.Stmt) -> set[str]:
        match statement:
            case p.Block():
                return self._ways(statement)
            case p.Loop(body=body):
                return {"end" if way == "break" else way for way in self._ways(body) if way in ("break", "return")}
            case p.For(domain=domain, body=body):
                return self._for(domain, body)
            case p.Break():
                return {"break"}
            case p.Continue():
                return {"continue"}
            case p.Return(value=None):
                return {"return"}
            case p.Call() | p.Invoke(any_order=False):
                names = called(statement, self.names)
                steps = isinstance(statement, p.Call) and (statement.place is not None or call_steps(statement, self.names, self.calls))
                return {"end"} if not steps and all(self._stepless_proc(name) for name in names) else set()
            case _:
                return set()

    def _for(self, domain: tuple[int, ...], body: p.Block) -> set[str]:
        if not domain:
            return {"end"}
        ways = self._ways(body)
        out = ways & {"return"}
        return out | ({"end"} if ways & {"end", "continue", "break"} else set())

    def _stepless_proc(self, name: str) -> bool:
        if name not in self._stepless:
            proc = self.names.procs[name]
            self._stepless[name] = False  # a recursive call is a step
            free = not proc.requires and not proc.ensures and bool(self._ways(proc.body) & {"end", "return"})
            self._stepless[name] = free
        return self._stepless[name]

    # ------------------------------------------------------------ results

    def _falls_off(self, block: p.Block) -> bool:
        """Whether control can come to the end of a block (conditions are taken as possible both ways)."""
        return all(self._passes(statement) for statement in block.statements)

    def _passes(self, statement: p.Stmt) -> bool:
        match statement:
            case p.Return() | p.Break() | p.Continue():
                return False
            case p.Loop(body=body):
                return self._breaks(body)
            case p.Block():
                return self._falls_off(statement)
            case p.If(then=then, otherwise=otherwise):
                return self._falls_off(then) or self._falls_off(otherwise)
            case p.Choose(branches=branches):
                return any(self._falls_off(branch) for branch in branches)
            case p.With(body=body) | p.Atomic(body=body):
                return self._falls_off(body)
            case _:
                return True

    def _breaks(self, block: p.Block) -> bool:
        """Whether a `break` of this loop is inside (those of inner loops are not its own)."""
        for statement in block.statements:
            if isinstance(statement, p.Break):
                return True
            if not isinstance(statement, p.Loop | p.While | p.For) and any(self._breaks(inner) for inner in blocks_of(statement)):
                return True
        return False

    # ------------------------------------------------------------ atomics

    def _atomic(self, block: p.Block, origin: Span, seen: set[str]) -> None:
        for statement in walk(block):
            wrong = self._not_in_atomic(statement)
            if wrong is not None and not isinstance(statement, p.Block):
                note = (
                    ()
                    if statement.info.span.source is origin.source and origin.start <= statement.info.span.start < origin.end
                    else (Note("in this atomic", origin),)
                )
                self._tell(Code.ATOMIC, f"{wrong} inside an atomic", statement.info.span, *note)
            for name in called(statement, self.names):
                if name not in seen and name not in self.calls.recursive:
                    seen.add(name)
                    self._atomic(self.names.procs[name].body, origin, seen)

    def _not_in_atomic(self, statement: p.Stmt) -> str | None:
        match statement:
            case p.Poll():
                return "`poll`"
            case p.AioWaitWhile():
                return "`aio_wait_while`"
            case p.WaitCond():
                return "waiting on a condition variable"
            case p.Loop():
                return "`loop`"
            case p.Atomic():
                return "another `atomic`"
            case p.Call(proc=proc) if proc in self.calls.recursive:
                return "a recursive call"
            case _:
                return None


def check_conditions(names: Names) -> bool:
    """No context's `when` may ask for itself: its truth would depend on itself. Nor may they nest deeply, each asking for the next."""
    graph = {context: tuple(_asked(context.when, names)) if context.when is not None else () for context in names.contexts}
    heights: dict[p.ContextDecl, int] = {}
    for component in components(graph):
        first = min(component, key=names.contexts.index)
        if len(component) > 1 or first in graph[first]:
            text = f"the `when` of `{first.name}` depends on itself, through `in_context` or `current_context`"
            names.diagnostics.append(Diagnostic(Code.CONTEXT_CYCLE, text, names.declared[first.name]))
            return False
        heights[first] = _height(first.when, names, heights) if first.when is not None else 1
        if heights[first] > limits.NESTING:
            text = f"the `when` of `{first.name}` asks for others more than {limits.NESTING} deep"
            names.diagnostics.append(Diagnostic(Code.DEPTH, text, names.declared[first.name]))
            return False
    return True


def _asked(expr: p.Expr, names: Names) -> set[p.ContextDecl]:
    """The contexts whose `when` has to be known to know the expression."""
    asked = _asked_itself(expr, names)
    return asked.union(*(_asked(inner, names) for inner in expressions_of(expr)))


def _asked_itself(expr: p.Expr, names: Names) -> set[p.ContextDecl]:
    match expr:
        case p.InContext(context=p.Direct(decl=p.ContextDecl() as decl)):
            return {decl}
        case p.CurrentContext():
            return set(names.contexts)
        case _:
            return set()


def _height(expr: p.Expr, names: Names, heights: dict[p.ContextDecl, int]) -> int:
    """How deep an expression is with the conditions of contexts put in place."""
    below = [_height(inner, names, heights) for inner in expressions_of(expr)]
    return 1 + max([*below, *(heights[context] for context in _asked_itself(expr, names))], default=0)
