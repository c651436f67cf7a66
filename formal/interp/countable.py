"""Whether the elements of a program can be counted in place of being looked at one by one, and how far.

In: a typed program, and the names of what a parameter counts. Out: the sorts of those elements, and from how many alike ones on it makes no
difference how many there are; or why that cannot be told. docs/decisions/009-families.md has the argument. Must not know states.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.interp.sorts import Sort, sorts
from formal.nodes import names_of, nodes_below
from formal.program import (
    Atomic,
    BhDecl,
    Binary,
    Block,
    Break,
    Call,
    Choose,
    CondDecl,
    Count,
    Direct,
    EventDecl,
    Expr,
    For,
    If,
    IntType,
    Invoke,
    Literal,
    LocalPlace,
    Loop,
    MutexDecl,
    Program,
    Quantifier,
    Return,
    RwlockDecl,
    SemDecl,
    Stmt,
    ThreadDecl,
    ThreadLocalPlace,
    ThreadType,
    VarDecl,
    Wake,
    With,
)

Declared: TypeAlias = ThreadDecl | MutexDecl | RwlockDecl | SemDecl | EventDecl | CondDecl | BhDecl | VarDecl
COMPARED: Final = frozenset(("==", "!=", "<", "<=", ">", ">="))
LARGEST: Final = 4  # as many as `many` may be: each one more multiplies the states


class Uncountable(Exception):
    """Why the elements cannot be counted: a sentence without its end."""


@dataclass(frozen=True, slots=True)
class Countable:
    """`many`: so many alike elements are as good as any larger number of them, of each of the sorts. `single`: of so many of them steps may
    be about each by itself, before it is looked at how many the others are. `wakes`: a `signal` may pick one of them."""

    sorts: tuple[Sort, ...]
    many: int
    single: int
    wakes: bool


class Elements:
    """Those of one program, wherever these conditions are looked at."""

    def __init__(self, program: Program, conditions: Iterable[Expr]) -> None:
        asked = tuple(conditions)
        self._program = program
        self._sorts = sorts(program, asked)
        self._bodies = _bodies(program)
        self._asked = list(_nodes(asked))

    def countable(self, counted: Collection[str]) -> Countable:
        """What can be counted of the threads, bottom halves and arrays of these names. Raises Uncountable."""
        found = self._found(counted)
        for sort in found:
            if sort.ordered:
                line = min(stmt.info.span.line for stmt in sort.ordered)
                raise Uncountable(f"a `for` goes through them one by one (line {line})")
        return _measured(self._program, self._bodies, self._asked, found)

    def untold(self, counted: Collection[str]) -> tuple[Sort, ...]:
        """The sorts of these names, where it is enough to know which kinds of their elements there are: nothing tells one of a kind from
        two, and every `for` goes through all of them, and may come from each to the next. Raises Uncountable."""
        program, found = self._program, self._found(counted)
        for sort in found:
            for node in (*self._bodies, *self._asked):
                over = isinstance(node, Quantifier) and _over(program, node, (sort,))
                if isinstance(node, Quantifier) and over and (_is_number(node) or _depth(program, node, (sort,)) > 1):
                    raise Uncountable("one of them is told from two")
            for stmt in sort.ordered:
                elements = [_position(program, value) if isinstance(stmt.binder.type, ThreadType) else value for value in stmt.domain]
                if elements != list(range(sort.size)):
                    raise Uncountable(f"a `for` goes through some of them (line {stmt.info.span.line})")
                if not _ends(program, stmt.body, ()):
                    raise Uncountable(f"a `for` does not come to the second one (line {stmt.info.span.line})")
        return found

    def check_ranges(self, counted: Collection[str]) -> None:
        """Of a program with so many elements that no range is as long but for 0..n - 1. Raises Uncountable where a variable that stands
        for none of these elements goes through such a range: then it is told how many there are."""
        found = self._found(counted)
        for node in (*self._bodies, *self._asked):
            if isinstance(node, For | Quantifier) and isinstance(node.binder.type, IntType):
                mine = [sort for sort in found if node.domain == tuple(range(sort.size))]
                if mine and not any(node.binder in sort.binders for sort in found):
                    line = (node.info.span if isinstance(node, For) else node.span).line
                    raise Uncountable(f"`{node.binder.name}` goes as far as there are members, and stands for none of them (line {line})")

    def check_values(self, semaphores: Collection[str]) -> None:
        """Raises Uncountable where the value of one of these semaphores is asked for, or of one that is not named."""
        for node in (*self._bodies, *self._asked):
            if isinstance(node, Count) and not (isinstance(node.ref, Direct) and getattr(node.ref.decl, "name", "") not in semaphores):
                raise Uncountable("a semaphore that goes further the more there are is looked at otherwise than by `post` and `wait`")

    def _found(self, counted: Collection[str]) -> tuple[Sort, ...]:
        return _counted(self._program, counted, self._sorts, [*self._bodies, *self._asked])


def _position(program: Program, thread: int) -> int:
    return program.families[program.threads[thread].decl.name].index(thread)


def _ends(program: Program, stmt: Stmt, within: tuple[str, ...]) -> bool:
    """Whether control can be seen to be able to come to the end of a statement, or of a pass of the `for` around it."""
    match stmt:
        case Block(statements=statements):
            return all(_ends(program, one, within) for one in statements)
        case If(then=then, otherwise=otherwise):
            return _ends(program, then, within) or _ends(program, otherwise, within)
        case Choose(branches=branches):
            return any(_ends(program, branch, within) for branch in branches)
        case With(body=body) | Atomic(body=body):
            return _ends(program, body, within)
        case Call(proc=name):
            return name not in within and _ends(program, program.procs[name].body, (*within, name))
        case Invoke(hook=hook):
            return all(name not in within and _ends(program, program.procs[name].body, (*within, name)) for name in program.hooks[hook])
        case Loop() | Break() | Return():
            return False
        case _:
            return True


def _bodies(program: Program) -> list[object]:
    return list(_nodes((program.threads, program.bhs, tuple(program.procs.values()), program.contexts)))


def _counted(program: Program, counted: Collection[str], sorts: Sequence[Sort], nodes: Sequence[object]) -> tuple[Sort, ...]:
    """The sorts of these names. Raises Uncountable."""
    mentioned = {node.decl for node in nodes if isinstance(node, Direct)}
    found: dict[Sort, None] = {}
    for decl in _declared(program):
        if decl.name not in counted:
            continue
        sort = next((sort for sort in sorts if decl in (*sort.families, *sort.arrays)), None)
        if sort is not None:
            found[sort] = None
        elif decl in mentioned or isinstance(decl, ThreadDecl | BhDecl):
            raise Uncountable(f"the elements of `{decl.name}` are not all alike")
    for sort in found:
        if len(set(sort.colours)) > 1:
            name = next((decl.name for decl in sort.families), "its elements")
            raise Uncountable(f"one of `{name}` is told from the others")
    if not found:
        raise Uncountable("nothing that it counts is used")
    return tuple(found)


def counts(condition: Expr) -> bool:
    """Whether a condition may tell one member of a crowd from two: by a `number of`, or by one quantifier inside of another."""
    nested = [inner for node in _nodes(condition) if isinstance(node, Quantifier) for inner in _nodes(node.body)]
    return any(isinstance(node, Quantifier) for node in nested) or any(_is_number(node) for node in _nodes(condition))


def _declared(program: Program) -> Iterator[Declared]:
    yield from {thread.decl: None for thread in program.threads}
    for decls in (program.mutexes, program.rwlocks, program.sems, program.events, program.conds, program.bhs, program.variables):
        yield from decls


def _measured(program: Program, bodies: Sequence[object], asked: Sequence[object], sorts: tuple[Sort, ...]) -> Countable:
    """How many have to be shown: what one step is about, and as many beside them as statements tell from more; as many as what is asked of
    states tells from more. Raises Uncountable."""
    wakes = any(isinstance(node, Wake) and not node.all for node in bodies)
    atomics = [node.body for node in bodies if isinstance(node, Atomic)]
    if wakes and any(isinstance(inner, Call | Invoke | Wake) for body in atomics for inner in _nodes(body)):
        raise Uncountable("a `signal` may be part of an `atomic`")
    beside = _told_apart(program, bodies, sorts)
    many = max(beside + 1 + wakes, _told_apart(program, asked, sorts))
    if many > LARGEST:
        raise Uncountable(f"up to {many - 1} of them would have to be told from more")
    return Countable(sorts, many, many - beside, wakes)


def _told_apart(program: Program, nodes: Sequence[object], sorts: tuple[Sort, ...]) -> int:
    """So many elements are told from fewer, but not from more. Raises Uncountable."""
    found = 1
    for node in nodes:
        if isinstance(node, Quantifier) and _over(program, node, sorts):
            most = _compared(node, nodes) if _is_number(node) else 0
            found = max(found, most + _depth(program, node, sorts))
    return found


def _over(program: Program, node: Quantifier, sorts: tuple[Sort, ...]) -> bool:
    """Whether a quantifier runs over elements of these sorts."""
    families = {decl for sort in sorts for decl in sort.families}
    threads = isinstance(node.binder.type, ThreadType) and any(program.threads[t].decl in families for t in node.domain)
    return threads or any(node.binder in sort.binders for sort in sorts)


def _depth(program: Program, node: Quantifier, sorts: tuple[Sort, ...]) -> int:
    """How many elements of these sorts it speaks of at once."""
    inner = [part for part in _nodes(node.body) if isinstance(part, Quantifier) and _over(program, part, sorts)]
    return 1 + max((_depth(program, part, sorts) for part in inner), default=0)


def _is_number(node: object) -> bool:
    return isinstance(node, Quantifier) and node.kind == "number"


def _compared(number: object, nodes: Sequence[object]) -> int:
    """The literal that a number is compared with. Raises Uncountable where it is used otherwise."""
    for node in nodes:
        if isinstance(node, Binary) and node.op in COMPARED:
            for one, other in ((node.left, node.right), (node.right, node.left)):
                if one is number and isinstance(other, Literal):
                    return int(other.value)
    raise Uncountable("a `number of` them is used for more than to compare it with a constant")


def _nodes(root: object) -> Iterator[object]:
    """Every node of a program, or of a part, once. What a part names is not part of it: a quantifier that speaks of threads has not their
    bodies inside."""
    return nodes_below(root, _followed)


def _followed(node: object) -> Iterator[str]:
    named = ("decl",) if isinstance(node, Direct | LocalPlace | ThreadLocalPlace) else ()
    return (name for name in names_of(node) if name not in ("span", "sources", "type", *named))
