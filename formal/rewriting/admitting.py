"""Whether the front end would have made a changed program, and what follows from its bodies.

In: a program that was put together by hand. Out: the same with what the front end derives from bodies (which threads are spawned, what is
recursive, how deep bottom halves nest), or the first mistake that the front end would tell. The checks are the front end's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from formal import limits
from formal import program as p
from formal.frontend.bounds import nesting_needed, spawn_targets
from formal.frontend.calls import calls_nest_too_deep, calls_of
from formal.frontend.checks import Checks, check_conditions
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of
from formal.rewriting.bodies import decls_of
from formal.rewriting.rebuilding import Changes, rebuilt


class Refused(Exception):
    """The front end would not have made this; the message says why."""


def admitted(program: p.Program) -> p.Program:
    """The program as the front end would have made it. Raises Refused."""
    names = _tables(program)
    calls = calls_of(names, program.recursion)
    if calls_nest_too_deep(names, calls) or not check_conditions(names):
        raise Refused(names.diagnostics[0].message)
    Checks(names, calls).run()
    if names.diagnostics:
        raise Refused(names.diagnostics[0].message)
    for decl in decls_of(program).values():
        _check_locals(decl)
    changes = Changes()
    for proc in program.procs.values():
        if proc.recursive != (proc.name in calls.recursive):
            changes.set(proc, recursive=proc.name in calls.recursive)
    nesting = program.bh_nesting if program.nesting_declared else min(limits.BH_NESTING, nesting_needed(names))
    derived = {"spawned": frozenset(spawn_targets(names)), "bh_nesting": nesting}
    derived = {name: value for name, value in derived.items() if getattr(program, name) != value}
    if not changes.fields and not derived:
        return program
    changes.set(program, **derived)
    return rebuilt(program, changes)


def _tables(program: p.Program) -> Names:
    """The front end's tables, as far as its checks of complete bodies look at them."""
    names = Names()
    stored: tuple[p.ObjectDecl, ...] = (
        *program.mutexes,
        *program.rwlocks,
        *program.sems,
        *program.events,
        *program.conds,
        *program.contexts,
        *program.bhs,
    )
    threads = dict.fromkeys(thread.decl for thread in program.threads)
    names.objects = {decl.name: decl for decl in (*stored, *program.variables, *threads)}
    names.families = dict(program.families)
    names.thread_names = [thread.decl.name for thread in program.threads]
    names.contexts = list(program.contexts)
    names.procs = dict(program.procs)
    names.hooks = {hook: list(callbacks) for hook, callbacks in program.hooks.items()}
    names.declared = {decl.name: decl.span for decl in (*names.objects.values(), *program.procs.values())}
    return names


# ---------------------------------------------------------------- local variables


def _check_locals(decl: p.ThreadDecl | p.BhDecl | p.ProcDecl) -> None:
    """Raises Refused for a local variable that is used before it is declared, or behind the end of its block."""
    params = frozenset(one for one in decl.params if isinstance(one, p.LocalDecl)) if isinstance(decl, p.ProcDecl) else frozenset()
    _check_block(decl.body, params)


def _check_block(block: p.Block, known: frozenset[p.LocalDecl]) -> None:
    for statement in block.statements:
        if isinstance(statement, p.Block):
            _check_block(statement, known)
            continue
        declared = statement.place.decl if isinstance(statement, p.Assign | p.Call) and isinstance(statement.place, p.LocalPlace) else None
        first = declared if declared is not None and declared not in known else None
        for used in _locals_in(statement):
            if used not in known and used is not first:
                raise Refused(f"`{used.name}` is used where it is not declared")
        if first is not None:
            known |= {first}
        for inner in blocks_of(statement):
            _check_block(inner, known)


def _locals_in(node: object) -> Iterator[p.LocalDecl]:
    """The local variables that a statement or an expression itself speaks of."""
    if isinstance(node, p.LocalPlace):
        yield node.decl
    if not is_dataclass(node):
        return
    for one in fields(node):
        value = getattr(node, one.name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item) and type(item).__module__ == p.__name__ and not isinstance(item, _BEYOND):
                yield from _locals_in(item)


_BEYOND = (p.Block, p.Info, p.ThreadDecl, p.BhDecl, p.ProcDecl, p.ContextDecl, p.VarDecl, p.LocalDecl, p.RefParam, p.Binder)
