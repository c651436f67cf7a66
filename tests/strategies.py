"""Random well-formed models, as text and as typed programs.

The generators draw every decision through one function `pick(n) -> 0..n-1`, so that the same code serves Hypothesis (which shrinks) and a
plain seeded random source (for long runs outside the test suite). Well-formed means: the front end accepts them. They may well be wrong in
what they do: relocking, overflowing and deadlocking is what the two readings must agree about.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

Pick = Callable[[int], int]

GLOBALS = """\
enum colour {{ RED, GREEN, BLUE }}
const LIMIT = 2;
param SIZE in 1..3 = 2;
mutex m;
mutex chan[2];
recursive mutex rec max 2;
rwlock r;
sem s max 2 = {sem};
sem slot[2] max 1 = 0;
event e = {event};
cond c;
bool flag = false;
0..2 n = 0;
-2..3 z = 1;
colour k = RED;
bool seen[2] = {{ false, true }};
bool mine[w];
thread_local bool tl = false;
"""

LOCKS = ("m", "m", "chan[0]", "chan[1]")


class ModelText:
    """Grows one model. `pick` decides everything; the text is in `text()`."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.fresh = 0
        self.workers = 1 + pick(2)
        self.has_spawn = pick(4) == 0
        self.home = pick(2) == 0
        self.names_used: set[str] = set()

    def one(self, *options: str) -> str:
        return options[self.pick(len(options))]

    def name(self) -> str:
        self.fresh += 1
        return f"l{self.fresh}"

    # ------------------------------------------------------------ expressions

    def index(self, scope: dict[str, str]) -> str:
        indices = [name for name, kind in scope.items() if kind == "index"]
        return self.one("0", "1", *indices, *indices) if self.pick(6) else self.one("n", "z", "1 - n")

    def thread(self, scope: dict[str, str]) -> str:
        choices = ["main", "w[0]", f"w[{self.workers - 1}]"] if self.pick(5) else ["w[n]"]
        if "self" in scope:
            choices += ["self", "self"]
        choices += [name for name, kind in scope.items() if kind == "thread"]
        return self.one(*choices)

    def integer(self, scope: dict[str, str], depth: int) -> str:
        locals_ = [name for name, kind in scope.items() if kind in ("int", "index")]
        if depth == 0 or self.pick(3) == 0:
            return self.one(
                "0", "1", "2", "LIMIT", "n", "z", "count(s)", "count(shot)", f"count(slot[{self.index(scope)}])", *locals_, *locals_
            )
        left, right = self.integer(scope, depth - 1), self.integer(scope, depth - 1)
        match self.pick(6):
            case 0:
                return f"({left} {self.one('/', '%')} {right})"
            case 1:
                return f"({self.boolean(scope, depth - 1)} ? {left} : {right})"
            case 2:
                binder = self.name()
                inner = scope | {binder: "thread"}
                return f"(number of {binder} in {self.one('w', 'thread')}: {self.boolean(inner, depth - 1)})"
            case 3:
                return f"(-{left})"
            case _:
                return f"({left} {self.one('+', '-', '*')} {right})"

    def boolean(self, scope: dict[str, str], depth: int) -> str:
        if depth == 0 or self.pick(4) == 0:
            return self.boolean_leaf(scope)
        match self.pick(8):
            case 0 | 1:
                op = self.one("&&", "||", "implies")
                return f"({self.boolean(scope, depth - 1)} {op} {self.boolean(scope, depth - 1)})"
            case 2:
                return f"!({self.boolean(scope, depth - 1)})"
            case 3 | 4:
                op = self.one("==", "!=", "<", "<=", ">", ">=")
                return f"({self.integer(scope, depth - 1)} {op} {self.integer(scope, depth - 1)})"
            case 5:
                binder = self.name()
                inner = scope | {binder: "thread"}
                return f"({self.one('forall', 'exists')} {binder} in {self.one('w', 'thread')}: {self.boolean(inner, depth - 1)})"
            case 6:
                binder = self.name()
                inner = scope | {binder: "index"}
                return f"({self.one('forall', 'exists')} {binder} in 0..1: {self.boolean(inner, depth - 1)})"
            case _:
                condition = self.boolean(scope, depth - 1)
                return f"({condition} ? {self.boolean(scope, depth - 1)} : {self.boolean(scope, depth - 1)})"

    def boolean_leaf(self, scope: dict[str, str]) -> str:
        locals_ = [name for name, kind in scope.items() if kind == "bool"]
        threads = self.thread(scope)
        leaves = [
            "flag",
            f"seen[{self.index(scope)}]",
            f"holds({threads}, {self.one('m', 'rec', 'r', 'chan[1]')})",
            f"owner({self.one('m', 'r', 'rec')}) {self.one('==', '!=')} {self.one('none', threads)}",
            f"in_context({threads}, {self.one('ctx', 'io')})",
            f"current_context({threads}) == {self.one('ctx', 'io', 'none')}",
            self.one("pending(plain)", "pending(shot)", f"pending(fam[{self.index(scope)}])"),
            self.one("pending(ctx)", "pending(io)"),
            "is_set(e)",
            f"k == {self.one('RED', 'GREEN', 'BLUE')}",
            f"at({threads}, {self.one('main.here', 'w.there')})",
            f"finished({threads})",
            f"{self.thread(scope)}.tl",
            f"mine[{self.one('w[0]', f'w[{self.workers - 1}]', threads)}]",
            *locals_,
            *locals_,
        ]
        if "self" in scope:
            leaves += ["tl", "holds(m)", "in_context(ctx)", "current_context() == none", "holds(rec)"]
        return self.one(*leaves)

    # ------------------------------------------------------------ statements

    def simple(self, scope: dict[str, str]) -> str:
        """A statement that may stand inside an atomic."""
        lock = self.one(*LOCKS, f"chan[{self.index(scope)}]", "rec")
        bools = [name for name, kind in scope.items() if kind == "bool"]
        ints = [name for name, kind in scope.items() if kind == "int"]
        guard = self.boolean(scope, 1)
        options = [
            "skip;",
            f"{self.one('flag', 'tl', f'seen[{self.index(scope)}]', *bools)} = {self.boolean(scope, 2)};",
            f"{self.one('n', 'z', *ints)} = {self.integer(scope, 2)};",
            f"{self.one('n', *ints)} = ({self.integer(scope, 1)}) % 3;",
            f"k = {self.one('RED', 'GREEN', 'BLUE')};",
            f"lock {lock};",
            f"lock {self.one('m', 'chan[0]', 'chan[1]', 'rec')};",
            f"if (holds({lock})) {{ unlock {lock}; }}",
            "if (holds(self, m)) { unlock m; }" if "self" in scope else f"unlock {lock};",
            f"wait {self.one('s', 's', f'slot[{self.index(scope)}]')};",
            f"post {self.one('s', 's', f'slot[{self.index(scope)}]')};",
            f"{self.one('set', 'reset', 'wait')} e;",
            f"{self.one('signal', 'broadcast')} c;",
            f"schedule {self.one('plain', 'shot', f'fam[{self.index(scope)}]')};",
            f"{self.one('rdlock', 'wrlock')} r;",
            "if (owner(r) == self) { wrunlock r; } else { rdunlock r; }",
            f"await {guard};",
            f"assert {guard};",
            f"assert n < 2 || {guard};",
        ]
        if self.pick(8) == 0:
            options.append(f"assume {guard};")
        if self.has_spawn and self.pick(3) == 0:
            options += ["spawn late;", "join late;"]
        if "self" in scope:
            options.append(f"mine[{self.one('self', 'w[0]')}] = {self.boolean(scope, 1)};")
        return self.one(*options)

    def statement(self, scope: dict[str, str], depth: int, level: int, looping: bool) -> list[str]:
        """`level`: procedures of a lower number may be called. One statement, possibly of several lines."""
        if depth == 0 or self.pick(3) > 0:
            return [self.step(scope, level)]
        if self.pick(6) == 0:
            lock = self.one("m", "m", "chan[0]", "chan[1]")
            return [f"lock {lock};", *self.block(dict(scope), 0, level, False), f"unlock {lock};"]
        return self.compound(scope, depth, level, looping)

    def compound(self, scope: dict[str, str], depth: int, level: int, looping: bool) -> list[str]:
        deeper = [f"    {line}" for line in self.block(dict(scope), depth - 1, level, looping)]
        other = [f"    {line}" for line in self.block(dict(scope), depth - 1, level, looping)]
        loop_body = [f"    {line}" for line in self.block(dict(scope), depth - 1, level, True)]
        match self.pick(9):
            case 0:
                return [f"if ({self.boolean(scope, 2)}) {{", *deeper, "} else {", *other, "}"]
            case 1:
                return [f"while ({self.boolean(scope, 2)}) {{", *loop_body, "}"]
            case 2:
                return ["loop {", f"    {self.step(dict(scope), level)}", *loop_body, "    break;", "}"]
            case 3:
                return ["choose {", *deeper, "} or {", *other, "}"]
            case 4:
                return [f"with {self.one(*LOCKS, 'rec')} {{", *deeper, "}"]
            case 5:
                binder = self.name()
                inner = scope | {binder: self.one("index")}
                body = [f"    {line}" for line in self.block(inner, depth - 1, level, True)]
                return [f"for {binder} in 0..1 {{", *body, "}"]
            case 6:
                return self.atomic(scope)
            case 7:
                binder = self.name()
                body = [f"    {line}" for line in self.block(scope | {binder: "thread"}, depth - 1, level, True)]
                return [f"for {binder} in w {{", *body, "}"]
            case _:
                jump = self.one("break;", "continue;") if looping else "return;" if "result" not in scope else "skip;"
                return [f"if ({self.boolean(scope, 1)}) {{", *deeper, f"    {jump}", "}"]

    def atomic(self, scope: dict[str, str]) -> list[str]:
        lines = [f"    {self.simple(scope)}" for _ in range(1 + self.pick(3))]
        match self.pick(5):
            case 0:
                lines += [f"    if ({self.boolean(scope, 1)}) {{", f"        {self.simple(scope)}", "    }"]
            case 1:
                lines += ["    choose {", f"        {self.simple(scope)}", "    } or {", f"        {self.simple(scope)}", "    }"]
            case 2:
                lines += [
                    f"    while (flag && {self.boolean(scope, 1)}) {{",
                    f"        {self.simple(scope)}",
                    f"        {self.simple(scope)}",
                    "    }",
                ]
            case _:
                pass
        return ["atomic {", *lines, "}"]

    def step(self, scope: dict[str, str], level: int) -> str:
        match self.pick(6 if level else 4):
            case 0:
                options = [
                    f"poll {self.one('ctx', 'io')};",
                    f"poll {self.one('ctx', 'io')} blocking;",
                    f"aio_wait_while {self.one('ctx', 'ctx', 'io')} ({self.boolean(scope, 1)});",
                    f"wait c with {self.one('m', 'm', 'chan[0]')};",
                    "poll ctx;",
                    "schedule plain;",
                    "schedule shot;",
                ]
                return self.one(*options)
            case 1:
                name, kind = self.name(), self.one("bool", "int")
                scope[name] = kind
                if kind == "bool":
                    return f"bool {name} = {self.boolean({k: v for k, v in scope.items() if k != name}, 1)};"
                return f"0..2 {name} = {self.integer({k: v for k, v in scope.items() if k != name}, 1)};"
            case 4 | 5:
                return self.call(scope, level)
            case _:
                return self.simple(scope)

    def call(self, scope: dict[str, str], level: int) -> str:
        options = ["plainproc();"]
        if level > 1:
            options += [
                f"byref({self.one(*LOCKS, f'chan[{self.index(scope)}]')}, {self.one('flag', f'seen[{self.index(scope)}]')});",
                f"n = value({self.integer(scope, 1)}, {self.boolean(scope, 1)});",
                f"z = value({self.integer(scope, 1)}, {self.boolean(scope, 1)});",
                f"value({self.integer(scope, 1)}, true);",
            ]
        if level > 2:
            options += ["invoke h;", "invoke any h;", "again();", "down(2);"]
        return self.one(*options)

    def block(self, scope: dict[str, str], depth: int, level: int, looping: bool, least: int = 1, most: int = 3) -> list[str]:
        lines: list[str] = []
        for _ in range(least + self.pick(most - least + 1)):
            lines += self.statement(scope, depth, level, looping)
        return lines

    # ------------------------------------------------------------ the whole

    def body(self, head: str, lines: list[str]) -> list[str]:
        return [f"{head} {{", *[f"    {line}" for line in lines], "}"]

    def procs(self) -> list[str]:
        me = {"self": "self"}
        contract = f" requires {self.boolean(me, 1)}" if self.pick(3) == 0 else ""
        ensures = " ensures result < 2" if self.pick(3) == 0 else ""
        value_scope = me | {"a": "int", "b": "bool", "result": "result"}
        guarded = self.pick(3) == 0
        value = self.block(value_scope, 1, 2, False, 0, 2)
        value = (
            ["with m {", *[f"    {line}" for line in value], f"    return {self.integer(value_scope, 1)};", "}"]
            if guarded
            else [*value, f"return {self.integer(value_scope, 1)};"]
        )
        ref_lines = [
            f"{self.one('lock', 'lock', 'unlock')} q;",
            f"{self.one('lock', 'unlock', 'unlock')} q;",
            f"v = {self.one('true', '!v', 'holds(q)')};",
        ]
        lines = self.body(f"proc plainproc(){contract}", self.block(dict(me), 1, 0, False))
        lines += self.body(f"proc value(0..2 a, bool b) returns 0..2{ensures}", value)
        lines += self.body("proc byref(ref mutex q, ref bool v)", ref_lines[: 1 + self.pick(3)])
        lines += self.body(
            "proc again()", [f"if ({self.boolean(me, 1)}) {{", "    again();", "}", *self.block(dict(me), 0, 0, False, 0, 1)]
        )
        lines += self.body("proc down(0..2 d)", ["if (d > 0) {", "    down(d - 1);", "}", self.one("skip;", "n = d;", "post s;")])
        lines += ["hook h;"]
        for callback in ("first", "second"):
            requires = f" requires {self.boolean(me, 1)}" if self.pick(3) == 0 else ""
            lines += self.body(f"callback {callback} for h{requires}", self.block(dict(me), 1, 2, False, 0, 2))
        return lines

    def text(self) -> str:
        me = {"self": "self"}
        lines = ["protocol generated;", GLOBALS.format(sem=self.pick(3), event=self.one("true", "false"))]
        home = " home main" if self.home else ""
        lines += [
            f"context ctx{home} when {self.one('holds(m)', 'tl', 'false', 'holds(rec) || tl')};",
            f"context io when {self.one('tl', 'holds(chan[0])', 'true')};",
        ]
        lines += self.procs()
        lines += self.body("bh plain on ctx", self.block(dict(me), 1, 3, False, 0, 2))
        lines += self.body("oneshot bh shot on ctx max 2", self.block(dict(me), 0, 3, False, 0, 2))
        lines += self.body("bh fam[j: 2] on io", self.block(me | {"j": "index"}, 0, 2, False, 0, 2))
        main = self.block(dict(me), 2, 4, False, 1, 4)
        lines += self.body("thread main", [f"here: {self.simple(me)}", *main])
        worker = self.block(me | {"i": "index"}, 2, 4, True, 1, 3)
        if self.pick(2):
            worker = [
                "loop {",
                f"    {self.one('idle', 'there')}: {self.simple(me | {'i': 'index'})}",
                *[f"    {line}" for line in worker],
                "}",
            ]
            if "there:" not in worker[1]:
                worker.insert(1, "    there: skip;")
        else:
            worker = ["there: skip;", *["    " + line for line in self.block(me | {"i": "index"}, 2, 4, False, 1, 3)]]
        lines += self.body(f"thread w[i: {self.workers}]", worker)
        if self.has_spawn:
            lines += self.body("thread late", self.block(dict(me), 0, 2, False, 1, 2))
            lines += self.body("thread starter", ["spawn late;", self.one("skip;", "join late;")])
        if self.pick(3):
            lines.append("deadlock free;")
        for _ in range(self.pick(3)):
            lines.append(f"invariant {self.boolean({}, 2)};")
        for _ in range(self.pick(2)):
            lines.append(f"liveness {self.one('eventually', f'{self.boolean({}, 1)} leads to')} {self.boolean({}, 1)};")
        if self.pick(3) == 0:
            lines.append(f"strong fair {self.one('w', 'main')};")
        if self.pick(5) == 0:
            lines.append(f"nesting {1 + self.pick(2)};")
        if self.pick(6) == 0:
            lines.append(f"disable {self.one('relock', 'not_owner', 'range', 'range, atomic')};")
        return "\n".join(lines) + "\n"


@st.composite
def model_texts(draw: st.DrawFn) -> str:
    """The text of a random well-formed model."""
    return ModelText(lambda n: draw(st.integers(0, n - 1))).text()
