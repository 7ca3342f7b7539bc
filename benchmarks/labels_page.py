"""The page of ``python -m benchmarks labels``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.acquisition import METHODS
from benchmarks.forecast_check import KINDS, check_forecasts
from benchmarks.label_pools import SOURCES, Pool
from benchmarks.label_runs import BUDGETS
from benchmarks.label_units import LEVEL, METRICS, Measured, Units, measured, teaches, units

OURS = "ours"
SIGNAL = 2.0  # standard errors above one half that random labels' accuracy must reach
FLOOR = 0.9

INTRODUCTION = """# Planned labels on real data

Real preference files with their labels hidden: a method chooses the pairs whose labels it sees,
reward models are fitted to these, and labels of other prompts say how good they are. Two
learners, both linear in the features of responses: a Bayesian logistic regression, its scale
fitted by evidence (what `ibn plan` uses), and scikit-learn's logistic regression with its penalty
chosen by cross-validation. Features are TF-IDF and MiniLM embeddings, their {dimensions} main
axes. Choosing begins after 0, 32 or 128 random labels; a method sees what was said after
32, 64, 128, 256, 512 and 1,024 labels. A quarter of the prompts is held out.

**Random needs × labels**: K chosen labels after s random ones are worth (n − s) / K, where n
random labels reach the same held-out score, by the learning curve of random labels over the same
splits, made monotone. 1 is no gain, 2 is half the labels saved. It is averaged over the features,
learners and s, and lies between 0 and 4. Intervals are {level:.0%} intervals by resampling splits,
simultaneous over all sets and methods of a table.
"""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        _row(*head),
        _row("---", *("---:" for _ in head[1:])),
        *(_row(*row) for row in rows),
        "",
    ]


def taught(found: dict[str, dict[str, Measured]], metric: str = "log loss") -> list[str]:
    """Name the sets on which random labels teach something, by a score."""
    names = []
    for pool, by_features in found.items():
        looks = [teaches(one) for one in by_features.values()]
        surely = any(accuracy - SIGNAL * error > 0.5 for accuracy, error, _ in looks)
        lower = any(loss < METRICS["log loss"] for _, _, loss in looks)
        if surely and (lower or metric != "log loss"):
            names.append(pool)
    return names


def page(pools: Sequence[Pool], records: Sequence[dict[str, Any]], command: str, seed: int) -> str:
    """Write the page in Markdown."""
    from benchmarks.pool_features import DIMENSIONS

    found = measured(records)
    lines = [INTRODUCTION.format(dimensions=DIMENSIONS, level=LEVEL)]
    lines += [f"Written by `{command}`.", ""]
    lines += _sets(pools, found)
    lines += _headline(found, seed)
    for metric in METRICS:
        lines += _details(found, taught(found, metric), metric, seed)
    lines += _forecasts(records, list(found), seed)
    lines += _methods()
    return "\n".join(lines).rstrip() + "\n"


def _sets(pools: Sequence[Pool], found: dict[str, dict[str, Measured]]) -> list[str]:
    sources = {source.name: source for source in SOURCES}
    rows, where = [], []
    for pool in pools:
        if pool.name not in found:
            continue
        source = sources.get(pool.name)
        cells = [pool.name, f"{len(pool.prompts):,}", f"{len(pool.pairs):,}"]
        for one in found[pool.name].values():
            accuracy, error, loss = teaches(one)
            cells.append(f"{accuracy:.3f} ± {error:.3f}, {loss:.3f} ({len(one.curves[0])})")
        cells.append("" if source is None else "chosen on" if source.chosen_on else "confirms")
        rows.append(cells)
        if source is not None:
            where.append(f"- {source.name}: {source.public}")
    features = list(next(iter(found.values()), {}))
    head = ["set", "prompts", "pairs", *(f"all labels, {name}" for name in features), "role"]
    lines = ["## Sets", "", *_table(head, rows)]
    lines.append(
        "All labels: pair accuracy ± its standard error over splits, and log loss, held out, of "
        "models fitted to all candidates (and how many splits). Where accuracy is not "
        f"{SIGNAL:g} standard errors above 1/2 under either features, random labels teach "
        "nothing, and no choice of labels can be told from another: such a set is in no table, "
        "and in none of log loss where that is not below log 2. The row `random` is random "
        "choice measured as if it were a method: "
        "how far it is from 1 is what chance does."
    )
    return [*lines, "", "Where the files are to be had, repository and path:", "", *where, ""]


def _roles(names: Sequence[str]) -> dict[str, list[str]]:
    on = {source.name for source in SOURCES if source.chosen_on}
    return {
        "sets it was chosen on": [name for name in names if name in on],
        "sets that confirm": [name for name in names if name not in on],
        "all sets": list(names),
    }


def means(found: Units, names: Sequence[str]) -> dict[str, tuple[float, NDArray[np.float64]]]:
    """Mean over sets of each method's units: the estimate, and resampled."""
    result = {}
    for method in dict.fromkeys(method for _, method in found.names):
        columns = [
            i for i, (pool, other) in enumerate(found.names) if other == method and pool in names
        ]
        if columns:
            result[method] = (
                float(found.estimate[columns].mean()),
                found.resampled[:, columns].mean(axis=1),
            )
    return result


