"""Path against exact posterior: where the order of chain and tree reverses."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.fit import LEAVES
from ibn.figures.measurements import Curve, Rows, World, worlds
from ibn.figures.report_tables import Cell, Table, point
from ibn.report.style import BLACK, COLUMN, GREY, INFERENCE, decimal_ticks

TITLE = "One path or all of them: where the order reverses"
CLAIMS = ("E1", "E2")
NEEDS = "chain and tree under path and exact inference at two or more common n"

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
    """Draw both ratios at the largest n, joined, a row a world and a panel a rule for |S|."""
    rules = [rule for rule in LEAVES if any(of == rule for _, of, *_ in found)]
    rows = sorted({world for world, *_ in found}, key=lambda world: world.rank, reverse=True)
    size = (COLUMN, 0.2 * len(rows) + 1.15)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(rules), sharex=True, sharey=True, squeeze=False)[0]
    for axes, rule in zip(panels, rules, strict=True):
        for world, of, path, exact in found:
            if of == rule:
                at = rows.index(world)
                here, there = common(path, exact)
                i, j = here[-1], there[-1]
                strong = reversed_in(path, exact)
                line = {"color": BLACK if strong else GREY, "lw": 1.4 if strong else 0.6}
                axes.plot([path.mean[i], exact.mean[j]], [at, at], zorder=2, **line)
                for curve, k, name in ((path, i, "path"), (exact, j, "exact")):
                    axes.errorbar(curve.mean[k], at, xerr=curve.margin[k], **_look(name))
        axes.axvline(1.0, color=GREY, lw=0.8, zorder=1)
        axes.set_xscale("log")
        axes.set_title(f"|S| = {rule}", fontsize=8)
        axes.grid(visible=False, axis="y")
    low, high = panels[0].get_xlim()
    panels[0].set_xlim(min(low, 0.7), max(high, 1.4))
    for axes in panels:
        decimal_ticks(axes.xaxis)
        axes.tick_params(axis="x", labelsize=6)
    panels[0].set_yticks(range(len(rows)), [world.name for world in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    figure.supxlabel("chain / tree (right of 1 the tree is better)", fontsize=8)
    marks = [panels[0].errorbar([], [], **_look(name)) for name in INFERENCE]
    figure.legend(marks, list(INFERENCE), loc="outside upper left", ncols=2)
    return figure


def _look(inference: str) -> dict[str, Any]:
    return {**INFERENCE[inference], "ms": 3.4, "ls": "none", "elinewidth": 0.8, "zorder": 3}


def reversed_in(path: Curve, exact: Curve) -> bool:
    """Whether at their largest n the two clearly rank chain and tree in opposite order."""
    return path.side * exact.side < 0


def caption(found: Found) -> str:
    """Say what is drawn and count the worlds."""
    counts = []
    for rule in LEAVES:
        mine = [reversed_in(path, exact) for _, of, path, exact in found if of == rule]
        if mine:
            counts.append(f"in {sum(mine)} of {len(mine)} worlds at |S| = {rule}")
    return (
        "Uncertainty of the chain over that of the tree at the largest n, along the best path and "
        "by the exact posterior, a row a world (family, α, label noise); bars are 95 % intervals "
        "over datasets. A black line joins two that end on opposite sides of 1, beyond 99 % "
        f"intervals: {' and '.join(counts)}."
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
