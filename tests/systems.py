"""Random typed programs that are plain transition systems: threads of guarded commands over variables, built without any text.

Each thread is `loop { atomic { choose { await g; x = e; … } or { … } } }`: every step is one guarded command. What they exercise is the
expression language of the typed tree and the updates, free of whatever the front end does.
"""

from __future__ import annotations

from hypothesis import strategies as st
from strategies import Pick

from formal.diagnostics import Source, Span
from formal.program import (
    Assign,
    Atomic,
    Await,
    Binary,
    Binder,
    Block,
    BoolType,
    Bound,
    Choose,
    Conditional,
    Direct,
    EnumType,
    Expr,
    Info,
    IntType,
    Literal,
    Loop,
    Program,
    Property,
    Quantifier,
    Read,
    Stmt,
    ThreadDecl,
    ThreadInstance,
    Unary,
    ValueType,
    VarDecl,
)

TEXT = "generated\n"
SPAN = Span(Source("generated.dsl", TEXT), 0, len(TEXT) - 1)
BOOL = BoolType()
ENUM = EnumType("colour", ("RED", "GREEN", "BLUE"))


def interval(op: str, left: IntType, right: IntType) -> IntType:
    """An interval that holds every defined result of `left op right`."""
    a = [left.lo, left.hi]
    b = [right.lo, right.hi]
    match op:
        case "+":
            return IntType(a[0] + b[0], a[1] + b[1])
        case "-":
            return IntType(a[0] - b[1], a[1] - b[0])
        case "*":
            corners = [x * y for x in a for y in b]
            return IntType(min(corners), max(corners))
        case "/":
            bound = max(abs(x) for x in a)
            return IntType(-bound, bound)
        case _:
            bound = max(abs(x) for x in a)
            return IntType(-bound, bound)


