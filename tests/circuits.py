"""Small readers of what `formal export` writes, each from its format's definition alone, and searches on what they read.

Words are evaluated for many steps at once: a bit of a circuit is a Python integer with one binary digit a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from formal.netlist import BINARY, Term, in_order, signed
from formal.smt.guarded import Machine, Snare, Standing


def evaluate(root: Term, values: Mapping[str, int], memo: dict[Term, int]) -> int:
    """A term's value, unsigned."""
    for term in in_order([root]) if root not in memo else ():
        if term not in memo:
            memo[term] = _value(term, values, [memo[arg] for arg in term.args])
    return memo[root]


def _value(term: Term, values: Mapping[str, int], args: Sequence[int]) -> int:
    if term.op in BINARY:
        return BINARY[term.op](args[0], args[1], term.args[0].width) & ((1 << max(term.width, 1)) - 1)
    match term.op:
        case "const":
            return term.number or 0
        case "var":
            return values[str(term.value)]
        case "not":
            return 1 - args[0]
        case "and" | "or":
            return int(all(args) if term.op == "and" else any(args))
        case "ite":
            return args[1] if args[0] else args[2]
        case _:
            return _shaped(term, args)


def _shaped(term: Term, args: Sequence[int]) -> int:
    if term.op == "concat":
        value = 0
        for arg, operand in zip(args, term.args, strict=True):
            value = value << operand.width | arg
        return value
    if term.op == "extract":
        assert isinstance(term.value, tuple)
        return args[0] >> term.value[1] & ((1 << term.width) - 1)
    return args[0] if term.op == "zext" else signed(args[0], term.args[0].width) & ((1 << term.width) - 1)


# ---------------------------------------------------------------- guarded commands


def shortest_guarded(machine: Machine) -> tuple[dict[str, int], int]:
    """Steps to the first violation of each property, and how many states there are."""
    names = [variable.name for variable in machine.variables]
    start = (tuple(v.initial & _mask(v.term) for v in machine.variables), tuple(p.start for p in machine.processes))
    seen, layer, depth = {start}, [start], 0
    found: dict[str, int] = {}
    while layer:
        following = []
        for values, places in layer:
            state, memo = dict(zip(names, values, strict=True)), dict[Term, int]()
            for name, bad in machine.bads.items():
                if name not in found and _is_bad(bad, state, memo):
                    found[name] = depth
            for who, at in enumerate(places):
                for after, target, violates in _moves(machine, who, at, state, memo):
                    if violates is not None:
                        found.setdefault(violates, depth + 1)
                        continue
                    reached = (tuple(after[name] for name in names), (*places[:who], target, *places[who + 1 :]))
                    if reached not in seen:
                        seen.add(reached)
                        following.append(reached)
        layer, depth = following, depth + 1
    return found, len({values for values, _ in seen})


def _mask(term: Term) -> int:
    return (1 << max(term.width, 1)) - 1


def _moves(
    machine: Machine, who: int, at: Standing, state: Mapping[str, int], memo: dict[Term, int]
) -> Iterator[tuple[dict[str, int], Standing, str | None]]:
    process = machine.processes[who]
    if at == (1, 0):
        if not process.spawned or state[process.at.name] != process.entry[0]:
            return
        at = process.entry
    spot = next(spot for spot in process.spots if spot.at == at)
    for command in spot.commands:
        if evaluate(command.guard, state, memo):
            yield {**state, **{v.name: evaluate(t, state, memo) for v, t in command.updates}}, command.target, command.violates


def _is_bad(bad: Term | Snare, state: Mapping[str, int], memo: dict[Term, int]) -> bool:
    if isinstance(bad, Term):
        return bool(evaluate(bad, state, memo))
    count = len(bad.members)
    members = [1] * count
    while True:
        inside = {**state, **{str(m.value): is_in for m, is_in in zip(bad.members, members, strict=True)}}
        kept = [int(m and evaluate(may, inside, {})) for m, may in zip(members, bad.may, strict=True)]
        if kept == members:
            telling = any(m and evaluate(t, inside, {}) for m, t in zip(members, bad.telling, strict=True))
            return bool(telling and evaluate(bad.when, inside, {}))
        members = kept


# ---------------------------------------------------------------- circuits of single bits

Step = Callable[[Sequence[int], Sequence[int], int], tuple[list[int], list[int]]]


@dataclass(frozen=True)
class Circuit:
    """`step`: latches and inputs, each one digit a case, and a mask of all cases, to the next latches and what is bad."""

    inputs: list[str]
    latches: list[str]
    bads: list[str]
    reset: list[int]
    step: Step


def shortest(circuit: Circuit, of_steps: Callable[[str], bool]) -> tuple[dict[str, int], int]:
    """Steps to the first violation of each property (`of_steps`: the step violates it, not the state), and how many states there are."""
    count = len(circuit.inputs)
    mask = (1 << (1 << count)) - 1
    inputs = [sum(1 << case for case in range(1 << count) if case >> i & 1) for i in range(count)]
    start = tuple(circuit.reset)
    seen, layer, depth = {start}, [start], 0
    found: dict[str, int] = {}
    while layer:
        following = []
        for state in layer:
            after, bads = circuit.step([mask if bit else 0 for bit in state], inputs, mask)
            for name, bad in zip(circuit.bads, bads, strict=True):
                if bad:
                    found.setdefault(name, depth + of_steps(name))
            for case in range(1 << count):
                reached = tuple(bit >> case & 1 for bit in after)
                if reached not in seen:
                    seen.add(reached)
                    following.append(reached)
        layer, depth = following, depth + 1
    return found, len(seen)


