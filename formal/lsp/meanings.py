"""What each keyword and each function of the language means, in a few lines: what hovering shows.

The full text is docs/semantics.md; these are its terms. In: a word. Out: Markdown, or None for what is no word of the language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from formal.explain import explain, topics

# A word and how it is written; below, what it means.
_KEYWORDS = """
protocol = protocol NAME "title";
    Names the model. Once, in the file that is proved; a file without it is a part that models import.
import = import "path.dsl";
    Reads another file where this line stands, each file once: looked for beside this file, then among the shipped models. All names
    are global, in both directions.
const = const NAME = CONST;
    A constant: bool, int or enum member. Its type is the value's.
param = param NAME in TYPE = CONST;
    A constant that `-D NAME=VALUE` overrides. TYPE is `lo..hi`, `bool` or an enum.
in = param NAME in TYPE …   for v in DOMAIN …   forall v in DOMAIN: …
    The type of a parameter, or what a variable runs over.
enum = enum phase { NONE, SETUP }
    A type with these members, which are global names.
bool = bool NAME = CONST;
    The type of `true` and `false`. A variable begins with `false` where nothing is said.
thread_local = thread_local TYPE name = CONST;
    One copy for each thread: `name` is self's, `t.name` is thread t's.
recursive = recursive mutex L max 8;
    A mutex that its owner can take again; it counts up to `max` (8 unless said). Going over it violates `range`.
mutex = mutex L;   mutex L[SIZE];
    A lock with one owner. Taking it twice violates `relock`, unless it is `recursive`.
rwlock = rwlock R;   rwlock R[SIZE];
    A lock with one writer or any number of readers: `rdlock`, `wrlock`, `rdunlock`, `wrunlock`.
sem = sem S max 4 = 0;
    A counting semaphore: `post` adds one, `wait` waits for one and takes it. Going over `max` violates `range`.
event = event E = false;
    A flag: `set` and `reset` it; `wait` waits until it is set, and leaves it set.
cond = cond C;
    A condition variable: `wait C with L`, `signal C`, `broadcast C`.
context = context X home t when EXPR;
    An AioContext: bottom halves are scheduled `on` it, and run in whoever polls it. A thread is in X if it is X's `home`, or X's
    `when` holds for it.
home = context X home t;
    The thread that a context is the own one of.
when = context X when EXPR;
    Which other threads count as being in the context; EXPR speaks of `self`.
bh = bh b on X { … }   bh b[i: SIZE] on X { … }
    A bottom half: `schedule b` makes it pending; a thread that polls X takes it and runs its body, nested in what that thread was
    doing.
oneshot = oneshot bh b on X max 4 { … }
    A bottom half that can be pending up to `max` times, and runs once for each.
on = bh b on X { … }
    The context that a bottom half is scheduled on.
max = sem S max 4;
    How far something counts: going over it violates `range`.
thread = thread t { … }   thread t[i: SIZE] { … }
    A thread, or a family of them with `i` the index of this one. It runs from the start, unless some `spawn` names it. As a domain,
    `thread` is every thread.
hook = hook H;   hook H { requires EXPR; ensures EXPR; may … }
    A place where callbacks are registered; `invoke H` calls them. The clauses are its contract, for `formal prove --contract`.
may = may drop L by p, q;   may lock L, M;   may poll X requires EXPR;   may call p requires EXPR;
    In a hook's contract: what its callbacks may do to what they share with the rest. What is not named, they may not.
drop = may drop L by p, q;
    They may give L back and take it again: by the procedures p and q, or by `unlock` and `lock` where none are named.
by = may drop L by p, q;   may call p once by f;
    By which procedures a lock is dropped and taken again; which callback alone may make a call.
call = may call p if CONST requires EXPR;
    They may call p, a procedure without parameters, where EXPR holds. What it does is the protocol's.
once = may call p once by f;
    Only the callback f may, and only once in each call of it.
callback = callback f for H requires EXPR { … }
    A body that `invoke H` calls. `for H if CONST` registers it only where CONST is true.
proc = proc p(PARAMS) returns TYPE requires EXPR ensures EXPR { … }
    A procedure, put in place of its calls. PARAMS: `TYPE name` by value, `ref KIND name` for the thing itself.
ref = ref mutex L   ref bool flag
    A parameter that stands for the thing itself: an object of that kind, or a variable of exactly that type.
