"""Predicted against measured reward-model error: which measure ranks trained models?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import rankdata

from figures import trained
from figures.style import COLUMN, TOPOLOGY
from figures.tables import Cell, Table
from figures.trained import LOOK, anchor, documents, mean_of, models, seeds
from simulations.paper import TASKS

TITLE = "Predicted against measured error of trained reward models"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS
MEASURES = {"distance": "mean inference distance", "variance": "mean posterior variance"}
BOOTSTRAPS = 500


class Correlation(NamedTuple):
    """Spearman's rank correlation of a prediction with the error, with a 95 % interval."""

    value: float
    low: float
    high: float


def correlation(rows: list[dict[str, Any]], measure: str) -> Correlation:
    """Correlate over a task's models; the interval by bootstrap over seeds and, within, models."""
    rng = np.random.default_rng(0)
    groups = [
        np.array([(row[measure], row["error"]) for row in rows if row["seed"] == seed])
        for seed in sorted({row["seed"] for row in rows})
    ]
    draws = []
    for _ in range(BOOTSTRAPS):
        chosen = [groups[k] for k in rng.integers(0, len(groups), len(groups))]
        draws.append(_rank(np.concatenate([g[rng.integers(0, len(g), len(g))] for g in chosen])))
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Correlation(_rank(np.concatenate(groups)), float(low), float(high))


def _rank(points: NDArray[np.float64]) -> float:
    """Spearman's coefficient; NaN where a resample's points are all equal."""
    ranks = rankdata(points, axis=0)
    ranks -= ranks.mean(axis=0)
    (xx, xy), (_, yy) = ranks.T @ ranks
    return float(xy / np.sqrt(xx * yy)) if xx * yy > 0 else float("nan")


def _over_seeds(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Put together the models that differ in their seed alone."""
    alike: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault((row["topology"], row["budget"], row.get("share")), []).append(row)
    return list(alike.values())


def draw() -> Figure:
    """Draw the means over seeds, a panel for each measure."""
    tasks = documents()
    figure = Figure(figsize=(COLUMN, 4.6), layout="constrained")
    panels = figure.subplots(2, sharey=True)
    for axes, (measure, name) in zip(panels, MEASURES.items(), strict=True):
        for task, document in tasks.items():
            for topology in ("chain", "tree"):
                rows = [r for r in models(document, whole=False) if r["topology"] == topology]
                points = [
                    [mean_of([r[key] for r in alike]) for key in (measure, "error")]
                    for alike in _over_seeds(rows)
                ]
                (x, x_error), (y, y_error) = np.moveaxis(np.array(points), 0, 2)
                look = {"marker": TOPOLOGY[topology]["marker"], "color": LOOK[task]["color"]}
                axes.errorbar(x, y, y_error, x_error, ls="none", ms=3.6, lw=0.7, **look)
        axes.set_xlabel(f"{name}, predicted (prior: 2)")
        axes.set_ylabel("error, held out\n(share of the gold’s variance)")
    for task in tasks:
        panels[0].plot([], [], color=LOOK[task]["color"], lw=2.0, label=TASKS[task])
    for topology in ("chain", "tree"):
        marker = TOPOLOGY[topology]["marker"]
        panels[0].plot([], [], color="black", ls="none", marker=marker, ms=3.6, label=topology)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def caption() -> str:
    """Say what is drawn and how well each measure ranks."""
    tasks = documents()
    told = []
    for measure, name in MEASURES.items():
        each = {task: correlation(models(one, whole=False), measure) for task, one in tasks.items()}
        words = ", ".join(
            f"{TASKS[task]} {one.value:+.2f} ({one.low:+.2f} to {one.high:+.2f})"
            for task, one in each.items()
        )
        told.append(f"{name}: {words}")
    counts = sum(len(models(one, whole=False)) for one in tasks.values())
    return (
        f"{counts} reward models (topologies, budgets, seeds and shares of the budget); a "
        "point is the mean over seeds, with one standard error. Error is "
        "the mean squared error of reward differences on unseen prompts after the best scaling. "
        f"Spearman’s rank correlation with it, with a 95 % interval — {'; '.join(told)}. "
        + "; ".join(f"{TASKS[task]}: {seeds(one)}" for task, one in tasks.items())
        + "."
    )


def tables() -> list[Table]:
    """Tabulate the rank correlations."""
    rows = []
    for task, one in documents().items():
        found = models(one, whole=False)
        for measure, name in MEASURES.items():
            value, low, high = correlation(found, measure)
            text = f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
            rows.append(
                [Cell(TASKS[task]), Cell(name), Cell(f"{len(found)}"), Cell(text, anchor(task))]
            )
    columns = ("task", "prediction", "models", "rank correlation (95 %)")
    return [Table("Predicted against measured error", columns, rows)]
