"""Which clause of a contract permits which statement.

In: statements of a callback or of its threads. Out: names of the clauses that they have to keep; `NOTHING_ELSE` for what none permits.
"""

from __future__ import annotations

from typing import Final

from formal import program as p
from formal.contracts.clauses import Contract, Lock
from formal.contracts.looking import Own, awaits_others, counts_others, pries
from formal.frontend.walking import walk

NOTHING_ELSE: Final = "nothing_else"
INNER: Final = "inner"
_WAITS: Final = (p.Lock, p.With, p.WaitSem, p.WaitEvent, p.WaitCond, p.Await, p.Join, p.AioWaitWhile)


class Permissions:
    """Of one contract, and one callback's own things. `hooks`: those that its files declare; `inner`: locks of its own that its threads may
    take while they hold a shared one."""

    def __init__(self, contract: Contract, own: Own, hooks: frozenset[str]) -> None:
        self.own = own
        self.inner: frozenset[p.MutexDecl] = frozenset()
        self.hooks = hooks
        self.locks = {lock.name: lock for lock in contract.locks}
        self.threads = {lock.name: lock for lock, _, _ in contract.threads}
        self.polls = frozenset(poll.context for poll in contract.polls)
        self.calls = {call.proc: call for call in contract.calls}
        takers = (*contract.locks, *self.threads.values())
        self.gives = {lock.procs[0]: lock.name for lock in takers if lock.procs}
        self.takes = {lock.procs[1]: lock.name for lock in takers if lock.procs}

    def is_whole(self, proc: str) -> bool:
        """Whether the contract speaks of a procedure, so that nobody looks into it."""
        return proc in self.calls or proc in self.gives or proc in self.takes

    def takes_shared(self, statement: p.Stmt) -> bool:
        """Whether one of the callback's threads takes a shared lock here."""
        match statement:
            case p.Call(proc=proc):
                return proc in self.takes
            case p.Lock(ref=ref) | p.With(ref=ref):
                return not self.own.private(ref)
            case _:
                return False

    def stops(self, statement: p.Stmt) -> bool:
        """Whether whoever comes to a statement may have to wait there."""
        shared_poll = isinstance(statement, p.Poll) and not self.own.private(statement.ref)
        return shared_poll or _waits(statement) or (isinstance(statement, p.Call) and self.is_whole(statement.proc))

    def is_inner(self, statement: p.Stmt) -> bool:
        """Whether a statement takes an inner lock."""
        match statement:
            case p.Lock(ref=p.Direct(decl=p.MutexDecl() as decl)) | p.With(ref=p.Direct(decl=p.MutexDecl() as decl)):
                return decl in self.inner
            case _:
                return False

    def of_callback(self, statement: p.Stmt, callbacks: frozenset[str]) -> tuple[str, ...]:
        """What a statement of the callback has to keep. `callbacks`: which of them come to it."""
        match statement:
            case p.Lock(ref=ref) | p.With(ref=ref) | p.Unlock(ref=ref) if not self.own.private(ref):
                return self._lock(statement, self.locks)
            case p.Call(proc=proc) if proc in self.calls:
                once = self.calls[proc].once
                return (f"calls_{proc}",) if not once or callbacks <= {once} else (NOTHING_ELSE,)
            case p.Call(proc=proc) if proc in self.takes or proc in self.gives:
                name = self.takes.get(proc) or self.gives[proc]
                return (f"{'takes' if proc in self.takes else 'gives'}_{name}",) if name in self.locks else (NOTHING_ELSE,)
            case p.Poll(ref=ref, blocking=False) if not self.own.private(ref):
                names = {decl.name for decl in self.own.targets(ref)}
                return tuple(f"polls_{name}" for name in sorted(names)) if names <= self.polls else (NOTHING_ELSE,)
            case _:
                return () if self._is_private(statement) else (NOTHING_ELSE,)

    def of_thread(self, statement: p.Stmt) -> tuple[str, ...]:
        """What a statement of one of the callback's own threads has to keep."""
        match statement:
            case p.Lock(ref=ref) | p.With(ref=ref) if not self.own.private(ref):
                return tuple(clause.replace("takes_", "threads_") for clause in self._lock(statement, self.threads))
            case p.Unlock(ref=ref) if not self.own.private(ref):
                return () if NOTHING_ELSE not in self._lock(statement, self.threads) else (NOTHING_ELSE,)
            case p.Call(proc=proc) if proc in self.calls:
                return (NOTHING_ELSE,)
            case p.Call(proc=proc) if proc in self.takes or proc in self.gives:
                name = self.takes.get(proc) or self.gives[proc]
                asked = (f"threads_{name}",) if proc in self.takes else ()
                return asked if name in self.threads else (NOTHING_ELSE,)
            case _ if not self._is_private(statement):
                return (NOTHING_ELSE,)
            case _:
                return ("threads_wait",) if _waits(statement) and not self.is_inner(statement) else ()

    def _lock(self, statement: p.Lock | p.With | p.Unlock, permitted: dict[str, Lock]) -> tuple[str, ...]:
        """A statement that takes or gives back a shared lock; where the contract has procedures for it, only they may."""
        names = {decl.name for decl in self.own.targets(statement.ref)}
        mode = "lock" if isinstance(statement, p.With) else statement.mode
        lock = permitted.get(next(iter(names))) if len(names) == 1 else None
        if lock is None or lock.procs or lock.take != f"{mode} {lock.name};":
            return (NOTHING_ELSE,)
        return (f"{'gives' if isinstance(statement, p.Unlock) else 'takes'}_{lock.name}",)

    def _is_private(self, statement: p.Stmt) -> bool:
        """Whether a statement does nothing that others could notice, and looks at nothing that it must not know."""
        own = self.own
        if pries(statement, own):
            return False
        match statement:
            case p.Await(condition=condition):
                return not awaits_others(condition, own)
            case p.Assign(place=place):
                return own.private(place)
            case p.Call(proc=proc, place=place):
                return own.knows(own.program.procs[proc]) and (place is None or own.private(place))
            case p.Schedule(ref=ref):
                return all(own.has(bh) and isinstance(bh, p.BhDecl) and own.has(bh.context) for bh in own.targets(ref))
            case p.Invoke(hook=hook):
                return hook in self.hooks
            case p.For(binder=binder, domain=domain):
                return not counts_others(binder, domain, own)
            case p.Atomic():
                return self._waits_first(statement)
            case _:
                return all(own.private(ref) for ref in _acts_on(statement))

    def _waits_first(self, atomic: p.Atomic) -> bool:
        """Whether it is clear for whom an atomic waits: nothing in it waits, or its first statement alone. What the contract names is told
        elsewhere, and may wait."""
        passed = (p.Skip, p.Assert, p.Assume, p.Block, p.Invoke)
        statements = [one for one in self._inside(atomic.body) if not isinstance(one, passed)]
        named = any(isinstance(one, p.Call) and one.proc in self.calls for one in statements)
        return not named and not any(isinstance(one, _WAITS) for one in statements[1:])

    def _inside(self, block: p.Block) -> list[p.Stmt]:
        found: list[p.Stmt] = []
        for statement in walk(block):
            found.append(statement)
            match statement:
                case p.Call(proc=name):
                    names: tuple[str, ...] = (name,)
                case p.Invoke(hook=hook):
                    names = self.own.program.hooks[hook]
                case _:
                    names = ()
            for name in names:
                found += self._inside(self.own.program.procs[name].body)
        return found


def _acts_on(statement: p.Stmt) -> tuple[p.Ref, ...]:
    """The objects that a statement does something to."""
    match statement:
        case p.WaitCond(ref=ref, lock=lock):
            return (ref, lock)
        case p.Spawn(thread=ref) | p.Join(thread=ref):
            return (ref,)
        case p.WaitSem(ref=ref) | p.PostSem(ref=ref) | p.WaitEvent(ref=ref) | p.WriteEvent(ref=ref) | p.Wake(ref=ref):
            return (ref,)
        case p.Poll(ref=ref) | p.AioWaitWhile(ref=ref):
            return (ref,)
        case _:
            return ()


def _waits(statement: p.Stmt) -> bool:
    return isinstance(statement, _WAITS) or (isinstance(statement, p.Poll) and statement.blocking)
