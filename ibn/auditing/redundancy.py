"""Redundant comparisons: how much of what is known of a compared pair comes from elsewhere.

In the Gaussian model precisions add. Of the precision 1/R of a compared pair's reward difference
the comparison itself gives 1/σ², and R/σ² is its leverage: the diagonal of the hat matrix of
weighted least squares (Hoaglin and Welsch 1978), and for a network the probability that a random
spanning tree weighted by conductances uses its edge (Kirchhoff 1847; Spielman and Srivastava 2011).
The rest is implied by the inductive bias and by the other comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.estimate import Estimate

REDUNDANT = 0.9
LISTED = 10


@dataclass(frozen=True)
class RedundantComparison:
    """A comparison that the rest implies."""

    line: int  # its line in the file
    responses: tuple[int, int]  # positions in ``PreferenceData.responses``
    implied: float  # share of the precision about its pair that does not come from it


@dataclass(frozen=True, eq=False)
class Redundancy:
    """How much of what is known of the compared pairs each source gives."""

    # shape (n,): for each comparison, the share of its pair's precision that the rest gives: 1 -
    # R/σ²
    implied: NDArray[np.float64]
    # by_bias, by_others, by_itself: mean shares, over the comparisons or a random sample of them,
    # of the inductive bias alone, of the other comparisons and of the comparison itself; they add
    # up to 1
    by_bias: Estimate
    by_others: Estimate
    by_itself: Estimate
    redundant: int  # comparisons whose ``implied`` is at least ``threshold``
    threshold: float
    # sum of the leverages: of the labels, how many reward differences' worth they determine; the
    # effective number of parameters of ridge regression
    effective: float
    most: tuple[RedundantComparison, ...]  # the most redundant


def measure_redundancy(
    pairs: NDArray[np.int64],
    lines: NDArray[np.int64],
    after: NDArray[np.float64],
    noise_variance: float,
    *,
    solved: tuple[NDArray[np.float64], NDArray[np.float64]],
    threshold: float = REDUNDANT,
    listed: int = LISTED,
) -> Redundancy:
    """Split the precision about each compared pair by where it comes from.

    ``pairs``, shape (n, 2), are the comparisons, and ``after`` their variances with all of them.
    ``solved`` are variances by bias alone and with all comparisons, without sampling error, of all
    comparisons or of a random sample. From ``threshold`` on a comparison counts as redundant.
    """
    # Estimates from samples may stray a little beyond what exact ones obey.
    leverage = np.clip(after / noise_variance, 0.0, 1.0)
    implied = 1.0 - leverage
    prior, posterior = solved
    itself, bias = posterior / noise_variance, posterior / prior

    def share(values: NDArray[np.float64]) -> Estimate:
        if len(values) == len(pairs):
            return Estimate(float(values.mean()), 0.0, len(values))
        return Estimate.of(values)

    order = np.argsort(-implied, kind="stable")[:listed]
    return Redundancy(
        implied=implied,
        by_bias=share(bias),
        by_others=share(1.0 - bias - itself),
        by_itself=share(itself),
        redundant=int(np.count_nonzero(implied >= threshold)),
        threshold=threshold,
        effective=float(leverage.sum()),
        most=tuple(
            RedundantComparison(
                int(lines[k]), (int(pairs[k, 0]), int(pairs[k, 1])), float(implied[k])
            )
            for k in order
        ),
    )
