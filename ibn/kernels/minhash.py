"""MinHash signatures of sets of numbers."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def least_hashes(start, values, factor, shift):
    """Take the least of each hash of each set's members.

    ``start``, shape (k + 1,): where each set's members begin in ``values``; repeats do not matter;
    ``values``: members; ``factor``, ``shift``, shape (h,): the hashes x → factor · x + shift modulo
    2³². Returns shape (h, k): 2³² - 1 for empty sets.
    """
    k = len(start) - 1
    result = np.empty((len(factor), k), np.uint32)
    least = np.empty(len(factor), np.uint32)
    for i in range(k):
        least[:] = np.uint32(0xFFFFFFFF)
        for e in range(start[i], start[i + 1]):
            for j in range(len(factor)):
                hashed = np.uint32(factor[j] * values[e] + shift[j])
                least[j] = min(least[j], hashed)
        result[:, i] = least
    return result
