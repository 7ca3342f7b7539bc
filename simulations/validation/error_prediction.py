"""What predicts the errors of reward models on a language model's features (E6)?

    python -m ibn.simulations.validation.error_prediction gsm8k/validation.json hh/validation.json …

reads what ``ibn validate`` wrote and ranks its reward models, of both topologies, all budgets and
all shares of them, by held-out error, by inference distance and by exact posterior variance, which
is taken twice: of the neighbour graph that the distance is taken on, and of the features' kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ibn.errors import InputError
from ibn.simulations.language.predictors import (
    BOOTSTRAPS,
    Interval,
    Ranking,
    correlate,
    intervals,
    spearman,
)
from ibn.strict_json import loads

Document = Mapping[str, Any]
Models = list[Mapping[str, Any]]
VARIANCES = ("variance", "kernel_variance")
RULES = {"chain": "always the chain", "comparisons": "more comparisons"}
"""Trivial rules to stand beside the measures. The runs on record keep no more of their data: how
many responses were distinct, and how long their differences were, cannot be told from them."""
FEWEST = 5  # tasks and seeds that a bootstrap over them needs


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
    measure : str
        Which variance: ``variance``, of the graph, or ``kernel_variance``.
    ranking : Ranking
        By bootstrap over tasks and seeds; the ends are NaN where there are fewer than 5 of these.
    """

    within: str
    measure: str
    points: int
    ranking: Ranking

    def __str__(self) -> str:
        """Write a line of a table."""
        return f"{self.within:10} {self.measure:15} {self.points:4} points  {self.ranking}"


def predictions(documents: Sequence[Document], seed: int = 0) -> list[Prediction]:
    """Correlate each measure with the held-out error.

    Parameters
    ----------
    documents : sequence of mapping
        Of ``ibn validate``, one a task.
    seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        If a task and seed is there twice, or nothing can be compared.
    """
    repetitions = _repetitions(documents)
    count = len(repetitions)
    resampled = np.random.default_rng(seed).integers(0, count, (BOOTSTRAPS, count))
    names = {"all": "all", "setting": "repetition"}
    found = []
    for measure in VARIANCES:
        tables = [_table(_once(models), measure) for models in repetitions]
        ranked = sum(map(len, tables))
        for name, ranking in correlate(tables, resampled).items():
            found.append(Prediction(names[name], measure, ranked, _shown(ranking, count)))
        contests = [_contests(models, measure) for models in repetitions]
        whole = np.concatenate(contests)
        if len(whole):
            draws = [np.concatenate([contests[k] for k in rows]) for rows in resampled]
            means = np.array([one.mean(0) for one in draws if len(one)])
            ranking = _shown(intervals(whole.mean(axis=0), means), count)
            found.append(Prediction("topology", measure, len(whole), ranking))
    return found


def rule_correlations(documents: Sequence[Document], seed: int = 0) -> dict[str, Interval]:
    """Rank correlation of each trivial rule with the error within a task and seed, averaged.

    Parameters
    ----------
    documents, seed
        As for :func:`predictions`.

    Returns
    -------
    dict
        By the names of ``RULES``; without ends where too few tasks and seeds were run.
    """
    alone = np.array([_rule_spearman(_once(models)) for models in _repetitions(documents)])
    count = len(alone)
    resampled = np.random.default_rng(seed).integers(0, count, (BOOTSTRAPS, count))
    low, high = np.quantile(alone[resampled].mean(axis=1), [0.025, 0.975], axis=0)
    if count < FEWEST:
        low, high = np.full((2, len(RULES)), np.nan)
    ends = zip(alone.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True)
    return {rule: Interval(*one) for rule, one in zip(RULES, ends, strict=True)}


def _rule_spearman(models: Models) -> NDArray[np.float64]:
    """Rank correlation of each rule's score, less being better, with the error."""
    scored = [(one["topology"] != "chain", -one["comparisons"], one["error"]) for one in models]
    return np.asarray(np.corrcoef(rankdata(np.array(scored, float), axis=0).T)[:-1, -1])


