"""What editors are given beside the server: every word of the grammar is highlighted, and every file is well formed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import tool

from formal.frontend.names import BUILTIN_FUNCTIONS
from formal.parser.reading import keywords

ROOT = Path(__file__).resolve().parent.parent
EDITORS = ROOT / "editors"
VIM, CODE = EDITORS / "vim", EDITORS / "vscode"


def vim_words() -> set[str]:
    text = (VIM / "syntax" / "formal.vim").read_text(encoding="utf-8")
    rows = re.findall(r"^syntax keyword (formal\w+) (.*)$", text, re.MULTILINE)
    return {word for group, words in rows if group != "formalTodo" for word in words.split()}


def grammar() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CODE / "syntaxes" / "formal.tmLanguage.json").read_text(encoding="utf-8"))
    return loaded


def code_words() -> set[str]:
    found: set[str] = set()
    for pattern in grammar()["repository"]["words"]["patterns"]:
        listed = re.match(r"\\b\(\?:([a-z_|]+)\)", pattern["match"])
        found |= set(listed.group(1).split("|")) if listed else set()
    return found


def test_every_keyword_is_highlighted_in_both() -> None:
    wanted = keywords() | set(BUILTIN_FUNCTIONS)
    assert vim_words() == wanted
    assert code_words() == wanted


def test_each_group_of_words_has_a_colour_in_vim() -> None:
    text = (VIM / "syntax" / "formal.vim").read_text(encoding="utf-8")
    groups = set(re.findall(r"^syntax (?:keyword|match|region) (\w+)", text, re.MULTILINE)) - {"formalBlock"}
    assert groups == set(re.findall(r"^highlight default link (\w+)", text, re.MULTILINE))


def test_the_patterns_say_what_they_are_for() -> None:
    repository = grammar()["repository"]
    names = {entry["include"].removeprefix("#") for entry in grammar()["patterns"]}
    assert names == set(repository)
    for entry in repository.values():
        for pattern in entry["patterns"]:
            for key in ("match", "begin", "end"):
                if key in pattern:
                    re.compile(pattern[key])  # the patterns are of the part that is the same everywhere
    strings = re.compile(repository["strings"]["patterns"][0]["match"])
    assert strings.match(r'"a \" b" c') is not None
    assert strings.match(r'"a \" b" c').group() == r'"a \" b"'  # type: ignore[union-attr]


def test_the_extension_is_whole() -> None:
    package = json.loads((CODE / "package.json").read_text(encoding="utf-8"))
    configuration = json.loads((CODE / "language-configuration.json").read_text(encoding="utf-8"))
    contributes = package["contributes"]
    files = [package["main"], contributes["languages"][0]["configuration"], contributes["grammars"][0]["path"]]
    assert all((CODE / file).is_file() for file in files)
    assert contributes["grammars"][0]["scopeName"] == grammar()["scopeName"]
    assert configuration["comments"]["lineComment"] == "//"
    script = (CODE / "extension.js").read_text(encoding="utf-8")
    assert {row["command"] for row in contributes["commands"]} == set(re.findall(r'registerCommand\("([\w.]+)"', script))
    assert set(re.findall(r'require\("([\w-]+)', script)) - {"vscode"} == set(package["dependencies"])


def test_the_extension_is_a_script() -> None:
    tool("node", package="nodejs")
    subprocess.run(["node", "--check", str(CODE / "extension.js")], check=True, timeout=60)


def test_vim(tmp_path: Path) -> None:
    """A mistaken model in a real vim: its type, its colours, its indentation, and what :make makes of it."""
    tool("vim", package="vim")
    model = tmp_path / "m.dsl"
    model.write_text('// a comment\nprotocol p;\nmutex m @ "a:b";\nthread t {\nlock n;\n}\n')
    script = tmp_path / "look.vim"
    script.write_text(
        f"""set nocompatible runtimepath^={VIM}
filetype plugin indent on
syntax on
edit {model}
let g:told = [&filetype, &commentstring]
for [s:line, s:column] in [[1, 4], [3, 1], [3, 9], [3, 12], [5, 1], [4, 1]]
  call add(g:told, synIDattr(synID(s:line, s:column, 1), 'name'))
endfor
normal! gg=G
call add(g:told, getline(5))
call add(g:told, getline(6))
silent noautocmd write
compiler formal
let &makeprg = '{sys.executable} -m formal check %:S'
silent make!
for s:one in getqflist()
  if s:one.valid
    let s:place = fnamemodify(bufname(s:one.bufnr), ':t') . ':' . s:one.lnum . ':' . s:one.col
    call add(g:told, s:place . ' ' . s:one.type . s:one.nr . ' ' . s:one.text)
  endif
endfor
call writefile(g:told, '{tmp_path}/told')
qall!
"""
    )
    command = ["vim", "-u", "NONE", "-i", "NONE", "-n", "-e", "-s", "-N", "-S", str(script)]
    subprocess.run(
        command, cwd=ROOT, timeout=60, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert (tmp_path / "told").read_text().splitlines() == [
        "formal", "// %s", "formalComment", "formalDeclare", "formalAnchorSign", "formalAnchor", "formalStatement", "formalDeclare",
        "    lock n;", "}", "m.dsl:5:10 E301 unknown name `n`",
    ]  # fmt: skip