returns = proc p() returns TYPE
    The type of a procedure's result. Every path ends in `return e;`.
requires = requires EXPR
    Must hold when the procedure or callback is entered: the property `requires.NAME`. A step of its own.
ensures = ensures EXPR
    Must hold when it returns, guards released: the property `ensures.NAME`. Speaks of `result`. A step of its own.
deadlock = deadlock free;
    Asks for `deadlock.global`, `deadlock.partial` and `deadlock.lock_order`. Who waits at a label `idle:` is not stuck.
free = deadlock free;
    Asks that no thread waits for ever.
invariant = invariant NAME: EXPR;
    Holds in every reachable state, the first included; where it is undefined it does not hold.
liveness = liveness NAME: eventually EXPR;   liveness NAME: EXPR leads to EXPR;
    Something that happens in the end, in every execution that is fair to every thread. Executions that end in an error are not looked
    at.
eventually = liveness NAME: eventually EXPR;
    Every fair execution reaches EXPR.
leads = liveness NAME: P leads to Q;
    Whenever P holds, Q holds then or later.
to = P leads to Q   expect proved up to K;
    Whenever P holds, Q holds then or later. In `up to K`: within the first K steps.
strong = strong fair t;
    Strong fairness of a thread or family: who can move again and again, moves.
fair = strong fair t;
    Strong fairness of a thread or family: who can move again and again, moves.
nesting = nesting N;
    How deep bottom halves nest and procedures recur at most; going over it violates `nesting`.
disable = disable NAME, NAME;
    Checks or properties that are not looked at: an execution ends where it would violate one. Told as assumptions.
expect = expect proved;   expect violated NAME within K;
    What this model is known to show; `formal regress` holds it to that.
proved = expect proved;   expect proved up to K;
    For every execution; or for the first K steps of each.
up = expect proved up to K;
    Within the first K steps, the state after them included.
violated = expect violated NAME within K;
    There is an execution that violates the property, of at most K steps if that is said.
within = expect violated NAME within K;
    The witness has at most K steps.
lock = lock L;
    Waits until L has no owner and takes it. Already self's: `relock` (a recursive mutex counts).
unlock = unlock L;
    Gives L back. Not self's: `not_owner`.
with = with L { … }   wait C with L;
    Holds L for the block, and gives it back on every way out: the end, `break`, `continue`, `return`.
rdlock = rdlock R;
    Waits until R has no writer, and reads. R is self's already: `relock`.
wrlock = wrlock R;
    Waits until R has no writer and no reader, and writes. R is self's already: `relock`.
rdunlock = rdunlock R;
    Stops reading. Self is no reader: `not_owner`.
wrunlock = wrunlock R;
    Stops writing. Self is not the writer: `not_owner`.
wait = wait S;   wait E;   wait C with L;
    Semaphore: waits for a count above 0 and takes one. Event: waits until it is set. Condition: gives L back and sleeps; woken, takes
    L again (two steps).
post = post S;
    Adds one to the semaphore. Over its `max`: `range`.
set = set E;
    Sets the event.
reset = reset E;
    Clears the event.
signal = signal C;
    Wakes one waiter, any; nothing if there is none.
broadcast = broadcast C;
    Wakes all waiters.
await = await EXPR;
    Waits until EXPR is true.
schedule = schedule B;
    Makes the bottom half pending. A oneshot one counts; over its `max`: `range`.
poll = poll X;   poll X blocking;
    Takes one pending bottom half of X, any, and runs it in this thread. If there is none: nothing, or waits if `blocking`.
blocking = poll X blocking;
    Waits until something of the context is pending.
aio_wait_while = aio_wait_while X (c);
    AIO_WAIT_WHILE(): while c holds, polls X and waits for what comes. Self must be in context X: `wrong_context` else.
assert = assert NAME: EXPR "why";
    False here: the property `assert.NAME` (or `assert.BODY.N`) is violated.
assume = assume EXPR;
    Where it is false the execution ends, and is not looked at further. Told as an assumption with the verdict.
skip = skip;
    A step that changes nothing.
return = return;   return EXPR;
    Leaves the procedure or body; with EXPR, a step that evaluates the result.
if = if (EXPR) { … } else { … }
    The test is a step; a constant EXPR is decided before the run. In `callback … for H if CONST`: registers only where CONST is true.
