"""What the shape of the bodies must be: no loop without a step, nothing in an atomic that cannot be one step, results on every path.

In: the completed tables. Out: diagnostics, in the tables.
"""

from __future__ import annotations

from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic, Note, Span
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of, walk


def call_graph(names: Names) -> dict[str, set[str]]:
    """Which procedures and callbacks each can come to call, through any number of others."""
    direct: dict[str, set[str]] = {}
    for name, proc in names.procs.items():
        direct[name] = set()
        for statement in walk(proc.body):
            direct[name].update(called(statement, names))
    reach: dict[str, set[str]] = {}
    for name in direct:
        found: set[str] = set()
        todo = list(direct[name])
        while todo:
            other = todo.pop()
            if other not in found:
                found.add(other)
                todo += direct.get(other, ())
        reach[name] = found
    return reach


def called(statement: p.Stmt, names: Names) -> tuple[str, ...]:
    """The procedures that a statement itself enters."""
    match statement:
        case p.Call(proc=proc):
            return (proc,)
        case p.Invoke(hook=hook):
            return tuple(names.hooks[hook])
        case _:
            return ()


class Checks:
    """Checks every body of a model once the bodies are complete."""

    def __init__(self, names: Names, reach: dict[str, set[str]]) -> None:
        self.names = names
        self.reach = reach
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
            if proc.result is not None and not self._mistaken(proc.span) and self._falls_off(proc.body):
                self._tell(Code.RESULT, f"`{proc.name}` can end without `return`", proc.span)

    def _tell(self, code: Code, message: str, span: Span, *notes: Note, hint: str | None = None) -> None:
        self.names.diagnostics.append(Diagnostic(code, message, span, notes, hint))

    def _inside_itself(self, invoke: p.Invoke) -> None:
        callbacks = self.names.hooks[invoke.hook]
        body = invoke.info.body
        for name in callbacks:
            if body == name or body in self.reach[name]:
                note = Note("this callback can come to it", self.names.procs[name].span)
                self._tell(
                    Code.RECURSIVE_HOOK, f"`{invoke.hook}` is invoked in any order by one of its own callbacks", invoke.info.span, note
                )
                return

    def _mistaken(self, span: Span) -> bool:
        """Whether something inside was told already: a mistaken statement is left out, and what is missing then means nothing."""
        places = [diagnostic.span for diagnostic in self.names.diagnostics]
        return any(place is not None and place.source is span.source and span.start <= place.start < span.end for place in places)

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
                free = not (isinstance(statement, p.Call) and self._call_steps(statement))
                return {"end"} if free and all(self._stepless_proc(name) for name in names) else set()
            case _:
                return set()

    def _for(self, domain: tuple[int, ...], body: p.Block) -> set[str]:
        if not domain:
            return {"end"}
        ways = self._ways(body)
        out = ways & {"return"}
        return out | ({"end"} if ways & {"end", "continue", "break"} else set())

    def _call_steps(self, call: p.Call) -> bool:
        proc = self.names.procs[call.proc]
        by_value = any(isinstance(param, p.LocalDecl) for param in proc.params)
        return by_value or call.place is not None or proc.name in self.reach[proc.name]

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
                if name not in seen and name not in self.reach[name]:
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
            case p.Call(proc=proc) if proc in self.reach[proc]:
                return "a recursive call"
            case _:
                return None
