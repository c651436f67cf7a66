"""The import rule of ARCHITECTURE.md, held to the sources: imports go downwards, and a few modules alone may touch what they wrap."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "formal"
_ROW = re.compile(r"^\| (\d) \| (.+?) \|", re.MULTILINE)


def _table() -> dict[str, int]:
    """Module (or package) below `formal` and its layer, from the table in ARCHITECTURE.md, so that there is one table only."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return {name: int(layer) for layer, names in _ROW.findall(text) for name in re.findall(r"`([\w.]+)`", names)}


LAYERS = _table()


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(_modules())


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that the file imports anywhere, by full name, and the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, node.lineno
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    yield f"{module}.{alias.name}", node.lineno


def _own(name: str) -> str | None:
    """The module of ours that an imported name belongs to, relative to `formal`; None for other people's."""
    if name != "formal" and not name.startswith("formal."):
        return None
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in MODULES:
        parts.pop()
    return ".".join(parts)


def _unit(module: str) -> str:
    """The row of the table that a module stands in: its own, or its package's."""
    return module if module in LAYERS else module.split(".", maxsplit=1)[0]


def test_every_module_has_a_layer() -> None:
    assert len(LAYERS) > 15
    rootless = {"", "__main__"}
    assert [name for name in MODULES if name not in rootless and _unit(name) not in LAYERS] == []
    assert [name for name in LAYERS if name not in MODULES] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ("", "__main__")])
def test_imports_go_downwards(module: str) -> None:
    wrong = []
    for name, line in _imports(MODULES[module]):
        target = _own(name)
        if not target:  # someone else's, or the package's version
            continue
        one, other = _unit(module), _unit(target)
        if one != other and LAYERS[other] >= LAYERS[one]:
            wrong.append(f"line {line}: {module} (layer {LAYERS[one]}) imports {target} (layer {LAYERS[other]})")
    assert wrong == []


def _users_of(library: str) -> set[str]:
    return {module for module, path in MODULES.items() if any(name.split(".")[0] == library for name, _ in _imports(path))}


def test_the_parser_alone_knows_lark() -> None:
    assert _users_of("lark") == {"parser.reading"}


def test_the_encoding_alone_knows_z3() -> None:
    users = _users_of("z3")
    assert users
    assert {_unit(module) for module in users} == {"smt"}


def test_other_solvers_are_known_in_one_place() -> None:
    assert _users_of("cvc5") == _users_of("bitwuzla") == {"certificates.solvers"}


def test_those_who_check_proofs_share_nothing_with_those_who_find_them() -> None:
    todo = ["certificates.checking", "certificates.several", "certificates.record", "certificates.solvers", "commands.recheck"]
    third = ("commands.recheck", "certificates.confirming")  # an engine's opinion, asked for apart, by nobody but the command
    reached: set[str] = set()
    while todo:
        module = todo.pop()
        if module not in reached and module in MODULES:
            reached.add(module)
            todo += [target for name, _ in _imports(MODULES[module]) if (target := _own(name)) and (module, target) != third]
    assert {"smt.obligations", "interp", "recorded"} <= reached
    assert not {"pipeline", "race", "smt.pool", "smt.bounded", "smt.inductive", "smt.induction_step"} & reached
    counted = ("listing", "crowded", "roster", "family", "closing", "sized", "each")
    told = ("kinds", "kinds_listing", "lineup", "likeness", "kindred", "showing", "following", "breaking", "covering")
    assert {module for module in reached if _unit(module) in ("engines", "certificates")} == {
        f"certificates.{name}"
        for name in ("checking", "asking", "several", "record", "fields", "spelling", "solvers", "loading", *counted, *told)
    }


def test_reports_alone_know_rich() -> None:
    assert {_unit(module) for module in _users_of("rich")} == {"formats"}


def test_the_two_readings_are_strangers() -> None:
    for one, other in (("interp", "smt"), ("smt", "interp")):
        targets = {_own(name) for module, path in MODULES.items() if _unit(module) == one for name, _ in _imports(path)}
        assert not any(target and _unit(target) == other for target in targets)


def test_engines_are_strangers() -> None:
    engines = {"engines.explicit", "engines.bmc", "engines.k_induction", "engines.pdr"}
    for engine in engines:
        targets = {_own(name) for name, _ in _imports(MODULES[engine])}
        assert not targets & (engines - {engine})


# Who may print, read the command line, or open files. `children` flushes the streams before it forks.
SPEAKERS = {"cli", "__main__", "console", "commands", "loader", "resources", "children"}


@pytest.mark.parametrize("module", [name for name in MODULES if _unit(name) not in SPEAKERS])
def test_the_others_are_silent(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [called.id for called in calls if isinstance(called, ast.Name) and called.id in ("print", "open", "input")]
    imported = [name for name, _ in _imports(MODULES[module]) if name.split(".")[0] in ("sys", "argparse")]
    assert names + imported == []


def test_modules_stay_readable() -> None:
    """One job each. The aim is 350 lines, this is the wall; the typed tree is one list of nodes."""
    long = {module: lines for module, path in MODULES.items() if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 550}
    assert set(long) <= {"program"}


def test_each_decision_has_a_number_of_its_own() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [path.read_text(encoding="utf-8").partition(".")[0].removeprefix("# ") for path in paths]
    assert titles == [str(number) for number in range(1, len(paths) + 1)]
    assert [int(path.name.partition("-")[0]) for path in paths] == list(range(1, len(paths) + 1))
