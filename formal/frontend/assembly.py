"""Properties, labels, bounds, and the whole: from complete tables to a `Program`.

In: the tables, the declarations of properties. Out: a Program, or only diagnostics.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic, Source, Span
from formal.frontend.checks import Checks, call_graph, called
from formal.frontend.declarations import complete
from formal.frontend.expressions import Expressions
from formal.frontend.functions import THREAD
from formal.frontend.names import Mistake, Names, Poisoned, Scope, limited, mistake, similar
from formal.frontend.sizes import Sizes
from formal.frontend.walking import walk
from formal.syntax import Node

_BUILTINS = (p.RELOCK, p.NOT_OWNER, p.RANGE, p.WRONG_CONTEXT, p.NESTING, p.SPAWN, p.ATOMIC)
_DEADLOCKS = (p.DEADLOCK_GLOBAL, p.DEADLOCK_PARTIAL, p.DEADLOCK_LOCK_ORDER)
RECURSION = 4  # activations, where nothing is declared


@dataclass(slots=True)
class Claims:
    """What the model wants proved, and what it expects."""

    invariants: list[p.Property] = field(default_factory=list)
    deadlocks: list[p.Property] = field(default_factory=list)
    liveness: list[p.Property] = field(default_factory=list)
    disabled: dict[str, Span] = field(default_factory=dict)
    strong: set[int] = field(default_factory=set)
    nesting: int | None = None
    expectations: list[p.Expectation] = field(default_factory=list)


class Assembly:
    """Puts one model together."""

    def __init__(self, names: Names, expressions: Expressions) -> None:
        self.names = names
        self.expressions = expressions
        self.claims = Claims()

    def claim(self, items: Iterable[Node]) -> None:
        """Read the declarations of properties, bounds and expectations."""
        readers = {
            "invariant": self._invariant,
            "deadlock": self._deadlock,
            "eventually": self._liveness,
            "leads_to": self._liveness,
            "strong_fair": self._strong,
            "nesting": self._nesting,
            "disable": self._disable,
            "expect_proved": self._expect,
            "expect_up_to": self._expect,
            "expect_violated": self._expect,
        }
        for item in items:
            if item.kind in readers:
                try:
                    readers[item.kind](item)
                except Mistake as error:
                    self.names.diagnostics.append(error.diagnostic)
                except Poisoned:
                    continue

    # ------------------------------------------------------------ claims

    def _named(self, kind: str, node: Node, known: Sequence[p.Property]) -> str:
        leaves = node.leaves()
        unnamed = sum(prop.name.removeprefix(f"{kind}.").isdigit() for prop in known)
        name = f"{kind}.{leaves[0]}" if leaves else f"{kind}.{unnamed + 1}"
        if any(prop.name == name for prop in known):
            raise mistake(Code.DUPLICATE, f"two properties are named `{name}`", node.span)
        return name

    def _invariant(self, node: Node) -> None:
        name = self._named("invariant", node, self.claims.invariants)
        condition = self.expressions.boolean(node.nodes()[0], Scope())
        self.claims.invariants.append(p.Property(name, "invariant", node.span, condition))

    def _deadlock(self, node: Node) -> None:
        self.claims.deadlocks = [p.Property(name, "deadlock", node.span) for name in _DEADLOCKS]

    def _liveness(self, node: Node) -> None:
        name = self._named("liveness", node, self.claims.liveness)
        parts = [self.expressions.boolean(item, Scope()) for item in node.nodes()]
        trigger = parts[0] if node.kind == "leads_to" else None
        self.claims.liveness.append(p.Property(name, "liveness", node.span, parts[-1], trigger))

    def _strong(self, node: Node) -> None:
        item = node.nodes()[0]
        if item.kind == "name" and str(item.items[0]) in self.names.families:
            self.names.used.add(str(item.items[0]))
            self.claims.strong.update(self.names.families[str(item.items[0])])
            return
        thread = self.expressions.typed(item, Scope(), THREAD)
        if not isinstance(thread, p.Literal) or thread.value == p.NONE:
            raise mistake(Code.NOT_CONSTANT, "`strong fair` takes a thread or a family", item.span)
        self.claims.strong.add(thread.value)

    def _nesting(self, node: Node) -> None:
        if self.claims.nesting is not None:
            raise mistake(Code.DUPLICATE, "`nesting` is declared twice", node.span)
        bound = self.expressions.constant_int(node.nodes()[0])
        self.claims.nesting = limited(bound, min(limits.BH_NESTING, limits.RECURSION), "a nesting bound", node.span)

    def _disable(self, node: Node) -> None:
        for item in node.nodes("property"):
            self.claims.disabled[_dotted(item)] = item.span

    def _expect(self, node: Node) -> None:
        target = node.node("property")
        bounds = [item for item in node.nodes() if item.kind != "property"]
        bound = self.expressions.constant_int(bounds[0]) if bounds else None
        match node.kind:
            case "expect_proved":
                expectation = p.Expectation("proved", None, None, node.span)
            case "expect_up_to":
                expectation = p.Expectation("proved_up_to", None, bound, node.span)
            case _:
                assert target is not None
                expectation = p.Expectation("violated", _dotted(target), bound, target.span)
        self.claims.expectations.append(expectation)

    # ------------------------------------------------------------ the whole

    def finish(self, sources: Sequence[Source], file: str, protocol: tuple[str, str]) -> p.Program | None:
        """The program; None when there was any mistake."""
        self._labels()
        reach = call_graph(self.names)
        for name, proc in self.names.procs.items():
            if name in reach[name]:
                complete(proc, recursive=True)
                self.names.builtins.add(p.NESTING)
        Checks(self.names, reach).run()
        recursion = self.claims.nesting or RECURSION
        Sizes(self.names, reach, recursion).check()
        properties = self._properties()
        if not properties or not self.names.thread_names:
            missing = "no thread" if not self.names.thread_names else "no property, and no statement that could fail"
            if not any(d.code.is_error for d in self.names.diagnostics):
                self.names.diagnostics.append(
                    Diagnostic(Code.NOTHING_TO_CHECK, f"nothing to check: the model has {missing}", None, file=file)
                )
        if any(d.code.is_error for d in self.names.diagnostics):
            return None
        return self._program(sources, file, protocol, properties, recursion)

    def _labels(self) -> None:
        """Resolve `at(t, label)` now that every label is known."""
        for node, body, name, span in self.names.label_uses:
            targets = self._targets(node, body, name)
            if targets is None:
                known = [label for _, label in self.names.labels]
                self.names.diagnostics.append(
                    Diagnostic(Code.UNKNOWN_LABEL, f"unknown label `{node.label}`", span, hint=similar(name, known))
                )
            else:
                complete(node, targets=frozenset(targets))

    def _targets(self, node: p.At, body: str | None, name: str) -> set[int] | None:
        labels = self.names.labels
        if body is not None:
            return labels.get((body, name))
        owners = [owner for owner, label in labels if label == name]
        if len(owners) == 1:
            return labels[owners[0], name]
        thread = node.thread
        own: str | None = None
        if isinstance(thread, p.Literal) and thread.value != p.NONE:
            own = self.names.thread_names[thread.value]
        elif isinstance(thread, p.Member) and isinstance(thread.ref, p.Direct):
            own = thread.ref.decl.name
        elif isinstance(thread, p.Bound):
            own = self.names.binder_families.get(thread.binder)
        return labels.get((own, name)) if own is not None else None

    def _properties(self) -> list[p.Property]:
        claims = self.claims
        found = [p.Property(name, "builtin", None) for name in _BUILTINS if name in self.names.builtins]
        found += [*self.names.properties, *claims.invariants, *claims.deadlocks, *claims.liveness]
        known = {prop.name for prop in found} | set(_BUILTINS) | set(_DEADLOCKS)
        for expectation in claims.expectations:
            if expectation.prop is not None and expectation.prop not in known:
                self._unknown_property(expectation.prop, known, expectation.span)
        for name, span in claims.disabled.items():
            if name not in known:
                self._unknown_property(name, known, span)
        return [prop for prop in found if prop.name not in claims.disabled]

    def _unknown_property(self, name: str, known: set[str], span: Span) -> None:
        self.names.diagnostics.append(
            Diagnostic(Code.UNKNOWN_PROPERTY, f"the model has no property `{name}`", span, hint=similar(name, known))
        )

    def _program(
        self, sources: Sequence[Source], file: str, protocol: tuple[str, str], properties: list[p.Property], recursion: int
    ) -> p.Program:
        names, claims = self.names, self.claims
        bh_nesting = claims.nesting or min(limits.BH_NESTING, nesting_needed(names))
        objects = names.objects.values()
        return p.Program(
            name=protocol[0],
            title=protocol[1],
            file=file,
            digest=digest(sources, names.parameters),
            parameters=dict(names.parameters),
            threads=tuple(self._instances()),
            families=dict(names.families),
            spawned=frozenset(spawn_targets(names)),
            mutexes=tuple(o for o in objects if isinstance(o, p.MutexDecl)),
            rwlocks=tuple(o for o in objects if isinstance(o, p.RwlockDecl)),
            sems=tuple(o for o in objects if isinstance(o, p.SemDecl)),
            events=tuple(o for o in objects if isinstance(o, p.EventDecl)),
            conds=tuple(o for o in objects if isinstance(o, p.CondDecl)),
            contexts=tuple(names.contexts),
            bhs=names.bottom_halves(),
            variables=tuple(o for o in objects if isinstance(o, p.VarDecl)),
            thread_locals=tuple(names.thread_locals.values()),
            procs=dict(names.procs),
            hooks={hook: tuple(callbacks) for hook, callbacks in names.hooks.items()},
            properties=tuple(properties),
            disabled=frozenset(claims.disabled),
            strong_fair=frozenset(claims.strong),
            bh_nesting=bh_nesting,
            recursion=recursion,
            nesting_declared=claims.nesting is not None,
            expectations=tuple(claims.expectations),
            assumptions=tuple(self._assumptions(bh_nesting, recursion)),
        )

    def _instances(self) -> Iterable[p.ThreadInstance]:
        for name, ids in self.names.families.items():
            decl = self.names.objects[name]
            assert isinstance(decl, p.ThreadDecl)
            for position, thread in enumerate(ids):
                yield p.ThreadInstance(
                    thread, name if decl.size is None else f"{name}[{position}]", decl, None if decl.size is None else position
                )

    def _assumptions(self, bh_nesting: int, recursion: int) -> Iterable[str]:
        yield from self.names.assumptions
        for name in sorted(self.claims.disabled):
            yield f"`{name}` is disabled: executions end where it would be violated"
        source = "declared" if self.claims.nesting is not None else "as deep as the model needs"
        if polling(self.names):
            yield f"bottom halves nest at most {bh_nesting} deep ({source}), checked by `nesting`"
        if any(proc.recursive for proc in self.names.procs.values()):
            source = "declared" if self.claims.nesting is not None else "the default"
            yield f"at most {recursion} activations of a recursive procedure ({source}), checked by `nesting`"
        if self.claims.liveness:
            yield "liveness: weak fairness of every thread"
            for thread in sorted(self.claims.strong):
                yield f"liveness: strong fairness of {next(i.name for i in self._instances() if i.id == thread)}"


def _dotted(node: Node) -> str:
    """A property's name, as written."""
    return "".join(node.span.source.text[node.span.start : node.span.end].split())


