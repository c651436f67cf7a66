"""What an expression means in a state.

In: an expression and an environment. Out: a function from states to its value (bool or int; an enum member is its index, a thread its id
or -1, a context its position or -1), which raises `Undefined` where it has none. See docs/semantics.md section 4. Must not know statements.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

from formal.interp.environment import Env
from formal.interp.layout import FINISHED, OUTSIDE, Layout, State, Target, Undefined
from formal.interp.references import Function, Locate, References, is_fixed
from formal.program import (
    NONE,
    At,
    Binary,
    Bound,
    Conditional,
    ContextDecl,
    ContextOf,
    Count,
    CurrentContext,
    Expr,
    Finished,
    Holds,
    InContext,
    IsSet,
    Literal,
    LocalDecl,
    Member,
    MutexDecl,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Quantifier,
    Read,
    Result,
    RwlockDecl,
    Self,
    Unary,
)


def divide(left: int, right: int) -> int:
    """C's `/`: towards zero."""
    if right == 0:
        raise Undefined
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """C's `%`: the sign of the dividend."""
    return left - divide(left, right) * right


OPERATORS: Final[Mapping[str, Callable[[int, int], int]]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": divide,
        "%": remainder,
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)

Question: TypeAlias = Holds | Owner | InContext | CurrentContext | PendingBh | PendingContext | Count | IsSet | At | Finished


