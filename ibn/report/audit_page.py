"""The report of an audit: figures, tables and words on one page that needs no network."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from ibn.auditing.result import Audit
from ibn.estimate import Estimate
from ibn.outputs import write_text
from ibn.report import audit_figures as drawing
from ibn.report import words
from ibn.report.audit_figures import layouts
from ibn.report.style import COLUMN, style

if TYPE_CHECKING:
    from ibn.preferences.reading import PreferenceData

Key = Callable[..., Any]


def draw(found: Audit) -> dict[str, Figure]:
    """Draw all figures of the report."""

    def canvas(height: float) -> Figure:
        return Figure(figsize=(COLUMN, height), layout="constrained")

    rows = 0.2 * len(layouts(found)) + 1.0
    figures = {
        "portrait": (2.6, drawing.draw_portrait),
        "reuse": (2.3, drawing.draw_reuse),
        "variances": (2.7, drawing.draw_variances),
        "map": (2.9, drawing.draw_map),
        "shares": (1.1, drawing.draw_shares),
        "variance": (rows, lambda axes, found: drawing.draw_layouts(axes, found, "variance")),
        "distance": (rows, lambda axes, found: drawing.draw_layouts(axes, found, "distance")),
    }
    if found.inspection.structure:
        figures["structure"] = (2.6, drawing.draw_structure)
    if found.labels:
        figures["curve"] = (2.4, drawing.draw_curve)
    if found.labels:
        figures["calibration"] = (2.8, drawing.draw_calibration)
        figures["fifths"] = (2.4, drawing.draw_fifths)
    drawn = {}
    for name, (height, draw_on) in figures.items():
        drawn[name] = canvas(height)
        draw_on(drawn[name].subplots(), found)
    return drawn


def _embedded(figure: Figure) -> str:
    """Encode a figure as the address of an image: an SVG of its own, so that no ids clash."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None}, dpi=220)
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()


def _numbers(document: Mapping[str, Any]) -> Key:
    """Write figures of the document, each marked with where in it it stands."""
    from markupsafe import Markup

    def number(path: str, form: str = "") -> Any:
        value: Any = document
        for key in path.split("/"):
            value = value[int(key)] if isinstance(value, list) else value[key]
        error = ""
        if isinstance(value, dict):
            estimate = Estimate(value["mean"], value["stderr"], value["count"])
            shown, _, stderr = words.with_error(estimate).partition(" ± ")
            value = value["mean"]
            if form:
                shown = format(value, form)
                stderr = format(estimate.stderr, form.lstrip("+")) if estimate.stderr else ""
            error = f" <small>± {stderr}</small>" if stderr else ""
        else:
            shown = format(value, form or (",d" if isinstance(value, int) else ".3g"))
        shown = shown.replace("-", "−")
        plain = value if isinstance(value, int) else float(value)
        return Markup(f'<data value="{plain!r}" data-key="{path}">{shown}</data>{error}')

    return number


def _script() -> str:
    return (Path(__file__).parent / "templates" / "audit.js").read_text(encoding="utf-8")


def write_report(
    found: Audit,
    path: str | os.PathLike[str],
    quoted: PreferenceData | None = None,
    gate: Mapping[str, Any] | None = None,
) -> None:
    """Write an audit as one self-contained HTML page.

    ``found``: the findings; ``path``: where to; ``quoted``: the dataset, if the page is to quote
    the last words of prompts; ``gate``: the verdict of ``--max-variance``, as in the JSON document.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    with style():
        images = {name: _embedded(figure) for name, figure in draw(found).items()}
    environment = Environment(
        loader=PackageLoader("ibn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(lines=words.lines_of)
    prompts: Mapping[int, str] = {}
    if quoted is not None:
        listed = {prompt.prompt for prompt in found.posterior.prompts}
        listed |= {pair.prompt for pair in found.posterior.pairs}
        prompts = {prompt: words.snippet(quoted.prompts[prompt], 80) for prompt in listed}
    document = found.to_json()
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment.get_template("audit.html.j2").render(
        found=found,
        doc=document,
        number=_numbers(document),
        name=Path(found.data.source).name,
        have=words.have(found),
        costs=words.costs(found),
        recommended=words.recommended(found),
        to_do=words.to_do(found, 3),
        contradicted=words.contradicted(found),
        sampled=words.sampled(found),
        layouts=layouts(found),
        images=images,
        prompts=prompts,
        gate=gate,
        script=script,
        digest=digest,
    )
    write_text(path, page)


def draw_summary(found: Audit) -> Figure:
    """Draw what each layout leaves uncertain beside where the uncertainty is."""
    figure = Figure(figsize=(2.2 * COLUMN, 0.2 * len(layouts(found)) + 1.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    drawing.draw_layouts(left, found, "variance")
    drawing.draw_variances(right, found)
    return figure
