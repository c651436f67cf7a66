"""The two programs of a contract: a protocol with any callback, and a callback alone.

In: paths of files. Out: what the front end makes of them, or diagnostics. The files are read as ever; only some of their declarations are
replaced before they mean anything: callbacks by the most general one, or everybody else by what may call and disturb a callback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from formal import program as p
from formal.codes import Code
from formal.contracts.alone import calls_of, stub, surroundings
from formal.contracts.anything import most_general
from formal.contracts.clauses import Contract, contract_of, has_contract
from formal.contracts.keeping import kept
from formal.contracts.looking import Own, meanings, pries
from formal.contracts.noticing import seen_by, spoken_of
from formal.diagnostics import Diagnostic, InternalError, Source
from formal.engines.survey import survey
from formal.frontend import Loaded, understand
from formal.frontend.walking import walk
from formal.loader import Files, read_model
from formal.parser.reading import keywords, parse
from formal.resources import shipped_models
from formal.rewriting.bodies import statements_of
from formal.syntax import Node, Tree


@dataclass(frozen=True, slots=True)
class Part:
    """One side of a composition. `hooks`: with a contract, by name; `sources`: a callback's own files, or those of a protocol; `callbacks`:
    of a protocol, those that were left out, which are to be checked alone; `left_out`: of its properties, those that nothing is said of."""

    loaded: Loaded
    hooks: Mapping[str, Contract] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    callbacks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def is_callback_file(path: str) -> bool:
    """Whether a file is one of callbacks, and no model."""
    items = [item for item in read_model(path).items if item.span.source.path == path]
    return any(item.kind == "callback" for item in items) and not any(item.kind == "protocol" for item in items)


# ---------------------------------------------------------------- a protocol with any callback


def protocol_with_any(path: str, defines: Mapping[str, str], extra: Sequence[str] = ()) -> Part:
    """The model in a file, its hooks' callbacks replaced by the most general ones; liveness is left out."""
    files = read_model(path, extra)
    contracts = _contracts(files.items)
    if not contracts:
        return _refused(files, f"`{path}` declares no hook with a contract", path, "`hook H { requires EXPR; … }`")
    gone = _callback_files(files.items, contracts)
    names = tuple(str(item.leaves()[0]) for item in files.items if _is_callback(item, contracts))
    liveness = tuple(_claim(item) for item in files.items if item.kind in _LIVENESS)
    stays = [item for item in files.items if item.span.source not in gone and not _is_callback(item, contracts)]
    files.items = [item for item in stays if item.kind not in _LIVENESS]
    for hook, contract in contracts.items():
        _add(files, Source(f"any callback of {hook}", most_general(contract, spoken_of(contract, files.items))))
    read = understand(files, path, defines)
    loaded = _errors_only(read)
    if loaded.program is not None:
        loaded = replace(loaded, program=_with_assumptions(loaded.program, contracts, liveness))
    strange = _meddling(loaded.program, contracts, files.items)
    if strange is not None:
        loaded = Loaded(None, (*loaded.diagnostics, strange))
    return Part(loaded, contracts, tuple(one for one in files.sources if one not in gone), names, liveness)


_LIVENESS = ("eventually", "leads_to")
_OF_THE_WHOLE = ("nesting", "disable")
_CLAIMS = (*_LIVENESS, "deadlock", "expect", "strong_fair")


def _claim(item: Node) -> str:
    leaves = item.leaves()
    return f"liveness.{leaves[0]}" if leaves else "liveness"


def _is_callback(item: Node, contracts: Mapping[str, Contract]) -> bool:
    return item.kind == "callback" and str(item.leaves()[1]) in contracts


def _callback_files(items: Sequence[Node], contracts: Mapping[str, Contract]) -> set[Source]:
    """Files that are there for callbacks: whatever else they declare is a callback's own."""
    found = {item.span.source for item in items if _is_callback(item, contracts)}
    return found - {item.span.source for item in items if item.kind in ("protocol", "hook")}


def _with_assumptions(program: p.Program, contracts: Mapping[str, Contract], liveness: Sequence[str]) -> p.Program:
    told = [line for line in program.assumptions if not any(f"(any callback of {hook}:" in line for hook in contracts)]
    for hook, contract in contracts.items():
        place = f"{contract.span.source.path}:{contract.span.line}"
        told.append(
            f"callbacks of {hook}: any that keep its contract ({place}); `formal prove --contract FILE` says whether those of FILE do"
        )
    if program.nesting_declared:
        told.append(
            "callbacks have no bottom halves of their own, and none calls itself: the bound for what nests would count for them, too"
        )
    told += [f"{name} is left out: contracts say nothing of what happens in the end" for name in liveness]
    return replace(program, assumptions=tuple(told))


