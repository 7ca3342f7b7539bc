"""Chain over tree in every world of a sweep: families and label noise side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import ratio
from figures.fit import Fit
from figures.results import Rows, World, worlds
from figures.style import COLUMN, GREY, INFERENCE, decimal_ticks, shades
from figures.typeset import scientific
from ibn.bias.ultrametric import FAMILIES

TITLE = "Chain over tree in every world"
CLAIMS = ("P9", "E2")
NEEDS = "chain and tree at two or more common n, in two or more worlds"

Worlds = Sequence[tuple[World, dict[str, list[Fit]]]]
"""The worlds and the fits of each one's figure ``ratio``."""


def gather(rows: Rows) -> Worlds:
    """Find the worlds that the figure ``ratio`` shows, if there are two or more."""
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    found = [(world, fits) for world, fits in each if fits]
    return found if len(found) > 1 else []


def draw(each: Worlds) -> Figure:
    """Draw a panel for each kind of inference, family and β; α tells curves apart."""
    inferences = [name for name in INFERENCE if any(name in fits for _, fits in each)]
    columns = sorted(
        {(world.family, world.beta) for world, _ in each},
        key=lambda column: (list(FAMILIES).index(column[0]), -column[1]),
    )
    colors = shades(world.alpha for world, _ in each)
    size = (max(COLUMN, 1.25 * len(columns) + 0.6), 1.5 * len(inferences) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(inferences), len(columns), sharex=True, sharey="row", squeeze=False)
    for (row, inference), (column, (family, beta)) in product(
        enumerate(inferences), enumerate(columns)
    ):
        axes = grid[row, column]
        for world, fits in each:
            if (world.family, world.beta) == (family, beta) and inference in fits:
                (one,) = fits[inference]
                curve, color = one.curve, colors[world.alpha]
                axes.errorbar(curve.n, curve.mean, curve.stderr, color=color, marker="o", ms=2.0)
        axes.axhline(1.0, color=GREY, lw=0.8, zorder=1)
        axes.set(xscale="log", yscale="log")
        if row == 0:
            sigma2 = next(w.sigma2 for w, _ in each if w.beta == beta)
            axes.set_title(f"{family}\nσ² = {scientific(sigma2)}", fontsize=7)
        if row == len(inferences) - 1:
            axes.set_xlabel("comparisons $n$")
        if column == 0:
            axes.set_ylabel(f"chain / tree,\n{inference} inference")
    for axes in grid[:, 0]:  # once all panels of its row are drawn
        decimal_ticks(axes.yaxis)
    handles = [Line2D([], [], color=shade, marker="o", ms=2.0) for shade in colors.values()]
    names = [f"α = {alpha:g}" if alpha else "no α" for alpha in colors]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    return figure


def caption(each: Worlds) -> str:
    """Say what is drawn, and count what the largest sizes show."""
    told = []
    for inference in INFERENCE:
        last = [fits[inference][0].curve for _, fits in each if inference in fits]
        ends = [(curve.mean[-1], curve.stderr[-1]) for curve in last]
        tree = sum(mean - 1.0 > 3.0 * error for mean, error in ends)
        chain = sum(1.0 - mean > 3.0 * error for mean, error in ends)
        if ends:
            told.append(
                f"under {inference} inference the tree leaves less uncertainty in {tree} of "
                f"{len(ends)} worlds and the chain in {chain}"
            )
    return (
        f"Measured uncertainty of the chain over that of the tree, above 1 where the tree is "
        f"better. At the largest n, beyond three standard errors, {'; '.join(told)}. Bars are one "
        "standard error."
    )
