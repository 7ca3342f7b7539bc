"""The ledger's formulas as pictures, for pages that have nothing else to set them with."""

from __future__ import annotations

import base64
import io
import re

from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

# What LaTeX says and matplotlib's mathtext says otherwise.
_OTHERWISE = (
    (r"\\[Bb]ig+[lrm]?(?![a-zA-Z])", ""),
    (r"\\[lr]vert(?![a-zA-Z])", "|"),
    (r"\\tfrac(\d)(\d)", r"\\frac{\1}{\2}"),
    (r"\\tfrac(?![a-zA-Z])", r"\\frac"),
    (r"\\le(?![a-zA-Z])", r"\\leq"),
    (r"\\ge(?![a-zA-Z])", r"\\geq"),
    (r"\\iff(?![a-zA-Z])", r"\\Leftrightarrow"),
    (r"\\mathbb E", r"\\mathbb{E}"),
    (r"\\arg\\max", r"\\mathrm{argmax}"),
)


def mathtext(latex: str) -> str:
    r"""Write a formula as mathtext understands it.

    Examples
    --------
    >>> print(mathtext(r"\mathbb E[d] \le \tfrac18"))
    \mathbb{E}[d] \leq \frac{1}{8}
    """
    for pattern, instead in _OTHERWISE:
        latex = re.sub(pattern, instead, latex)
    return re.sub(
        r"\\text\{([^{}]*)\}", lambda m: rf"\mathrm{{{m[1].replace(' ', chr(92) + ' ')}}}", latex
    )


def typeset(text: str) -> Markup:
    """Write the subscripts and powers in a sentence as HTML.

    Examples
    --------
    >>> typeset("r_RM(y1) < (log n)^α and n^(1-α)")
    Markup('r<sub>RM</sub>(y1) &lt; (log n)<sup>α</sup> and n<sup>1-α</sup>')
    """
    safe = str(escape(text))
    safe = re.sub(r"(?<=\w)_(\w+)", r"<sub>\1</sub>", safe)
    return Markup(re.sub(r"\^(?:\(([^()]*)\)|(\w+))", r"<sup>\1\2</sup>", safe))


def formula_image(latex: str, size: float = 11.0) -> str:
    """Draw a formula; returns the address of an SVG, of ``size`` points.

    Raises
    ------
    ValueError
        If mathtext cannot set it.
    """
    stream = io.BytesIO()
    text = f"${mathtext(latex)}$"
    # As matplotlib's math_to_image does, which writes the time into the picture.
    font = FontProperties(size=size)
    width, height, depth, _, _ = MathTextParser("path").parse(text, dpi=72, prop=font)
    figure = Figure(figsize=(width / 72.0, height / 72.0))
    figure.text(0, depth / height, text, fontproperties=font)
    figure.savefig(stream, dpi=72, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()
