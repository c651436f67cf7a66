"""Terms as expressions of C and Promela, whose integers have 32 bits.

In: terms of `formal.netlist`, and what each variable can be. Out: text. A word of w bits is spelled as an integer, equal to it modulo 2^w;
an interval for that integer tells when it has to be brought back into range, which is seldom, since the encoding's words are as wide as
their values. It must not know statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from formal.exports import TooLarge
from formal.netlist import Term, in_order

_LEAST, _MOST = -(2**31), 2**31 - 1
_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">": "<="}
_SIGNS: Final = {"add": "+", "sub": "-", "mul": "*"}


@dataclass(frozen=True, slots=True)
class Spelled:
    """`text` can stand beside any operator; its value lies in lo..hi. Of a Boolean the interval means nothing."""

    text: str
    lo: int = 0
    hi: int = 1

    @property
    def constant(self) -> bool:
        return self.lo == self.hi


class Speller:
    """Spells terms; `names`: what variables are called, and what they can be. Each term is spelled once."""

    def __init__(self, names: Mapping[Term, Spelled]) -> None:
        self._known: dict[Term, Spelled] = dict(names)
        self._kept: set[Term] = set()

    def name(self, term: Term, name: str) -> None:
        """From now on a Boolean term is called that."""
        self._known[term] = Spelled(name)
        self._kept.add(term)

    def truth(self, term: Term) -> str:
        """A Boolean."""
        return self.spelled(term).text

    def integer(self, term: Term, lo: int, hi: int) -> str:
        """A word that is known to stand for an integer in lo..hi."""
        return _known_to_lie(self.spelled(term), lo, hi, term.width).text

    def spelled(self, root: Term) -> Spelled:
        """A term. Raises TooLarge where 32 bits are not enough, or the text gets out of hand."""
        if root not in self._known:
            for term in in_order([root]):
                if term not in self._known:
                    found = self._new(term)
                    if not _LEAST <= found.lo <= found.hi <= _MOST:
                        raise TooLarge("integers beyond 32 bits")
                    if len(found.text) > 1_000_000:
                        raise TooLarge("an expression of more than a million characters")
                    self._known[term] = found
        return self._known[root]

    def _new(self, term: Term) -> Spelled:
        if term.op == "not":
            operand = term.args[0]
            if operand.op in _COMPARED and operand not in self._kept:
                return _comparison(operand, [self._known[arg] for arg in operand.args], True)
        return _spelled(term, [self._known[arg] for arg in term.args])


def _known_to_lie(value: Spelled, lo: int, hi: int, width: int) -> Spelled:
    """A constant as the integer in lo..hi that it stands for; anything else as it is, but for one that can only be meant otherwise."""
    if value.constant:
        return _signed(value, width) if lo < 0 else _unsigned(value, width)
    if lo < 0 and value.lo >= 0 and value.hi > hi:
        return _signed(value, width)
    return value


def _constant(value: int) -> Spelled:
    return Spelled(str(value) if value >= 0 else f"({value})", value, value)


def _unsigned(value: Spelled, width: int) -> Spelled:
    """The same word as an integer of at least 0."""
    most = (1 << width) - 1
    if value.lo >= 0 and value.hi <= most:
        return value
    return _constant(value.lo & most) if value.constant else Spelled(f"({value.text} & {most})", 0, most)


def _signed(value: Spelled, width: int) -> Spelled:
    """The same word as an integer in two's complement."""
    half = 1 << (width - 1)
    if -half <= value.lo and value.hi < half:
        return value
    if value.constant:
        return _constant(((value.lo + half) & (2 * half - 1)) - half)
    return Spelled(f"((({value.text} + {half}) & {2 * half - 1}) - {half})", -half, half - 1)


def _alike(left: Spelled, right: Spelled, width: int) -> tuple[Spelled, Spelled]:
    """Two words as integers that are equal exactly if the words are."""
    if any(one.lo < 0 and not one.constant for one in (left, right)):
        return _signed(left, width), _signed(right, width)
    return _unsigned(left, width), _unsigned(right, width)


