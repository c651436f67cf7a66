"""Questions as SMT-LIB 2: terms over the values of parts (`formal.smt.finite`), in Booleans alone, which every solver is good at.

In: such terms. Out: a script that asks whether some state, and some step's inputs, satisfy all of them. A part has one of its values, by
digits that are no two values' own; a Boolean has the name of the part and of the value that it stands for. It must not know what is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from formal.netlist import Term, in_order
from formal.smt.finite import Finite
from formal.smt.parts import Part

_OPERATORS: Final = {"eq": "="}


def sentence(finite: Finite, roots: Sequence[Term]) -> str:
    """The script."""
    order = list(in_order(roots))
    used = [str(term.value) for term in order if term.op == "var"]
    body = list(_body(order, roots))
    return "\n".join(["(set-logic QF_UF)", *_declarations(finite, used), *body, "(check-sat)", ""])


def _body(order: Sequence[Term], roots: Sequence[Term]) -> Iterator[str]:
    """Terms that are used more than once are told once."""
    uses = Counter(arg for term in order for arg in term.args)
    texts: dict[Term, str] = {}
    for term in order:
        texts[term] = text = _text(term, texts)
        if uses[term] > 1 and len(term.args) > 1:
            texts[term] = name = f"t{len(texts)}"
            yield f"(define-fun {name} () Bool {text})"
    yield from (f"(assert {texts[root]})" for root in roots)


def _text(term: Term, texts: dict[Term, str]) -> str:
    match term.op:
        case "const":
            return "true" if term.number else "false"
        case "var":
            return f"|{term.value}|"
        case op:
            return f"({_OPERATORS.get(op, op)} {' '.join([texts[arg] for arg in term.args])})"


def _declarations(finite: Finite, used: Sequence[str]) -> Iterator[str]:
    parts: dict[Part, None] = {}
    choices: dict[str, None] = {}
    for name in used:
        if name in finite.parts:
            parts[finite.parts[name][0]] = None
        elif name in finite.choices:
            of, width, value = finite.choices[name]
            if of not in choices:
                yield from _bits(of, width)
            choices[of] = None
            yield _meaning(name, of, width, value)
        else:
            yield f"(declare-const |{name}| Bool)"
    for part in parts:
        yield from _declared(part)


def _declared(part: Part) -> Iterator[str]:
    """A part, and which values it can have."""
    if part.cell.truth:
        yield f"(declare-const |{part.name}| Bool)"
        return
    width = (len(part.values) - 1).bit_length()
    names = [f"{part.name}={value}" for value in part.domain]
    yield from _bits(part.name, width)
    for number, name in enumerate(names):
        yield _meaning(name, part.name, width, number)
    if len(names) < 1 << width:
        yield f"(assert (or {' '.join(f'|{name}|' for name in names)}))"


def _bits(of: str, width: int) -> Iterator[str]:
    yield from (f"(declare-const |{of} {bit}| Bool)" for bit in range(width))


def _meaning(name: str, of: str, width: int, number: int) -> str:
    """No two values have the same digits."""
    digits = [f"|{of} {bit}|" if number >> bit & 1 else f"(not |{of} {bit}|)" for bit in range(width)]
    meaning = f"(and {' '.join(digits)})" if width > 1 else digits[0]
    return f"(define-fun |{name}| () Bool {meaning})"
