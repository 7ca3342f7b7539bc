"""Chain over tree against n: the headline ratio, and what the exact posterior makes of it."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures.curves import draw_curves
from ibn.figures.fit import FEW, LEAST_N, LEAVES, Fit, fit_ratio
from ibn.figures.measurements import Rows, World
from ibn.figures.report_tables import Table, by_size
from ibn.figures.typeset import plus_minus
from ibn.report.style import COLUMN, GREY, INFERENCE

TITLE = "Which topology is better: chain over tree"
CLAIMS = ("P9", "E2")
NEEDS = f"chain and tree at two or more common n, each at least {LEAST_N}"


def fits(rows: Rows, world: World) -> dict[str, list[Fit]]:
    """Fit the ratio under each kind of inference, for few leaves and for about the best |S|.

    Empty where there is nothing to draw.
    """
    each = {i: [fit_ratio(rows, world, i, rule) for rule in LEAVES] for i in INFERENCE}
    found = {i: [one for one in fits if one is not None] for i, fits in each.items()}
    return {inference: fits for inference, fits in found.items() if fits}


def of(fits: dict[str, list[Fit]], inference: str, rule: str = FEW) -> Fit | None:
    """Return one ratio among these, by the rule for |S|."""
    return next((one for one in fits.get(inference, []) if one.name == f"|S| = {rule}"), None)


def draw(fits: dict[str, list[Fit]]) -> Figure:
    """Draw measured ratios and their rates; hollow where the tree has few leaves."""
    figure = Figure(figsize=(COLUMN, 3.4), layout="constrained")
    axes = figure.subplots()
    names, looks, drawn = [], [], []
    for inference, found in fits.items():
        for one in found:
            drawn.append(one)
            names.append(f"{inference}, {one.name}")
            few = {"mfc": "white"} if one.name == f"|S| = {FEW}" else {}
            looks.append({**INFERENCE[inference], **few})
    draw_curves(axes, drawn, names, looks, "chain / tree")
    axes.axhline(1.0, color=GREY, lw=0.8, zorder=1)
    axes.set_ylabel("uncertainty, chain / tree\n(above 1 the tree is better)")
    return figure


def caption(fits: dict[str, list[Fit]]) -> str:
    """Say what is drawn and what the largest sizes show."""
    ends = "; ".join(
        f"{plus_minus(one.curve.mean[-1], one.curve.margin[-1])} under {inference} inference at "
        f"{one.name} (n = {one.curve.n[-1]:,})"
        for inference, found in fits.items()
        for one in found
    )
    return (
        f"Measured uncertainty of the chain over that of the tree: {ends}. Bars are 95 % "
        "intervals over datasets. |S| is how many responses the tree reuses: n / log n is the "
        "paper's, which connects them all, and n is near the best along paths. Dashed: the "
        "quotient of the two orders, times one constant."
    )


def tables(fits: dict[str, list[Fit]]) -> list[Table]:
    """Tabulate the ratios."""
    curves = {f"{i}, {one.name}": one.curve for i, found in fits.items() for one in found}
    return [by_size("chain / tree, ± 95 %", curves)]
