"""Effective resistances of all pairs of a small network, beside dense linear algebra."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Faster, Trial, timed
from benchmarks.timing import Agreement
from benchmarks.worlds import dataset, network_of
from ibn.inference.gaussian import resistance_matrix
from ibn.network import Network


def _grounded(network: Network) -> NDArray[np.float64]:
    """Fill in the null space of the Laplacian, which changes no resistance."""
    return network.laplacian().toarray() + 1.0 / network.size


def _resistances(inverse: NDArray[Any]) -> NDArray[np.float64]:
    diagonal = inverse.diagonal()
    return diagonal[:, None] + diagonal[None, :] - 2.0 * inverse


def _prepare(n: int) -> Trial:
    laid = network_of(dataset("expander", n))
    # Every node is asked about, inner ones of the hierarchy as well.
    network = replace(laid, nodes=np.arange(laid.size))
    matrix = _grounded(network)
    right = _resistances(np.linalg.inv(matrix))

    def check(found: NDArray[np.float64]) -> Agreement:
        # The roundings of two dense inverses differ by more than a small resistance's 1e-6.
        off = float(np.max(np.abs(found - right)) / right.max())
        return Agreement(off < 1e-6, f"within {off:.0e} of the largest")

    def networkx_way(number: int) -> NDArray[np.float64]:
        import networkx as nx

        graph: nx.MultiGraph = nx.MultiGraph()
        graph.add_nodes_from(range(network.size))
        ends = zip(network.u.tolist(), network.v.tolist(), network.variance.tolist(), strict=True)
        graph.add_weighted_edges_from(ends)
        found = nx.resistance_distance(graph, weight="weight", invert_weight=True)
        return np.array([[found[i][j] for j in range(network.size)] for i in range(network.size)])

    return Trial(
        ours=Contestant(
            "ibn resistance_matrix", timed(lambda number: resistance_matrix(network)), check
        ),
        peers=(
            Contestant("networkx.resistance_distance", timed(networkx_way), check),
            Contestant("numpy.linalg.inv", timed(lambda number: np.linalg.inv(matrix))),
        ),
        notes=(
            f"An expander network of {network.size:,} nodes and {len(network.u):,} edges, all "
            "pairs of its nodes. Ours and NetworkX begin with the network and end with all "
            "resistances; numpy.linalg.inv is the bare inverse of the same matrix.",
        ),
    )


CASES = (
    Contest(
        name="resistance",
        what="Effective resistances of all pairs of a 2,000-node network",
        n=2_000,
        small=100,
        prepare=_prepare,
        targets=(Faster(100, "networkx.resistance_distance"), Faster(1, "numpy.linalg.inv")),
    ),
)
