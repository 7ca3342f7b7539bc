"""The structural functions of the three families, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.bias.ultrametric import Ultrametric
from ibn.figures.report_tables import Cell, Table
from ibn.report.style import BLUE, COLUMN, GREEN, VERMILION, decimal_ticks

TITLE = "How fast likeness grows as cells shrink: the three families"
CLAIMS = ("P5", "P7")
ALPHAS = (0.1, 0.3, 1.0)
DEPTHS = np.arange(31)

_LOOK: dict[str, dict[str, Any]] = {
    "power": {"color": VERMILION, "label": r"power, $F \sim I M^{-\alpha}$"},
    "logarithmic": {"color": BLUE, "label": r"logarithmic, $F \sim I (\log M)^{-\alpha}$"},
    "sub-logarithmic": {"color": GREEN, "label": "sub-logarithmic, slower than both"},
}
_LINES = ("-", "--", ":")  # α, from small to large


def curves() -> dict[tuple[str, float], np.ndarray]:
    """F(M) at M = 2^k for k in ``DEPTHS``, by family and α."""
    worlds = [(family, alpha) for family in ("power", "logarithmic") for alpha in ALPHAS]
    return {
        (family, alpha): Ultrametric(family, alpha=alpha or 1.0).structural_function(2.0**DEPTHS)
        for family, alpha in [*worlds, ("sub-logarithmic", 0.0)]
    }


def draw() -> Figure:
    """Draw a curve for each family and α."""
    figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
    axes = figure.subplots()
    for (family, alpha), values in curves().items():
        look = _LOOK[family]
        line = _LINES[ALPHAS.index(alpha)] if alpha else "-"
        axes.plot(2.0**DEPTHS, values, color=look["color"], ls=line)
    axes.set(xscale="log", yscale="log", ylim=(1e-3, 1.3))
    axes.set_xlabel("cells $M$")
    axes.set_ylabel("structural function $F(M)$\n(squared units of reward)")
    decimal_ticks(axes.yaxis)
    for look in _LOOK.values():
        axes.plot([], [], **look)
    for alpha, line in zip(ALPHAS, _LINES, strict=True):
        axes.plot([], [], color="black", ls=line, label=f"α = {alpha:g}")
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, columnspacing=1.0
    )
    return figure


def caption() -> str:
    """Say what is drawn."""
    return (
        "Computed, not measured: mean variance of the reward difference of two responses of one "
        "cell, by inductive bias alone, when the space is split into M cells of equal size "
        "(binary hierarchy, I = 1). The power family is the only one in which more cells buy "
        "likeness at a steady rate; a small α stands for a diverse task."
    )


def tables() -> list[Table]:
    """Tabulate F at some M."""
    chosen = (0, 10, 20, 30)
    rows = [
        [Cell(family), Cell(f"{alpha:g}" if alpha else ""), *[Cell(f"{v[k]:.4g}") for k in chosen]]
        for (family, alpha), v in curves().items()
    ]
    columns = ("family", "α", *[f"F(2^{k})" for k in chosen])
    return [Table("Structural functions, exact", columns, rows)]
