"""A program without the variables that nothing asked for depends on (its cone of influence).

In: a program, and the properties that are asked. Out: one with the same steps, in which an assignment to such a variable is a step that
changes nothing, and the names that views of its states lack. Must not know what a search is.

Every execution of the one is an execution of the other, step by step, if those names are not looked at: no condition, index, range check or
property reads them, not even through other variables. In an `atomic` that may wait behind an assignment, that something was changed is
looked at, too: what is assigned there stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Final, TypeAlias, get_args

from formal import program as p
from formal.frontend.walking import blocks_in, blocks_of
from formal.rewriting.bodies import bodies_of, statements_of
from formal.rewriting.rebuilding import Changes, rebuilt

Variable: TypeAlias = p.VarDecl | p.ThreadLocalDecl

_BEYOND: Final = (*get_args(p.ObjectDecl), p.ThreadLocalDecl, p.LocalDecl, p.RefParam, p.ProcDecl, p.Binder, p.Block, p.Info)
_TOTAL: Final = frozenset({"+", "-", "*", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "implies"})  # defined whenever its operands are


@dataclass(frozen=True, slots=True)
class Cone:
    """`program`: with the variables left out; `left_out`: the keys that views of its states lack."""

    program: p.Program
    left_out: frozenset[str] = frozenset()


def cone(program: p.Program, asked: Iterable[str]) -> Cone:
    """What is left for the properties `asked`. With liveness among them that is the program as it is: a loop has to close in all of its
    variables."""
    names = frozenset(asked)
    properties = tuple(prop for prop in program.properties if prop.name in names or prop.kind not in ("invariant", "liveness"))
    if any(prop.kind == "liveness" for prop in properties):
        return Cone(program)
    needed = _needed(program, properties)
    declared: tuple[Variable, ...] = (*program.variables, *program.thread_locals)
    dropped = [one for one in declared if one not in needed]
    if not dropped:
        return Cone(program)
    changes = Changes()
    _silence(program, frozenset(dropped), changes)
    changes.set(
        program,
        properties=properties,
        variables=tuple(one for one in program.variables if one in needed),
        thread_locals=tuple(one for one in program.thread_locals if one in needed),
    )
    return Cone(rebuilt(program, changes), frozenset(key for one in dropped for key in _keys(program, one)))


def _keys(program: p.Program, variable: Variable) -> Iterator[str]:
    """The names of a variable's cells in views, as `verdict` lists them."""
    if isinstance(variable, p.ThreadLocalDecl):
        yield from (f"{thread.name}.{variable.name}" for thread in program.threads)
    elif variable.size is None:
        yield variable.name
    elif variable.family is None:
        yield from (f"{variable.name}[{index}]" for index in range(variable.size))
    else:
        yield from (f"{variable.name}[{program.threads[ident].name}]" for ident in program.families[variable.family])


def _needed(program: p.Program, properties: Iterable[p.Property]) -> set[Variable]:
    """What a condition, an index, a check or a property reads, or what is assigned to that; and whatever is passed by reference, or changed
    where it is an error to wait after a change."""
    needed: set[Variable] = {target for one in _Early(program).found if (target := _assigned(one)) is not None}
    feeds: dict[Variable, set[Variable]] = {}
    for statement in statements_of(program):
        target = _assigned(statement)
        if target is None:
            needed.update(_variables(statement))
        else:
            assert isinstance(statement, p.Assign)
            feeds.setdefault(target, set()).update(_variables(statement.value))
    for holder in (*properties, *(one.when for one in program.contexts)):
        needed.update(_variables(holder))
    todo = list(needed)
    while todo:
        for one in feeds.get(todo.pop(), ()):
            if one not in needed:
                needed.add(one)
                todo.append(one)
    return needed


def _assigned(statement: p.Stmt) -> Variable | None:
    """The variable that a statement assigns to, if that is all that it can do: its value is always one of the variable's."""
    if not isinstance(statement, p.Assign) or not _total(statement.value):
        return None
    match statement.place:
        case p.Direct(decl=p.VarDecl() as decl, index=index) if index is None or isinstance(index, p.Literal | p.Bound | p.Self):
            return decl if _fits(statement.value.type, decl.type) and _inside(index, decl) else None
        case p.ThreadLocalPlace(decl=decl, thread=None):
            return decl if _fits(statement.value.type, decl.type) else None
        case _:
            return None


