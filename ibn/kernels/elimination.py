"""Nodes eliminated from a dense network of conductances, without a subtraction.

Taking out a node joins its neighbours pairwise: a star becomes a mesh. Only positive numbers are
added, multiplied and divided, so that every conductance keeps its leading digits whatever the
spread (the elimination of Grassmann, Taksar and Heyman 1985, for symmetric matrices). A subtraction
would lose them: a pivot is the sum of a row's conductances, never a difference of large numbers.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def eliminate_panel(panel, total):
    """Eliminate the first nodes of a network one by one, in their own rows alone, in place.

    ``panel``, shape (b, w): conductances of the b nodes to all w that are left, themselves first;
    afterwards row k holds node k's to the nodes after it when its turn came; ``total``, shape (b,):
    filled in with the sum of those.
    """
    size, width = panel.shape
    for k in range(size):
        total[k] = panel[k, k + 1 :].sum()
        for i in range(k + 1, size):
            share = panel[k, i] / total[k]
            if share > 0.0:
                for j in range(k + 1, width):
                    panel[i, j] += share * panel[k, j]
                panel[i, i] = 0.0


@njit(cache=True, nogil=True)
def eliminate_pulls(panel, total, pull):
    """Carry the pulls of a panel's edges along as :func:`eliminate_panel` did with it, in place.

    ``pull``, shape (b, w): of the b nodes' edges: conductance times what the edge says that the
    reward at the node exceeds that at the other end by.
    """
    size, width = panel.shape
    for k in range(size):
        for i in range(k + 1, size):
            back = pull[k, i] / total[k]
            share = panel[k, i] / total[k]
            for j in range(k + 1, width):
                pull[i, j] += share * pull[k, j] - back * panel[k, j]
            pull[i, i] = 0.0


@njit(cache=True, nogil=True)
def hand_on(conductance, total, current):
    """Hand the current at each node on to those after it as it is eliminated, in place.

    ``conductance``, shape (N, N), and ``total``, shape (N - 1,): as eliminated down to the last
    node; ``current``, shape (N, k). Returns shape (k,): the energy dissipated on the way.
    """
    size, columns = current.shape
    energy = np.zeros(columns)
    for k in range(size - 1):
        for c in range(columns):
            if current[k, c] != 0.0:
                rise = current[k, c] / total[k]
                energy[c] += rise * current[k, c]
                for j in range(k + 1, size):
                    current[j, c] += rise * conductance[k, j]
    return energy


@njit(cache=True, nogil=True)
def restore(conductance, total, current):
    """Potentials of eliminated nodes, the last of all at 0, from what :func:`hand_on` left there.

    Returns shape (N, k).
    """
    size, columns = current.shape
    potential = np.zeros((size, columns))
    for k in range(size - 2, -1, -1):
        for c in range(columns):
            flow = 0.0
            for j in range(k + 1, size):
                flow += conductance[k, j] * potential[j, c]
            potential[k, c] = (current[k, c] + flow) / total[k]
    return potential


@njit(cache=True, nogil=True)
def all_resistances(conductance):
    """Effective resistance between each two nodes, each grounded in turn; shape (N, N).

    A potential is a sum of positive terms where its far end is the ground, and only there. That
    costs N⁴ / 4 operations, so it is for small N.
    """
    size = len(conductance)
    result = np.zeros((size, size))
    work = np.empty((size, size))
    total = np.empty(size)
    current = np.empty(size)
    for ground in range(1, size):
        work[:] = conductance
        work[ground] = conductance[size - 1]
        work[:, ground] = conductance[:, size - 1]
        work[ground, ground] = 0.0
        work[size - 1, : size - 1] = conductance[ground, : size - 1]
        work[: size - 1, size - 1] = conductance[: size - 1, ground]
        work[size - 1, ground] = work[ground, size - 1] = conductance[ground, size - 1]
        work[size - 1, size - 1] = 0.0
        eliminate_panel(work, total)
        for i in range(ground):
            current[:] = 0.0
            current[i] = 1.0
            energy = 0.0
            for k in range(i, size - 1):
                if current[k] > 0.0:
                    rise = current[k] / total[k]
                    energy += rise * current[k]
                    for j in range(k + 1, size - 1):
                        current[j] += rise * work[k, j]
            result[i, ground] = result[ground, i] = energy
    return result