def _meddling(program: p.Program | None, contracts: Mapping[str, Contract], items: Sequence[Node]) -> Diagnostic | None:
    """A protocol in which a thread changes the thread-locals of another: a callback would not find them as it left them."""
    if program is None:
        return None
    spoken = {name for contract in contracts.values() for name in spoken_of(contract, items)}
    for statement in statements_of(program):
        place = statement.place if isinstance(statement, p.Assign | p.Call) else None
        if isinstance(place, p.ThreadLocalPlace) and place.thread is not None and place.decl.name in spoken:
            text = f"`{place.decl.name}` is changed from another thread: no contract can speak of it"
            return Diagnostic(Code.CONTRACT, text, statement.info.span) if not isinstance(statement, p.Block) else None
    return None


# ---------------------------------------------------------------- a callback alone


def callback_alone(path: str, defines: Mapping[str, str], around: str | None = None) -> Part:
    """The callbacks of one file, called by whoever may; `around`: the file that says what stands around them, if it is not where it is
    looked for."""
    own = read_model(path)
    asked = dict.fromkeys(str(item.leaves()[1]) for item in own.items if item.kind == "callback" and item.span.source.path == path)
    if len(asked) != 1:
        told = "no callback" if not asked else f"callbacks for {' and '.join(asked)}"
        return _refused(own, f"`{path}` has {told}; a file with the callbacks of one hook is needed", path, None)
    hook = next(iter(asked))
    found = around or _around(hook, path)
    if found is None:
        return _refused(own, f"no `{hook}.dsl` says what stands around the callbacks of `{hook}`", path, "--around FILE names it")
    shared = read_model(found)
    contracts = _contracts(shared.items)
    if hook not in contracts:
        return _refused(shared, f"`{found}` declares no hook `{hook}` with a contract", found, f"`hook {hook} {{ requires EXPR; … }}`")
    files = read_model(found, (path,))
    known = {one.path for one in shared.sources}
    sources = tuple(one for one in files.sources if one.path not in known)
    return _alone(files, path, contracts[hook], sources, defines)


def _around(hook: str, path: str) -> str | None:
    """Beside the callback, else among the shipped models."""
    for folder in (Path(path).parent, shipped_models() / "callbacks"):
        if (folder / f"{hook}.dsl").is_file():
            return str(folder / f"{hook}.dsl")
    return None


def _alone(files: Files, path: str, contract: Contract, sources: tuple[Source, ...], defines: Mapping[str, str]) -> Part:
    own = frozenset(sources)
    shared = [item for item in files.items if item.span.source not in own and item.kind not in (*_CLAIMS, "invariant", "protocol")]
    mine = [item for item in files.items if item.span.source in own and item.kind not in _CLAIMS]
    spoken = spoken_of(contract, files.items)
    head = Source("the callback alone", _head(Path(path).stem, contract.hook))
    made = Source("what stands around a callback", surroundings(contract, seen_by(mine, shared, contract), spoken))
    files.sources.insert(0, head)
    files.items = [*_read(head), *(_replaced(item, contract) for item in shared), *mine]
    _add(files, made)
    loaded = _errors_only(understand(files, path, defines))
    for item in mine:
        if item.kind in _OF_THE_WHOLE:
            text = f"`{item.kind}` in a callback's file counts for the protocol, too, which is not here"
            loaded = Loaded(None, (*loaded.diagnostics, Diagnostic(Code.CONTRACT, text, item.span)))
    if loaded.program is None:
        return Part(loaded, {contract.hook: contract}, sources)
    everywhere = read_model(contract.span.source.path).seen
    common = frozenset(one for one in files.sources if one not in own and Path(one.path).resolve() in everywhere)
    named = frozenset({*spoken, *(lock.name for lock in contract.locks)})
    owned = Own(loaded.program, own, common, named, meanings(loaded.program))
    problem = _not_its_own(owned)
    if problem is not None:
        return Part(Loaded(None, (*loaded.diagnostics, problem)), {contract.hook: contract}, sources)
    hooks = frozenset(str(item.leaves()[0]) for item in mine if item.kind == "hook")
    program = _told_alone(kept(loaded.program, contract, owned, hooks), contract, sources, made)
    if not _is_called(program, contract.hook):
        text = f"no state meets what the contract of `{contract.hook}` requires: the callback is never called"
        return Part(Loaded(None, (Diagnostic(Code.CONTRACT, text, contract.span),)), {contract.hook: contract}, sources)
    return Part(replace(loaded, program=program), {contract.hook: contract}, sources)