def _fits(value: p.Type, into: p.ValueType) -> bool:
    if isinstance(value, p.IntType) and isinstance(into, p.IntType):
        return into.lo <= value.lo and value.hi <= into.hi
    return True


def _inside(index: p.Expr | None, decl: p.VarDecl) -> bool:
    """Whether an index is certain to be one of an array's."""
    match index:
        case None:
            return True
        case p.Literal(value=value, type=p.IntType()) | p.Bound(type=p.IntType(lo=value)):
            top = index.type.hi if isinstance(index.type, p.IntType) else value
            return decl.size is not None and value >= 0 and max(value, top) < decl.size
        case _:
            return False


def _total(value: p.Expr) -> bool:
    """Whether an expression is certain to have a value."""
    match value:
        case p.Literal() | p.Self() | p.Bound():
            return True
        case p.Read(place=p.Direct(decl=p.VarDecl() as decl, index=index)):
            return _inside(index, decl)
        case p.Read(place=p.LocalPlace() | p.ThreadLocalPlace(thread=None)):
            return True
        case p.Unary(operand=operand):
            return _total(operand)
        case p.Binary(op=op, left=left, right=right):
            return op in _TOTAL and _total(left) and _total(right)
        case p.Conditional(condition=condition, then=then, otherwise=otherwise):
            return _total(condition) and _total(then) and _total(otherwise)
        case _:
            return False


def _variables(node: object) -> Iterator[Variable]:
    """The variables that a statement, an expression or a property itself speaks of."""
    if isinstance(node, p.VarDecl | p.ThreadLocalDecl):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _variables(item)
    elif is_dataclass(node) and type(node).__module__ == p.__name__ and not isinstance(node, _BEYOND):
        for one in fields(node):
            yield from _variables(getattr(node, one.name))


class _Early:
    """The assignments in atomics behind which the same atomic may come to a wait (`found`): where a change makes that an error."""

    def __init__(self, program: p.Program) -> None:
        self._program = program
        self._known: dict[tuple[str, bool], bool] = {}
        self.found: set[p.Assign] = set()
        for statement in statements_of(program):
            if isinstance(statement, p.Atomic):
                self._block(statement.body, waits=False)

    def _block(self, block: p.Block, *, waits: bool) -> bool:
        """Whether a wait comes in a block or behind it; `waits`: behind it."""
        for statement in reversed(block.statements):
            waits = self._statement(statement, waits=waits)
        return waits

    def _statement(self, statement: p.Stmt, *, waits: bool) -> bool:
        match statement:
            case p.Assign():
                self.found.update((statement,) if waits else ())
                return waits
            case p.Lock() | p.With() | p.WaitSem() | p.WaitEvent() | p.Join() | p.Await():
                for inner in blocks_of(statement):
                    self._block(inner, waits=waits)
                return True
            case p.While() | p.For() | p.Loop():
                return self._again((statement.body,), waits=waits)
            case p.Call(proc=name):
                return self._called(name, waits=waits)
            case p.Invoke(hook=hook):
                return self._again([self._program.procs[name].body for name in self._program.hooks[hook]], waits=waits)
            case _:
                return any([waits, *(self._block(inner, waits=waits) for inner in blocks_of(statement))])

    def _again(self, bodies: Sequence[p.Block], *, waits: bool) -> bool:
        """Of bodies that may each come behind each other."""
        waits = any([waits, *(self._block(body, waits=waits) for body in bodies)])
        return any([waits, *(self._block(body, waits=waits) for body in bodies)])

    def _called(self, name: str, *, waits: bool) -> bool:
        if (name, waits) not in self._known:
            self._known[name, waits] = waits  # a call of itself is refused in an atomic
            self._known[name, waits] = self._block(self._program.procs[name].body, waits=waits)
        return self._known[name, waits]


def _silence(program: p.Program, dropped: frozenset[Variable], changes: Changes) -> None:
    """An assignment to what is left out becomes a step that changes nothing."""
    for body in bodies_of(program).values():
        for block in blocks_in(body):
            if any(_assigned(statement) in dropped for statement in block.statements):
                changes.set(block, statements=tuple(_silenced(statement, dropped) for statement in block.statements))


def _silenced(statement: p.Stmt, dropped: frozenset[Variable]) -> p.Stmt:
    return p.Skip(statement.info) if isinstance(statement, p.Assign) and _assigned(statement) in dropped else statement
