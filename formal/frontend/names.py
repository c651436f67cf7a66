"""What a model declares, and how mistakes travel: tables of names, scopes, and the two exceptions of the front end.

A mistake ends the reading of the statement or declaration that it is in, and is collected there; the next one is read as if nothing had
happened. A name whose declaration is mistaken is poisoned: its uses are not mistakes of their own. What stands in a branch that the
constants decide against is read like everything else, but leaves no trace in the tables of what can happen.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from formal import limits
from formal.codes import Code
from formal.diagnostics import Diagnostic, Note, Span
from formal.program import (
    At,
    BhDecl,
    Binder,
    Block,
    Call,
    ContextDecl,
    Counted,
    EnumType,
    Literal,
    LocalDecl,
    ObjectDecl,
    ProcDecl,
    Property,
    PropertyKind,
    RefParam,
    Skip,
    ThreadDecl,
    ThreadLocalDecl,
    ValueType,
)
from formal.syntax import Node

Local = LocalDecl | RefParam | Binder


class Mistake(Exception):
    """The user's mistake, on its way to where it is collected."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Poisoned(Exception):
    """Something depends on a name whose declaration is mistaken: already told, nothing to add."""


def mistake(code: Code, message: str, span: Span, *notes: Note, hint: str | None = None) -> Mistake:
    """To be raised."""
    return Mistake(Diagnostic(code, message, span, notes, hint))


def similar(word: str, known: Iterable[str]) -> str | None:
    """A "did you mean", where something is close enough. No name of a protocol is so long that it would take time."""
    if len(word) > 60:
        return None
    close = difflib.get_close_matches(word, sorted(set(known)), 1, 0.6)
    return f"did you mean `{close[0]}`?" if close else None


@dataclass(frozen=True, slots=True)
class LabelUse:
    """`at(t, label)`, to be resolved when all labels are known. `body` is what stands before the label, `own` the body that t runs."""

    node: At
    body: str | None
    name: str
    own: str | None
    span: Span


BUILTIN_FUNCTIONS = ("holds", "owner", "in_context", "current_context", "pending", "count", "is_set", "at", "finished")