else = if (EXPR) { … } else { … }
    What is done where EXPR is false.
while = while (EXPR) { … }
    Each test is a step. `while (true)` is `loop`.
loop = loop { … }
    For ever, until `break` or `return`. Every way round must take a step.
for = for v in DOMAIN { … }   callback f for H
    Once for each value of a family, a range, an enum or `thread`, in order. In a callback: its hook.
break = break;
    Leaves the innermost loop of the body.
continue = continue;
    Goes on with the next round of the innermost loop.
choose = choose { … } or { … }
    Commits to one branch, whichever: a step. The branch may then block.
or = choose { … } or { … }
    Another branch that can be chosen.
atomic = atomic { … }
    All of it in one step. It may wait only before it has changed something: after that, having to wait violates `atomic`.
spawn = spawn t;
    Starts thread t from its beginning. It is running: `spawn` is violated.
join = join t;
    Waits until t has finished.
invoke = invoke H;   invoke any H;
    Calls every callback of H in the order of registration; with `any`, in any order.
any = invoke any H;
    In any order: a step before each callback picks one of those not yet called.
true = true
    The bool.
false = false
    The bool.
none = none
    No thread, or no context: `owner(L) == none`.
self = self
    The thread that runs here. Not in invariants, liveness properties and initial values, which speak of states.
result = ensures result > 0
    What the procedure returns; in `ensures` only.
forall = forall v in DOMAIN: EXPR
    For every thread of a family, value of a range, member of an enum. Reaches as far right as possible.
exists = exists v in DOMAIN: EXPR
    For at least one. Reaches as far right as possible.
number = number of v in DOMAIN: EXPR
    For how many EXPR holds. Reaches as far right as possible.
of = number of v in DOMAIN: EXPR
    For how many EXPR holds.
implies = p implies q
    `!p || q`; q is evaluated only where p holds. Binds less than `||`, to the right.
"""
_FUNCTIONS = """
holds = holds(L)   holds(t, L)
    Thread t (self) owns mutex L, or holds rwlock L for reading or writing.
owner = owner(L)
    The mutex's owner, the rwlock's writer, or `none`.
in_context = in_context(X)   in_context(t, X)
    t (self) is X's home, or X's `when` holds for it.
current_context = current_context()   current_context(t)
    The context whose home is t; else the first, in order of declaration, whose `when` holds for t; else `none`.
pending = pending(B)   pending(X)
    The bottom half is scheduled and not yet taken; of a context: one of its bottom halves is.
count = count(S)
    The semaphore's count; of a oneshot bottom half, how often it is pending.
is_set = is_set(E)
    The event is set.
at = at(t, label)   at(t, body.label)
    The innermost place where t stands is the statement with that label.
finished = finished(t)
    The thread has come to its end.
"""


@cache
def _table(text: str) -> Mapping[str, tuple[str, str]]:
    """Of each word, how it is written and what it means."""
    found: dict[str, tuple[str, str]] = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        head, *lines = entry.split("\n")
        word, _, written = head.partition(" = ")
        found[word] = written, " ".join(line.strip() for line in lines)
    return MappingProxyType(found)


def explained() -> frozenset[str]:
    """Every keyword that has a text."""
    return frozenset(_table(_KEYWORDS))


def functions() -> tuple[str, ...]:
    """The names of the functions of the language."""
    return tuple(_table(_FUNCTIONS))


def summary(word: str) -> str | None:
    """How a keyword or function is written, in one line."""
    known = _table(_KEYWORDS).get(word) or _table(_FUNCTIONS).get(word)
    return None if known is None else known[0]


def meaning(word: str) -> str | None:
    """What a keyword, a function or a built-in check means. A word that is both a statement and a check has both texts."""
    known = _table(_KEYWORDS).get(word) or _table(_FUNCTIONS).get(word)
    parts = [] if known is None else [f"```formal\n{known[0]}\n```\n{known[1]}"]
    if known is None and word in topics():
        head, _, rest = (explain(word) or "").partition("\n\n")
        text, _, example = rest.partition("\n\nFor example:\n\n")
        lines = "\n".join(line.removeprefix("    ") for line in example.split("\n"))
        parts.append(f"`{head}`: a built-in check\n\n{text}\n\n```formal\n{lines}\n```")
    return "\n\n".join(parts) or None
