"""A program without the variables that nothing asked for depends on (its cone of influence).

In: a program, and the properties that are asked. Out: one with the same steps, in which an assignment to such a variable is a step that
changes nothing, and the names that views of its states lack. Must not know what a search is.

Every execution of the one is an execution of the other, step by step, if those names are not looked at: no condition, index, range check or
property reads them, not even through other variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Final, TypeAlias, get_args

from formal import program as p
from formal.frontend.walking import blocks_in
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
    """What a condition, an index, a check or a property reads, or what is assigned to that; and whatever is passed by reference."""
    needed: set[Variable] = set()
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


def _silence(program: p.Program, dropped: frozenset[Variable], changes: Changes) -> None:
    """An assignment to what is left out becomes a step that changes nothing."""
    for body in bodies_of(program).values():
        for block in blocks_in(body):
            if any(_assigned(statement) in dropped for statement in block.statements):
                changes.set(block, statements=tuple(_silenced(statement, dropped) for statement in block.statements))


def _silenced(statement: p.Stmt, dropped: frozenset[Variable]) -> p.Stmt:
    return p.Skip(statement.info) if isinstance(statement, p.Assign) and _assigned(statement) in dropped else statement
