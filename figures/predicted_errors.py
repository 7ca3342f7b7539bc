"""Predicted against measured reward-model error: which measure ranks trained models?"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import trained
from ibn.figures.report_tables import Cell, Table
from ibn.figures.trained import behind, documents
from ibn.report.style import BLUE, COLUMN, GREY, ORANGE
from ibn.simulations.language.predictors import Interval
from ibn.simulations.validation.error_prediction import RULES, predictions, rule_correlations

TITLE = "Predicted against measured error of trained reward models"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS
MEASURES = {
    "distance": "inference distance",
    "variance": "posterior variance, graph",
    "kernel_variance": "posterior variance, kernel",
}
_SCOPES: dict[str, dict[str, Any]] = {
    "all": {"color": ORANGE, "fmt": "s", "ms": 4.0},
    "repetition": {"color": BLUE, "fmt": "o", "ms": 4.0},
}
_NAMED = {"all": "over all models", "repetition": "within a task and seed"}


def _found() -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Rank correlation with the error: of trivial rules, and of measures within each scope."""
    tasks = list(documents().values())
    each: dict[str, dict[str, Interval]] = {scope: {} for scope in _SCOPES}
    for one in predictions(tasks):
        if one.within in each:
            each[one.within]["distance"] = one.ranking.distance  # the same beside either variance
            each[one.within][one.measure] = one.ranking.variance
    return rule_correlations(tasks), each


def draw() -> Figure:
    """Draw how well each measure and each trivial rule ranks, as intervals one below another."""
    rules, measures = _found()
    names = [*MEASURES.values(), *(RULES[rule] for rule in rules)]
    figure = Figure(figsize=(COLUMN, 0.24 * len(names) + 1.1), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(names))[::-1].astype(float)
    for k, (scope, look) in enumerate(_SCOPES.items()):
        found = [measures[scope].get(measure) for measure in MEASURES]
        found += [*rules.values()] if scope == "repetition" else []
        for at, one in zip(place, found, strict=False):
            if one is not None:
                reach = [[one.value - one.low], [one.high - one.value]]
                height = at + 0.12 - 0.24 * k if at >= len(rules) else at
                axes.errorbar(one.value, height, xerr=np.nan_to_num(reach), **look)
    axes.axvline(0.0, color=GREY, lw=0.8, zorder=1)
    axes.axhline(len(rules) - 0.5, color=GREY, lw=0.6, ls=":")
    axes.set_yticks(place, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")
    figure.supxlabel("rank correlation with the error held out", fontsize=8)
    handles: list[Any] = [axes.errorbar([], [], **look) for look in _SCOPES.values()]
    figure.legend(handles, list(_NAMED.values()), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    tasks = documents()
    points = max(one.points for one in predictions(list(tasks.values())))
    return (
        f"Spearman's rank correlation of what says beforehand how much a reward model errs with "
        f"the error found, over {points} models; 95 % bootstrap intervals. Right of 0 it ranks "
        "rightly. Above the line measures of uncertainty, below it rules that need none. "
        + behind(tasks)
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