def digest(sources: Sequence[Source], parameters: Mapping[str, int | bool | str]) -> str:
    """Of every file read, in order, and of the parameters: `sha256:…`."""
    state = hashlib.sha256()
    for source in sources:
        state.update(hashlib.sha256(source.text.encode()).digest())
    for name, value in sorted(parameters.items()):
        state.update(f"{name}={value}\n".encode())
    return f"sha256:{state.hexdigest()}"


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
    """The longest chain of bottom halves in which each can poll for the next, each counted as often as it can be pending."""
    polls = polling(names)
    weight = {bh: (bh.size or 1) * bh.max_count for bh in names.bottom_halves()}
    after = {bh: [other for other in weight if other.context in polls.get(bh, ())] for bh in weight}
    best: dict[p.BhDecl, int] = {}

    def circle(bh: p.BhDecl) -> frozenset[p.BhDecl]:
        """Those that bh can come to and that can come back to it, and bh."""
        return frozenset({other for other in _reachable(bh, after) if bh in _reachable(other, after)} | {bh})

    def longest(bh: p.BhDecl) -> int:
        if bh not in best:
            group = circle(bh)
            inside = sum(weight[other] for other in group) if bh in _reachable(bh, after) else 1
            beyond = [longest(nxt) for member in group for nxt in after[member] if nxt not in group]
            for member in group:
                best[member] = inside + max(beyond, default=0)
        return best[bh]

    return max((longest(bh) for bh in weight), default=1)


def _reachable(bh: p.BhDecl, after: Mapping[p.BhDecl, list[p.BhDecl]]) -> set[p.BhDecl]:
    found: set[p.BhDecl] = set()
    todo = list(after[bh])
    while todo:
        other = todo.pop()
        if other not in found:
            found.add(other)
            todo += after[other]
    return found
