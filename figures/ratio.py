"""Chain over tree against n: the headline ratio, and what the exact posterior makes of it."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures.curves import draw_curves
from ibn.figures.fit import LEAST_N, Fit, fit_ratio
from ibn.figures.measurements import Rows, World
from ibn.figures.report_tables import Table, by_size
from ibn.figures.typeset import plus_minus
from ibn.report.style import COLUMN, GREY, INFERENCE

TITLE = "Which topology is better: chain over tree"
CLAIMS = ("P9", "E2")
NEEDS = f"chain and tree at two or more common n, each at least {LEAST_N}"


def fits(rows: Rows, world: World) -> dict[str, list[Fit]]:
    """Fit the ratio under each kind of inference; empty where there is nothing to draw."""
    each = {inference: fit_ratio(rows, world, inference) for inference in INFERENCE}
    return {inference: [one] for inference, one in each.items() if one is not None}


def draw(fits: dict[str, list[Fit]]) -> Figure:
    """Draw measured ratios and their rates."""
    figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
    axes = figure.subplots()
    looks = [INFERENCE[inference] for inference in fits]
    draw_curves(axes, [one for (one,) in fits.values()], list(fits), looks, "chain / tree")
    axes.axhline(1.0, color=GREY, lw=0.8, zorder=1)
    axes.set_ylabel("uncertainty, chain / tree\n(above 1 the tree is better)")
    return figure


def caption(fits: dict[str, list[Fit]]) -> str:
    """Say what is drawn and what the largest sizes show."""
    ends = " and ".join(
        f"{plus_minus(one.curve.mean[-1], one.curve.stderr[-1])} under {inference} inference"
        f" (n = {one.curve.n[-1]:,})"
        for inference, (one,) in fits.items()
    )
    return (
        f"Measured uncertainty of the chain over that of the tree: {ends}. Bars are one standard "
        "error. Dashed: the quotient of the two rates, times one constant."
    )


def tables(fits: dict[str, list[Fit]]) -> list[Table]:
    """Tabulate the ratios."""
    curves = {f"{inference} inference": one.curve for inference, (one,) in fits.items()}
    return [by_size("chain / tree, ± one standard error", curves)]
