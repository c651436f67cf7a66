"""The step of an `atomic`: its statements one after the other, as one.

In: a node at an `Atomic`, and the actions of the statements inside. Out: its action. What is nondeterministic inside gives several
outcomes; a path that has to wait before it has changed anything is not possible now. Must not know the statements inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from formal.interp.changes import Stop
from formal.interp.control import Node
from formal.interp.landing import Action, Choice, Land, Parts, Run
from formal.interp.layout import State
from formal.program import ATOMIC, MAX_ATOMIC_TESTS, Atomic


class Path(NamedTuple):
    """One path through the block, so far. `tests`: of each `while`, by its uid. `last`: the state before its last statement."""

    choice: Choice
    at: State | Stop
    changed: bool
    tests: Mapping[int, int]
    last: State


NO_TESTS: Final[Mapping[int, int]] = MappingProxyType({})


class Atomics:
    """The atomic blocks of one program."""

    def __init__(self, parts: Parts, action: Callable[[int], Action]) -> None:
        self._parts = parts
        self._action = action
        self._violated = parts.stop(ATOMIC)
        self._lands: dict[int, Land] = {}  # by the control of whoever stands in front of one
        self.met: set[int] = set()  # controls inside of atomics that some execution has come to
        self.passed: set[int] = set()  # and those that one has got past

    def run(self, node: Node, stmt: Atomic) -> Run:
        """The action of one."""
        thread, land = node.env.thread, self._land(node, stmt)
        return lambda state: [(path.choice, path.at) for path in self._explore(land(list(state)), thread)]

    def possible(self, node: Node, stmt: Atomic, state: State) -> bool:
        """Whether there is any way through one: sooner known than all of them."""
        land = self._lands.get(state[node.env.thread])
        if land is None:
            land = self._lands[state[node.env.thread]] = self._land(node, stmt)
        return any(True for _ in self._explore(land(list(state)), node.env.thread))

    def before_error(self, node: Node, stmt: Atomic, state: State, error: Stop) -> State | None:
        """The state inside of the block in which the first statement that goes wrong like this is executed."""
        paths = self._explore(self._land(node, stmt)(list(state)), node.env.thread)
        return next((path.last for path in paths if path.at == error), None)

    def _land(self, node: Node, stmt: Atomic) -> Land:
        return self._parts.go_to(node, self._parts.controls.into_atomic(stmt, node))

    def _explore(self, inside: State, thread: int) -> Iterator[Path]:
        """The paths to the end of the block, or to where they stop. Those that meet go on as one."""
        seen: set[tuple[State | Stop, bool, frozenset[tuple[int, int]]]] = set()
        todo = [Path((), inside, False, NO_TESTS, inside)]
        nodes = self._parts.controls.nodes
        while todo:
            path = todo.pop()
            state = path.at
            if isinstance(state, Stop) or (node := nodes[state[thread]]) is None or not node.env.atomic:
                yield path
                continue
            ahead = self._step(path, state, state[thread])
            if len(ahead) == 1:
                todo += ahead
                continue
            for other in reversed(ahead):
                key = (other.at, other.changed, frozenset(other.tests.items()))
                if key not in seen:
                    seen.add(key)
                    todo.append(other)

    def _step(self, path: Path, state: State, control: int) -> list[Path]:
        """The paths that one more statement gives; none if this one is not possible now."""
        action, tests = self._action(control), path.tests
        if action.tests:
            uid = self._parts.controls.uids[control]
            tests = {**tests, uid: tests.get(uid, 0) + 1}
            if tests[uid] > MAX_ATOMIC_TESTS:
                return [Path(path.choice, self._violated, True, tests, state)]
        results = action.run(state)
        (self.passed if results else self.met).add(control)
        if not results:
            return [Path(path.choice, self._violated, True, tests, state)] if path.changed else []
        changed = path.changed or action.changes
        return [Path((*path.choice, *choice), after, changed, tests, state) for choice, after in results]
