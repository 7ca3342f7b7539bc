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
from numpy.typing import NDArray

PATIENCE = 16  # iterations for which the next decrease of the energy error is taken to go on
SHARE = 4  # the decreases of the last iterations, one in so many of all, may go on as well


@njit(cache=True, nogil=True)
def factor(parent, conductance, u, v, weight):
    """Make the preconditioner: eliminate the forest upwards.

    Returns
    -------
    pivot, share : ndarray, shape (N,)
        Of each node, and what it hands to its parent.
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
def _precondition(parent, pivot, share, r, drift, z):
    """Balance each column of r by taking out its mean, drift, and solve for it into z.

    Rounding leaves residuals a part along the null space, which no iteration removes and which
    would come to dominate them.
    """
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


@njit(cache=True, nogil=True)
def _multiply(parent, conductance, u, v, weight, x, y):
    """Multiply each column of x by the Laplacian into y."""
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


def conjugate_gradient(
    parent: NDArray[np.integer],
    conductance: NDArray[np.float64],
    u: NDArray[np.integer],
    v: NDArray[np.integer],
    weight: NDArray[np.float64],
    current: NDArray[np.float64],
    tolerance: float,
    most: int,
    with_potential: bool,
    factors: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Solve a connected network's Laplacian system by preconditioned conjugate gradients.

    The decreases of the energy error add up to the energy itself, so the energy needs no
    solution vector (Strakoš and Tichý 2002). What is missing is taken to be no more than the next
    decrease many times over, and no more than the last quarter of all decreases: either alone
    would be deceived, by a fast start or where the error stagnates.

    Parameters
    ----------
    parent, conductance : ndarray, shape (N,)
        Forest: each node's parent (its own index for a root) and the conductance of that edge.
    u, v, weight : ndarray, shape (e,)
        The other edges and their conductances; loops are harmless.
    current : ndarray of float, shape (N, k)
        Injected currents, each column adding up to 0.
    tolerance : float
        Relative error of the energy at which to stop, for every column.
    most : int
        Iterations at most.
    with_potential : bool
        Whether the potentials are wanted.
    factors : optional
        What :func:`factor` makes of the first five, if it has been called before.

    Returns
    -------
    energy : ndarray of float, shape (k,)
        current' L⁺ current of each column, approached from below.
    potential : ndarray of float, shape (N, k)
        A solution, up to a constant; shape (0, k) if not wanted.
    iterations : int
        Iterations done; above ``most`` where they did not suffice.
    """
    # NumPy's own large arrays lie on large pages, which Numba's do not.
    potential = np.zeros(current.shape if with_potential else (0, current.shape[1]))
    r = np.array(current, order="C")
    z, product, direction = (np.empty(current.shape) for _ in range(3))
    pivot, share = factors or factor(parent, conductance, u, v, weight)
    energy, iterations = _iterate(
        parent, conductance, u, v, weight, pivot, share,
        r, z, product, direction, potential, tolerance, most,
    )  # fmt: skip
    return energy, potential, iterations


