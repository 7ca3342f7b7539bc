"""Path against exact posterior: where the order of chain and tree reverses."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.measurements import Curve, Rows, World, worlds
from ibn.figures.report_tables import Cell, Table, point
from ibn.report.style import COLUMN, GREY, decimal_ticks, shades

TITLE = "One path or all of them: where the order reverses"
CLAIMS = ("E1", "E2")
NEEDS = "chain and tree under path and exact inference at two or more common n"

_MARKERS = {"power": "o", "logarithmic": "s", "sub-logarithmic": "^"}
_CLEAR = 3.0
"""Standard errors from which on a ratio counts as other than 1."""

Found = list[tuple[World, Curve, Curve]]
"""Each world with chain over tree under path and under exact inference."""


def gather(rows: Rows) -> Found:
    """Find the worlds in which both kinds of inference were measured."""
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    return [
        (world, fits["path"][0].curve, fits["exact"][0].curve)
        for world, fits in each
        if len(fits) == 2
    ]


def common(path: Curve, exact: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Positions in both curves of the sizes measured for both."""
    _, here, there = np.intersect1d(path.n, exact.n, return_indices=True)
    return here, there


def draw(found: Found) -> Figure:
    """Draw the ratio under exact inference against that under paths, a curve a world."""
    figure = Figure(figsize=(COLUMN, 3.9), layout="constrained")
    axes = figure.subplots()
    colors = shades([world.alpha for world, *_ in found])
    for world, path, exact in found:
        here, there = common(path, exact)
        open_: dict[str, Any] = {} if "A" in world.regimes(path.n[here[-1:]]) else {"mfc": "white"}
        color = colors[world.alpha]
        axes.plot(path.mean[here], exact.mean[there], color=color, lw=0.7, alpha=0.6)
        axes.errorbar(
            path.mean[here[-1]],
            exact.mean[there[-1]],
            exact.stderr[there[-1]],
            path.stderr[here[-1]],
            color=color,
            marker=_MARKERS[world.family],
            ms=4.2,
            **open_,
        )
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel("chain / tree along the best path")
    axes.set_ylabel("chain / tree by the exact posterior")
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    axes.set(xlim=(min(left, 0.8), max(right, 1.6)), ylim=(min(low, 0.5), max(high, 1.3)))
    for line in (axes.axhline, axes.axvline):
        line(1.0, color=GREY, lw=0.8, zorder=1)
    axes.fill_between([1.0, axes.get_xlim()[1]], axes.get_ylim()[0], 1.0, color="#fff3cd", lw=0)
    axes.text(
        0.98, 0.02, "path:\ntree better\nexact:\nchain better", ha="right", va="bottom",
        transform=axes.transAxes, fontsize=7,
    )  # fmt: skip
    decimal_ticks(axes.xaxis)
    decimal_ticks(axes.yaxis)
    for alpha, color in colors.items():
        axes.plot([], [], color=color, lw=2.0, label=f"α = {alpha:g}" if alpha else "no α")
    for family in dict.fromkeys(world.family for world, *_ in found):
        axes.plot([], [], color=GREY, ls="none", ms=4.2, marker=_MARKERS[family], label=family)
    axes.plot([], [], color=GREY, ls="none", marker="o", ms=4.2, mfc="white", label="regime B")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def reversed_in(path: Curve, exact: Curve) -> bool:
    """Whether at the largest common n the two clearly rank chain and tree in opposite order."""
    here, there = common(path, exact)
    i, j = here[-1], there[-1]
    sides = [
        (curve.mean[k] - 1.0) / max(curve.stderr[k], 1e-12) for curve, k in ((path, i), (exact, j))
    ]
    return all(abs(side) > _CLEAR for side in sides) and sides[0] * sides[1] < 0


def caption(found: Found) -> str:
    """Say what is drawn and count the worlds."""
    count = sum(reversed_in(path, exact) for _, path, exact in found)
    return (
        "Each curve is a world, from its smallest n to its largest, where the point is, with bars "
        "of one standard error; hollow points are of regime B. In the shaded quarter the tree "
        "leaves less uncertainty along the best path and the chain less by the exact posterior. "
        f"The two end in opposite order, beyond {_CLEAR:.0f} standard errors of each, in {count} "
        f"of {len(found)} world{'s' if len(found) > 1 else ''}."
    )


def tables(found: Found) -> list[Table]:
    """Tabulate the points."""
    rows = []
    for world, path, exact in found:
        here, there = common(path, exact)
        i, j = here[-1], there[-1]
        rows.append(
            [
                Cell(world.family),
                Cell(f"{world.alpha:g}" if world.alpha else ""),
                Cell(f"{world.beta:g}"),
                Cell(f"{path.n[i]:,}"),
                point(path.mean[i], path.stderr[i], path.tasks[i][0]),
                point(exact.mean[j], exact.stderr[j], exact.tasks[j][0]),
                Cell("yes" if reversed_in(path, exact) else "no"),
            ]
        )
    columns = ("family", "α", "β", "n", "path", "exact", "reversed")
    return [Table("chain / tree at the largest n, ± one standard error", columns, rows)]
