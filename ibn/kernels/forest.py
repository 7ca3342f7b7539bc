"""Laplacian systems of a tree plus other edges, several right-hand sides at a time.

The preconditioner knows the hierarchy: it keeps the tree whole and ties each node to ground
with the conductance of its other edges, as if their far ends were held at the mean potential.
For comparisons that join cells at random that is nearly true, and the number of iterations stays
bounded as n grows. A forest of single nodes makes it Jacobi's. Both sweeps are exact and linear:
nodes come before their parents, and a root is its own parent.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def factor(parent, conductance, u, v, weight):
    """Make the preconditioner: eliminate the forest upwards.

    Returns ``pivot, share``, shape (N,): of each node, and what it hands to its parent.
    """
    pivot = np.zeros(len(parent))  # at first the conductance to ground
    for e in range(len(u)):
        if u[e] != v[e]:
            pivot[u[e]] += weight[e]
            pivot[v[e]] += weight[e]
    share = np.zeros(len(parent))
    for i in range(len(parent)):
        up = parent[i]
        if up != i:
            below = pivot[i]
            pivot[i] += conductance[i]
            share[i] = conductance[i] / pivot[i]
            pivot[up] += below * share[i]
    return pivot, share


@njit(cache=True, nogil=True)
def precondition(parent, pivot, share, r, drift, z, product):
    """Take its mean, drift, out of each column of r, solve for it into z, and multiply the two."""
    size, k = r.shape
    for i in range(size):
        for j in range(k):
            r[i, j] -= drift[j]
            z[i, j] = r[i, j]
    for i in range(size):
        up = parent[i]
        if up != i:
            for j in range(k):
                z[up, j] += share[i] * z[i, j]
    for i in range(size - 1, -1, -1):
        up = parent[i]
        inverse = 1.0 / pivot[i] if pivot[i] > 0.0 else 0.0
        if up != i:
            for j in range(k):
                z[i, j] = inverse * z[i, j] + share[i] * z[up, j]
        else:
            for j in range(k):
                z[i, j] *= inverse
    product[:] = 0.0
    for i in range(size):
        for j in range(k):
            product[j] += r[i, j] * z[i, j]


@njit(cache=True, nogil=True)
def multiply(parent, conductance, u, v, weight, x, y, product):
    """Multiply each column of x by the Laplacian into y, and the columns of x by those of y."""
    size, k = x.shape
    y[:] = 0.0
    for i in range(size):
        up = parent[i]
        if up != i:
            for j in range(k):
                flow = conductance[i] * (x[i, j] - x[up, j])
                y[i, j] += flow
                y[up, j] -= flow
    for e in range(len(u)):
        a, b = u[e], v[e]
        for j in range(k):
            flow = weight[e] * (x[a, j] - x[b, j])
            y[a, j] += flow
            y[b, j] -= flow
    product[:] = 0.0
    for i in range(size):
        for j in range(k):
            product[j] += x[i, j] * y[i, j]
