"""Single states, value by value, and the steps from them: the moves of this reading (`formal.smt.moves`), taken one at a time.

In: a program, and which of its properties are asked for. Out: the parts of a state with the names of their values, the first state, the
steps and the errors of a thread in a state, and what a state violates. Must not know what states are looked at, nor why.

A place where a thread stands is named by what it is in the text, `bdrv_poll_co:83.poll`, or `…#2` for the second such place of one body; in
the body of a bottom half that is said, `…@NAME` or `…@NAME[i]`. So the names are the same for every number of threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from types import MappingProxyType
from typing import Final, TypeAlias

from formal.netlist import Term
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER, DEADLOCK_PARTIAL, For, Program, Wake
from formal.smt.badness import invariant_broken
from formal.smt.bodies import is_poll
from formal.smt.cfg import FINISHED, FIRST, NOT_SPAWNED, Cfg, EncodingLimitError, Node
from formal.smt.changes import Blow, Change, Changes
from formal.smt.compiled import Compiler, Test, Values
from formal.smt.deadlock import Deadlocks, Standstill, Trap, deadlocks
from formal.smt.decode import phase_shown
from formal.smt.parts import Part

State: TypeAlias = tuple[int, ...]  # the values of the parts, in their order
Through: TypeAlias = Mapping[tuple[str, int], str]  # of some `for`s, by where they are in the text, by what name their passes are told
MOST_INPUTS: Final = 4096  # ways for one step to choose


@dataclass(frozen=True, slots=True)
class _Move:
    """A way on: when it can be taken, which inputs that is a matter of, and of the parts that it changes their values, each with when."""

    guard: Test
    inputs: tuple[int, ...]
    after: tuple[tuple[int, tuple[tuple[int, Test], ...]], ...]


@dataclass(frozen=True, slots=True)
class _Fault:
    """When a step violates `prop`, and which inputs that is a matter of."""

    prop: str
    guard: Test
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Snare:
    """A `Trap` as functions. `members`: where it is told who is a member."""

    when: Test
    members: tuple[int, ...]
    telling: tuple[Test, ...]
    may: tuple[Test, ...]


class Concrete:
    """One program. Raises EncodingLimitError, TooManyCases."""

    def __init__(self, program: Program, asked: Collection[str], through: Through = MappingProxyType({})) -> None:
        changes = self._changes = Changes(program)
        stage = changes.stage
        self.program = program
        self._parts = changes.parts.all
        self._index = {part: number for number, part in enumerate(self._parts)}
        self._by_cell = {part.cell: number for number, part in enumerate(self._parts)}
        self.names = tuple(part.name for part in self._parts)
        self.places = place_names(stage.cfg, through)
        self.values = tuple(self._values(part) for part in self._parts)
        self.initial: State = tuple(part.cell.initial for part in self._parts)
        self.threads = tuple(thread.name for thread in program.threads)
        self._at = [self._by_cell[cells.pc] for cells in stage.layout.threads]
        self._inputs: dict[str, int] = {}
        self._choices: list[range] = []
        self._compiler = Compiler(self._where)
        self._changes_at: dict[tuple[int, int], list[Change]] = {}
        for change in changes.all:
            place = change.known[self._parts[self._at[change.thread]]]
            if place >= FIRST:  # else it rests, and never moves: who joins itself would have to stand and to have finished
                self._changes_at.setdefault((change.thread, place), []).append(change)
        self._blows_at: dict[tuple[int, int], list[Blow]] = {}
        for one in changes.faults:
            if one.guard is not changes.terms.false:
                self._blows_at.setdefault((one.thread, self._place(one.thread, one.guard)), []).append(one)
        self._moves: dict[tuple[int, int], list[_Move]] = {}  # those that were asked for
        self._faults: dict[tuple[int, int], list[_Fault]] = {}
        self._resting = {
            thread: (self._by_cell[cells.level], tuple(self._by_cell[one] for one in cells.saved))
            for thread, cells in enumerate(stage.layout.threads)
            if cells.level in self._by_cell
        }
        self._asked = [prop for prop in program.properties if prop.name in asked]

    # ------------------------------------------------------------ names

    def _values(self, part: Part) -> Mapping[int, str]:
        """The names of a part's values."""
        layout = self._changes.stage.layout
        if any(part.cell is cells.pc or part.cell in cells.saved for cells in layout.threads):
            return {value: self.places[value] for value in part.values}
        return dict(zip(part.values, part.domain, strict=True))

    # ------------------------------------------------------------ terms

    def _where(self, name: str) -> tuple[int, int]:
        """Behind the values of the parts are those of a step's inputs."""
        finite = self._changes.finite
        if name in finite.parts:
            part, value = finite.parts[name]
            return self._index[part], value
        of, width, value = finite.choices.get(name, (name, 1, 1))
        if of not in self._inputs:
            self._inputs[of] = len(self._parts) + len(self._inputs)
            self._choices.append(range(1 << width))
        return self._inputs[of], value

    def _inputs_of(self, terms: Iterable[Term]) -> tuple[int, ...]:
        used = frozenset().union(*map(self._compiler.positions, terms))
        found = tuple(sorted(position for position in used if position >= len(self._parts)))
        ways = 1
        for position in found:
            ways *= len(self._choices[position - len(self._parts)])
        if ways > MOST_INPUTS:
            raise EncodingLimitError(f"a step can be taken in more than {MOST_INPUTS} ways")
        return found

    def _move(self, change: Change) -> _Move:
        if change.thread in self._resting:
            self._check_rest(change, *self._resting[change.thread])
        test = self._compiler.test
        terms = [change.guard, *(when for cases in change.after.values() for when in cases.values())]
        after = tuple(
            (self._index[part], tuple((value, test(when)) for value, when in cases.items())) for part, cases in change.after.items()
        )
        return _Move(test(change.guard), self._inputs_of(terms), after)

    def _place(self, thread: int, guard: Term) -> int:
        """Where the thread stands of which a guard speaks: one of its conjuncts says so."""
        work = [guard]
        for term in work:
            work += term.args if term.op == "and" else ()
            part, value = self._changes.finite.parts.get(str(term.value), (None, 0)) if term.op == "var" else (None, 0)
            if part is not None and self._index[part] == self._at[thread]:
                return value
        raise EncodingLimitError("an error whose place is not told")

    def _check_rest(self, change: Change, level: int, saved: tuple[int, ...]) -> None:
        """Where a thread has polled for a bottom half that it is in no more is forgotten: every move into one says it anew, and none looks
        at it before. Raises EncodingLimitError if that is not so of this one."""
        here = change.known[self._parts[level]]
        there = max(change.after.get(self._parts[level], (here,)))
        after = {self._index[part]: cases for part, cases in change.after.items()}
        terms = [change.guard, *(when for at, cases in after.items() if at not in saved[there:] for when in cases.values())]
        terms += [one.guard for one in self._blows_at.get((change.thread, change.known[self._parts[self._at[change.thread]]]), ())]
        used = frozenset().union(*map(self._compiler.positions, terms))
        if any(deeper not in after for deeper in saved[here:there]) or not used.isdisjoint(saved[here:]):
            raise EncodingLimitError("a bottom half that does not tell where it was polled for")

    # ------------------------------------------------------------ steps

    def stands(self, state: State, thread: int) -> int:
        """Where a thread stands; below FIRST: nowhere."""
        return state[self._at[thread]]

    def steps(self, state: State, thread: int) -> list[State]:
        """What a step of the thread may lead to."""
        here = thread, state[self._at[thread]]
        if here not in self._moves:
            self._moves[here] = [self._move(change) for change in self._changes_at.get(here, ())]
        found: dict[State, None] = {}
        for move in self._moves[here]:
            for values in self._chosen(state, move.inputs):
                if move.guard(values):
                    found[self._taken(state, values, move)] = None
        return list(found)

    def _taken(self, state: State, values: Values, move: _Move) -> State:
        new = list(state)
        for position, cases in move.after:
            new[position] = next(value for value, when in cases if when(values))
        for level, saved in self._resting.values():
            for position in saved[new[level] :]:
                new[position] = NOT_SPAWNED
        return tuple(new)

    def faults(self, state: State, thread: int) -> list[str]:
        """The properties that a step of the thread may violate."""
        here = thread, state[self._at[thread]]
        if here not in self._faults:
            blows = self._blows_at.get(here, ())
            self._faults[here] = [_Fault(one.prop, self._compiler.test(one.guard), self._inputs_of([one.guard])) for one in blows]
        return [one.prop for one in self._faults[here] if any(one.guard(values) for values in self._chosen(state, one.inputs))]

    def _chosen(self, state: State, inputs: Sequence[int]) -> Iterator[Values]:
        """The state, with each choice of these inputs behind it."""
        if not inputs:
            yield state
            return
        values = [*state, *(0 for _ in self._choices)]
        first = len(self._parts)
        for choice in product(*(self._choices[position - first] for position in inputs)):
            for position, value in zip(inputs, choice, strict=True):
                values[position] = value
            yield values

    # ------------------------------------------------------------ what is asked of a state

    @cached_property
    def _broken(self) -> tuple[tuple[str, Test], ...]:
        """Of the properties of single states, but for the sets of a deadlock, when a state violates them."""
        truth, stage = self._changes.finite.truth, self._changes.stage
        found = [(prop.name, invariant_broken(stage, prop)) for prop in self._asked if prop.kind == "invariant"]
        found += [(prop.name, self._deadlocks.everything) for prop in self._asked if prop.name == DEADLOCK_GLOBAL]
        return tuple((name, self._compiler.test(truth(term))) for name, term in found)

    @cached_property
    def _snares(self) -> tuple[tuple[str, Snare], ...]:
        """The sets of a deadlock that are asked for."""
        names = [prop.name for prop in self._asked if prop.name in (DEADLOCK_PARTIAL, DEADLOCK_LOCK_ORDER)]
        found = {name: self._deadlocks.partial if name == DEADLOCK_PARTIAL else self._deadlocks.lock_order for name in names}
        return tuple((name, self._snare(trap)) for name, trap in found.items())

    @cached_property
    def _deadlocks(self) -> Deadlocks:
        return deadlocks(self._changes.stage, Standstill(self._changes.stage))

    def _snare(self, trap: Trap) -> Snare:
        finite, test = self._changes.finite, self._compiler.test
        members = tuple(self._where(str(finite.truth(member).value))[0] for member in trap.members)
        telling, may = ([test(finite.truth(term)) for term in terms] for terms in (trap.telling, trap.may))
        return Snare(test(finite.truth(trap.when)), members, tuple(telling), tuple(may))

    def violated(self, state: State) -> list[str]:
        """The properties of states that it violates, of those asked for."""
        found = [name for name, broken in self._broken if broken(state)]
        return found + [name for name, snare in self._snares if self._caught(state, snare)]

    def _caught(self, state: State, snare: Snare) -> bool:
        """Whether there is such a set where it counts."""
        return snare.when([*state, *(0 for _ in self._choices)]) and self._holds_any(state, snare)

    def _holds_any(self, state: State, snare: Snare) -> bool:
        """Whether there is such a set: the largest one is what is left of all when those go, again and again, who may be no members."""
        values = [*state, *(0 for _ in self._choices)]
        left = set(range(len(snare.members)))
        for position in snare.members:
            values[position] = 1
        while gone := [thread for thread in left if not snare.may[thread](values)]:
            left.difference_update(gone)
            for thread in gone:
                values[snare.members[thread]] = 0
        return any(snare.telling[thread](values) for thread in left)

    # ------------------------------------------------------------ whom a step is about

    def node(self, place: int) -> Node:
        """What a thread does at a place."""
        return self._changes.stage.cfg.nodes[place]

    def picks(self, place: int) -> int:
        """How many others a step from there is about besides whom it names: the bottom half that it takes, whom it wakes."""
        node = self.node(place)
        return is_poll(node) + (isinstance(node.stmt, Wake) and not node.stmt.all)

    def flow(self) -> Iterator[tuple[str, int, str, tuple[str, ...], tuple[str, ...]]]:
        """Of each place its name; what it is, by where the statement begins in the text, its phase and the frames; and where control goes
        from there, as far as that is to places."""
        for place, name in self.places.items():
            if place >= FIRST:
                node = self.node(place)
                targets = tuple(self.places.get(target, "") for target in node.targets)
                yield name, node.info.span.start, node.phase, node.site.frames, targets

    def problem(self) -> str | None:
        """Why it cannot be told whom steps are about; None if it can."""
        for node in self._changes.stage.cfg.nodes.values():
            if node.inner and self.picks(node.id):
                return f"an `atomic` that wakes one of several, or takes a bottom half (line {node.info.span.line})"
            if any(binding.index is not None for binding in node.site.refs.values()):
                return f"a reference whose index is evaluated at a call (line {node.info.span.line})"
        return None


