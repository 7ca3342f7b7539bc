"""Reward models that were trained: what ``ibn validate`` put on record, gathered for figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from ibn.errors import InputError
from ibn.report.style import BLUE, GREEN, VERMILION
from ibn.simulations import recorded
from ibn.simulations.paper import TASKS

RECORDS = "validation-"
NEEDS = "simulations/recorded/validation-TASK.json, which ibn validate TASK --json prints"

LOOK: dict[str, dict[str, Any]] = {
    "hh": {"color": VERMILION, "marker": "o"},
    "gsm8k": {"color": BLUE, "marker": "s"},
    "dialogsum": {"color": GREEN, "marker": "^"},
}

Documents = dict[str, dict[str, Any]]
"""What ``ibn validate --json`` printed, by task."""


def documents() -> Documents:
    """Read what is on record, in the paper's order of tasks."""
    found = (recorded.load(path.stem) for path in recorded.files(RECORDS))
    each: Documents = {}
    for one in found:
        if each.setdefault(one["task"], one) is not one:
            raise InputError(f"two results of {one['task']} are on record", fix="keep one")
    return {task: each[task] for task in TASKS if task in each}


def anchor(task: str) -> str:
    """Where a report shows a task's record."""
    return f"record-validation-{task}"


def wins(document: dict[str, Any], decoder: str = "best-of-n") -> list[dict[str, Any]]:
    """Win rates under one decoder."""
    return [row for row in document["win_rates"] if row["decoder"] == decoder]


def models(document: dict[str, Any], *, whole: bool = True) -> list[dict[str, Any]]:
    """Reward models that have an error; by default those of the whole budget."""
    rows = [row for row in document["reward_models"] if row["error"] is not None]
    return [row for row in rows if not whole or row["share"] == 1.0]


def behind(tasks: Documents) -> str:
    """Say what model, profile and how many repetitions are behind the numbers."""
    each = {
        TASKS[task]: f"{one['model']}, profile {one['profile']}, {one['seeds']} seeds"
        for task, one in tasks.items()
    }
    if len(set(each.values())) == 1:
        return f"{', '.join(each)}: {next(iter(each.values()))} each."
    return "; ".join(f"{task}: {words}" for task, words in each.items()) + "."


def mean_of(values: list[float]) -> tuple[float, float]:
    """Mean over repetitions and its standard error, NaN where there is one."""
    column = np.array(values, dtype=float)
    error = float(column.std(ddof=1) / np.sqrt(len(column))) if len(column) > 1 else np.nan
    return float(column.mean()), error
