"""An account as one self-contained HTML page, with a timeline: for a browser, a mail, a CI artefact.

In: phrases and a timeline. Out: the document, in ASCII, without scripts, which asks for nothing from anywhere. It
follows the reader's light or dark. The same log gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from formal import __version__
from formal.logs.chart import ZOOMS, chart
from formal.logs.timeline import Timeline
from formal.logs.wording import Wording, duration, number, share, times


def render(words: Wording, timeline: Timeline, top: int) -> str:
    """The page. `top`: how long its lists are; longer ones say so."""
    loader = PackageLoader("formal.logs")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(duration=duration, times=times)
    environment.globals.update(share=share, number=number)
    sheet = loader.get_source(environment, "log.css")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    text = environment.get_template("log.html").render(
        words=words,
        account=words.account,
        chart=chart(words, timeline),
        zooms=ZOOMS,
        top=top,
        version=__version__,
        sheet=Markup(sheet),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