def by_repetition(documents: Sequence[Document], measure: str) -> NDArray[np.float64]:
    """Correlations within each task and seed: distance, variance, difference; shape (k, 3)."""
    return np.array([spearman(_table(_once(m), measure)) for m in _repetitions(documents)])


def points(documents: Sequence[Document]) -> int:
    """Count the reward models that are ranked."""
    return sum(len(_once(models)) for models in _repetitions(documents))


def _repetitions(documents: Sequence[Document]) -> list[Models]:
    """Put together the models of each task and seed, without those whose gold never differed."""
    found: dict[tuple[str, int], Models] = {}
    for document in documents:
        mine: dict[tuple[str, int], Models] = {}
        for model in document["reward_models"]:
            mine.setdefault((document["task"], model["seed"]), []).append(model)
        for key in mine:
            if key in found:
                raise InputError(f"seed {key[1]} of {key[0]} is there twice", fix="give it once")
        found |= mine
    in_order = (found[key] for key in sorted(found))  # whatever the order of the documents
    told = [[one for one in models if one["error"] is not None] for models in in_order]
    enough = [models for models in told if len(_once(models)) > 2]
    if not enough:
        raise InputError("no task and seed has three reward models with an error to compare")
    return enough


def _once(models: Models) -> Models:
    """Leave out models that equal tokens left with as many comparisons: they are there already."""
    each: dict[tuple[str, int], Mapping[str, Any]] = {}
    for model in models:
        each.setdefault((model["topology"], model["comparisons"]), model)
    return list(each.values())


def _table(models: Models, measure: str) -> NDArray[np.float64]:
    return np.array([(one["distance"], one[measure], one["error"]) for one in models])


def _contests(models: Models, measure: str) -> NDArray[np.float64]:
    """Whether each measure tells who of chain and tree errs less: +1 or -1, shape (pairs, 3)."""
    rows = {
        (one["topology"], one["budget"], one["share"]): (one["comparisons"], row)
        for one, row in zip(models, _table(models, measure), strict=True)
    }
    found = {}  # by comparisons of either: equal tokens may have left the same two models
    for (topology, *budget), (count, row) in rows.items():
        rival = rows.get(("chain", *budget))
        if topology == "tree" and rival is not None:
            distance, variance, error = np.sign(row - rival[1])
            found[count, rival[0]] = (distance * error, variance * error)
    told = np.array(list(found.values())).reshape(-1, 2)
    return np.column_stack([told, told[:, 1] - told[:, 0]])


def _shown(ranking: Ranking, groups: int) -> Ranking:
    """Take away the ends of intervals that so few groups make too narrow by far."""
    if groups >= FEWEST:
        return ranking
    return Ranking(*(Interval(one.value, float("nan"), float("nan")) for one in ranking))


def read(path: Path) -> Document:
    """Read what ``ibn validate`` wrote.

    Raises
    ------
    InputError
        If it is no such document.
    """
    try:
        document = loads(path.read_text())
        models, _ = document["reward_models"], document["task"]
        if not all(set(_FIELDS) <= set(model) for model in models) or not models:
            raise KeyError
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError("no results of ibn validate", file=path) from None
    return document


_FIELDS = ("topology", "budget", "share", "seed", "comparisons", "error", "distance", *VARIANCES)


@click.command()
@click.argument("files", nargs=-1, required=True, type=Path)
def main(files: tuple[Path, ...]) -> None:
    """Tell what predicts the errors of the reward models in FILES."""
    documents = [read(path) for path in files]
    for rule, correlation in rule_correlations(documents).items():
        print(f"{'repetition':10} {RULES[rule]:15} {correlation}")
    for found in predictions(documents):
        print(found)


if __name__ == "__main__":
    main()
