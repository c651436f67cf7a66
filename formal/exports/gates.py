"""And-inverter graphs: words as single bits, operators as and-gates.

In: terms of `formal.netlist`. Out: literals in the numbering of AIGER: 0 false, 1 true, 2v a variable, 2v + 1 its negation. Every gate
is made once (structural hashing), and none with a constant, or with the same or opposite inputs. It must not know what terms mean, nor a
file format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from formal.netlist import Term, in_order

Word = tuple[int, ...]  # literals, the lowest bit first


class Gates:
    """Makes gates. `ands[i]` are the inputs of variable `first + i`."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.ands: list[tuple[int, int]] = []
        self._known: dict[tuple[int, int], int] = {}

    def both(self, left: int, right: int) -> int:
        """An and-gate."""
        if left < right:
            left, right = right, left
        if right == 0 or left == right ^ 1:
            return 0
        if right == 1 or left == right:
            return left
        literal = self._known.get((left, right))
        if literal is None:
            literal = self._known[left, right] = 2 * (self.first + len(self.ands))
            self.ands.append((left, right))
        return literal

    def either(self, left: int, right: int) -> int:
        return self.both(left ^ 1, right ^ 1) ^ 1

    def all(self, literals: Iterable[int]) -> int:
        """A conjunction, as a balanced tree."""
        parts = list(literals)
        while len(parts) > 1:
            paired = [self.both(one, other) for one, other in zip(parts[::2], parts[1::2], strict=False)]
            parts = paired + ([parts[-1]] if len(parts) % 2 else [])
        return parts[0] if parts else 1

    def choose(self, condition: int, then: int, otherwise: int) -> int:
        if then == otherwise:
            return then
        return self.either(self.both(condition, then), self.both(condition ^ 1, otherwise))

    def differ(self, left: int, right: int) -> int:
        return self.both(self.both(left, right) ^ 1, self.both(left ^ 1, right ^ 1) ^ 1)


class Blasting:
    """Terms as literals. `words`: the literals of the variables; it grows by every term that was asked for."""

    def __init__(self, gates: Gates, words: dict[Term, Word]) -> None:
        self._gates = gates
        self._words = words

    def word(self, root: Term) -> Word:
        """The literals of a term; of a Boolean, one."""
        for term in in_order([root]) if root not in self._words else ():
            if term not in self._words:
                self._words[term] = self._blasted(term, [self._words[arg] for arg in term.args])
        return self._words[root]

    def _blasted(self, term: Term, args: Sequence[Word]) -> Word:
        gates = self._gates
        match term.op:
            case "const":
                return _constant(term.number or 0, max(term.width, 1))
            case "not":
                return (args[0][0] ^ 1,)
            case "and":
                return (gates.all(arg[0] for arg in args),)
            case "or":
                return (gates.all(arg[0] ^ 1 for arg in args) ^ 1,)
            case "ite":
                return self._choose(args[0][0], args[1], args[2])
            case "extract":
                assert isinstance(term.value, tuple)
                return args[0][term.value[1] : term.value[0] + 1]
            case "concat":
                return tuple(literal for arg in reversed(args) for literal in arg)
            case "zext" | "sext":
                top = args[0][-1] if term.op == "sext" else 0
                return args[0] + (top,) * (term.width - len(args[0]))
            case _:
                return self._arithmetic(term.op, args[0], args[1])

    def _arithmetic(self, op: str, left: Word, right: Word) -> Word:
        match op:
            case "eq":
                return (self._gates.all(self._gates.differ(a, b) ^ 1 for a, b in zip(left, right, strict=True)),)
            case "xor":
                return (self._gates.differ(left[0], right[0]),)
            case "ult":
                return (self._less(left, right),)
            case "slt":
                return (self._less((*left[:-1], left[-1] ^ 1), (*right[:-1], right[-1] ^ 1)),)
            case "add":
                return self._sum(left, right, 0)[0]
            case "sub":
                return self._sum(left, _inverted(right), 1)[0]
            case "mul":
                return self._product(left, right)
            case "sdiv":
                return self._divided(left, right)[0]
            case "srem":
                return self._divided(left, right)[1]
            case _:
                raise AssertionError(op)

    def _choose(self, condition: int, then: Word, otherwise: Word) -> Word:
        return tuple(self._gates.choose(condition, a, b) for a, b in zip(then, otherwise, strict=True))

    def _sum(self, left: Word, right: Word, carry: int) -> tuple[Word, int]:
        """Sum and carry out of a ripple-carry adder."""
        gates, found = self._gates, []
        for a, b in zip(left, right, strict=True):
            half = gates.differ(a, b)
            found.append(gates.differ(half, carry))
            carry = gates.either(gates.both(a, b), gates.both(half, carry))
        return tuple(found), carry

    def _less(self, left: Word, right: Word) -> int:
        """left < right, unsigned: left - right borrows."""
        return self._sum(left, _inverted(right), 1)[1] ^ 1

    def _product(self, left: Word, right: Word) -> Word:
        width = len(left)
        total = _constant(0, width)
        for i, bit in enumerate(right):
            shifted = (*_constant(0, i), *left[: width - i])
            total = self._sum(total, tuple(self._gates.both(bit, literal) for literal in shifted), 0)[0]
        return total

    def _negated(self, word: Word) -> Word:
        return self._sum(_constant(0, len(word)), _inverted(word), 1)[0]

    def _divided(self, left: Word, right: Word) -> tuple[Word, Word]:
        """Quotient and remainder as SMT-LIB's bvsdiv and bvsrem: of the sizes, then with signs."""
        dividend = self._choose(left[-1], self._negated(left), left)
        divisor = self._choose(right[-1], self._negated(right), right)
        rest, quotient = _constant(0, len(left) + 1), []
        for bit in reversed(dividend):  # schoolbook; a divisor of 0 makes every digit 1 and leaves the dividend, as SMT-LIB's bvudiv does
            rest = (bit, *rest[:-1])
            less, fits = self._sum(rest, _inverted((*divisor, 0)), 1)
            quotient.append(fits)
            rest = self._choose(fits, less, rest)
        size, remains = tuple(reversed(quotient)), rest[:-1]
        opposite = self._gates.differ(left[-1], right[-1])
        return self._choose(opposite, self._negated(size), size), self._choose(left[-1], self._negated(remains), remains)


def _constant(value: int, width: int) -> Word:
    return tuple(value >> i & 1 for i in range(width))


def _inverted(word: Word) -> Word:
    return tuple(literal ^ 1 for literal in word)


def used(gates: Gates, roots: Iterable[int]) -> set[int]:
    """The and-variables that the roots depend on."""
    needed: set[int] = set()
    work = [root >> 1 for root in roots]
    while work:
        variable = work.pop()
        if variable >= gates.first and variable not in needed:
            needed.add(variable)
            work += [literal >> 1 for literal in gates.ands[variable - gates.first]]
    return needed
