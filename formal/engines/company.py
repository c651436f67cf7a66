"""All states of any number of members, of which few are told, and of the others only which kinds there may be.

In: a machine of the program with few members, the sorts whose elements are not all told. Out: the states, and the errors that may happen.
See docs/decisions/016-company.md.

A state stands for all that tell the same, with any members besides that are of its kinds. Of each, kinds are only added: until no step
leads to more of them, and to no other state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Final, TypeAlias

from formal.engines.exploration import FIRST_PLACE, LOOK_UP_EVERY, look_at_memory
from formal.engines.links import Link, Links
from formal.engines.members import Unsuited
from formal.engines.patterns import patterns
from formal.engines.protocol import Progress, Tell
from formal.engines.roles import Case, Edge, Known, Part, Role, Way
from formal.interp import Change, Companies, Counting, Entangled, Kind, Machine, Merging, Shown, State, Stop, Turn
from formal.interp.colours import LEFT
from formal.program import RANGE

Step: TypeAlias = tuple[State, int, State]
NEXT: Final = "next"  # in a case, of a `for`: somebody is next,
END: Final = "end"  # nobody is left,
FRONT: Final = "front"  # somebody is the first of another one


class Search:
    """One search. `merging`: what quiet steps are, if any are taken at once; `most`: by sort, how many members there are of it."""

    def __init__(
        self, machine: Machine, companies: Companies, crowds: Counting, merging: Merging | None, memory: int, most: Sequence[int]
    ) -> None:
        self._machine = machine
        self._companies = companies
        self._crowds = crowds
        self._links = Links(companies, merging)
        self._memory = memory
        self._most = most
        self._threads = range(len(machine.program.threads))
        self._places = [range(len(company.members[0])) for company in companies.each]
        self._alone: dict[tuple[int, tuple[object, ...], int], Part | None] = {}
        self._becomes: dict[tuple[int, tuple[object, ...], int], tuple[tuple[object, ...], ...]] = {}
        self._todo: list[tuple[bool, int, int, State]] = []  # new ones; then those with the most kinds: fewer are added to them later on
        self._put = 0
        self.states: dict[State, Known] = {}
        self.doubtful: set[str] = set()
        self.crowded: set[int] = set()  # sorts of which a member that is not told looks at others
        self.rows = [0] * len(companies.each)
        self.transitions = 0

    def explore(self, tell: Tell) -> None:
        """All states. Raises TooFew, Entangled, OutOfMemory, Unsuited."""
        first = self._crowds.first(self._companies.tallies.first(self._machine.initial()))
        told, shown = self._companies.take_apart(first)
        self._add(told, shown.others.values())
        steps = 0
        while self._todo:
            told = heappop(self._todo)[3]
            known = self.states[told]
            if known.done == len(known.kinds):
                continue  # it was there twice
            self._expand(told, known)
            steps += 1
            if steps % LOOK_UP_EVERY == 0:
                look_at_memory(self._memory)
                tell(Progress(-1, f"{len(self.states):,} states of any number of members"))

    # ------------------------------------------------------------ states

    def _add(self, told: State, kinds: Iterable[Kind]) -> None:
        known = self.states.get(told)
        if known is None:
            known = self.states[told] = Known({})
            self.rows = [max(pair) for pair in zip(self.rows, self._companies.rows(told), strict=True)]
            if any(rows >= most for rows, most in zip(self.rows, self._most, strict=True)):
                raise Unsuited("too few members for what is known of more")
        before = len(known.kinds)
        known.kinds.update(dict.fromkeys(kinds))
        if len(known.kinds) > before:
            self._put += 1
            again = known.done > 0
            heappush(self._todo, (again, -len(known.kinds) if again else 0, self._put, told))

    def _expand(self, told: State, known: Known) -> None:
        """The steps that there are with the kinds that were not looked at yet."""
        self._close(told, known)
        kinds = list(known.kinds)
        new, known.done = kinds[known.done :], len(kinds)
        if not self._enough(kinds):
            known.done = 0
            return
        shown = None if known.parts else self._companies.show(told, [], kinds)
        roles = list(known.parts) if shown is None else self._roles(told, shown)
        for kind in new:
            roles += [(kind, place) for place in self._places[kind.sort] if self._alone[kind.sort, kind.cells, place] is None]
        for role in roles:
            part = known.parts.setdefault(role, Part())
            if part.more or not part.ways or not all(self._extended(way, kinds) for way in part.ways.values()):
                shown = shown or self._companies.show(told, [], kinds)
                self._part(told, kinds, role, shown, part)

    def _enough(self, kinds: Sequence[Kind]) -> bool:
        """Whether there is somebody of each sort who is not told: so it is from some number of members on."""
        sorts = {kind.sort for kind in kinds}
        return all(number in sorts for number in range(len(self._companies.each)))

    def _extended(self, way: Way, kinds: Iterable[Kind]) -> bool:
        """Adds more kinds to where steps lead; False if one of those is in the way of what was merged."""
        new = [kind for kind in kinds if kind not in way.kinds]
        if not all(self._links.lets(link, new) for edge in way.edges for link in edge.links):
            return False
        way.kinds.update(new)
        for edge in way.edges if new else []:
            more = list(new)
            for turn in edge.turns:
                more = turn(more)
            self._add(edge.told, more)
        return True

    def _known(self, part: Part, case: Case, kinds: Iterable[Kind]) -> Way | None:
        """What is known of a step, with more kinds added; None if it has to be taken."""
        way = part.ways.get(case)
        return way if way is not None and self._extended(way, kinds) else None

    def _roles(self, told: State, shown: Shown) -> list[Role]:
        """The threads that are told, but for those that do the same as another one."""
        alike = self._crowds.alike(shown.state)
        return [thread for thread in self._threads if thread not in alike and (told[thread] or 0) >= FIRST_PLACE]

    # ------------------------------------------------------------ kinds by themselves

    def _close(self, told: State, known: Known) -> None:
        """Adds the kinds that come of the others' steps which are about themselves alone."""
        todo = list(known.kinds)[known.done :]
        while todo:
            kind = todo.pop()
            for place in self._places[kind.sort]:
                key = (kind.sort, kind.cells, place)
                if key not in self._alone:
                    self._learn(told, list(known.kinds), kind, place)
                for cells in self._becomes.get(key, ()):
                    new = kind.become(cells)
                    if new not in known.kinds:
                        known.kinds[new] = None
                        todo.append(new)

    def _learn(self, told: State, kinds: Sequence[Kind], kind: Kind, place: int) -> None:
        """Whether what a thread of the kind does is about its own element alone, and what comes of it then."""
        key = (kind.sort, kind.cells, place)
        self._alone[key] = None
        if not self._enough(kinds):
            del self._alone[key]
            return
        shown = self._companies.show(told, [kind], kinds)
        number = next(i for (sort, i), one in shown.others.items() if one == kind)
        company = self._companies.each[kind.sort]
        thread = company.members[number][place]
        control = shown.state[thread]
        if control < FIRST_PLACE:
            self._alone[key] = Part()
            return
        about = self._companies.about(control)
        if about.outside or any(element != (kind.sort, number) for element in about.elements):
            return
        becomes: list[tuple[object, ...]] = []
        results = self._machine.run(control)(shown.state)
        doubtful: set[str] = set()
        for _, after in results:
            self.transitions += 1
            if isinstance(after, Stop):
                doubtful.update([after.prop] if after.prop is not None else [])
                continue
            after = self._companies.settled(shown.state, thread, after)
            cells = company.kind_of(number, after)
            if cells is None or self._companies.loops(after[thread]) or not company.changed_alone(number, shown.state, after):
                return
            if self._companies.overflows(Shown(after, shown.seats, {(kind.sort, number): kind})):
                doubtful.add(RANGE)
            becomes.append(cells)
        self.doubtful |= doubtful
        self._alone[key] = Part(waits=not results, moves=bool(results))
        self._becomes[key] = tuple(becomes)

    def status(self, known: Known, kind: Kind, place: int) -> Part:
        """Whether a thread of a kind may have to wait, or move."""
        return self._alone[kind.sort, kind.cells, place] or known.parts[kind, place]

    # ------------------------------------------------------------ the steps of one thread

    def thread_of(self, role: Role, shown: Shown) -> int:
        """Of a state that is shown, the thread that has the role."""
        each = self._companies.each
        if isinstance(role, int):
            element = self._companies.element_of.get(role)
            if element is None:
                return role
            sort, row = element
            return each[sort].members[shown.seats[sort][row]][each[sort].members[row].index(role)]
        kind, place = role
        return each[kind.sort].members[next(i for (_, i), one in shown.others.items() if one == kind)][place]

    def _part(self, told: State, kinds: Sequence[Kind], role: Role, shown: Shown, part: Part) -> None:
        """All steps of one role, as far as they are not known. `shown`: the state with as many of these kinds as there is room for."""
        once = None if isinstance(role, int) else role[0]
        if once is not None:
            shown = self._companies.show(told, [], kinds, once)
        seen, changes = self.seen(shown, self.thread_of(role, shown))
        if not seen:
            self._run(told, kinds, shown, role, part, ())
            return
        part.more = True
        self.crowded.update([once.sort] if once is not None and once.sort in seen else [])
        full: set[Change] = set()
        for chosen in sorted(patterns(len(self._companies.each), kinds, seen), key=len, reverse=True):
            subset = [kind for group in chosen for kind in group]
            firsts = [group[0] for group in chosen]
            found = set(full)
            picked = self._taken(told, subset, subset if changes else firsts, role, part, (*firsts, None), found)
            for group in chosen:
                for kind in [] if picked.isdisjoint(group) else group:
                    if kind not in picked:  # the step does with it what it does with the first of its group: it tells of it
                        lead = [kind, *(one for one in firsts if one not in group)]
                        picked |= self._taken(told, subset, lead, role, part, (*firsts, kind), found)
            if len(subset) == len(kinds):
                full = found

    def _taken(
        self, told: State, kinds: Sequence[Kind], lead: Sequence[Kind], role: Role, part: Part, case: Case, taken: set[Change]
    ) -> set[Kind]:
        """The steps where these others are there, and are looked at. Of those others, whom any step is about."""
        way = self._known(part, case, kinds)
        if way is not None and not way.orders:
            taken |= way.taken
            return set(way.picked)
        shown = self._companies.show(told, lead, kinds, None if isinstance(role, int) else role[0])
        return self._run(told, kinds, shown, role, part, case, taken)

    def seen(self, shown: Shown, thread: int) -> tuple[dict[int, frozenset[int]], bool]:
        """By sort, the cells that a thread's step looks at of members that are not told, beside its own; and whether it changes any."""
        own = self._companies.element_of.get(thread)
        others = {element: kind for element, kind in shown.others.items() if element != own}
        about = self._companies.about(shown.state[thread])
        return self._companies.seen(about, Shown(shown.state, shown.seats, others)), any(element in others for element in about.changes)

    def _run(
        self, told: State, kinds: Sequence[Kind], shown: Shown, role: Role, part: Part, case: Case, taken: set[Change] | None = None
    ) -> set[Kind]:
        """The steps where others are of these kinds, which look at no more than whether there are any. `taken`: what those change that
        were taken already, with all of these kinds; these are added. If it is given, the kinds of those others that any step is about."""
        thread = self.thread_of(role, shown)
        control = shown.state[thread]
        takes = self._companies.about(control).takes
        part.more |= bool(takes)
        there = kinds if isinstance(role, int) else [*kinds, role[0]]
        picked: set[Kind] = set()
        orders = begins = False
        for state in self._companies.valued(shown, takes, there):
            key = (*case, *(state[slot] for slot in takes))
            way = self._known(part, key, kinds)
            if way is None:
                way = part.ways[key] = Way(set(kinds))
                self._step(state, shown, thread, part, way, kinds, taken)
            picked |= way.picked
            orders |= way.orders
            begins |= way.begins
            if taken is not None:
                taken |= way.taken
        if orders:
            part.more = True
            self._order(told, kinds, shown, role, part, case, begins=begins)
        return picked

    def _step(
        self, state: State, shown: Shown, thread: int, part: Part, way: Way, kinds: Sequence[Kind], taken: set[Change] | None
    ) -> None:
        """One thread's step from there, but for what comes to another element of a `for`."""
        control = state[thread]
        results = self._machine.run(control)(state)
        part.moves |= bool(results)
        part.waits |= not results
        for _, after in results:
            if not isinstance(after, Stop) and self._companies.loops(after[thread]) != self._companies.loops(control):
                way.orders = True
                way.begins |= self._begins(control, after[thread])
                continue
            if taken is not None and not isinstance(after, Stop):
                change = self._companies.change(shown, state, after)
                way.picked.update(change.others)
                if change in taken or change in way.taken:
                    continue
                way.taken.add(change)
            self._arrive(kinds, (state, thread, after), way)

    def _begins(self, before: int, after: int) -> bool:
        """Whether a `for` begins, where a thread gets from one control to another."""
        old = [(one.stmt, one.below) for one in self._companies.loops(before)]
        return any((one.stmt, one.below) not in old or one.place == 0 for one in self._companies.loops(after))

    def _order(self, told: State, kinds: Sequence[Kind], shown: Shown, role: Role, part: Part, case: Case, *, begins: bool) -> None:
        """The steps that come to another element of a `for`, or to its end, or to the first one of another: each kind may be next, if
        nobody is before it. `begins`: another `for` may begin while this one has some left. Raises Entangled."""
        thread = self.thread_of(role, shown)
        for number, company in enumerate(self._companies.each):
            mine = [index for index, (other, _) in enumerate(company.passes(shown.state)) if other == thread]
            here = [kind for kind in kinds if kind.sort == number]
            away = [kind for kind in kinds if kind.sort != number]
            if len(mine) > 1:
                raise Entangled
            for index in mine:
                for kind in here:
                    if kind.colour[index] == LEFT:
                        those = [one for one in here if one.colour[index] != LEFT or one.colour >= kind.colour]
                        self._ordered(told, [*those, *away], [kind], role, part, (*case, number, NEXT))
                rest = [kind for kind in here if kind.colour[index] != LEFT]
                if self._ordered(told, [*rest, *away], [], role, part, (*case, number, END)):
                    self._fronts(told, rest, away, role, part, (*case, number, END))
            if begins:
                self._fronts(told, here, away, role, part, (*case, number, NEXT))

    def _fronts(self, told: State, here: Sequence[Kind], away: Sequence[Kind], role: Role, part: Part, case: Case) -> None:
        """Each kind may be the first."""
        for kind in here:
            self._ordered(told, [*(one for one in here if one.colour >= kind.colour), *away], [kind], role, part, (*case, FRONT))

    def _ordered(self, told: State, kinds: Sequence[Kind], first: Sequence[Kind], role: Role, part: Part, case: Case) -> bool:
        """The steps where others are of these kinds, and of these the first; whether a `for` begins in one."""
        if not self._enough(kinds):
            return False
        case = (*case, *first)
        way = self._known(part, case, kinds)
        if way is not None:
            return way.begins
        begins = False
        shown = self._companies.show(told, first, kinds)
        thread = self.thread_of(role, shown)
        control = shown.state[thread]
        takes = self._companies.about(control).takes
        for state in self._companies.valued(shown, takes, kinds):
            key = (*case, *(state[slot] for slot in takes))
            way = self._known(part, key, kinds)
            if way is None:
                way = part.ways[key] = Way(set(kinds))
                for _, after in self._machine.run(control)(state):
                    way.begins |= not isinstance(after, Stop) and self._begins(control, after[thread])
                    self._arrive(kinds, (state, thread, after), way)
            begins |= way.begins
        return begins

    # ------------------------------------------------------------ what comes of a step

    def _arrive(self, kinds: Sequence[Kind], step: tuple[State, int, State | Stop], way: Way) -> None:
        """Adds what comes of a step, and of the quiet ones behind it."""
        self.transitions += 1
        before, thread, after = step
        if isinstance(after, Stop):
            self.doubtful.update([after.prop] if after.prop is not None else [])
            return
        todo: list[tuple[State, State, Sequence[Kind], tuple[Step, ...], tuple[Turn, ...], tuple[Link, ...]]]
        todo = [(before, after, kinds, (), (), ())]
        while todo:
            before, after, kinds, steps, turns, links = todo.pop()
            came = self._links.came(before, thread, after)
            after, turn, link = came.after, came.turn, came.link
            steps = (*steps, (before, thread, after))
            turns = turns if turn is None else (*turns, turn)
            kinds = list(dict.fromkeys([*came.kinds, *(kinds if turn is None else turn(kinds))]))
            if came.overflows:
                self.doubtful.add(RANGE)
            passed = [step[0][thread] for step in steps[1:]]
            if link is None or after[thread] in passed or not self._links.lets(link, [kind for kind in kinds if kind not in came.kinds]):
                for end in self._crowds.after(steps[0][0], steps, after):
                    last = came.told if end is after else self._companies.take_apart(end)[0]
                    self._add(last, kinds)
                    way.edges.append(Edge(last, turns, links))
            else:
                todo += [(after, end, kinds, steps, turns, (*links, link)) for end in link.ends]
