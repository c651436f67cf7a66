"""A program as a transition system for other tools: the very relation that the engines use, in the terms of `formal.netlist`.

In: a program and the names of properties. Out: `System`, with the names that witnesses have, and its executions up to a length as a
script. Nothing is reduced, and no lemma is assumed. It must not know any file format but SMT-LIB, which z3 writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import z3

from formal.netlist import Bad, Input, StateVar, System, Terms
from formal.program import Program, Property
from formal.smt.badness import Badness, badness
from formal.smt.bounded import SHARED_FROM
from formal.smt.deadlock import Standstill
from formal.smt.layout import Cell, lay_out
from formal.smt.lower import lower
from formal.smt.obligations import script
from formal.smt.parts import Part, Parts
from formal.smt.reading import Reading
from formal.smt.relation import WHO, Relation, relate
from formal.smt.terms import any_of, as_term
from formal.smt.unroll import Bundle, Unrolling, cell_term

_ITS_OWN: Final = frozenset({"bvsdiv_i", "bvudiv_i", "bvsrem_i", "bvurem_i", "bvsmod_i"})


@dataclass(frozen=True, slots=True)
class Encoded:
    """A program's relation, and what is bad about its states."""

    relation: Relation
    found: Badness
    properties: tuple[Property, ...]

    @property
    def of_steps(self) -> Mapping[str, Any]:
        """By property asked for, when a step violates it."""
        return {p.name: self.relation.failing.get(p.name, False) for p in self.properties if p.name not in self.found.terms}


def encode(program: Program, properties: Sequence[Property]) -> Encoded:
    """The relation of a program, for these properties, none of them liveness. Raises EncodingLimitError if it is too large."""
    cfg = lower(program)
    layout = lay_out(cfg)
    relation = relate(cfg, layout, len(layout.threads) >= SHARED_FROM)
    return Encoded(relation, badness(relation, Standstill(relation), properties), tuple(properties))


def system(program: Program, properties: Sequence[Property]) -> System:
    """The transition system. Raises EncodingLimitError."""
    encoded = encode(program, properties)
    relation, terms = encoded.relation, Terms()
    parts = {part.cell: part for part in Parts(relation).all}
    variables = {part.cell.name: terms.var(part.name, _width(cell)) for cell, part in parts.items()}
    reading = Reading(terms, variables)
    threads = [thread.name for thread in program.threads]
    states = tuple(
        StateVar(
            part.name,
            variables[cell.name],
            terms.const(cell.initial, _width(cell)).number or 0,
            cell.lo,
            cell.hi,
            _named(part),
            reading.of(cell_term(cell, relation.next[cell])),
        )
        for cell, part in parts.items()
    )
    inputs = [_input(reading, term, threads) for term in (*relation.inputs, *encoded.found.free)]
    bads = [Bad(p.name, p.kind, reading.of(_violated(encoded, p.name)), p.name in encoded.of_steps) for p in properties]
    return System(terms, states, tuple(inputs), reading.of(relation.going), tuple(bads))


def _width(cell: Cell) -> int:
    return 0 if cell.truth else int(cell_term(cell, cell.value).size())


def _violated(encoded: Encoded, name: str) -> Any:
    return encoded.found.terms[name] if name in encoded.found.terms else encoded.of_steps[name]


def _named(part: Part) -> dict[int, str]:
    """The names of values that are more than their digits."""
    return {} if part.cell.truth else {number: name for number, name in zip(part.values, part.domain, strict=True) if name != str(number)}


def _input(reading: Reading, term: Any, threads: Sequence[str]) -> Input:
    name, read = str(term.decl().name()), reading.of(term)
    return Input(name, read, dict(enumerate(threads)) if name == WHO else {})


def unrolled(program: Program, properties: Sequence[Property], depth: int) -> str:
    """An SMT-LIB 2 script in QF_BV that is satisfiable exactly if some execution violates a property within `depth` steps. Constants are
    called after what they hold after so many steps (`BQL.owner@3`), `violated NAME@k` is the violation by step k or the state after it.
    Raises EncodingLimitError."""
    encoded = encode(program, properties)
    unrolling = Unrolling(encoded.relation)
    states = Bundle(list(encoded.found.terms.values()))
    formulas: list[Any] = []
    questions: list[Any] = []
    reached: Any = z3.BoolVal(True)  # all steps so far go on

    def ask(name: str, index: int, term: Any) -> None:
        if not z3.is_false(term):
            literal = z3.Bool(f"violated {name}@{index}")
            formulas.append(literal == z3.And(reached, term))
            questions.append(literal)

    for index in range(depth + 1):
        if index:
            step = unrolling.extend()
            formulas += step.definitions
            for name in encoded.of_steps:
                ask(name, index, step.failing.get(name, z3.BoolVal(False)))
            before, reached = reached, z3.Bool(f"reached@{index}")
            formulas.append(reached == z3.And(before, step.going))
        free = [(x, z3.Bool(f"{x.decl().name()}@{index}")) for x in encoded.found.free]
        terms = states.copy([*unrolling.pairs(index), *free], index <= 1)
        for name, term in zip(encoded.found.terms, terms, strict=True):
            ask(name, index, term)
    return _renamed(script([*formulas, as_term(any_of(questions))]), encoded.relation)


def _renamed(text: str, relation: Relation) -> str:
    """A script whose constants have the names that witnesses have, and without what only z3 knows: where the divisor is known not to be 0,
    simplification leaves operators of its own (`bvsrem_i`)."""
    names = {part.cell.name: part.name for part in Parts(relation).all}

    def rename(match: re.Match[str]) -> str:
        if match[1] in _ITS_OWN:
            return match[1].removesuffix("_i")
        cell, at, index = match[1].strip("|").rpartition("@")
        return f"|{names[cell]}@{index}|" if at and cell in names else match[0]

    return re.sub(r"(\|[^|]*\||[A-Za-z_][^\s()|]*)", rename, text)
