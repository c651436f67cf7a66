"""Whether a protocol and a callback, each proved by the contract, fit together.

In: both parts. Out: why they do not, as diagnostics; none if the two proofs are one of the whole. It must not prove anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from formal import limits
from formal.codes import Code
from formal.contracts.clauses import Contract
from formal.contracts.loading import Part
from formal.diagnostics import Diagnostic
from formal.program import Program

_SHARE: Final = "import it where the hook is declared, and name in the contract what callbacks may do with it"


def misfits(protocol: Part, callback: Part, file: str) -> tuple[Diagnostic, ...]:
    """What stands against putting the two together: another contract, another value of a constant, a file that both think their own,
    a bound for what nests.
    `file`: the callback's."""
    found = list(_contracts(protocol.hooks, callback.hooks, file))
    files = {_real(source.path) for source in protocol.sources}
    for source in callback.sources:
        if _real(source.path) in files:
            text = f"`{source.path}` is the protocol's too: what it declares is not the callback's own"
            found.append(Diagnostic(Code.CONTRACT, text, None, hint=_SHARE, file=file))
    found += _constants(protocol.loaded.constants, callback.loaded.constants, file)
    found += _nesting(protocol.loaded.program, callback, file)
    return tuple(found)


def strangers(callbacks: Sequence[tuple[str, Part]]) -> tuple[Diagnostic, ...]:
    """Files that two callbacks both think their own."""
    owner: dict[Path, str] = {}
    found = []
    for file, part in callbacks:
        for source in part.sources:
            first = owner.setdefault(_real(source.path), file)
            if first != file:
                text = f"`{source.path}` is read by {first} and by {file}: what it declares is neither's own"
                found.append(Diagnostic(Code.CONTRACT, text, None, hint=_SHARE, file=file))
    return tuple(found)


def _contracts(protocol: Mapping[str, Contract], callback: Mapping[str, Contract], file: str) -> Iterator[Diagnostic]:
    for hook, contract in callback.items():
        other = protocol.get(hook)
        if other is None or other.span.source.text != contract.span.source.text or other.span.start != contract.span.start:
            text = f"the protocol has no hook `{hook}` with this contract"
            yield Diagnostic(Code.CONTRACT, text, contract.span, file=file)


def _constants(protocol: Mapping[str, str], callback: Mapping[str, str], file: str) -> Iterator[Diagnostic]:
    for name, value in callback.items():
        if protocol.get(name, value) != value:
            text = f"`{name}` is {value} where the callback was looked at, and {protocol[name]} in the protocol"
            yield Diagnostic(Code.CONTRACT, text, None, file=file)


def _nesting(protocol: Program | None, callback: Part, file: str) -> Iterator[Diagnostic]:
    """The protocol's bounds count for what the callback nests, too, and it was looked at without them."""
    alone = callback.loaded.program
    if protocol is None or alone is None:
        return
    halves = any(bh.span.source in callback.sources for bh in alone.bhs)
    recursive = any(proc.recursive for proc in alone.procs.values())
    text = "`nesting` in the protocol counts for the callback, too, "
    if protocol.nesting_declared and halves:
        yield Diagnostic(Code.CONTRACT, f"{text}which has bottom halves of its own", None, file=file)
    elif protocol.nesting_declared and recursive:
        yield Diagnostic(Code.CONTRACT, f"{text}in which a procedure calls itself", None, file=file)
    elif halves and protocol.bh_nesting + alone.bh_nesting > limits.BH_NESTING:
        text = f"with the callback's own, more than {limits.BH_NESTING} bottom halves may nest"
        yield Diagnostic(Code.CONTRACT, text, None, file=file)


def _real(path: str) -> Path:
    return Path(path).resolve()
