"""The simulated datasets that cases share: the sweep's default world, in regime 𝒜."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.topology import build

WORLD = Ultrametric(family="power", alpha=0.3, scale=1.0, branching=2)
NOISE = LabelNoise(beta=1814.0).variance()
SETTING = (
    f"Power family, α = {WORLD.alpha:g}, I = {WORLD.scale:g}, B = {WORLD.branching}, "
    f"σ² = {NOISE:.3g}; a tree has n / log n leaves, an expander degree 4."
)


class Stream(IntEnum):
    """What a random stream is for: no two may be one, or queries would be the dataset's own."""

    DATASET = 0
    QUERIES = 1
    ESTIMATOR = 2

    def rng(self, number: int = 0) -> np.random.Generator:
        """Begin one of the independent streams for this purpose."""
        return np.random.default_rng((self.value, number))


def dataset(topology: str, n: int, number: int = 0) -> Comparisons:
    """Draw n comparisons by a topology's rule."""
    return build(topology, WORLD, n, Stream.DATASET.rng(number))


def network_of(comparisons: Comparisons) -> Network:
    """Build the network of comparisons."""
    return build_network(WORLD, comparisons, NOISE)


def whole_network(
    comparisons: Comparisons, queries: NDArray[np.uint64]
) -> tuple[Network, NDArray[np.int64]]:
    """Build the network with query responses in it, as anyone without an index would.

    Returns
    -------
    network : Network
        Over the comparisons' responses, then the queries, without any reduction.
    positions : ndarray of int
        The queries' positions among its responses.
    """
    responses = np.concatenate([comparisons.responses, queries])
    network = network_of(Comparisons(responses, comparisons.a, comparisons.b))
    return network, np.arange(len(comparisons.responses), len(responses))
