"""One number for an unordered pair of things that are counted from 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pair_code(a: NDArray[np.integer], b: NDArray[np.integer], size: int) -> NDArray[np.int64]:
    """Give a number to each pair {a, b} of things below ``size``, whichever comes first."""
    return np.minimum(a, b) * np.int64(size) + np.maximum(a, b)


def pair_of(code: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two of each pair, the smaller first: the inverse of :func:`pair_code`."""
    return code // size, code % size
