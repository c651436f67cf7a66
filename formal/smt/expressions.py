"""Expressions as terms: for each a value, and whether it is defined.

In: a typed expression, the site where it stands, and the state it is evaluated in. Out: (value, defined); the value of an undefined
expression is any. It must not know statements, nor who may move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, assert_never

from formal.program import (
    At,
    BhDecl,
    Binary,
    Binder,
    Bound,
    Conditional,
    ContextDecl,
    ContextOf,
    Count,
    CurrentContext,
    Direct,
    Expr,
    Finished,
    Holds,
    InContext,
    IsSet,
    Literal,
    LocalPlace,
    Member,
    MutexDecl,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Quantifier,
    Read,
    Ref,
    Result,
    Self,
    ThreadDecl,
    ThreadLocalPlace,
    Unary,
    VarDecl,
)
from formal.smt.arguments import interval
from formal.smt.cfg import FINISHED, Site, Slot
from formal.smt.elements import Element, strict
from formal.smt.layout import Cell
from formal.smt.references import asked_context, declaration_site, resolve
from formal.smt.scene import Scene, State, stands
from formal.smt.terms import (
    Bool,
    Num,
    Value,
    add,
    all_of,
    any_of,
    both,
    choose,
    choose_truth,
    divide,
    either,
    equal,
    implied,
    less,
    negation,
    number,
    recast,
    remainder,
    subtract,
    total,
    within,
)

Meaning = tuple[Value, Bool]  # value, defined


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """Evaluates at one site, in one state. `me` is self; `bound` are the quantifiers' variables."""

    scene: Scene
    state: State
    site: Site
    me: Num
    bound: Mapping[Binder, int]

    # ------------------------------------------------------------ places

    def slot(self, slot: Slot) -> Value:
        """What a register holds, as a value of the type it has now."""
        cell = self.scene.register(self.site.root.is_thread, slot)
        value = self.state.read(cell)
        if slot.truth:
            return value
        return recast(value, *interval(self.scene.program, slot.type))

    def element(self, ref: Ref | Place) -> Element:
        """The declared element that a reference denotes."""
        target = resolve(ref, self.site)
        assert isinstance(target.ref, Direct)
        decl = target.ref.decl
        if target.ref.index is None:
            return Element(decl, number(0), True)
        if target.kept is not None:
            index, defined = self.slot(target.kept), True
        else:
            index, defined = self.at_site(target.site).value(target.ref.index)
        if isinstance(decl, VarDecl) and decl.family is not None:
            index = subtract(index, number(self.scene.program.families[decl.family][0]))
        size = decl.size if decl.size is not None else 1
        return Element(decl, index, both(defined, within(index, 0, size - 1)))

    def at_site(self, site: Site) -> Evaluator:
        return self if site is self.site else replace(self, site=site, bound={})

    def thread_of(self, place: ThreadLocalPlace, kept: Slot | None, site: Site) -> Element:
        """Whose copy of a thread-local a place means."""
        if place.thread is None:
            index, defined = self.me, True
        elif kept is not None:
            index, defined = self.slot(kept), True
        else:
            index, defined = self.at_site(site).value(place.thread)
        return Element(place.decl, index, both(defined, within(index, 0, len(self.scene.program.threads) - 1)))

    def place(self, place: Place) -> tuple[Element, Sequence[Cell]]:
        """The element, and the cells it is one of."""
        target = resolve(place, self.site)
        match target.ref:
            case LocalPlace():
                cell = self.scene.register(self.site.root.is_thread, target.site.slots[target.ref.decl])
                return Element(target.ref.decl, number(0), True), (cell,)
            case ThreadLocalPlace():
                return self.thread_of(target.ref, target.kept, target.site), self.scene.layout.thread_locals[target.ref.decl]
            case Direct(decl=VarDecl() as decl):
                return self.element(place), self.scene.layout.variables[decl]
            case _:
                raise AssertionError(target.ref)

    def member(self, ref: Ref) -> tuple[Num, Bool]:
        """The thread that a reference denotes."""
        element = self.element(ref)
        assert isinstance(element.decl, ThreadDecl)
        first = self.scene.program.families[element.decl.name][0]
        last = self.scene.program.families[element.decl.name][-1]
        return recast(add(element.index, number(first)), first, last), element.defined

    # ------------------------------------------------------------ expressions

    def holds_true(self, expr: Expr) -> Bool:
        """Defined and true."""
        value, defined = self.value(expr)
        return both(defined, value)

    def value(self, expr: Expr) -> Meaning:  # noqa: C901 - one arm a kind
        """The expression's value and definedness."""
        match expr:
            case Literal():
                return (expr.value if isinstance(expr.value, bool) else number(expr.value)), True
            case Self():
                return self.me, True
            case Result():
                assert self.site.result is not None
                return self.slot(self.site.result), True
            case Read():
                return self._read(expr.place)
            case Bound():
                return self._binder(expr.binder), True
            case Member():
                return self.member(expr.ref)
            case Unary():
                value, defined = self.value(expr.operand)
                return (negation(value) if expr.op == "!" else subtract(number(0), value)), defined
            case Binary():
                return self._binary(expr)
            case Conditional():
                condition, sure = self.value(expr.condition)
                (then, d1), (otherwise, d2) = self.value(expr.then), self.value(expr.otherwise)
                return choose(condition, then, otherwise), both(sure, choose_truth(condition, d1, d2))
            case Quantifier():
                return self._quantifier(expr)
            case ContextOf():
                found = resolve(expr.ref, self.site).ref
                assert isinstance(found, Direct)
                assert isinstance(found.decl, ContextDecl)
                return number(self.scene.program.contexts.index(found.decl)), True
            case _:
                return self._question(expr)

    def _question(self, expr: Any) -> Meaning:
        match expr:
            case Holds() | InContext() | CurrentContext() | At() | Finished():
                return self._about_thread(expr)
            case Owner():
                element = self.element(expr.lock)
                cells = self.scene.layout.owner if isinstance(element.decl, MutexDecl) else self.scene.layout.writer
                return element.pick(self.state, cells[element.decl]), element.defined
            case PendingBh():
                element = self.element(expr.bh)
                value = element.pick(self.state, self.scene.layout.pending[element.decl])
                return (negation(equal(value, number(0))) if element.decl.oneshot else value), element.defined
            case PendingContext():
                found = resolve(expr.context, self.site).ref
                assert isinstance(found, Direct)
                assert isinstance(found.decl, ContextDecl)
                return self.any_pending(found.decl), True
            case Count():
                element = self.element(expr.ref)
                counts: Mapping[Any, Sequence[Cell]] = (
                    self.scene.layout.pending if isinstance(element.decl, BhDecl) else self.scene.layout.sems
                )
                return element.pick(self.state, counts[element.decl]), element.defined
            case IsSet():
                element = self.element(expr.event)
                return element.pick(self.state, self.scene.layout.events[element.decl]), element.defined
            case _:
                raise AssertionError(expr)

    def _about_thread(self, expr: Holds | InContext | CurrentContext | At | Finished) -> Meaning:
        thread, sure = self.value(expr.thread)
        match expr:
            case Holds():
                element = self.element(expr.lock)
                return self.holds(thread, element), both(sure, element.defined)
            case InContext():
                value, defined = self.in_context(thread, asked_context(expr, self.site))
                return value, both(sure, defined)
            case CurrentContext():
                value, defined = self.current_context(thread)
                return value, both(sure, defined)
            case At():
                return self._stands_at(thread, expr.targets), sure
            case Finished():
                cells = self.scene.layout.threads
                return any_of([both(equal(thread, number(t)), stands(self.state, c, (FINISHED,))) for t, c in enumerate(cells)]), sure
            case _:
                assert_never(expr)

    def _read(self, place: Place) -> Meaning:
        target = resolve(place, self.site)
        if isinstance(target.ref, LocalPlace):
            return self.slot(target.site.slots[target.ref.decl]), True
        element, cells = self.place(place)
        return element.pick(self.state, cells), element.defined

    def _binder(self, binder: Binder) -> Num:
        if binder in self.bound:
            return number(self.bound[binder])
        if binder in self.site.binders:
            return number(self.site.binders[binder])
        decl = self.site.root.decl
        assert decl.size is not None
        first = self.scene.program.families[decl.name][0]
        return recast(subtract(self.me, number(first)), 0, decl.size - 1)

    def _binary(self, expr: Binary) -> Meaning:
        (left, d1), (right, d2) = self.value(expr.left), self.value(expr.right)
        match expr.op:
            case "&&":
                return both(left, right), both(d1, implied(left, d2))
            case "||":
                return either(left, right), both(d1, either(left, d2))
            case "implies":
                return implied(left, right), both(d1, implied(left, d2))
            case "/" | "%":
                value = divide(left, right) if expr.op == "/" else remainder(left, right)
                return value, all_of((d1, d2, negation(equal(right, number(0)))))
            case _:
                return strict(expr.op, left, right), both(d1, d2)

    def _quantifier(self, expr: Quantifier) -> Meaning:
        parts = [replace(self, bound={**self.bound, expr.binder: value}).value(expr.body) for value in expr.domain]
        values = [value for value, _ in parts]
        if expr.kind == "number":
            return total(values), all_of(defined for _, defined in parts)
        stop = negation if expr.kind == "forall" else (lambda value: value)  # the value that ends the chain

        def chained(later: Bool, part: Meaning) -> Bool:
            return both(part[1], either(stop(part[0]), later))

        defined = reduce(chained, reversed(parts), True)
        return (all_of(values) if expr.kind == "forall" else any_of(values)), defined

    # ------------------------------------------------------------ questions about the state

    def holds(self, thread: Num, element: Element) -> Bool:
        """Whether a thread owns a mutex, or holds a rwlock in either way."""
        real = negation(less(thread, number(0)))
        if isinstance(element.decl, MutexDecl):
            return both(real, equal(element.pick(self.state, self.scene.layout.owner[element.decl]), thread))
        writes = equal(element.pick(self.state, self.scene.layout.writer[element.decl]), thread)
        return both(real, either(writes, self.reads(thread, element)))

    def reads(self, thread: Num, element: Element) -> Bool:
        """Whether a thread is a reader of a rwlock."""
        return any_of(self._of_thread(thread, element, rows) for rows in self._columns(self.scene.layout.readers[element.decl]))

    def _columns(self, rows: Sequence[Sequence[Cell]]) -> list[tuple[int, list[Cell]]]:
        return [(t, [row[t] for row in rows]) for t in range(len(self.scene.program.threads))]

    def _of_thread(self, thread: Num, element: Element, column: tuple[int, list[Cell]]) -> Bool:
        return both(equal(thread, number(column[0])), element.pick(self.state, column[1]))

    def any_pending(self, context: ContextDecl) -> Bool:
        """Whether some bottom half of a context is pending."""
        return any_of(self.is_pending(bh, i) for bh in self.scene.program.bhs if bh.context is context for i in range(bh.size or 1))

    def is_pending(self, bh: BhDecl, index: int) -> Bool:
        value = self.state.read(self.scene.layout.pending[bh][index])
        return negation(equal(value, number(0))) if bh.oneshot else value

    def in_context(self, thread: Num, context: ContextDecl) -> Meaning:
        """Whether a thread is a context's home, or its `when` holds for it."""
        home = False if context.home is None else equal(thread, number(context.home))
        if context.when is None:
            return home, True
        value, defined = self._asking(thread).value(context.when)
        return either(home, value), either(home, defined)

    def current_context(self, thread: Num) -> Meaning:
        """The context whose home a thread is, else the first whose `when` holds."""
        contexts = self.scene.program.contexts
        result: Meaning = number(-1), True
        for position, context in reversed(list(enumerate(contexts))):
            if context.when is not None:
                value, defined = self._asking(thread).value(context.when)
                result = choose(value, number(position), result[0]), both(defined, either(value, result[1]))
        for position, context in reversed(list(enumerate(contexts))):
            if context.home is not None:
                home = equal(thread, number(context.home))
                result = choose(home, number(position), result[0]), either(home, result[1])
        return result

    def _asking(self, thread: Num) -> Evaluator:
        return Evaluator(self.scene, self.state, declaration_site(self.site.root), thread, {})

    def _stands_at(self, thread: Num, uids: frozenset[int]) -> Bool:
        cases = []
        for ident, (cells, bodies) in enumerate(zip(self.scene.layout.threads, self.scene.layout.reachable, strict=True)):
            places = [n.id for body in bodies for n in body.nodes if n.info.uid in uids and not n.inner]
            cases.append(both(equal(thread, number(ident)), stands(self.state, cells, places)))
        return any_of(cases)
