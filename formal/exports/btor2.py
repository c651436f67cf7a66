"""BTOR2, the word-level format of hardware model checkers (Niemetz, Preiner, Wolf, Biere: Btor2, BtorMC and Boolector 3.0, CAV 2018).

In: what is wanted. Out: the transition system line by line: the scheduler's and the program's choices are `input`s, one `bad` a property.
Inputs for which there is no step leave the state as it is, so that no `constraint` is needed and every bound means steps of ours: a step
that violates a property is bad in the frame before it (frame k: step k + 1), a bad state in its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from formal.exports import Wanted, head
from formal.exports.encoding import encoded, legend
from formal.netlist import System, Term, in_order

_NAMES: Final = {
    "ult": "ult",
    "slt": "slt",
    "eq": "eq",
    "xor": "xor",
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "sdiv": "sdiv",
    "srem": "srem",
}


def render(wanted: Wanted) -> bytes:
    """The file. Raises TooLarge."""
    system = encoded(wanted)
    comments = [*head(wanted), *legend(system)]
    return "\n".join([*(f"; {line}" for line in comments), *_Writer(system).lines, ""]).encode()


class _Writer:
    """Numbers lines as it writes them. A Boolean is a bit-vector of one bit."""

    def __init__(self, system: System) -> None:
        self.lines: list[str] = []
        self._sorts: dict[int, int] = {}
        self._numbers: dict[Term, int] = {}
        for one in system.inputs:
            self._numbers[one.term] = self._line(f"input {self._sort(one.term)} {_symbol(one.name)}")
        for state in system.states:
            self._numbers[state.term] = self._line(f"state {self._sort(state.term)} {_symbol(state.name)}")
        for state in system.states:
            initial = self._number(system.terms.const(state.initial, state.term.width))
            self._line(f"init {self._sort(state.term)} {self._numbers[state.term]} {initial}")
        self._all(system.roots())
        for state in system.states:
            following = self._numbers[system.after(state)]
            self._line(f"next {self._sort(state.term)} {self._numbers[state.term]} {following}")
        for bad in system.bads:
            self._line(f"bad {self._numbers[bad.term]} {_symbol(bad.name)}")

    def _line(self, text: str) -> int:
        number = len(self.lines) + 1
        self.lines.append(f"{number} {text}")
        return number

    def _sort(self, term: Term) -> int:
        width = max(term.width, 1)
        if width not in self._sorts:
            self._sorts[width] = self._line(f"sort bitvec {width}")
        return self._sorts[width]

    def _all(self, roots: Iterable[Term]) -> None:
        for term in in_order(roots):
            self._number(term)

    def _number(self, term: Term) -> int:
        if term not in self._numbers:
            self._numbers[term] = self._written(term)
        return self._numbers[term]

    def _written(self, term: Term) -> int:
        sort, args = self._sort(term), [self._number(arg) for arg in term.args]
        match term.op:
            case "const":
                return self._line(f"const {sort} {term.number:0{max(term.width, 1)}b}")
            case "and" | "or" | "concat":
                return self._chain(term, args)
            case "extract":
                assert isinstance(term.value, tuple)
                return self._line(f"slice {sort} {args[0]} {term.value[0]} {term.value[1]}")
            case "zext" | "sext":
                return self._line(f"{term.op[0]}ext {sort} {args[0]} {term.width - term.args[0].width}".replace("zext", "uext"))
            case _:
                return self._line(f"{_NAMES.get(term.op, term.op)} {sort} {' '.join(map(str, args))}")

    def _chain(self, term: Term, args: list[int]) -> int:
        """Two operands at a time, which is all that BTOR2 has."""
        number, width = args[0], term.args[0].width
        for arg, operand in zip(args[1:], term.args[1:], strict=True):
            width += operand.width
            sort = self._width(width) if term.op == "concat" else self._sort(term)
            number = self._line(f"{term.op} {sort} {number} {arg}")
        return number

    def _width(self, width: int) -> int:
        if width not in self._sorts:
            self._sorts[width] = self._line(f"sort bitvec {width}")
        return self._sorts[width]


def _symbol(name: str) -> str:
    """A name as BTOR2 reads it: up to the next space."""
    return name.replace(" ", "_")
