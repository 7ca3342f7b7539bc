"""The scale of rewards by cross-validation over groups of comparisons, such as prompts.

The evidence takes labels for independent given the features. Labels that share a response share
what no feature explains of it, and where few responses have many labels the scale by evidence is
far too large. Prompts held out tell: on pools of real responses this choice lost least beside
an oracle (``docs/responses.md``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibn.learner.log_loss import log_losses
from ibn.learner.reward_model import RewardModel, posterior
from ibn.preferences.comparisons import Comparisons

FOLDS = 5
FACTORS = 2.0 ** np.arange(2, -9, -1)  # of the scale by evidence, the largest first
SHARED = 0.1  # of the comparisons that share a response, from which the evidence is not trusted
LEAST = 20  # comparisons that can be held out in parts


def shares_responses(comparisons: Comparisons) -> bool:
    """Whether so many comparisons share a response that the scale by evidence is not trusted."""
    uses = comparisons.uses
    shared = (uses[comparisons.a] > 1) | (uses[comparisons.b] > 1)
    return len(comparisons) >= LEAST and float(shared.mean()) >= SHARED


def cross_validated(
    model: RewardModel, comparisons: Comparisons, group: NDArray[np.int64], *, seed: int = 0
) -> RewardModel:
    """Return the model at the scale that predicts labels of held-out groups best.

    Parameters
    ----------
    model : RewardModel
        Fitted to binary labels, without own parts.
    comparisons : Comparisons
        That it is fitted to.
    group : ndarray of int, shape (n,)
        What is held out together, such as the prompt of each comparison. With fewer than two
        groups the model stays as it is.
    seed : int
        Of the folds.
    """
    names, at = np.unique(group, return_inverse=True)
    folds = min(FOLDS, len(names))
    if folds < 2:
        return model
    part = (np.random.default_rng(seed).permutation(len(names)) % folds)[at]

    def at_scale(scale: float, some: Comparisons) -> RewardModel:
        return posterior(model.features, some, scale=scale, beta=model.beta, lapse=model.lapse)

    def loss(scale: float) -> float:
        total = 0.0
        for number in range(folds):
            held = part == number
            judged = comparisons.select(held)
            chance = at_scale(scale, comparisons.select(~held)).probability(judged.a, judged.b)
            total += float(log_losses(chance, judged.preferred).sum())
        return total

    losses = [loss(float(factor) * model.scale) for factor in FACTORS]
    scale = float(FACTORS[int(np.argmin(losses))]) * model.scale
    found = at_scale(scale, comparisons)
    return replace(found, feature_map=model.feature_map, hyperparameters=model.hyperparameters)
