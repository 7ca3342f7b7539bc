"""Intervals over seeds and prompts together, at once for all that a table compares.

An outcome of a seed at a prompt varies with both. Their mean's covariance is that clustered by
seeds, plus that clustered by prompts, less that by both (Cameron, Gelbach and Miller 2011): what
resampling seeds and prompts together tends to, without counting the noise of a cell three times.
Quantiles are those of a multivariate t with as many degrees of freedom as seeds less one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 4000
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Means:
    """Several means over the same seeds and prompts, and how they err together."""

    value: Floats  # shape (k,)
    covariance: Floats  # shape (k, k)
    seeds: int

    def reach(self, seed: int = 0) -> Floats:
        """Half widths of intervals that hold all of the means at once in 95 %."""
        z = self.noise(seed)
        deviation = np.sqrt(np.diagonal(self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.nanmax(np.where(deviation > 0, np.abs(z) / deviation, 0.0), axis=1)
        return np.asarray(np.quantile(most, LEVEL) * deviation)

    def noise(self, seed: int = 0) -> Floats:
        """Draws of all errors together, shape (draws, k)."""
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        value, vector = np.linalg.eigh(self.covariance)
        normal = rng.standard_normal((DRAWS, len(value))) * np.sqrt(np.maximum(value, 0.0))
        dof = self.seeds - 1
        return normal @ vector.T / np.sqrt(rng.chisquare(dof, (DRAWS, 1)) / dof)


def means(values: Sequence[Floats], prompts: Sequence[NDArray[np.int64]]) -> Means:
    """Average outcomes over seeds and prompts.

    Parameters
    ----------
    values : sequence of ndarray, each of shape (k, prompts of that seed)
        NaN where a prompt has no such outcome.
    prompts : sequence of ndarray
        Which prompts these are.

    Examples
    --------
    >>> import numpy as np
    >>> found = means([np.ones((1, 3)), np.zeros((1, 3))], [np.arange(3), np.arange(3)])
    >>> found.value
    array([0.5])
    """
    table = np.concatenate([one.T for one in values]).astype(float)
    seed = np.repeat(np.arange(len(values)), [len(one) for one in prompts])
    prompt = np.concatenate(list(prompts))
    there = np.isfinite(table)
    count = np.maximum(there.sum(axis=0), 1)
    value = np.where(there, table, 0.0).sum(axis=0) / count
    rest = np.where(there, table - value, 0.0) / count
    by_seed, by_prompt = _summed(rest, seed), _summed(rest, prompt)
    covariance = _square(by_seed) + _square(by_prompt) - rest.T @ rest
    # An estimate of a variance by a difference may fall below either of its parts.
    least = np.maximum(np.diagonal(_square(by_seed)), np.diagonal(_square(by_prompt)))
    short = np.maximum(least - np.diagonal(covariance), 0.0)
    return Means(value, covariance + np.diag(short), len(values))


def _summed(rows: Floats, group: NDArray[np.int64]) -> Floats:
    _, place = np.unique(group, return_inverse=True)
    found = np.zeros((place.max() + 1, rows.shape[1]))
    np.add.at(found, place, rows)
    return found


def _square(sums: Floats) -> Floats:
    return sums.T @ sums * (len(sums) / max(len(sums) - 1, 1))
