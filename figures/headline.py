"""The headline of the paper: chain over tree against (log n)^(1−α) / log log n, α → 0 included."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.fit import Fit
from ibn.figures.measurements import Rows, worlds
from ibn.figures.report_tables import Table, by_size
from ibn.report.style import COLUMN, GREY, decimal_ticks, shades
from ibn.theory.rates import claimed_ratio

TITLE = "The headline: chain over tree against the rate claimed for it"
CLAIMS = ("P9",)
NEEDS = "chain and tree under path inference at two or more common n, power family, regime A"

_MARKERS = "o^sDv*P"


def gather(rows: Rows) -> list[Fit]:
    """Find the ratio in each world of the power family in regime A, from small α to large."""
    each = [
        ratio.fits(part, world)["path"][0]
        for world, part in worlds(rows)
        if world.family == "power" and "path" in ratio.fits(part, world)
    ]
    return sorted((one for one in each if one.regimes == ["A"]), key=lambda one: one.world.alpha)


def limit(n: np.ndarray) -> np.ndarray:
    """Log n / log log n, what the claimed rate tends to as α → 0."""
    return np.log(n) / np.log(np.log(n))


def draw(found: list[Fit]) -> Figure:
    """Draw the ratio against n, and against the rate that is claimed for it."""
    figure = Figure(figsize=(COLUMN, 5.0), layout="constrained")
    over_n, over_rate = figure.subplots(2)
    colors = shades([one.world.alpha for one in found])
    for one, marker in zip(found, cycle(_MARKERS), strict=False):
        curve, alpha = one.curve, one.world.alpha
        look = {"color": colors[alpha], "marker": marker, "ms": 3.6}
        over_n.errorbar(
            curve.n, curve.mean, curve.stderr, ls="none", label=f"α = {alpha:g}", **look
        )
        over_n.plot(*one.line(), color=look["color"], ls="--", lw=0.8)
        claimed = claimed_rate(one)
        over_rate.errorbar(claimed, curve.mean, curve.stderr, lw=0.8, **look)
    sizes = np.concatenate([one.curve.n for one in found])
    n = np.geomspace(sizes.min(), sizes.max())
    over_n.plot(n, limit(n), color=GREY, ls=":", label=r"$\alpha \to 0$: $\log n / \log\log n$")
    over_n.set(xscale="log", yscale="log", xlabel="comparisons $n$", ylabel="chain / tree")
    over_n.set_title(r"against $n$; dashed, $(\log n)^{1-\alpha}$ times a constant", fontsize=7)
    over_rate.axline((1.0, 1.0), slope=1.0, color=GREY, lw=0.8, ls=":")
    over_rate.set(xscale="log", yscale="log", ylabel="chain / tree")
    over_rate.set_xlabel(r"claimed rate, $(\log n)^{1-\alpha} / \log\log n$")
    over_rate.set_title("against the claimed rate; dotted, proportion", fontsize=7)
    for axes in (over_n, over_rate):
        decimal_ticks(axes.yaxis)
    decimal_ticks(over_rate.xaxis)
    figure.legend(*over_n.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def claimed_rate(one: Fit) -> np.ndarray:
    """Evaluate the claimed rate at a curve's n."""
    return one.world.evaluate(claimed_ratio(), one.curve.n, one.curve.leaves)


def caption(found: list[Fit]) -> str:
    """Say what is drawn and how each curve moves against the rate."""
    drifts = ", ".join(
        f"{one.drift[0]:.2f} ± {one.drift[1]:.2f} (α = {one.world.alpha:g})" for one in found
    )
    below = all(np.all(one.curve.mean - 3 * one.curve.stderr < limit(one.curve.n)) for one in found)
    return (
        "Measured mean inference distance of the chain over that of the tree, power family, few "
        "labels; bars are one standard error. Dashed: the order that the ledger finds; if the "
        "claimed "
        "rate held at these n, points would run in proportion below. Measured over that order at "
        "the "
        f"largest n, relative to the smallest: {drifts}. "
        + (
            "All lie below log n / log log n, to which the claimed rate tends as α → 0. "
            if below
            else "Not all lie below log n / log log n, to which the claimed rate tends as α → 0. "
        )
        + "For small α the chain is at these n still near its value without labels, so that the "
        "ratio shows neither the claimed rate nor any other; for large α the label noise, the "
        "same at every n here, comes to count. The ledger measures P9 with noise that vanishes."
    )


def tables(found: list[Fit]) -> list[Table]:
    """Tabulate the ratios."""
    curves = {f"α = {one.world.alpha:g}": one.curve for one in found}
    return [by_size("chain / tree, path inference, ± one standard error", curves)]
