"""Series reduction: the edges that leaves leave behind, and a quick look for cliques."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def may_hold_cliques(a, b, uses):
    """Tell whether some component may be a clique of three or more: False is sure.

    In a clique of K all nodes have K - 1 edges and the same first neighbour, counting themselves.

    Parameters
    ----------
    a, b : ndarray of int, shape (n,)
        Ends of each edge.
    uses : ndarray of int, shape (N,)
        Edges of each node.
    """
    alike = 0
    for e in range(len(a)):
        alike += uses[a[e]] > 1 and uses[a[e]] == uses[b[e]]
    if alike < 3:
        return False
    first = np.arange(len(uses)).astype(np.int32)
    for e in range(len(a)):
        if uses[a[e]] > 1 and uses[a[e]] == uses[b[e]]:
            first[a[e]] = min(first[a[e]], np.int32(b[e]))
            first[b[e]] = min(first[b[e]], np.int32(a[e]))
    members = np.zeros(len(uses), np.int32)
    for i in range(len(uses)):
        members[first[i]] += uses[i] > 1
    for e in range(len(a)):
        if first[a[e]] != first[b[e]] or uses[a[e]] != uses[b[e]]:
            members[first[a[e]]] = members[first[b[e]]] = -1
    return np.any((uses > 1) & (members == uses + 1))


@njit(cache=True, nogil=True)
def reduced_edges(parent, stem, a, b, sigma2, role, number, u, v, variance):
    """Fill in ends and variance of each comparison once its leaves of role 1 are taken out.

    See ``ibn.solvers.reduction.Reduced`` for the arguments.
    """
    for e in range(len(a)):
        near, far, total = a[e], b[e], sigma2[e]
        if role[near] == 1:
            total += stem[near]
            near = parent[near]
        if role[far] == 1:
            total += stem[far]
            far = parent[far]
        u[e], v[e], variance[e] = number[near], number[far], total
