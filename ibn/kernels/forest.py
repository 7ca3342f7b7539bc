"""Laplacian systems of a tree plus other edges, several right-hand sides at a time.

The preconditioner knows the hierarchy: it keeps the tree whole and ties each node to ground
with the conductance of its other edges, as if their far ends were held at the mean potential.
For comparisons that join cells at random that is nearly true, and the number of iterations stays
bounded as n grows. A forest of single nodes makes it Jacobi's. Both sweeps are exact and linear:
nodes come before their parents, and a root is its own parent.

Vectors are blocks of columns: as many as ``columns`` is long, a tuple, so that the compiler knows.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

WIDTH, NARROW = 4, 2  # columns of a block: as two threads have enough to do, or do not
FAINT = 1e-140  # taken for 0: with what underflows a processor is a hundred times slower


def blocks(columns: int) -> list[slice]:
    """Part columns into blocks for two threads; the same, however many there are."""
    width = WIDTH if columns > WIDTH else NARROW
    return [slice(low, min(low + width, columns)) for low in range(0, columns, width)]


def padded(current: NDArray[np.float64]) -> NDArray[np.float64]:
    """Widen a block by columns of 0 to a width that is compiled; itself if it has one."""
    columns = current.shape[1]
    if columns in (NARROW, WIDTH) and current.flags.c_contiguous:
        return current
    block = np.zeros((len(current), WIDTH if columns > NARROW else NARROW))
    block[:, :columns] = current
    return block


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
def sweep_up(parent, pivot, share, r, drift, z, product, columns):
    """Eliminate upwards: half of what solves for r, and all that its energy needs.

    Takes its mean, drift, out of each column of r, leaves the currents that reach each node in z,
    and in product r times the solution.
    """
    size = len(parent)
    z[:] = 0.0
    product[:] = 0.0
    for i in range(size):
        up = parent[i]
        inverse = 1.0 / pivot[i] if pivot[i] > 0.0 else 0.0
        handed = share[i] if up != i else 0.0
        for j in range(len(columns)):
            r[i, j] -= drift[j]
            z[i, j] += r[i, j]
            product[j] += inverse * z[i, j] * z[i, j]
        if up != i:
            for j in range(len(columns)):
                current = handed * z[i, j]
                z[up, j] += current if abs(current) > FAINT else 0.0


@njit(cache=True, nogil=True)
def pass_up(parent, pivot, share, current, energy, columns):
    """Eliminate currents upwards, used up, and add the energy that they dissipate.

    Many nodes may have none: they cost a look.
    """
    for i in range(len(parent)):
        idle = True
        for j in range(len(columns)):
            idle &= current[i, j] == 0.0
        if idle or pivot[i] == 0.0:
            continue
        up, inverse = parent[i], 1.0 / pivot[i]
        for j in range(len(columns)):
            energy[j] += inverse * current[i, j] * current[i, j]
        if up != i:
            for j in range(len(columns)):
                handed = share[i] * current[i, j]
                current[up, j] += handed if abs(handed) > FAINT else 0.0


@njit(cache=True, nogil=True)
def sweep_down(parent, pivot, share, z, beta, direction, columns):
    """Substitute downwards, z becoming the solution; turn each direction: z + beta direction."""
    for i in range(len(parent) - 1, -1, -1):
        up = parent[i]
        inverse = 1.0 / pivot[i] if pivot[i] > 0.0 else 0.0
        handed = share[i] if up != i else 0.0
        for j in range(len(columns)):
            solution = inverse * z[i, j] + handed * z[up, j]
            z[i, j] = solution if abs(solution) > FAINT else 0.0
            direction[i, j] = z[i, j] + beta[j] * direction[i, j]


@njit(cache=True, nogil=True)
def multiply(parent, conductance, u, v, weight, x, y, product, columns):
    """Multiply each column of x by the Laplacian into y, and the columns of x by those of y."""
    y[:] = 0.0
    for e in range(len(u)):
        a, b, w = u[e], v[e], weight[e]
        for j in range(len(columns)):
            flow = w * (x[a, j] - x[b, j])
            y[a, j] += flow
            y[b, j] -= flow
    product[:] = 0.0
    for i in range(len(parent)):  # all children have passed before their parent does
        up, w = parent[i], conductance[i]
        if up != i:
            for j in range(len(columns)):
                flow = w * (x[i, j] - x[up, j])
                y[i, j] += flow
                y[up, j] -= flow
        for j in range(len(columns)):
            product[j] += x[i, j] * y[i, j]
