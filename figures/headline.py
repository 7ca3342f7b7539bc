"""The headline of the paper: chain over tree along paths, at the paper's |S| and near the best."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.fit import Fit
from ibn.figures.measurements import Rows, worlds
from ibn.figures.report_tables import Table, by_size
from ibn.figures.typeset import plus_minus
from ibn.report.style import COLUMN, GREY, decimal_ticks, shades

TITLE = "The headline: chain over tree along paths"
CLAIMS = ("P9",)
NEEDS = "chain and tree under path inference at two or more common n, power family, regime A"

_MARKERS = "o^sDv*P"


def gather(rows: Rows) -> list[Fit]:
    """Find the ratio in each world of the power family in regime A, from small α to large."""
    each = [
        one
        for world, part in worlds(rows)
        if world.family == "power"
        for one in ratio.fits(part, world).get("path", [])
        if one.regimes == ["A"]
    ]
    return sorted(each, key=lambda one: one.world.alpha)


def limit(n: np.ndarray) -> np.ndarray:
    """Log n / log log n, the paper's most over all α, up to a constant."""
    return np.log(n) / np.log(np.log(n))


def draw(found: list[Fit]) -> Figure:
    """Draw the ratio against n, a panel for each |S|: the paper's, and about the best."""
    names = list(dict.fromkeys(one.name for one in found))
    figure = Figure(figsize=(COLUMN, 2.4 * len(names) + 0.6), layout="constrained")
    panels = figure.subplots(len(names), sharex=True, squeeze=False)[:, 0]
    colors = shades([one.world.alpha for one in found])
    markers = dict(zip(colors, cycle(_MARKERS), strict=False))
    sizes = np.concatenate([one.curve.n for one in found])
    n = np.geomspace(sizes.min(), sizes.max())
    for axes, name in zip(panels, names, strict=True):
        for one in (one for one in found if one.name == name):
            curve, alpha = one.curve, one.world.alpha
            look = {"color": colors[alpha], "marker": markers[alpha], "ms": 3.6, "ls": "none"}
            axes.errorbar(curve.n, curve.mean, curve.margin, label=f"α = {alpha:g}", **look)
            axes.plot(*one.line(), color=look["color"], ls="--", lw=0.8)
        axes.axhline(1.0, color=GREY, lw=0.8, zorder=1)
        axes.plot(n, limit(n), color=GREY, ls=":", label=r"$\log n / \log\log n$")
        axes.set(xscale="log", yscale="log", ylabel="chain / tree")
        axes.set_title(f"tree at {name}", fontsize=7)
        decimal_ticks(axes.yaxis)
    axes.set_xlabel("comparisons $n$")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def caption(found: list[Fit]) -> str:
    """Say what is drawn and how each curve moves against its order and the claimed one."""
    drifts = "; ".join(
        f"{plus_minus(drift.mean, drift.margin())} (α = {one.world.alpha:g}, {one.name})"
        for one in found
        for drift in (one.drift,)
    )
    over = [
        f"α = {one.world.alpha:g}, {one.name}"
        for one in found
        if np.any(one.curve.mean - one.curve.margin > limit(one.curve.n))
    ]
    return (
        "Measured mean inference distance of the chain over that of the tree, power family, few "
        "labels; bars are 95 % intervals over datasets. Dashed: the ledger's order, log n times "
        "(|S|/n) to the power α, times one constant. Measured over this order at the largest n, "
        f"relative to the smallest: {drifts}. Dotted: log n / log log n, the most that the paper "
        "has over all α up to a constant; "
        + (f"above it lie {', '.join(over)}. " if over else "no point lies clearly above it. ")
        + "For small α the chain is at these n still near its value without labels, so that the "
        "ratio shows no rate; for large α the label noise, the same at every n here, comes to "
        "count. The ledger measures P9 with noise that vanishes."
    )


def tables(found: list[Fit]) -> list[Table]:
    """Tabulate the ratios."""
    curves = {f"α = {one.world.alpha:g}, {one.name}": one.curve for one in found}
    return [by_size("chain / tree, path inference, ± 95 %", curves)]
