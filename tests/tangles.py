"""Random models of a few threads that go round and round, each taking several locks, waiting for and waking the others: many deadlock.

In: `pick(n) -> 0..n-1`, which decides everything. Out: a model's text. The other generators make every construct meet every other one; most
of their models end soon. These have few constructs, small state spaces, and executions without end.
"""

from __future__ import annotations

from collections.abc import Callable

HEAD = """\
mutex a;
mutex b;
rwlock r;
sem s max 2 = {sem};
event e = {event};
cond c;
bool flag = false;
0..2 n = 0;
context x;
bh task on x {{ flag = !flag; }}
"""


class Tangle:
    """Grows one model."""

    def __init__(self, pick: Callable[[int], int]) -> None:
        self.pick = pick

    def one(self, *options: str) -> str:
        return options[self.pick(len(options))]

    def text(self) -> str:
        threads = [self.thread(f"t{i}") for i in range(2 + self.pick(2))]
        head = HEAD.format(sem=self.pick(3), event=self.one("false", "true"))
        claims = ["deadlock free;", f"invariant small: n < {1 + self.pick(2)} || flag;"]
        if self.pick(3) == 0:
            claims.append(self.one("liveness sinks: flag leads to !flag;", "liveness rises: eventually n > 0;"))
        return "\n".join(["protocol tangle;", head, *threads, *claims, ""])

    def thread(self, name: str) -> str:
        body = self.block(2, frozenset())
        if self.pick(4):
            body = f"loop {{ {body} }}"
        return f"thread {name} {{ {body} }}"

    def block(self, depth: int, held: frozenset[str]) -> str:
        return " ".join(self.statement(depth, held) for _ in range(1 + self.pick(2)))

    def statement(self, depth: int, held: frozenset[str]) -> str:
        free = [lock for lock in ("a", "b") if lock not in held]
        match self.pick(8) if depth else 7:
            case 0 | 1 | 2 if free:
                lock = self.one(*free)
                return f"with {lock} {{ {self.block(depth - 1, held | {lock})} }}"
            case 3 if "r" not in held:
                mode = self.one("rd", "wr")
                return f"{mode}lock r; {self.block(depth - 1, held | {'r'})} {mode}unlock r;"
            case 4:
                return f"while ({self.test()}) {{ {self.block(depth - 1, held)} }}"
            case 5:
                return f"choose {{ {self.block(depth - 1, held)} }} or {{ {self.simple(held)} }}"
            case 6:
                return f"if ({self.test()}) {{ {self.block(depth - 1, held)} }}"
            case _:
                return self.simple(held)

    def test(self) -> str:
        return self.one("flag", "!flag", "n == 0", "n < 2", "is_set(e)", "count(s) > 0")

    def simple(self, held: frozenset[str]) -> str:
        waits = [f"wait c with {lock};" for lock in ("a", "b") if lock in held]
        changes = ["flag = true;", "flag = false;", "n = (n + 1) % 3;", "n = 0;", "set e;", "reset e;"]
        wakes = ["signal c;", "broadcast c;", "schedule task;", "poll x;"]
        return self.one("wait s;", "if (count(s) < 2) { post s; }", "wait e;", f"await {self.test()};", *changes, *wakes, *waits)
