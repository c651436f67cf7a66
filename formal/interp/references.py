"""What references and places stand for: fixed where a thread stands, or computed from the state.

In: a reference and an environment. Out: a `Target`, or a function from states to one. Index expressions are given meaning by whoever
calls (`compile`), so that this module knows no operator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from formal.diagnostics import InternalError
from formal.interp.environment import Env
from formal.interp.layout import OUTSIDE, Layout, State, Target, Undefined
from formal.program import (
    Binary,
    Bound,
    Conditional,
    Direct,
    Expr,
    Literal,
    LocalPlace,
    Member,
    Place,
    Self,
    ThreadLocalPlace,
    Unary,
    ViaParam,
)

Function: TypeAlias = Callable[[State], int]  # a bool is an int here; raises Undefined
Compile: TypeAlias = Callable[[Expr, Env], Function]
Locate: TypeAlias = Callable[[State], Target]  # raises Undefined


def is_fixed(expr: Expr, *, but_self: bool = False) -> bool:
    """Whether it is made of literals, `self` (unless `but_self`), `for` variables, family indices, `family[i]` and operators only."""
    todo = [expr]
    while todo:
        match todo.pop():
            case Self() if but_self:
                return False
            case Literal() | Self() | Bound():
                pass
            case Member(ref=Direct(index=index)):
                todo.extend([] if index is None else [index])
            case Unary(operand=operand):
                todo.append(operand)
            case Binary(left=left, right=right):
                todo.extend((left, right))
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                todo.extend((condition, then, otherwise))
            case _:
                return False
    return True


def index_of(place: Place) -> Expr | None:
    """The expression that picks the element, if there is one."""
    match place:
        case Direct(index=index):
            return index
        case ThreadLocalPlace(thread=thread):
            return thread
        case ViaParam() | LocalPlace():
            return None
        case _:
            assert_never(place)


class References:
    """The references of one program."""

    def __init__(self, layout: Layout, compile_: Compile) -> None:
        self._layout = layout
        self._compile = compile_

    def fixed(self, place: Place, env: Env) -> Target | None:
        """The target, its slot OUTSIDE if there is no such element; None if the element depends on the state."""
        index = index_of(place)
        if index is None:
            return self._element(place, None, env, exact=True)
        if not is_fixed(index):
            return None
        exact = is_fixed(index, but_self=True)
        try:
            return self._element(place, self._compile(index, env)(()), env, exact=exact)
        except Undefined:
            return self._element(place, OUTSIDE, env, exact=exact)

    def locate(self, place: Place, env: Env) -> Locate:
        """The target as a function of the state."""
        target = self.fixed(place, env)
        if target is not None:
            return _outside if target.slot == OUTSIDE else lambda _: target
        expr = index_of(place)
        if expr is None:
            raise InternalError("a reference without an index depends on no state")
        index = self._compile(expr, env)

        def located(state: State) -> Target:
            found = self._element(place, index(state), env, exact=False)
            if found.slot == OUTSIDE:
                raise Undefined
            return found

        return located

    def elements(self, place: Place, env: Env) -> tuple[Target, ...]:
        """All that the reference may stand for in some state: the one that is written, or every element."""
        target = self.fixed(place, env)
        if target is not None and target.exact:
            return () if target.slot == OUTSIDE else (target,)
        match target, place:
            case Target(decl=decl), _:
                pass
            case None, Direct(decl=decl) | ThreadLocalPlace(decl=decl):
                pass
            case _:
                raise InternalError("only an element can depend on the state")
        return self._layout.everything(decl)

    def _element(self, place: Place, index: int | None, env: Env, *, exact: bool) -> Target:
        match place:
            case Direct(decl=decl):
                return self._layout.element(decl, index, exact)
            case ThreadLocalPlace(decl=decl):
                return self._layout.element(decl, env.thread if index is None else index, exact)
            case LocalPlace(decl=decl):
                return Target(decl, None, env.slots[decl], exact)
            case ViaParam(param=param):
                return env.refs[param]
            case _:
                assert_never(place)


def _outside(_: State) -> Target:
    raise Undefined
