"""Effective resistances of all pairs, read from an inverse."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pairwise_resistance(inverse, nodes):
    """Resistances between all pairs of nodes from an inverse's lower triangle.

    ``inverse``, shape (N, N): inverse of the Laplacian with its null space filled in; only the
    lower triangle is read; ``nodes``, shape (m,): the nodes wanted. Returns shape (m, m).
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
