"""One state for all that differ only in which of several alike threads and elements is which.

In: states, and the sorts of a program. Out: of each state a normal form, and the steps that the states have which share it. See
docs/decisions/007-symmetry.md. Must not know searches.

Two states are alike if a permutation of a sort makes one of the other that leaves the places of every `for` in progress through the sort
alone: what it is through with, the element that it has come to, what is left. A `for` that goes on comes to the next element in order; in a
state that is alike another one may be the next. So the steps from all of them are taken: with loops that take their elements in any order,
alike states have alike steps. That are more executions than the program has; where there are no such loops, it is `exact`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from formal.interp.changes import Stop
from formal.interp.control import Controls
from formal.interp.forms import Form
from formal.interp.landing import Result, Run
from formal.interp.layout import Layout, State
from formal.interp.sorts import Sort


class Symmetry:
    """All sorts of one program. `exact`: executions from normal forms are executions of the program, but for names."""

    def __init__(self, layout: Layout, controls: Controls, sorts: Iterable[Sort], run: Callable[[int], Run]) -> None:
        self._forms = [Form(layout, controls, sort) for sort in sorts]
        self._loops = [form for form in self._forms if form.sort.ordered]
        self._run = run
        self.exact = not self._loops

    def __bool__(self) -> bool:
        return bool(self._forms)

    def normal(self, state: State) -> State:
        """One of the states that are alike, nearly always the same one."""
        for form in self._forms:
            to = form.order(state)
            if to is not None:
                state = form.permuted(state, to)
        return state

    @property
    def forms(self) -> Sequence[Form]:
        """Those of the sorts, one by one."""
        return self._forms

    def twins(self, state: State) -> dict[int, int]:
        """By thread, another one whose steps come to the same but for names."""
        found: dict[int, int] = {}
        for form in self._forms:
            for thread, other in form.twins(state).items():
                found.setdefault(thread, other)
        return found

    def enters(self, before: int, after: int) -> bool:
        """Whether some `for` comes to its next element, where a thread gets from one control to another."""
        return any(form.enters(before, after) for form in self._loops)

    def steps(self, state: State, thread: int, step: Callable[[int], Run]) -> Sequence[Result]:
        """The steps of the thread from here, and from the states that are alike, where they go another way."""
        alike = self.alike(state, thread)
        return [result for mover, here in alike for result in step(here[mover])(here)]

    def alike(self, state: State, thread: int) -> list[tuple[int, State]]:
        """The thread and the state, and those that are alike from which the thread's step comes to other elements."""
        first = (thread, state)
        seen = {first: None}
        todo = [first]
        while todo:
            mover, here = todo.pop()
            for _, after in self._run(here[mover])(here):
                if isinstance(after, Stop):
                    continue
                for form in self._loops:
                    for element in form.entered(here, after):
                        for other, to in form.swapped(here, element):
                            found = (form.images.threads(to)[mover], other)
                            if found not in seen:
                                seen[found] = None
                                todo.append(found)
        return list(seen)
