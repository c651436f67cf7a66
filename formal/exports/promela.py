"""Promela, the language of SPIN (Holzmann: The SPIN Model Checker, 2003): one process a thread, one d_step a step.

In: what is wanted. Out: a model in which a process stands at a label exactly where its thread stands, and each option there is one
transition of ours: its guard, then what it changes, in one d_step. A step that violates a property asserts false; violations by a state are
asserted by a process of their own. To be run without SPIN's own check for invalid end states (`pan -E`): not every thread that stays
where it is for ever is deadlocked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from formal.exports import TooLarge, Wanted, head
from formal.exports.spelling import Spelled, Speller
from formal.netlist import Term, in_order

if TYPE_CHECKING:
    from formal.smt.guarded import Command, Machine, Process, Snare, Spot, Standing, Variable

MOST_PROCESSES: Final = 254  # of SPIN's 255, one is the monitor
_RESERVED: Final = """
active assert atomic auto bit bool break byte case chan char const continue d_step default do double else empty enabled end enum eval
extern false fi float for full get_priority goto hidden if init inline int len local long ltl mtype nempty never nfull notrace np_ od of
pc_value pid print printf printm priority proctype progress provided register return run select set_priority short show signed sizeof skip
static struct switch timeout trace true typedef union unless unsigned void volatile while xr xs
"""
_SCRATCH: Final = "kept__"  # no name of a model's becomes this
_SHORT: Final = 120  # characters of an expression that is repeated rather than kept
_STEP: Final = "\n        "

_RUN: Final = (
    "verify:    spin -a FILE && gcc -O2 -DSAFETY -o pan pan.c && ./pan -E -m1000000",
    "shortest:  the same with -DBFS added to -DSAFETY, and without -m",
    "replay:    spin -t -p -g FILE",
)


def render(wanted: Wanted) -> bytes:
    """The file. Raises TooLarge."""
    from formal.smt.cfg import EncodingLimitError
    from formal.smt.guarded import machine

    if len(wanted.program.threads) > MOST_PROCESSES:
        raise TooLarge(f"{len(wanted.program.threads)} threads, SPIN has at most {MOST_PROCESSES} processes")
    try:
        made = machine(wanted.program, wanted.properties)
    except EncodingLimitError as error:
        raise TooLarge(str(error)) from error
    return ("\n".join(_Writer(made).lines(head(wanted))) + "\n").encode()


class _Writer:
    """One machine as text."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._identifiers = _identifiers([*(v.name for v in machine.variables), *(p.name for p in machine.processes), "monitor"])
        names = {v.term: Spelled(self._identifiers[v.name], v.lo, v.hi) for v in machine.variables}
        self._speller = Speller(names)
        self._taken = set(self._identifiers.values())
        self._scratch = 0

    def lines(self, comments: Sequence[str]) -> Iterator[str]:
        yield "/*"
        yield from (f" * {_comment(line)}".rstrip() for line in (*comments, "", *_RUN))
        yield " *"
        threads = ", ".join(f"{i} = {process.name}" for i, process in enumerate(self._machine.processes))
        yield f" * Who owns a lock: -1 = none, {threads}."
        yield " * Where a thread stands (NAME_at): 0 = not spawned, 1 = finished, else the number of a label."
        yield " */"
        yield from map(self._declared, self._machine.variables)
        processes = [list(self._process(process)) for process in self._machine.processes]
        yield from (f"hidden int {_SCRATCH}_{i};" for i in range(self._scratch))
        for lines in processes:
            yield from ("", *lines)
        if self._machine.bads:
            yield ""
            yield from _Monitor(self._machine, self._speller, self._identifiers["monitor"], self._taken).lines()

    def _declared(self, variable: Variable) -> str:
        name = self._identifiers[variable.name]
        initial = ("true" if variable.initial else "false") if variable.truth else str(variable.initial)
        told = "" if name == variable.name else f"  /* {_comment(variable.name)} */"
        return f"{_type(variable)} {name} = {initial};{told}"

    # ------------------------------------------------------------ threads

    def _process(self, process: Process) -> Iterator[str]:
        reached = _reached(process)
        rests = process.spawned or _at_rest(process.start) or any(_at_rest(c.target) for s in reached for c in s.commands)
        yield f"active proctype {self._identifiers[process.name]}() {{"
        if reached and process.start != reached[0].at:
            yield f"    goto {'end_rest' if _at_rest(process.start) else _label(process.start)};"
        for spot in reached:
            yield from self._spot(process, spot)
        if rests:
            yield "end_rest:"
            entry = next((spot for spot in reached if spot.at == process.entry), None) if process.spawned else None
            yield from self._options(process, entry, True)
        yield "}"

    def _spot(self, process: Process, spot: Spot) -> Iterator[str]:
        where = f"{spot.name}: {spot.statement}" + (f" @ {spot.c_source}" if spot.c_source else "")
        yield f"{_label(spot.at, spot.idle)}:  /* {_comment(where)} */"
        yield from self._options(process, spot, False)

    def _options(self, process: Process, spot: Spot | None, begins: bool) -> Iterator[str]:
        """What can be done at a place. `begins`: from rest, as soon as somebody has put the thread at its entry."""
        if spot is None or not spot.commands:
            yield "    false;"
            return
        yield "    if"  # of one option, too: there is no jumping to a d_step
        for command in spot.commands:
            yield f"    :: {self._option(process, command, spot.at[0] if begins else None)}"
        yield "    fi;"

    def _option(self, process: Process, command: Command, entry: int | None) -> str:
        guard = [self._speller.truth(command.guard)] if command.guard.number != 1 else []
        if entry is not None:
            guard.insert(0, f"{self._identifiers[process.at.name]} == {entry}")
        if command.violates is not None:
            changes = [f'printf("violated: {_comment(command.violates)}\\n")', "assert(false)"]
        else:
            changes = self._changes(command)
        tested = f"{_bare(' && '.join(guard))} ->" if guard else ""
        flat = " ".join(filter(None, (tested, "; ".join(changes) or ("" if tested else "true"))))
        going = f"goto {_target(process, command.target)}"
        if len(flat) < _SHORT:
            return f"d_step {{ {flat} }} {going}"
        return f"d_step {{ {tested}{_STEP}{f';{_STEP}'.join(changes)} }}\n       {going}"

    def _changes(self, command: Command) -> list[str]:
        """Assignments in an order in which none reads what another one wrote; where there is none, by way of scratch."""
        values = [(v, self._value(v, t), _reads(t)) for v, t in command.updates]
        pending = [one for one in values if one[1] != self._identifiers[one[0].name]]
        done: list[str] = []
        while pending:
            free = [one for one in pending if not any(one[0].term in other[2] for other in pending if other is not one)]
            if not free:
                self._scratch = max(self._scratch, len(pending))
                done += [f"{_SCRATCH}_{i} = {_bare(text)}" for i, (_, text, _) in enumerate(pending)]
                return [*done, *(f"{self._identifiers[v.name]} = {_SCRATCH}_{i}" for i, (v, _, _) in enumerate(pending))]
            done += [f"{self._identifiers[v.name]} = {_bare(text)}" for v, text, _ in free]
            pending = [one for one in pending if one not in free]
        return done

    def _value(self, variable: Variable, term: Term) -> str:
        return self._speller.truth(term) if variable.truth else self._speller.integer(term, variable.lo, variable.hi)


