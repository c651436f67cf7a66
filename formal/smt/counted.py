"""The obligations of an invariant in which statements and locks need not be counted on, clause by clause.

In: a program, the properties to prove, an invariant, and what has a switch: statements (`formal.smt.loosening`) and locks. Out: for one
property, or for one clause after a step, the clauses and the switches from which it follows; None if it does not. It must not know where
the invariant is from, nor what it is asked for.

A lock whose switch is off is one for each thread: it keeps nobody out, and `holds` says what it said. A state then has a Boolean for each
thread that may have the lock, and several may be true. Who takes it finds it free if he has not got it himself; with the switch on, if
nobody has it, so that at most one has it: that is what the switch says of states. A clause on the owner says of these Booleans what it says
where one of them is true at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import z3

from formal.invariant import Invariant
from formal.netlist import Term, in_order
from formal.program import MutexDecl, Program, Property, RwlockDecl
from formal.smt.badness import invariant_broken
from formal.smt.changes import Among, Change, Changes, Index
from formal.smt.layout import Cell
from formal.smt.loosening import Loosening
from formal.smt.parts import Part
from formal.smt.pool import Inconclusive
from formal.smt.solver import Model
from formal.smt.standpoints import Standpoints, TooMuchWork
from formal.smt.terms import check

NOBODY: Final = -1  # as the owner of a lock
Lock: TypeAlias = MutexDecl | RwlockDecl


@dataclass(frozen=True, slots=True)
class Support:
    """Numbers of clauses, and of switches."""

    clauses: frozenset[int]
    switches: frozenset[int]


class Counted:
    """`clauses`: how many there are; `beginning`: those that the first state has; `always`: those that have to hold for the others to be
    about states at all. Switches have the numbers that they are given by. Raises UnknownName, TooManyCases, EncodingLimitError."""

    def __init__(
        self,
        program: Program,
        properties: Sequence[Property],
        invariant: Invariant,
        statements: Mapping[int, int],
        locks: Mapping[Lock, int],
    ) -> None:
        """`statements`: switches by uid; `locks`: switches of locks that nobody takes twice, and nobody asks the owner of."""
        self._names = {number: f"counts {number}" for number in (*statements.values(), *locks.values())}
        switches = {uid: z3.Bool(self._names[number]) for uid, number in statements.items()}
        self._literals: dict[str, Any] = {}
        self._changes = Changes(program, Loosening(switches))
        self._terms = self._changes.terms
        self._held: dict[Part, tuple[Term, Mapping[int, Term]]] = {}  # of a lock's owner: the switch, and who has it
        self._reading: dict[Part, tuple[Term, int]] = {}  # whether some thread reads: the switch, and the thread
        self._privatise(locks)
        steps = [self._loosened(change) for change in self._changes.all]
        ranges = [((part, frozenset(part.values)),) for part in self._changes.parts.all if part not in self._held]
        own = [*self._changes.proper, *map(self._changes.named, dict.fromkeys((*invariant, *self._standing())))]
        everything = [*own, *ranges]
        self.clauses = len(everything)
        self.always = frozenset(range(len(own), self.clauses))
        self.beginning = tuple(number for number, clause in enumerate(everything) if any(p.cell.initial in values for p, values in clause))
        self._solver = z3.SolverFor("QF_FD")
        self._translator = _Translator(self._changes, {part: held for part, (_, held) in self._held.items()}, self._solver)
        for switch, held in self._held.values():
            if len(held) > 1:
                self._solver.add(z3.Implies(self._translator.of(switch), z3.AtMost(*map(self._translator.of, held.values()), 1)))
        self._assert(everything, steps)
        self._unsafe = {prop.name: self._named(f"unsafe {prop.name}", self._badness(prop)) for prop in properties}

    def _standing(self) -> Invariant:
        """What parts can be where threads stand, with all switches off: clauses that may hold though little is counted on."""
        try:
            return Standpoints(self._changes).invariant()
        except TooMuchWork:
            return ()

    # ------------------------------------------------------------ questions

    def safe(self, prop: str, clauses: Collection[int], switches: Collection[int]) -> Support | None:
        """What it follows from that nothing violates a property. Raises Inconclusive."""
        return self._ask(self._unsafe[prop], clauses, switches)

    def kept(self, clause: int, clauses: Collection[int], switches: Collection[int]) -> Support | frozenset[int]:
        """What it follows from that a clause holds after each step; else those of the clauses that one step breaks, which is this one and
        maybe others. Raises Inconclusive."""
        found = self._ask(self._broken[clause], clauses, switches)
        return self._lost(clause, clauses) if found is None else found

    def _lost(self, clause: int, clauses: Collection[int]) -> frozenset[int]:
        """What is broken where the solver has just found that this clause is."""
        model = Model(self._solver.model())
        broken = [number for number in sorted(clauses) if self._broken[number] is not None and model.truth(self._broken[number])]
        return frozenset((clause, *broken))

    def _ask(self, question: Any, clauses: Collection[int], switches: Collection[int]) -> Support | None:
        if question is None:
            return Support(frozenset(), frozenset())
        here = {f"here {number}": number for number in sorted(clauses)}
        on = {self._names[number]: number for number in sorted(switches)}
        answer = check(self._solver, [question, *(self._literal(name) for name in (*here, *on))])
        if answer == z3.unknown:
            raise Inconclusive(self._solver.reason_unknown())
        if answer == z3.sat:
            return None
        names = [literal.decl().name() for literal in self._solver.unsat_core()]
        return Support(frozenset(here[one] for one in names if one in here), frozenset(on[one] for one in names if one in on))

    def _literal(self, name: str) -> Any:
        """A Boolean, made once: questions are asked under hundreds of them."""
        known = self._literals.get(name)
        if known is None:
            known = self._literals[name] = z3.Bool(name)
        return known

    # ------------------------------------------------------------ what is asserted

    def _assert(self, clauses: Sequence[Sequence[Among]], steps: Sequence[Change]) -> None:
        lost: list[list[Term]] = [[] for _ in clauses]
        index = Index(clauses)
        for step in steps:
            for number in sorted(index.endangered(step)):
                broken = self._terms.negation(self._terms.disjunction(self._then(step, part, values) for part, values in clauses[number]))
                lost[number].append(self._terms.conjunction((step.guard, broken)))
        for number, clause in enumerate(clauses):
            here = self._terms.disjunction(self._now(part, values) for part, values in clause)
            self._solver.add(z3.Implies(z3.Bool(f"here {number}"), self._translator.of(here)))
        self._broken = [self._named(f"broken {number}", self._terms.disjunction(some)) for number, some in enumerate(lost)]

    def _named(self, name: str, term: Term) -> Any:
        """A Boolean that is what a term is; None if the term is false."""
        if term is self._terms.false:
            return None
        made = z3.Bool(name)
        self._solver.add(made == self._translator.of(term))
        return made

    def _badness(self, prop: Property) -> Term:
        blows = [self._seen_by(one.thread, one.guard) for one in self._changes.faults if one.prop == prop.name]
        if prop.kind == "invariant":
            blows.append(self._changes.finite.truth(invariant_broken(self._changes.stage, prop)))
        return self._terms.disjunction(blows)

    # ------------------------------------------------------------ locks

    def _privatise(self, locks: Mapping[Lock, int]) -> None:
        finite, layout = self._changes.finite, self._changes.stage.layout
        parts = {part.cell: part for part in self._changes.parts.all}
        for lock, number in locks.items():
            switch = self._terms.var(self._names[number], 0)
            cells: tuple[Cell, ...] = layout.owner[lock] if isinstance(lock, MutexDecl) else layout.writer[lock]
            for part in (parts[cell] for cell in cells if cell in parts):
                if len(part.values) > 2:
                    self._held[part] = switch, {value: finite.has(part, value) for value in part.values if value != NOBODY}
            for row in layout.readers[lock] if isinstance(lock, RwlockDecl) else ():
                self._reading.update({parts[cell]: (switch, thread) for thread, cell in enumerate(row) if cell in parts})

    def _seen_by(self, thread: int, term: Term) -> Term:
        """A term of a step of this thread: whether a lock is free is a matter of the others only where the lock's switch is on."""
        finite, terms = self._changes.finite, self._terms

        def put(part: Part, values: frozenset[int]) -> Term | None:
            if part in self._held and NOBODY in values:
                switch, held = self._held[part]
                mine = terms.negation(held[thread]) if thread in held else terms.true
                return terms.ite(switch, terms.negation(terms.disjunction(held.values())), mine)
            if part in self._reading and self._reading[part][1] != thread:
                return terms.conjunction((self._reading[part][0], finite.has(part, 1)))
            return None

        return finite.replaced(term, put)

    def _loosened(self, change: Change) -> Change:
        """The change with locks that may be private. Nothing is known for sure of who has one, before or after."""
        thread = change.thread
        known = {part: value for part, value in change.known.items() if part not in self._held and part not in self._reading}
        after = {}
        for part, cases in change.after.items():
            seen = {value: self._seen_by(thread, when) for value, when in cases.items()}
            if part in self._held:
                mine = seen.get(thread, self._terms.false)
                seen = {thread: mine, NOBODY: self._terms.negation(mine)}
            after[part] = seen
        return replace(change, guard=self._seen_by(thread, change.guard), known=known, after=after)

    def _now(self, part: Part, values: frozenset[int]) -> Term:
        if part not in self._held:
            return self._changes.finite.among(part, values)
        return self._has(self._held[part][1], values)

    def _then(self, change: Change, part: Part, values: frozenset[int]) -> Term:
        if part not in self._held:
            return self._changes.then(change, part, values)
        held = self._held[part][1]
        if part in change.after:
            held = {**held, change.thread: change.after[part][change.thread]}
        return self._has(held, values)

    def _has(self, held: Mapping[int, Term], values: frozenset[int]) -> Term:
        """A literal on the owner: nobody else has it, or one of these has it."""
        if NOBODY in values:
            return self._terms.negation(self._terms.disjunction(when for value, when in held.items() if value not in values))
        return self._terms.disjunction(when for value, when in held.items() if value in values)


