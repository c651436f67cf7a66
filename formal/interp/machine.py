"""The machine: a program's initial state, its steps, and what can be said of a state.

In: a typed program. Out: states (hashable tuples), outcomes of steps, views, broken properties. This is the reference meaning; engines and
the replay of witnesses stand on it. Must not know how a search goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from formal.interp.actions import Actions
from formal.interp.changes import Stop
from formal.interp.companies import Companies
from formal.interp.company import Company, Kinds
from formal.interp.control import Controls, Node
from formal.interp.countable import Countable
from formal.interp.crowds import Counting, Crowds
from formal.interp.deadlock import Deadlock, Deadlocks, Wait, Waiting
from formal.interp.environment import NOBODY, Env
from formal.interp.expressions import Expressions
from formal.interp.forms import Form
from formal.interp.items import At, info_of
from formal.interp.landing import Parts, Run
from formal.interp.layout import FINISHED, NOT_SPAWNED, Layout, State, Target, Undefined
from formal.interp.likeness import Likeness
from formal.interp.moving import Moving
from formal.interp.quiet import Merging, conjuncts
from formal.interp.reach import Effects, Reach
from formal.interp.references import Function
from formal.interp.sorts import Sort, sorts
from formal.interp.symmetry import Symmetry
from formal.interp.tallies import Tallies
from formal.interp.touching import Touching
from formal.interp.view import Views, phase_of
from formal.program import NONE, Atomic, Expr, Info, MutexDecl, Program, RwlockDecl
from formal.program import Place as PlaceOf
from formal.verdict import View


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way that a step can go. `choice`: what was picked, where there was a choice. `after` is None where the execution ends in the
    step: in `error`, a property's name, or silently (`ended`: a false `assume`, a disabled check)."""

    thread: int
    choice: tuple[str, ...]
    after: State | None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the execution ends here without an error."""
        return self.after is None and self.error is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thread stands: the innermost statement, its phase, and the frames, outermost first."""

    info: Info
    phase: str
    stack: tuple[str, ...]


VIEWS: Final = 1024  # that are kept: who tells of an execution looks at each of its states several times


