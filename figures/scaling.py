"""Measured uncertainty against n, with the theory's rates drawn through."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures.curves import draw_curves
from ibn.figures.fit import BEST, FEW, LEAST_N, Fit, fit
from ibn.figures.measurements import Rows, World
from ibn.figures.report_tables import Table, by_size
from ibn.figures.typeset import plus_minus
from ibn.report.style import COLUMN, SKY, TOPOLOGY, decimal_ticks

TITLE = "Uncertainty against the number of comparisons"
CLAIMS = ("P5", "P6", "P7", "P8", "E2", "E3", "E5")
NEEDS = f"chain, tree, star or expander at two or more n, each at least {LEAST_N}"
MANY = {**TOPOLOGY["tree"], "color": SKY, "marker": "v"}
"""Look of the tree of many leaves."""
QUANTITY = {"path": "mean inference distance", "exact": "mean posterior variance"}


def fits(rows: Rows, world: World) -> dict[str, list[Fit]]:
    """Fit the topologies that this figure shows.

    Returns
    -------
    dict
        The fits of each kind of inference; empty where there is nothing to draw.
    """
    each = {
        i: [
            *(fit(rows, world, topology, i) for topology in TOPOLOGY),
            fit(rows, world, "tree", i, BEST),
        ]
        for i in QUANTITY
    }
    found = {i: [one for one in fits if one is not None] for i, fits in each.items()}
    return {inference: fits for inference, fits in found.items() if fits}


def draw(fits: dict[str, list[Fit]]) -> Figure:
    """Draw a panel for each kind of inference."""
    figure = Figure(figsize=(COLUMN, 2.6 * len(fits) + 0.2), layout="constrained")
    grid = figure.subplots(len(fits), sharex=True, sharey=True, squeeze=False)
    for axes, (inference, found) in zip(grid.flat, fits.items(), strict=True):
        looks = [TOPOLOGY.get(one.name, MANY) for one in found]
        names = [f"tree, |S| = {FEW}" if one.name == "tree" else one.name for one in found]
        draw_curves(axes, found, names, looks, f"{inference} inference")
        axes.set_yscale("log")
        axes.set_ylabel(f"{QUANTITY[inference]}\n(squared units of reward)")
        axes.label_outer()
    decimal_ticks(axes.yaxis)
    return figure


def caption(fits: dict[str, list[Fit]]) -> str:
    """Say what is drawn and how precise it is."""
    told = "; ".join(
        f"{inference}: "
        + ", ".join(
            f"{one.name} {plus_minus(one.exponent.mean, one.exponent.margin())}" for one in found
        )
        for inference, found in fits.items()
    )
    return (
        "Points: mean over random pairs of responses and over datasets, with bars of 95 % "
        "intervals over datasets. Dashed: the rate the ledger has for each, times one constant, "
        "the geometric mean of measured over rate; a rate that holds runs parallel to the points. "
        f"Exponents of n fitted to all points, with 95 % intervals: {told}."
    )


def tables(fits: dict[str, list[Fit]]) -> list[Table]:
    """Tabulate the curves of each kind of inference."""
    return [
        by_size(
            f"{QUANTITY[inference]} ({inference} inference), ± 95 %".capitalize(),
            {one.name: one.curve for one in found},
        )
        for inference, found in fits.items()
    ]
