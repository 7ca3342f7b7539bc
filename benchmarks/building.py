"""Building the network, beside sorting the same addresses."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contest import Contest, Contestant, Faster, Trial, timed
from benchmarks.timing import Agreement
from benchmarks.worlds import SETTING, dataset, network_of
from ibn.inference.paths import DistanceIndex
from ibn.network import Network


def _prepare(n: int) -> Trial:
    addresses = dataset("chain", n).responses

    def build(number: int) -> Network:
        return network_of(dataset("chain", n, number))

    def check(network: Network) -> Agreement:
        assert network.trie is not None
        assert network.responses is not None
        distinct = len(np.unique(network.responses))
        leaves = len(network.trie.addresses)
        ordered = bool(np.all(np.diff(network.trie.addresses.astype(np.int64)) > 0))
        holds = ordered and leaves == distinct and len(network.u) == network.size - 1 + n
        return Agreement(holds, f"{leaves:,} sorted leaves, {len(network.u):,} edges")

    def sort(number: int) -> Any:
        return np.sort(addresses)

    def index(number: int) -> DistanceIndex:
        return DistanceIndex.of(build(number))

    return Trial(
        ours=Contestant("ibn", timed(build), check),
        peers=(
            Contestant("numpy.sort", timed(sort)),
            Contestant("ibn, and rows to search", timed(index)),
        ),
        notes=(
            SETTING,
            "Ours is drawing the addresses, sorting them, the compressed trie, and the list of "
            "weighted edges; numpy.sort has its addresses given. The last line adds what the "
            "distance cases count as their own: the series reduction and compressed sparse rows.",
        ),
    )


CASES = (
    Contest(
        name="build",
        what="Build the chain network, from drawing addresses to weighted edges",
        n=1_000_000,
        small=10_000,
        prepare=_prepare,
        targets=(Faster(1 / 8, "numpy.sort"),),
    ),
)
