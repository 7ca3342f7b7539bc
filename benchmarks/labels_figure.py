"""The figure of the labels page: label units of each method by budget, a panel a set."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.label_runs import BUDGETS
from benchmarks.label_units import Measured, units
from ibn.report.style import COLUMN

COLUMNS = 3
EDGE = 4.2


def write_figure(
    found: dict[str, dict[str, Measured]], path: Path, ours: str = "ours", seed: int = 0
) -> None:
    """Draw the units by log loss: all methods in grey, ours with its simultaneous interval."""
    lines: dict[tuple[str, str], list[tuple[int, float, float, float]]] = defaultdict(list)
    for budget in BUDGETS:
        table = units(found, "log loss", budget, seed)
        if table.names:
            low, high = table.interval()
            for name, mean, a, b in zip(table.names, table.estimate, low, high, strict=True):
                lines[name].append((budget, float(mean), float(a), float(b)))
    rows = -(-len(found) // COLUMNS)
    figure = Figure(figsize=(2.0 * COLUMN, 2.0 * rows), layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, COLUMNS, sharey=True, squeeze=False)).ravel()
    for panel, pool in zip(axes, found, strict=False):
        for (where, method), points in lines.items():
            if where != pool:
                continue
            k, mean, low, high = np.array(points).T
            if method == ours:
                panel.plot(k, mean, "o-", color="tab:blue", zorder=3)
                panel.fill_between(k, low, high, color="tab:blue", alpha=0.15)
            else:
                style = "--" if method == "random" else "-"
                panel.plot(k, mean, style, color="0.3" if method == "random" else "0.75", lw=0.8)
        panel.axhline(1.0, color="black", lw=0.6)
        panel.set(xscale="log", title=pool, ylim=(0.0, EDGE))
        panel.set_xticks([k for k in BUDGETS if k >= 64], [str(k) for k in BUDGETS if k >= 64])
        panel.minorticks_off()
    for panel in axes[len(found) :]:
        panel.set_axis_off()
    figure.supxlabel("labels chosen, K")
    figure.supylabel("random needs × labels")
    figure.savefig(path, metadata={"Date": None})
