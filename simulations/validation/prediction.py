"""What predicts the errors of reward models on a language model's features (E6)?

    python -m simulations.validation.prediction gsm8k/validation.json hh/validation.json …

reads what ``ibn validate`` wrote and ranks its reward models, of both topologies, all budgets and
all shares of them, by held-out error, by inference distance and by exact posterior variance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from simulations.predictors import BOOTSTRAPS, Interval, correlate, intervals, spearman

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Prediction:
    """How well the two measures tell which reward model errs less.

    Attributes
    ----------
    within : str
        ``all``: rank correlations over all models of all tasks and seeds; ``repetition``: over
        those of one task and seed, averaged, where budgets and topologies differ; ``topology``:
        how often, beyond chance, the topology with less of the measure has the smaller error at
        equal task, seed and budget (1 always, 0 as often as not, -1 never).
    points : int
        Reward models, or pairs of them.
    distance, variance, difference : Interval
        Of the two measures, and the second less the first; by bootstrap over tasks and seeds.
    """

    within: str
    points: int
    distance: Interval
    variance: Interval
    difference: Interval

    def __str__(self) -> str:
        """Write a line of a table."""
        return (
            f"{self.within:10} {self.points:4} points  distance {self.distance}  "
            f"variance {self.variance}  difference {self.difference}"
        )


def predictions(documents: Sequence[Document], seed: int = 0) -> list[Prediction]:
    """Correlate each measure with the held-out error.

    Parameters
    ----------
    documents : sequence of mapping
        Of ``ibn validate``, one a task.
    seed : int
        Of the bootstrap.
    """
    repetitions = _repetitions(documents)
    tables = [np.array([_row(model) for model in models]) for models in repetitions]
    contests = [_contests(models) for models in repetitions]
    resampled = np.random.default_rng(seed).integers(0, len(tables), (BOOTSTRAPS, len(tables)))
    names = {"all": "all", "setting": "repetition"}
    points = sum(map(len, tables))
    found = [
        Prediction(names[name], points, *three)
        for name, three in correlate(tables, resampled).items()
    ]
    together = np.array([np.concatenate([contests[k] for k in rows]).mean(0) for rows in resampled])
    whole = np.concatenate(contests)
    return [*found, Prediction("topology", len(whole), *intervals(whole.mean(axis=0), together))]


def by_repetition(documents: Sequence[Document]) -> NDArray[np.float64]:
    """Correlations within each task and seed: distance, variance, difference; shape (k, 3)."""
    return np.array(
        [
            spearman(np.array([_row(model) for model in models]))
            for models in _repetitions(documents)
        ]
    )


def _repetitions(documents: Sequence[Document]) -> list[list[Mapping[str, Any]]]:
    """Put together the models of each task and seed.

    Those whose gold never differed are out, and those that equal tokens left with as many
    comparisons: they are the models of equal comparisons again.
    """
    found = []
    for document in documents:
        for seed in sorted({model["seed"] for model in document["reward_models"]}):
            models: dict[tuple[str, int], Mapping[str, Any]] = {}
            for model in document["reward_models"]:
                if model["seed"] == seed and model["error"] is not None:
                    models.setdefault((model["topology"], model["comparisons"]), model)
            if len(models) > 1:
                found.append(list(models.values()))
    return found


def _row(model: Mapping[str, Any]) -> tuple[float, float, float]:
    return model["distance"], model["variance"], model["error"]


def _contests(models: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Whether each measure tells who of chain and tree errs less: +1 or -1, shape (pairs, 3)."""
    rows = {(model["topology"], model["budget"], model["share"]): _row(model) for model in models}
    found = []
    for (topology, *budget), row in rows.items():
        if topology == "tree" and (rival := rows.get(("chain", *budget))):
            distance, variance, error = np.sign(np.subtract(row, rival))
            found.append((distance * error, variance * error, (variance - distance) * error))
    return np.array(found).reshape(-1, 3)


def read(path: Path) -> Document:
    """Read what ``ibn validate`` wrote.

    Raises
    ------
    InputError
        If it is no such document.
    """
    try:
        document = json.loads(path.read_text())
        models = document["reward_models"]
        if not all(set(_FIELDS) <= set(model) for model in models) or not models:
            raise KeyError
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError("no results of ibn validate", file=path) from None
    return document


_FIELDS = ("topology", "budget", "share", "seed", "comparisons", "error", "distance", "variance")


@click.command()
@click.argument("files", nargs=-1, required=True, type=Path)
def main(files: tuple[Path, ...]) -> None:
    """Tell what predicts the errors of the reward models in FILES."""
    for found in predictions([read(path) for path in files]):
        print(found)


if __name__ == "__main__":
    main()
