"""SMT-LIB 2.6: one question about executions of bounded length, or, without a bound, the transition system in VMT.

In: what is wanted. Out with a depth: a QF_BV script whose `check-sat` is `sat` exactly if some execution violates a property within so many
steps. Out without: SMT-LIB that declares states, inputs, `.init`, `.trans` and `.prop` and marks them as VMT does (`:next`, `:init`,
`:trans`, `:invar-property`; Cimatti, Griggio, Tonetta: The VMT-LIB language and tools, SMT 2022), which nuXmv and ic3ia read. There,
properties are about states alone: `.violated` remembers a step that violated one.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal.exports import TooLarge, Wanted, head
from formal.exports.encoding import encoded, legend
from formal.netlist import System, Term, in_order

_OPS = {"eq": "=", "ult": "bvult", "slt": "bvslt", "add": "bvadd", "sub": "bvsub", "mul": "bvmul", "sdiv": "bvsdiv", "srem": "bvsrem"}
_SHOWN = 60  # characters of an operand that is repeated rather than named


def render(wanted: Wanted) -> bytes:
    """The file. Raises TooLarge."""
    system = encoded(wanted)
    if wanted.depth is None:
        what = ["VMT: .init, .trans, and a property .prop, which is to hold in every reachable state"]
        body = list(_vmt(system))
    else:
        what = [
            f"sat: some execution violates a property within {wanted.depth} steps; unsat: none does",
            "NAME@k is the state after k steps, `violated NAME@k` that step k, or the state after it, violates NAME",
        ]
        body = _bounded(wanted, wanted.depth).splitlines()
    comments = [*head(wanted), *what, *legend(system)]
    return "\n".join([*(f"; {line}" for line in comments), *body, ""]).encode()


def _bounded(wanted: Wanted, depth: int) -> str:
    from formal.smt.cfg import EncodingLimitError
    from formal.smt.system import unrolled

    try:
        return unrolled(wanted.program, wanted.properties, depth)
    except EncodingLimitError as error:
        raise TooLarge(str(error)) from error


def _vmt(system: System) -> Iterator[str]:
    yield "(set-logic QF_BV)"
    for index, state in enumerate(system.states):
        yield from _declared(state.name, state.term, index)
    violated = system.terms.var(".violated", 0)
    yield from _declared(".violated", violated, len(system.states))
    for one in system.inputs:
        yield f"(declare-fun {_quoted(one.name)} () {_sort(one.term)})"
    of_steps = system.terms.disjunction(bad.term for bad in system.bads if bad.of_step)
    of_states = system.terms.disjunction(bad.term for bad in system.bads if not bad.of_step)
    names = _Names()
    yield from names.define([*(system.after(state) for state in system.states), of_steps, of_states])
    initial = [f"(= {_quoted(state.name)} {_constant(state.initial, state.term.width)})" for state in system.states]
    yield f"(define-fun .init () Bool (! (and (not .violated) {' '.join(initial)}) :init true))"
    after = [f"(= {_quoted(state.name + '+')} {names.of(system.after(state))})" for state in system.states]
    yield f"(define-fun .trans () Bool (! (and (= .violated+ {names.of(of_steps)}) {' '.join(after)}) :trans true))"
    yield f"(define-fun .prop () Bool (! (and (not .violated) (not {names.of(of_states)})) :invar-property 0))"


def _declared(name: str, term: Term, index: int) -> Iterator[str]:
    here, there, sort = _quoted(name), _quoted(f"{name}+"), _sort(term)
    yield f"(declare-fun {here} () {sort})"
    yield f"(declare-fun {there} () {sort})"
    yield f"(define-fun .next{index} () {sort} (! {here} :next {there}))"


class _Names:
    """Terms as text. What is used more than once and is not short gets a name of its own."""

    def __init__(self) -> None:
        self._text: dict[Term, str] = {}

    def of(self, term: Term) -> str:
        return self._text[term]

    def define(self, roots: list[Term]) -> Iterator[str]:
        """The definitions that the roots need, in order."""
        terms = list(in_order(roots))
        uses: dict[Term, int] = {}
        for used in (*roots, *(arg for term in terms for arg in term.args)):
            uses[used] = uses.get(used, 0) + 1
        count = 0
        for term in terms:
            text = _written(term, [self._text[arg] for arg in term.args])
            if uses[term] > 1 and len(text) > _SHOWN and term.args:
                yield f"(define-fun .t{count} () {_sort(term)} {text})"
                text = f".t{count}"
                count += 1
            self._text[term] = text


def _written(term: Term, args: list[str]) -> str:
    match term.op:
        case "const":
            return _constant(term.number or 0, term.width)
        case "var":
            return _quoted(str(term.value))
        case "extract":
            assert isinstance(term.value, tuple)
            return f"((_ extract {term.value[0]} {term.value[1]}) {args[0]})"
        case "zext" | "sext":
            kind = "zero" if term.op == "zext" else "sign"
            return f"((_ {kind}_extend {term.width - term.args[0].width}) {args[0]})"
        case _:
            return f"({_OPS.get(term.op, term.op)} {' '.join(args)})"


def _constant(value: int, width: int) -> str:
    return ("true" if value else "false") if width == 0 else f"#b{value:0{width}b}"


def _sort(term: Term) -> str:
    return "Bool" if term.width == 0 else f"(_ BitVec {term.width})"


def _quoted(name: str) -> str:
    """A name as an SMT-LIB symbol."""
    plain = all(character.isalnum() or character in "._+" for character in name) and not name[0].isdigit()
    return name if plain else f"|{name}|"
