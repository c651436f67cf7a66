"""Sets of edits that are left: exactly those with which no way through any diagram leads to a violation, the cheapest first."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations

from formal.repair.candidates import Candidates
from formal.repair.edits import Act, Deletion, Edit, Insertion, Offer
from formal.repair.ruling_out import Arc, Diagram

MOST = 5


def the_offer(pick: random.Random) -> Offer:
    """Deletions, and pairs around runs of statements; some acts are in several edits."""
    lines = range(5)
    edits = [Edit("delete", "f", (Deletion(("f", n, n + 1)), Deletion(("f", n + 1, n + 2))), 1, 0) for n in pick.sample(range(4), 2)]
    runs = pick.sample([(a, b) for a in lines for b in lines if a <= b], 5)
    edits += [Edit("insert", "f", (before(a), Insertion(("f", b, b + 1), True, "unlock")), 2, b - a + 1) for a, b in runs]
    return Offer(tuple(edits), tuple(frozenset({before(n), Insertion(("f", n - 1, n), True, "unlock")}) for n in lines), ("f",))


def before(line: int) -> Insertion:
    return Insertion(("f", line, line + 1), False, "lock")


def the_diagram(pick: random.Random, acts: Sequence[Act]) -> Diagram:
    """Any arcs between a few nodes, circles too; nodes that go on alike are frequent."""
    arcs = []
    for source in range(7):
        for _ in range(pick.randint(0, 3)):
            rests = tuple((act, pick.random() < 0.3) for act in pick.sample(acts, pick.randint(0, 2)))
            arcs.append(Arc(source, rests, None if pick.random() < 0.3 else pick.randint(0, 6)))
    return Diagram(0, arcs)


def violated(found: Diagram, made: set[Act]) -> bool:
    """Whether there is a way to a violation with these acts."""
    todo, seen = [found.root], {found.root}
    while todo:
        node = todo.pop()
        for arc in found.arcs:
            if arc.source == node and all((act in made) == wanted for act, wanted in arc.rests):
                if arc.target is None:
                    return True
                if arc.target not in seen:
                    seen.add(arc.target)
                    todo.append(arc.target)
    return False


def sets_left(offered: Offer, diagrams: Sequence[Diagram]) -> Iterator[frozenset[Edit]]:
    """All that cost no more, one after the other."""
    for size in range(MOST + 1):
        for chosen in combinations(offered.edits, size):
            acts = [act for edit in chosen for act in edit.acts]
            apart = len(set(acts)) == len(acts) and all(len([act for act in acts if act in gap]) < 2 for gap in offered.gaps)
            cheap = sum(edit.cost for edit in chosen) <= MOST
            if apart and cheap and not any(violated(one, set(acts)) for one in diagrams):
                yield frozenset(chosen)


def test_what_is_left_is_what_no_diagram_speaks_against() -> None:
    left = 0
    for seed in range(60):
        pick = random.Random(seed)
        offered = the_offer(pick)
        acts = sorted({act for edit in offered.edits for act in edit.acts}, key=str)
        diagrams = [the_diagram(pick, acts) for _ in range(3)]
        candidates = Candidates(offered, MOST)
        for one in diagrams:
            candidates.rule_out(one)
        found: list[frozenset[Edit]] = []
        while (edits := candidates.next(MOST)) is not None:
            assert candidates.allows(edits)
            found.append(frozenset(edits))
            candidates.rule_out_exactly(edits)
            assert not candidates.allows(edits)
        assert len(found) == len(set(found))
        assert set(found) == set(sets_left(offered, diagrams)), seed
        costs = [sum(edit.cost for edit in one) for one in found]
        assert costs == sorted(costs)
        left += len(found)
    assert left > 60


def test_as_narrow_as_can_be() -> None:
    """Of pairs around nested runs the inner one comes first, unless something speaks against it."""
    pairs = [
        Edit("insert", "f", (before(a), Insertion(("f", b, b + 1), True, "unlock")), 2, b - a + 1) for a, b in ((0, 4), (1, 3), (2, 2))
    ]
    outer, between, inner = pairs
    candidates = Candidates(Offer((outer, between, inner), (), ("f",)), MOST)
    candidates.rule_out(Diagram(0, [Arc(0, tuple((before(n), False) for n in (0, 1, 2)), None), Arc(0, ((before(2), True),), None)]))
    assert candidates.next(MOST) == (between,)
    supposed = candidates.suppose((between,))
    assert candidates.next(MOST) is None
    candidates.settle(supposed, repair=True)
    assert candidates.next(MOST) is None
    assert not candidates.left()


def test_nodes_with_the_same_ways_on_are_one() -> None:
    """A second run that ends as the first did costs two clauses: its beginning."""
    acts = [before(n) for n in range(5)]
    edits = tuple(Edit("insert", "f", (act,), 2, 1) for act in acts)
    candidates = Candidates(Offer(edits, (), ("f",)), MOST)
    rest = [Arc(n, ((acts[n], False),), n + 1) for n in range(1, 4)]
    candidates.rule_out(Diagram(1, [*rest, Arc(4, ((acts[4], False),), None)]))
    known = candidates._chooser.variable()
    candidates.rule_out(
        Diagram(7, [Arc(7, ((acts[0], True),), 1), Arc(7, ((acts[0], False),), None), *rest, Arc(4, ((acts[4], False),), None)])
    )
    assert candidates._chooser.variable() == known + 2
    assert candidates.next(MOST) is not None


def test_what_was_left_out_for_a_repair_that_is_none_comes_back() -> None:
    """And it may be cheaper than what was looked at meanwhile."""
    edits = tuple(Edit("insert", "f", (before(n),), 2, 1) for n in range(3))
    candidates = Candidates(Offer(edits, (), ("f",)), 6)
    first = [Arc(0, ((before(0), False),), None)]
    candidates.rule_out(Diagram(0, first))
    assert candidates.next(6) == edits[:1]
    candidates.rule_out_exactly(edits[:1])
    supposed = candidates.suppose(edits[:1])
    assert candidates.next(6) is None
    candidates.settle(supposed, repair=False)
    again = candidates.next(6)
    assert again is not None
    assert sum(edit.cost for edit in again) == 4
