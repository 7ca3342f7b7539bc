"""The nearest of many points, from products that a matrix multiplication has made."""

from __future__ import annotations

import numpy as np
from numba import njit

STRETCH = 64  # columns looked at together: most hold none of the nearest


@njit(cache=True, nogil=True)
def nearest_columns(product, norms, own, k):
    """Find the columns j of least ``norms[j] - 2 product[i, j]`` in each row i.

    With inner products of points and squared norms of the columns' points, these are the columns
    nearest to each row: its own squared norm makes no difference within a row.

    ``product``, shape (b, c): inner products; ``norms``, shape (c,): squared norms; ``own``, shape
    (b,): a column to leave out in each row; -1 for none; ``k``: how many, fewer than c. Returns
    shape (b, k): from near to far; of columns as near, the first come first.
    """
    rows, columns = product.shape
    found = np.empty((rows, k), np.int64)
    least = np.empty(k)
    for i in range(rows):
        least[:] = np.inf
        for low in range(0, columns, STRETCH):
            high = min(low + STRETCH, columns)
            if _least_value(product[i], norms, low, high) >= least[k - 1]:
                continue
            for j in range(low, high):
                value = norms[j] - (product[i, j] + product[i, j])
                if value < least[k - 1] and j != own[i]:
                    place = k - 1
                    while place > 0 and least[place - 1] > value:
                        least[place] = least[place - 1]
                        found[i, place] = found[i, place - 1]
                        place -= 1
                    least[place] = value
                    found[i, place] = j
    return found


@njit(cache=True, nogil=True)
def nearest_elsewhere(product, norms, label, own):
    """Find the column j of another label with the least ``norms[j] - 2 product[i, j]``.

    ``product``, ``norms``: as for :func:`nearest_columns`; ``label``, shape (c,): of the columns;
    ``own``, shape (b,): the label of each row. Returns the columns and those values, shape (b,):
    of columns as near, the first; infinity where every column has the row's label.
    """
    rows, columns = product.shape
    found = np.zeros(rows, np.int64)
    least = np.full(rows, np.inf)
    for i in range(rows):
        for low in range(0, columns, STRETCH):
            high = min(low + STRETCH, columns)
            if _least_value(product[i], norms, low, high) >= least[i]:
                continue
            for j in range(low, high):
                value = norms[j] - (product[i, j] + product[i, j])
                if value < least[i] and label[j] != own[i]:
                    least[i] = value
                    found[i] = j
    return found, least


@njit(cache=True, nogil=True)
def nearest_of(points, rows, candidates, k):
    """Find the k nearest of each row's candidates, from the differences of their coordinates.

    ``points``, shape (m, d); ``rows``, shape (b,): rows of ``points``; ``candidates``, shape (b,
    c): other rows, distinct for each; ``k``: how many, at most c. Returns shape (b, k): from near
    to far.
    """
    found = np.empty((len(rows), k), np.int64)
    value = np.empty(candidates.shape[1])
    for i in range(len(rows)):
        for c in range(candidates.shape[1]):
            value[c] = _squared_distance(points[rows[i]], points[candidates[i, c]])
        found[i] = candidates[i][np.argsort(value, kind="mergesort")[:k]]
    return found


@njit(cache=True, nogil=True, fastmath=True)
def _least_value(product, norms, low, high):
    """Find the least value of a stretch of columns, in an order that vectorises."""
    least = norms[low] - (product[low] + product[low])
    for j in range(low + 1, high):
        least = min(least, norms[j] - (product[j] + product[j]))
    return least


@njit(cache=True, nogil=True, fastmath=True)
def _squared_distance(x, y):
    total = x[0] - x[0]
    for c in range(len(x)):
        difference = x[c] - y[c]
        total += difference * difference
    return total


@njit(cache=True, nogil=True, fastmath=True)
def pair_distances(points, u, v):
    """Euclidean distance between rows u and v, from differences in double precision."""
    found = np.empty(len(u))
    for e in range(len(u)):
        total = 0.0
        for c in range(points.shape[1]):
            difference = np.float64(points[u[e], c]) - np.float64(points[v[e], c])
            total += difference * difference
        found[e] = np.sqrt(total)
    return found