class Machine:
    """The reference meaning of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        uids: list[int] = []
        self._layout = Layout(program)
        self._expressions = Expressions(self._layout, uids)
        self._controls = Controls(self._layout, self._expressions.references, uids)
        self._actions = Actions(Parts(self._layout, self._controls, self._expressions, self._stop))
        self._views = Views(self._layout, self._controls)
        self._view = lru_cache(VIEWS)(self._views.of)
        self._sorts = sorts(program, ())
        self._alike = Likeness(self._layout, self._controls, self._sorts, together=False)
        self._touching: dict[tuple[frozenset[int], bool], Touching] = {}
        self._deadlocks = Deadlocks(self._layout, self._controls, self._expressions, self.reach())
        locks: tuple[MutexDecl | RwlockDecl, ...] = (*program.mutexes, *program.rwlocks)
        self._lock_slots = [slot for lock in locks for slot in self._layout.slots(lock)]
        self._deadlock_names = tuple(prop.name for prop in program.properties if prop.kind == "deadlock")
        invariants = [(prop.name, prop.condition) for prop in program.properties if prop.kind == "invariant"]
        self._invariants = [(name, self._holds(condition)) for name, condition in invariants if condition is not None]

    def _stop(self, prop: str) -> Stop:
        return Stop(None if prop in self.program.disabled else prop)

    def _holds(self, condition: Expr, env: Env = NOBODY) -> Function:
        """A condition on states; undefined counts as false."""
        test = self._expressions.compile(condition, env)

        def holds(state: State) -> bool:
            try:
                return bool(test(state))
            except Undefined:
                return False

        return holds

    # ------------------------------------------------------------ steps

    def initial(self) -> State:
        """The first state."""
        threads = range(len(self.program.threads))
        starts = [None if thread in self.program.spawned else self._controls.start(thread) for thread in threads]
        controls = [NOT_SPAWNED if start is None else start.control for start in starts]
        return (*controls, *(() if start is None else start.padding for start in starts), *self._layout.objects())

    def run(self, control: int) -> Run:
        """The step of whoever stands there: for searches, which keep it by its control. Controls below 2 have none."""
        return self._actions.action(control).run

    def successors(self, state: State) -> list[Outcome]:
        """Every outcome of every thread's next step, in order of the threads."""
        return [outcome for thread in range(len(self.program.threads)) for outcome in self.steps(state, thread)]

    def steps(self, state: State, thread: int) -> list[Outcome]:
        """The outcomes of one thread's next step; none if it does not run or has to wait."""
        control = state[thread]
        if control in (NOT_SPAWNED, FINISHED):
            return []
        return [
            Outcome(thread, choice, None, after.prop) if isinstance(after, Stop) else Outcome(thread, choice, after)
            for choice, after in self.run(control)(state)
        ]

    def waiting_and_moving(self, state: State) -> tuple[list[int], list[int]]:
        """The running threads that cannot move, and those that can, be it into an error or into the end of the execution."""
        sides: tuple[list[int], list[int]] = ([], [])
        for thread in range(len(self.program.threads)):
            if state[thread] > FINISHED:
                sides[self._actions.possible(state[thread], state)].append(thread)
        return sides

    def enabled(self, state: State) -> list[int]:
        """The threads that can move."""
        return self.waiting_and_moving(state)[1]

    def failing(self, state: State, thread: int, error: str) -> State:
        """The state in which the statement that violates this executes: inside of an `atomic`, another than the one before the step."""
        node = self.node(state, thread)
        if node is not None and isinstance(node.item, At) and isinstance(node.item.stmt, Atomic):
            return self._actions.atomics.before_error(node, node.item.stmt, state, Stop(error)) or state
        return state

    def symmetry(self, conditions: Iterable[Expr], *, exact: bool = False) -> Symmetry:
        """What the program, and these conditions, cannot tell apart. `exact`: without sorts that a `for` goes through step by step."""
        found = [sort for sort in sorts(self.program, conditions) if not (exact and sort.ordered)]
        return Symmetry(self._layout, self._controls, found, self.run)

    def semaphore(self, name: str) -> int:
        """The slot of a semaphore."""
        return self._layout.base(next(sem for sem in self.program.sems if sem.name == name))

    def crowds(self, found: Countable) -> Counting:
        """States that stand for any number of the elements that can be counted."""
        forms = [Form(self._layout, self._controls, sort) for sort in found.sorts]
        return Counting([Crowds(form, found.many, found.single) for form in forms], found.many)

    def companies(self, found: Sequence[Sort], tallies: Tallies, counted: Sequence[Sort] = ()) -> Companies:
        """States of which few elements of these sorts are told. `counted`: sorts whose elements are counted besides."""
        forms = [Form(self._layout, self._controls, sort) for sort in found]
        movings = [Moving(self._layout, self._controls, sort) for sort in (*found, *counted)]
        kinds = Kinds()
        each = [
            Company(
                number, form, movings[number], [other for other in movings if other is not movings[number]], tallies.more(number), kinds
            )
            for number, form in enumerate(forms)
        ]
        return Companies(each, tallies, self.touching(frozenset()), self._layout.threads)

    def merging(self, invariants: Iterable[Expr], symmetry: Symmetry | None = None) -> Merging:
        """The steps, each with the quiet ones behind it, where these invariants are looked at, and these states are alike."""
        return Merging(self._layout, self._controls, self.touching, self.run, self._holds, invariants, symmetry)

    def parts(self, condition: Expr) -> list[Effects]:
        """What the conditions depend on that all hold exactly if this one does."""
        touching = self.touching(frozenset())
        return [touching.condition(part, env) for part, env in conjuncts(condition, NOBODY)]

    def reach(self, *, alike: bool = True) -> Reach:
        """What threads may still do. `alike`: worked out once for all that do the same but for names."""
        likeness = Likeness(self._layout, self._controls, self._sorts, together=True) if alike else None
        return Reach(self._layout, self._controls, self._expressions.references, likeness)

    def touching(self, shut: frozenset[int], *, alike: bool = True) -> Touching:
        """What threads may still touch, while these locks are shut. Worked out once for all who ask: it takes as long as some searches."""
        found = self._touching.get((shut, alike))
        if found is None:
            found = Touching(self._layout, self._controls, self._expressions, shut, self._alike if alike else None)
            self._touching[shut, alike] = found
        return found

    # ------------------------------------------------------------ what was executed

    @property
    def met_in_atomics(self) -> frozenset[int]:
        """Controls inside of atomics that some step has come to and did not get past."""
        return frozenset(self._actions.atomics.met)

    @property
    def passed_in_atomics(self) -> frozenset[int]:
        """Controls inside of atomics that some step has got past."""
        return frozenset(self._actions.atomics.passed)

    def passed(self, control: int) -> frozenset[int]:
        """The uid of the statement that a step from there gets past; none for the first step of `wait C with L`."""
        node = self._controls.nodes[control]
        asleep = node is not None and isinstance(node.item, At) and node.item.phase == "wait"
        return frozenset() if asleep else frozenset((self._controls.uids[control],))

    def uids(self, control: int) -> frozenset[int]:
        """That statement and those around it, in all frames."""
        return self._controls.around(control)

    # ------------------------------------------------------------ what can be said of a state

    def view(self, state: State) -> View:
        """The state by name."""
        return self._view(state)

    def hidden(self, state: State, thread: int) -> Mapping[str, int]:
        """What a thread carries along that views leave out; see `Views.hidden`."""
        return self._views.hidden(state, thread)

    def status(self, state: State, thread: int) -> str:
        """ "not spawned", "running" or "finished"."""
        return self._views.status(state, thread)

    def place(self, state: State, thread: int) -> Place | None:
        """Where a running thread stands."""
        node = self.node(state, thread)
        if node is None or not isinstance(node.item, At):
            return None
        return Place(info_of(node.item.stmt), phase_of(node.item), node.env.frames)

    def node(self, state: State, thread: int) -> Node | None:
        """The control stack of a running thread."""
        return self._controls.nodes[state[thread]]

    def broken_invariants(self, state: State) -> tuple[str, ...]:
        """The invariants that do not hold here."""
        return tuple([name for name, holds in self._invariants if not holds(state)])

    def value(self, expr: Expr, env: Env, state: State) -> int | None:
        """What an expression is worth; None if it is undefined."""
        try:
            return self._expressions.compile(expr, env)(state)
        except Undefined:
            return None

    def target(self, ref: PlaceOf, env: Env, state: State) -> Target | None:
        """What a reference stands for; None if it is undefined."""
        try:
            return self._expressions.references.locate(ref, env)(state)
        except Undefined:
            return None

    def wait(self, state: State, thread: int) -> Wait:
        """What a running thread that cannot move waits for."""
        return self._deadlocks.wait(state, thread)

    def owners(self, state: State) -> set[int]:
        """The threads that own a mutex, or a rwlock for writing."""
        return {state[slot] for slot in self._lock_slots} - {NONE}

    def condition(self, expr: Expr) -> Function:
        """A property's condition as a function of the state; undefined is false."""
        return self._holds(expr)

    def deadlocks(self, state: State) -> Mapping[str, Deadlock]:
        """The deadlock properties that the state violates, with who waits for whom."""
        return self._deadlocks.find(state, *self.waiting_and_moving(state), self._deadlock_names)

    def waits(self, state: State) -> tuple[Waiting, ...]:
        """The running threads that cannot move: what each waits for, and who could end that."""
        return self._deadlocks.waiting(state, self.waiting_and_moving(state)[0])

    def relieved(self, state: State, waiting: list[int], moving: list[int]) -> bool:
        """For searches: whether somebody who moves could end the wait of each thread that waits and is not idle."""
        return self._deadlocks.relieved(state, waiting, moving)

    def deadlocked(self, state: State, waiting: list[int], moving: list[int], asked: Iterable[str]) -> list[str]:
        """For searches: which of these deadlock properties the state violates, where it is known who waits."""
        return [prop for prop in asked if self._deadlocks.violated(prop, state, waiting, moving)]

    @property
    def views(self) -> Views:
        """Names for messages."""
        return self._views
