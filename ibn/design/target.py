"""What a design is to make small: the mean variance of the reward differences of target pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError

SHORTEST = 1e-12  # length of a difference


def second_moment(
    features: NDArray[np.float64], group_of: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Mean of (φ - φ')(φ - φ')ᵀ over pairs of responses, C.

    With Σ the covariance of the weights, tr(Σ C) is the mean variance of the pairs' reward
    differences. No pair is listed: the cost is O(m d²).

    Rows of ``features``, shape (m, d), are responses; ``group_of``, shape (m,), is the prompt of
    each, counted from 0: only pairs within a prompt then count. Returns shape (d, d). Raises
    InputError if there is no pair.
    """
    m = len(features)
    group = np.zeros(m, np.int64) if group_of is None else np.asarray(group_of)
    size = np.bincount(group).astype(float)
    pairs = float(size @ (size - 1.0)) / 2.0
    if not pairs:
        raise InputError("there are no two responses whose rewards could be compared")
    # Σ_{i<j} (φi - φj)(φi - φj)ᵀ = size Σ φφᵀ about the group's mean.
    means = np.zeros((len(size), features.shape[1]))
    np.add.at(means, group, features)
    means /= np.maximum(size, 1.0)[:, None]
    centred = (features - means[group]) * np.sqrt(size[group])[:, None]
    return centred.T @ centred / pairs


def bounding(length: Any, bound: float) -> Any:
    """By what to multiply differences of given lengths so that none is longer than a bound."""
    return np.minimum(1.0, bound / np.maximum(length, SHORTEST))


def bounded_moment(
    features: NDArray[np.float64], pairs: NDArray[np.int64], bound: float
) -> NDArray[np.float64]:
    """Mean of xxᵀ over pairs' differences x, those longer than a bound shortened to it.

    ``features``: shape (m, d); ``pairs``: shape (N, 2). Returns shape (d, d).
    """
    x = features[pairs[:, 0]] - features[pairs[:, 1]]
    x = x * bounding(np.linalg.norm(x, axis=1), bound)[:, None]
    return x.T @ x / len(x)
