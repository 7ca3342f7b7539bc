"""The nearest of many points, from products that a matrix multiplication has made."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def nearest_columns(product, norms, own, k):
    """Find the columns j of least ``norms[j] - 2 product[i, j]`` in each row i.

    With inner products of points and squared norms of the columns' points, these are the columns
    nearest to each row: its own squared norm makes no difference within a row.

    Parameters
    ----------
    product : ndarray of float, shape (b, c)
        Inner products.
    norms : ndarray of float, shape (c,)
        Squared norms.
    own : ndarray of int, shape (b,)
        A column to leave out in each row; -1 for none.
    k : int
        How many, fewer than c.

    Returns
    -------
    ndarray of int64, shape (b, k)
        From near to far; of columns as near, the first come first.
    """
    rows, columns = product.shape
    found = np.empty((rows, k), np.int64)
    least = np.empty(k)
    for i in range(rows):
        least[:] = np.inf
        for j in range(columns):
            value = norms[j] - 2.0 * product[i, j]
            if value < least[k - 1] and j != own[i]:
                place = k - 1
                while place > 0 and least[place - 1] > value:
                    least[place] = least[place - 1]
                    found[i, place] = found[i, place - 1]
                    place -= 1
                least[place] = value
                found[i, place] = j
    return found
