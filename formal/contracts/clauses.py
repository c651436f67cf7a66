"""The clauses of a contract, as text that generated parts of models are made of.

In: the declaration of a hook. Out: a `Contract`. It must not know what a name means: the front end has checked that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from formal.diagnostics import Span
from formal.syntax import Node, Tree

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds when a callback is called, or has returned."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that callbacks may take. `give` and `take` are statements. `dropped`: the callers have it, and it may be dropped for a while;
    `guard`: the constant that the clause depends on."""

    name: str
    take: str
    give: str
    dropped: bool
    guard: str
    span: Span
    procs: tuple[str, ...] = ()  # those that do so, if not the statements themselves


@dataclass(frozen=True, slots=True)
class Poll:
    """A context that callbacks may poll where `requires` holds."""

    context: str
    requires: str
    guard: str
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A procedure that callbacks may call where `requires` holds; `once`: the callback that alone may, and only once."""

    proc: str
    once: str
    requires: str
    guard: str
    span: Span


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything that one hook's callbacks may rely on and may do. `locks`: in the order in which they are taken; `threads`: names of
    those that a callback's own threads may take, with the clause."""

    hook: str
    span: Span
    requires: tuple[Condition, ...]
    ensures: tuple[Condition, ...]
    locks: tuple[Lock, ...]
    polls: tuple[Poll, ...]
    calls: tuple[Call, ...]
    threads: tuple[tuple[Lock, str, Span], ...]

    def later(self, lock: Lock) -> tuple[Lock, ...]:
        """The locks that may be taken while this one is held, and must not be held when it is taken."""
        return self.locks[self.locks.index(lock) + 1 :]

    def orderly(self, lock: Lock) -> str:
        """The condition to take a lock: none of the later ones is held."""
        return " && ".join(f"!holds({one.name})" for one in self.later(lock)) or "true"

    @property
    def once(self) -> tuple[Call, ...]:
        """The calls that may be made once."""
        return tuple(call for call in self.calls if call.once)

    @property
    def returned(self) -> str:
        """What holds when a callback has returned, besides `ensures`: what it took is given back."""
        return " && ".join(f"!holds({lock.name})" for lock in self.locks if not lock.dropped) or "true"


def has_contract(item: Node) -> bool:
    """Whether a declaration is that of a hook with a contract."""
    return item.kind == "hook" and any(node.kind != "anchor" for node in item.nodes())


def contract_of(item: Node) -> Contract:
    """The contract of a hook."""
    locks = tuple(_locks(item))
    return Contract(
        str(item.leaves()[0]),
        item.span,
        tuple(Condition(text_of(node.items[0]), node.span) for node in item.nodes("hook_requires")),
        tuple(Condition(text_of(node.items[0]), node.span) for node in item.nodes("hook_ensures")),
        locks,
        tuple(Poll(str(node.leaves()[0]), _requires(node), _guard(node), node.span) for node in item.nodes("may_poll")),
        tuple(_call(node) for node in item.nodes("may_call")),
        tuple(_thread(node, locks) for node in item.nodes("thread_may_lock")),
    )


def text_of(tree: Tree) -> str:
    """A part of a text as it was written, on one line and without comments."""
    return " ".join(_COMMENT.sub(" ", tree.span.source.text[tree.span.start : tree.span.end]).split())


def _locks(item: Node) -> Iterator[Lock]:
    """First what may be dropped: it is held already."""
    for node in item.nodes("may_drop"):
        lock, *procs = (str(leaf) for leaf in node.leaves())
        give, take = (f"{proc}();" for proc in procs) if procs else (f"unlock {lock};", f"lock {lock};")
        yield Lock(lock, take, give, True, _guard(node), node.span, tuple(procs))
    for node in item.nodes():
        if node.kind == "may_lock":
            for leaf in node.leaves():
                yield Lock(str(leaf), f"lock {leaf};", f"unlock {leaf};", False, _guard(node), node.span)
        elif node.kind == "may_lockop":
            mode = str(node.leaves("LOCKOP")[0])
            for leaf in node.leaves():
                yield Lock(str(leaf), f"{mode} {leaf};", f"{mode.replace('lock', 'unlock')} {leaf};", False, _guard(node), node.span)


def _call(node: Node) -> Call:
    names = [str(leaf) for leaf in node.leaves()]
    return Call(names[0], names[1] if len(names) > 1 else "", _requires(node), _guard(node), node.span)


def _thread(node: Node, locks: tuple[Lock, ...]) -> tuple[Lock, str, Span]:
    """The lock as callbacks take it, if they may."""
    name = str(node.leaves()[0])
    own = Lock(name, f"lock {name};", f"unlock {name};", False, "true", node.span)
    return next((lock for lock in locks if lock.name == name), own), _guard(node), node.span


def _guard(node: Node) -> str:
    guard = node.node("guard")
    return text_of(guard.items[0]) if guard is not None else "true"


def _requires(node: Node) -> str:
    conditions = [item for item in node.nodes() if item.kind != "guard"]
    return text_of(conditions[0]) if conditions else "true"
