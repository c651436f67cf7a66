"""What references denote: the declared object, and whose site its index is read at.

In: a reference and the site where it stands. Out: the declaration or place, through any number of `ref` parameters.
It must not know z3.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.program import AioWaitWhile, ContextDecl, Direct, InContext, Place, Poll, Ref, ViaParam
from formal.smt.cfg import Node, Root, Site, Slot


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A place or reference that isn't a parameter, the site it was written at, and the register that keeps its evaluated index."""

    ref: Ref | Place
    site: Site
    kept: Slot | None


def resolve(ref: Ref | Place, site: Site) -> Resolved:
    """Follows `ref` parameters to what they were bound to."""
    kept = None
    while isinstance(ref, ViaParam):
        binding = site.refs[ref.param]
        ref, site, kept = binding.ref, binding.site, binding.index
    return Resolved(ref, site, kept)


def declared(ref: Ref | Place, site: Site) -> object:
    """The declaration that a reference names, whatever its index."""
    target = resolve(ref, site).ref
    return target.decl if isinstance(target, Direct) else None


def context_of(node: Node) -> ContextDecl:
    """The context that a poll, an aio_wait_while or an in_context names."""
    assert isinstance(node.stmt, Poll | AioWaitWhile)
    found = declared(node.stmt.ref, node.site)
    assert isinstance(found, ContextDecl)
    return found


def asked_context(expr: InContext, site: Site) -> ContextDecl:
    """The context that `in_context` asks about."""
    found = declared(expr.context, site)
    assert isinstance(found, ContextDecl)
    return found


def declaration_site(root: Root) -> Site:
    """A site for expressions of declarations: no locals, no parameters."""
    return Site(root, (), {}, {}, {}, (), (), 0, 0, None, None, (), {})
