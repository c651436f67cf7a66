"""A comparison as one self-contained HTML page, without scripts: for a browser, a mail, a CI artefact.

In: a comparison. Out: the document, in ASCII, which asks for nothing from anywhere. The same comparison gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from formal import __version__
from formal.compare import wording
from formal.compare.comparison import Comparison
from formal.formats import Style
from formal.formats.text import render_replay, verdict_words

_WIDTH = 110  # columns of the witnesses' drawings


def page(found: Comparison) -> str:
    """The page."""
    loader = PackageLoader("formal.compare")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(
        verdict=wording.verdict,
        needed=wording.needed,
        title=wording.title,
        first=wording.first,
        later=wording.later,
        words=lambda report: verdict_words(report.verdict, report.depth),
        drawn=lambda result: render_replay(result.name, result.witness, Style(_WIDTH)),
    )
    sheet = loader.get_source(environment, "compare.css")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    before = {one.name: one for one in found.before.properties}
    after = {one.name: one for one in found.after.properties}
    text = environment.get_template("compare.html").render(
        found=found,
        rows=[(name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after))],
        courses={one.prop: one for one in found.courses},
        version=__version__,
        sheet=Markup(sheet),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
