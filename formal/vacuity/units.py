"""What a proof may rest on, unit by unit, and programs in which some of it counts for nothing.

In: a program. Out: its units; and for a set of them, the program without: every execution of the old one is one of it, if only what
others see and where threads stand is looked at, and there are more. A lock becomes one for each thread, so that it keeps nobody out, and
everything else that is said of it stays true. A wait may be passed by, a test may go either way, an assumption or assertion is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from formal import program as p
from formal.diagnostics import Span
from formal.frontend.folding import BOOL
from formal.frontend.walking import below, blocks_in, blocks_of, expressions_of, walk
from formal.rewriting.bodies import reached, statements_of
from formal.rewriting.rebuilding import Changes, fresh, rebuilt


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Something that a proof may rest on. `fixed`: it cannot be left out, why is no matter; `prop`: of an assertion, its property."""

    kind: str  # "lock", "wait", "guard", "assumption", "assertion"
    text: str
    span: Span
    node: p.MutexDecl | p.RwlockDecl | p.Stmt
    fixed: bool = False
    prop: str = ""


def units_of(program: p.Program) -> tuple[Unit, ...]:
    """Everything in the bodies that some thread can come to: locks in order of declaration, then statements."""
    return (*_locks(program), *_statements(program))


def without(program: p.Program, units: Iterable[Unit]) -> p.Program:
    """The program in which these count for nothing; none of them is fixed."""
    return _Relaxing(program, list(units)).program()


def _locks(program: p.Program) -> Iterator[Unit]:
    statements = list(statements_of(program))
    taken = {id(decl) for statement in statements for decl in _direct(statement)}
    owned = {id(ref.decl) for ref in _owners(program, statements) if isinstance(ref, p.Direct)}
    through = any(isinstance(ref, p.ViaParam) for ref in _owners(program, statements))
    locks: tuple[p.MutexDecl | p.RwlockDecl, ...] = (*program.mutexes, *program.rwlocks)
    for decl in locks:
        if id(decl) in taken:
            kind = "mutex" if isinstance(decl, p.MutexDecl) else "rwlock"
            yield Unit("lock", f"{kind} {decl.name}", decl.span, decl, through or id(decl) in owned)


def _direct(statement: p.Stmt) -> Iterator[object]:
    """Declarations that a statement names, or gives to a procedure."""
    match statement:
        case p.Lock(ref=p.Direct(decl=decl)) | p.With(ref=p.Direct(decl=decl)):
            yield decl
        case p.Call(arguments=arguments):
            yield from (one.decl for one in arguments if isinstance(one, p.Direct))
        case _:
            return


def _owners(program: p.Program, statements: Iterable[p.Stmt]) -> Iterator[p.Ref]:
    """The locks whose owner somebody asks for: there is none where everybody has one."""
    holders: list[object] = [*statements, *(prop for prop in program.properties if prop.condition is not None)]
    holders += [context for context in program.contexts if context.when is not None]
    for holder in holders:
        for expr in below(holder):
            if isinstance(expr, p.Owner):
                yield expr.lock


def _statements(program: p.Program) -> Iterator[Unit]:
    for decl in reached(program).values():
        inside = {id(inner) for one in walk(decl.body) if isinstance(one, p.Atomic) for inner in walk(one.body)}
        clauses = (*decl.requires, *decl.ensures) if isinstance(decl, p.ProcDecl) else ()
        for statement in (*clauses, *walk(decl.body)):
            match statement:
                case p.Assert(info=info, prop=prop):
                    yield Unit("assertion", info.text, info.span, statement, False, prop)
                case p.Assume(info=info):
                    yield Unit("assumption", info.text, info.span, statement)
                case p.If(info=info):
                    yield Unit("guard", info.text, info.span, statement)
                case p.While(info=info, body=body):
                    yield Unit("guard", info.text, info.span, statement, id(statement) in inside or _continues(body))
                case p.AioWaitWhile(info=info):
                    yield Unit("wait", info.text, info.span, statement)
                case p.Await(info=info) | p.WaitSem(info=info) | p.WaitEvent(info=info) | p.Join(info=info) | p.WaitCond(info=info):
                    yield Unit("wait", info.text, info.span, statement)
                case p.Poll(info=info, blocking=True):
                    yield Unit("wait", info.text, info.span, statement)
                case _:
                    pass


def _continues(block: p.Block) -> bool:
    """Whether a loop's body goes on from within, past where the next test would be prepared."""
    for statement in block.statements:
        if isinstance(statement, p.Continue):
            return True
        if not isinstance(statement, p.While | p.Loop | p.For) and any(map(_continues, blocks_of(statement))):
            return True
    return False


