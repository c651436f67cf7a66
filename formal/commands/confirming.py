"""Whether the text of a candidate of `formal repair` is proved: it is read as any other model, and all its properties are asked of the
ordinary engines.

In: what a model is loaded with, and texts that count instead of what is in its files. Out: its report. It runs in a process of its own.
"""

from __future__ import annotations

import time
from pathlib import Path

from formal.frontend import load
from formal.pipeline import Request, prove
from formal.repair.questions import Question, Refused
from formal.verdict import Report


def asked(question: Question) -> Report | Refused:
    """The report of the model with these texts. Raises Disagreement."""
    begun = time.monotonic()
    loaded = load(question.file, question.defines, question.extra, {Path(path): text for path, text in question.texts.items()})
    program = loaded.program
    if program is None:
        return Refused(next(one.message for one in loaded.diagnostics if one.is_error))
    names = tuple(prop.name for prop in program.properties)
    request = Request(names, jobs=1, deadline=begun + question.seconds, begun=begun, defines=question.defines, extra=question.extra)
    return prove(program, request).report
