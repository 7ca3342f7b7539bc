"""The documentation site: built by ``python -m sphinx -W docs site``."""

import sys
from pathlib import Path

from ibn import __version__

sys.path.insert(0, str(Path(__file__).parent))
import gallery

project = "ibn"
author = "the ibn developers"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx.ext.napoleon",
    "sphinx_design",
]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"  # the notebook runs once for all builders
nb_execution_timeout = 300
nb_execution_raise_on_error = True
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types and shapes
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
exclude_patterns = ["site", "_gallery"]

html_theme = "furo"
html_title = "ibn"
html_static_path = ["_static"]
html_css_files = ["ibn.css"]


def escape_bars(app, what, name, obj, options, lines):
    """Absolute values and sizes are written |x|, which reStructuredText takes for substitutions."""
    for i, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
        lines[i] = "``".join(parts)


def draw_gallery(app):
    """Draw the gallery's figures, once for all builders."""
    folder = Path(app.srcdir, "_gallery")
    if app.builder.name == "html" or not (folder / "figures.md").exists():
        gallery.write(folder, Path(app.srcdir, "claims.json"))


def setup(app):
    """Connect the gallery, and what the docstrings need."""
    app.connect("builder-inited", draw_gallery)
    app.connect("autodoc-process-docstring", escape_bars)
