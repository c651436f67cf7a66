"""Properties, labels, bounds, and the whole: from complete tables to a `Program`.

In: the tables, the declarations of properties. Out: a Program, or only diagnostics.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from formal import limits
from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic, Source, Span
from formal.frontend.bounds import nesting_needed, polling, spawn_targets
from formal.frontend.calls import calls_nest_too_deep, calls_of
from formal.frontend.checks import Checks, check_conditions
from formal.frontend.claims import Claims
from formal.frontend.declarations import complete
from formal.frontend.labels import resolve_labels
from formal.frontend.names import Names, similar
from formal.frontend.sizes import Sizes

_BUILTINS = (p.RELOCK, p.NOT_OWNER, p.RANGE, p.WRONG_CONTEXT, p.NESTING, p.SPAWN, p.ATOMIC)
RECURSION = 4  # activations, where nothing is declared


class Assembly:
    """Puts one model together."""

    def __init__(self, names: Names, claims: Claims) -> None:
        self.names = names
        self.claims = claims

    def finish(self, sources: Sequence[Source], file: str, protocol: tuple[str, str]) -> p.Program | None:
        """The program; None when there was any mistake."""
        recursion = self.claims.nesting or RECURSION
        calls = calls_of(self.names, recursion)
        if calls_nest_too_deep(self.names, calls):
            return None
        resolve_labels(self.names, calls)
        for name in calls.recursive:
            complete(self.names.procs[name], recursive=True)
            self.names.site(p.NESTING)
        if not check_conditions(self.names):
            return None
        Checks(self.names, calls).run()
        Sizes(self.names, calls, recursion).check((*self.claims.invariants, *self.claims.liveness))
        properties = self._properties()
        if self._mistaken():
            return None
        if not properties or not self.names.thread_names:
            missing = "no thread" if not self.names.thread_names else "no property, and no statement that could fail"
            text = f"nothing to check: the model has {missing}"
            self.names.diagnostics.append(Diagnostic(Code.NOTHING_TO_CHECK, text, None, file=file))
            return None
        return self._program(sources, file, protocol, properties, recursion)

    def _mistaken(self) -> bool:
        return any(diagnostic.is_error for diagnostic in self.names.diagnostics)

    def _properties(self) -> list[p.Property]:
        claims = self.claims
        found = [p.Property(name, "builtin", None) for name in _BUILTINS if name in self.names.builtins]
        found += [*self.names.properties, *claims.invariants, *claims.deadlocks, *claims.liveness]
        known = {prop.name for prop in found} | self.names.promised | set(_BUILTINS) | set(p.DEADLOCKS)
        for expectation in claims.expectations:
            if expectation.prop is not None and expectation.prop not in known:
                self._unknown_property(expectation.prop, known, expectation.span)
        for name, span in claims.disabled.items():
            if name not in known:
                self._unknown_property(name, known, span)
        return [prop for prop in found if prop.name not in claims.disabled]

    def _unknown_property(self, name: str, known: set[str], span: Span) -> None:
        if self.names.blind or self.names.unread or self.names.poisoned:
            return  # it may be a property of what could not be read
        text = f"the model has no property `{name}`"
        self.names.diagnostics.append(Diagnostic(Code.UNKNOWN_PROPERTY, text, span, hint=similar(name, known)))

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
            counts=dict(names.counts),
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
            sources=tuple(sources),
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
            states = name.split(".")[0] in ("invariant", "deadlock", "liveness")
            yield f"`{name}` is disabled: " + ("it is not looked at" if states else "executions end where it would be violated")
        source = "declared" if self.claims.nesting is not None else "as deep as the model needs"
        if polling(self.names):
            yield f"bottom halves nest at most {bh_nesting} deep ({source}), checked by `nesting`"
        if any(proc.recursive for proc in self.names.procs.values()):
            source = "declared" if self.claims.nesting is not None else "the default"
            yield f"at most {recursion} activations of a recursive procedure ({source}), checked by `nesting`"
        if any(prop.name not in self.claims.disabled for prop in self.claims.liveness):
            yield "liveness: weak fairness of every thread"
            yield from (f"liveness: strong fairness of {whom}" for whom in self._strong())

    def _strong(self) -> Iterable[str]:
        """Who is strongly fair; all threads of a family together."""
        names = {instance.id: instance.name for instance in self._instances()}
        for family, ids in self.names.families.items():
            decl = self.names.objects[family]
            if isinstance(decl, p.ThreadDecl) and decl.size is not None and self.claims.strong.issuperset(ids):
                yield f"every {family}"
            else:
                yield from (names[thread] for thread in ids if thread in self.claims.strong)


def digest(sources: Sequence[Source], parameters: Mapping[str, int | bool | str]) -> str:
    """Of every file read, in order, and of the parameters: `sha256:…`."""
    state = hashlib.sha256()
    for source in sources:
        state.update(hashlib.sha256(source.text.encode()).digest())
    for name, value in sorted(parameters.items()):
        state.update(f"{name}={value}\n".encode())
    return f"sha256:{state.hexdigest()}"
