"""The greatest standardised difference between any two of many Gaussian variables."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def greatest_differences(draws, deviation):
    """Find max |z_i - z_j| / deviation_ij over the pairs i < j, for each draw.

    ``draws``, shape (K, c): a column a draw; ``deviation``, shape (K, K): standard deviations of
    the differences, positive off the diagonal. Returns shape (c,): 0 where there is no pair.
    """
    k, count = draws.shape
    greatest = np.zeros(count)
    for i in range(k):
        for j in range(i + 1, k):
            scale = 1.0 / deviation[i, j]
            for c in range(count):
                greatest[c] = max(greatest[c], abs(draws[i, c] - draws[j, c]) * scale)
    return greatest
