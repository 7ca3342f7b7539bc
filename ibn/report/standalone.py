"""What pages that need no network are made of: templates, pictures, a script held to its hash."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ibn.plurals import count_of, plural
from ibn.report.style import print_figure

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Return templates that escape whatever they show, with the script and its hash at hand."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ibn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals.update(script=script, digest=digest, count_of=count_of, plural=plural)
    return made


def picture(figure: Figure) -> str:
    """Encode a figure as the address of an image: an SVG of its own, so that no ids clash.

    Its ground is left clear, so that a page may be dark.
    """
    stream = io.BytesIO()
    print_figure(figure, stream, "svg", dpi=220, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()
