"""How noisy a label is expected to be: its variance in the Gaussian update."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ibn.learner.reward_model import RewardModel


def label_variance(
    model: RewardModel, mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance σ² for which the Gaussian update expects what a label will tell.

    A binary label y of a Gaussian reward difference x ~ N(μ, s) is an event of probability
    P(μ) = E p(x). What is learnt about any reward difference u is linear in an event, so the
    expected reduction of Var u is exactly Cov(u, y)² / (P(1 - P)), and by Stein's lemma
    Cov(u, y) = Cov(u, x) P'(μ). The Gaussian update says Cov(u, x)² / (σ² + s): the two agree at

        σ² = P(1 - P) / P'² - s,

    which for little uncertainty is the inverse Fisher information 1 / (β² p(1 - p)). The average
    over x is taken as E σ(βx) ≈ σ(κβμ), κ = (1 + πβ²s/8)^(-1/2) (MacKay 1992),
    which errs in the reduction by less than a tenth where |βμ| <= 2.

    ``model``: says what labels are like; ``mean``, ``variance``: what is known of the reward
    differences: μ and s. Returns ``noise_variance`` for Gaussian labels.
    """
    if model.labels == "gaussian":
        return np.full(np.shape(mean), model.noise_variance)
    kappa = 1.0 / np.sqrt(1.0 + np.pi * model.beta**2 * variance / 8.0)
    logit = np.clip(kappa * model.beta * mean, -300.0, 300.0)  # beyond, the slope² is 0
    up, down = expit(logit), expit(-logit)
    certain = 1.0 - 2.0 * model.lapse
    slope = certain * model.beta * kappa * up * down
    chance = (model.lapse + certain * up) * (model.lapse + certain * down)
    return chance / slope**2 - variance  # at least 4/β² + (π/2 - 1) s, since p (1 - p) <= 1/4
