"""Kernels of conjugate gradients over levels of a graph: the graph, and nested groups of nodes.

Vectors are blocks of ``WIDTH`` columns, in single or double precision; sums over nodes are in
double precision.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WIDTH = 8


@njit(cache=True, nogil=True)
def rows_of_edges(size, u, v, weight):
    """Lay an undirected graph out in compressed sparse rows: starts, heads and weights."""
    start = np.zeros(size + 1, np.int64)
    for e in range(len(u)):
        start[u[e] + 1] += 1
        start[v[e] + 1] += 1
    for i in range(size):
        start[i + 1] += start[i]
    fill = start[:-1].copy()
    head = np.empty(start[size], np.int32)
    value = np.empty(start[size], weight.dtype)
    for e in range(len(u)):
        a, b = u[e], v[e]
        head[fill[a]] = b
        value[fill[a]] = weight[e]
        fill[a] += 1
        head[fill[b]] = a
        value[fill[b]] = weight[e]
        fill[b] += 1
    return start, head, value


@njit(cache=True, nogil=True)
def match(start, head, weight, size, most, share):
    """Match each node with the neighbour that it is tied to most strongly.

    Nodes left over join the pair of a neighbour if it stays small enough, or stand alone. No tie
    counts that is weaker than a share of the strongest of its node: a pair across a weak link
    would hide it.

    ``start``, ``head``, ``weight``: a graph, from :func:`rows_of_edges`; weights are conductances;
    ``size``, shape (N,): how many original nodes each stands for; ``most``: how many a pair may
    stand for; ``share``: from 0 to 1. Returns shape (N,): the pair of each node, counted from 0
    without gaps.
    """
    label = np.full(len(size), -1, np.int64)
    held = np.zeros(len(size), np.int64)
    count = 0
    for joining in range(2):
        for i in range(len(size)):
            if label[i] >= 0:
                continue
            top = 0.0
            for e in range(start[i], start[i + 1]):
                if head[e] != i:
                    top = max(top, weight[e])
            best, strongest = -1, share * top
            for e in range(start[i], start[i + 1]):
                j = head[e]
                if j == i or weight[e] <= strongest:
                    continue
                if label[j] < 0:
                    fits = size[i] + size[j] <= most
                else:
                    fits = joining == 1 and held[label[j]] + size[i] <= most
                if fits:
                    best, strongest = j, weight[e]
            if best >= 0 and label[best] < 0:
                label[i] = label[best] = count
                held[count] = size[i] + size[best]
                count += 1
            elif best >= 0:
                label[i] = label[best]
                held[label[i]] += size[i]
            elif joining == 1:
                label[i] = count
                held[count] = size[i]
                count += 1
    return label


@njit(cache=True, nogil=True, fastmath=True)
def multiply(start, head, weight, x, y, product):
    """Multiply each column of x by the Laplacian into y, and the columns of x by those of y."""
    product[:] = 0.0
    for i in range(x.shape[0]):
        zero = 0.0 * x[i, 0]
        degree = zero
        t0, t1, t2, t3, t4, t5, t6, t7 = zero, zero, zero, zero, zero, zero, zero, zero
        for e in range(start[i], start[i + 1]):
            # Spelt out, so that the sums stay in registers.
            at, w = head[e], weight[e]
            degree += w
            t0 += w * x[at, 0]
            t1 += w * x[at, 1]
            t2 += w * x[at, 2]
            t3 += w * x[at, 3]
            t4 += w * x[at, 4]
            t5 += w * x[at, 5]
            t6 += w * x[at, 6]
            t7 += w * x[at, 7]
        y[i, 0] = degree * x[i, 0] - t0
        y[i, 1] = degree * x[i, 1] - t1
        y[i, 2] = degree * x[i, 2] - t2
        y[i, 3] = degree * x[i, 3] - t3
        y[i, 4] = degree * x[i, 4] - t4
        y[i, 5] = degree * x[i, 5] - t5
        y[i, 6] = degree * x[i, 6] - t6
        y[i, 7] = degree * x[i, 7] - t7
        for j in range(WIDTH):
            product[j] += x[i, j] * y[i, j]


@njit(cache=True, nogil=True)
def conductance_out(parent, u, v, conductance):
    """Add up the conductance out of each node and each group of nodes but the coarsest.

    ``parent``: see :class:`ibn.solvers.two_level.Aggregates`; ``u``, ``v``, ``conductance``, shape
    (e,): edges.
    """
    total = np.zeros(len(parent))
    for e in range(len(u)):
        a, b = np.int64(u[e]), np.int64(v[e])
        while a != b and a < len(parent):
            total[a] += conductance[e]
            total[b] += conductance[e]
            a, b = parent[a], parent[b]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def add_up(parent, drift, r, above):
    """Take its mean, drift, out of each column of r, and add it up over every group.

    ``parent``: see :class:`ibn.solvers.two_level.Aggregates`; ``above``: a row a group.
    """
    above[:] = 0.0
    mean = drift.astype(r.dtype)
    size = r.shape[0]
    for i in range(size):
        for j in range(WIDTH):
            r[i, j] -= mean[j]
            above[parent[i] - size, j] += r[i, j]
    for i in range(size, len(parent)):
        for j in range(WIDTH):
            above[parent[i] - size, j] += above[i - size, j]


@njit(cache=True, nogil=True, fastmath=True)
def precondition(parent, inverse, above, r, z, product):
    """Solve for each node and each group by itself, add these up into z; multiply r and z.

    ``inverse``: of the conductance out of each, by which sums are divided; ``above``: sums of r
    over groups, overwritten; those of the coarsest must be the solution for these already.
    """
    product[:] = 0.0
    size = r.shape[0]
    for i in range(len(parent) - 1, size - 1, -1):
        for j in range(WIDTH):
            above[i - size, j] = inverse[i] * above[i - size, j] + above[parent[i] - size, j]
    for i in range(size):
        for j in range(WIDTH):
            z[i, j] = inverse[i] * r[i, j] + above[parent[i] - size, j]
            product[j] += r[i, j] * z[i, j]
