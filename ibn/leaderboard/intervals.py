"""Simultaneous intervals: all of rewards, of differences and of ranks hold at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibn.kernels.extremes import greatest_differences

BLOCK = 256

Floats = NDArray[np.float64]


def deviations(covariance: Floats, group: NDArray[np.int64]) -> Floats:
    """Find the standard deviations of all differences, (K, K).

    They are infinite between groups, and 1 on the diagonal.

    Parameters
    ----------
    covariance : ndarray of float, shape (K, K)
    group : ndarray of int, shape (K,)
        Items of different groups were never compared, even through others.
    """
    variance = np.diagonal(covariance)
    apart = np.sqrt(np.maximum(variance[:, None] + variance - 2.0 * covariance, 0.0))
    apart[group[:, None] != group] = np.inf
    np.fill_diagonal(apart, 1.0)
    return apart


def widths(
    covariance: Floats,
    level: float,
    draws: int,
    rng: np.random.Generator,
    group: NDArray[np.int64] | None = None,
) -> tuple[float, float]:
    """Quantiles of the greatest |z| over items and over pairs, z ~ N(0, covariance)."""
    group = np.zeros(len(covariance), np.int64) if group is None else group
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    pair = deviations(covariance, group)
    alone = np.bincount(group)[group] == 1
    deviation = np.where(alone, np.inf, np.sqrt(np.maximum(np.diagonal(covariance), 0.0)))
    items, pairs = [], []
    for low in range(0, draws, BLOCK):  # blocks that stay in the processor's cache
        z = root @ rng.standard_normal((len(root), min(BLOCK, draws - low)))
        items.append(np.abs(z / deviation[:, None]).max(axis=0))
        pairs.append(greatest_differences(z, pair))
    item, of_pair = (float(np.quantile(np.concatenate(x), level)) for x in (items, pairs))
    return item, of_pair


def ranks(centre: Floats, reach: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Best and worst rank of each item that the intervals of all differences allow.

    Parameters
    ----------
    centre : ndarray of float, shape (K,)
        Rewards on which the intervals are centred.
    reach : ndarray of float, shape (K, K)
        Half widths of the intervals of differences.
    """
    gap = centre[:, None] - centre
    first = 1 + np.count_nonzero(gap < -reach, axis=1)
    last = len(centre) - np.count_nonzero(gap > reach, axis=1)
    return first, last
