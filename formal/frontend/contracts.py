"""Contracts of hooks: whether their clauses make sense.

In: the declarations of hooks, complete tables of names. Out: only diagnostics. What a contract means is for `formal.contracts`: it changes
nothing of the model that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from formal import program as p
from formal.codes import Code
from formal.diagnostics import Note, Span
from formal.frontend.expressions import Expressions
from formal.frontend.folding import BOOL
from formal.frontend.names import Mistake, Names, Poisoned, Scope, mistake
from formal.frontend.references import KINDS
from formal.syntax import Leaf, Node


class ContractReader:
    """Reads the contracts of one model."""

    def __init__(self, names: Names, expressions: Expressions) -> None:
        self.names = names
        self.expressions = expressions
        self.permitted: dict[tuple[str, str], Span] = {}  # of one contract: what a clause names, and as what
        self._readers: dict[str, Callable[[Node], None]] = {
            "hook_requires": lambda node: self._condition(node),
            "hook_ensures": lambda node: self._condition(node),
            "may_drop": self._drop,
            "may_lock": lambda node: self._locks(node, "mutex"),
            "may_lockop": self._lockop,
            "may_poll": self._poll,
            "may_call": lambda node: self._procedure(node.leaves()[0], "a call"),
            "thread_may_lock": self._thread_lock,
        }

    def read(self, items: Sequence[Node]) -> None:
        """Every clause of every hook; nothing in them leaves a trace in what the model can do."""
        with self.names.ruling_out():
            for hook in (item for item in items if item.kind == "hook"):
                self.permitted = {}
                for clause in hook.nodes():
                    if clause.kind in self._readers:
                        self._clause(clause)

    def _clause(self, node: Node) -> None:
        try:
            self._readers[node.kind](node)
            self._conditions(node)
        except Mistake as error:
            self.names.diagnostics.append(error.diagnostic)
        except Poisoned:
            return

    # ------------------------------------------------------------ conditions

    def _conditions(self, node: Node) -> None:
        """The `if` of a clause, which is decided before the run, and its `requires`."""
        for item in node.nodes():
            if item.kind == "guard":
                literal = self.expressions.constant(item.items[0])
                if literal.type != BOOL:
                    raise mistake(Code.TYPE, "bool is needed here", item.span)
            elif node.kind in ("may_poll", "may_call"):
                self.expressions.boolean(item, Scope(has_self=True))

    def _condition(self, node: Node) -> None:
        self.expressions.boolean(node.items[0], Scope(has_self=True))

    # ------------------------------------------------------------ what is named

    def _drop(self, node: Node) -> None:
        lock, *procedures = node.leaves()
        self._lock(lock, "mutex", "a lock")
        for leaf in procedures:
            self._procedure(leaf, f"what gives {lock} back or takes it")

    def _poll(self, node: Node) -> None:
        self._object(node.leaves()[0], "context", "a poll")

    def _thread_lock(self, node: Node) -> None:
        self._lock(node.leaves()[0], "mutex", "a lock of its threads")

    def _lockop(self, node: Node) -> None:
        mode = node.leaves("LOCKOP")[0]
        if str(mode) not in ("rdlock", "wrlock"):
            raise mistake(Code.KIND, f"`may {mode}`: who may take a lock may give it back", mode.span, hint="`may rdlock R;`")
        self._locks(node, "rwlock")

    def _locks(self, node: Node, kind: str) -> None:
        for leaf in node.leaves():
            self._lock(leaf, kind, "a lock")

    def _lock(self, leaf: Leaf, kind: str, what: str) -> None:
        """A single lock that can be taken once."""
        decl = self._object(leaf, kind, what)
        if decl.size is not None:
            raise mistake(Code.INDEX, f"`{leaf}` is an array; a contract names single locks", leaf.span, *self.names.origin(str(leaf)))
        if isinstance(decl, p.MutexDecl) and decl.recursive:
            text = f"`{leaf}` is recursive; a contract says of a lock whether it is held, not how often"
            raise mistake(Code.KIND, text, leaf.span, *self.names.origin(str(leaf)))

    def _object(self, leaf: Leaf, kind: str, what: str) -> p.ObjectDecl:
        cls, shown = KINDS[kind]
        name = str(leaf)
        self.names.used.add(name)
        decl = self.names.objects.get(name)
        if decl is None and name not in self.names.declared:
            raise self.names.unknown(name, leaf.span)
        if decl is None or not isinstance(decl, cls):
            raise mistake(Code.KIND, f"`{name}` is not {shown}", leaf.span, *self.names.origin(name))
        self._once(leaf, what)
        return decl

    def _procedure(self, leaf: Leaf, what: str) -> None:
        name = str(leaf)
        self.names.used.add(name)
        proc = self.names.procs.get(name)
        if proc is None and name not in self.names.declared:
            raise self.names.unknown(name, leaf.span, what="procedure")
        if proc is None or proc.hook is not None:
            raise mistake(Code.CALL, f"`{name}` is no procedure", leaf.span, *self.names.origin(name))
        if proc.params or proc.result is not None:
            hint = "put the call into a procedure without parameters, and let the callbacks call that"
            text = f"`{name}` has parameters or a result; a contract names procedures without"
            raise mistake(Code.ARGUMENTS, text, leaf.span, *self.names.origin(name), hint=hint)
        self._once(leaf, what)

    def _once(self, leaf: Leaf, what: str) -> None:
        """Two clauses for the same would leave open which of them counts."""
        first = self.permitted.setdefault((str(leaf), what), leaf.span)
        if first is not leaf.span:
            raise mistake(Code.DUPLICATE, f"the contract names `{leaf}` twice", leaf.span, Note("the first time is here", first))
