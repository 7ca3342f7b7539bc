"""The report of an audit: figures, tables and words on one page that needs no network."""

from __future__ import annotations

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
from ibn.report.passages import Passages, lines_of
from ibn.report.response_map import lay_out
from ibn.report.standalone import environment, picture
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
        "shares": (1.1, drawing.draw_shares),
        "variance": (rows, lambda axes, found: drawing.draw_layouts(axes, found, "variance")),
        "distance": (rows, lambda axes, found: drawing.draw_layouts(axes, found, "distance")),
    }
    if found.inspection.structure:
        figures["structure"] = (2.4, drawing.draw_structure)
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


def write_report(
    found: Audit,
    path: str | os.PathLike[str],
    quoted: PreferenceData | None = None,
    gate: Mapping[str, Any] | None = None,
) -> None:
    """Write an audit as one self-contained HTML page.

    ``found``: the findings; ``path``: where to; ``quoted``: the dataset, if the page is to quote
    texts; ``gate``: the verdict of ``--max-variance``, as in the JSON document.
    """
    with style():
        images = {name: picture(figure) for name, figure in draw(found).items()}
    made = environment()
    made.filters.update(lines=lines_of)
    passages = Passages.of(quoted or found.data, shown=quoted is not None)
    document = found.to_json()
    page = made.get_template("audit.html.j2").render(
        found=found,
        doc=document,
        number=_numbers(document),
        name=Path(found.data.source).name,
        answer=words.answer(found),
        trust=words.trust(found),
        left=words.left(found),
        spent=words.spent(found),
        steps=words.steps(found, 3),
        recommended=words.recommended(found),
        contradicted=words.contradicted(found),
        sampled=words.sampled(found),
        layouts=layouts(found),
        images=images,
        map=lay_out(found, passages),
        passages=passages,
        gate=gate,
    )
    write_text(path, page)


def draw_summary(found: Audit) -> Figure:
    """Draw what each layout leaves uncertain beside where the uncertainty is."""
    figure = Figure(figsize=(2.2 * COLUMN, 0.2 * len(layouts(found)) + 1.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    drawing.draw_layouts(left, found, "variance")
    drawing.draw_variances(right, found)
    return figure
