"""The codes of diagnostics: one a mistake, stable for ever. Layer 0.

E01xx files and the command line, E02xx text, E03xx names, E04xx types and kinds, E05xx control, E06xx sizes, W07xx lints, E08xx logs and
their mappings, E09xx anchors in C sources.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """`value` is (code, title, explanation, example of the mistake)."""

    FILE_MISSING = (
        "E0101",
        "a file cannot be found",
        "No file of that name is there. An import is looked for beside the importing file, then among the shipped models.",
        'import "no_such.dsl";',
    )
    FILE_UNREADABLE = ("E0102", "a file cannot be read", "It is a directory, or reading it is not permitted.", 'import "..";')
    FILE_ENCODING = (
        "E0103",
        "a file is not UTF-8",
        "Models are UTF-8 text. A byte order mark is accepted.",
        "iconv -f latin1 -t utf-8 old.dsl > new.dsl",
    )
    FILE_OUTSIDE = (
        "E0104",
        "an import leads out of the model's folder",
        "A model may import files below its own folder, below the folder of a `--with` file, and the shipped models: nothing else is read.",
        'import "../../etc/passwd";',
    )
    PARAM_UNKNOWN = (
        "E0105",
        "-D names no parameter",
        "Only what the model declares as `param` can be set.",
        "formal prove model.dsl -D VCPU=4",
    )
    PARAM_VALUE = (
        "E0106",
        "-D gives a value that the parameter cannot have",
        "The value must be of the parameter's type and inside its range.",
        "formal prove model.dsl -D VCPUS=1000",
    )
    NO_PROTOCOL = (
        "E0107",
        "the model has no `protocol` line",
        'The file named on the command line says what it is: `protocol NAME "title";`.',
        "mutex BQL; // and no `protocol` line before it",
    )
    NOTHING_TO_CHECK = (
        "E0108",
        "nothing to check",
        "The model has no thread, or no property and no statement that could fail. An empty answer would look like a proof.",
        "protocol empty;",
    )
    COMMAND_WORD = (
        "E0109",
        "a word of the command line that cannot be what it is there for",
        "What becomes a name in a model is spelled like one, and is no keyword; a C function is given as file:function.",
        "formal new callback lock --for save_setup",
    )
    FILE_EXISTS = (
        "E0110",
        "a file is in the way",
        "`formal new` writes over nothing that is there, unless it is told `--force`.",
        "formal new callback my_device --for save_setup; formal new callback my_device --for save_setup",
    )
    CONTRACT = (
        "E0111",
        "nothing to hold a callback or a protocol to",
        "`formal prove --contract` takes models that declare a hook with a contract, and files with the callbacks of such a hook.",
        "formal prove --contract models/classic/abba.dsl",
    )
    SYNTAX = (
        "E0201",
        "a syntax error",
        "The text cannot continue like this. The message says what could stand there.",
        "lock BQL unlock BQL;",
    )
    CHARACTER = (
        "E0202",
        "a character that means nothing here",
        "No token of the language starts with it. Control characters are refused in strings and comments, too: a terminal would obey them.",
        "lock BQL$;",
    )
    INTEGER_SIZE = ("E0203", "a number is too large", "Integers go up to 2147483647.", "const N = 99999999999;")
    UNKNOWN_NAME = ("E0301", "an unknown name", "Nothing of that name is declared, here or in an imported file.", "lock BLQ;")
    DUPLICATE = (
        "E0302",
        "a name is declared twice",
        "All names of a model are global; a local variable may not hide another one of its body.",
        "mutex m; mutex m;",
    )
    UNKNOWN_LABEL = (
        "E0303",
        "an unknown label",
        "`at(t, label)` needs a label of t's body, or `body.label`, or a label that is the only one of its name.",
        "invariant !at(t, nowhere);",
    )
    UNKNOWN_PROPERTY = (
        "E0304",
        "an unknown property",
        "`expect` and `disable` name a property or built-in check of the model.",
        "expect violated relok;",
    )
    CONST_CYCLE = (
        "E0305",
        "constants define each other in a circle",
        "A constant's value must be found without itself.",
        "const A = B; const B = A;",
    )
    TAKEN_NAME = (
        "E0307",
        "a thread-local has the name of something that each thread has",
        "States and witnesses show `T.status` and `T.stack` of each thread T; a thread-local of that name would stand in the same place.",
        "thread_local bool status = false;",
    )
    CONTEXT_CYCLE = (
        "E0306",
        "a context's `when` depends on itself",
        "Whether a thread is in a context must be known without asking whether it is in that context.",
        "context X when current_context() == X;",
    )
    TYPE = (
        "E0401",
        "an expression has the wrong type",
        "Types are never converted: write `n != 0` for an integer's truth.",
        "if (count(s)) { }",
    )
    KIND = (
        "E0402",
        "a thing is of the wrong kind",
        "`lock` takes a mutex, `rdlock` a rwlock, `wait` a semaphore or event, `schedule` a bottom half, `poll` a context.",
        "lock channels_ready;",
    )
    INDEX = (
        "E0403",
        "an index is missing, superfluous or of the wrong type",
        "Elements of arrays have an int index, or a thread of the family that the array was declared with; single things have none.",
        "lock chan; // mutex chan[2]",
    )
    NOT_CONSTANT = (
        "E0404",
        "an expression is not constant",
        "Sizes, bounds, initial values and parameters are known before the run: literals, constants, parameters and operators.",
        "mutex m[n]; // n is a variable",
    )
    OUT_OF_RANGE = (
        "E0405",
        "a constant lies outside its type",
        "The value can never be in the range that it is for; or a range is empty.",
        "0..3 x = 4;",
    )
    OPEN_RANGE = (
        "E0412",
        "a range without an upper bound that is no parameter's",
        "Only a parameter may be as large as one likes: `param VCPUS in 1..* = 2;`. Variables have a finite range.",
        "0..* x;",
    )
    ARGUMENTS = (
        "E0406",
        "the arguments don't fit",
        "One argument a parameter; a `ref` parameter takes a name of its kind.",
        "p(1, 2); // proc p(bool b)",
    )
    SELF = (
        "E0407",
        "`self` where there is no running thread",
        "Invariants and liveness speak of states, not of a running thread: name one, or use `forall t in thread: …`.",
        "invariant holds(BQL);",
    )
    CALL = (
        "E0408",
        "a procedure call inside an expression, or something called that isn't a procedure",
        "A call is a statement, or the whole right-hand side of an assignment.",
        "if (ready()) { }",
    )
    RESULT = (
        "E0409",
        "a result is missing or superfluous",
        "A procedure that `returns` something ends every path in `return e;`; another one has no result to give.",
        "proc p() returns bool { }",
    )
    ASSIGNMENT = (
        "E0410",
        "something that cannot be assigned",
        "Variables, thread-locals and locals can be assigned; constants, parameters, indices and locks can't.",
        "VCPUS = 3;",
    )
    FIXED_INDEX = (
        "E0411",
        "an index that can change while the lock is held",
        "`with` and `wait C with L` come back to the same element: literals, `self`, `for` variables and family indices stay.",
        "with chan[n] { n = 1; }",
    )
    STEPLESS_LOOP = (
        "E0501",
        "a loop can go round without a step",
        "Every way round a loop needs a statement that takes a step, or the thread would never stand anywhere.",
        "loop { }",
    )
    JUMP = (
        "E0502",
        "`break` or `continue` outside of a loop",
        "They leave or repeat the innermost `loop`, `while` or `for` of the same body.",
        "proc p() { break; }",
    )
    ATOMIC = (
        "E0503",
        "not possible inside an atomic",
        "An atomic is one step: no polling, no sleeping on a condition variable, no endless loop, no recursion inside.",
        "atomic { poll main_context; }",
    )
    CONDITION_LOCK = (
        "E0504",
        "a condition variable needs a non-recursive mutex",
        "`wait C with L` gives L back as a whole.",
        "wait c with rec;",
    )
    RECURSIVE_HOOK = (
        "E0505",
        "a callback can come to invoke its own hook in any order",
        "`invoke any` keeps track of who was called; it cannot do so inside of itself.",
        "callback f for h { invoke any h; }",
    )
    LIMIT = ("E0601", "a size beyond a limit", "Refused before memory goes; the message names the limit.", "thread vcpu[1000000000] { }")
    DEPTH = (
        "E0602",
        "nested too deeply",
        "Brackets, blocks and operators nest at most 100 deep, blocks with procedures put in place at most 150.",
        "x = ((((…",
    )
    MAPPING_TEXT = (
        "E0801",
        "a mapping is not TOML",
        "The file that says which lines of a log are which steps is TOML 1.0 in UTF-8.",
        'event = "qemu_mutex_locked',
    )
    MAPPING_SHAPE = (
        "E0802",
        "a mapping says something that nothing reads",
        "A key that is not known, a value of the wrong sort, a regular expression that is none: nothing is passed over in silence.",
        '[[rule]]\nevnt = "qemu_mutex_locked"',
    )
    MAPPING_NAME = (
        "E0803",
        "a mapping names what the model doesn't have",
        "Bodies, threads, locks, labels and variables in a mapping are those of the model, or of the files it adds to the model.",
        'step = { takes = "BLQ" }',
    )
    MAPPING_MISSING = (
        "E0804",
        "a model has no mapping",
        "Beside MODEL.dsl a file MODEL.toml says which lines of a log are which steps; --mapping names another one.",
        "formal conform models/classic/abba.dsl trace.log",
    )
    LOG_EMPTY = (
        "E0811",
        "a log without an event",
        "An empty log fits every model: it says nothing.",
        ": > trace.log; formal conform MODEL trace.log",
    )
    LOG_THREADS = (
        "E0812",
        "a log without thread ids",
        "Who took a lock is half of what a log says. QEMU writes thread ids with -msg timestamp=on only.",
        "qemu_mutex_lock waiting on mutex 0x55df691ecb40 (../../util/main-loop.c:318)",
    )
    LOG_UNMAPPED = (
        "E0813",
        "a log in which nothing is what the mapping is about",
        "No line is an event that a rule names, or the model's start is missing: the wrong mapping, or the events were not traced.",
        "17040@1795408597.231746:pflash_io_write …, and nothing else",
    )
    LOG_LINE = (
        "E0814",
        "a line of a log that is no event",
        "A log whose lines cannot all be read may lack any of them.",
        "Segmentation fault",
    )
    LOG_TRUNCATED = (
        "E0815",
        "a log whose last line has no end",
        "What the line would have said is not known; half of it may look like another event.",
        "17040@1795408597.231746:qemu_mut",
    )
    LOG_INTERLEAVED = (
        "E0816",
        "two lines of a log that were written into each other",
        "Two processes, or a trace backend without a lock, wrote at the same time.",
        "17040@1795408597.231746:qemu_mut17041@1795408597.231747:runstate_set …",
    )
    LOG_BINARY = (
        "E0817",
        "a log that is not text",
        "Another trace backend (simple, ftrace) writes another format.",
        "formal conform MODEL trace-17040",
    )
    ANCHOR_SHAPE = (
        "E0901",
        "an anchor that names no C function",
        "What stands behind `@` is a path from the top of the source tree, a colon and a function's name.",
        'proc p() @ "save_snapshot" { … }',
    )
    ANCHOR_RECORD = (
        "E0902",
        "a record of anchors that is none",
        "`formal anchors --record FILE` writes the version of the sources, and a digest for each definition of each function.",
        '"migration/savevm.c:save_snapshot" = "yes"',
    )
    ANCHOR_SOURCE = (
        "E0903",
        "a source tree that has none of the files that models name",
        "`--source` is the top of the C sources: anchors are paths from there.",
        "formal anchors --source ~/qemu/migration",
    )
    UNUSED = (
        "W0701",
        "declared and never used",
        "Nothing names it: a left-over, or a misspelling elsewhere.",
        "mutex m; // and no statement names it",
    )
    UNREACHABLE = (
        "W0702",
        "no execution reaches a statement",
        "It is behind a jump or an endless loop, or every run passes it by.",
        "return; skip;",
    )
    NEVER_TRUE = (
        "W0703",
        "a condition that can never hold",
        "An `await`, or another wait, never ends: what it waits for is never so.",
        "await false;",
    )
    VACUOUS = (
        "W0704",
        "a property that holds vacuously",
        "It is constantly true, or never evaluated: nothing is checked by it.",
        "invariant 1 < 2;",
    )
    NEVER_TAKEN = (
        "W0705",
        "a lock that is never taken",
        "It protects nothing: no `lock`, `with`, `rdlock` or `wrlock` names it.",
        "mutex m; invariant owner(m) == none;",
    )
    NEVER_RUN = (
        "W0706",
        "a bottom half that is never scheduled, or whose context nobody polls",
        "Its body never runs, so nothing in it is checked.",
        "bh b on ctx { } // and no `schedule b`",
    )

    @property
    def code(self) -> str:
        """`E0301`."""
        return self.value[0]

    @property
    def title(self) -> str:
        """The mistake in a few words."""
        return self.value[1]

    @property
    def is_error(self) -> bool:
        """Whether the model is refused; a lint only warns."""
        return self.code.startswith("E")

    def __str__(self) -> str:
        return self.code
