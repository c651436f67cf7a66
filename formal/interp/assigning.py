"""Steps that give a place a value: assignments, declarations, results.

In: a node at an `Assign`, a `Return` with a value, or the end of `x = p();`. Out: its action. Must not know other statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formal.diagnostics import InternalError
from formal.interp.changes import Change, Stop
from formal.interp.control import Node
from formal.interp.items import At
from formal.interp.landing import Parts, Run, fits
from formal.interp.layout import State, Target
from formal.interp.references import Function
from formal.program import Assign, Call, LocalDecl, LocalPlace, Place, Return, ThreadLocalDecl, VarDecl


class Assigner:
    """The assignments of one program."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self, node: Node, at: At) -> Run:
        """The action of one."""
        env, compile_ = node.env, self._parts.expressions.compile
        match at.stmt:
            case Assign(place=place, value=value):
                return self._assign(node, place, compile_(value, env), env.depth)
            case Call(place=place) if place is not None:
                result = env.depth - 1
                return self._assign(node, place, self._local(env.thread, result), result)
            case Return(value=value) if value is not None and env.result is not None:
                change = self._write_local(env.thread, env.result, compile_(value, env), fits(env.layout[env.result].type))
                return self._parts.deterministic(change, self._parts.go_on(node, "return"))
            case _:
                raise InternalError("this statement assigns nothing")

    def _local(self, thread: int, position: int) -> Function:
        slot = self._parts.layout.locals_of(thread)
        return lambda state: state[slot][position]

    def _assign(self, node: Node, place: Place, value: Function, depth: int) -> Run:
        """`depth`: locals that there are, but for the result that is to be assigned."""
        env = node.env
        if isinstance(place, LocalPlace) and place.decl not in env.slots:
            change = self._declare(env.thread, depth, value, fits(place.decl.type))
            return self._parts.deterministic(change, self._parts.go_on(node, depth=depth + 1))
        land = self._parts.go_on(node)
        return self._parts.for_target(place, env, lambda target: self._parts.deterministic(self._change(target, env.thread, value), land))

    def _change(self, target: Target, thread: int, value: Function) -> Change:
        match target.decl:
            case LocalDecl(type=kind):
                return self._write_local(thread, target.slot, value, fits(kind))
            case VarDecl(type=kind) | ThreadLocalDecl(type=kind):
                return self._write(target.slot, value, fits(kind))
            case _:
                raise InternalError("only variables are assigned to")

    def _write(self, slot: int, value: Function, fit: Callable[[int], bool]) -> Change:
        outside = self._parts.range

        def change(state: State) -> list[Any] | Stop:
            written = value(state)
            if not fit(written):
                return outside
            new = list(state)
            new[slot] = written
            return new

        return change

    def _write_local(self, thread: int, position: int, value: Function, fit: Callable[[int], bool]) -> Change:
        outside, slot = self._parts.range, self._parts.layout.locals_of(thread)

        def change(state: State) -> list[Any] | Stop:
            written = value(state)
            if not fit(written):
                return outside
            new = list(state)
            values = new[slot]
            new[slot] = (*values[:position], written, *values[position + 1 :])
            return new

        return change

    def _declare(self, thread: int, depth: int, value: Function, fit: Callable[[int], bool]) -> Change:
        outside, slot = self._parts.range, self._parts.layout.locals_of(thread)

        def change(state: State) -> list[Any] | Stop:
            written = value(state)
            if not fit(written):
                return outside
            new = list(state)
            new[slot] = (*new[slot][:depth], written)
            return new

        return change
