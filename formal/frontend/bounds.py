"""What the bodies of a model can come to: which threads are spawned, and how deep bottom halves can nest.

In: the completed tables. Out: sets of threads, numbers. Nothing is run: every test is taken to go both ways.
"""

from __future__ import annotations

from collections.abc import Mapping

from formal import program as p
from formal.frontend.calls import called
from formal.frontend.graphs import components
from formal.frontend.names import Names
from formal.frontend.walking import walk


def spawn_targets(names: Names) -> set[int]:
    """Threads that some `spawn` names, directly or through `ref thread` parameters."""
    statements = [statement for body in names.bodies() for statement in walk(body)]
    bound: dict[p.RefParam, set[int]] = {}
    changed = True
    while changed:
        changed = False
        for statement in statements:
            if isinstance(statement, p.Call):
                for param, argument in zip(names.procs[statement.proc].params, statement.arguments, strict=True):
                    if isinstance(param, p.RefParam) and param.kind == "thread":
                        targets = _threads(argument, names, bound)
                        if not targets <= bound.setdefault(param, set()):
                            bound[param] |= targets
                            changed = True
    return {t for statement in statements if isinstance(statement, p.Spawn) for t in _threads(statement.thread, names, bound)}


def _threads(ref: object, names: Names, bound: Mapping[p.RefParam, set[int]]) -> set[int]:
    match ref:
        case p.Direct(decl=decl, index=p.Literal(value=value)):
            return {names.families[decl.name][value]}
        case p.Direct(decl=decl):
            return set(names.families[decl.name])
        case p.ViaParam(param=param):
            return set(bound.get(param, ()))
        case _:
            return set()


def polling(names: Names) -> dict[p.BhDecl, set[p.ContextDecl]]:
    """For each bottom half that can poll, the contexts that it can."""
    found = {bh: _polled(bh.body, names) for bh in names.bottom_halves()}
    return {bh: contexts for bh, contexts in found.items() if contexts}


def _polled(body: p.Block, names: Names) -> set[p.ContextDecl]:
    contexts: set[p.ContextDecl] = set()
    seen: set[str] = set()
    todo = [body]
    while todo:
        for statement in walk(todo.pop()):
            if isinstance(statement, p.Poll | p.AioWaitWhile):
                ref = statement.ref
                contexts |= {ref.decl} if isinstance(ref, p.Direct) and isinstance(ref.decl, p.ContextDecl) else set(names.contexts)
            for name in called(statement, names):
                if name not in seen:
                    seen.add(name)
                    todo.append(names.procs[name].body)
    return contexts


def nesting_needed(names: Names) -> int:
    """The longest chain of bottom halves in which each can poll for the next, each counted as often as it can be pending: all that can poll
    for each other nest in any order, the others once."""
    polls = polling(names)
    graph: dict[p.BhDecl | p.ContextDecl, tuple[p.BhDecl | p.ContextDecl, ...]] = {}
    for context in names.contexts:
        graph[context] = tuple(bh for bh in names.bottom_halves() if bh.context is context)
    for bh in names.bottom_halves():
        graph[bh] = tuple(context for context in names.contexts if context in polls.get(bh, ()))
    longest: dict[p.BhDecl | p.ContextDecl, int] = {}
    for component in components(graph):
        inside = sum((node.size or 1) * node.max_count if len(component) > 1 else 1 for node in component if isinstance(node, p.BhDecl))
        together = set(component)
        beyond = max((longest[other] for node in component for other in graph[node] if other not in together), default=0)
        longest.update(dict.fromkeys(component, inside + beyond))
    return max(1, *longest.values(), 1)
