"""The mutants of a program: every one differs from it in one statement, or in the order of two.

In: a flat program. Out: mutants, in the order of the text, as changes to make; the program itself is not touched. What a `requires` or an
`assert` says is not weakened: nothing new can be violated then. Whether such a clause matters is another question, whether it notices some
mutant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal, TypeAlias

from formal import program as p
from formal.frontend.walking import blocks_in
from formal.rewriting.bodies import place_of, reached, statements_of
from formal.rewriting.rebuilding import Changes, fresh
from formal.verdict import SourceRef

Operator: TypeAlias = Literal["drop", "duplicate", "swap", "condition"]
OPERATORS: tuple[Operator, ...] = ("drop", "duplicate", "swap", "condition")

_ACTS = (
    *(p.Lock, p.Unlock, p.With, p.WaitSem, p.PostSem, p.WaitEvent, p.WriteEvent, p.WaitCond, p.Wake, p.Schedule, p.Poll, p.AioWaitWhile),
    *(p.Await, p.Assume, p.Spawn, p.Join, p.Assign, p.Call, p.Invoke, p.Atomic),
)
_JUMPS = (p.Break, p.Continue, p.Return)
_PASSED = (p.Call, p.Invoke, p.For, p.Loop)  # control may run through these without a stop
_TWICE = tuple(act for act in _ACTS if act not in (p.With, p.Atomic))  # a guard twice is a guard in a guard, an atomic twice another step


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """`name`: "drop unlock BQL in BODY", unique in its program; `stood`: uid of the first statement that is another, if whoever executes it
    stands at it; `kind`: "lock" for a mutex's, say; `changes`: what makes the program this mutant."""

    operator: Operator
    name: str
    body: str
    kind: str
    source: SourceRef
    stood: int | None
    changes: Changes


def mutants(program: p.Program) -> list[Mutant]:
    """All of them. The program must be flat."""
    maker = _Maker(program)
    found = [mutant for name, decl in reached(program).items() for mutant in maker.body(name, decl.body)]
    found += [mutant for context in program.contexts for mutant in maker.context(context)]
    met: Counter[str] = Counter()
    named = []
    for mutant in found:
        met[mutant.name] += 1
        again = met[mutant.name]
        head, _, body = mutant.name.rpartition(" in ")
        named.append(mutant if again == 1 else replace(mutant, name=f"{head} ({again}) in {body}"))
    return named


def name_of(statement: p.Stmt) -> str:
    """A statement on one line, as it was written up to its block."""
    assert not isinstance(statement, p.Block)
    return statement.info.text