class _Translator:
    """Terms over values as terms of the solver. A part has one of its values, by digits; of a lock that may be private, each thread has a
    Boolean of its own."""

    def __init__(self, changes: Changes, held: Mapping[Part, Mapping[int, Term]], solver: Any) -> None:
        self._finite = changes.finite
        self._held = held
        self._solver = solver
        self._known: dict[Term, Any] = {}
        self._told: set[str] = set()

    def of(self, term: Term) -> Any:
        """The term."""
        for one in in_order([term]):
            if one not in self._known:
                self._known[one] = self._made(one)
        return self._known[term]

    def _made(self, term: Term) -> Any:
        args = [self._known[arg] for arg in term.args]
        match term.op:
            case "const":
                return z3.BoolVal(bool(term.number))
            case "var":
                return self._variable(str(term.value))
            case "and":
                return z3.And(*args)
            case "or":
                return z3.Or(*args)
            case "not":
                return z3.Not(*args)
            case "ite":
                return z3.If(*args)
            case "eq":
                return args[0] == args[1]
            case "xor":
                return z3.Xor(*args)
            case op:
                raise AssertionError(f"{op} is no operator over Booleans")

    def _variable(self, name: str) -> Any:
        if name in self._finite.parts:
            part, told = self._finite.parts[name]
            if part in self._held:
                return z3.Bool(name) if told != NOBODY else z3.Not(z3.Or(*(self.of(one) for one in self._held[part].values())))
            if not part.cell.truth and len(part.values) > 2:
                self._digits(part.name, {f"{part.name}={value}": number for number, value in enumerate(part.domain)}, True)
        elif name in self._finite.choices:
            of, width, value = self._finite.choices[name]
            self._meaning(of, name, value, width)
        return z3.Bool(name)

    def _digits(self, of: str, numbers: Mapping[str, int], whole: bool) -> None:
        """What the values of a part are, once."""
        if of in self._told:
            return
        self._told.add(of)
        for name, number in numbers.items():
            self._meaning(of, name, number, (len(numbers) - 1).bit_length())
        if whole:
            self._solver.add(z3.Or(*map(z3.Bool, numbers)))

    def _meaning(self, of: str, name: str, number: int, width: int) -> None:
        digits: Iterable[Any] = (z3.Bool(f"{of} {bit}") for bit in range(width))
        self._solver.add(z3.Bool(name) == z3.And(*(one if number >> bit & 1 else z3.Not(one) for bit, one in enumerate(digits))))
