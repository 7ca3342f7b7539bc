"""Reward models of a pool's labels, and the ways to choose their penalty.

One family of fits, r = Φ w + own part, over a grid of prior variances of the weights. The choice
among them is the learner: by evidence, by cross-validation over prompts, or by an oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from ibn.learner.weights import PairLabels, Settings, WeightPosterior, infer
from ibn.preferences.comparisons import Comparisons

SCALES = 4.0 ** np.arange(-5, 5)
"""Prior variances of a weight; features differ by 1 in the mean square."""
OWN = (1.0, 4.0)
"""Prior variances of a response's own part that are tried beside 0, in squared log-odds."""
FOLDS = 4
MANY = 5000  # labels beyond which every second prior variance will do: little depends on it there

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Path:
    """Fits over the grid of prior variances, one own variance."""

    weights: Floats  # shape (scales, d)
    evidence: Floats  # shape (scales,)
    held_out: Floats  # shape (scales,): log-likelihood a label, of prompts left out of the fit


def scales_of(comparisons: Comparisons, own: float) -> Floats:
    """List the prior variances that are tried: every second one where a fit takes longer."""
    return np.asarray(SCALES[::2] if own or len(comparisons) > MANY else SCALES, float)


def fit_path(
    features: Floats,
    comparisons: Comparisons,
    own: float = 0.0,
    prompt_of: NDArray[np.int64] | None = None,
) -> Path:
    """Fit every prior variance, from the smallest on, each begun at the last one's mode.

    ``prompt_of``: of the rows of Φ; with it, folds of prompts are left out in turn (comparisons of
    two prompts go by their first).
    """
    read = PairLabels.of(features, comparisons, "binary")
    scales = scales_of(comparisons, own)
    modes: list[WeightPosterior] = []
    for scale in scales:
        start = modes[-1] if modes else None
        modes.append(infer(read, Settings(float(scale), own_variance=own), start))
    held = np.full(len(scales), np.nan)
    if prompt_of is not None:
        held = _cross_validated(features, comparisons, own, prompt_of, modes)
    weights = np.array([mode.mean for mode in modes])
    return Path(weights, np.array([mode.log_evidence for mode in modes]), held)


def _cross_validated(
    features: Floats,
    comparisons: Comparisons,
    own: float,
    prompt_of: NDArray[np.int64],
    modes: Sequence[WeightPosterior],
) -> Floats:
    """Log-likelihood a label of prompts left out, each fit begun at the mode of all prompts."""
    scales = scales_of(comparisons, own)
    used, place = np.unique(prompt_of[comparisons.a], return_inverse=True)
    fold = place % min(FOLDS, max(2, len(used)))
    if len(used) < 2:
        return np.zeros(len(scales))
    assert comparisons.winner is not None
    difference = features[comparisons.a] - features[comparisons.b]
    total = np.zeros(len(scales))
    for k in np.unique(fold):
        out, last = fold == k, None
        read = PairLabels.of(features, comparisons.select(~out), "binary")
        for i, scale in enumerate(scales):
            start = last if own else modes[i]
            last = infer(read, Settings(float(scale), own_variance=own), start)
            total[i] += log_expit(comparisons.winner[out] * (difference[out] @ last.mean)).sum()
    return total / len(comparisons)


Truth = Callable[[Floats], float]
"""The loss of the rewards of unseen responses."""


def choices(
    features: Floats,
    comparisons: Comparisons,
    prompt_of: NDArray[np.int64],
    unseen: Floats,
    truth: Truth,
    learners: tuple[str, ...],
) -> dict[str, Floats]:
    """Fit and choose, by each way; gives the rewards of unseen responses by learner.

    ``unseen``: Φ of these; ``learners``: of ``LEARNERS``; ``truth``: the oracle's; it is looked
    at by no other.
    """
    plain = {"evidence", "cv", "oracle"} & set(learners)
    found: dict[str, Floats] = {}
    paths = []
    if plain or "own" in learners:
        grouped = prompt_of if "cv" in learners else None
        paths.append(fit_path(features, comparisons, 0.0, grouped))
        rewards = paths[0].weights @ unseen.T
        found["evidence"] = rewards[np.argmax(paths[0].evidence)]
        found["cv"] = rewards[np.argmax(paths[0].held_out)]
        if "oracle" in learners:
            found["oracle"] = rewards[np.argmin([truth(one) for one in rewards])]
    if {"own", "own-cv"} & set(learners):
        grouped = prompt_of if "own-cv" in learners else None
        paths += [fit_path(features, comparisons, own, grouped) for own in OWN]
        for name, by in (("own", "evidence"), ("own-cv", "held_out")):
            best = max(paths, key=lambda path: np.nanmax(getattr(path, by), initial=-np.inf))
            found[name] = unseen @ best.weights[np.argmax(getattr(best, by))]
    return {name: found[name] for name in learners}


LEARNERS = ("evidence", "cv", "oracle", "own", "own-cv")


def ceiling(
    features: Floats, score: Floats, prompt_of: NDArray[np.int64], training: NDArray[np.bool_]
) -> Floats:
    """Fit the same linear model to the true scores of all training responses.

    Ridge regression within prompts, its penalty by cross-validation over prompts; rewards of all
    rows of Φ.

    ``training``: mask of the responses that may be looked at. Φ and scores are centred by prompt.
    """
    x, y, fold = features[training], score[training], prompt_of[training] % FOLDS
    grid = 10.0 ** np.arange(-2.0, 5.0) * np.mean(np.sum(x**2, axis=1))
    d, errors = x.shape[1], np.zeros(7)
    for k in range(FOLDS):
        gram, moment = x[fold != k].T @ x[fold != k], x[fold != k].T @ y[fold != k]
        for i, ridge in enumerate(grid):
            w = np.linalg.solve(gram + ridge * np.eye(d), moment)
            errors[i] += np.sum((y[fold == k] - x[fold == k] @ w) ** 2)
    best = grid[np.argmin(errors)]
    return features @ np.linalg.solve(x.T @ x + best * np.eye(d), x.T @ y)
