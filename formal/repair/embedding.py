"""One program with all edits in it, each there or not.

In: a flat program, its operations, the acts that may be made. Out: the program in which every act is a `choose` between making it and not,
and which choice is which act. A run that always chooses as a set of acts says is a run of the program with these acts made, and the
other way round, but for the steps that choose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from formal import program as p
from formal.frontend.walking import walk
from formal.repair.edits import Act, Deletion, Insertion, Unit, editable, open_blocks, units
from formal.repair.operations import KINDS, Operations
from formal.rewriting.admitting import admitted
from formal.rewriting.bodies import reached, statements_of
from formal.rewriting.rebuilding import Changes, rebuilt


@dataclass(frozen=True, slots=True)
class Embedded:
    """`choices`: by the uid of a `choose`, for each of its branches the act that it makes, None for none; `loose`: uids of the statements
    that take the lock or give it back, which edits may put anywhere."""

    program: p.Program
    lock: p.MutexDecl
    choices: Mapping[int, tuple[Act | None, ...]]
    loose: frozenset[int]


def embedded(program: p.Program, known: Operations, acts: Collection[Act]) -> Embedded:
    """Raises Refused."""
    maker = _Maker(program, known, frozenset(acts))
    changes = Changes()
    bodies = reached(program)
    for name in editable(program, known):
        for block in open_blocks(bodies[name].body):
            changes.set(block, statements=tuple(maker.block(block)))
    made = admitted(rebuilt(program, changes))
    lock = next(one for one in made.mutexes if one.name == known.decl.name)
    return Embedded(made, lock, maker.choices, frozenset(maker.loose))


def applied(program: p.Program, known: Operations, acts: Collection[Act]) -> p.Program:
    """The program with these acts made. Raises Refused."""
    maker = _Maker(program, known, frozenset(acts))
    changes = Changes()
    bodies = reached(program)
    for name in editable(program, known):
        for block in open_blocks(bodies[name].body):
            changes.set(block, statements=tuple(maker.plain(block)))
    return admitted(rebuilt(program, changes))


class _Maker:
    def __init__(self, program: p.Program, known: Operations, acts: frozenset[Act]) -> None:
        self._uids = count(1 + max(one.info.uid for one in statements_of(program) if not isinstance(one, p.Block)))
        self._known = known
        self._acts = acts
        self.choices: dict[int, tuple[Act | None, ...]] = {}
        inside = [one for name in known.wrappers for one in walk(program.procs[name].body)]
        ours = [one for one in statements_of(program) if known.kind(one) is not None]
        self.loose = {one.info.uid for one in (*inside, *ours) if not isinstance(one, p.Block)}

    def block(self, block: p.Block) -> Iterator[p.Stmt]:
        """A block's statements, with what may be put between them, and what may be gone."""
        for part in self._parts(block):
            if isinstance(part, p.Block):
                yield part
                continue
            yield from self._site(part, after=False)
            gone = Deletion(part.key)
            if gone in self._acts:
                yield self._choose(part, (None, gone), (part.statements, ()))
            else:
                yield from part.statements
            yield from self._site(part, after=True)

    def plain(self, block: p.Block) -> Iterator[p.Stmt]:
        """The same with every act made."""
        for part in self._parts(block):
            if isinstance(part, p.Block):
                yield part
                continue
            yield from (self._made(part, act) for act in self._at(part, after=False))
            yield from () if Deletion(part.key) in self._acts else part.statements
            yield from (self._made(part, act) for act in self._at(part, after=True))

    def _parts(self, block: p.Block) -> Iterator[Unit | p.Block]:
        """Units, and the blocks between them, in order."""
        found = {id(one.statements[0]): one for one in units(block, self._known)}
        for statement in block.statements:
            if isinstance(statement, p.Block):
                yield statement
            elif id(statement) in found:
                yield found[id(statement)]

    def _at(self, unit: Unit, *, after: bool) -> list[Insertion]:
        return [act for kind in KINDS if (act := Insertion(unit.key, after, kind)) in self._acts]

    def _site(self, unit: Unit, *, after: bool) -> Iterator[p.Stmt]:
        offered = self._at(unit, after=after)
        if offered:
            yield self._choose(unit, (None, *offered), ((), *((self._made(unit, act),) for act in offered)))

    def _made(self, unit: Unit, act: Insertion) -> p.Stmt:
        made = self._known.made(act.kind, self._info(unit, self._known.spelled[act.kind].removesuffix(";")))
        assert not isinstance(made, p.Block)
        self.loose.add(made.info.uid)
        return made

    def _choose(self, unit: Unit, acts: tuple[Act | None, ...], branches: tuple[tuple[p.Stmt, ...], ...]) -> p.Choose:
        made = p.Choose(self._info(unit, "choose"), tuple(p.Block(branch) for branch in branches))
        self.choices[made.info.uid] = acts
        return made

    def _info(self, unit: Unit, text: str) -> p.Info:
        one = unit.statements[0]
        assert not isinstance(one, p.Block)
        return replace(one.info, uid=next(self._uids), text=text, label=None)
