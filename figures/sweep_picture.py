"""Whatever a sweep measured, drawn as it is: uncertainty against n, no rate fitted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ibn.estimate import Estimate
from ibn.report.style import COLUMN, TOPOLOGY, decimal_ticks, legend_above

if TYPE_CHECKING:
    from ibn.simulations.sweeping.swept import Sweep

PARAMETERS = ("family", "alpha", "scale", "branching", "beta", "leaves")
LOOK = {"marker": ".", "ms": 4.0}


def draw_sweep(found: Sweep) -> Figure:
    """Draw a panel for each kind of inference, a line for each topology and world."""
    kinds = list(dict.fromkeys(row.task.inference for row in found.rows))
    figure = Figure(figsize=(COLUMN, 2.6 * len(kinds) + 0.2), layout="constrained")
    grid = figure.subplots(len(kinds), sharex=True, squeeze=False)
    varied = _varied(found)
    for axes, kind in zip(grid.flat, kinds, strict=True):
        lines: dict[str, dict[int, list[Any]]] = {}
        for row in found.rows:
            task = row.task
            if task.inference == kind:
                shown = [f"{name} {getattr(task, name):g}" for name in varied if name != "family"]
                shown = [task.family, *shown] if "family" in varied else shown
                line = lines.setdefault(", ".join([task.topology, *shown]), {})
                line.setdefault(task.n, []).append(row.estimate)
        handles = []
        for name, points in lines.items():
            sizes = sorted(points)
            overall = [_overall(points[n]) for n in sizes]
            bars = [each.stderr if np.isfinite(each.stderr) else np.nan for each in overall]
            look = TOPOLOGY.get(name.partition(",")[0], LOOK) if not varied else LOOK
            means = [each.mean for each in overall]
            handles.append(axes.errorbar(sizes, means, yerr=bars, **look))
        axes.set(xscale="log", yscale="log", ylabel="mean uncertainty\n(squared units of reward)")
        decimal_ticks(axes.yaxis)
        legend_above(axes, handles, list(lines), f"{kind} inference, bars of one standard error")
    grid.flat[-1].set_xlabel("comparisons $n$")
    return figure


def _varied(found: Sweep) -> list[str]:
    """Name the parameters of which there are several values; |S| of one rule does not count."""
    tasks = [row.task for row in found.rows]
    varied = [name for name in PARAMETERS[:-1] if len({getattr(t, name) for t in tasks}) > 1]
    sizes: dict[tuple[str, int], set[int]] = {}
    for task in tasks:
        sizes.setdefault((task.topology, task.n), set()).add(task.leaves)
    return [*varied, *(["leaves"] if any(len(each) > 1 for each in sizes.values()) else [])]


def _overall(each: list[Estimate]) -> Estimate:
    """Average datasets, whose spread is the error; one has only its own."""
    return Estimate.of(np.array([one.mean for one in each])) if len(each) > 1 else each[0]