def _head(stem: str, hook: str) -> str:
    """The `protocol` line: named after the file, if it has the name of one."""
    name = stem if _NAME.fullmatch(stem) and stem not in keywords() else f"{hook}_callback"
    return f'protocol {name} "{name}, alone, against the contract of {hook}";\n'


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LOOK = 20_000  # states, to see a callback being called; a handful is enough where anything can be


def _is_called(program: p.Program, hook: str) -> bool:
    """Whether a callback is ever come to: of one that is not, everything would be proved."""
    executed = survey(program, _LOOK).executed
    procs = [program.procs[name] for name in program.hooks[hook]]
    own = [one for proc in procs for one in (*proc.requires, *walk(proc.body), *proc.ensures) if not isinstance(one, p.Block)]
    return any(one.info.uid in executed for one in own)


def _not_its_own(own: Own) -> Diagnostic | None:
    """What a callback's file must not declare."""
    for context in own.program.contexts:
        if own.has(context) and (context.home is not None or context.when is not None):
            text = f"`{context.name}` may become the context of threads that are not the callback's own"
            return Diagnostic(Code.CONTRACT, text, context.span, hint="a callback's own context has no home and no `when`")
    for prop in own.program.properties:
        if prop.kind == "invariant" and prop.span is not None and prop.span.source in own.sources and pries(prop, own):
            return Diagnostic(Code.CONTRACT, "an invariant in a callback's file speaks of what is not the callback's own", prop.span)
    return None


def _replaced(item: Node, contract: Contract) -> Node:
    """What stands around: threads may call the hook, and what callbacks may call is somebody else's matter."""
    if item.kind == "thread":
        return _with_block(item, f"{{ {calls_of(contract)}(); }}")
    if item.kind == "proc" and any(call.proc == str(item.leaves()[0]) for call in contract.calls):
        return _with_block(item, stub(contract, str(item.leaves()[0])))
    return item


def _with_block(item: Node, text: str) -> Node:
    block = _read(Source(item.span.source.path, f"proc p() {text}"))[0].nodes("block")[0]
    items: tuple[Tree, ...] = tuple(one for one in item.items if not (isinstance(one, Node) and one.kind == "block"))
    return Node(item.kind, (*items, block), item.span)


def _told_alone(program: p.Program, contract: Contract, sources: Sequence[Source], made: Source) -> p.Program:
    told = [line for line in program.assumptions if f"({made.path}:" not in line]
    place = f"{contract.span.source.path}:{contract.span.line}"
    told.append(f"the rest keeps to the contract of {contract.hook} ({place}); `formal prove --contract MODEL` says whether MODEL does")
    told.append(f"nothing else imports {', '.join(one.path for one in sources)}")
    return replace(program, assumptions=tuple(told))


# ---------------------------------------------------------------- reading


def _contracts(items: Sequence[Node]) -> dict[str, Contract]:
    return {str(item.leaves()[0]): contract_of(item) for item in items if has_contract(item)}


def _add(files: Files, source: Source) -> None:
    files.sources.append(source)
    files.items += _read(source)


def _read(source: Source) -> tuple[Node, ...]:
    items, diagnostics, _ = parse(source)
    if diagnostics:
        raise InternalError(f"a generated part cannot be read: {diagnostics[0].render()}")
    return items


def _errors_only(loaded: Loaded) -> Loaded:
    """Without warnings: those of the files as they are, `check` tells."""
    errors = tuple(one for one in loaded.diagnostics if one.is_error)
    return replace(loaded, diagnostics=errors)


def _refused(files: Files, text: str, file: str, hint: str | None) -> Part:
    errors = [one for one in files.diagnostics if one.is_error]
    return Part(Loaded(None, (*errors, *([] if errors else [Diagnostic(Code.CONTRACT, text, None, hint=hint, file=file)]))))
