"""Random models of a few kinds of things at a time, small, and with variables that nothing reads.

In: `pick(n) -> 0..n-1`, which decides everything. Out: a model's text. What `strategies` seldom or never makes is here: arrays of every
kind of object, `ref` parameters of every kind, passed on, oneshot families, loops over enums and threads, spawned families, returns out of
guards; atomics with loops, guards and ways out in them, and with changes before a wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

Scope: TypeAlias = Mapping[str, str]  # by name: index, member (of the enum), thread, self, or the kind of a `ref` parameter
Pick: TypeAlias = Callable[[int], int]

# By kind: what declares it, and how its objects are named.
OBJECTS: Final = MappingProxyType(
    {
        "mutex": ("mutex m; mutex row[2]; recursive mutex rec max 2;", ("m", "row[{}]", "rec")),
        "rwlock": ("rwlock r; rwlock rs[2];", ("r", "rs[{}]")),
        "sem": ("sem s max 2 = 1; sem ss[2] max 1;", ("s", "ss[{}]")),
        "event": ("event e; event es[2] = true;", ("e", "es[{}]")),
        "cond": ("cond c; cond cs[2];", ("c", "cs[{}]")),
        "bh": ("", ("b", "o", "bs[{}]", "os[{}]")),
        "context": ("context X home main; context Y when n == 1;", ("X", "Y")),
        "enum": ("enum colour { RED, GREEN } colour k; colour ks[2] = { GREEN, RED };", ("k", "ks[{}]")),
        "int": ("0..2 a[2];", ("n", "a[{}]")),
        "bool": ("thread_local bool tl; bool mine[w];", ("flag", "tl", "mine[w[0]]")),
        "thread": ("", ("main", "w[0]", "w[1]")),
    }
)
ALWAYS: Final = ("int", "bool", "thread")
SOMETIMES: Final = ("mutex", "rwlock", "sem", "event", "cond", "bh", "enum")


class Weave:
    """Grows one model."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        chosen = {*ALWAYS, *(self.one(*SOMETIMES) for _ in range(3))}
        chosen |= {"mutex"} if "cond" in chosen else set()
        self.kinds = chosen | ({"context"} if "bh" in chosen else set())
        self.late = pick(4) == 0
        self.procs: list[tuple[str, tuple[str, ...]]] = []
        self.fresh = 0

    def one(self, *options: str) -> str:
        return options[self.pick(len(options))]

    def name(self, stem: str) -> str:
        self.fresh += 1
        return f"{stem}{self.fresh}"

    # ------------------------------------------------------------ things

    def index(self, scope: Scope) -> str:
        known = [name for name, kind in scope.items() if kind == "index"]
        return self.one("0", "1", "n") if self.pick(8) == 0 else self.one("0", "1", *known, *known)

    def thing(self, kind: str, scope: Scope) -> str:
        """An object of a kind that this model has, or a parameter that stands for one."""
        names = [name.format(self.index(scope)) for name in OBJECTS[kind][1] if name != "tl" or "self" in scope]
        return self.one(*names, *(name for name, known in scope.items() if known == kind for _ in range(2)))

    def domain(self) -> tuple[str, str]:
        return (
            ("0..1", "index"),
            ("w", "thread"),
            ("thread", "thread"),
            ("colour", "member") if "enum" in self.kinds else ("0..1", "index"),
        )[self.pick(4)]

    # ------------------------------------------------------------ expressions

    def number(self, scope: Scope) -> str:
        counts = [f"count({self.thing('sem', scope)})"] if "sem" in self.kinds else []
        counts += [f"count({self.one('o', 'os[1]')})"] if "bh" in self.kinds else []
        known = [name for name, kind in scope.items() if kind == "index"]
        value = self.one("0", "1", "2", self.thing("int", scope), self.thing("int", scope), *counts, *known)
        return f"({value} {self.one('+', '-', '*', '/', '%')} {self.one('1', '2', 'n')})" if self.pick(4) == 0 else value

    def test(self, scope: Scope, depth: int = 1) -> str:
        match self.pick(6) if depth else 5:
            case 0:
                return f"({self.test(scope, 0)} {self.one('&&', '||', 'implies')} {self.test(scope, 0)})"
            case 1:
                return f"({self.number(scope)} {self.one('==', '!=', '<', '>=')} {self.number(scope)})"
            case 2:
                binder, (domain, kind) = self.name("q"), self.domain()
                return f"({self.one('forall', 'exists')} {binder} in {domain}: {self.test({**scope, binder: kind}, 0)})"
            case 3:
                return f"!({self.test(scope, 0)})"
            case _:
                return self.question(scope)

    def question(self, scope: Scope) -> str:
        whose = self.one(self.thing("thread", scope), "self" if "self" in scope else "main")
        found = [self.thing("bool", scope), self.thing("bool", scope), f"finished({whose})", f"{whose}.tl", f"at({whose}, main.here)"]
        for kind in sorted(self.kinds & {"mutex", "rwlock"}):
            lock = self.thing(kind, scope)
            found += [f"holds({whose}, {lock})", f"owner({lock}) {self.one('==', '!=')} {self.one('none', whose)}"]
        if "event" in self.kinds:
            found.append(f"is_set({self.thing('event', scope)})")
        if "bh" in self.kinds:
            context = self.thing("context", scope)
            found += [f"pending({self.thing('bh', scope)})", f"pending({context})", f"in_context({whose}, {context})"]
        if "enum" in self.kinds:
            values = [name for name, kind in scope.items() if kind in ("enum", "member")]
            found.append(f"{self.thing('enum', scope)} == {self.one('RED', 'GREEN', *values)}")
        return self.one(*found)

    # ------------------------------------------------------------ statements

    def simple(self, scope: Scope) -> str:
        """What may stand in an atomic. `dead` is never read."""
        found = ["skip;", "dead = !flag;", f"{self.thing('bool', scope)} = {self.test(scope)};", f"await {self.test(scope)};"]
        found += [f"{self.thing('int', scope)} = {self.one('0', '1', self.number(scope))};", f"assert {self.test(scope)};"]
        found += [f"assume {self.test(scope)};"] if self.pick(8) == 0 else []
        found += [text.format(self.thing(kind, scope)) for kind in sorted(self.kinds) for text in self.acts(kind)]
        found += [self.one("spawn l[0];", "spawn l[1];", "join l[0];")] if self.late else []
        return self.one(*found)

    def acts(self, kind: str) -> tuple[str, ...]:
        match kind:
            case "mutex":
                return ("lock {0};", "if (holds({0})) {{ unlock {0}; }}")
            case "rwlock":
                return (
                    "rdlock {0};",
                    "wrlock {0};",
                    "if (owner({0}) == self) {{ wrunlock {0}; }} else if (holds({0})) {{ rdunlock {0}; }}",
                )
            case "sem":
                return ("wait {0};", "if (count({0}) == 0) {{ post {0}; }}", "post {0};")
            case "event":
                return ("set {0};", "reset {0};", "wait {0};")
            case "cond":
                return ("signal {0};", "broadcast {0};")
            case "bh":
                return ("schedule {0};",)
            case "enum":
                return ("{0} = GREEN;", "{0} = k;")
            case _:
                return ()

    def waiting(self, scope: Scope) -> str:
        """What may not stand in an atomic."""
        found = [self.simple(scope)]
        if "bh" in self.kinds:
            context = self.thing("context", scope)
            found += [f"poll {context};", f"poll {context} blocking;", f"aio_wait_while {context} ({self.test(scope)});"]
        if "cond" in self.kinds:
            found.append(f"with m {{ wait {self.one('c', 'cs[0]')} with m; {self.simple(scope)} }}")
        return self.one(*found)

    def call(self, scope: Scope) -> str:
        if not self.procs:
            return self.waiting(scope)
        name, kinds = self.procs[self.pick(len(self.procs))]
        return f"{name}({', '.join(self.thing(kind, scope) for kind in kinds)});"

    def atomic(self, scope: Scope) -> str:
        found = ["dead = !dead;"] if self.pick(3) == 0 else []  # behind which waiting is an error
        for _ in range(1 + self.pick(3)):
            binder, (domain, kind) = self.name("f"), self.domain()
            parts = [
                self.simple(scope),
                f"for {binder} in {domain} {{ {self.simple({**scope, binder: kind})} }}",
                f"choose {{ {self.simple(scope)} }} or {{ {self.simple(scope)} {self.simple(scope)} }}",
                f"if ({self.test(scope)}) {{ {self.one('return;', self.simple(scope))} }}",
                f"while (n < 2 && {self.test(scope)}) {{ n = n + 1; {self.simple(scope)} }}",
                *([f"with {self.one('m', 'row[0]')} {{ {self.simple(scope)} }}"] if "mutex" in self.kinds else []),
            ]
            found.append(self.one(parts[0], parts[0], *parts))
        return f"atomic {{ {' '.join(found)} }}"

    def block(self, scope: Scope, depth: int) -> str:
        return " ".join(self.statement(scope, depth) for _ in range(1 + self.pick(2)))

    def statement(self, scope: Scope, depth: int) -> str:
        match self.pick(12):
            case 0 if depth:
                return f"if ({self.test(scope)}) {{ {self.block(scope, depth - 1)} }} else {{ {self.block(scope, depth - 1)} }}"
            case 1 if depth:
                return f"while ({self.test(scope)}) {{ {self.block(scope, depth - 1)} {self.one('', 'break;', 'continue;')} }}"
            case 2 if depth:
                return f"choose {{ {self.block(scope, depth - 1)} }} or {{ {self.block(scope, depth - 1)} }}"
            case 3 if depth and "mutex" in self.kinds:
                return f"with {self.one('m', 'row[1]', 'rec')} {{ {self.block(scope, depth - 1)} {self.one('', 'return;')} }}"
            case 4 if depth:
                binder, (domain, kind) = self.name("f"), self.domain()
                return f"for {binder} in {domain} {{ {self.block({**scope, binder: kind}, depth - 1)} }}"
            case 5 | 6:
                return self.atomic(scope)
            case 7 | 8:
                return self.call(scope)
            case 9 | 10:
                return self.waiting(scope)
            case _:
                return self.simple(scope)

    # ------------------------------------------------------------ the whole

    def proc(self, name: str) -> str:
        kinds = tuple(dict.fromkeys(self.one(*sorted(self.kinds)) for _ in range(self.pick(3))))
        params = {self.name("g"): kind for kind in kinds}
        written = {"int": "ref 0..2", "bool": "ref bool", "enum": "ref colour"}
        asked = f" requires {self.test({'self': 'self'})}" if self.pick(4) == 0 else ""
        head = ", ".join(f"{written.get(kind, f'ref {kind}')} {param}" for param, kind in params.items())
        text = f"proc {name}({head}){asked} {{ {self.block({'self': 'self', **params}, 1)} }}"
        self.procs.append((name, kinds))
        return text

    def body(self, scope: Scope, first: str) -> str:
        inside = f"{first}: {self.simple(scope)} {self.block(scope, 2)}"
        return f"{{ loop {{ {inside} {self.simple(scope)} }} }}" if self.pick(3) == 0 else f"{{ {inside} }}"

    def text(self) -> str:
        """A model that the front end takes."""
        me, member = {"self": "self"}, {"self": "self", "i": "index"}
        lines = ["protocol weave;", "bool flag = true;", "bool dead;", "0..2 n;", *(OBJECTS[kind][0] for kind in sorted(self.kinds))]
        lines += [self.proc(f"p{number}") for number in range(self.pick(3))]
        if "bh" in self.kinds:
            lines += [f"bh b on X {{ {self.block(me, 0)} }}", f"oneshot bh o on Y max 2 {{ {self.simple(me)} }}"]
            lines += [f"bh bs[i: 2] on Y {{ {self.simple(member)} }}", f"oneshot bh os[i: 2] on X max 1 {{ {self.simple(member)} }}"]
        lines += [f"thread main {self.body(me, 'here')}", f"thread w[i: 2] {self.body(member, 'there')}"]
        if self.late:
            lines.append(f"thread l[i: 2] {{ {self.simple(member).replace('spawn l[1]', 'join main')} }} thread starter {{ spawn l[1]; }}")
        lines += ["deadlock free;"] if self.pick(3) else []
        lines += [f"invariant {self.test({})};" for _ in range(self.pick(3))]
        lines += [f"disable {self.one('range', 'relock', 'atomic')};"] if self.pick(6) == 0 else []
        return "\n".join(lines) + "\n"