class _Monitor:
    """The process that asserts what is to hold in every state."""

    def __init__(self, machine: Machine, speller: Speller, name: str, taken: set[str]) -> None:
        self._machine = machine
        self._speller = speller
        self._name = name
        self._taken = taken
        self._scratch: list[str] = []
        self._work: list[str] = []

    def lines(self) -> Iterator[str]:
        from formal.smt.guarded import Snare

        plain = {name: bad for name, bad in self._machine.bads.items() if not isinstance(bad, Snare)}
        snares = {name: bad for name, bad in self._machine.bads.items() if isinstance(bad, Snare)}
        uses = _uses([*plain.values(), *(term for snare in snares.values() for term in (snare.when, *snare.telling, *snare.may))])
        members = {member for snare in snares.values() for member in snare.members}
        for snare in snares.values():
            for member in snare.members:
                self._speller.name(member, self._fresh("in"))
        self._keep(uses, members)
        for name, bad in plain.items():
            self._report(name, self._speller.truth(bad))
        for name, snare in snares.items():
            self._catch(name, snare)
        yield from (f"hidden byte {name};" for name in self._scratch)
        yield "/* It changes nothing that is part of the state, so that it adds no states. */"
        yield f"active proctype {self._name}() {{"
        yield "end_watching:"
        yield "    do"
        yield "    :: d_step {"
        yield from (f"        {line}" for line in self._work)
        yield "       }"
        yield "    od"
        yield "}"

    def _fresh(self, kind: str) -> str:
        number = len(self._scratch)
        while f"{kind}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{kind}_{number}")
        self._scratch.append(f"{kind}_{number}")
        return self._scratch[-1]

    def _keep(self, uses: Mapping[Term, int], members: set[Term]) -> None:
        """Computes once what is long and used more than once, unless it depends on who is a member of a set."""
        depends: set[Term] = set(members)
        for term in uses:
            if any(arg in depends for arg in term.args):
                depends.add(term)
            elif uses[term] > 1 and term.width == 0 and term.args and len(text := self._speller.truth(term)) > _SHORT:
                name = self._fresh("t")
                self._work.append(f"{name} = {_bare(text)};")
                self._speller.name(term, name)

    def _report(self, name: str, condition: str) -> None:
        self._work += ["if", f':: {_bare(condition)} -> printf("violated: {_comment(name)}\\n"); assert(false)', ":: else", "fi;"]

    def _catch(self, name: str, snare: Snare) -> None:
        """The largest set of threads that may all be members: all, less who may not, as often as that makes a difference."""
        able = [i for i, may in enumerate(snare.may) if may.number != 0]
        if not able:  # nobody ever waits like that
            return
        names = [self._speller.truth(member) for member in snare.members]
        self._work += [f"{member} = true;" for member in names]
        self._work.append("do")
        self._work += [
            f":: {member} && !{self._speller.truth(may)} -> {member} = false" for member, may in zip(names, snare.may, strict=True)
        ]
        self._work += [":: else -> break", "od;"]
        told = [f"({member} && {self._speller.truth(tells)})" for member, tells in zip(names, snare.telling, strict=True)]
        self._report(name, f"({self._speller.truth(snare.when)} && ({' || '.join(told)}))")


