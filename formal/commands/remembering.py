"""The cache of verdicts, as commands use it: whether there is one, what it knows of a question, and what an answer adds to it.

In: parsed arguments; requests and answers. Out: requests with what is known, answers with figures of it. What cannot be kept is no mistake:
the answer is the same, later runs take longer.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from formal.cache import Cache, Question
from formal.console import Parser, UsageError, check_folder
from formal.pipeline import Answer, Request
from formal.program import Program

_OFF: Final = ("", "0", "false", "no", "off")


def configure_cache(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("--no-cache", action="store_true", help="search afresh, and keep nothing (so do FORMAL_CACHE=off and CI=true)")
    parser.add_argument("--cache", metavar="DIR", help="keep verdicts there (default: FORMAL_CACHE, or ~/.cache/formal/verdicts)")


def cache_of(arguments: argparse.Namespace) -> Cache | None:
    """The cache that is to be used, if one is. Raises UsageError for a folder that was named and is no good."""
    if arguments.no_cache:
        if arguments.cache is not None:
            raise UsageError("--no-cache goes without --cache")
        return None
    if arguments.cache is not None:
        check_folder(arguments.cache)
        return Cache(Path(arguments.cache))
    return _usual(os.environ)


def _usual(environment: Mapping[str, str]) -> Cache | None:
    """Where nothing is said on the command line. A CI job computes what it shows, unless it names a folder."""
    named = environment.get("FORMAL_CACHE")
    if named is not None:
        return None if named.lower() in _OFF else Cache(Path(named))
    if environment.get("CI", "").lower() not in _OFF:
        return None
    base = environment.get("XDG_CACHE_HOME", "")
    try:
        return Cache((Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "formal" / "verdicts")
    except RuntimeError:  # nobody's home
        return None


def recalled(cache: Cache | None, program: Program, request: Request) -> Request:
    """The request, with what is known of it."""
    return request if cache is None else replace(request, remembered=cache.recall(program, _question(request)))


def kept(cache: Cache | None, program: Program, request: Request, answer: Answer) -> Answer:
    """The answer, after what it adds is kept; where figures are wanted, with those of the cache. A run in which an engine broke down adds
    nothing."""
    if cache is None:
        return answer
    if not answer.crashes and (answer.found.findings or answer.found.outline is not None):
        cache.keep(program, _question(request), answer.found)
    if not request.statistics:
        return answer
    hits = sum(one.then is not None for one in answer.report.properties)
    figures: dict[str, int | float | str] = {"cache.hits": hits, "cache.misses": len(answer.report.properties) - hits}
    figures |= {"cache.folder": str(cache.folder)} if cache.trouble is None else {"cache.unusable": cache.trouble}
    return replace(answer, report=replace(answer.report, statistics={**answer.report.statistics, **figures}))


def _question(request: Request) -> Question:
    return Question(request.engine, request.depth, request.without)
