"""The typed program: what the front end produces and both readings of the language consume.

In: nothing (pure data). Out: immutable trees in which every name is resolved, every expression has a type, constants and parameters
are folded, statically decided `if`s are gone and `while (true)` is a `Loop`. The meaning of each node is fixed by docs/semantics.md and is
given twice, by `formal.interp` and by `formal.smt`; this module must know neither. Nodes compare by identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Lit
from typing import TypeAlias

from formal.diagnostics import Source, Span

# ---------------------------------------------------------------- types


@dataclass(frozen=True, slots=True)
class BoolType:
    """Truth values, Python `bool`."""


@dataclass(frozen=True, slots=True)
class IntType:
    """Integers lo..hi. Of an expression: an interval that is certain to hold its value when it is defined."""

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enumeration; its values are the indices 0..len(members)-1."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadType:
    """A thread's id (its position in `Program.threads`), or -1 for none."""


@dataclass(frozen=True, slots=True)
class ContextType:
    """A context's position in `Program.contexts`, or -1 for none."""


ValueType: TypeAlias = BoolType | IntType | EnumType
Type: TypeAlias = ValueType | ThreadType | ContextType
NONE = -1

# ---------------------------------------------------------------- declared objects


@dataclass(frozen=True, slots=True, eq=False)
class Binder:
    """A name bound to one value at a time: a quantifier's or a `for`'s variable, or the index of a thread or bottom half family."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class MutexDecl:
    """`mutex NAME;`, `recursive mutex NAME max N;`, and arrays of them."""

    name: str
    size: int | None  # None: a single object, else an array of that many
    recursive: bool
    max_count: int  # 1 when not recursive
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RwlockDecl:
    """`rwlock NAME;`"""

    name: str
    size: int | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SemDecl:
    """`sem NAME max N = K;`"""

    name: str
    size: int | None
    max_count: int
    initial: int
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class EventDecl:
    """`event NAME;`: QemuEvent."""

    name: str
    size: int | None
    initial: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class CondDecl:
    """`cond NAME;`"""

    name: str
    size: int | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ContextDecl:
    """`context NAME home THREAD when CONDITION;`: an AioContext."""

    name: str
    home: int | None  # thread id
    when: Expr | None  # self is the thread that asks
    span: Span
    size: None = None


@dataclass(frozen=True, slots=True, eq=False)
class VarDecl:
    """A state variable. `initial` has one value, or `size` values; `family` names the thread family that indexes it, if one does."""

    name: str
    type: ValueType
    size: int | None
    family: str | None
    initial: tuple[int | bool, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ThreadLocalDecl:
    """`thread_local TYPE NAME = VALUE;`"""

    name: str
    type: ValueType
    initial: int | bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class LocalDecl:
    """A local variable, or a value parameter, of one body. No two of a body share an object; a name may occur twice (scopes)."""

    name: str
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RefParam:
    """A `ref` parameter; `kind` is mutex, rwlock, sem, event, cond, bh, context, thread or var."""

    name: str
    kind: str
    type: ValueType | None  # of kind var
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class BhDecl:
    """`bh NAME on CONTEXT { … }`: what a bottom half does when it is dispatched."""

    name: str
    size: int | None
    binder: Binder | None  # the index of a family, an IntType(0, size-1)
    context: ContextDecl
    oneshot: bool
    max_count: int  # 1 when not oneshot
    body: Block
    c_source: str | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ThreadDecl:
    """`thread NAME { … }`; `size` members if it is a family."""

    name: str
    size: int | None
    binder: Binder | None
    body: Block
    c_source: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class ThreadInstance:
    """One thread. Its id is its position in `Program.threads`."""

    id: int
    name: str  # "main_loop", "vcpu[0]"
    decl: ThreadDecl
    index: int | None


@dataclass(frozen=True, slots=True, eq=False)
class ProcDecl:
    """A procedure, or a callback (`hook` set; no parameters, no result)."""

    name: str
    params: tuple[LocalDecl | RefParam, ...]  # in order
    result: ValueType | None
    requires: tuple[Assert, ...]
    ensures: tuple[Assert, ...]
    body: Block
    recursive: bool  # can call itself, through any number of procedures and hooks
    hook: str | None
    c_source: str | None
    span: Span


ObjectDecl: TypeAlias = MutexDecl | RwlockDecl | SemDecl | EventDecl | CondDecl | ContextDecl | BhDecl | VarDecl | ThreadDecl

# ---------------------------------------------------------------- references and places


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """A declared object, or an element of an array of them (`index`: an int, or a thread for a VarDecl with a family).
    A ThreadDecl's element is a thread of the family."""

    decl: ObjectDecl
    index: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class ViaParam:
    """Whatever the `ref` parameter of the enclosing procedure stands for."""

    param: RefParam