class _Maker:
    def __init__(self, program: p.Program) -> None:
        self._uids = count(1 + max((one.info.uid for one in statements_of(program) if not isinstance(one, p.Block)), default=0))

    def body(self, name: str, body: p.Block) -> Iterator[Mutant]:
        """Those of one body."""
        for block in blocks_in(body):
            for place, statement in enumerate(block.statements):
                if not isinstance(statement, p.Block):
                    yield from self._statement(name, block, place, statement)

    def context(self, context: p.ContextDecl) -> Iterator[Mutant]:
        """Those of a context's condition."""
        for verb, condition in _weakened(context.when, ends=True) if context.when is not None else ():
            changes = Changes()
            changes.set(context, when=condition)
            source = place_of(context.span)
            yield Mutant("condition", f"{verb}: context {context.name} when", "", "context", source, None, changes)

    def _statement(self, body: str, block: p.Block, place: int, statement: p.Stmt) -> Iterator[Mutant]:
        assert not isinstance(statement, p.Block)
        told, declares = name_of(statement), _declares(block, place)
        if isinstance(statement, _ACTS) and not declares:
            verb = "take apart" if isinstance(statement, p.Atomic) else "drop"
            yield self._edit("drop", f"{verb} {told}", body, block, statement, (*block.statements[:place], *_rest(statement)), place + 1)
        if isinstance(statement, _TWICE) and not declares:
            both = (*block.statements[: place + 1], fresh(statement, self._uids))
            yield self._edit("duplicate", f"duplicate {told}", body, block, statement, both, place + 1)
        if place + 1 < len(block.statements):
            yield from self._swap(body, block, place, statement)
        yield from self._conditions(body, statement)

    def _swap(self, body: str, block: p.Block, place: int, statement: p.Stmt) -> Iterator[Mutant]:
        other = block.statements[place + 1]
        if isinstance(other, (p.Block, *_JUMPS)) or isinstance(statement, (p.Block, *_JUMPS)):
            return
        if not isinstance(statement, _ACTS) and not isinstance(other, _ACTS):
            return
        told = f"swap {name_of(statement)}; {name_of(other)}"
        yield self._edit("swap", told, body, block, statement, (*block.statements[:place], other, statement), place + 2)

    def _edit(
        self, operator: Operator, told: str, body: str, block: p.Block, statement: p.Stmt, before: tuple[p.Stmt, ...], rest: int
    ) -> Mutant:
        changes = Changes()
        changes.set(block, statements=(*before, *block.statements[rest:]))
        return _mutant(operator, told, body, statement, changes)

    def _conditions(self, body: str, statement: p.Stmt) -> Iterator[Mutant]:
        if not isinstance(statement, p.If | p.While | p.Await | p.AioWaitWhile | p.Assume):
            return
        for verb, condition in _weakened(statement.condition, ends=isinstance(statement, p.If | p.While)):
            changes = Changes()
            changes.set(statement, condition=condition)
            yield _mutant("condition", f"{verb}: {name_of(statement)}", body, statement, changes)


def _mutant(operator: Operator, told: str, body: str, statement: p.Stmt, changes: Changes) -> Mutant:
    assert not isinstance(statement, p.Block)
    info = statement.info
    source = place_of(info.span)
    kind = type(statement).__name__.lower()
    stood = None if isinstance(statement, _PASSED) else info.uid
    return Mutant(operator, f"{told} in {body}", body, kind, source, stood, changes)


def _rest(statement: p.Stmt) -> tuple[p.Stmt, ...]:
    """What is left of a statement that is dropped: what it guards; of one with a label, a step that does nothing."""
    match statement:
        case p.With(body=body) | p.Atomic(body=body):
            return body.statements
        case p.Block():
            return ()
        case _ if statement.info.label is not None:
            return (p.Skip(statement.info),)
        case _:
            return ()


def _declares(block: p.Block, place: int) -> bool:
    """Whether a statement may declare a local variable: the first of its block that assigns it."""
    statement = block.statements[place]
    if not isinstance(statement, p.Assign | p.Call) or not isinstance(statement.place, p.LocalPlace):
        return False
    span, decl = statement.info.span, statement.place.decl
    return span.source is decl.span.source and span.start <= decl.span.start < span.end


def _weakened(condition: p.Expr, *, ends: bool) -> Iterator[tuple[str, p.Expr]]:
    """Other conditions: the opposite, one without a part of an `&&` or `||`; if `ends`, constants."""
    if isinstance(condition, p.Literal):
        return
    yield "negate", p.Unary("!", condition, p.BoolType(), condition.span)
    if isinstance(condition, p.Binary) and condition.op in ("&&", "||"):
        parts = _parts(condition, condition.op)
        for number in range(len(parts)):
            left = [part for place, part in enumerate(parts) if place != number]
            yield f"without `{_text(parts[number])}`", _joined(left, condition)
    for value in (True, False) if ends else ():
        yield ("always" if value else "never"), p.Literal(value, p.BoolType(), condition.span)


def _parts(condition: p.Expr, op: str) -> list[p.Expr]:
    if isinstance(condition, p.Binary) and condition.op == op:
        return [*_parts(condition.left, op), *_parts(condition.right, op)]
    return [condition]


def _joined(parts: list[p.Expr], like: p.Binary) -> p.Expr:
    joined = parts[0]
    for part in parts[1:]:
        joined = p.Binary(like.op, joined, part, like.type, like.span)
    return joined


def _text(expr: p.Expr) -> str:
    return " ".join(expr.span.source.text[expr.span.start : expr.span.end].split())