@dataclass(slots=True)
class Names:
    """The global tables of one model, filled declaration by declaration."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    declared: dict[str, Span] = field(default_factory=dict)
    poisoned: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    constants: dict[str, Literal] = field(default_factory=dict)
    parameters: dict[str, int | bool | str] = field(default_factory=dict)
    counts: dict[str, Counted] = field(default_factory=dict)  # of parameters that are whole numbers
    enums: dict[str, EnumType] = field(default_factory=dict)
    families: dict[str, tuple[int, ...]] = field(default_factory=dict)
    thread_names: list[str] = field(default_factory=list)  # of each thread id, its declaration
    objects: dict[str, ObjectDecl] = field(default_factory=dict)
    contexts: list[ContextDecl] = field(default_factory=list)
    thread_locals: dict[str, ThreadLocalDecl] = field(default_factory=dict)
    procs: dict[str, ProcDecl] = field(default_factory=dict)
    hooks: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    label_spans: dict[tuple[str, str], Span] = field(default_factory=dict)
    label_uses: list[LabelUse] = field(default_factory=list)
    labelled_calls: list[tuple[Skip, Call]] = field(default_factory=list)  # the label is the call's if that turns out to take a step
    damaged: set[str] = field(default_factory=set)  # bodies in which a statement could not be read
    binder_families: dict[Binder, str] = field(default_factory=dict)  # of a variable that runs over one family
    properties: list[Property] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)  # their names, and those in branches that the constants rule out
    builtins: set[str] = field(default_factory=set)
    assumptions: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # words of texts that could not be read: a name may be declared there
    to_come: set[str] = field(default_factory=set)  # names of declarations that are read after the constants
    blind: bool = False  # a whole file could not be read: any name may be declared there
    next_uid: int = 1
    ruled_out: int = 0  # branches around the current place that the constants decide against

    def declare(self, name: str, span: Span) -> None:
        """Raises when the name is taken; the second declaration does not count."""
        if name in BUILTIN_FUNCTIONS:
            raise mistake(Code.DUPLICATE, f"`{name}` is a function of the language", span)
        if name in self.declared:
            raise mistake(Code.DUPLICATE, f"`{name}` is declared twice", span, Note("declared here", self.declared[name]))
        self.declared[name] = span

    def declare_node(self, node: Node) -> str:
        """Declare what a declaration declares; its name."""
        leaf = node.leaves()[0]
        self.declare(str(leaf), leaf.span)
        return str(leaf)

    def poison(self, node: Node) -> None:
        """A declaration is mistaken: what it declares is not known, and that is no mistake of those who use it."""
        leaves = node.leaves()
        self.poisoned.update(str(leaf) for leaf in (leaves if node.kind == "enum" else leaves[:1]))

    def is_poisoned(self, name: str) -> bool:
        """Whether a use of the name proves nothing: its declaration is mistaken, or may be in what could not be read."""
        return name in self.poisoned or self.blind or name in self.unread

    def unknown(self, name: str, span: Span, extra: Iterable[str] = (), what: str = "name") -> Exception:
        """The exception for a name that is not found."""
        if self.is_poisoned(name):
            return Poisoned()
        if name in self.to_come and name not in self.declared:
            return mistake(Code.NOT_CONSTANT, f"`{name}` is no constant: it is not known before the run", span)
        hint = similar(name, [*self.declared, *extra]) if len(self.diagnostics) < limits.DIAGNOSTICS else None
        shown = name if len(name) <= 60 else name[:57] + "..."
        return mistake(Code.UNKNOWN_NAME, f"unknown {what} `{shown}`", span, hint=hint)

    def origin(self, name: str) -> tuple[Note, ...]:
        """Where a name is declared, as a note."""
        return (Note("declared here", self.declared[name]),) if name in self.declared else ()

    @contextmanager
    def ruling_out(self, really: bool = True) -> Iterator[None]:
        """What is read inside can never execute, because a constant says so (if `really`)."""
        self.ruled_out += really
        try:
            yield
        finally:
            self.ruled_out -= really

    def site(self, *checks: str) -> None:
        """Here built-in checks could fail."""
        if not self.ruled_out:
            self.builtins.update(checks)

    def promise(self, name: str, kind: PropertyKind, span: Span) -> None:
        """Here is a property of a body to prove. Raises when its name is taken."""
        if name in self.promised:
            raise mistake(Code.DUPLICATE, f"two assertions are named `{name}`", span)
        self.promised.add(name)
        if not self.ruled_out:
            self.properties.append(Property(name, kind, span))

    def uid(self) -> int:
        """A fresh statement id."""
        self.next_uid += 1
        return self.next_uid

    def bottom_halves(self) -> tuple[BhDecl, ...]:
        """In order of declaration."""
        return tuple(o for o in self.objects.values() if isinstance(o, BhDecl))

    def bodies(self) -> list[Block]:
        """Every body: of procedures and callbacks, threads, bottom halves."""
        found = [proc.body for proc in self.procs.values()]
        found += [thread.body for thread in self.thread_decls()]
        return found + [bh.body for bh in self.bottom_halves()]

    def thread_decls(self) -> tuple[ThreadDecl, ...]:
        """In order of declaration."""
        return tuple(o for o in self.objects.values() if isinstance(o, ThreadDecl))


@dataclass(frozen=True, slots=True)
class Scope:
    """What is visible where. `names` is replaced, never changed: an inner scope cannot leak. `body` names what it is written in."""

    body: str = ""
    c_source: str | None = None
    has_self: bool = False
    result: ValueType | None = None  # set in `ensures`
    returns: ValueType | None = None  # of the procedure
    loops: int = 0
    names: dict[str, Local] = field(default_factory=dict)

    def inner(self) -> Scope:
        """A copy for a block: what it declares is not seen outside."""
        return replace(self, names=dict(self.names))

    def looping(self) -> Scope:
        """A copy for a loop's body."""
        return replace(self, names=dict(self.names), loops=self.loops + 1)

    def bind(self, local: Local, span: Span) -> None:
        """Declare a local. Raises when it would hide another one of the same body."""
        other = self.names.get(local.name)
        if other is not None:
            notes = () if isinstance(other, Binder) else (Note("declared here", other.span),)
            raise mistake(Code.DUPLICATE, f"`{local.name}` hides another `{local.name}` of the same body", span, *notes)
        if local.name in BUILTIN_FUNCTIONS:
            raise mistake(Code.DUPLICATE, f"`{local.name}` is a function of the language", span)
        self.names[local.name] = local


def limited(value: int, limit: int, what: str, span: Span, least: int = 1) -> int:
    """The value, unless it is beyond a limit. Raises a mistake that names both."""
    if value > limit:
        raise mistake(Code.LIMIT, f"{what} of {value}; the limit is {limit}", span)
    if value < least:
        raise mistake(Code.OUT_OF_RANGE, f"{what} of {value}; it must be at least {least}", span)
    return value


def checked_integer(value: int, span: Span) -> int:
    """A constant integer within the language's range."""
    if abs(value) > limits.INTEGER:
        raise mistake(Code.INTEGER_SIZE, f"the number {value if abs(value) < 10**30 else '…'} is beyond {limits.INTEGER}", span)
    return value
