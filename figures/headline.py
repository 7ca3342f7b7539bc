"""The headline of the paper: chain over tree along paths, at the paper's |S| and near the best."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.estimate import Estimate, quotient
from ibn.figures import ratio
from ibn.figures.fit import LEAST_N, Fit
from ibn.figures.measurements import Rows, worlds
from ibn.figures.report_tables import Table, by_size
from ibn.figures.typeset import plus_minus
from ibn.report.style import BLACK, BLUE, COLUMN, GREY, VERMILION

TITLE = "The headline: chain over tree along paths"
CLAIMS = ("P9",)
NEEDS = "chain and tree under path inference at two or more common n, power family, regime A"

_LOOKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("measured", {"color": BLACK, "fmt": "o", "ms": 4.0, "zorder": 3}),
    ("derived", {"color": BLUE, "marker": "|", "ms": 9.0, "ls": "none", "mew": 1.6}),
    ("claimed", {"color": VERMILION, "marker": "x", "ms": 4.5, "ls": "none", "mew": 1.4}),
)


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


def claimed(n: np.ndarray, alpha: float) -> np.ndarray:
    """Evaluate the order of the paper's table at one α: (log n)^(1 − α) / log log n."""
    return np.log(n) ** (1.0 - alpha) / np.log(np.log(n))


def growths(one: Fit) -> tuple[Estimate, float, float]:
    """Say by how much the ratio grew with n: measured, by the ledger's order, by the claimed."""
    far = np.flatnonzero(one.curve.n >= LEAST_N)
    first, last = far[0], far[-1]
    measured = quotient(one.curve.points[last], one.curve.points[first])
    derived = measured.mean / one.drift.mean
    ends = claimed(one.curve.n[[first, last]].astype(float), one.world.alpha)
    return measured, float(derived), float(ends[1] / ends[0])


def draw(found: list[Fit]) -> Figure:
    """Draw by how much the ratio grew with n, a row an α and |S|, beside both orders."""
    figure = Figure(figsize=(COLUMN, 0.27 * len(found) + 1.1), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(found))[::-1]
    for at, one in zip(place, found, strict=True):
        measured, derived, order = growths(one)
        axes.errorbar(measured.mean, at, xerr=np.nan_to_num(measured.margin()), **_LOOKS[0][1])
        for value, (_, look) in zip((derived, order), _LOOKS[1:], strict=True):
            axes.plot(value, at, **look)
    axes.axvline(1.0, color=GREY, lw=0.8, zorder=1)
    axes.set_yticks(place, [_named(one) for one in found])
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.grid(visible=False, axis="y")
    figure.supxlabel("chain / tree at the largest $n$, over that at the smallest", fontsize=8)
    handles: list[Any] = [axes.errorbar([], [], **look) for _, look in _LOOKS]
    figure.legend(handles, [name for name, _ in _LOOKS], loc="outside upper left", ncols=3)
    return figure


def _named(one: Fit) -> str:
    far = one.curve.n[one.curve.n >= LEAST_N]
    ends = "–".join(f"$10^{{{np.log10(n):.2g}}}$" for n in (far[0], far[-1]))
    return f"α = {one.world.alpha:g}, {one.name}, {ends}"


def caption(found: list[Fit]) -> str:
    """Say what is drawn, and how the measured growth compares with the two orders."""
    drifts = "; ".join(
        f"{plus_minus(drift.mean, drift.margin())} (α = {one.world.alpha:g}, {one.name})"
        for one in found
        for drift in (one.drift,)
    )
    return (
        "How much the mean inference distance of the chain over that of the tree grew over the "
        "range of n measured, power family, few labels; bars are 95 % intervals over datasets. "
        "Derived: the ledger's order, log n times (|S|/n) to the power α. Claimed: the paper's "
        f"table, (log n)^(1 − α) / log log n. Measured over derived: {drifts}. For small α the "
        "chain is at these n still near its value without labels, so that the ratio shows no rate; "
        "for large α the label noise, the same at every n here, comes to count. The ledger "
        "measures P9 with noise that vanishes."
    )


def tables(found: list[Fit]) -> list[Table]:
    """Tabulate the ratios."""
    curves = {f"α = {one.world.alpha:g}, {one.name}": one.curve for one in found}
    return [by_size("chain / tree, path inference, ± 95 %", curves)]
