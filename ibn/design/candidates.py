"""Candidate pairs to choose comparisons from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibn.preferences.reading import PreferenceData


def all_pairs(m: int) -> NDArray[np.int64]:
    """List every pair of m responses, shape (m (m - 1) / 2, 2), the smaller position first."""
    return np.stack(np.triu_indices(m, 1), axis=1)


def pairs_within(group_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """List every pair of responses of the same group, prompt by prompt, shape (N, 2)."""
    order = np.argsort(group_of, kind="stable")
    size = np.bincount(group_of)
    start = np.cumsum(size) - size
    listed = [np.empty((0, 2), np.int64)]
    for count in np.unique(size[size > 1]):
        first = start[size == count]
        listed.append(order[first[:, None, None] + all_pairs(int(count))].reshape(-1, 2))
    return np.concatenate(listed)


def sample_pairs(m: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw distinct pairs of m responses uniformly; all of them where there are no more.

    Returns shape (at most count, 2): sorted, the smaller position first.
    """
    total = m * (m - 1) // 2
    if count >= total:
        return all_pairs(m)
    code = np.empty(0, np.int64)
    while len(code) < count:
        code = np.unique(np.append(code, rng.integers(0, total, 2 * (count - len(code)) + 16)))
    code = np.sort(rng.choice(code, count, replace=False))
    # Pairs (i, j), i < j, counted by j first: j (j - 1) / 2 pairs come before those of j.
    j = ((1.0 + np.sqrt(1.0 + 8.0 * code)) / 2.0).astype(np.int64)
    j -= j * (j - 1) // 2 > code
    j += j * (j + 1) // 2 <= code
    return np.stack([code - j * (j - 1) // 2, j], axis=1)


def rows_behind(data: PreferenceData, pairs: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Find the rows of a file that pairs of its responses are from.

    Parameters
    ----------
    data : PreferenceData
    pairs : ndarray of int, shape (k, 2)
        Positions in ``data.responses``.

    Returns
    -------
    ndarray of int, shape (k, 2)
        The row of either end, as a position in ``data.rows``: that of the pair itself where it is
        one of the comparisons, otherwise the first that each response is in. ``None`` where the
        rows are not known, or a response is in none.
    """
    if data.row_of is None:
        return None
    a, b, m = data.comparisons.a, data.comparisons.b, len(data.responses)
    first = np.full(m, -1)
    ends = np.stack([a, b], axis=1).ravel()
    used, at = np.unique(ends, return_index=True)
    first[used] = data.row_of.ravel()[at]
    rows = first[pairs]
    known = {(i, j): row for i, j, row in zip(a.tolist(), b.tolist(), data.row_of, strict=True)}
    for k, (i, j) in enumerate(pairs.tolist()):
        if (i, j) in known:
            rows[k] = known[i, j]
        elif (j, i) in known:
            rows[k] = known[j, i][::-1]
    return None if np.any(rows < 0) else rows
