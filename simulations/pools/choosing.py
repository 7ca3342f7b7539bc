"""Outcomes on prompts never trained on: accuracy, loss, error, and what best of N chooses.

Everything is exact over the draws: a choice among N of a prompt's K responses, drawn without
replacement, depends on the ranks alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb, expit, log_expit

DRAWS = (2, 4, 8, 16, 32)
Floats = NDArray[np.float64]

PLAIN = ("accuracy", "log_loss", "error")
MEASURES = (
    *PLAIN,
    *(f"{kind}@{n}" for kind in ("regret", "against_base", "against_chain", "same") for n in DRAWS),
)
"""Of a prompt: share of its pairs ranked rightly; log loss of its labels; mean squared error of
its reward differences, in log-odds; then for the best of N draws the score lost to the best there
is, the share of wins over a random response, over the chain's choice among draws of its own, and
over the chain's choice among the same draws. Ties are half a win."""


def outcomes(
    models: Sequence[Floats], score: Floats, beta: float, baseline: Sequence[Floats]
) -> Floats:
    """Hold models against the scores of prompts with equally many responses.

    Parameters
    ----------
    models : sequence of ndarray, each of shape (prompts, K)
        Rewards, in log-odds of a label.
    score : ndarray, shape (prompts, K)
        The truth.
    beta : float
        Log-odds of a label for one unit of score.
    baseline : sequence of ndarray
        The chain's model to hold each against.

    Returns
    -------
    ndarray, shape (models, measures, prompts)
        In the order of ``MEASURES``; NaN where a prompt has no such pair, or fewer draws.
    """
    count, k = score.shape
    first, second = np.triu_indices(k, 1)
    gap = score[:, first] - score[:, second]
    decided = gap != 0
    number = np.where(decided.any(axis=1), decided.sum(axis=1), np.nan)
    probability = expit(beta * gap)
    wins = (np.sign(score[:, :, None] - score[:, None, :]) + 1.0) / 2.0
    best = {n: _expected(_ranks(score), score, n) for n in DRAWS if n <= k}
    found = np.full((len(models), len(MEASURES), count), np.nan)
    row = {name: i for i, name in enumerate(MEASURES)}
    for m, (model, rival) in enumerate(zip(models, baseline, strict=True)):
        said = model[:, first] - model[:, second]
        right = (np.sign(said * gap) + 1.0) / 2.0
        found[m, 0] = np.where(decided, right, 0.0).sum(axis=1) / number
        likely = probability * log_expit(said) + (1.0 - probability) * log_expit(-said)
        found[m, 1] = -likely.mean(axis=1)
        found[m, 2] = ((said - beta * gap) ** 2).mean(axis=1)
        ours, theirs = _ranks(model), _ranks(rival)
        both = _beaten(ours, theirs)
        for n in best:
            chance, other = _chances(k, n)[ours], _chances(k, n)[theirs]
            found[m, row[f"regret@{n}"]] = best[n] - (chance * score).sum(axis=1)
            over = np.einsum("pi,pij->pj", chance, wins)
            found[m, row[f"against_base@{n}"]] = over.mean(axis=1)
            found[m, row[f"against_chain@{n}"]] = (over * other).sum(axis=1)
            found[m, row[f"same@{n}"]] = (_joint(ours, theirs, both, n) * wins).sum(axis=(1, 2))
    return found


def _ranks(values: Floats) -> NDArray[np.int64]:
    """How many of a prompt's responses are below each; of equal ones the earlier is below."""
    order = np.argsort(values, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(values.shape[1])[None, :], axis=1)
    return ranks


@cache
def _chances(k: int, n: int) -> Floats:
    """P(the response of each rank is the best of n draws of k)."""
    return comb(np.arange(k), n - 1) / comb(k, n)


def _expected(ranks: NDArray[np.int64], score: Floats, n: int) -> Floats:
    return (_chances(score.shape[1], n)[ranks] * score).sum(axis=1)


def _beaten(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many responses are below i to one model and below j to the other, (prompts, K, K)."""
    below = (ours[:, None, :] < ours[:, :, None]).astype(np.float32)
    beneath = (theirs[:, None, :] < theirs[:, :, None]).astype(np.float32)
    return np.rint(below @ beneath.transpose(0, 2, 1)).astype(np.int64)


def _joint(
    ours: NDArray[np.int64], theirs: NDArray[np.int64], both: NDArray[np.int64], n: int
) -> Floats:
    """P(one model chooses i and the other j, of the same n draws), (prompts, K, K)."""
    k = ours.shape[1]
    # j must be below i to the first model, and i below j to the second.
    allowed = (ours[:, None, :] < ours[:, :, None]) & (theirs[:, :, None] < theirs[:, None, :])
    apart = np.where(allowed, comb(np.arange(k), n - 2)[both], 0.0)
    same = np.arange(k)
    apart[:, same, same] = comb(np.arange(k), n - 1)[both[:, same, same]]
    return apart / comb(k, n)