def read_aiger(data: bytes) -> Circuit:
    """AIGER 1.9, in either form."""
    lines = data.split(b"\n")
    mark, *numbers = lines[0].split()
    most, inputs, latches, outputs, ands, bads = map(int, numbers)
    assert outputs == 0
    assert most == inputs + latches + ands
    binary = mark == b"aig"
    at = 1
    if not binary:
        assert [int(line) for line in lines[1 : 1 + inputs]] == [2 * (i + 1) for i in range(inputs)]
        at += inputs
    rows = [line.split() for line in lines[at : at + latches]]
    if not binary:
        assert [int(row.pop(0)) for row in rows] == [2 * (inputs + i + 1) for i in range(latches)]
    at += latches
    wrong = [int(line) for line in lines[at : at + bads]]
    at += bads
    gates, rest = _gates(b"\n".join(lines[at:]), inputs + latches + 1, ands) if binary else _text_gates(lines[at:], ands)
    for i, (left, right) in enumerate(gates):
        assert 2 * (inputs + latches + 1 + i) > max(left, right)
    symbols = rest.split(b"\nc\n")[0].decode().splitlines()
    names = {kind: [line.partition(" ")[2] for line in symbols if line[0] == kind] for kind in "ilb"}
    following, reset = [int(row[0]) for row in rows], [int(row[1]) if len(row) > 1 else 0 for row in rows]

    def step(state: Sequence[int], given: Sequence[int], mask: int) -> tuple[list[int], list[int]]:
        values = [0, *given, *state]

        def of(literal: int) -> int:
            return values[literal >> 1] ^ (mask if literal & 1 else 0)

        for left, right in gates:
            values.append(of(left) & of(right))
        return [of(literal) for literal in following], [of(literal) for literal in wrong]

    assert (len(names["i"]), len(names["l"]), len(names["b"])) == (inputs, latches, bads)
    return Circuit(names["i"], names["l"], names["b"], reset, step)


def _text_gates(lines: Sequence[bytes], count: int) -> tuple[list[tuple[int, int]], bytes]:
    rows = [tuple(map(int, line.split())) for line in lines[:count]]
    return [(left, right) for _, left, right in rows], b"\n".join(lines[count:])


def _gates(data: bytes, first: int, count: int) -> tuple[list[tuple[int, int]], bytes]:
    at, gates = 0, []

    def delta() -> int:
        nonlocal at
        value = shift = 0
        while data[at] & 0x80:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        value |= data[at] << shift
        at += 1
        return value

    for i in range(count):
        left = 2 * (first + i) - delta()
        gates.append((left, left - delta()))
    return gates, data[at:]


# ---------------------------------------------------------------- words


@dataclass(frozen=True)
class Words:
    """A BTOR2 file, evaluated one case at a time."""

    lines: dict[int, list[str]]
    sorts: dict[int, int]

    def named(self, kind: str) -> list[tuple[int, str, int]]:
        """Number, name and width of each input or state."""
        return [(n, row[2], self.sorts[int(row[1])]) for n, row in self.lines.items() if row[0] == kind]

    def initial(self) -> dict[int, int]:
        return {int(row[2]): int(self.lines[int(row[3])][2], 2) for row in self.lines.values() if row[0] == "init"}

    def step(self, values: Mapping[int, int]) -> tuple[dict[int, int], dict[str, bool]]:
        """From the values of states and inputs: the next states, and which properties are violated."""
        known = dict(values)
        for number, row in self.lines.items():
            if row[0] not in ("sort", "input", "state", "init", "next", "bad"):
                known[number] = self._value(row, known)
        after = {int(row[2]): known[int(row[3])] for row in self.lines.values() if row[0] == "next"}
        return after, {row[2]: bool(known[int(row[1])]) for row in self.lines.values() if row[0] == "bad"}

    def _value(self, row: Sequence[str], known: Mapping[int, int]) -> int:
        op, width = row[0], self.sorts[int(row[1])]
        mask = (1 << width) - 1
        if op == "const":
            return int(row[2], 2)
        values = [known[int(word)] for word in row[2 : 3 if op in ("slice", "uext", "sext") else None]]
        first = self._width(int(row[2]))
        match op:
            case "not":
                return values[0] ^ mask
            case "and":
                return values[0] & values[1]
            case "or":
                return values[0] | values[1]
            case "ite":
                return values[1] if values[0] else values[2]
            case "concat":
                return values[0] << self._width(int(row[3])) | values[1]
            case "slice":
                return values[0] >> int(row[4]) & mask
            case "uext":
                return values[0]
            case "sext":
                return signed(values[0], first) & mask
            case _:
                return BINARY[op](values[0], values[1], first) & mask

    def _width(self, number: int) -> int:
        return self.sorts[int(self.lines[number][1])]


def read_btor2(data: bytes) -> Words:
    rows = [line.split(" ") for line in data.decode().splitlines() if not line.startswith(";")]
    lines = {int(row[0]): row[1:] for row in rows}
    assert list(lines) == list(range(1, len(lines) + 1))
    return Words(lines, {n: int(row[2]) for n, row in lines.items() if row[0] == "sort"})
