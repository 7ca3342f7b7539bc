"""Measured uncertainty against n, with the theory's rates drawn through."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures.curves import draw_curves
from ibn.figures.fit import LEAST_N, Fit, fit
from ibn.figures.measurements import Rows, World
from ibn.figures.report_tables import Table, by_size
from ibn.report.style import COLUMN, TOPOLOGY, decimal_ticks

TITLE = "Uncertainty against the number of comparisons"
CLAIMS = ("P5", "P6", "P7", "P8", "E2", "E3", "E5")
NEEDS = f"chain, tree, star or expander at two or more n, each at least {LEAST_N}"
QUANTITY = {"path": "mean inference distance", "exact": "mean posterior variance"}


def fits(rows: Rows, world: World) -> dict[str, list[Fit]]:
    """Fit the topologies that this figure shows.

    Returns
    -------
    dict
        The fits of each kind of inference; empty where there is nothing to draw.
    """
    each = {i: [fit(rows, world, topology, i) for topology in TOPOLOGY] for i in QUANTITY}
    found = {i: [one for one in fits if one is not None] for i, fits in each.items()}
    return {inference: fits for inference, fits in found.items() if fits}


def draw(fits: dict[str, list[Fit]]) -> Figure:
    """Draw a panel for each kind of inference."""
    figure = Figure(figsize=(COLUMN, 2.6 * len(fits) + 0.2), layout="constrained")
    grid = figure.subplots(len(fits), sharex=True, sharey=True, squeeze=False)
    for axes, (inference, found) in zip(grid.flat, fits.items(), strict=True):
        names = [one.name for one in found]
        looks = [TOPOLOGY[name] for name in names]
        draw_curves(axes, found, names, looks, f"{inference} inference")
        axes.set_yscale("log")
        axes.set_ylabel(f"{QUANTITY[inference]}\n(squared units of reward)")
        axes.label_outer()
    decimal_ticks(axes.yaxis)
    return figure


def caption(fits: dict[str, list[Fit]]) -> str:
    """Say what is drawn and how precise it is."""
    curves = [one.curve for found in fits.values() for one in found]
    worst = max(float((curve.stderr / curve.mean).max()) for curve in curves)
    return (
        f"Points: mean over random pairs of responses, with bars of one standard error, at most "
        f"{worst:.1%} of the mean. Dashed: the rate the theory has for each, times one constant, "
        "the geometric mean of measured over rate; a rate that holds runs parallel to the points."
    )


def tables(fits: dict[str, list[Fit]]) -> list[Table]:
    """Tabulate the curves of each kind of inference."""
    return [
        by_size(
            f"{QUANTITY[inference]} ({inference} inference), ± one standard error".capitalize(),
            {one.name: one.curve for one in found},
        )
        for inference, found in fits.items()
    ]
