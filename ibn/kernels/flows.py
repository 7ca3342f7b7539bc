"""Flows along the edges of a network that carry given currents."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def height(order, parent, edge, variance):
    """Greatest variance from the root of a tree to a node; see :func:`route` for the tree."""
    above = np.zeros(len(order))
    for node in order[1:]:
        above[node] = above[parent[node]] + variance[edge[node]]
    return above.max()


@njit(cache=True, nogil=True)
def route(u, v, order, parent, edge, missing, flow):
    """Send what a flow fails to carry along a spanning tree, in place.

    ``u``, ``v``, shape (e,): ends of each edge; ``order``, ``parent``, ``edge``, shape (N,): nodes
    from the root on, each one's parent in the tree and the edge to it; ``missing``, shape (N, k):
    current injected at each node; overwritten; ``flow``, shape (e, k): from u to v.
    """
    columns = flow.shape[1]
    for i in range(len(u)):
        for c in range(columns):
            missing[u[i], c] -= flow[i, c]
            missing[v[i], c] += flow[i, c]
    for at in range(len(order) - 1, 0, -1):
        node = order[at]
        sign = 1.0 if u[edge[node]] == node else -1.0
        for c in range(columns):
            flow[edge[node], c] += sign * missing[node, c]
            missing[parent[node], c] += missing[node, c]
