"""Whether what a mapping names is there in the model.

In: a mapping and a program. Out: diagnostics. A name that nothing has would make its rule one that no step fits, and every log with such
a line would be rejected for a misspelling.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from formal.codes import Code
from formal.conform.mapping import Mapping, Name, Selector
from formal.diagnostics import Diagnostic, Span
from formal.frontend.walking import walk
from formal.interp import Machine
from formal.program import Block, Program


def misfits(mapping: Mapping, machine: Machine) -> tuple[Diagnostic, ...]:
    """One for each name that the model does not have."""
    names = _Names(machine)
    found: list[Diagnostic] = []
    for rule in mapping.rules:
        found += names.of(rule.selector, rule.span)
    for fused in mapping.fused:
        found += names.of(fused.selector, fused.span)
        found += names.missing(fused.through, names.bodies, "body", fused.span)
    return tuple(found)


class _Names:
    """What can be named of one model."""

    def __init__(self, machine: Machine) -> None:
        program = machine.program
        self.threads = {name for thread in program.threads for name in (thread.name, thread.decl.name)}
        self.bodies = self.threads | set(program.procs) | {bh.name for bh in program.bhs} | set(_elements(program))
        self.keys = [key for key, _ in machine.views.readers()]
        self.locks = {key.rpartition(".")[0] for key in self.keys if key.endswith((".owner", ".writer"))}
        infos = [statement.info for body in _bodies(program) for statement in walk(body) if not isinstance(statement, Block)]
        self.labels = {label for one in infos if one.label for label in (one.label, f"{one.body}.{one.label}")}
        self.statements = {one.text for one in infos}

    def of(self, selector: Selector, span: Span) -> Iterator[Diagnostic]:
        """The names of one selector."""
        for name, known, what in (
            (selector.thread, self.threads, "thread"),
            (selector.frame, self.bodies, "body"),
            (selector.caller, self.bodies, "body"),
            *((name, self.bodies, "body") for name in selector.inside),
            (selector.takes, self.locks, "lock"),
            (selector.gives, self.locks, "lock"),
            (selector.changes, self.keys, "part of the state"),
        ):
            yield from self.missing(name, known, what, span)
        for text, there, kind in ((selector.label, self.labels, "label"), (selector.statement, self.statements, "statement")):
            if text is not None and text not in there:
                yield _missing(text, there, kind, span)

    def missing(self, name: Name | None, known: Collection[str], what: str, span: Span) -> Iterator[Diagnostic]:
        """A diagnostic, unless something known is called so."""
        if name is not None and not any(name.fits(one, None) for one in known):
            yield _missing(name.text, known, what, span)


def _missing(text: str, known: Collection[str], what: str, span: Span) -> Diagnostic:
    near = get_close_matches(text, known, 1)
    return Diagnostic(Code.MAPPING_NAME, f"the model has no {what} `{text}`", span, hint=f"did you mean `{near[0]}`?" if near else None)


def _bodies(program: Program) -> Iterator[Block]:
    yield from (thread.decl.body for thread in program.threads)
    yield from (bh.body for bh in program.bhs)
    yield from (Block((*proc.requires, proc.body, *proc.ensures)) for proc in program.procs.values())


def _elements(program: Program) -> Iterator[str]:
    for bh in program.bhs:
        yield from (f"{bh.name}[{index}]" for index in range(bh.size or 0))
