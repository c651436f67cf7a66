"""Deadlocks in words: who waits for what, and who could end that, and why nobody will.

In: the history of an execution that ends in a deadlock, and the evidence. Out: a paragraph. Must not judge.
"""

from __future__ import annotations

from formal.interp.deadlock import Deadlock, Waiting
from formal.interp.history import History, listed, where
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER

DEEDS = {"semaphore": "post it", "event": "set it", "condition": "wake it", "context": "schedule something there"}


def explain_deadlock(history: History, deadlock: Deadlock) -> str:
    """The threads that matter: those that wait and are not idle, and whoever could end a wait of one of them."""
    members = {member.thread: member for member in deadlock.members}
    matter = [member.thread for member in deadlock.members if not _is_idle(history, member)]
    for thread in matter:
        matter.extend(other for other in members[thread].ends if other in members and other not in matter)
    sentences = [_sentence(history, members[thread]) for thread in matter]
    return " ".join([*sentences, _conclusion(history, deadlock, matter)])


def _is_idle(history: History, member: Waiting) -> bool:
    place = history.machine.place(history.execution.last, member.thread)
    return place is None or place.info.idle


def _sentence(history: History, member: Waiting) -> str:
    name = history.names[member.thread]
    place = history.machine.place(history.execution.last, member.thread)
    if place is None:
        status = history.machine.status(history.execution.last, member.thread)
        return f"{name} is {status}, and only {_ends(history, member)} could spawn it."
    inside = history.dispatched(history.execution.last, member.thread)
    return f"{name} waits at {where(place.info)}{inside}{_what(history, member)}."


def _what(history: History, member: Waiting) -> str:
    """What the thread waits for, and who could end it."""
    wait, state = member.wait, history.execution.last
    found = None if wait.target is None else history.machine.views.name_of(wait.target(state))
    match wait.kind:
        case "lock":
            holders = sorted(wait.holders(state))
            owner = history.views[-1].get(f"{found}.owner", "none")
            key = f"{found}.owner" if owner != "none" else f"{found}.writer" if member.wait.mode == "rdlock" else f"{found}.readers"
            return f" for {found}, which {listed([history.names[thread] for thread in holders])} holds{history.since(key)}"
        case "semaphore" | "event" | "condition" | "context":
            idle = " (idle)" if _is_idle(history, member) else ""
            return f" for {found}{idle}: only {_ends(history, member)} could {DEEDS[wait.kind]}"
        case "thread":
            return f" for {found} to finish"
        case "await":
            return f": only {_ends(history, member)} could make that true"
        case _:
            return ""


def _ends(history: History, member: Waiting) -> str:
    others = [history.names[thread] for thread in member.ends if thread != member.thread]
    if member.thread in member.ends:
        others.append(f"{history.names[member.thread]} itself, later on")
    return listed(others, "or") if others else "nobody"


def _conclusion(history: History, deadlock: Deadlock, matter: list[int]) -> str:
    running = history.machine.enabled(history.execution.last)
    if deadlock.prop == DEADLOCK_GLOBAL:
        return "No thread can move."
    if deadlock.prop == DEADLOCK_LOCK_ORDER:
        return "Each waits for a lock that another one of them holds: none of them will ever go on."
    names = listed([history.names[thread] for thread in running])
    alone = "It" if len(matter) == 1 else "They"
    return f"{alone} will wait for ever, while {names} can go on: none of those could end any of these waits."
