"""Whether two programs behave alike, by going through the states of both.

In: two programs with the same declarations, all their states explored. Out: yes or no, of two questions.

- `same_in_steps`: a strong bisimulation. States are told apart by the value of every object, by which threads run or have finished, and
  by the truth of each `at` that a property has; steps by their thread, what was chosen, and the error in which they end. Only where
  threads stand and their local variables may differ. It is built from the pairs that both come to together, each step of one matched with
  the step of the same thread and choice of the other; so yes is certain, and no says that this matching fails.
- `same_to_properties`: a stutter bisimulation that tells endless and last states from others (R. De Nicola, F. Vaandrager, "Three logics
  for branching bisimulation", JACM 42(2), 1995): no formula of CTL* without "next" tells the programs apart. States are told apart by the
  objects that the properties asked for speak of, where threads stand as far as these do, and which threads run if one asks for
  `finished`; deadlocks and errors are for the caller to have looked for, in both. Steps that change nothing of that are not seen.
  Found by splitting blocks of states by where they lead, until nothing splits (S. Blom, S. Orzan, "Distributed state space minimization",
  STTT 7(3), 2005); exact in both directions. Of the first program only the blocks into which its own states split are looked at again,
  which are bisimilar to it: many are compared with it, and it is split once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, TypeAlias

from formal import program as p
from formal.engines.components import components
from formal.engines.exploration import FIRST_PLACE, Exploration
from formal.interp import Machine, State, Stop

Label: TypeAlias = tuple[Any, ...]
_END: Final = -1  # in a signature: the execution can end here
_EVER: Final = -2  # it can go on here for ever
_ERROR: Final = -3  # it can end in an error, or at a false `assume`


class Sight:
    """What is looked at: `objects` by the decls of the properties, `places` by the statements of their `at`."""

    def __init__(self, program: p.Program, properties: Sequence[str]) -> None:
        asked = set(properties)
        conditions = [e for one in program.properties if one.name in asked for e in (one.condition, one.trigger) if e is not None]
        spoken: dict[object, None] = {}
        for condition in conditions:
            _collect(condition, program, spoken)
        self.names = frozenset(one.name for one in spoken if isinstance(one, _STORED))
        self.runs = any(isinstance(one, p.Finished) for one in spoken)
        self.places = tuple(dict.fromkeys(one for one in spoken if isinstance(one, frozenset)))

    def of(self, machine: Machine, *, everything: bool) -> Callable[[State], Label]:
        """A state's label: of all objects, or of those that the properties speak of."""
        readers = [read for key, read in machine.views.readers() if everything or _object(key) in self.names]
        threads = range(len(machine.program.threads))

        def label(state: State) -> Label:
            runs = tuple([min(state[thread], FIRST_PLACE) for thread in threads]) if everything or self.runs else ()
            places = [machine.place(state, thread) for thread in threads] if self.places else []
            stands = tuple([place is not None and place.info.uid in targets for targets in self.places for place in places])
            return (tuple([read(state) for read in readers]), runs, stands)

        return label


_STORED = (p.MutexDecl, p.RwlockDecl, p.SemDecl, p.EventDecl, p.CondDecl, p.BhDecl, p.VarDecl, p.ThreadLocalDecl)


def _object(key: str) -> str:
    """The declaration behind a key of a view: "stop[vcpu[0]]", "BQL.owner", "vcpu[0].iothread_locked"."""
    head, dot, last = key.rpartition(".")
    if dot and last not in ("owner", "count", "writer", "readers", "set", "waiters", "pending"):
        return last
    return (head if dot else key).partition("[")[0]


def _collect(node: object, program: p.Program, found: dict[object, None]) -> None:
    """Adds the declarations that an expression speaks of, and the statements of its `at`."""
    if node in found:
        return
    if isinstance(node, p.At):
        found[node.targets] = None
    elif isinstance(node, (*_STORED, p.ContextDecl, p.Finished)):
        found[node] = None
    for item in _below(node, program):
        _collect(item, program, found)


def _below(node: object, program: p.Program) -> Iterator[object]:
    """What the meaning of a declaration or an expression rests on."""
    match node:
        case p.ContextDecl(when=when):
            yield from (bh for bh in program.bhs if bh.context is node)
            yield from () if when is None else (when,)
        case p.CurrentContext(thread=thread):
            yield from (*program.contexts, thread)
        case p.ThreadDecl() | p.Binder():
            return
        case _ if is_dataclass(node) and not isinstance(node, _STORED):
            for one in fields(node):
                value = getattr(node, one.name)
                yield from (item for item in (value if isinstance(value, tuple) else (value,)) if type(item).__module__ == p.__name__)
        case _:
            return


