"""Lowers a typed program to its control-flow graph.

In: a `Program`. Out: a `Cfg`. Works backwards, so that every statement knows where control goes next; the ways out of a body (`break`,
`continue`, `return`) are built when first used, because each must pass through the guards of the `with`s around it.
It must not know z3, nor what a statement does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from formal.program import AioWaitWhile as AioWait
from formal.program import Assign as AssignStmt
from formal.program import (
    Atomic,
    BhDecl,
    Block,
    BoolType,
    Break,
    Call,
    Choose,
    Continue,
    For,
    If,
    Invoke,
    LocalDecl,
    LocalPlace,
    Loop,
    ProcDecl,
    Program,
    Return,
    Stmt,
    Type,
    WaitCond,
    While,
    With,
)
from formal.smt.arguments import bind_parameters, evaluates_at_call, interval
from formal.smt.cfg import EXIT, FIRST, MAX_NODES, Body, Cfg, EncodingLimitError, Hidden, Node, Root, Site, Slot, Visible
from formal.smt.drafts import Draft, Exit, Exits, Point, reachable_drafts, resolve_point

MAX_CALL_DEPTH = 64  # frames of procedures within one body; also keeps this module's own recursion in bounds


def _nowhere() -> Point:
    raise AssertionError("a break or continue outside any loop")


@dataclass(slots=True, eq=False)
class _Lowering:
    """One root's body."""

    program: Program
    drafts: list[Draft] = field(default_factory=list)
    truths: int = 0
    numbers: list[tuple[int, int]] = field(default_factory=list)
    entries: dict[str, list[Point]] = field(default_factory=dict)  # of the procedures being lowered, innermost last
    regions: int = 0
    loops: int = 0

    # ------------------------------------------------------------ registers

    def slot(self, site: Site, type_: Type) -> tuple[Slot, Site]:
        """A register that nothing else uses at this site."""
        if isinstance(type_, BoolType):
            self.truths = max(self.truths, site.truths + 1)
            return Slot(True, site.truths, type_), replace(site, truths=site.truths + 1)
        lo, hi = interval(self.program, type_)
        if site.numbers == len(self.numbers):
            self.numbers.append((lo, hi))
        else:
            old = self.numbers[site.numbers]
            self.numbers[site.numbers] = (min(lo, old[0]), max(hi, old[1]))
        return Slot(False, site.numbers, type_), replace(site, numbers=site.numbers + 1)

    def declare(self, site: Site, decl: LocalDecl) -> tuple[Site, Site]:
        """The sites of a declaration statement and of what follows it."""
        slot, taken = self.slot(site, decl.type)
        at = replace(taken, slots={**site.slots, decl: slot})
        return at, replace(at, visible=(*site.visible, Visible(len(site.frames), decl.name, slot)))

    # ------------------------------------------------------------ statements

    def draft(self, stmt: Stmt, phase: str, site: Site, *targets: Point) -> Point:
        return self.keep(Draft(stmt, phase, site, targets))

    def keep(self, draft: Draft) -> Point:
        if len(self.drafts) >= MAX_NODES:
            raise EncodingLimitError(f"more than {MAX_NODES} statements after inlining")
        self.drafts.append(draft)
        return Point(draft)

    def block(self, block: Block, site: Site, exits: Exits, following: Point) -> Point:
        sited: list[tuple[Stmt, Site]] = []
        for stmt in block.statements:
            at = site
            if isinstance(stmt, AssignStmt | Call) and isinstance(stmt.place, LocalPlace) and stmt.place.decl not in site.slots:
                before = site
                at, site = self.declare(site, stmt.place.decl)
                if isinstance(stmt, AssignStmt):  # until it is assigned, the register holds nothing that matters
                    at = replace(at, truths=before.truths, numbers=before.numbers)
            sited.append((stmt, at))
        for stmt, at in reversed(sited):
            following = self.statement(stmt, at, exits, following)
        return following

    def statement(self, stmt: Stmt, site: Site, exits: Exits, following: Point) -> Point:  # noqa: C901 - one arm a kind
        match stmt:
            case Block():
                return self.block(stmt, site, exits, following)
            case Break():
                return exits.leave.point()
            case Continue():
                return exits.again.point()
            case Return(value=None):
                return exits.back.point()
            case Return():
                return self.draft(stmt, "run", site, exits.back.point())
            case If():
                branches = [self.block(b, site, exits, following) for b in (stmt.then, stmt.otherwise)]
                return self.draft(stmt, "run", site, *branches)
            case Choose():
                return self.draft(stmt, "run", site, *[self.block(b, site, exits, following) for b in stmt.branches])
            case Loop() | While() | For():
                return self.repeated(stmt, site, exits, following)
            case With():
                return self.guarded(stmt, site, exits, following)
            case Atomic():
                self.regions += 1
                entry = self.block(stmt.body, replace(site, region=self.regions), exits, following)
                return self.draft(stmt, "run", site, entry)
            case WaitCond():
                return self.draft(stmt, "wait", site, self.draft(stmt, "wake", site, following))
            case AioWait():
                return self.aio_wait(stmt, site, following)
            case Call():
                return self.call(stmt, site, following)
            case Invoke():
                return self.invoke_any(stmt, site, following) if stmt.any_order else self.invoke(stmt, site, following)
            case _:
                return self.draft(stmt, "run", site, following)

    def repeated(self, stmt: Loop | While | For, site: Site, exits: Exits, following: Point) -> Point:
        head = Point()
        leave = Exit(lambda: following)
        match stmt:
            case Loop():
                head.target = self.block(stmt.body, site, Exits(leave, Exit(lambda: head), exits.back), head)
                return head
            case While():
                self.loops += 1
                here = site if site.region is None else replace(site, loops=(*site.loops, self.loops))
                body = self.block(stmt.body, here, Exits(leave, Exit(lambda: head), exits.back), head)
                head.target = self.draft(stmt, "run", here, body, following)
                return head
            case For():
                again = following
                for number, value in reversed(list(enumerate(stmt.domain))):
                    here = replace(site, passes=(*site.passes, (stmt, number)))
                    again = self.iteration(stmt, value, here, Exits(leave, exits.again, exits.back), again)
                return again
            case _:
                assert_never(stmt)

    def iteration(self, stmt: For, value: int, site: Site, exits: Exits, again: Point) -> Point:
        here = replace(site, binders={**site.binders, stmt.binder: value})
        return self.block(stmt.body, here, replace(exits, again=Exit(lambda: again)), again)

    def guarded(self, stmt: With, site: Site, exits: Exits, following: Point) -> Point:
        def release(after: Point) -> Point:
            return self.draft(stmt, "leave", site, after)

        return self.draft(stmt, "enter", site, self.block(stmt.body, site, exits.guarded(release), release(following)))

    def aio_wait(self, stmt: AioWait, site: Site, following: Point) -> Point:
        test = Point()
        poll = self.draft(stmt, "poll", site, test)
        test.target = self.draft(stmt, "test", site, poll, following)
        return self.draft(stmt, "enter", site, poll, following)

    # ------------------------------------------------------------ calls

    def call(self, stmt: Call, site: Site, following: Point) -> Point:
        proc = self.program.procs[stmt.proc]
        result, inside = (None, site) if proc.result is None else self.slot(site, proc.result)
        if stmt.place is not None:
            kept = () if result is None else (Hidden(len(site.frames), "result", result),)
            following = self.draft(stmt, "assign", replace(site, result=result, hidden=(*site.hidden, *kept)), following)
        callee = self.enter(proc, inside, result)
        callee = bind_parameters(stmt, proc, site, callee, self.slot)
        phase = "run" if stmt.place is None else "call"
        if self.too_deep(proc, site):
            return self.overflow(stmt, phase, proc, site, callee, following)
        body = self.procedure(proc, callee, following)
        if proc.recursive or evaluates_at_call(stmt, proc):
            return self.keep(Draft(stmt, phase, site, (body,), callee))
        return body

    def overflow(self, stmt: Call | Invoke, phase: str, proc: ProcDecl, site: Site, callee: Site, following: Point) -> Point:
        """A call that is one too many. Nothing comes of it but the error; its targets say what its thread could still do if it went on."""
        outer = self.entries.get(proc.name)
        body = outer[-1] if outer else self.procedure(proc, callee, following)
        return self.draft(stmt, phase, site, following, body)

    def too_deep(self, proc: ProcDecl, site: Site) -> bool:
        return proc.recursive and site.active.get(proc.name, 0) >= self.program.recursion

    def enter(self, proc: ProcDecl, site: Site, result: Slot | None) -> Site:
        """The site of a procedure's body, before its parameters are bound."""
        if len(site.frames) >= MAX_CALL_DEPTH:
            raise EncodingLimitError(f"more than {MAX_CALL_DEPTH} procedures within each other")
        active = {**site.active, proc.name: site.active.get(proc.name, 0) + 1} if proc.recursive else site.active
        frames = (*site.frames, proc.name)
        return replace(site, frames=frames, slots={}, refs={}, binders={}, result=result, active=active)

    def procedure(self, proc: ProcDecl, site: Site, following: Point) -> Point:
        for clause in reversed(proc.ensures):
            following = self.draft(clause, "run", site, following)
        end = following
        entry = Point()
        self.entries.setdefault(proc.name, []).append(entry)
        point = self.block(proc.body, site, Exits(Exit(_nowhere), Exit(_nowhere), Exit(lambda: end)), end)
        self.entries[proc.name].pop()
        for clause in reversed(proc.requires):
            point = self.draft(clause, "run", site, point)
        entry.target = point
        return entry

    def callback(self, stmt: Invoke, name: str, site: Site, following: Point) -> Point:
        proc = self.program.procs[name]
        if self.too_deep(proc, site):
            return self.overflow(stmt, "run", proc, site, self.enter(proc, site, None), following)
        point = self.procedure(proc, self.enter(proc, site, None), following)
        if proc.recursive and not stmt.any_order:
            return self.keep(Draft(stmt, "run", site, (point,), self.enter(proc, site, None)))
        return point

    def invoke(self, stmt: Invoke, site: Site, following: Point) -> Point:
        for name in reversed(self.program.hooks.get(stmt.hook, ())):
            following = self.callback(stmt, name, site, following)
        return following

    def invoke_any(self, stmt: Invoke, site: Site, following: Point) -> Point:
        """One pick per position; the registers remember who was called. The first pick finds them in any state: it starts afresh."""
        names = self.program.hooks.get(stmt.hook, ())
        picks = []
        inside = site
        for name in names:
            slot, inside = self.slot(inside, BoolType())
            inside = replace(inside, hidden=(*inside.hidden, Hidden(len(site.frames), name, slot)))
            picks.append(slot)
        for position in reversed(range(len(names))):
            branches = tuple(self.callback(stmt, name, inside, following) for name in names)
            phase, at = ("run", inside) if position else ("enter", site)
            following = self.keep(Draft(stmt, phase, at, branches, None, tuple(picks)))
        return following


