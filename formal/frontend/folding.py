"""Constant folding: what is known before the run is decided before the run. In: typed expressions. Out: typed expressions."""

from __future__ import annotations

from formal.program import Binary, BoolType, Conditional, ContextType, EnumType, Expr, IntType, Literal, ThreadType, Type, Unary

BOOL = BoolType()


def truncating(left: int, right: int) -> tuple[int, int]:
    """Quotient and remainder as C has them: towards zero, the remainder with the dividend's sign."""
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return quotient, left - quotient * right


def fold(expr: Expr) -> Expr:
    """The expression, or the literal that it always is; operands must be folded already. What is undefined stays as it is."""
    match expr:
        case Unary(op="!", operand=Literal(value=value)):
            return Literal(not value, BOOL, expr.span)
        case Unary(op="-", operand=Literal(value=value)):
            return _integer(-value, expr)
        case Binary(left=Literal(value=left), right=Literal(value=right)):
            return _binary(expr, left, right)
        case Binary(op="&&", left=Literal(value=value)):
            return expr.right if value else Literal(False, BOOL, expr.span)
        case Binary(op="||", left=Literal(value=value)):
            return Literal(True, BOOL, expr.span) if value else expr.right
        case Binary(op="implies", left=Literal(value=value)):
            return expr.right if value else Literal(True, BOOL, expr.span)
        case Conditional(condition=Literal(value=value)):
            return expr.then if value else expr.otherwise
        case _:
            return expr


def _integer(value: int, expr: Expr) -> Literal:
    return Literal(value, IntType(value, value), expr.span)


def _binary(expr: Binary, a: int, b: int) -> Expr:
    match expr.op:
        case "+":
            return _integer(a + b, expr)
        case "-":
            return _integer(a - b, expr)
        case "*":
            return _integer(a * b, expr)
        case "/" | "%":
            if b == 0:
                return expr
            quotient, remainder = truncating(a, b)
            return _integer(quotient if expr.op == "/" else remainder, expr)
        case "&&":
            truth = bool(a and b)
        case "||":
            truth = bool(a or b)
        case "implies":
            truth = bool(not a or b)
        case _:
            truth = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[expr.op]
    return Literal(truth, BOOL, expr.span)


def hull(op: str, left: IntType, right: IntType) -> IntType:
    """An interval that holds every defined result of `left op right`."""
    match op:
        case "+":
            return IntType(left.lo + right.lo, left.hi + right.hi)
        case "-":
            return IntType(left.lo - right.hi, left.hi - right.lo)
        case "*":
            corners = [a * b for a in (left.lo, left.hi) for b in (right.lo, right.hi)]
            return IntType(min(corners), max(corners))
        case "/":
            most = max(abs(left.lo), abs(left.hi))
            return IntType(-most if left.lo < 0 or right.lo < 0 else 0, most)
        case _:
            most = min(max(abs(left.lo), abs(left.hi)), max(abs(right.lo), abs(right.hi)))
            return IntType(-most if left.lo < 0 else 0, most if left.hi > 0 else 0)


def describe(type_: Type) -> str:
    """A type in the user's words."""
    match type_:
        case BoolType():
            return "bool"
        case IntType():
            return "int"
        case EnumType(name=name):
            return f"enum {name}"
        case ThreadType():
            return "thread"
        case ContextType():
            return "context"


def same_kind(one: Type, other: Type) -> bool:
    """Whether values of the two types can be compared and assigned (ranges aside)."""
    if isinstance(one, EnumType) and isinstance(other, EnumType):
        return one == other
    return type(one) is type(other)
