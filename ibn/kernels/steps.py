"""The steps of conjugate gradients: blocks of columns, each with its own step length.

Vectors are in single or double precision; sums over nodes are in double precision.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def turn(z, beta, direction):
    """Turn each direction: z + beta direction, in place."""
    size, k = z.shape
    beta = beta.astype(z.dtype)
    for i in range(size):
        for j in range(k):
            direction[i, j] = z[i, j] + beta[j] * direction[i, j]


@njit(cache=True, nogil=True)
def advance(alpha, direction, product, r, drift, potential):
    """Step along each direction: r loses, the potential (if it has rows) gains.

    The mean of each column of r is left in ``drift``: rounding gives residuals a part along the
    null space, which no iteration removes and which would come to dominate them.
    """
    size, k = r.shape
    step = alpha.astype(r.dtype)
    drift[:] = 0.0
    for i in range(size):
        for j in range(k):
            r[i, j] -= step[j] * product[i, j]
            drift[j] += r[i, j]
    for j in range(k):
        drift[j] /= size
    for i in range(len(potential)):
        for j in range(k):
            potential[i, j] += step[j] * direction[i, j]
