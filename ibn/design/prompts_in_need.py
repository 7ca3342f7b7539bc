"""Prompts for which new responses would help most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibn.learner.reward_model import RewardModel


def prompts_in_need(
    model: RewardModel, prompt_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Order prompts by how little is known of which of their responses is better.

    Parameters
    ----------
    model : RewardModel
        Fitted to the labels so far.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response, as a row of ``model.features``.

    Returns
    -------
    prompts : ndarray of int, shape (p,)
        Prompts with a response, the least known first.
    variance : ndarray of float, shape (p,)
        Mean posterior variance of the reward differences within each; infinite for prompts of
        one response, of which nothing can be compared.
    """
    size = np.bincount(prompt_of)
    means = np.zeros((len(size), model.features.shape[1]))
    np.add.at(means, prompt_of, model.features)
    means /= np.maximum(size, 1)[:, None]
    centred = model.features - means[prompt_of]
    own = np.einsum("ij,ij->i", centred @ model.covariance, centred)
    total = np.bincount(prompt_of, own, len(size))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(size > 1, 2.0 * total / (size - 1.0), np.inf)
    present = np.flatnonzero(size)
    order = present[np.argsort(-variance[present], kind="stable")]
    return order, variance[order]
