"""Reports as one self-contained HTML page, with every witness to step through: for a browser, a bug report, a CI artefact.

In: reports. Out: the document, in ASCII (so that it survives any encoding on its way), which asks for nothing from anywhere: its policy
lets run only the one script that is in it. The diagram and the last state are in the markup, so that the page reads and prints without
scripts. The same reports give the same bytes. It must not print.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from formal import __version__
from formal.formats import Style
from formal.formats.html.page import Page, figure, page, place, value
from formal.verdict import Report

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"}


def render(reports: Sequence[Report], style: Style) -> str:
    """The page. Quiet: the verdicts alone, without witnesses; statistics: with the engines' figures."""
    made = page(reports, witnesses=not style.quiet)
    text = document(made, statistics=style.statistics)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def document(made: Page, *, statistics: bool) -> str:
    """The page as HTML, with characters as they are."""
    loader = PackageLoader("formal.formats.html")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(place=place, value=value, figure=figure, px=_pixels)
    sheet, script = _text(loader, environment, "report.css"), _text(loader, environment, "report.js")
    return environment.get_template("report.html").render(
        page=made,
        statistics=statistics,
        version=__version__,
        sheet=Markup(sheet),
        script=Markup(script),
        policy=_policy(sheet, script),
        data=Markup(json_in_html(made.data)),
    )


def json_in_html(data: object) -> str:
    """JSON that cannot end the element it stands in, whatever strings it has."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).translate(_ESCAPES)


def _text(loader: BaseLoader, environment: Environment, name: str) -> str:
    return loader.get_source(environment, name)[0]


def _policy(sheet: str, script: str) -> str:
    """Nothing from the network, no script and no style but these."""
    return f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(sheet)}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _pixels(number: float) -> str:
    return f"{number:g}"