@dataclass(frozen=True, slots=True, eq=False)
class LocalPlace:
    """A local of the innermost call, or of the body itself."""

    decl: LocalDecl


@dataclass(frozen=True, slots=True, eq=False)
class ThreadLocalPlace:
    """A thread-local of some thread, which need not be the one that executes."""

    decl: ThreadLocalDecl
    thread: Expr | None  # None: self. Never none where it is assigned


Ref: TypeAlias = Direct | ViaParam
Place: TypeAlias = Direct | ViaParam | LocalPlace | ThreadLocalPlace

# ---------------------------------------------------------------- expressions

UnaryOp: TypeAlias = Lit["!", "-"]
BinaryOp: TypeAlias = Lit["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "implies"]


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A bool, an int, an enum member (its index), a thread (its id), a context (its position), or none (-1)."""

    value: bool | int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Self:
    """`self`: who executes this."""

    type: ThreadType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The result of the enclosing procedure, in `ensures`."""

    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The value of a place."""

    place: Place
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The value of a bound name."""

    binder: Binder
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """`family[i]`, or a `ref thread` parameter: a thread."""

    ref: Ref
    type: ThreadType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`!a`, `-a`"""

    op: UnaryOp
    operand: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`a + b`, `a == b`, `a && b`, …"""

    op: BinaryOp
    left: Expr
    right: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """`a ? b : c`"""

    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Quantifier:
    """forall, exists (bool) or number (int) over the constant values of `domain`, in order."""

    kind: Lit["forall", "exists", "number"]
    binder: Binder
    domain: tuple[int, ...]
    body: Expr
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Holds:
    """`holds(LOCK)`, `holds(THREAD, LOCK)`"""

    thread: Expr
    lock: Ref  # mutex or rwlock
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Owner:
    """`owner(MUTEX)`"""

    lock: Ref
    type: ThreadType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """`in_context(CONTEXT)`, `in_context(THREAD, CONTEXT)`"""

    thread: Expr
    context: Ref
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class CurrentContext:
    """`current_context()`, `current_context(THREAD)`"""

    thread: Expr
    type: ContextType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ContextOf:
    """A context named in an expression: a Literal unless it comes through a `ref context` parameter."""

    ref: Ref
    type: ContextType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class PendingBh:
    """`pending(BH)`"""

    bh: Ref
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class PendingContext:
    """`pending(CONTEXT)`: any bottom half of it."""

    context: Ref
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """Of a semaphore or a oneshot bottom half."""

    ref: Ref
    type: IntType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class IsSet:
    """`is_set(EVENT)`"""

    event: Ref
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """The thread's innermost place is a statement whose `uid` is in `targets`. `label` is for show."""

    thread: Expr
    targets: frozenset[int]
    label: str
    type: BoolType
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """`finished(THREAD)`"""

    thread: Expr
    type: BoolType
    span: Span


Expr: TypeAlias = (
    Literal
    | Self
    | Result
    | Read
    | Bound
    | Member
    | Unary
    | Binary
    | Conditional
    | Quantifier
    | Holds
    | Owner
    | InContext
    | CurrentContext
    | ContextOf
    | PendingBh
    | PendingContext
    | Count
    | IsSet
    | At
    | Finished
)

# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Info:
    """What every statement carries. `text` is its one-line rendering for witnesses ("lock BQL", "if (pending(job))");
    `body` names the thread, procedure, callback or bottom half it is written in; `c_source` is its own anchor, else that body's."""

    uid: int  # unique in the program
    text: str
    body: str
    label: str | None
    c_source: str | None
    span: Span

    @property
    def idle(self) -> bool:
        """Whether waiting here for ever is fine."""
        return self.label == "idle"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """`{ … }`"""

    statements: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Skip:
    """`skip;`"""

    info: Info


@dataclass(frozen=True, slots=True, eq=False)
class Assign:
    """Also a local declaration (the place is then a LocalPlace and the value its initial one)."""

    info: Info
    place: Place
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`p(args);`, or `place = p(args);` when `place` is set. Arguments match `ProcDecl.params` one to one:
    an Expr for a LocalDecl, a Ref (or a Place, for kind var) for a RefParam. `proc` is a key of `Program.procs`."""

    info: Info
    proc: str
    arguments: tuple[Expr | Place, ...]
    place: Place | None


@dataclass(frozen=True, slots=True, eq=False)
class Return:
    """`return;`"""

    info: Info
    value: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Lock:
    """lock (mutex), rdlock or wrlock (rwlock)."""

    info: Info
    mode: Lit["lock", "rdlock", "wrlock"]
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class Unlock:
    """unlock, rdunlock or wrunlock; `mode` names the lock statement it undoes."""

    info: Info
    mode: Lit["lock", "rdlock", "wrlock"]
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class With:
    """`with LOCK { … }`: whichever way control leaves it, the lock is given back."""

    info: Info
    ref: Ref  # a mutex
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class WaitSem:
    """`wait SEMAPHORE;`"""

    info: Info
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class PostSem:
    """`post SEMAPHORE;`"""

    info: Info
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class WaitEvent:
    """`wait EVENT;`"""

    info: Info
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class WriteEvent:
    """`set E` (value true) or `reset E`."""

    info: Info
    ref: Ref
    value: bool


@dataclass(frozen=True, slots=True, eq=False)
class WaitCond:
    """`wait COND with MUTEX;`"""

    info: Info
    ref: Ref
    lock: Ref  # a non-recursive mutex


@dataclass(frozen=True, slots=True, eq=False)
class Wake:
    """`signal C`, or `broadcast C` when `all` is set."""

    info: Info
    ref: Ref
    all: bool


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """`schedule BH;`"""

    info: Info
    ref: Ref


@dataclass(frozen=True, slots=True, eq=False)
class Poll:
    """`poll CONTEXT;`, `poll CONTEXT blocking;`: aio_poll()."""

    info: Info
    ref: Ref  # a context
    blocking: bool


@dataclass(frozen=True, slots=True, eq=False)
class AioWaitWhile:
    """`aio_wait_while CONTEXT (CONDITION);`: AIO_WAIT_WHILE()."""

    info: Info
    ref: Ref  # a context
    condition: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Await:
    """`await CONDITION;`"""

    info: Info
    condition: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Assert:
    """Also one `requires` or `ensures` clause. `prop` is the name of its property."""

    info: Info
    condition: Expr
    prop: str
    why: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Assume:
    """`assume CONDITION;`"""

    info: Info
    condition: Expr


@dataclass(frozen=True, slots=True, eq=False)
class If:
    """`if (CONDITION) { … } else { … }`"""

    info: Info
    condition: Expr
    then: Block
    otherwise: Block


@dataclass(frozen=True, slots=True, eq=False)
class While:
    """`while (CONDITION) { … }`"""

    info: Info
    condition: Expr
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """`loop { … }`"""

    info: Info
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """`for NAME in DOMAIN { … }`"""

    info: Info
    binder: Binder
    domain: tuple[int, ...]
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Break:
    """`break;`"""

    info: Info


@dataclass(frozen=True, slots=True, eq=False)
class Continue:
    """`continue;`"""

    info: Info


@dataclass(frozen=True, slots=True, eq=False)
class Choose:
    """`choose { … } or { … }`"""

    info: Info
    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Atomic:
    """`atomic { … }`"""

    info: Info
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Spawn:
    """`spawn THREAD;`"""

    info: Info
    thread: Ref  # to a ThreadDecl, or a ref thread parameter


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """`join THREAD;`"""

    info: Info
    thread: Ref


@dataclass(frozen=True, slots=True, eq=False)
class Invoke:
    """`invoke H`, or `invoke any H` when `any_order`. The callbacks are `Program.hooks[hook]`."""

    info: Info
    hook: str
    any_order: bool


Stmt: TypeAlias = (
    Block
    | Skip
    | Assign
    | Call
    | Return
    | Lock
    | Unlock
    | With
    | WaitSem
    | PostSem
    | WaitEvent
    | WriteEvent
    | WaitCond
    | Wake
    | Schedule
    | Poll
    | AioWaitWhile
    | Await
    | Assert
    | Assume
    | If
    | While
    | Loop
    | For
    | Break
    | Continue
    | Choose
    | Atomic
    | Spawn
    | Join
    | Invoke
)

# ---------------------------------------------------------------- properties and the whole

PropertyKind: TypeAlias = Lit["builtin", "assert", "requires", "ensures", "invariant", "deadlock", "liveness"]

RELOCK = "relock"
NOT_OWNER = "not_owner"
RANGE = "range"
WRONG_CONTEXT = "wrong_context"
NESTING = "nesting"
SPAWN = "spawn"
ATOMIC = "atomic"
DEADLOCK_GLOBAL = "deadlock.global"
DEADLOCK_PARTIAL = "deadlock.partial"
DEADLOCK_LOCK_ORDER = "deadlock.lock_order"
DEADLOCKS = (DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, DEADLOCK_LOCK_ORDER)
MAX_ATOMIC_TESTS = 64  # tests of one `while` within one atomic step, see docs/semantics.md section 6


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """One thing to prove. `condition` is set for invariants (must hold) and liveness (`eventually condition`,
    or `trigger leads to condition`)."""

    name: str
    kind: PropertyKind
    span: Span | None  # None for builtin checks
    condition: Expr | None = None
    trigger: Expr | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """`expect proved;` (verdict proved), `expect proved up to K;` (bound K), `expect violated NAME within K;`."""

    verdict: Lit["proved", "proved_up_to", "violated"]
    prop: str | None
    bound: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Counted:
    """What a parameter of whole numbers is for. `low`, `high`: its range, None without an upper bound. `names`: the threads, bottom halves
    and arrays that there are as many of as it says; `otherwise`: where it is used for more than to say how many there are, None if
    nowhere. `bounds`: the semaphores whose bound, or first value, is so much for each of them."""

    low: int
    high: int | None
    names: frozenset[str]
    otherwise: Span | None
    bounds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A whole model, its parameters given values, its families laid out."""

    name: str
    title: str
    file: str  # as named on the command line
    digest: str  # "sha256:…" over all files read and the parameters
    parameters: Mapping[str, int | bool | str]
    threads: tuple[ThreadInstance, ...]
    families: Mapping[str, tuple[int, ...]]  # thread declaration -> ids of its threads, in order
    spawned: frozenset[int]  # threads that are the target of some spawn
    mutexes: tuple[MutexDecl, ...]
    rwlocks: tuple[RwlockDecl, ...]
    sems: tuple[SemDecl, ...]
    events: tuple[EventDecl, ...]
    conds: tuple[CondDecl, ...]
    contexts: tuple[ContextDecl, ...]
    bhs: tuple[BhDecl, ...]
    variables: tuple[VarDecl, ...]
    thread_locals: tuple[ThreadLocalDecl, ...]
    procs: Mapping[str, ProcDecl]  # procedures and callbacks
    hooks: Mapping[str, tuple[str, ...]]  # callbacks registered, in order
    properties: tuple[Property, ...]  # all that are checked, in order of the report
    disabled: frozenset[str]
    strong_fair: frozenset[int]  # thread ids
    bh_nesting: int  # bound, declared or computed
    recursion: int
    nesting_declared: bool
    expectations: tuple[Expectation, ...]
    assumptions: tuple[str, ...]  # lines that are printed with the verdict
    sources: tuple[Source, ...] = ()  # the files read, the model first
    counts: Mapping[str, Counted] = field(default_factory=dict)  # of the parameters that are whole numbers