class Expressions:
    """The expressions of one program. `uids` gives, for each control, the uid of the statement that it stands at; it grows in the run."""

    def __init__(self, layout: Layout, uids: Sequence[int]) -> None:
        self._layout = layout
        self._uids = uids
        self.references = References(layout, self.compile)

    def compile(self, expr: Expr, env: Env) -> Function:
        """The meaning of an expression where `env` holds."""
        if not isinstance(expr, Literal) and is_fixed(expr):
            return self._fixed(expr, env)
        return self._compile(expr, env)

    def _fixed(self, expr: Expr, env: Env) -> Function:
        try:
            value = self._compile(expr, env)(())
        except Undefined:
            return _undefined
        return lambda _: value

    def _compile(self, expr: Expr, env: Env) -> Function:  # noqa: C901 - one arm a kind
        match expr:
            case Literal(value=value):
                return lambda _: value
            case Self():
                return lambda _: env.thread
            case Bound(binder=binder):
                bound = env.binders[binder]
                return lambda _: bound
            case Result():
                return self._local(env.thread, env.depth if env.result is None else env.result)
            case Read(place=place):
                return self._read(place, env)
            case Member(ref=ref) | ContextOf(ref=ref):
                return self._slot_of(self.references.locate(ref, env))
            case Unary(op=op, operand=operand):
                inner = self.compile(operand, env)
                return (lambda s: not inner(s)) if op == "!" else (lambda s: -inner(s))
            case Binary():
                return self._binary(expr, env)
            case Conditional():
                condition = self.compile(expr.condition, env)
                then, otherwise = self.compile(expr.then, env), self.compile(expr.otherwise, env)
                return lambda s: then(s) if condition(s) else otherwise(s)
            case Quantifier():
                return self._quantifier(expr, env)
            case _:
                return self._question(expr, env)

    def _question(self, expr: Question, env: Env) -> Function:
        match expr:
            case Holds():
                return self._holds(expr, env)
            case Owner(lock=ref) | Count(ref=ref) | IsSet(event=ref):
                return self._first_slot(ref, env)  # a mutex's owner, a rwlock's writer, a count, a flag
            case PendingBh(bh=ref):
                count = self._first_slot(ref, env)
                return lambda s: count(s) > 0
            case PendingContext(context=ref):
                context = self._slot_of(self.references.locate(ref, env))
                return lambda s: self.has_pending(s, context(s))
            case InContext():
                return self._in_context(expr, env)
            case CurrentContext():
                return self._current_context(self.compile(expr.thread, env))
            case At(targets=targets):
                thread, uids = self.compile(expr.thread, env), self._uids
                known = self._known_thread(expr.thread, env)
                if known is not None:
                    return lambda s: uids[s[known]] in targets
                return lambda s: (t := thread(s)) != NONE and uids[s[t]] in targets
            case Finished():
                thread = self.compile(expr.thread, env)
                return lambda s: (t := thread(s)) != NONE and s[t] == FINISHED
            case _:
                assert_never(expr)

    def _known_thread(self, thread: Expr, env: Env) -> int | None:
        """The thread that is meant, where that is fixed and is not none."""
        if not is_fixed(thread):
            return None
        try:
            found = self.compile(thread, env)(())
        except Undefined:
            return None
        return None if found == NONE else found

    def denoted(self, thread: Expr, env: Env) -> set[int]:
        """The thread that is meant, which may be none, if that is fixed; else any, and none. Of an undefined expression nothing."""
        if not is_fixed(thread):
            return {NONE, *range(self._layout.threads)}
        try:
            return {self.compile(thread, env)(())}
        except Undefined:
            return set()

    def has_pending(self, state: State, context: int) -> bool:
        """Whether some bottom half of the context at this position is pending."""
        decl = self._layout.program.contexts[context]
        return any(state[slot] for bh in self._layout.program.bhs if bh.context is decl for slot in self._layout.slots(bh))

    def membership(self, context: ContextDecl) -> list[Function]:
        """For each thread, and last for none: whether it is in the context."""
        return [self._is_in(context, thread) for thread in (*range(self._layout.threads), NONE)]

    def _is_in(self, context: ContextDecl, thread: int) -> Function:
        if context.home is not None and context.home == thread:
            return lambda _: True
        return (lambda _: False) if context.when is None else self.compile(context.when, Env(thread))

    def _current_context(self, thread: Function) -> Function:
        contexts = self._layout.program.contexts
        homes: dict[int, int] = {}
        for position, context in enumerate(contexts):
            if context.home is not None:
                homes.setdefault(context.home, position)
        tests = [self.membership(context) for context in contexts]

        def current(state: State) -> int:
            asked = thread(state)
            if asked in homes:
                return homes[asked]
            return next((position for position, test in enumerate(tests) if test[asked](state)), NONE)

        return current

    def _in_context(self, expr: InContext, env: Env) -> Function:
        thread = self.compile(expr.thread, env)
        asked = self.references.fixed(expr.context, env)
        if asked is not None and is_fixed(expr.thread):
            return self._is_in(self._layout.program.contexts[asked.slot], thread(()))
        context = self._slot_of(self.references.locate(expr.context, env))
        tests = [self.membership(decl) for decl in self._layout.program.contexts]
        return lambda s: tests[context(s)][thread(s)](s)

    def _holds(self, expr: Holds, env: Env) -> Function:
        thread = self.compile(expr.thread, env)
        lock = self.references.fixed(expr.lock, env)
        if lock is not None and lock.slot != OUTSIDE and isinstance(lock.decl, MutexDecl):
            slot = lock.slot
            known = self._known_thread(expr.thread, env)
            if known is not None:
                return lambda s: bool(s[slot] == known)
            return lambda s: NONE != thread(s) == s[slot]
        locate = self.references.locate(expr.lock, env)

        def holds(state: State) -> bool:
            asked, target = thread(state), locate(state)
            return asked != NONE and asked in holders(state, target)

        return holds

    def _binary(self, expr: Binary, env: Env) -> Function:
        match expr.op:
            case "&&" | "||":
                parts = [self.compile(part, env) for part in _chain(expr)]
                return _conjunction(parts) if expr.op == "&&" else _disjunction(parts)
            case "implies":
                premise, conclusion = self.compile(expr.left, env), self.compile(expr.right, env)
                return lambda s: bool(conclusion(s)) if premise(s) else True
            case _:
                function = OPERATORS[expr.op]
                left, right = self.compile(expr.left, env), self.compile(expr.right, env)
                return lambda s: function(left(s), right(s))

    def _quantifier(self, expr: Quantifier, env: Env) -> Function:
        parts = [self.compile(expr.body, env.bind(expr.binder, value)) for value in expr.domain]
        match expr.kind:
            case "forall":
                return _conjunction(parts)
            case "exists":
                return _disjunction(parts)
            case "number":
                return lambda s: sum([bool(part(s)) for part in parts])
            case _:
                assert_never(expr.kind)

    def _read(self, place: Place, env: Env) -> Function:
        target = self.references.fixed(place, env)
        if target is not None and target.slot >= 0:
            return self._value_of(target, env.thread)
        locate = self.references.locate(place, env)
        return lambda s: s[locate(s).slot]

    def _first_slot(self, ref: Place, env: Env) -> Function:
        return self._read(ref, env)

    def _value_of(self, target: Target, thread: int) -> Function:
        if isinstance(target.decl, LocalDecl):
            return self._local(thread, target.slot)
        return operator.itemgetter(target.slot)

    def _local(self, thread: int, position: int) -> Function:
        slot = self._layout.locals_of(thread)
        return lambda s: s[slot][position]

    def _slot_of(self, locate: Locate) -> Function:
        return lambda s: locate(s).slot


def holders(state: State, target: Target) -> set[int]:
    """The threads that own the mutex, or read or write the rwlock."""
    owner: int = state[target.slot]
    found = set() if owner == NONE else {owner}
    return found | thread_set(state[target.slot + 1]) if isinstance(target.decl, RwlockDecl) else found


def thread_set(bits: int) -> set[int]:
    """The threads in a set that is kept as a bit each."""
    return {thread for thread in range(bits.bit_length()) if bits >> thread & 1}


def _chain(expr: Binary) -> list[Expr]:
    """The operands of `a op b op c …`, in order, however long it is."""
    parts: list[Expr] = []
    left: Expr = expr
    while isinstance(left, Binary) and left.op == expr.op:
        parts.append(left.right)
        left = left.left
    return [left, *reversed(parts)]


def _conjunction(parts: list[Function]) -> Function:
    def conjunction(state: State) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost more than the parts
            if not part(state):
                return False
        return True

    return conjunction


def _disjunction(parts: list[Function]) -> Function:
    def disjunction(state: State) -> bool:
        for part in parts:  # noqa: SIM110
            if part(state):
                return True
        return False

    return disjunction


def _undefined(_: State) -> int:
    raise Undefined
