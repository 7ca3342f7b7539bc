"""The figures of an audit: findings in, matplotlib Axes out."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import PercentFormatter

from ibn.auditing.result import Audit
from ibn.auditing.uncertainty import Uncertainty
from ibn.report.style import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, decimal_ticks

MOST_BARS = 12
PORTRAITS, PORTRAIT_NODES = 24, 60
OFF_SCALE = 0.3  # misfit in log F
FAMILY_LOOK = {
    "power": (BLUE, "-"),
    "logarithmic": (VERMILION, "--"),
    "sub-logarithmic": (GREY, ":"),
}
KINDS = {"within": ("within a prompt", BLUE, "o"), "across": ("across prompts", ORANGE, "s")}


def layouts(found: Audit) -> dict[str, Uncertainty]:
    """List what each layout of comparisons leaves: none, this data's, the others, best first."""
    others = sorted(found.layouts.items(), key=lambda item: item[1].decisive.variance.mean)
    return {"no labels": found.prior.before, "this data": found.posterior.after, **dict(others)}


def draw_reuse(axes: Axes, found: Audit) -> None:
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


def draw_variances(axes: Axes, found: Audit) -> None:
    """Draw the distribution of posterior variances, their means and the means before labels."""
    values = {"within": found.within_variance, "across": found.posterior.across}
    largest = max(np.quantile(v, 0.999) for v in values.values() if v.size)
    bins = np.linspace(0.0, 1.1 * float(largest), 49)
    for kind, (label, color, _) in KINDS.items():
        before, after = getattr(found.prior.before, kind), getattr(found.posterior.after, kind)
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


def draw_layouts(axes: Axes, found: Audit, quantity: str) -> None:
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


def portrait(found: Audit) -> list[nx.Graph]:
    """Pick components of the comparisons: evenly from the largest to the smallest.

    Of a large one only the responses nearest to the one most used, up to a few dozen.
    """
    graph: nx.Graph = nx.Graph(found.prior.compared.tolist())
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    shown = np.linspace(0, len(parts) - 1, min(len(parts), PORTRAITS)).astype(int)
    picked = []
    for k in shown:
        part = parts[k]
        if len(part) > PORTRAIT_NODES:
            hub = max(part, key=lambda node: (graph.degree[node], -node))
            near = [hub, *(v for _, v in nx.bfs_edges(graph, hub))]
            part = set(near[:PORTRAIT_NODES])
        picked.append(graph.subgraph(part).copy())
    return picked


def draw_portrait(axes: Axes, found: Audit) -> None:
    """Draw some components of the comparisons side by side, every response a dot."""
    picked = portrait(found)
    weight = np.sqrt([len(part) for part in picked])
    columns = max(1, int(np.ceil(np.sqrt(1.5 * len(picked)))))
    segments, dots = [], []
    for k, part in enumerate(picked):
        row, column = divmod(k, columns)
        place = nx.kamada_kawai_layout(part) if len(part) > 2 else nx.circular_layout(part)
        xy = {node: np.asarray(point) for node, point in place.items()}
        reach = max(float(np.abs(point).max()) for point in xy.values()) or 1.0
        size = min(0.14 + 0.28 * weight[k] / weight.max(), 0.1 + 0.08 * len(part))
        at = {node: size * point / reach + (column, -row) for node, point in xy.items()}
        segments += [(at[u], at[v]) for u, v in part.edges]
        dots += list(at.values())
    axes.add_collection(LineCollection(segments, colors=GREY, linewidths=0.7, zorder=1))
    size = 9.0 if len(dots) < 200 else 5.0
    x, y = np.transpose(dots)
    axes.scatter(x, y, s=size, color=BLUE, lw=0, zorder=2)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.margins(0.04)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def draw_structure(axes: Axes, found: Audit) -> None:
    """Draw the structural function, one standard error, and the families fitted, each by its name.

    A family far off what was measured is named below instead.
    """
    structure = found.inspection.structure
    assert structure is not None
    cells, off = np.array(structure.cells), []
    names = []
    for fit in structure.fits.ranked:
        color, line = FAMILY_LOOK[fit.family]
        if fit.residual > OFF_SCALE:
            off.append(fit.family)
            continue
        value = fit.world().structural_function(cells)
        axes.plot(cells, value, line, color=color)
        label = fit.family if np.isnan(fit.alpha) else f"{fit.family}\nα = {fit.alpha:.2f}"
        names.append((float(np.log(value[-1])), label, color))
    mean = [value.mean for value in structure.value]
    error = [value.stderr for value in structure.value]
    axes.errorbar(cells, mean, yerr=error, fmt="o", ms=4.0, color=BLACK, zorder=5)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    low, high = min(mean) / 1.12, max(mean) * 1.12
    axes.set_ylim(low, high)
    decimal_ticks(axes.yaxis)
    axes.set_xticks(cells, [str(m) for m in cells])
    axes.minorticks_off()
    _name_at_the_end(axes, names, np.log(low), np.log(high))
    missed = f"; off the scale: {', '.join(off)}" if off else ""
    axes.set(xlabel="cells M", ylabel="F(M)")
    axes.set_title(f"points: this data{missed}", fontweight="normal")


