"""What the autoencoder loses, against the number of comparisons: measured and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ibn.figures.ledger_evidence import Claims, data
from ibn.figures.report_tables import Cell, Table, point
from ibn.report.style import BLACK, COLUMN, TOPOLOGY, decimal_ticks

TITLE = "The autoencoder converges: loss against the number of comparisons"
CLAIMS = ("M3", "M4")
NEEDS = "claim M3 decided"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""By topology: n, and mean and standard error of each measure."""

_PANELS = {"kl": "KL$(p_H \\| p_{LM})$, nats", "total_variation": "total variation"}


def gather(claims: Claims) -> Rows | None:
    """Find what was measured for M3."""
    found = data(claims, "M3", "chain and tree, measured")
    return None if found is None else {name: found[name] for name in ("chain", "tree")}


def column(rows: Sequence[Mapping[str, Any]], measure: str) -> NDArray[np.float64]:
    """n, mean and standard error of a measure, shape (3, k)."""
    return np.array([(row["n"], *row[measure]) for row in rows], dtype=float).T


def draw(found: Rows) -> Figure:
    """Draw divergence, with what posterior variance predicts of it, and total variation."""
    figure = Figure(figsize=(COLUMN, 4.2), layout="constrained")
    panels = figure.subplots(2, sharex=True)
    for axes, (measure, label) in zip(panels, _PANELS.items(), strict=True):
        for topology, rows in found.items():
            look = TOPOLOGY[topology]
            n, mean, stderr = column(rows, measure)
            axes.errorbar(n, mean, stderr, ls="none", label=f"{topology}, measured", **look)
            if measure == "kl":
                for name, line in (("second_order", ":"), ("predicted", "--")):
                    n, mean, _ = column(rows, name)
                    axes.plot(n, mean, ls=line, color=look["color"], lw=0.9)
        axes.set(xscale="log", yscale="log", ylabel=label)
        decimal_ticks(axes.yaxis)
    panels[0].plot([], [], color=BLACK, ls="--", lw=0.9, label="predicted from the posterior alone")
    panels[0].plot([], [], color=BLACK, ls=":", lw=0.9, label="second order of the error made")
    panels[1].set_xlabel("comparisons $n$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=1)
    return figure


def caption(found: Rows) -> str:
    """Say what is drawn and how near the prediction comes."""
    near = "; ".join(
        f"{topology} {column(rows, 'kl')[1][-1] / column(rows, 'predicted')[1][-1]:.2f}"
        for topology, rows in found.items()
    )
    n = max(rows[-1]["n"] for rows in found.values())
    return (
        "Rewards are drawn from the inductive bias of a small world, labelled, fitted and decoded; "
        "points are means over rewards with bars of one standard error. Posterior variance, which "
        "knows nothing of the human reward, predicts the loss to second order: loss over "
        f"prediction at n = {n:,} is {near}. At small n, where β² times the variance is large, "
        "the expansion does not apply."
    )


def tables(found: Rows) -> list[Table]:
    """Tabulate what is drawn."""
    measures = {
        "kl": "KL, nats",
        "predicted": "predicted",
        "second_order": "second order",
        "total_variation": "total variation",
    }
    rows = [
        [
            Cell(name),
            Cell(f"{row['n']:,}"),
            *[point(row[key][0], row[key][1], "M3") for key in measures],
        ]
        for name, points in found.items()
        for row in points
    ]
    return [Table("Measured for M3, ± one standard error", ("", "n", *measures.values()), rows)]
