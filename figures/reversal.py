"""Path against exact posterior: where the order of chain and tree reverses."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.fit import BEST, FEW, LEAVES
from ibn.figures.measurements import Curve, Rows, World, worlds
from ibn.figures.report_tables import Cell, Table, point
from ibn.report.style import COLUMN, GREY, decimal_ticks, shades

TITLE = "One path or all of them: where the order reverses"
CLAIMS = ("E1", "E2")
NEEDS = "chain and tree under path and exact inference at two or more common n"

_MARKERS = {"power": "o", "logarithmic": "s", "sub-logarithmic": "^"}

Found = list[tuple[World, str, Curve, Curve]]
"""Each world and rule for |S| with chain over tree under path and under exact inference."""


def gather(rows: Rows) -> Found:
    """Find the worlds in which both kinds of inference were measured."""
    found = []
    for (world, part), rule in product(worlds(rows), LEAVES):
        fits = ratio.fits(part, world)
        path, exact = (ratio.of(fits, inference, rule) for inference in ("path", "exact"))
        if path is not None and exact is not None:
            found.append((world, rule, path.curve, exact.curve))
    return found


def common(path: Curve, exact: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Positions in both curves of the sizes measured for both."""
    _, here, there = np.intersect1d(path.n, exact.n, return_indices=True)
    return here, there


def draw(found: Found) -> Figure:
    """Draw the ratio under exact inference against that under paths, a curve a world."""
    figure = Figure(figsize=(COLUMN, 3.9), layout="constrained")
    axes = figure.subplots()
    colors = shades([world.alpha for world, *_ in found])
    for world, rule, path, exact in found:
        here, there = common(path, exact)
        ls = ":" if rule == FEW else "-"
        open_: dict[str, Any] = {} if "A" in world.regimes(path.n[here[-1:]]) else {"mfc": "white"}
        color = colors[world.alpha]
        axes.plot(path.mean[here], exact.mean[there], color=color, lw=0.8, ls=ls)
        axes.errorbar(
            path.mean[here[-1]],
            exact.mean[there[-1]],
            exact.margin[there[-1]],
            path.margin[here[-1]],
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
    for rule, ls in ((FEW, ":"), (BEST, "-")):
        axes.plot([], [], color=GREY, lw=0.8, ls=ls, label=f"|S| = {rule}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def reversed_in(path: Curve, exact: Curve) -> bool:
    """Whether at their largest n the two clearly rank chain and tree in opposite order."""
    return path.side * exact.side < 0


def caption(found: Found) -> str:
    """Say what is drawn and count the worlds."""
    counts = []
    for rule in LEAVES:
        mine = [reversed_in(path, exact) for _, of, path, exact in found if of == rule]
        if mine:
            counts.append(f"{sum(mine)} of {len(mine)} worlds at |S| = {rule}")
    return (
        "Each curve is a world and a rule for |S|, from its smallest n to its largest, where the "
        "point is, with bars of 95 % intervals over datasets; hollow points are of regime B. In "
        "the shaded quarter the tree leaves less uncertainty along the best path and the chain "
        "less by the exact posterior. The two end in opposite order, beyond 99 % intervals, in "
        f"{' and in '.join(counts)}."
    )


def tables(found: Found) -> list[Table]:
    """Tabulate the points."""
    rows = []
    for world, rule, path, exact in found:
        here, there = common(path, exact)
        i, j = here[-1], there[-1]
        rows.append(
            [
                Cell(world.family),
                Cell(f"{world.alpha:g}" if world.alpha else ""),
                Cell(f"{world.beta:g}"),
                Cell(rule),
                Cell(f"{path.n[i]:,}"),
                point(path.mean[i], path.margin[i], path.tasks[i][0]),
                point(exact.mean[j], exact.margin[j], exact.tasks[j][0]),
                Cell("yes" if reversed_in(path, exact) else "no"),
            ]
        )
    columns = ("family", "α", "β", "|S|", "n", "path", "exact", "reversed")
    return [Table("chain / tree at the largest n, ± 95 %", columns, rows)]
