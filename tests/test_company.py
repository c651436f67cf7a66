"""Searches in which few members are told: whatever a program with so many members comes to, they have come to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from differential import safety
from swarms import Swarm
from test_families import Crowd, held_to
from test_interp import program_of

from formal.engines import members
from formal.engines.company import Search
from formal.engines.exploration import FIRST_PLACE
from formal.engines.protocol import Options
from formal.engines.untold import Untold
from formal.frontend import load
from formal.interp import Companies, Entangled, Kind, Machine, State, Stop, TooFew, Uncountable
from formal.program import Program

MODELS = Path(__file__).parent.parent / "models"
WALKS: Final = 12
STEPS: Final = 120


class Pollers:
    """A random model of a family of N threads which each have a bottom half, of somebody who polls, and perhaps of somebody else: of
    those whose bottom half is pending there are many kinds."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)

    def text(self) -> str:
        own = " ".join(self.own() for _ in range(self._pick.randint(2, 5)))
        polls = ("{0}", "{0} x = false;", "with L {{ {0} }}", "poll X; await pending(X);", "choose {{ {0} }} or {{ x = !x; }}")
        lines = [
            "param N in 1..* = 9;",
            "mutex L; sem S[N] max 1 = 0; 0..2 n[N]; bool f[N]; bool x; 0..3 k; context X;",
            "bh c on X { x = true; }",
            f"bh b[i: N] on X {{ {self.handled()} {self.handled()} }}",
            f"thread t[i: N] {{ {own} }}",
            f"thread u {{ loop {{ {self._pick.choice(polls).format('poll X blocking;')} }} }}",
            self._pick.choice(("", "thread w { with L { x = true; } }", "thread w { schedule c; }")),
            "deadlock free;",
            "invariant a: !x || k < 3;",
            "invariant b: forall v in 0..N - 1: n[v] != 2 || x;",
        ]
        return "\n".join(lines)

    def own(self) -> str:
        return self._pick.choice(
            (
                "n[i] = 1;",
                "n[i] = 2;",
                "f[i] = true;",
                "f[i] = x;",
                "n[i] = x ? 2 : 0;",
                "schedule b[i];",
                "schedule b[i];",
                "post S[i];",
                "choose { n[i] = 1; } or { schedule b[i]; }",
                "choose { f[i] = true; } or { n[i] = 0; }",
                "wait S[i];",
                "await !pending(b[i]);",
            )
        )

    def handled(self) -> str:
        return self._pick.choice(
            (
                "n[i] = 0;",
                "f[i] = false;",
                "x = !x;",
                "x = f[i];",
                "post S[i];",
                "if (n[i] == 1) { x = true; }",
                "schedule c;",
                "k = k < 3 ? k + 1 : 0;",
                "assert !x || f[i];",
                "lock L; unlock L;",
            )
        )


def searched(program: Program, size: int, without: tuple[str, ...] = ("merging",), family: members.Family | None = None) -> Untold | None:
    """All states of any number of members, by default with no quiet steps left out; None where it is too few, or nothing can be said."""
    names = safety(program)
    asked = [prop for prop in program.properties if prop.name in names]
    try:
        family = members.family(program, ()) if family is None else family
        if not family.untold:
            return None
        untold = Untold(family, asked, Options(names, without=frozenset(without)), size)
        untold.explore(lambda _: None)
    except (TooFew, Entangled, Uncountable, members.Unsuited):
        return None
    return untold


def walks(machine: Machine, companies: Companies, seed: int) -> Iterator[State]:
    """States that random executions come to, one after the other, with what each has given of the semaphores that grow."""
    pick, tallies = random.Random(seed), companies.tallies
    for _ in range(WALKS):
        state = tallies.first(machine.initial())
        for _ in range(STEPS):
            yield state
            new = list(state)
            everybody = [range(company.size) for company in companies.each]
            for slot, (value, _, _) in tallies.sums(state, everybody, [{} for _ in everybody]).items():
                new[slot] = value
            running = [thread for thread in range(len(machine.program.threads)) if (state[thread] or 0) >= FIRST_PLACE]
            steps = [(thread, after) for thread in running for _, after in machine.run(state[thread])(tuple(new))]
            ways = [(thread, after) for thread, after in steps if not isinstance(after, Stop)]
            if not ways:
                break
            thread, after = pick.choice(ways)
            state = tallies.cleared(companies.settled(tuple(new), thread, after))


def looked_at(program: Program, size: int, seed: int) -> int:
    """How many states of random executions are among those of the search, which are all."""
    untold = searched(program, size)
    count = 0
    for state in walks(untold.machine, untold.companies, seed) if untold is not None else ():
        assert untold is not None
        told, shown = untold.companies.take_apart(state)
        assert told in untold.search.states, f"with {size}"
        assert set(shown.others.values()) <= untold.search.states[told].kinds.keys(), f"with {size}"
        count += 1
    return count


@pytest.mark.parametrize("seed", range(16))
def test_whoever_is_picked_of_many_kinds_the_others_are_there(seed: int) -> None:
    assert looked_at(program_of(Pollers(seed).text()), 4 + seed % 2, seed)


def test_what_members_come_to_is_told() -> None:
    assert sum(looked_at(program_of(Crowd(seed, loops=seed % 2 > 0).text()), 4, seed) for seed in range(20)) > 5 * STEPS


def test_what_members_come_to_by_a_few_constructs_is_told() -> None:
    assert sum(looked_at(program_of(Swarm(seed).text()), 4, seed) for seed in range(30)) > 5 * STEPS


@pytest.mark.parametrize("name", ["multifd_sync_unlocked", "multifd_sync_locked"])
def test_what_channels_come_to_is_told(name: str) -> None:
    program = load(str(MODELS / f"{name}.dsl"), {"CHANNELS": "8"}).program
    assert program is not None
    assert looked_at(program, 4, 1)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_proved_of_those_who_are_polled_holds_at_each_size(seed: int) -> None:
    held_to(Pollers(seed).text(), (), 200)


def told_of(untold: Untold | None) -> object:
    """What a search has come to: its states with their kinds, and whether whoever is there may have to wait, or move."""
    if untold is None:
        return None
    each = {}
    for told, known in untold.search.states.items():
        roles = {
            role if isinstance(role, int) else (said(role[0]), role[1]): (part.waits, part.moves) for role, part in known.parts.items()
        }
        each[told] = set(map(said, known.kinds)), roles
    return each, untold.doubtful, untold.first


def said(kind: Kind) -> object:
    """What is said of an element of this kind."""
    return kind.sort, kind.colour, kind.cells


@pytest.mark.parametrize("without", [(), ("merging",)])
def test_what_is_known_of_a_step_is_what_comes_of_it_when_it_is_taken_again(
    monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...]
) -> None:
    again = 0
    for seed in range(24):
        text = Pollers(seed).text() if seed % 3 == 0 else Crowd(seed, loops=seed % 3 == 1).text()
        program = program_of(text)
        try:
            family = members.family(program, ())
        except members.Unsuited:
            continue
        first = searched(program, 4, without, family)
        with monkeypatch.context() as forgetful:
            forgetful.setattr(Search, "_extended", lambda *_: False)
            other = searched(program, 4, without, family)
        assert told_of(first) == told_of(other), text
        again += first is not None and other is not None and first.transitions < other.transitions
    assert again > 5