class SystemBuilder:
    """Grows one program; `pick` decides everything."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.uid = 0
        self.thread_count = 1 + pick(3)
        types: list[ValueType] = [BOOL, IntType(0, 2), IntType(-2, 3), ENUM]
        self.variables = [self.variable(f"v{i}", types[pick(4)]) for i in range(1 + pick(4))]
        self.variables.append(self.variable("n", IntType(-1, 2)))

    def variable(self, name: str, type_: ValueType) -> VarDecl:
        size = None if self.pick(3) else 2
        lo = type_.lo if isinstance(type_, IntType) else 0
        return VarDecl(name, type_, size, None, (False if type_ is BOOL else lo,) * (size or 1), SPAN)

    def info(self, text: str) -> Info:
        self.uid += 1
        return Info(self.uid, text, "t", None, None, SPAN)

    def place(self, decl: VarDecl, depth: int, bound: tuple[Binder, ...]) -> Direct:
        return Direct(decl, None if decl.size is None else self.integer(depth, bound))

    def integer(self, depth: int, bound: tuple[Binder, ...]) -> Expr:
        whole = [d for d in self.variables if isinstance(d.type, IntType)]
        if depth <= 0 or self.pick(3) == 0:
            numbers = [b for b in bound if isinstance(b.type, IntType)]
            if numbers and self.pick(2):
                binder = numbers[self.pick(len(numbers))]
                return Bound(binder, binder.type, SPAN)
            if depth < -1 or self.pick(2):
                value = self.pick(4) - 1
                return Literal(value, IntType(value, value), SPAN)
            decl = whole[self.pick(len(whole))]
            return Read(self.place(decl, depth - 1, bound), decl.type, SPAN)
        if self.pick(5) == 0:
            return self.conditional(depth, bound)
        if self.pick(6) == 0:
            inner = Binder("q", IntType(0, 2))
            return Quantifier("number", inner, (0, 1, 2), self.boolean(depth - 1, (*bound, inner)), IntType(0, 3), SPAN)
        left, right = self.integer(depth - 1, bound), self.integer(depth - 1, bound)
        assert isinstance(left.type, IntType)
        assert isinstance(right.type, IntType)
        if self.pick(6) == 0:
            return Unary("-", left, IntType(-left.type.hi, -left.type.lo), SPAN)
        op = ("+", "-", "*", "/", "%")[self.pick(5)]
        return Binary(op, left, right, interval(op, left.type, right.type), SPAN)  # type: ignore[arg-type]

    def conditional(self, depth: int, bound: tuple[Binder, ...]) -> Expr:
        then, otherwise = self.integer(depth - 1, bound), self.integer(depth - 1, bound)
        assert isinstance(then.type, IntType)
        assert isinstance(otherwise.type, IntType)
        hull = IntType(min(then.type.lo, otherwise.type.lo), max(then.type.hi, otherwise.type.hi))
        return Conditional(self.boolean(depth - 1, bound), then, otherwise, hull, SPAN)

    def boolean(self, depth: int, bound: tuple[Binder, ...]) -> Expr:
        bools = [d for d in self.variables if d.type is BOOL]
        enums = [d for d in self.variables if d.type is ENUM]
        if depth <= 0 or self.pick(4) == 0:
            if bools and self.pick(3):
                decl = bools[self.pick(len(bools))]
                return Read(self.place(decl, depth - 1, bound), BOOL, SPAN)
            if enums and self.pick(2):
                decl = enums[self.pick(len(enums))]
                return Binary("==", Read(self.place(decl, depth - 1, bound), ENUM, SPAN), Literal(self.pick(3), ENUM, SPAN), BOOL, SPAN)
            return Literal(self.pick(2) == 0, BOOL, SPAN)
        match self.pick(6):
            case 0:
                return Unary("!", self.boolean(depth - 1, bound), BOOL, SPAN)
            case 1 | 2:
                op = ("&&", "||", "implies")[self.pick(3)]
                return Binary(op, self.boolean(depth - 1, bound), self.boolean(depth - 1, bound), BOOL, SPAN)  # type: ignore[arg-type]
            case 3:
                inner = Binder("q", IntType(-1, 1))
                return Quantifier(
                    "exists" if self.pick(2) else "forall", inner, (-1, 0, 1), self.boolean(depth - 1, (*bound, inner)), BOOL, SPAN
                )
            case _:
                op = ("==", "!=", "<", "<=", ">", ">=")[self.pick(6)]
                return Binary(op, self.integer(depth - 1, bound), self.integer(depth - 1, bound), BOOL, SPAN)  # type: ignore[arg-type]

    def command(self) -> Block:
        statements: list[Stmt] = [Await(self.info("await g"), self.boolean(2, ()))]
        for _ in range(1 + self.pick(2)):
            decl = self.variables[self.pick(len(self.variables))]
            match decl.type:
                case IntType():
                    value = self.integer(2, ())
                case BoolType():
                    value = self.boolean(2, ())
                case EnumType():
                    value = Literal(self.pick(3), ENUM, SPAN)
            statements.append(Assign(self.info(f"{decl.name} = e"), self.place(decl, 1, ()), value))
        return Block(tuple(statements))

    def thread(self) -> Block:
        commands = tuple(self.command() for _ in range(1 + self.pick(3)))
        choice = Choose(self.info("choose"), commands) if len(commands) > 1 else commands[0]
        return Block((Loop(self.info("loop"), Block((Atomic(self.info("atomic"), Block((choice,))),))),))

    def program(self) -> Program:
        decls = [ThreadDecl(f"t{i}", None, None, self.thread(), None, SPAN) for i in range(self.thread_count)]
        properties = [Property("range", "builtin", None), Property("atomic", "builtin", None)]
        properties += [Property(f"invariant.{i + 1}", "invariant", SPAN, self.boolean(3, ())) for i in range(self.pick(3))]
        properties += [Property(name, "deadlock", SPAN) for name in ("deadlock.global", "deadlock.partial", "deadlock.lock_order")]
        return Program(
            name="generated",
            title="",
            file="generated.dsl",
            digest="sha256:0",
            parameters={},
            threads=tuple(ThreadInstance(i, d.name, d, None) for i, d in enumerate(decls)),
            families={d.name: (i,) for i, d in enumerate(decls)},
            spawned=frozenset(),
            mutexes=(),
            rwlocks=(),
            sems=(),
            events=(),
            conds=(),
            contexts=(),
            bhs=(),
            variables=tuple(self.variables),
            thread_locals=(),
            procs={},
            hooks={},
            properties=tuple(properties),
            disabled=frozenset(),
            strong_fair=frozenset(),
            bh_nesting=1,
            recursion=4,
            nesting_declared=False,
            expectations=(),
            assumptions=(),
        )


@st.composite
def systems(draw: st.DrawFn) -> Program:
    """A random transition system."""
    return SystemBuilder(lambda n: draw(st.integers(0, n - 1))).program()