def _spelled(term: Term, args: list[Spelled]) -> Spelled:
    width = term.args[0].width if term.args else term.width
    if term.op == "const":
        return Spelled("true" if term.number else "false") if term.width == 0 else _constant(term.number or 0)
    if term.op in ("and", "or"):
        return Spelled("(" + {"and": " && ", "or": " || "}[term.op].join(arg.text for arg in args) + ")")
    if term.op == "not":
        return Spelled(f"!{args[0].text}")
    if term.op == "ite":
        return _choice(term, args)
    if term.op == "concat":
        return _joined(term, args)
    if term.op in _COMPARED:
        return _comparison(term, args, False)
    return _OPERATORS[term.op](term, args, width)


def _choice(term: Term, args: list[Spelled]) -> Spelled:
    then, otherwise = args[1:] if term.width == 0 else _alike(args[1], args[2], term.width)
    return Spelled(f"({args[0].text} -> {then.text} : {otherwise.text})", min(then.lo, otherwise.lo), max(then.hi, otherwise.hi))


def _joined(term: Term, args: list[Spelled]) -> Spelled:
    shift, parts = term.width, []
    for operand, arg in zip(term.args, args, strict=True):
        shift -= operand.width
        part = _unsigned(arg, operand.width).text
        parts.append(f"({part} << {shift})" if shift else part)
    return Spelled(f"({' | '.join(parts)})", 0, (1 << term.width) - 1)


def _comparison(term: Term, args: list[Spelled], negated: bool) -> Spelled:
    """A comparison, or its negation, with a constant on the right."""
    width = term.args[0].width
    left, right = args if width == 0 else _COMPARED[term.op](args[0], args[1], width)
    sign = {"eq": "==", "xor": "!=", "ult": "<", "slt": "<"}[term.op]
    if width and left.constant:
        left, right, sign = right, left, sign.replace("<", ">")
    return Spelled(f"({left.text} {_OPPOSITE[sign] if negated else sign} {right.text})")


def _calculated(term: Term, args: list[Spelled], _width: int) -> Spelled:
    left, right = args
    corners = {
        "add": (left.lo + right.lo, left.hi + right.hi),
        "sub": (left.lo - right.hi, left.hi - right.lo),
        "mul": tuple(a * b for a in (left.lo, left.hi) for b in (right.lo, right.hi)),
    }[term.op]
    return Spelled(f"({left.text} {_SIGNS[term.op]} {right.text})", min(corners), max(corners))


def _divided(term: Term, args: list[Spelled], width: int) -> Spelled:
    """C's quotient and remainder; of a divisor 0, which C forbids, what the relation has there, too."""
    left, right = _signed(args[0], width), _signed(args[1], width)
    size = max(abs(left.lo), abs(left.hi), 1)
    if term.op == "sdiv":
        return Spelled(f"({right.text} == 0 -> ({left.text} < 0 -> 1 : (-1)) : ({left.text} / {right.text}))", -size, size)
    return Spelled(f"({right.text} == 0 -> {left.text} : ({left.text} % {right.text}))", -size, size)


def _cut(term: Term, args: list[Spelled], width: int) -> Spelled:
    assert isinstance(term.value, tuple)
    high, low = term.value
    if low == 0:
        return args[0]  # equal modulo the smaller power of two as well
    return Spelled(f"(({_unsigned(args[0], width).text} >> {low}) & {(1 << (high - low + 1)) - 1})", 0, (1 << (high - low + 1)) - 1)


_COMPARED: Final[Mapping[str, Callable[[Spelled, Spelled, int], tuple[Spelled, Spelled]]]] = {
    "eq": _alike,
    "xor": _alike,
    "ult": lambda left, right, width: (_unsigned(left, width), _unsigned(right, width)),
    "slt": lambda left, right, width: (_signed(left, width), _signed(right, width)),
}
_OPERATORS: Final[Mapping[str, Callable[[Term, list[Spelled], int], Spelled]]] = {
    "add": _calculated,
    "sub": _calculated,
    "mul": _calculated,
    "sdiv": _divided,
    "srem": _divided,
    "extract": _cut,
    "zext": lambda _, args, width: _unsigned(args[0], width),
    "sext": lambda _, args, width: _signed(args[0], width),
}
