"""Chain over tree in every world of a sweep: families and label noise side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibn.bias.ultrametric import FAMILIES
from ibn.figures import ratio
from ibn.figures.fit import BEST, FEW, LEAVES, Fit
from ibn.figures.measurements import Rows, World, worlds
from ibn.figures.typeset import scientific
from ibn.report.style import COLUMN, GREY, INFERENCE, decimal_ticks, shades

TITLE = "Chain over tree in every world"
CLAIMS = ("P9", "E2")
NEEDS = "chain and tree at two or more common n, in two or more worlds"

_LOOK: dict[str, dict[str, Any]] = {
    f"|S| = {FEW}": {"marker": "o", "mfc": "white", "ls": ":"},
    f"|S| = {BEST}": {"marker": "^", "ls": "-"},
}
Worlds = Sequence[tuple[World, dict[str, list[Fit]]]]
"""The worlds and the fits of each one's figure ``ratio``."""


def gather(rows: Rows) -> Worlds:
    """Find the worlds that the figure ``ratio`` shows, if there are two or more."""
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    found = [(world, fits) for world, fits in each if fits]
    return found if len(found) > 1 else []


def draw(each: Worlds) -> Figure:
    """Draw a row for each family and β, a column a kind of inference; α tells curves apart."""
    inferences = [name for name in INFERENCE if any(name in fits for _, fits in each)]
    kinds = sorted(
        {(world.family, world.beta) for world, _ in each},
        key=lambda kind: (list(FAMILIES).index(kind[0]), -kind[1]),
    )
    colors = shades(world.alpha for world, _ in each)
    figure = Figure(figsize=(COLUMN, 1.05 * len(kinds) + 0.9), layout="constrained")
    grid = figure.subplots(len(kinds), len(inferences), sharex=True, sharey="col", squeeze=False)
    for (row, kind), (column, inference) in product(enumerate(kinds), enumerate(inferences)):
        axes = grid[row, column]
        for world, fits in each:
            if (world.family, world.beta) == kind and inference in fits:
                for one in fits[inference]:
                    curve, look = one.curve, {"color": colors[world.alpha], **_LOOK[one.name]}
                    axes.errorbar(curve.n, curve.mean, curve.margin, ms=2.6, **look)
        axes.axhline(1.0, color=GREY, lw=0.8, zorder=1)
        axes.set(xscale="log", yscale="log")
        if column == 0:
            sigma2 = next(w.sigma2 for w, _ in each if w.beta == kind[1])
            axes.set_title(f"{kind[0]}, σ² = {scientific(sigma2)}", fontsize=7)
    for axes, inference in zip(grid[-1], inferences, strict=True):
        axes.set_xlabel(f"comparisons $n$\n({inference} inference)")
    figure.supylabel("chain / tree", fontsize=8)
    for axes in grid[0]:  # once all panels of its column are drawn
        decimal_ticks(axes.yaxis)
    handles = [Line2D([], [], color=shade) for shade in colors.values()]
    names = [f"α = {alpha:g}" if alpha else "no α" for alpha in colors]
    handles += [Line2D([], [], color=GREY, ms=2.6, **look) for look in _LOOK.values()]
    names += list(_LOOK)
    figure.legend(handles, names, loc="outside upper left", ncols=3)
    return figure


def caption(each: Worlds) -> str:
    """Say what is drawn, and count what the largest sizes show."""
    told = []
    for inference, rule in product(INFERENCE, LEAVES):
        last = [one for _, fits in each if (one := ratio.of(fits, inference, rule)) is not None]
        sides = [one.curve.side for one in last]
        if last:
            told.append(
                f"under {inference} inference at |S| = {rule} the tree leaves less uncertainty in "
                f"{sides.count(1)} of {len(last)} worlds and the chain in {sides.count(-1)}"
            )
    return (
        f"Measured uncertainty of the chain over that of the tree, above 1 where the tree is "
        f"better. At the largest n, where 99 % intervals over datasets leave out 1, "
        f"{'; '.join(told)}. Bars are 95 % intervals."
    )
