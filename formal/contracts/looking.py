"""What a callback may look at: its own things, and of what it shares only what the contract speaks of.

In: typed statements and expressions. Out: whether they look at anything else. It must not know what a callback may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from formal import program as p
from formal.diagnostics import Source
from formal.frontend.walking import below, walk
from formal.rewriting.bodies import bodies_of

Declared = p.ObjectDecl | p.ThreadLocalDecl | p.LocalDecl


@dataclass(frozen=True, slots=True)
class Own:
    """What is a callback's own: whatever `sources` declare. `common`: the sources that every protocol with the contract has as well, so
    that what they declare means the same there; `named`: the locks and thread-locals that the contract speaks of; `meant`: by `ref`
    parameter, what it may stand for."""

    program: p.Program
    sources: frozenset[Source]
    common: frozenset[Source]
    named: frozenset[str]
    meant: Mapping[p.RefParam, frozenset[Declared]] = field(default_factory=dict)

    def has(self, decl: Declared | p.ProcDecl) -> bool:
        """Whether a declaration is the callback's own."""
        return isinstance(decl, p.LocalDecl) or decl.span.source in self.sources

    def knows(self, decl: Declared | p.ProcDecl) -> bool:
        """Whether a declaration is the same wherever the callback is used."""
        return self.has(decl) or decl.span.source in self.common

    def targets(self, place: p.Place) -> frozenset[Declared]:
        """What a reference or a place may stand for."""
        match place:
            case p.ViaParam(param=param):
                return self.meant.get(param, frozenset())
            case p.Direct(decl=decl) | p.LocalPlace(decl=decl) | p.ThreadLocalPlace(decl=decl):
                return frozenset({decl})

    def private(self, place: p.Place) -> bool:
        """Whether it can only stand for things of the callback's own."""
        return all(self.has(decl) for decl in self.targets(place))

    def thread(self, expr: p.Expr) -> bool:
        """Whether a thread is certain to be one of the callback's own."""
        match expr:
            case p.Literal(value=value):
                return value >= 0 and self.has(self.program.threads[value].decl)
            case p.Member(ref=ref):
                return self.private(ref)
            case _:
                return False


def meanings(program: p.Program) -> dict[p.RefParam, frozenset[Declared]]:
    """By `ref` parameter, everything that some call gives for it."""
    calls = [one for body in bodies_of(program).values() for one in walk(body) if isinstance(one, p.Call)]
    found: dict[p.RefParam, frozenset[Declared]] = {}
    changed = True
    while changed:
        changed = False
        for call in calls:
            for param, argument in zip(program.procs[call.proc].params, call.arguments, strict=True):
                if isinstance(param, p.RefParam):
                    given = _given(argument, found)
                    if not given <= found.get(param, frozenset()):
                        found[param] = found.get(param, frozenset()) | given
                        changed = True
    return found


def _given(argument: p.Expr | p.Place, found: Mapping[p.RefParam, frozenset[Declared]]) -> frozenset[Declared]:
    match argument:
        case p.ViaParam(param=param):
            return found.get(param, frozenset())
        case p.Direct(decl=decl) | p.LocalPlace(decl=decl) | p.ThreadLocalPlace(decl=decl):
            return frozenset({decl})
        case _:
            return frozenset()


def pries(holder: object, own: Own) -> bool:
    """Whether a statement or an expression, blocks apart, looks at something that is neither its own nor spoken of by the contract."""
    return any(_pries(expr, own) for expr in below(holder))


def awaits_others(expr: p.Expr, own: Own) -> bool:
    """Whether a condition speaks of anything that the callback and its threads do not decide alone."""
    return any(
        (isinstance(one, p.Read) and not own.private(one.place)) or isinstance(one, p.Holds | p.Owner | p.InContext | p.CurrentContext)
        for one in (expr, *below(expr))
    )


def _pries(expr: p.Expr, own: Own) -> bool:  # noqa: C901 - one arm a kind
    match expr:
        case p.Holds(thread=thread, lock=lock):
            return not own.private(lock) and not (isinstance(thread, p.Self) and _named(lock, own))
        case p.Owner(lock=ref) | p.PendingContext(context=ref) | p.Count(ref=ref) | p.IsSet(event=ref):
            return not own.private(ref) or (isinstance(expr, p.Count) and not _runs_alone(ref, own))
        case p.PendingBh(bh=ref):
            return not _runs_alone(ref, own)
        case p.InContext(thread=thread, context=context):
            return not isinstance(thread, p.Self) or any(_strange(one, own) for one in own.targets(context))
        case p.CurrentContext():
            return True  # a protocol may have other contexts
        case p.Quantifier(binder=binder, domain=domain):
            return counts_others(binder, domain, own)
        case p.At(thread=thread) | p.Finished(thread=thread):
            return not own.thread(thread)
        case p.Read(place=p.ThreadLocalPlace(decl=decl, thread=thread)) if not own.has(decl):
            return decl.name not in own.named or not (thread is None or isinstance(thread, p.Self))
        case p.Read(place=p.ViaParam() as place):
            return any((isinstance(one, p.ThreadLocalDecl) and not own.has(one)) or not own.knows(one) for one in own.targets(place))
        case p.Read(place=p.Direct(decl=decl)):
            return not own.knows(decl)
        case _:
            return False


def counts_others(binder: p.Binder, domain: tuple[int, ...], own: Own) -> bool:
    """Whether a quantifier or a `for` goes through threads that are not the callback's own: a protocol may have more of them."""
    return isinstance(binder.type, p.ThreadType) and not all(own.has(own.program.threads[thread].decl) for thread in domain)


def _named(lock: p.Ref, own: Own) -> bool:
    return all(decl.name in own.named for decl in own.targets(lock))


def _runs_alone(ref: p.Ref, own: Own) -> bool:
    """Whether bottom halves, and their contexts, are the callback's own."""
    return all(own.has(one) and (not isinstance(one, p.BhDecl) or own.has(one.context)) for one in own.targets(ref))


def _strange(context: Declared, own: Own) -> bool:
    """Whether a context's `when` asks for something that a callback must not know."""
    return isinstance(context, p.ContextDecl) and context.when is not None and (_pries(context.when, own) or pries(context.when, own))
