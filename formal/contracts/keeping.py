"""A callback's own statements, each with the clause of the contract that permits it put before it as an assertion.

In: the program of a callback alone (`formal.contracts.alone`), its contract, what is its own. Out: the same program, in which whatever the
callback or its threads do beyond the contract violates a property named after the clause, at the line of the callback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

from formal import program as p
from formal.contracts.alone import template
from formal.contracts.clauses import Contract
from formal.contracts.looking import Own
from formal.contracts.permitting import INNER, NOTHING_ELSE, Permissions
from formal.diagnostics import Span
from formal.frontend.folding import BOOL
from formal.frontend.walking import blocks_in, walk
from formal.rewriting.bodies import Decl, decls_of, statements_of
from formal.rewriting.rebuilding import Changes, rebuilt


def kept(program: p.Program, contract: Contract, own: Own, hooks: frozenset[str]) -> p.Program:
    """The program with the contract's assertions in it. `hooks`: those that the callback's files declare."""
    return _Keeping(program, contract, own, hooks).run()


class _Keeping:
    def __init__(self, program: p.Program, contract: Contract, own: Own, hooks: frozenset[str]) -> None:
        self.program = program
        self.contract = contract
        self.own = own
        self.permissions = Permissions(contract, own, hooks)
        self.uids = count(max(statement.info.uid for statement in statements_of(program) if not isinstance(statement, p.Block)) + 1)
        self.changes = Changes()
        self.used: set[str] = set()
        self.decls = decls_of(program)
        self.threads = [one.decl for one in program.threads if own.has(one.decl)]
        self.mine = self._reached([self.decls[name] for name in program.hooks[contract.hook]])
        self.theirs = self._reached([*dict.fromkeys(self.threads), *(bh for bh in program.bhs if own.has(bh))])
        self.permissions.inner = self._inner()
        self.mine |= {decl for decl in self.theirs if isinstance(decl, p.BhDecl)}

    def run(self) -> p.Program:
        """Everything that the callback and its threads can come to."""
        for decl in self.decls.values():
            if decl in self.mine or decl in self.theirs:
                self._body(decl)
        for name in self.program.hooks[self.contract.hook]:
            self._returning(self.program.procs[name])
        for thread in dict.fromkeys(self.threads):
            self._ending(thread)
        properties = tuple(self._property(prop) for prop in self.program.properties if self._stays(prop))
        procs = {name: proc for name, proc in self.program.procs.items() if not self._is_template(name)}
        self.changes.set(self.program, properties=properties, procs=procs)
        return rebuilt(self.program, self.changes)

    def _reached(self, roots: list[Decl]) -> set[Decl]:
        """The bodies that are looked into: what the contract names is not, since it is permitted as a whole."""
        found, todo = set(roots), list(roots)
        while todo:
            for statement in walk(todo.pop().body):
                for name in self._called(statement):
                    decl = self.decls[name]
                    if decl not in found:
                        found.add(decl)
                        todo.append(decl)
        return found

    def _called(self, statement: p.Stmt) -> Iterator[str]:
        if isinstance(statement, p.Call) and not self.permissions.is_whole(statement.proc):
            yield statement.proc
        if isinstance(statement, p.Invoke) and statement.hook != self.contract.hook:
            yield from self.program.hooks[statement.hook]

    def _inner(self) -> frozenset[p.MutexDecl]:
        """Locks of the callback's own that a thread takes which takes shared ones, too: it may hold one of those meanwhile."""
        found = set()
        for thread in dict.fromkeys(self.threads):
            statements = [one for decl in self._reached([thread]) for one in walk(decl.body)]
            if any(self.permissions.takes_shared(one) for one in statements):
                taken = [one.ref for one in statements if isinstance(one, p.Lock | p.With) and self.own.private(one.ref)]
                found |= {ref.decl for ref in taken if isinstance(ref, p.Direct) and isinstance(ref.decl, p.MutexDecl)}
        return frozenset(lock for lock in found if lock.size is None and not lock.recursive)

    # ------------------------------------------------------------ bodies

    def _body(self, decl: Decl) -> None:
        callbacks = self._callers(decl)
        for block in blocks_in(decl.body):
            statements: list[p.Stmt] = []
            for statement in block.statements:
                if isinstance(statement, p.Block):
                    statements.append(statement)
                    continue
                statements += self._asked(decl, statement, callbacks)
                statements.append(self._instead(statement))
                if decl in self.mine and statement.info.idle:  # whoever has called the callback waits for it to return
                    self.changes.set(statement, info=replace(statement.info, label=None))
            self.changes.set(block, statements=tuple(statements))
        if isinstance(decl, p.ProcDecl):
            for kind, clauses in (("requires", decl.requires), ("ensures", decl.ensures)):
                told = [one for clause in clauses for one in (*self._asked(decl, clause, callbacks), clause)]
                if len(told) > len(clauses):
                    self.changes.set(decl, **{kind: tuple(told)})

    def _callers(self, decl: Decl) -> frozenset[str]:
        """The callbacks that can come to a body; asked only where a clause is for one of them."""
        names = self.program.hooks[self.contract.hook]
        if not self.contract.once:
            return frozenset(names)
        return frozenset(name for name in names if decl in self._reached([self.decls[name]]))

    def _asked(self, decl: Decl, statement: p.Stmt, callbacks: frozenset[str]) -> Iterator[p.Assert]:
        """The assertions before a statement; in what both run, each asks who runs it."""
        both = decl in self.mine and decl in self.theirs
        if decl in self.mine:
            for clause in self.permissions.of_callback(statement, callbacks):
                yield self._assert(clause, statement, "!" if both else None)
        if decl in self.theirs:
            for clause in self.permissions.of_thread(statement):
                yield self._assert(clause, statement, "" if both else None)
        if self.permissions.inner and self.permissions.stops(statement):
            yield self._assert(INNER, statement, None)

    def _instead(self, statement: p.Stmt) -> p.Stmt:
        """What is polled is not here: the poll is a place where others may run."""
        if isinstance(statement, p.Poll) and not self.own.private(statement.ref):
            return p.Call(statement.info, f"{self.contract.hook}_polls", (), None)
        return statement

    def _returning(self, callback: p.ProcDecl) -> None:
        """What holds when a callback returns: more clauses of its own."""
        place = p.Info(0, f"{callback.name} returns", callback.name, None, callback.c_source, callback.span)
        asked = [
            "returned",
            *([INNER] if self.permissions.inner else []),
            *(f"ensures_{position}" for position in range(1, len(self.contract.ensures) + 1)),
        ]
        clauses = self.changes.fields.get(callback, {}).get("ensures", callback.ensures)
        self.changes.set(callback, ensures=(*clauses, *(self._assert(clause, p.Skip(place), None) for clause in asked)))

    def _ending(self, thread: p.ThreadDecl) -> None:
        """A thread that ends has given back what it took."""
        for block in blocks_in(thread.body):
            statements = self.changes.fields[block]["statements"]
            told: list[p.Stmt] = []
            for statement in statements:
                if isinstance(statement, p.Return):
                    told.append(self._assert("threads_wait", statement, None))
                told.append(statement)
            if block is thread.body and not (statements and isinstance(statements[-1], p.Loop)):
                place = p.Info(0, f"{thread.name} ends", thread.name, None, thread.c_source, thread.span)
                told.append(self._assert("threads_wait", p.Skip(place), None))
            self.changes.set(block, statements=tuple(told))

    # ------------------------------------------------------------ assertions

    def _assert(self, clause: str, statement: p.Stmt, asks: str | None) -> p.Assert:
        """One clause before one statement. `asks`: whether it is for the callback's threads ("") or for whoever else runs it ("!")."""
        self.used.add(clause)
        model = self.program.procs[template(self.contract, clause)].body.statements[0]
        assert isinstance(model, p.Assert)
        assert not isinstance(statement, p.Block)
        condition = self._inner_free(statement.info.span) if clause == INNER else model.condition
        if asks is not None:
            span = statement.info.span
            run_by = self._run_by_thread(span)
            runs = run_by if asks else p.Unary("!", run_by, BOOL, span)
            condition = p.Binary("||", runs, condition, BOOL, span)
        info = replace(statement.info, uid=next(self.uids), label=None, text=f"contract: {statement.info.text}")
        return p.Assert(info, condition, self._name(clause), model.why)

    def _inner_free(self, span: Span) -> p.Expr:
        """That whoever comes here holds no inner lock."""
        condition: p.Expr = p.Literal(True, BOOL, span)
        for lock in self.program.mutexes:
            if lock in self.permissions.inner:
                held = p.Holds(p.Self(p.ThreadType(), span), p.Direct(lock, None), BOOL, span)
                condition = p.Binary("&&", condition, p.Unary("!", held, BOOL, span), BOOL, span)
        return condition

    def _run_by_thread(self, span: Span) -> p.Expr:
        expr: p.Expr = p.Literal(False, BOOL, span)
        for thread in self.program.threads:
            if self.own.has(thread.decl):
                this = p.Binary("==", p.Self(p.ThreadType(), span), p.Literal(thread.id, p.ThreadType(), span), BOOL, span)
                expr = this if isinstance(expr, p.Literal) else p.Binary("||", expr, this, BOOL, span)
        return expr

    def _name(self, clause: str) -> str:
        return f"contract.{self.contract.hook}.{clause}"

    def _is_template(self, name: str) -> bool:
        return name.startswith(template(self.contract, ""))

    def _stays(self, prop: p.Property) -> bool:
        """A clause that nothing asks for is no property."""
        name = prop.name.removeprefix("assert.")
        return not self._is_template(name) or name.removeprefix(template(self.contract, "")) in self.used

    def _property(self, prop: p.Property) -> p.Property:
        name = prop.name.removeprefix("assert.")
        if not self._is_template(name):
            return prop
        clause = name.removeprefix(template(self.contract, ""))
        return p.Property(self._name(clause), "assert", spans_of(self.contract).get(clause, self.contract.span))


def spans_of(contract: Contract) -> Mapping[str, Span]:
    """Where each clause stands, by what it is asked as; what is not here is asked by the contract as a whole."""
    found = {f"{deed}_{lock.name}": lock.span for lock in contract.locks for deed in ("takes", "gives")}
    found |= {f"polls_{poll.context}": poll.span for poll in contract.polls}
    found |= {f"calls_{call.proc}": call.span for call in contract.calls}
    found |= {f"threads_{lock.name}": span for lock, _, span in contract.threads}
    found |= {f"ensures_{position}": one.span for position, one in enumerate(contract.ensures, 1)}
    return {clause: span for clause, span in found.items() if clause != NOTHING_ELSE}