def _name_at_the_end(
    axes: Axes, names: list[tuple[float, str, str]], low: float, high: float
) -> None:
    """Name each curve right of its end, no two names at the same height."""
    apart, at = 0.17 * (high - low), -np.inf
    for height, label, color in sorted(names):
        at = max(height, at + apart, low + 0.06 * (high - low))
        share = min((at - low) / (high - low), 0.98)
        look: dict[str, Any] = {"transform": axes.transAxes, "color": color, "size": 7}
        axes.text(1.02, share, label, va="center", ha="left", **look)


def draw_curve(axes: Axes, found: Audit) -> None:
    """Draw how many held-out labels are predicted right, by labels fitted to."""
    assert found.labels is not None
    curve = found.labels.curve
    accuracy = [value.mean for value in curve.accuracy]
    errors = [value.stderr for value in curve.accuracy]
    axes.errorbar(curve.labels, accuracy, yerr=errors, marker="o", ms=4.0, color=BLUE)
    axes.axhline(0.5, color=GREY, ls=":", label="a coin")
    axes.set_xscale("log")
    axes.set_xticks(curve.labels, [f"{n:,}" for n in curve.labels])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set(xlabel="labels fitted to", ylabel="held-out labels predicted right")
    axes.legend(loc="lower right")


def draw_shares(axes: Axes, found: Audit) -> None:
    """Draw where what is known of a compared pair comes from, as one bar of 100 %."""
    one = found.posterior.redundancy
    start = 0.0
    for estimate, label, color, hatch in (
        (one.by_bias, "similar responses", SKY, ""),
        (one.by_others, "other comparisons", GREEN, "///"),
        (one.by_itself, "its own label", ORANGE, ""),
    ):
        share = estimate.mean
        axes.barh(0, share, left=start, color=color, label=label, hatch=hatch, edgecolor="white")
        if share > 0.08:
            box = {"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1.5}
            axes.text(start + share / 2, 0, f"{share:.0%}", ha="center", va="center", bbox=box)
        start += share
    axes.set(yticks=[], xlim=(0, 1), ylim=(-0.5, 0.5))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        borderaxespad=0.2,
        columnspacing=1.0,
        handlelength=1.2,
    )


def draw_calibration(axes: Axes, found: Audit) -> None:
    """Draw how often held-out labels were predicted against how sure the model was."""
    assert found.labels is not None
    bins = [cell for cell in found.labels.evaluation.reliability if cell.count]
    confidence = [cell.confidence for cell in bins]
    accuracy = np.array([cell.accuracy for cell in bins])
    error = [
        np.sqrt(max(p * (1 - p), 1e-12) / cell.count)
        for p, cell in zip(accuracy, bins, strict=True)
    ]
    axes.plot([0.5, 1.0], [0.5, 1.0], color=GREY, ls="--", label="perfectly calibrated")
    look: dict[str, Any] = {"fmt": "o", "ms": 4.0, "color": BLUE, "zorder": 5}
    axes.errorbar(confidence, accuracy, yerr=error, label="held-out labels", **look)
    most = max(cell.count for cell in bins)
    for cell in bins:  # how many labels each point stands for, as bars from below
        width = 0.9 * (cell.high - cell.low)
        axes.bar(cell.low, 0.08 * cell.count / most, width, 0.4, color=SKY, lw=0, align="edge")
    right = min(1.01, max(0.65, max(confidence) + 0.05))
    axes.set(xlim=(0.49, right), ylim=(0.4, right + 0.01))
    axes.set(xlabel="predicted probability of the likelier side", ylabel="share that was right")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)


def draw_fifths(axes: Axes, found: Audit) -> None:
    """Draw held-out accuracy by fifths, from the most to the least uncertain label."""
    assert found.labels is not None
    fifths = found.labels.evaluation.fifths["label"]
    place = np.arange(len(fifths))
    look: dict[str, Any] = {"fmt": "o", "ms": 4.5, "color": BLUE}
    mean = [fifth.accuracy.mean for fifth in fifths]
    axes.errorbar(place, mean, yerr=[fifth.accuracy.stderr for fifth in fifths], **look)
    axes.axhline(0.5, color=GREY, ls=":")
    names = ["most uncertain\nfifth", *[""] * (len(fifths) - 2), "least uncertain\nfifth"]
    axes.set_xticks(place, names)
    axes.set(ylabel="held-out accuracy", xlim=(-0.5, len(fifths) - 0.5))
    axes.grid(visible=False, axis="x")
