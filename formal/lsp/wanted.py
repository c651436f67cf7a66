"""What kind of name a half-typed statement asks for next.

In: the statement up to the cursor, comments blanked out; a leading NUL says that it is inside of a body. Out: a `Wanted`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_VALUES = frozenset({"const", "param", "member", "variable", "thread_local", "thread", "context", "local"})
VALUES = frozenset({"true", "false", "none", "self", "result", "forall", "exists", "number"})  # keywords that begin a value
_THREADS = frozenset({"thread", "binder"})
_BEHIND: dict[str, frozenset[str]] = {
    "lock": frozenset({"mutex"}),
    "unlock": frozenset({"mutex"}),
    "with": frozenset({"mutex"}),
    "rdlock": frozenset({"rwlock"}),
    "wrlock": frozenset({"rwlock"}),
    "rdunlock": frozenset({"rwlock"}),
    "wrunlock": frozenset({"rwlock"}),
    "wait": frozenset({"sem", "event", "cond"}),
    "post": frozenset({"sem"}),
    "set": frozenset({"event"}),
    "reset": frozenset({"event"}),
    "signal": frozenset({"cond"}),
    "broadcast": frozenset({"cond"}),
    "schedule": frozenset({"bh"}),
    "poll": frozenset({"context"}),
    "aio_wait_while": frozenset({"context"}),
    "on": frozenset({"context"}),
    "home": frozenset({"thread"}),
    "fair": frozenset({"thread"}),
    "spawn": frozenset({"thread"}),
    "join": frozenset({"thread"}),
    "invoke": frozenset({"hook"}),
    "drop": frozenset({"mutex"}),
    "call": frozenset({"proc"}),
    "by": frozenset({"proc", "callback"}),
    "any": frozenset({"hook"}),
    "in": frozenset({"thread", "enum", "const", "param"}),
    "returns": frozenset({"enum"}),
    "ref": frozenset({"enum"}),
}
_ARGUMENTS: dict[str, tuple[frozenset[str], ...]] = {
    "holds": (frozenset({"mutex", "rwlock"}) | _THREADS, frozenset({"mutex", "rwlock"})),
    "owner": (frozenset({"mutex", "rwlock"}),),
    "in_context": (frozenset({"context"}) | _THREADS, frozenset({"context"})),
    "current_context": (_THREADS,),
    "pending": (frozenset({"bh", "context"}),),
    "count": (frozenset({"sem", "bh"}),),
    "is_set": (frozenset({"event"}),),
    "at": (_THREADS, frozenset({"labelled", "proc", "callback", "bh", "thread"})),
    "finished": (_THREADS,),
}
_NAMING = frozenset(
    {
        "protocol",
        "const",
        "param",
        "enum",
        "mutex",
        "rwlock",
        "sem",
        "event",
        "cond",
        "context",
        "bh",
        "thread",
        "hook",
        "callback",
        "proc",
        "bool",
    }
    | {"forall", "exists", "of"}
)
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`kinds` of names: kinds of declarations, "member" (of an enum), "local", "binder" (a local that may be a
    thread), "labelled". `body`: whose labels, if they are qualified.
    `keywords` for values that make sense, where not all do.
    `new`: a name that is yet to be declared; `properties`: names of properties; `member`: behind a dot; `expression`: any value."""

    kinds: frozenset[str] = frozenset()
    body: str = ""
    keywords: frozenset[str] | None = None
    new: bool = False
    properties: bool = False
    member: bool = False
    expression: bool = False


def wanted(statement: str) -> Wanted:
    """What is asked for at the end of a statement."""
    inside = statement.startswith("\0")
    text = statement.removeprefix("\0")
    words = re.findall(r"[A-Za-z_]\w*|\S", text)
    last = words[-1] if words else ""
    first = words[0] if words else ""
    if not inside and (first == "disable" or (first == "expect" and "violated" in words and "within" not in words)):
        return Wanted(properties=True)
    if last == ".":
        return _behind_dot(text)
    if not words or (inside and last == ":" and len(words) == 2):
        return _beginning(inside)
    call = _call(text)
    if call is not None and call[0] in _ARGUMENTS and last in ("(", ","):
        kinds = _ARGUMENTS[call[0]]
        asked = kinds[min(call[1], len(kinds) - 1)]
        return Wanted(asked, keywords=frozenset({"self"} if asked >= _THREADS else ()))
    if last == "for":
        return Wanted(frozenset({"hook"}), keywords=frozenset()) if first == "callback" else Wanted(new=True)
    if last in _NAMING:
        return Wanted(new=True)
    if last in _BEHIND:
        return Wanted(_BEHIND[last], keywords=frozenset())
    if first == "proc" and call is not None:
        return Wanted(frozenset({"enum"}), keywords=frozenset()) if last in ("(", ",") else Wanted(new=True)
    return _expression(call, words)


def _beginning(inside: bool) -> Wanted:
    """A statement: a call, an assignment, a local variable. A declaration: a variable of an enum type."""
    kinds = {"proc", "variable", "thread_local", "local", "enum"} if inside else {"enum"}
    return Wanted(frozenset(kinds), keywords=frozenset())


def _expression(call: tuple[str, int] | None, words: list[str]) -> Wanted:
    """A value; an argument may be anything, and what is assigned may be a procedure's result."""
    kinds = _VALUES
    if call is not None and words[-1] in ("(", ","):
        kinds |= {"mutex", "rwlock", "sem", "event", "cond", "bh"}
    if words[-1] == "=":
        kinds |= {"proc"}
    senseless = set() if "ensures" in words else {"result"}
    if words[0] in ("invariant", "liveness"):
        senseless.add("self")
    return Wanted(kinds, keywords=VALUES - senseless, expression=True)


def _behind_dot(text: str) -> Wanted:
    """A label of a body, in `at(t, body.label)`; else a thread-local."""
    call = _call(text)
    if call is not None and call[0] == "at" and call[1] == 1:
        body = re.search(r"([A-Za-z_]\w*)\s*\.\s*\Z", text)
        return Wanted(frozenset({"labelled"}), body.group(1) if body else "", member=True)
    return Wanted(frozenset({"thread_local"}), member=True)


def _call(text: str) -> tuple[str, int] | None:
    """The name in front of the innermost open bracket, and how many arguments are complete in it; None outside of brackets."""
    depth = commas = 0
    for position in range(len(text) - 1, -1, -1):
        letter = text[position]
        if letter in ")]":
            depth += 1
        elif letter in "([":
            if depth == 0:
                name = _CALL.search(text[:position]) if letter == "(" else None
                return (name.group(1) if name else "", commas)
            depth -= 1
        elif letter == "," and depth == 0:
            commas += 1
    return None
