"""An SMT-LIB 2 script put to a Z3 that knows nothing else.

In: the text of a script. Out: `sat`, `unsat` or `unknown`, and why it is unknown; or how much work it is. It must not know what the script
is about, nor share anything with the terms from which it may have been written.
"""

from __future__ import annotations

import z3


def ask_z3(text: str) -> tuple[str, str]:
    """The answer to the script's assertions, and a reason where it is `unknown`. Raises z3.Z3Exception if the text is no script."""
    solver = z3.SolverFor("QF_FD", ctx=z3.Context())  # measured: twice as fast on these as the solver for everything
    solver.from_string(text)
    answer = str(solver.check())
    return answer, str(solver.reason_unknown()) if answer == "unknown" else ""


def effort(text: str, seed: int, most: int) -> tuple[str, int]:
    """The answer, with this seed for what the solver chooses at random, and the work that it took in Z3's own unit (`rlimit`): the same on
    every machine, for the same version, in a process that has not used Z3 for anything else (measured: what it was used for before moves it
    by a tenth). `unknown` after `most` of it. Raises z3.Z3Exception if the text is no script."""
    solver = z3.SolverFor("QF_FD", ctx=z3.Context())
    solver.set("random_seed", seed)
    solver.set("rlimit", most)
    solver.from_string(text)
    answer = str(solver.check())
    return answer, int(solver.statistics().get_key_value("rlimit count"))