def where(stmt: For) -> tuple[str, int]:
    """Where it begins in the text: the same for each size of a program."""
    return stmt.info.span.source.path, stmt.info.span.start


def place_names(cfg: Cfg, through: Through) -> Mapping[int, str]:
    """Of every place where a thread can stand. `through`: by what name the passes of a `for` are told."""
    found = {NOT_SPAWNED: "not_spawned", FINISHED: "finished"}
    for body in (*cfg.threads.values(), *cfg.bhs.values()):
        root = body.root
        mark = "" if root.is_thread else f"@{root.decl.name}" if root.decl.size is None else f"@{root.decl.name}[{root.index}]"
        counts: dict[tuple[str, str], int] = {}
        for node in sorted(body.nodes, key=lambda node: node.id):
            if node.inner or node.id < FIRST:
                continue
            phase = "" if phase_shown(node) == "run" else f".{node.phase}"
            name = f"{node.info.body}:{node.info.span.line}{phase}"
            passes = "".join(f"@{through[where(stmt)]}[{number}]" for stmt, number in node.site.passes if where(stmt) in through)
            counts[name, passes] = counts.get((name, passes), 0) + 1
            count = counts[name, passes]
            found[node.id] = (name if count == 1 else f"{name}#{count}") + passes + mark
    return found