def _root_site(root: Root) -> Site:
    binder = root.decl.binder
    binders = {binder: root.index} if binder is not None and root.index is not None else {}
    return Site(root, (), {}, {}, binders, (), (), 0, 0, None, None, (), {})


@dataclass(slots=True, eq=False)
class _Lowered:
    root: Root
    lowering: _Lowering
    entry: Draft | None
    drafts: list[Draft]


def _lower_root(program: Program, root: Root) -> _Lowered:
    lowering = _Lowering(program)
    end = Point()
    entry = lowering.block(root.decl.body, _root_site(root), Exits(Exit(_nowhere), Exit(_nowhere), Exit(lambda: end)), end)
    first = resolve_point(entry)
    return _Lowered(root, lowering, first, reachable_drafts(first))


def _roots(program: Program) -> list[Root]:
    decls = dict.fromkeys(thread.decl for thread in program.threads)
    roots = [Root(decl, None) for decl in decls]
    for bh in program.bhs:
        roots += [Root(bh, None)] if bh.size is None else [Root(bh, index) for index in range(bh.size)]
    return roots


def lower(program: Program) -> Cfg:
    """The control-flow graph of a program.

    Raises EncodingLimitError when inlining it grows beyond what is reasonable."""
    lowered = [_lower_root(program, root) for root in _roots(program)]
    standing = [d for part in lowered for d in part.drafts if d.site.region is None]
    inner = [d for part in lowered for d in part.drafts if d.site.region is not None]
    numbers = {id(draft): FIRST + position for position, draft in enumerate(standing + inner)}
    nodes: dict[int, Node] = {}
    bodies: list[Body] = []
    for part in lowered:
        own = tuple(_node(draft, numbers) for draft in part.drafts)
        nodes.update((node.id, node) for node in own)
        entry = EXIT if part.entry is None else numbers[id(part.entry)]
        bodies.append(Body(part.root, entry, own, part.lowering.truths, tuple(part.lowering.numbers)))
    return _assemble(program, bodies, nodes, FIRST + len(standing))


def _node(draft: Draft, numbers: Mapping[int, int]) -> Node:
    targets = [resolve_point(point) for point in draft.targets]
    ids = tuple(EXIT if target is None else numbers[id(target)] for target in targets)
    return Node(numbers[id(draft)], draft.stmt, draft.phase, draft.site, ids, draft.callee, draft.picks)


def _assemble(program: Program, bodies: list[Body], nodes: Mapping[int, Node], locations: int) -> Cfg:
    threads = {}
    bhs = {}
    for body in bodies:
        if isinstance(body.root.decl, BhDecl):
            bhs[body.root.decl, body.root.index or 0] = body
        else:
            threads[body.root.decl] = body
    return Cfg(program, threads, bhs, nodes, locations)
