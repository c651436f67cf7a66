"""Random callbacks, and what is said of them by their contract and by the whole: shared by tests, and run by hand.

`python tests/contracted.py --count 500`: where the composition says proved, the whole program must be.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from formal.contracts.loading import callback_alone, protocol_with_any
from formal.engines import explicit
from formal.engines.protocol import Finding, Options
from formal.frontend import load
from formal.program import Program
from formal.verdict import Verdict

CONTRACT = """// What the callbacks of h may do.
mutex L;
mutex M;
thread_local bool has_l = false;
context ctx home main when has_l;
bool shared = false;

proc take_l() { atomic { lock L; has_l = true; } }
proc give_l() { atomic { unlock L; has_l = false; } }

hook h {
    requires holds(L) && has_l;
    ensures holds(L) && has_l;
    may drop L by give_l, take_l;
    may lock M;
    may poll ctx requires holds(L) && !holds(M);
    may call wait_s requires !holds(L) && !holds(M);
    may call toggle requires holds(L);
    thread may lock L;
}
"""
AROUND = """import "contract.dsl";
thread main { }
proc wait_s() { }
proc toggle() { }
"""
PROTOCOL = """protocol whole "a hook, called by a thread of its own";
import "contract.dsl";
param POSTS in bool = true;
param TAKES_M in bool = true;
param HOLDS_M in bool = false;
sem s max 1 = 0;
sem returned max 1 = 0;
bool asked = false;
bh b on ctx { if (HOLDS_M) { with M { skip; } } else { give_l(); take_l(); } }
proc wait_s() { if (!asked) { asked = true; wait s; } }
proc toggle() requires holds(L) { shared = !shared; }
thread main {
    loop {
        idle: await pending(ctx);
        take_l();
        poll ctx;
        give_l();
    }
}
thread caller {
    take_l();
    schedule b;
    invoke h;
    give_l();
    post returned;
}
thread follower { wait returned; }
thread other {
    if (TAKES_M) { with M { skip; } }
    take_l();
    if (POSTS) { post s; }
    give_l();
}
deadlock free;
"""
KNOBS = [{}, {"TAKES_M": "false"}, {"HOLDS_M": "true"}, {"POSTS": "false"}]
_SHARED = ["with M { skip; }", "poll ctx;", "give_l(); wait_s(); take_l();", "toggle();", "give_l(); take_l();"]
_RESTS = ["give_l(); idle: wait q; take_l();"]  # for ever, if nobody posts
_OWN = ["with P { skip; }", "ready = true;", "ready = false;", "spawn w; give_l(); join w; take_l();", "post q;", "skip;", "assert !ready;"]
_LOOSE = [
    "give_l();",
    "take_l();",
    "lock M;",
    "unlock M;",
    "wait_s();",
    "lock P;",
    "unlock P;",
    "await ready;",
    "idle: await ready;",
    "spawn w;",
    "join w;",
    "wait q;",
]
_BROKEN = ["lock L;", "schedule b;", "shared = true;", "post s;", "await shared;", "wait s;", "poll ctx blocking;"]
_THREAD = [
    "take_l();",
    "give_l();",
    "lock P;",
    "unlock P;",
    "with P { skip; }",
    "ready = true;",
    "await ready;",
    "post q;",
    "wait q;",
    "skip;",
]
_SCENES = [
    "give_l(); {0} take_l();",
    "lock M; {0} unlock M;",
    "with M {{ {0} }}",
    "with P {{ {0} }}",
    "if (ready) {{ {0} }}",
    "if (shared) {{ {0} }}",
    "choose {{ {0} }} or {{ }}",
    "spawn w; {0} join w;",
    "if (!holds(M)) {{ {0} }}",
]


class Callbacks:
    """Random files of one callback with one thread of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        words = _SHARED * 2 + _OWN + self.random.choices(_LOOSE, k=self.random.randrange(4))
        body = self._statements(2, words + (self.random.choices(_BROKEN, k=2) if self.random.random() < 0.1 else []))
        if self.random.random() < 0.2:
            body += f" {self.random.choice(_RESTS)}"
        thread = " ".join(self._thread() for _ in range(self.random.randrange(3)))
        return (
            "mutex P;\nsem q max 3 = 0;\nbool ready = false;\n"
            f"thread w {{ {thread} skip; }}\n"
            f"callback f for h requires holds(L) {{ if (ready) {{ spawn w; }} {body} }}\n"
        )

    def _statements(self, depth: int, words: list[str]) -> str:
        return " ".join(self._statement(depth, words) for _ in range(self.random.randrange(1, 4)))

    def _statement(self, depth: int, words: list[str]) -> str:
        if depth and self.random.random() < 0.55:
            return self.random.choice(_SCENES).format(self._statements(depth - 1, words))
        return self.random.choice(words)

    def _thread(self) -> str:
        if self.random.random() < 0.6:
            return f"take_l(); {self.random.choice(['skip;', 'ready = true;', 'post q;', ''])} give_l();"
        return self.random.choice(_THREAD)


def verdict(program: Program) -> dict[str, Verdict]:
    """By property, what the exploration of all states says."""
    found: list[Finding] = []
    names = tuple(prop.name for prop in program.properties)
    explicit.run(program, Options(properties=names), lambda event: found.append(event) if isinstance(event, Finding) else None)
    return {one.prop: one.verdict for one in found}


def is_proved(program: Program) -> bool:
    found = verdict(program)
    return all(found.get(prop.name) is Verdict.PROVED for prop in program.properties)


def write(folder: Path) -> None:
    """The contract, what stands around, and the protocol."""
    for name, text in (("contract.dsl", CONTRACT), ("h.dsl", AROUND), ("whole.dsl", PROTOCOL)):
        (folder / name).write_text(text)


def compared(folder: Path, text: str, knobs: dict[str, str]) -> tuple[bool, bool] | None:
    """Whether the callback is proved alone, and in the whole; None if it is no callback at all."""
    (folder / "f.dsl").write_text(text)
    whole = load(str(folder / "whole.dsl"), knobs, [str(folder / "f.dsl")]).program
    alone = callback_alone(str(folder / "f.dsl"), {}).loaded.program
    if whole is None or alone is None:
        return None
    return is_proved(alone), is_proved(whole)


def sound(folder: Path, seeds: range, tried: Sequence[dict[str, str]]) -> tuple[Counter[str], list[str]]:
    """How often what was said, and where the composition said proved and the whole is not. `tried`: values of the protocol's parameters."""
    write(folder)
    good = [knobs for knobs in tried if is_proved(_any(folder, knobs))]
    told: Counter[str] = Counter({"protocols proved with any callback": len(good)})
    wrong = []
    for seed in seeds:
        text = Callbacks(seed).text()
        for knobs in good:
            both = compared(folder, text, knobs)
            if both is None:
                told["refused by the front end"] += 1
                break
            told[f"alone {both[0]}, whole {both[1]}"] += 1
            if both == (True, False):
                wrong.append(f"seed {seed} {knobs}\n{text}")
    return told, wrong


def _any(folder: Path, knobs: dict[str, str]) -> Program:
    program = protocol_with_any(str(folder / "whole.dsl"), knobs).loaded.program
    assert program is not None
    return program


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told, wrong = sound(Path(folder), range(given.first, given.first + given.count), KNOBS[:2])
    for what, times in sorted(told.items()):
        print(f"{times:6} {what}")
    print("\n\n".join(wrong))


if __name__ == "__main__":
    main()
