"""Topologies ranked against the lower bound that none can beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.bias.ultrametric import Ultrametric
from ibn.figures.measurements import Curve, Rows, World, curve, first
from ibn.figures.report_tables import Cell, Table, point
from ibn.report.style import COLUMN, GREY, INFERENCE, decimal_ticks

TITLE = "Topologies ranked against what none can beat"
CLAIMS = ("E4", "E5")
NEEDS = "two or more topologies at one n"


@dataclass(frozen=True, eq=False)
class Ranking:
    """What topologies leave at one n, in units of F(2n)."""

    world: World
    n: int  # comparisons of each
    unit: float  # F(2n), exactly
    constant: float  # c, so that no dataset leaves less than c F(2n)
    # by topology, from the least uncertain by the exact posterior to the most, and by inference:
    # mean, standard error and row
    measured: dict[str, dict[str, tuple[float, float, str]]]


def gather(rows: Rows) -> Ranking | None:
    """Rank at the largest n at which the most topologies were measured, in the first world."""
    world, part = first(rows)
    sizes, kinds = np.unique(part["n"]), {}
    for n in sizes.tolist():
        kinds[n] = np.unique(part["topology"][part["n"] == n]).tolist()
    n = max(kinds, key=lambda n: (len(kinds[n]), n))
    if len(kinds[n]) < 2:
        return None
    true = Ultrametric(world.family, world.alpha or 1.0, world.scale, world.branching)
    unit = float(true.structural_function(2 * n))
    measured: dict[str, dict[str, tuple[float, float, str]]] = {}
    for topology in kinds[n]:
        for inference in INFERENCE:
            at = _at(curve(part, topology, inference), n)
            if at:
                measured.setdefault(topology, {})[inference] = (at[0] / unit, at[1] / unit, at[2])
    order = sorted(measured, key=lambda kind: min(one[0] for one in measured[kind].values()))
    constant = 2.0 ** -(world.alpha or 1.0) / 8.0
    return Ranking(world, n, unit, constant, {kind: measured[kind] for kind in order})


def _at(measured: Curve, n: int) -> tuple[float, float, str] | None:
    at = np.flatnonzero(measured.n == n)
    return (
        (float(measured.mean[at[0]]), float(measured.stderr[at[0]]), measured.tasks[at[0]][0])
        if len(at)
        else None
    )


def draw(found: Ranking) -> Figure:
    """Draw a row a topology, with a point for each kind of inference."""
    kinds = list(found.measured)
    figure = Figure(figsize=(COLUMN, 0.2 * len(kinds) + 1.3), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(kinds))[::-1]
    for inference, look in INFERENCE.items():
        at = [i for i, kind in enumerate(kinds) if inference in found.measured[kind]]
        points = np.array([found.measured[kinds[i]][inference][:2] for i in at]).reshape(-1, 2)
        style: dict[str, Any] = {**look, "ls": "none", "label": f"{inference} inference"}
        axes.errorbar(points[:, 0], y[at], xerr=points[:, 1], **style)
    axes.axvline(1.0, color=GREY, lw=0.8, label="$F(2n)$")
    axes.axvspan(1e-3, found.constant, color="#e4e4e4", lw=0, label="no dataset: below $c\\,F(2n)$")
    top = max(one[0] for kind in found.measured.values() for one in kind.values())
    axes.set(xscale="log", xlim=(found.constant / 1.5, 1.4 * top), ylim=(-0.7, len(kinds) - 0.3))
    axes.set_yticks(y, kinds)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("mean uncertainty over $F(2n)$")
    axes.set_title(f"$n$ = {found.n:,} comparisons each")
    decimal_ticks(axes.xaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption(found: Ranking) -> str:
    """Say what is drawn, and which topologies come nearest."""
    best = {
        inference: min(
            (kind for kind in found.measured if inference in found.measured[kind]),
            key=lambda kind: found.measured[kind][inference][0],
            default=None,
        )
        for inference in INFERENCE
    }
    nearest = " and ".join(
        f"under {inference} inference the {kind} ({found.measured[kind][inference][0]:.3g} F(2n))"
        for inference, kind in best.items()
        if kind
    )
    return (
        f"{len(found.measured)} topologies, n = {found.n:,} comparisons each, "
        f"{found.world.family} family"
        + (f", α = {found.world.alpha:g}" if found.world.alpha else "")
        + f", β = {found.world.beta:g}; bars are one standard error. n comparisons touch at most "
        f"2n responses, so none leaves less than c F(2n), c = {found.constant:.3g}, F(2n) = "
        f"{found.unit:.4g}. Nearest come {nearest}."
    )


def tables(found: Ranking) -> list[Table]:
    """Tabulate the ranking."""
    rows = [
        [
            Cell(kind),
            *[point(*by[name]) if name in by else Cell("") for name in INFERENCE],
        ]
        for kind, by in found.measured.items()
    ]
    title = f"Mean uncertainty at n = {found.n:,}, over F(2n), ± one standard error"
    return [Table(title, ("topology", *INFERENCE), rows)]