class Graph:
    """The states of one program, all explored. `executed`: uids of the statements that some thread has stood at or inside of."""

    def __init__(self, exploration: Exploration, sight: Sight) -> None:
        self.exploration = exploration
        self.sight = sight
        self.machine = exploration.machine
        self._executed: frozenset[int] | None = None
        self._steps: list[list[int]] | None = None
        self._quotient: Quotient | None = None

    @property
    def executed(self) -> frozenset[int]:
        """Statements that are executed by somebody."""
        if self._executed is None:
            threads = range(self.exploration.threads)
            stood = {state[thread] for state in self.exploration.states for thread in threads}
            stood |= self.machine.met_in_atomics | self.machine.passed_in_atomics
            self._executed = frozenset(uid for control in stood if control >= FIRST_PLACE for uid in self.machine.uids(control))
        return self._executed

    @property
    def steps(self) -> list[list[int]]:
        """Where each state leads, by number; _ERROR for the end of an execution in a step."""
        if self._steps is None:
            index = self.exploration.index
            self._steps = [
                sorted({_ERROR if isinstance(after, Stop) else index[after] for _, after in self.exploration.successors(number)})
                for number in range(len(self.exploration.states))
            ]
        return self._steps

    def labels(self) -> Iterable[Label]:
        """What the properties see of each state."""
        return map(self.sight.of(self.machine, everything=False), self.exploration.states)

    @property
    def quotient(self) -> Quotient:
        """Its states but for what the properties do not see."""
        if self._quotient is None:
            self._quotient = _quotient(self)
        return self._quotient


# ---------------------------------------------------------------- strong


def same_in_steps(one: Graph, other: Graph) -> bool:
    """Whether the pairs of states that both come to together are a bisimulation."""
    look = one.sight.of(one.machine, everything=True), one.sight.of(other.machine, everything=True)
    start = (one.exploration.states[0], other.exploration.states[0])
    seen, todo = {start}, [start]
    while todo:
        left, right = todo.pop()
        if look[0](left) != look[1](right):
            return False
        for thread in range(one.exploration.threads):
            mine, theirs = _moves(one.exploration, left, thread), _moves(other.exploration, right, thread)
            if mine.keys() != theirs.keys():
                return False
            for key, after in mine.items():
                same = theirs[key]
                if after is not None and same is not None and (after, same) not in seen:
                    seen.add((after, same))
                    todo.append((after, same))
    return True


def _moves(exploration: Exploration, state: State, thread: int) -> dict[tuple[object, ...], State | None]:
    """A thread's steps: each by its choice (and number, should one choice have several outcomes) and the error in which it ends."""
    if state[thread] < FIRST_PLACE:
        return {}
    found: dict[tuple[object, ...], State | None] = {}
    for choice, after in exploration.run_of(state[thread])(state):
        error = after.prop or "" if isinstance(after, Stop) else None
        number = 0
        while (choice, error, number) in found:
            number += 1
        found[choice, error, number] = None if isinstance(after, Stop) else after
    return found


# ---------------------------------------------------------------- stutter


@dataclass(frozen=True, slots=True)
class Quotient:
    """The blocks of stutter bisimilar states, that of the initial state first: what the properties see of each, and where it leads, as a
    signature says it."""

    labels: tuple[Label, ...]
    steps: tuple[frozenset[int], ...]


def _quotient(graph: Graph) -> Quotient:
    labels = list(graph.labels())
    blocks = _numbered(labels)
    while True:
        signed = _signatures(graph.steps, blocks)
        finer = _numbered(zip(blocks, signed, strict=True))
        if max(finer) == max(blocks):
            break
        blocks = finer
    firsts = [blocks.index(block) for block in range(max(blocks) + 1)]
    return Quotient(tuple(labels[first] for first in firsts), tuple(signed[first] for first in firsts))


def same_to_properties(one: Graph, other: Graph) -> bool:
    """Whether the two initial states are stutter bisimilar, in what the properties see."""
    shift = len(one.quotient.steps)
    steps = [*one.quotient.steps, *([end if end < 0 else end + shift for end in ends] for ends in other.steps)]
    blocks = _numbered((*one.quotient.labels, *other.labels()))
    while blocks[0] == blocks[shift]:
        finer = _numbered(zip(blocks, _signatures(steps, blocks), strict=True))
        if max(finer) == max(blocks):
            return True
        blocks = finer
    return False


def _numbered(keys: Iterable[object]) -> list[int]:
    """A number for each, the same for the same; in the order in which they come."""
    known: dict[object, int] = {}
    return [known.setdefault(key, len(known)) for key in keys]


def _signatures(steps: Sequence[Collection[int]], blocks: Sequence[int]) -> list[frozenset[int]]:
    """Of each state: the other blocks that it can come to by steps inside of its own, whether it can stay for ever, or end."""

    def inside(number: int) -> Iterator[int]:
        return (end for end in steps[number] if end >= 0 and blocks[end] == blocks[number])

    signed: list[frozenset[int]] = [frozenset()] * len(steps)
    for component in components(range(len(steps)), inside):
        found: set[int] = set()
        members = set(component)
        for number in component:
            if not steps[number]:
                found.add(_END)
            for end in steps[number]:
                if end < 0:
                    found.add(end)
                elif blocks[end] != blocks[number]:
                    found.add(blocks[end])
                elif end in members:
                    found.add(_EVER)
                else:
                    found |= signed[end]
        for number in component:
            signed[number] = frozenset(found)
    return signed
