"""Predicted against measured reward-model error: which measure ranks trained models?"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import trained
from ibn.figures.report_tables import Cell, Table
from ibn.figures.trained import LOOK, behind, documents, mean_of, models
from ibn.report.style import COLUMN, TOPOLOGY
from ibn.simulations.language.predictors import Interval
from ibn.simulations.paper import TASKS
from ibn.simulations.validation.error_prediction import RULES, predictions, rule_correlations

TITLE = "Predicted against measured error of trained reward models"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS
MEASURES = {
    "distance": "inference distance",
    "variance": "posterior variance, graph",
    "kernel_variance": "posterior variance, kernel",
}


def _over_seeds(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Put together the models that differ in their seed alone."""
    alike: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault((row["topology"], row["budget"], row["share"]), []).append(row)
    return list(alike.values())


def draw() -> Figure:
    """Draw the means over seeds, a panel for each measure."""
    tasks = documents()
    figure = Figure(figsize=(COLUMN, 6.2), layout="constrained")
    panels = figure.subplots(len(MEASURES), sharey=True)
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
        axes.set_xlabel(name + (" (2 before labels)" if "variance" in name else ""))
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
    found = {(one.within, one.measure): one for one in predictions(list(tasks.values()))}

    def correlation(within: str, measure: str) -> Interval:
        if measure == "distance":  # the same beside either variance
            return found[within, "variance"].ranking.distance
        return found[within, measure].ranking.variance

    told = "; ".join(
        f"{name} {correlation('all', measure)} over all models and "
        f"{correlation('repetition', measure)} within a task and seed"
        for measure, name in MEASURES.items()
    )
    trivial = "; ".join(
        f"{RULES[rule]} {one}" for rule, one in rule_correlations(list(tasks.values())).items()
    )
    return (
        f"{found['all', 'variance'].points} reward models (topologies, budgets, seeds and "
        "shares of the budget); a point is the mean over seeds, with one standard error. Error is "
        "the mean squared error of reward differences on unseen prompts after the best scaling. "
        f"Spearman’s rank correlation with it, with 95 % bootstrap intervals: {told}; "
        f"of trivial rules within a task and seed: {trivial}. " + behind(tasks)
    )


_WITHIN = {
    "all": "rank correlation, all models",
    "repetition": "rank correlation within a task and seed",
    "topology": "chain against tree at equal budget: told rightly, beyond chance",
}


def tables() -> list[Table]:
    """Tabulate how well each measure predicts."""
    rows = [
        [
            Cell(f"{_WITHIN[one.within]}: {MEASURES[one.measure]}"),
            Cell(f"{one.points}"),
            *[Cell(str(value), "records") for value in one.ranking],
        ]
        for one in predictions(list(documents().values()))
    ]
    rules = [
        [
            Cell(f"{_WITHIN['repetition']}: {RULES[rule]}"),
            Cell(""),
            Cell(str(one), "records"),
            *(2 * [Cell("")]),
        ]
        for rule, one in rule_correlations(list(documents().values())).items()
    ]
    columns = (
        "",
        "points",
        "of the distance, or the rule",
        "of the variance",
        "the second less the first",
    )
    return [
        Table("Predicted against measured error, 95 % bootstrap intervals", columns, rules + rows)
    ]
