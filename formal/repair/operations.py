"""What takes a lock and what gives it back.

In: a flat program and a lock's name. Out: the statements that do it, and how one more would be written. A procedure that does nothing but
take the lock (give it back) and note so in thread-locals is one of them, as qemu_mutex_lock_iothread() is: what is changed is where it is
called, not its body. A guard (`with L {}`) and `wait C with L` are neither, and stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from formal import program as p
from formal.frontend.walking import walk

Kind: TypeAlias = Literal["lock", "unlock"]
KINDS: tuple[Kind, Kind] = ("lock", "unlock")


class NoSuchLock(Exception):
    """The lock is none that can be looked at. `hint`: what would be."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Operations:
    """Of one program. `wrappers`: procedures that do nothing else, and which of the two; `spelled`: how one more is written."""

    decl: p.MutexDecl
    wrappers: Mapping[str, Kind]
    spelled: Mapping[Kind, str]

    def kind(self, statement: p.Stmt) -> Kind | None:
        """Whether a statement takes the lock or gives it back; None if it does neither."""
        match statement:
            case p.Call(proc=proc):
                return self.wrappers.get(proc)
            case p.Lock() | p.Unlock():
                return _plain(statement, self.decl)
            case _:
                return None

    def made(self, kind: Kind, info: p.Info) -> p.Stmt:
        """One more statement of this kind."""
        name = self.spelled[kind].removesuffix("();")
        if name in self.wrappers:
            return p.Call(info, name, (), None)
        ref = p.Direct(self.decl, None)
        return p.Lock(info, "lock", ref) if kind == "lock" else p.Unlock(info, "lock", ref)


def operations(program: p.Program, lock: str) -> Operations:
    """Raises NoSuchLock."""
    decl = next((one for one in program.mutexes if one.name == lock), None)
    if decl is None or decl.size is not None:
        known = ", ".join(one.name for one in program.mutexes if one.size is None)
        why = f"`{lock}` is no mutex of {program.file}" if decl is None else f"`{lock}` is an array of mutexes"
        raise NoSuchLock(why, f"it has {known}" if known else "it has no single mutex")
    wrappers = _wrappers(program, decl)
    return Operations(decl, wrappers, {kind: _spelled(program, decl, wrappers, kind) for kind in KINDS})


def _wrappers(program: p.Program, decl: p.MutexDecl) -> dict[str, Kind]:
    """To the end: a procedure that only calls one of them is one, too."""
    found: dict[str, Kind] = {}
    while True:
        more = {proc.name: kind for proc in program.procs.values() if proc.name not in found and (kind := _does(proc, decl, found))}
        if not more:
            return found
        found |= more


def _does(proc: p.ProcDecl, decl: p.MutexDecl, wrappers: Mapping[str, Kind]) -> Kind | None:
    """The one thing that a procedure does; None if there is not just that."""
    if proc.params or proc.result is not None or proc.hook is not None or proc.recursive:
        return None
    done: list[Kind] = []
    for statement in walk(proc.body):
        match statement:
            case p.Block() | p.Atomic() | p.Skip() | p.Assert() | p.Assign(place=p.ThreadLocalPlace()):
                pass
            case p.Lock() | p.Unlock() if (kind := _plain(statement, decl)) is not None:
                done.append(kind)
            case p.Call(proc=name, place=None) if name in wrappers:
                done.append(wrappers[name])
            case _:
                return None
    return done[0] if len(done) == 1 else None


def _plain(statement: p.Lock | p.Unlock, decl: p.MutexDecl) -> Kind | None:
    if not isinstance(statement.ref, p.Direct) or statement.ref.decl is not decl:
        return None
    return "lock" if isinstance(statement, p.Lock) else "unlock"


def _spelled(program: p.Program, decl: p.MutexDecl, wrappers: Mapping[str, Kind], kind: Kind) -> str:
    """By the first wrapper with the statement itself in it, if there is one."""
    first = next((name for name, one in wrappers.items() if one == kind and _has_plain(program.procs[name], decl)), None)
    return f"{kind} {decl.name};" if first is None else f"{first}();"


def _has_plain(proc: p.ProcDecl, decl: p.MutexDecl) -> bool:
    return any(isinstance(one, p.Lock | p.Unlock) and _plain(one, decl) is not None for one in walk(proc.body))


def inside_atomics(program: p.Program) -> frozenset[str]:
    """The procedures and callbacks that some `atomic` may come to."""
    todo = [name for decl in _bodies(program) for one in walk(decl) if isinstance(one, p.Atomic) for name in _called(program, one.body)]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _called(program, program.procs[name].body)
    return frozenset(found)


def _called(program: p.Program, block: p.Block) -> Iterator[str]:
    for one in walk(block):
        match one:
            case p.Call(proc=proc):
                yield proc
            case p.Invoke(hook=hook):
                yield from program.hooks[hook]
            case _:
                pass


def _bodies(program: p.Program) -> Iterator[p.Block]:
    yield from dict.fromkeys(thread.decl.body for thread in program.threads)
    yield from (bh.body for bh in program.bhs)
    yield from (proc.body for proc in program.procs.values())
