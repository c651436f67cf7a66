"""Where the time goes within `formal`: starting up, and the ways to spend time on a model.

In: nothing. Out: a table on standard output. Everything is measured in one run and told as a ratio to its first row, the median of several
rounds: seconds depend on the machine, ratios much less. No test depends on it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

ROUNDS = 3
STARTS = (
    ("python alone", ("-c", "pass")),
    ("formal --help", ("-m", "formal", "--help")),
    ("formal check", ("-m", "formal", "check", "models/savevm_locked.dsl")),
)
MODELS = ("models/savevm_unlocked.dsl", "models/savevm_locked.dsl", "models/multifd_sync_locked.dsl", "models/multifd_sync_unlocked.dsl")
QUESTIONS = (  # all of it, and a bounded part that every engine can answer
    ("--engine", "auto"),
    ("--engine", "explicit"),
    ("--engine", "auto", "--depth", "12"),
    ("--engine", "explicit", "--depth", "12"),
    ("--engine", "bmc", "--depth", "12"),
)
LIMIT = "60"


def median(words: Sequence[str]) -> tuple[float, int]:
    """Seconds of one command, and how it ended."""
    taken, code = [], 0
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        code = subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode
        taken.append(time.perf_counter() - begun)
        if taken[-1] > 5:  # long enough to be told apart
            break
    return statistics.median(taken), code


def row(name: str, seconds: float, base: float, note: str = "") -> None:
    """One line of the table."""
    print(f"  {name:<44} {seconds:8.2f} s  x {seconds / base:7.2f}  {note}", flush=True)


def starting() -> None:
    """Commands that prove nothing."""
    print("starting up")
    base = 0.0
    for name, words in STARTS:
        seconds, _ = median(words)
        base = base or seconds
        row(name, seconds, base)


def proving() -> None:
    """Engines and sizes, a few minutes."""
    verdicts = {0: "proved", 1: "violated", 3: "undecided"}
    for model in MODELS:
        print(model)
        base = 0.0
        for question in QUESTIONS:
            seconds, code = median(("-m", "formal", "prove", model, *question, "--timeout", LIMIT, "--quiet"))
            base = base or seconds
            note = "no violation" if code == 0 and "--depth" in question else verdicts.get(code, f"exit {code}")
            row(" ".join(question), seconds, base, note)
    print("models/savevm_locked.dsl, by number of vCPUs")
    base = 0.0
    for count in (1, 2, 4, 16, 64):
        seconds, code = median(("-m", "formal", "prove", MODELS[1], "-D", f"VCPUS={count}", "--timeout", LIMIT, "--quiet"))
        base = base or seconds
        row(f"-D VCPUS={count}", seconds, base, verdicts.get(code, f"exit {code}"))
