"""Uncertainty of reward differences that one set of comparisons leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from ibn.auditing.effort import effort_for
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.variances import ExactVariances, Variances
from ibn.estimate import Estimate, estimate_mean
from ibn.inference.paths import DistanceIndex
from ibn.network import Network

REL_ERR = 0.02  # of a mean, at which sampling stops
BLOCK_ROWS = 256  # sources of shortest paths at a time, to bound the memory


@dataclass(frozen=True)
class PairUncertainty:
    """Mean uncertainty of reward differences over one kind of pairs, in squared units of reward."""

    variance: Estimate  # mean posterior variance: every path at once (theory §6)
    distance: Estimate  # mean inference distance: the best path alone (theory §1)


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of reward differences that one set of comparisons leaves."""

    # between responses to the same prompt; ``None`` where no prompt has two
    within: PairUncertainty | None
    # between responses to different prompts; ``None`` where there is one prompt
    across: PairUncertainty | None

    @property
    def decisive(self) -> PairUncertainty:
        """Within prompts, since a policy answers the prompt it is given; else across."""
        chosen = self.within or self.across
        assert chosen is not None
        return chosen


def measure_uncertainty(
    network: Network, variances: Variances, rng: np.random.Generator
) -> Uncertainty:
    """Measure what a connected network leaves uncertain, given its variances.

    Distances, too, cover all pairs where the variances do; else random ones.
    """
    pairs = variances.pairs
    if isinstance(variances, ExactVariances):
        within, across = _exact_distances(network, pairs)
    else:
        index = DistanceIndex.of(variances.system.aggregates.placed(network))
        effort = effort_for(len(network.nodes))
        inside, outside = effort.distances_within, effort.distances_across
        within = _sampled_distance(index, pairs.sample_within, pairs.within, inside, rng)
        across = _sampled_distance(index, pairs.sample_across, pairs.across, outside, rng)
    return Uncertainty(
        PairUncertainty(variances.within(), within) if within else None,
        PairUncertainty(variances.across(), across) if across else None,
    )


def _exact_distances(
    network: Network, pairs: PromptPairs
) -> tuple[Estimate | None, Estimate | None]:
    """Mean distance within and across prompts over all pairs."""
    matrix, _ = network.least()
    prompt, nodes = pairs.prompt_of, network.nodes
    total = within = 0.0
    for low in range(0, len(nodes), BLOCK_ROWS):
        block = slice(low, low + BLOCK_ROWS)
        distance = dijkstra(matrix, indices=nodes[block])[:, nodes]
        total += distance.sum()
        within += distance[prompt[block, None] == prompt].sum()
    sums = ((within / 2, pairs.within), ((total - within) / 2, pairs.across))
    first, second = (Estimate(s / count, 0.0, count) if count else None for s, count in sums)
    return first, second


def _sampled_distance(
    index: DistanceIndex,
    sample: Callable[[int, np.random.Generator], NDArray[np.int64]],
    available: int,
    bounds: tuple[int, int],
    rng: np.random.Generator,
) -> Estimate | None:
    """Mean distance over random pairs, to 2 % or as well as the most allowed tell."""
    if not available:
        return None

    def draw(count: int) -> NDArray[np.float64]:
        return index.between(index.network.nodes_of(sample(count, rng)))

    least, most = bounds
    return estimate_mean(draw, REL_ERR, min_count=least, max_count=most)