@njit(cache=True, nogil=True)
def _iterate(
    parent, conductance, u, v, weight, pivot, share,
    r, z, product, direction, potential, tolerance, most,
):  # fmt: skip
    size, k = r.shape
    with_potential = len(potential) > 0
    drift = np.empty(k)
    for j in range(k):
        drift[j] = r[:, j].mean()
    _precondition(parent, pivot, share, r, drift, z)
    direction[:] = z
    energy = np.zeros(k)
    decrease = np.empty((most, k))
    rho = np.zeros(k)
    alpha = np.empty(k)
    beta = np.empty(k)
    for i in range(size):
        for j in range(k):
            rho[j] += r[i, j] * z[i, j]
    iteration = 0
    while iteration < most:
        _multiply(parent, conductance, u, v, weight, direction, product)
        curvature = np.zeros(k)
        for i in range(size):
            for j in range(k):
                curvature[j] += direction[i, j] * product[i, j]
        for j in range(k):
            alpha[j] = rho[j] / curvature[j] if curvature[j] > 0.0 else 0.0
            decrease[iteration, j] = alpha[j] * rho[j]
            energy[j] += alpha[j] * rho[j]
        drift[:] = 0.0
        for i in range(size):
            for j in range(k):
                r[i, j] -= alpha[j] * product[i, j]
                drift[j] += r[i, j]
        for j in range(k):
            drift[j] /= size
        if with_potential:
            for i in range(size):
                for j in range(k):
                    potential[i, j] += alpha[j] * direction[i, j]
        iteration += 1
        _precondition(parent, pivot, share, r, drift, z)
        fresh = np.zeros(k)
        for i in range(size):
            for j in range(k):
                fresh[j] += r[i, j] * z[i, j]
        done = True
        for j in range(k):
            if done:
                # The next decrease, if its step is as long as this one's.
                missing = PATIENCE * fresh[j] * max(alpha[j], 1.0)
                if missing <= tolerance * energy[j]:  # spares the sum in most iterations
                    recent = decrease[iteration - iteration // SHARE : iteration, j].sum()
                    missing = max(missing, recent)
                done = missing <= tolerance * energy[j]
        if done:
            return energy, iteration
        for j in range(k):
            beta[j] = fresh[j] / rho[j] if rho[j] > 0.0 else 0.0
            rho[j] = fresh[j]
        for i in range(size):
            for j in range(k):
                direction[i, j] = z[i, j] + beta[j] * direction[i, j]
    return energy, most + 1


@njit(cache=True, nogil=True)
def eliminate_leaves(parent, stem, a, b, sigma2, role, inflow):
    """Reduce current at eliminated leaves to current at the nodes that stay.

    Parameters
    ----------
    parent, stem : ndarray, shape (N,)
        Hierarchy and the variance of each node's edge to its parent.
    a, b, sigma2 : ndarray, shape (n,)
        Comparisons and their variances.
    role : ndarray of int8, shape (N,)
        0 for a node that stays, 1 for a leaf of one comparison, 2 for one of none.
    inflow : ndarray of float, shape (N, k)
        Current at each node, several at a time; overwritten.

    Returns
    -------
    ndarray of float, shape (k,)
        Energy dissipated in what was eliminated.
    """
    columns = inflow.shape[1]
    energy = np.zeros(columns)
    for i in range(len(role)):
        if role[i] == 2:
            for j in range(columns):
                if inflow[i, j] != 0.0:
                    energy[j] += inflow[i, j] ** 2 * stem[i]
                    inflow[parent[i], j] += inflow[i, j]
                    inflow[i, j] = 0.0
    for e in range(len(a)):
        near, far = a[e], b[e]
        if role[near] != 1:
            near, far = far, near
        if role[near] != 1:
            continue
        # `near` lies between its parent and `far`; then `far`, between the two parents.
        for j in range(columns):
            rest = sigma2[e]
            current = inflow[near, j]
            if current != 0.0:
                whole = stem[near] + rest
                inflow[parent[near], j] += current * rest / whole
                inflow[far, j] += current * stem[near] / whole
                energy[j] += current * current * stem[near] * rest / whole
                inflow[near, j] = 0.0
            current = inflow[far, j]
            if current != 0.0 and role[far] == 1:
                rest += stem[near]
                whole = stem[far] + rest
                inflow[parent[far], j] += current * rest / whole
                inflow[parent[near], j] += current * stem[far] / whole
                energy[j] += current * current * stem[far] * rest / whole
                inflow[far, j] = 0.0
    return energy


@njit(cache=True, nogil=True)
def restore_leaves(parent, stem, a, b, sigma2, role, inflow, potential):
    """Fill in the potentials of leaves that :func:`eliminate_leaves` took out, in place.

    ``inflow`` is the current before the elimination; the other arguments are the same.
    """
    for i in range(len(role)):
        if role[i] == 2:
            potential[i] = potential[parent[i]] + inflow[i] * stem[i]
    for e in range(len(a)):
        near, far = a[e], b[e]
        if role[near] != 1:
            near, far = far, near
        if role[near] != 1:
            continue
        if role[far] == 1:
            rest = stem[near] + sigma2[e]
            passed = inflow[far] + inflow[near] * stem[near] / rest
            inverse = 1.0 / stem[far] + 1.0 / rest
            potential[far] = (
                passed + potential[parent[far]] / stem[far] + potential[parent[near]] / rest
            ) / inverse
        inverse = 1.0 / stem[near] + 1.0 / sigma2[e]
        potential[near] = (
            inflow[near] + potential[parent[near]] / stem[near] + potential[far] / sigma2[e]
        ) / inverse


@njit(cache=True, nogil=True)
def pairwise_resistance(inverse, nodes):
    """Resistances between all pairs of nodes from an inverse's lower triangle.

    Parameters
    ----------
    inverse : ndarray of float, shape (N, N), Fortran order
        Inverse of the Laplacian with its null space filled in; only the lower triangle is read.
    nodes : ndarray of int, shape (m,)
        The nodes wanted.

    Returns
    -------
    ndarray of float, shape (m, m)
    """
    m = len(nodes)
    result = np.empty((m, m))
    for i in range(m):
        a = nodes[i]
        result[i, i] = 0.0
        for j in range(i):
            b = nodes[j]
            cross = inverse[a, b] if a >= b else inverse[b, a]
            result[i, j] = inverse[a, a] + inverse[b, b] - 2.0 * cross
    tile = 64  # the mirror image, in blocks that stay in cache
    for top in range(0, m, tile):
        for left in range(0, top + 1, tile):
            for i in range(top, min(top + tile, m)):
                for j in range(left, min(left + tile, i)):
                    result[j, i] = result[i, j]
    return result
