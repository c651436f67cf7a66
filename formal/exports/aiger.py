"""AIGER 1.9, the bit-level format of hardware model checkers (Biere, Heljanko, Wieringa: AIGER 1.9 and beyond, FMV report 11/2).

In: what is wanted. Out: the and-inverter graph of the transition system, as text (`aag`) or in the binary form (`aig`), with a bad state
property for each property and a symbol for each input, latch and property; bit i of a word is `NAME#i`. Inputs for which there is no step
leave the state as it is: frame k is the state after k steps. A step that violates a property is bad in the frame before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from formal.exports import Wanted, head
from formal.exports.encoding import encoded, legend
from formal.exports.gates import Blasting, Gates, Word, used
from formal.netlist import System, Term


@dataclass(frozen=True, slots=True)
class _Latch:
    name: str
    following: int
    reset: int


@dataclass(frozen=True, slots=True)
class _Graph:
    """Inputs have the variables from 1 on, then latches, then and-gates, each after what it depends on."""

    inputs: Sequence[str]
    latches: Sequence[_Latch]
    ands: Sequence[tuple[int, int]]
    bads: Sequence[tuple[str, int]]

    @property
    def first(self) -> int:
        """The variable of the first and-gate."""
        return 1 + len(self.inputs) + len(self.latches)


def render(wanted: Wanted) -> bytes:
    """The file. Raises TooLarge."""
    system = encoded(wanted)
    graph = _graph(system)
    comments = [*head(wanted), *legend(system)]
    return b"".join([_binary(graph) if wanted.binary else _ascii(graph), _tail(graph, comments)])


def _graph(system: System) -> _Graph:
    words: dict[Term, Word] = {}
    variable = 1
    for term in (*(one.term for one in system.inputs), *(state.term for state in system.states)):
        width = max(term.width, 1)
        words[term] = tuple(2 * (variable + i) for i in range(width))
        variable += width
    gates = Gates(variable)
    blasting = Blasting(gates, words)
    latches = [
        _Latch(name, following, state.initial >> i & 1)
        for state in system.states
        for i, (name, following) in enumerate(zip(_bits(state.name, state.term), blasting.word(system.after(state)), strict=True))
    ]
    bads = [(bad.name, blasting.word(bad.term)[0]) for bad in system.bads]
    inputs = [name for one in system.inputs for name in _bits(one.name, one.term)]
    return _pruned(gates, inputs, latches, bads)


def _bits(name: str, term: Term) -> list[str]:
    return [name] if term.width == 0 else [f"{name}#{i}" for i in range(term.width)]


def _pruned(gates: Gates, inputs: Sequence[str], latches: Sequence[_Latch], bads: Sequence[tuple[str, int]]) -> _Graph:
    """Without the gates that nothing depends on, the others numbered anew."""
    needed = sorted(used(gates, [*(latch.following for latch in latches), *(literal for _, literal in bads)]))
    place = {old: gates.first + new for new, old in enumerate(needed)}

    def moved(literal: int) -> int:
        return 2 * place.get(literal >> 1, literal >> 1) + (literal & 1)

    ands = [(moved(left), moved(right)) for left, right in (gates.ands[old - gates.first] for old in needed)]
    return _Graph(
        inputs,
        [_Latch(latch.name, moved(latch.following), latch.reset) for latch in latches],
        ands,
        [(name, moved(literal)) for name, literal in bads],
    )


def _header(mark: str, graph: _Graph) -> str:
    inputs, latches, ands = len(graph.inputs), len(graph.latches), len(graph.ands)
    return f"{mark} {inputs + latches + ands} {inputs} {latches} 0 {ands} {len(graph.bads)}"


def _reset(latch: _Latch) -> str:
    return " 1" if latch.reset else ""


def _ascii(graph: _Graph) -> bytes:
    inputs = len(graph.inputs)
    lines = [_header("aag", graph), *(str(2 * (1 + i)) for i in range(inputs))]
    lines += [f"{2 * (1 + inputs + i)} {latch.following}{_reset(latch)}" for i, latch in enumerate(graph.latches)]
    lines += [str(literal) for _, literal in graph.bads]
    lines += [f"{2 * (graph.first + i)} {left} {right}" for i, (left, right) in enumerate(graph.ands)]
    return _encoded(lines)


def _binary(graph: _Graph) -> bytes:
    lines = [_header("aig", graph), *(f"{latch.following}{_reset(latch)}" for latch in graph.latches)]
    lines += [str(literal) for _, literal in graph.bads]
    gates = bytearray()
    for i, (left, right) in enumerate(graph.ands):
        high, low = max(left, right), min(left, right)
        gates += _delta(2 * (graph.first + i) - high) + _delta(high - low)
    return _encoded(lines) + bytes(gates)


def _delta(value: int) -> bytes:
    """A number seven bits a byte, the lowest first; the top bit says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _tail(graph: _Graph, comments: Iterable[str]) -> bytes:
    lines = [f"i{i} {name}" for i, name in enumerate(graph.inputs)]
    lines += [f"l{i} {latch.name}" for i, latch in enumerate(graph.latches)]
    lines += [f"b{i} {name}" for i, (name, _) in enumerate(graph.bads)]
    return _encoded([*lines, "c", *comments])


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
