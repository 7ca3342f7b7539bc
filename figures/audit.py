"""The report of an audit: four figures and the tables, on one page that needs no network."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import BLUE, COLUMN, GREY, ORANGE, VERMILION, style
from ibn.auditing.result import Audit, Uncertainty
from ibn.auditing.words import lines_of, plus_minus, snippet, summary

if TYPE_CHECKING:
    from ibn.preferences.reading import PreferenceData

MOST_BARS = 12
MOST_POINTS = 5000
KINDS = {"within": ("within a prompt", BLUE, "o"), "across": ("across prompts", ORANGE, "s")}


def layouts(found: Audit) -> dict[str, Uncertainty]:
    """List what each layout of comparisons leaves: none, this data's, the others, best first."""
    others = sorted(found.topologies.items(), key=lambda item: item[1].decisive.variance.mean)
    return {"no labels": found.before, "this data": found.after, **dict(others)}


def draw_reuse(axes: Axes, found: Audit) -> Axes:
    """Draw how many responses take part in how many comparisons."""
    counts = found.uses[:MOST_BARS].astype(float)
    labels = [str(k) for k in range(len(counts))]
    if len(found.uses) > MOST_BARS:
        counts[-1] += found.uses[MOST_BARS:].sum()
        labels[-1] += "+"
    first = int(np.flatnonzero(counts)[0])
    shown = np.arange(first, len(counts))
    bars = axes.bar(shown, counts[shown], color=BLUE, width=0.7)
    axes.bar_label(bars, [f"{int(c):,}" if c else "" for c in counts[shown]], padding=2, size=7)
    axes.set_xticks(shown, labels[first:])
    few = max(0.0, (4 - len(shown)) / 2)  # keeps a lone bar slim
    axes.set_xlim(first - 0.6 - few, len(counts) - 0.4 + few)
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="comparisons a response takes part in", ylabel="responses")
    return axes


def draw_variances(axes: Axes, found: Audit) -> Axes:
    """Draw the distribution of posterior variances, their means and the means before labels."""
    values = {"within": found.within_variance, "across": found.across_variance}
    largest = max(np.quantile(v, 0.999) for v in values.values() if v.size)
    bins = np.linspace(0.0, 1.1 * float(largest), 49)
    for kind, (label, color, _) in KINDS.items():
        before, after = getattr(found.before, kind), getattr(found.after, kind)
        if after is None:
            continue
        weights = np.full(values[kind].size, 1.0 / values[kind].size)
        look: dict[str, Any] = {"bins": bins, "weights": weights, "color": color}
        clipped = np.minimum(values[kind], bins[-1])
        axes.hist(clipped, histtype="stepfilled", alpha=0.3, label=label, **look)
        axes.hist(clipped, histtype="step", **look)
        axes.axvline(after.variance.mean, color=color, lw=1.3)
        axes.axvline(before.variance.mean, color=color, lw=1.3, ls=":")
    axes.plot([], [], color=GREY, label="mean")
    axes.plot([], [], color=GREY, ls=":", label="mean before any label")
    axes.set_xlim(left=0.0)
    axes.set(xlabel="posterior variance of a reward difference", ylabel="share of pairs")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
    return axes


def draw_layouts(axes: Axes, found: Audit, quantity: str) -> Axes:
    """Draw the mean variance or distance that each layout leaves, with one standard error."""
    rows = layouts(found)
    place = np.arange(len(rows))[::-1]
    for kind, (label, color, marker) in KINDS.items():
        means = [getattr(one, kind) for one in rows.values()]
        if means[1] is None:
            continue
        values = [getattr(pairs, quantity) for pairs in means]
        axes.errorbar(
            [value.mean for value in values],
            place,
            xerr=[value.stderr for value in values],
            fmt=marker,
            ms=4.0,
            color=color,
            label=label,
        )
        axes.axvline(values[1].mean, color=color, lw=0.8, ls="--", zorder=1)
    axes.set_yticks(place, list(rows))
    axes.get_yticklabels()[1].set_fontweight("bold")
    axes.set_xlim(left=0.0)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    name = {"variance": "posterior variance", "distance": "inference distance"}[quantity]
    axes.set_xlabel(f"mean {name}")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.3, 1.0), ncols=2, borderaxespad=0.2)
    return axes


def draw_map(axes: Axes, found: Audit) -> Axes:
    """Draw responses on a plane, coloured by uncertainty, the most uncertain prompts ringed."""
    m = len(found.position)
    shown = np.linspace(0, m - 1, min(m, MOST_POINTS)).astype(int)
    shown = shown[np.argsort(found.response_variance[shown])]  # the uncertain on top
    value = found.response_variance[shown]
    low, high = np.quantile(value, [0.01, 0.99])
    x, y = found.position[shown].T
    dots = axes.scatter(
        x, y, c=value, s=5, lw=0, cmap="viridis_r", vmin=low, vmax=high, rasterized=True
    )
    ringed = [i for pair in found.uncertain_pairs for i in pair.responses]
    if ringed:
        x, y = found.position[ringed].T
        axes.scatter(x, y, s=34, facecolor="none", edgecolor=VERMILION, lw=0.9)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.figure.colorbar(dots, ax=axes, label="posterior variance", shrink=0.8, extend="both")
    return axes


def draw(found: Audit) -> dict[str, Figure]:
    """Draw all figures of the report."""

    def canvas(height: float) -> Figure:
        return Figure(figsize=(COLUMN, height), layout="constrained")

    figures = {"reuse": canvas(2.3), "variances": canvas(2.7), "map": canvas(2.9)}
    draw_reuse(figures["reuse"].subplots(), found)
    draw_variances(figures["variances"].subplots(), found)
    draw_map(figures["map"].subplots(), found)
    for quantity in ("variance", "distance"):
        figures[quantity] = canvas(0.2 * len(layouts(found)) + 1.0)
        draw_layouts(figures[quantity].subplots(), found, quantity)
    return figures


def _embedded(figure: Figure) -> str:
    """Encode a figure as the address of an image: an SVG of its own, so that no ids clash."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None}, dpi=220)
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()


def write_report(
    found: Audit, path: str | os.PathLike[str], quoted: PreferenceData | None = None
) -> None:
    """Write an audit as one self-contained HTML page.

    Parameters
    ----------
    found : Audit
        The findings.
    path : path-like
        Where to.
    quoted : PreferenceData, optional
        The dataset, if the page is to quote the last words of prompts.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    with style():
        images = {name: _embedded(figure) for name, figure in draw(found).items()}
    environment = Environment(
        loader=PackageLoader("figures"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(plus_minus=plus_minus, lines=lines_of)
    words: Mapping[int, str] = {}
    if quoted is not None:
        listed = {prompt.prompt for prompt in found.uncertain_prompts}
        listed |= {pair.prompt for pair in found.uncertain_pairs}
        words = {prompt: snippet(quoted.prompts[prompt], 80) for prompt in listed}
    page = environment.get_template("audit.html.j2").render(
        found=found,
        name=Path(found.source).name,
        sentences=summary(found),
        layouts=layouts(found),
        images=images,
        words=words,
        deviation=np.sqrt(found.after.decisive.variance.mean),
    )
    Path(path).write_text(page, encoding="utf-8")
