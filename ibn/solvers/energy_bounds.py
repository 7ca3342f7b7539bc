"""Two bounds on the energy that currents dissipate, from potentials that need not be exact.

By Dirichlet's principle any potentials give a bound from below, by Thomson's any flow that carries
the currents one from above; where the two meet, the energy between them is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from ibn.kernels.flows import height, route
from ibn.network import Network
from ibn.pair_code import pair_code


@dataclass(frozen=True, eq=False)
class EnergyBounds:
    """Edges of a connected network and a spanning tree of little variance."""

    # u, v, variance: shape (e,): of edges
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    variance: NDArray[np.float64]
    # order, parent, edge: shape (N,): nodes from the root on, each one's parent in the tree and
    # the edge to it
    order: NDArray[np.int64]
    parent: NDArray[np.int64]
    edge: NDArray[np.int64]

    @classmethod
    def of(cls, network: Network) -> EnergyBounds:
        """Choose the tree in a connected network."""
        size, variance = network.size, network.variance
        u, v = network.u.astype(np.int64), network.v.astype(np.int64)
        by_variance = np.argsort(variance, kind="stable")
        by_variance = by_variance[u[by_variance] != v[by_variance]]
        code, first = np.unique(pair_code(u[by_variance], v[by_variance], size), return_index=True)
        edge = by_variance[first]  # the least of parallel edges
        # By rank, and from 1, since the tree is the same and SciPy takes 0 for no edge.
        shape = (size, size)
        ends = np.minimum(u, v)[edge], np.maximum(u, v)[edge]
        graph = csr_array((first + 1.0, tuple(end.astype(np.int32) for end in ends)), shape=shape)
        tree = minimum_spanning_tree(graph)
        order, before = breadth_first_order(tree, size - 1, directed=False)
        below = order[1:].astype(np.int64)
        parent, of_node = np.full((2, size), size - 1, np.int64)
        parent[below] = before[below]
        of_node[below] = edge[np.searchsorted(code, pair_code(below, parent[below], size))]
        return cls(u, v, variance, order.astype(np.int64), parent, of_node)

    @cached_property
    def widest(self) -> float:
        """Return what no resistance between two nodes exceeds."""
        return 2.0 * float(height(self.order, self.parent, self.edge, self.variance))

    def tree_flow(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carry currents along the tree alone: the flow of each edge from u to v, shape (e, k)."""
        flow = np.zeros((len(self.u), inflow.shape[1]))
        self._complete(flow, inflow)
        return flow

    def _complete(self, flow: NDArray[np.float64], inflow: NDArray[np.float64]) -> None:
        missing = np.array(inflow, dtype=np.float64, order="C")
        route(self.u, self.v, self.order, self.parent, self.edge, missing, flow)

    def __call__(
        self, potential: NDArray[np.float64], inflow: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bound the energy of currents from below and above, shape (k,) each.

        ``potential``, ``inflow``, shape (N, k): potentials that the currents cause, nearly.
        """
        flow = (potential[self.u] - potential[self.v]) / self.variance[:, None]
        dissipated = self._dissipated(flow)
        work = np.einsum("ik,ik->k", inflow, potential)
        lower = 2.0 * work - dissipated  # what it lacks is the energy of the potentials' error
        for _ in range(2):  # the second time for the rounding errors of the first
            self._complete(flow, inflow)
        return lower, self._dissipated(flow)

    def _dissipated(self, flow: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.einsum("e,ek,ek->k", self.variance, flow, flow)