def _headline(found: dict[str, dict[str, Measured]], seed: int) -> list[str]:
    lines = ["## Random needs × labels, mean over sets", ""]
    for metric in ("log loss", "accuracy"):
        useful = taught(found, metric)
        tables = {
            budget: units({name: found[name] for name in useful}, metric, budget, seed)
            for budget in BUDGETS
        }
        for role, names in _roles(useful).items():
            by_budget = {}
            for budget, table in tables.items():
                average = means(table, names)
                if average:
                    by_budget[budget] = _simultaneous(average)
            if not by_budget:
                continue
            counts = ", ".join(names)
            lines += [f"By {metric}, {role} ({counts}):", ""]
            methods = list(dict.fromkeys(m for row in by_budget.values() for m in row))
            rows = [
                [m, *(row.get(m, ("", np.nan))[0] for row in by_budget.values())]
                for m in sorted(
                    methods,
                    key=lambda m: -np.mean([row[m][1] for row in by_budget.values() if m in row]),
                )
            ]
            lines += _table(["method", *(f"K = {k:,}" for k in by_budget)], rows)
    return lines


def _simultaneous(
    average: dict[str, tuple[float, NDArray[np.float64]]],
) -> dict[str, tuple[str, float]]:
    table = Units(
        [("", method) for method in average],
        np.array([mean for mean, _ in average.values()]),
        np.column_stack([draws for _, draws in average.values()]),
    )
    low, high = table.interval()
    return {
        method: (f"{mean:.2f} [{a:.2f}, {b:.2f}]", mean)
        for (method, (mean, _)), a, b in zip(average.items(), low, high, strict=True)
    }


def _details(
    found: dict[str, dict[str, Measured]], useful: Sequence[str], metric: str, seed: int
) -> list[str]:
    lines = [f"## By set: {metric}", ""]
    won, lost = [], []
    for budget in BUDGETS:
        table = units({name: found[name] for name in useful}, metric, budget, seed)
        if not table.names:
            continue
        low, high = table.interval()
        cells = {
            name: f"{mean:.2f} [{a:.2f}, {b:.2f}]"
            for name, mean, a, b in zip(table.names, table.estimate, low, high, strict=True)
        }
        pools = list(dict.fromkeys(pool for pool, _ in table.names))
        methods = list(dict.fromkeys(method for _, method in table.names))
        lines += [f"K = {budget:,}", ""]
        rows = [[m, *(cells.get((pool, m), "") for pool in pools)] for m in methods]
        lines += _table(["method", *pools], rows)
        for (pool, method), a, b in zip(table.names, low, high, strict=True):
            if method != "random":
                won += [f"{method} on {pool} at {budget}"] if a > 1.0 else []
                lost += [f"{method} on {pool} at {budget}"] if b < 1.0 else []
    said = "; ".join(lost) or "nowhere, by simultaneous intervals"
    lines += [f"Random wins against: {said}.", ""]
    lines += [f"Random loses against: {'; '.join(won) or 'nothing'}.", ""]
    return lines


def _forecasts(records: Sequence[dict[str, Any]], names: Sequence[str], seed: int) -> list[str]:
    lines = ["## Forecast against realised", ""]
    lines.append(
        "Before its labels are seen, a plan of 64 or 256 comparisons after 0, 32 or 128 random "
        "labels says by how much it will beat as many random ones on new prompts "
        "(`ibn.design.forecast`). Slope: of realised on the model's own forecast, averages of "
        "sets, through the origin, 95 % interval by resampling sets. The forecast that `ibn plan` "
        "gives is that one shrunk by factors set once, on six splits of HH, half of AlpacaEval, "
        "GSM8K and translations; then what it said "
        "and what happened, on average; and the share of single plans whose 80 % interval held "
        "what happened."
    )
    lines.append("")
    rows, said = [], []
    for kind in KINDS:
        for role, some in _roles(names).items():
            found = check_forecasts(records, some, kind, seed)
            if found is not None:
                low, high = found.slope_interval
                rows.append(
                    [
                        f"{kind}, {role} ({found.sets})",
                        f"{found.slope:.2f} [{low:.2f}, {high:.2f}]",
                        f"{found.forecast:+.4f}",
                        f"{found.realised:+.4f}",
                        f"{found.covered:.0%}",
                    ]
                )
                if low <= 0.0:
                    said.append(f"{kind}, {role}")
    head = ["gain in", "slope", "forecast", "realised", "plans held"]
    nothing = [f"The forecast predicts nothing of: {'; '.join(said)}.", ""] if said else []
    return [*lines, *_table(head, rows), *nothing]


def _methods() -> list[str]:
    lines = ["## Methods", ""]
    for name, method in METHODS.items():
        said = (method.__doc__ or "").strip().partition("\n\n")[0]
        lines.append(f"- `{name}`: {' '.join(said.split())}")
    return [*lines, ""]
