"""Structural functions of real tasks, estimated from their responses and fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import BLUE, COLUMN, GREEN, VERMILION
from figures.tables import Cell, Table, point
from ibn.bias.ultrametric import Ultrametric
from simulations.recorded import load

TITLE = "Structural functions of three real tasks"
CLAIMS = ("P9", "E6")
RECORDS = "structure"
NEEDS = "simulations/recorded/structure.json, which python -m simulations.tasks writes"

_LOOK: dict[str, dict[str, Any]] = {
    "HH-RLHF": {"color": VERMILION, "marker": "o"},
    "GSM-8K": {"color": BLUE, "marker": "s"},
    "DialogSum": {"color": GREEN, "marker": "^"},
}


def _fit(row: dict[str, Any], family: str) -> dict[str, Any]:
    return next(fit for fit in row["fits"] if fit["family"] == family)


def panel(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Draw the tasks under one embedding, each over its F(1), with the power family fitted."""
    for row in rows:
        look = _LOOK[row["task"]]
        cells, value, stderr = (np.array(row[key]) for key in ("cells", "value", "stderr"))
        fit = _fit(row, "power")
        axes.errorbar(cells, value / value[0], stderr / value[0], ls="none", ms=3.6, **look)
        m = np.geomspace(cells[0], cells[-1], 50)
        world = Ultrametric("power", alpha=fit["alpha"], scale=fit["scale"])
        axes.plot(m, world.structural_function(m) / value[0], color=look["color"], lw=0.9, ls="--")
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(cells, [f"{m}" for m in cells])
    axes.minorticks_off()
    axes.set_yticks([0.9, 0.95, 1.0], ["0.90", "0.95", "1.00"])
    axes.set_title(rows[0]["embedding"], fontsize=7)


def draw() -> Figure:
    """Draw a panel for each embedding."""
    rows = load("structure")["rows"]
    embeddings = list(dict.fromkeys(row["embedding"] for row in rows))
    lines = -(-len(embeddings) // 2)
    figure = Figure(figsize=(COLUMN, 1.65 * lines + 0.7), layout="constrained")
    grid = figure.subplots(lines, 2, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, embeddings, strict=False):
        panel(axes, [row for row in rows if row["embedding"] == name])
        axes.set_title(name.replace(", ", ",\n"), fontsize=7)
    figure.supxlabel("cells $M$", fontsize=8)
    figure.supylabel("$F(M) / F(1)$", fontsize=8)
    for task, look in _LOOK.items():
        grid[0, 0].plot([], [], label=task, ls="--", lw=0.9, ms=3.6, **look)
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper left", ncols=3, columnspacing=1.2)
    return figure


def caption() -> str:
    """Say what is drawn and what α comes out."""
    rows = load("structure")["rows"]
    alphas = [_fit(row, "power")["alpha"] for row in rows]
    counts = sorted({row["responses"] for row in rows})
    told = [not row["told"].startswith("cannot tell") for row in rows]
    return (
        f"Estimated from {' to '.join(map(str, counts))} responses of each task, on record: mean "
        "d_IB (squared distance in the embedding) within a cell of balanced partitions laid on "
        "one half of the responses and measured on the other, over its value in one cell. Bars "
        "are one standard error; dashed, the power family, fitted with the correlations of the "
        "errors, so that a line need not run nearest the points; α is from "
        f"{min(alphas):.3f} to {max(alphas):.3f}. With M up to {max(rows[0]['cells'])}, one family "
        f"is told from the others in {sum(told)} of {len(rows)} fits."
    )


def tables() -> list[Table]:
    """Tabulate F(M) and the fits."""
    found = load("structure")
    rows = found["rows"]
    columns = ("embedding", "task", *[f"F({m})" for m in rows[0]["cells"]], "α (95 %)", "family")
    lines = []
    for row in rows:
        fit = _fit(row, "power")
        low, high = fit["alpha_interval"]
        values = zip(row["value"], row["stderr"], strict=True)
        lines.append(
            [
                Cell(row["embedding"]),
                Cell(row["task"]),
                *[point(value, stderr, "record-structure") for value, stderr in values],
                Cell(f"{fit['alpha']:.3f} ({low:.3f}–{high:.3f})", "record-structure"),
                Cell(row["told"]),
            ]
        )
    return [Table("Estimated and fitted, ± one standard error", columns, lines)]