def _uses(roots: Iterable[Term]) -> dict[Term, int]:
    """How often each term is an operand or a root, operands first."""
    roots = list(roots)
    uses = dict.fromkeys(in_order(roots), 0)
    for used in (*roots, *(arg for term in list(uses) for arg in term.args)):
        uses[used] += 1
    return uses


def _reads(term: Term) -> set[Term]:
    return {part for part in in_order([term]) if part.op == "var"}


def _reached(process: Process) -> list[Spot]:
    """The places that the thread can come to, the first one first."""
    spots = {spot.at: spot for spot in process.spots}
    found = {process.entry: None} if process.entry in spots else {}
    work = list(found)
    while work:
        for command in spots[work.pop()].commands:
            if command.target in spots and command.target not in found:
                found[command.target] = None
                work.append(command.target)
    return [spots[at] for at in found]


def _at_rest(standing: Standing) -> bool:
    return standing == (1, 0)


def _target(process: Process, standing: Standing) -> str:
    idle = next((spot.idle for spot in process.spots if spot.at == standing), False)
    return "end_rest" if _at_rest(standing) else _label(standing, idle)


def _label(standing: Standing, idle: bool = False) -> str:
    """A location, and how many bottom halves the thread is in. Where waiting is fine SPIN wants a label that begins with `end`."""
    location, level = standing
    return f"{'end_' if idle else ''}L{location}" + (f"_in{level}" if level else "")


def _type(variable: Variable) -> str:
    if variable.truth:
        return "bool"
    for name, lo, hi in (("byte", 0, 255), ("short", -(2**15), 2**15 - 1)):
        if lo <= variable.lo and variable.hi <= hi:
            return name
    return "int"


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Names as Promela and the C that SPIN makes of it read them: no keyword, and nothing in capitals, which might be a macro."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = re.sub(r"[\W_]+", "_", name).strip("_")
        if base in _RESERVED.split() or not re.search("[a-z]", base) or re.fullmatch(r"(end_?|L\d|accept|progress).*", base):
            base = f"{base}_"
        spelled, count = base, 1
        while spelled in taken:
            count += 1
            spelled = f"{base}_{count}"
        taken.add(spelled)
        found[name] = spelled
    return found


def _bare(text: str) -> str:
    """Without brackets around the whole."""
    if not text.startswith("("):
        return text
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if index == len(text) - 1 and " -> " not in text else text
    return text


def _comment(text: str) -> str:
    """Text that ends no comment and no string."""
    return text.replace("*/", "* /").replace('"', "'").replace("%", "%%").replace("\\", "/")
