"""Why a thread cannot move, in a few words.

In: what the interpreter says about a wait. Out: half a sentence. Must not judge whether the wait will end.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from formal.interp import Waiting
from formal.stepping.path import Path

_DEEDS: Final = MappingProxyType({"semaphore": "post it", "event": "set it", "condition": "wake it", "context": "schedule something there"})


def why_blocked(path: Path, position: int, member: Waiting) -> str:
    """ "for BQL, which main_loop holds since step 5"."""
    names = [thread.name for thread in path.machine.program.threads]
    state, wait = path.states[position], member.wait
    target = None if wait.target is None else path.machine.views.name_of(wait.target(state))
    others = [names[thread] for thread in member.ends if thread != member.thread]
    if member.thread in member.ends:
        others.append(f"{names[member.thread]} itself")
    ends = _listed(others, "or") or "nobody"
    match wait.kind:
        case "lock":
            holders = [names[thread] for thread in sorted(wait.holders(state))]
            return (
                f"for {target}, which {_listed(holders, 'and')} {'holds' if len(holders) == 1 else 'hold'}{_since(path, position, target)}"
            )
        case "semaphore" | "event" | "condition" | "context":
            return f"for {target}: {ends} could {_DEEDS[wait.kind]}"
        case "thread":
            return f"for {target} to finish"
        case "await":
            return f"until that is true; {ends} could make it so"
        case _:
            return f"{ends} could change that"


def _since(path: Path, position: int, lock: str | None) -> str:
    numbers = [path.since(f"{lock}.{part}", position) for part in ("owner", "writer", "readers")]
    last = max((number for number in numbers if number is not None), default=None)
    return "" if last is None else f" since step {last}"


def _listed(names: list[str], word: str) -> str:
    """a, b or c."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)
