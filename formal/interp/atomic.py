"""The step of an `atomic`: its statements one after the other, as one.

In: a node at an `Atomic`, and the actions of the statements inside. Out: its action. What is nondeterministic inside gives several
outcomes; a path that has to wait before it has changed anything is not possible now. Must not know the statements inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from formal.interp.changes import Stop
from formal.interp.control import At, Node
from formal.interp.landing import Action, Choice, Parts, Run
from formal.interp.layout import State
from formal.program import ATOMIC, MAX_ATOMIC_TESTS, Atomic, While


@dataclass(frozen=True, slots=True)
class Path:
    """One path through the block, so far. `tests`: of each `while`, by its control. `last`: the state before its last statement."""

    choice: Choice
    at: State | Stop
    changed: bool = False
    tests: Mapping[int, int] = field(default_factory=dict)
    last: State = ()

    def key(self) -> tuple[object, ...]:
        """What the rest of the path depends on."""
        return self.at, self.changed, frozenset(self.tests.items())


class Atomics:
    """The atomic blocks of one program."""

    def __init__(self, parts: Parts, action: Callable[[int], Action]) -> None:
        self._parts = parts
        self._action = action
        self._violated = parts.stop(ATOMIC)
        self.met: set[int] = set()  # controls inside of atomics that some execution has come to
        self.passed: set[int] = set()  # and those that one has got past

    def run(self, node: Node, stmt: Atomic) -> Run:
        """The action of one."""
        thread, land = node.env.thread, self._parts.go_to(node, self._parts.controls.into_atomic(stmt, node))
        return lambda state: [(path.choice, path.at) for path in self._explore(Path((), land(list(state))), thread)]

    def before_error(self, node: Node, stmt: Atomic, state: State, error: Stop) -> State | None:
        """The state inside of the block in which the first statement that goes wrong like this is executed."""
        start = Path((), self._parts.go_to(node, self._parts.controls.into_atomic(stmt, node))(list(state)))
        return next((path.last for path in self._explore(start, node.env.thread) if path.at == error), None)

    def _explore(self, start: Path, thread: int) -> Sequence[Path]:
        """The paths to the end of the block, or to where they stop."""
        results: list[Path] = []
        todo, seen = [start], set()
        while todo:
            path = todo.pop()
            if isinstance(path.at, Stop) or not self._inside(path.at[thread]):
                results.append(path)
                continue
            ahead = self._step(path, path.at, thread)
            if len(ahead) > 1:
                ahead = [other for other in ahead if (key := other.key()) not in seen and not seen.add(key)]  # type: ignore[func-returns-value]
            todo.extend(reversed(ahead))
        return results

    def _inside(self, control: int) -> bool:
        node = self._parts.controls.nodes[control]
        return node is not None and node.env.atomic

    def _step(self, path: Path, state: State, thread: int) -> list[Path]:
        """The paths that one more statement gives; none if this one is not possible now."""
        control = state[thread]
        tests = path.tests
        if self._is_test(control):
            tests = {**tests, control: tests.get(control, 0) + 1}
            if tests[control] > MAX_ATOMIC_TESTS:
                return [replace(path, at=self._violated, last=state)]
        action = self._action(control)
        results = action.run(state)
        (self.passed if results else self.met).add(control)
        if not results:
            return [replace(path, at=self._violated, last=state)] if path.changed else []
        changed = path.changed or action.changes
        return [Path((*path.choice, *choice), after, changed, tests, state) for choice, after in results]

    def _is_test(self, control: int) -> bool:
        node = self._parts.controls.nodes[control]
        return node is not None and isinstance(node.item, At) and isinstance(node.item.stmt, While)
