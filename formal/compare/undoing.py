"""AFTER with some of the changes taken back.

In: both programs, flat, and changes. Out: a program, or `Refused`: why there is none. What is put back speaks of AFTER's declarations
wherever AFTER has one of the same kind and name; what only BEFORE declares comes along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, get_args

from formal import program as p
from formal.compare.difference import Change, Clauses, Declared, Hook, Hunk
from formal.compare.spelling import declared_by
from formal.frontend.walking import walk
from formal.rewriting.admitting import Refused, admitted
from formal.rewriting.bodies import decls_of
from formal.rewriting.rebuilding import Changes, rebuilt
from formal.rewriting.retyping import nodes_of, retyped

_TABLES: Final[Mapping[type, str]] = {
    p.MutexDecl: "mutexes",
    p.RwlockDecl: "rwlocks",
    p.SemDecl: "sems",
    p.EventDecl: "events",
    p.CondDecl: "conds",
    p.BhDecl: "bhs",
    p.VarDecl: "variables",
    p.ThreadLocalDecl: "thread_locals",
}
_LOCAL: Final = (p.LocalDecl, p.RefParam, p.Binder)
_DECLARED: Final = (*get_args(p.ObjectDecl), p.ThreadLocalDecl)


def undone(before: p.Program, after: p.Program, changes: Sequence[Change]) -> p.Program:
    """AFTER with these changes taken back; the uids of the two programs must differ. Raises Refused."""
    if [one.name for one in before.threads] != [one.name for one in after.threads]:
        raise Refused("the models have other threads, so that nothing can be taken back by itself")
    if [one.name for one in before.contexts] != [one.name for one in after.contexts]:
        raise Refused("the models have other contexts, so that nothing can be taken back by itself")
    enums = _enums(after)
    if any(enums.get(name, members) != members for name, members in _enums(before).items()):
        raise Refused("an enum has other members, so that nothing can be taken back by itself")
    return _Undoing(before, after).take_back(changes)


class _Undoing:
    def __init__(self, before: p.Program, after: p.Program) -> None:
        self._before, self._after = before, after
        self._changes = Changes()
        self._put_back: list[object] = []
        for old, new in _same(before, after):
            self._changes.instead[old] = new
        self._twice = {one for program in (before, after) for decl in decls_of(program).values() for one in _twice(decl)}

    def take_back(self, changes: Sequence[Change]) -> p.Program:
        """Raises Refused."""
        blocks: dict[p.Block, list[Hunk]] = {}
        hooks = dict(self._after.hooks)
        for change in changes:
            match change:
                case Hunk(block=block):
                    blocks.setdefault(block, []).append(change)
                case Clauses():
                    self._clauses(change)
                case Hook(hook=hook, before=callbacks):
                    hooks[hook] = callbacks
                    self._put_back += [self._before.procs[name] for name in callbacks if name not in self._after.procs]
                case Declared():
                    self._declared(change)
        for block, hunks in blocks.items():
            self._block(block, hunks)
        program = self._carried(hooks)
        return admitted(retyped(rebuilt(program, self._changes)))

    def _block(self, block: p.Block, hunks: list[Hunk]) -> None:
        statements = list(block.statements)
        for hunk in sorted(hunks, key=lambda one: one.place, reverse=True):
            statements[hunk.place : hunk.place + len(hunk.added)] = hunk.removed
            self._put_back += hunk.removed
            self._locals_of(hunk)
            self._keep_labels(hunk)
        self._changes.set(block, statements=tuple(statements))

    def _locals_of(self, hunk: Hunk) -> None:
        """Local variables that a hunk declares have the types of BEFORE; it speaks of others by their names, so that there must be one of
        each. Raises Refused."""
        nodes = list(_below(p.Block(hunk.removed)))
        declared = {one for node in nodes for one in declared_by(node)}
        for one in declared:
            other = self._changes.instead.get(one)
            if isinstance(one, p.LocalDecl) and other is not None and other.type != one.type:
                self._changes.set(other, type=one.type)
        for one in nodes:
            if isinstance(one, _LOCAL) and one not in declared and (hunk.body, one.name) in self._twice:
                raise Refused(f"`{one.name}` in {hunk.body} is the name of several variables: which is meant is not known")

    def _keep_labels(self, hunk: Hunk) -> None:
        """A label that both sides have is one place to the properties."""
        uids = {one.info.label: one.info.uid for one in _inside(hunk.added) if one.info.label is not None}
        for one in _inside(hunk.removed):
            if one.info.label in uids:
                self._changes.set(one, info=replace(one.info, uid=uids[one.info.label]))

    def _clauses(self, change: Clauses) -> None:
        old = change.before.requires if change.kind == "requires" else change.before.ensures
        self._changes.set(change.after, **{change.kind: old})
        self._put_back += old

    def _declared(self, change: Declared) -> None:
        if change.what != "changed" or change.kind in ("thread", "proc", "context") or not is_dataclass(change.before):
            raise Refused(f"{change.kind} {change.name} is {change.what}: that does nothing by itself")
        for one in fields(change.before):
            if one.name not in ("span", "body", "context", "c_source", "binder"):
                self._changes.set(change.after, **{one.name: getattr(change.before, one.name)})

    # ------------------------------------------------------------ what comes along

    def _carried(self, hooks: dict[str, tuple[str, ...]]) -> p.Program:
        """AFTER with what is declared in BEFORE alone and spoken of by what is put back."""
        procs: dict[str, p.ProcDecl] = {}
        decls: dict[Any, None] = {}
        props: dict[str, None] = {}
        todo, seen = list(self._put_back), set()
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, p.Call | p.Invoke):
                names = (node.proc,) if isinstance(node, p.Call) else hooks.setdefault(node.hook, self._before.hooks[node.hook])
                new = [self._before.procs[name] for name in names if name not in self._after.procs]
                procs.update((one.name, one) for one in new)
                todo += new
            if isinstance(node, p.Assert):
                props[node.prop] = None
            if isinstance(node, _DECLARED):
                if node in self._changes.instead:
                    continue
                decls[node] = None
            todo += _parts(node)
        table = {name: tuple(one for one in decls if _TABLES.get(type(one)) == name) for name in _TABLES.values()}
        grown = {name: (*getattr(self._after, name), *more) for name, more in table.items() if more}
        self._changes.set(self._after, procs={**self._after.procs, **procs}, hooks=hooks, properties=self._properties(props), **grown)
        return self._after

    def _properties(self, put_back: Iterable[str]) -> tuple[p.Property, ...]:
        """AFTER's, and of BEFORE's those that what is put back can violate."""
        known = {one.name for one in self._after.properties} | self._after.disabled
        wanted = set(put_back)
        more = [one for one in self._before.properties if one.name not in known and (one.kind == "builtin" or one.name in wanted)]
        return (*more, *self._after.properties)


def _same(before: p.Program, after: p.Program) -> Iterator[tuple[object, object]]:
    """Declarations of the same kind and name, local ones in the same body."""
    new = {(type(one), one.name): one for one in _objects(after)}
    for one in _objects(before):
        other = new.get((type(one), one.name))
        if other is not None:
            yield one, other
    bodies = decls_of(after)
    for name, decl in decls_of(before).items():
        if name in bodies and type(bodies[name]) is type(decl):
            locals_ = {(type(one), one.name): one for one in _locals(bodies[name])}
            yield from ((one, locals_[type(one), one.name]) for one in _locals(decl) if (type(one), one.name) in locals_)


def _objects(program: p.Program) -> Iterator[Any]:
    for table in (*_TABLES.values(), "contexts"):
        yield from getattr(program, table)
    yield from dict.fromkeys(thread.decl for thread in program.threads)
    yield from program.procs.values()


def _locals(decl: object) -> Iterator[Any]:
    """What a body declares for itself."""
    return (node for node in _below(decl) if isinstance(node, _LOCAL))


def _below(decl: object) -> Iterator[Any]:
    """The nodes of a body, each once; of what others declare, the declaration alone."""
    todo, seen = list(_parts(decl)), set()
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += [] if isinstance(node, (*_DECLARED, p.ProcDecl)) else _parts(node)


def _twice(decl: Any) -> Iterator[tuple[str, str]]:
    """The body, and the names in it that several local declarations have."""
    counts = Counter(one.name for one in _locals(decl))
    return ((decl.name, name) for name, count in counts.items() if count > 1)


def _enums(program: p.Program) -> dict[str, tuple[str, ...]]:
    """The members of each, as far as a declaration or an expression is of it."""
    return {type_.name: type_.members for node in nodes_of(program) if isinstance(type_ := getattr(node, "type", None), p.EnumType)}


def _parts(node: object) -> list[Any]:
    """The nodes directly below one."""
    if not is_dataclass(node):
        return []
    found = []
    for one in fields(node):
        value = getattr(node, one.name)
        found += [item for item in (value if isinstance(value, tuple) else (value,)) if type(item).__module__ == p.__name__]
    return [item for item in found if not isinstance(item, p.Info)]


def _inside(statements: Sequence[p.Stmt]) -> Iterator[Any]:
    """Statements at any depth, blocks left out."""
    return (one for one in walk(p.Block(tuple(statements))) if not isinstance(one, p.Block))
