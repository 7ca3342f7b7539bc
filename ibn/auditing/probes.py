"""Mean posterior variances over all pairs and within prompts, from random probes.

A probe injects random currents at all responses at once; the energy it dissipates estimates a
trace of the network's inverse (Hutchinson 1989), here a mean of effective resistances. Unlike a
sample of the posterior it needs no more digits of the solution than the mean itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.pairs import PromptPairs
from ibn.kernels.aggregates import WIDTH
from ibn.solvers.two_level import TwoLevel

TOLERANCE = 5e-3  # of a probe's energy, beside errors of sampling of a hundredth or so
MANY = 20_000  # responses beyond which few probes within prompts suffice: each averages as many


def columns_within(pairs: PromptPairs) -> int:
    """Columns of a block that probe the pairs within prompts; the others probe all pairs."""
    if not pairs.within:
        return 0
    return WIDTH // 2 if len(pairs.prompt_of) <= MANY else WIDTH // 4


@dataclass(frozen=True, eq=False)
class Probes:
    """Independent estimates of the mean variance.

    Attributes
    ----------
    overall : ndarray, shape (k,)
        Over all pairs.
    within : ndarray, shape (k,), optional
        Over the pairs within a prompt; ``None`` where there are none.
    """

    overall: NDArray[np.float64]
    within: NDArray[np.float64] | None


def probe(
    system: TwoLevel, coarse_mean: float, pairs: PromptPairs, rng: np.random.Generator
) -> Probes:
    """Make one block of probes, which are solved for together.

    The coarse level's part of each probe over all pairs, which is most of its spread, is
    replaced by its known mean: a control variate.

    Parameters
    ----------
    system : TwoLevel
        A network of a node a response, in order.
    coarse_mean : float
        Its ``mean_coarse_energy()``.
    pairs : PromptPairs
        The responses' prompts.
    rng : numpy.random.Generator
        Source of randomness.
    """
    m = len(pairs.prompt_of)
    count = WIDTH - columns_within(pairs)
    inflow = np.zeros((m, WIDTH))
    half = m // 2
    for column in inflow.T[:count]:
        order = rng.permutation(m)
        column[order[:half]] = 1.0
        column[order[half : 2 * half]] = -1.0
    for column in inflow.T[count:]:
        column[:] = _pairs_within(pairs, rng)
    energy = system.energy(inflow, TOLERANCE)
    coarse = system.coarse_energy(inflow[:, :count])
    overall = (energy[:count] - coarse) / half + coarse_mean
    return Probes(overall, energy[count:] / pairs.within if pairs.within else None)


def _pairs_within(pairs: PromptPairs, rng: np.random.Generator) -> NDArray[np.float64]:
    """Currents through random disjoint pairs within each prompt, their directions random.

    Each prompt's currents are such that the mean of their energy is the sum of the variances of
    all its pairs; between prompts the directions cancel on average.
    """
    order = np.lexsort((rng.random(len(pairs.prompt_of)), pairs.prompt_of))
    used = pairs.size // 2
    first = np.repeat(pairs.start, used) + 2 * (np.arange(used.sum()) - _begin(used))
    each = np.sqrt(pairs.within_of / np.maximum(used, 1))
    current = np.repeat(each, used) * rng.choice([-1.0, 1.0], len(first))
    inflow = np.zeros(len(order))
    inflow[order[first]] = current
    inflow[order[first + 1]] = -current
    return inflow


def _begin(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each run begins, for every member of runs of these lengths."""
    return np.repeat(np.cumsum(count) - count, count)