class _Relaxing:
    """Makes one program without some units."""

    def __init__(self, program: p.Program, units: list[Unit]) -> None:
        self.old = program
        self.units = units
        self.uids = count(max(one.info.uid for one in statements_of(program) if not isinstance(one, p.Block)) + 1)
        self.instead: dict[int, Unit] = {id(unit.node): unit for unit in units}
        self.inside: set[int] = set()

    def program(self) -> p.Program:
        """First the statements, then the locks of what came of it."""
        changes = Changes()
        for decl in reached(self.old).values():
            self.inside |= {id(inner) for one in walk(decl.body) if isinstance(one, p.Atomic) for inner in walk(one.body)}
            clauses = (*decl.requires, *decl.ensures) if isinstance(decl, p.ProcDecl) else ()
            for statement in (*clauses, *walk(decl.body)):
                if isinstance(statement, p.Assert) and id(statement) in self.instead:
                    changes.set(statement, condition=p.Literal(True, BOOL, statement.info.span))
            for block in blocks_in(decl.body):
                if any(id(one) in self.instead for one in block.statements):
                    changes.set(block, statements=tuple(new for one in block.statements for new in self._new(one)))
        changed = rebuilt(self.old, changes)
        names = {unit.node.name for unit in self.units if isinstance(unit.node, p.MutexDecl | p.RwlockDecl)}
        return _private(changed, names) if names else changed

    def _new(self, statement: p.Stmt) -> Iterator[p.Stmt]:
        """What stands in a statement's place."""
        if id(statement) not in self.instead or isinstance(statement, p.Assert | p.Block):
            yield statement
            return
        match statement:
            case p.If() if id(statement) in self.inside:
                yield self._choose(statement, (statement,), (fresh(statement.then, self.uids),), (fresh(statement.otherwise, self.uids),))
            case p.If() | p.While():
                yield from self._tested(statement)
            case p.AioWaitWhile(info=info, ref=ref):
                over = p.AioWaitWhile(self._info(info), ref, p.Literal(False, BOOL, info.span))
                leaves = p.Break(self._info(info))
                again = self._choose(
                    statement, (statement, leaves), (over, p.Break(self._info(info))), (p.Poll(self._info(info), ref, False),)
                )
                yield p.Loop(self._info(info), p.Block((again,)))
            case p.WaitCond(info=info, lock=lock):
                early = (p.Unlock(self._info(info), "lock", lock), p.Lock(self._info(info), "lock", lock))
                yield self._choose(statement, (statement,), early)
            case _:
                yield self._choose(statement, (statement,), (p.Skip(self._info(statement.info)),))

    def _tested(self, statement: p.If | p.While) -> Iterator[p.Stmt]:
        """A test of a local variable that may be anything."""
        span = statement.info.span
        decl = p.LocalDecl(f"either way {next(self.uids)}", BOOL, span)
        place = p.LocalPlace(decl)
        read = p.Read(place, BOOL, span)
        yield p.Assign(self._info(statement.info), place, p.Literal(False, BOOL, span))
        yield self._either(statement, place)
        if isinstance(statement, p.If):
            yield p.If(statement.info, read, statement.then, statement.otherwise)
            return
        yield p.While(statement.info, read, p.Block((statement.body, self._either(statement, place))))

    def _either(self, statement: p.If | p.While, place: p.LocalPlace) -> p.Stmt:
        values = [p.Literal(value, BOOL, statement.info.span) for value in (False, True)]
        return self._choose(statement, *((p.Assign(self._info(statement.info), place, value),) for value in values))

    def _choose(self, statement: p.Stmt, *branches: tuple[p.Stmt, ...]) -> p.Choose:
        assert not isinstance(statement, p.Block)
        return p.Choose(self._info(statement.info), tuple(p.Block(branch) for branch in branches))

    def _info(self, info: p.Info) -> p.Info:
        return p.Info(next(self.uids), f"either way: {info.text}", info.body, None, info.c_source, info.span)


# ---------------------------------------------------------------- a lock for each thread


def _private(program: p.Program, names: set[str]) -> p.Program:
    """The locks of these names are one for each thread; who asks whether T holds one, asks for that of T."""
    changes = Changes()
    threads = len(program.threads)
    found: dict[int, p.Direct] = {}
    for holder in _holders(program):
        for direct, thread in _locks_in(holder):
            if direct.decl.name in names and id(direct) not in found:
                found[id(direct)] = direct
                changes.set(direct, index=_index(direct, thread, threads))
    locks: tuple[p.MutexDecl | p.RwlockDecl, ...] = (*program.mutexes, *program.rwlocks)
    for decl in locks:
        if decl.name in names:
            changes.set(decl, size=(decl.size or 1) * threads)
    return rebuilt(program, changes)


def _holders(program: p.Program) -> Iterator[object]:
    yield from statements_of(program)
    yield from program.properties
    yield from program.contexts


def _locks_in(holder: object) -> Iterator[tuple[p.Direct, p.Expr | None]]:
    """Each reference to a lock, with the thread that is asked about; None for self."""
    for name in ("ref", "lock"):
        value = getattr(holder, name, None)
        if isinstance(value, p.Direct) and isinstance(value.decl, p.MutexDecl | p.RwlockDecl):
            yield value, holder.thread if isinstance(holder, p.Holds) else None
    if isinstance(holder, p.Call):
        for one in holder.arguments:
            if isinstance(one, p.Direct) and isinstance(one.decl, p.MutexDecl | p.RwlockDecl):
                yield one, None
    for expr in expressions_of(holder):
        yield from _locks_in(expr)


def _index(direct: p.Direct, thread: p.Expr | None, threads: int) -> p.Expr:
    span = direct.decl.span
    size = (direct.decl.size or 1) * threads
    type_ = p.IntType(0, size - 1)
    asked = thread or p.Self(p.ThreadType(), span)
    mine: p.Expr = p.Literal(0, p.IntType(0, 0), span)
    for number in range(1, threads):
        this = p.Binary("==", asked, p.Literal(number, p.ThreadType(), span), BOOL, span)
        mine = p.Conditional(this, p.Literal(number, p.IntType(number, number), span), mine, p.IntType(0, threads - 1), span)
    if direct.index is None:
        return mine
    factor = p.Literal(threads, p.IntType(threads, threads), span)
    return p.Binary("+", p.Binary("*", direct.index, factor, type_, span), mine, type_, span)
