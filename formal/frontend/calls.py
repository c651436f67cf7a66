"""Who calls whom: recursion, and how deep calls nest.

In: the completed procedures. Out: a `Calls`. Nothing here recurses, whatever a model does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.graphs import components
from formal.frontend.names import Names
from formal.frontend.references import is_fixed
from formal.frontend.walking import blocks_of, walk


def called(statement: p.Stmt, names: Names) -> tuple[str, ...]:
    """The procedures that a statement itself enters."""
    match statement:
        case p.Call(proc=proc):
            return (proc,)
        case p.Invoke(hook=hook):
            return tuple(names.hooks[hook])
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Calls:
    """`direct`: of each procedure, those that it calls. `circle`: the number of the circle of calls that it is in. `recursive`: those that
    can come to call themselves. `depth`: how deep blocks nest in it, those of the procedures that it calls put in place."""

    direct: Mapping[str, tuple[str, ...]]
    circle: Mapping[str, int]
    recursive: frozenset[str]
    depth: Mapping[str, int]

    def reached(self, names: Iterable[str]) -> set[str]:
        """Those procedures, and all that they can come to call."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.direct[name]
        return found


def calls_of(names: Names, activations: int) -> Calls:
    """The calls of all procedures and callbacks, those in a circle unrolled so many times."""
    graph = {
        name: tuple(dict.fromkeys(other for statement in walk(proc.body) for other in called(statement, names)))
        for name, proc in names.procs.items()
    }
    circle: dict[str, int] = {}
    depth: dict[str, int] = {}
    recursive: set[str] = set()
    for number, component in enumerate(components(graph)):
        inside = set(component)
        turning = len(component) > 1 or component[0] in graph[component[0]]
        levels = {name: _levels(names.procs[name].body, names) for name in component}
        below = max(
            (depth.get(other, 0) + level for sites in levels.values() for other, level in sites.items() if other not in inside), default=0
        )
        round_ = sum(1 + max(sites.values()) for sites in levels.values())
        for name in component:
            circle[name] = number
            depth[name] = max(round_, below + 1) + (round_ * activations if turning else 0)
        recursive.update(component if turning else ())
    return Calls(graph, circle, frozenset(recursive), depth)


def _levels(body: p.Block, names: Names) -> dict[str, int]:
    """How deep in blocks each procedure is called at most; under the empty name, how deep blocks go at all."""
    found = {"": 0}
    todo = [(body, 1)]
    while todo:
        block, level = todo.pop()
        found[""] = max(found[""], level)
        for statement in block.statements:
            todo += [(inner, level + 1) for inner in blocks_of(statement)]
            for name in called(statement, names):
                found[name] = max(found.get(name, 0), level)
    return found


def calls_nest_too_deep(names: Names, calls: Calls) -> bool:
    """Tells so at the outermost procedure; what comes after could not be done in bounded space."""
    deepest = max(calls.depth, key=lambda name: calls.depth[name], default=None)
    if deepest is None or calls.depth[deepest] <= limits.CALLS:
        return False
    text = f"blocks nest {calls.depth[deepest]} deep in `{deepest}` with the procedures that it calls; the limit is {limits.CALLS}"
    names.diagnostics.append(Diagnostic(Code.DEPTH, text, names.declared[deepest]))
    return True


def call_steps(call: p.Call, names: Names, calls: Calls) -> bool:
    """Whether the call itself takes a step: it evaluates something, or has a bound to watch."""
    if call.proc in calls.recursive or any(isinstance(param, p.LocalDecl) for param in names.procs[call.proc].params):
        return True
    return any(_late(argument) for argument in call.arguments)


def _late(argument: p.Expr | p.Place) -> bool:
    match argument:
        case p.Direct(index=index) | p.ThreadLocalPlace(thread=index) if index is not None:
            return not is_fixed(index)
        case _:
            return False
