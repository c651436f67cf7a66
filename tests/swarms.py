"""Random models of a family of any size, each of which is made of a few constructs, picked anew for each: so rare ones meet each other.

In: a seed. Out: a model's text, with `param N in 1..*`. The generators in `test_families` and `test_company` have most constructs in every
model, and leave others out: second threads of a member, members that are spawned and joined, bottom halves that are pending several times,
arrays of events, conditions and rwlocks, labels, homes of contexts, references to threads, marks left in locks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

HEAD: Final = """param N in 1..* = 9;
bool x; 0..3 k; mutex L; rwlock R; sem G max 2 = 1; event E; cond C;
0..2 n[N]; bool f[t]; mutex M[N]; rwlock W[N]; sem S[N] max 1 = 0; event V[N]; cond D[N]; thread_local bool p; nesting 1;
proc join_one(ref thread other) { join other; }
"""
# By construct: what is asked of a member {0}, and what is done about it.
ASKED: Final = {
    "number": ("n[{0}] == 1", "n[{0}] != 0"),
    "flag": ("f[t[{0}]]", "!f[t[{0}]]"),
    "lock": ("owner(M[{0}]) == none", "owner(M[{0}]) == t[{0}]", "holds(t[{0}], L)"),
    "rwlock": ("holds(t[{0}], W[{0}])", "owner(W[{0}]) == none"),
    "semaphore": ("count(S[{0}]) > 0",),
    "event": ("is_set(V[{0}])",),
    "bh": ("pending(b[{0}])", "!pending(b[{0}])"),
    "oneshot": ("count(o[{0}]) > 1", "pending(X)"),
    "local": ("t[{0}].p", "!t[{0}].p"),
    "label": ("at(t[{0}], t.here)",),
    "context": ("in_context(t[{0}], X)", "current_context(t[{0}]) == X"),
    "spawned": ("finished(d[{0}])",),
    "second": ("finished(s[{0}])",),
}
DONE: Final = {
    "number": ("n[{0}] = 1;", "n[{0}] = x ? 2 : 0;"),
    "flag": ("f[t[{0}]] = true;", "f[t[{0}]] = x;"),
    "lock": ("with M[{0}] {{ skip; }}", "with L {{ x = !x; }}", "lock M[{0}];"),
    "rwlock": ("rdlock W[{0}]; rdunlock W[{0}];", "wrlock W[{0}]; wrunlock W[{0}];", "rdlock R; rdunlock R;"),
    "semaphore": ("post S[{0}];", "wait S[{0}];", "wait G; post G;"),
    "grows": ("post Q;", "wait Q;"),
    "event": ("set V[{0}];", "wait V[{0}];", "reset E;", "set E;", "wait E;"),
    "condition": ("broadcast D[{0}];", "broadcast C;", "with L {{ wait D[{0}] with L; }}", "with L {{ wait C with L; }}"),
    "bh": ("schedule b[{0}];", "poll X;", "poll X blocking;"),
    "oneshot": ("schedule o[{0}];", "poll X;"),
    "local": ("p = true;", "p = !p;"),
    "spawned": ("spawn d[{0}];", "join d[{0}];"),
    "reference": ("join_one(t[{0}]);",),
    "joined": ("join t[{0}];", "await finished(t[{0}]);"),
    "shared": ("x = !x;", "x = true;", "if (k < 3) {{ k = k + 1; }}", "await x;"),
}
WITHIN_ATOMIC: Final = ("n[{0}] = 1;", "f[t[{0}]] = true;", "x = !x;", "set V[{0}];", "schedule b[{0}];", "post S[{0}];")


class Swarm:
    """Grows one model."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)
        self._has = {"number", "shared", *self._pick.sample(sorted({*ASKED, *DONE}), self._pick.choice((2, 3, 4, 6)))}
        self._loops = self._pick.random() < 0.5
        self._names = 0

    def _one(self, options: Sequence[str]) -> str:
        return self._pick.choice(options)

    def _about(self, said: dict[str, tuple[str, ...]], member: str) -> str:
        return self._one([text for name in said if name in self._has for text in said[name]]).format(member)

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def test(self, member: str | None) -> str:
        """A condition, of a member, of all, or of some."""
        other = self._name()
        quantified = f"{self._one(('forall', 'exists'))} {other} in 0..N - 1: {self._about(ASKED, other)}"
        return quantified if member is None or self._pick.random() < 0.3 else self._one(("x", "k == 1", self._about(ASKED, member)))

    def statement(self, member: str, depth: int = 1) -> str:
        """What is done about a member."""
        if depth == 0 or self._pick.random() < 0.5:
            return self._one(
                (self._about(DONE, member), self._about(DONE, member), f"await {self.test(member)};", f"assert {self.test(member)};")
            )
        inner = self.statement(member, depth - 1)
        wrap = self._one(
            (
                f"if ({self.test(member)}) {{{{ {{0}} }}}}",
                f"while ({self.test(member)}) {{{{ {{0}} }}}}",
                "choose {{ {0} }} or {{ skip; }}",
                "atomic {{ {0} }}",
                "loop {{ {0} skip; }}",
            )
        )
        return wrap.format(self._one(WITHIN_ATOMIC).format(member) if wrap.startswith("atomic") else inner)

    def outside(self) -> str:
        """What somebody does who is no member."""
        member = self._name()
        through = f"for {member} in 0..N - 1 {{ {self.statement(member)} n[{member}] = 0; }}"
        return self._one(
            (
                *(
                    (through, through, f"atomic {{ for {member} in 0..N - 1 {{ if (n[{member}] == 1) {{ f[t[{member}]] = true; }} }} }}")
                    if self._loops
                    else ()
                ),
                f"await {self.test(None)}; x = !x;",
                f"if ({self.test(None)}) {{ x = true; }}",
                "loop { idle: poll X blocking; }",
            )
        )

    def text(self) -> str:
        """The model."""
        i, poll = "i", self._pick.random() < 0.5
        lines = [
            HEAD,
            *(["sem Q max N + 1 = 0;"] if "grows" in self._has else []),
            f"context X{self._one(('', ' home u', ' when holds(L)'))};",
            f"bh b[i: N] on X {{ {self.statement(i, 0)} }}".replace("poll X blocking;", "skip;").replace("poll X;", "skip;"),
            f"oneshot bh o[i: N] on X max 2 {{ {self.statement(i, 0)} }}".replace("poll X blocking;", "skip;").replace("poll X;", "skip;"),
            f"thread t[i: N] {{ here: {self._about(DONE, i)} {self.statement(i, 2)} }}",
            f"thread u {{ {self.outside()} {'loop { idle: poll X blocking; }' if poll else ''} }}",
            *([f"thread d[i: N] {{ {self.statement(i)} }}"] if "spawned" in self._has else []),
            *([f"thread s[i: N] {{ {self.statement(i)} }}"] if "second" in self._has else []),
            "deadlock free;",
            *(f"invariant {name}: {self.test(None)};" for name in ("one", "two", "three")),
        ]
        return "\n".join(lines)
