"""Weighted graph Laplacians as SciPy and LAPACK take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def laplacian(
    size: int, u: NDArray[np.integer], v: NDArray[np.integer], conductance: NDArray[np.float64]
) -> csr_array:
    """Assemble the Laplacian of a graph, as lean as SciPy allows; parallel edges add up.

    Parameters
    ----------
    size : int
        Number of nodes.
    u, v : ndarray of int, shape (e,)
        Ends of each edge.
    conductance : ndarray of float, shape (e,)
        Its weight.

    Returns
    -------
    csr_array, shape (size, size)
    """
    u, v = u.astype(np.int32, copy=False), v.astype(np.int32, copy=False)
    nodes = np.arange(size, dtype=np.int32)
    degree = np.bincount(np.concatenate([u, v]), np.tile(conductance, 2), size)
    entries = np.concatenate([degree, -conductance, -conductance])
    ends = np.concatenate([nodes, u, v]), np.concatenate([nodes, v, u])
    return csr_array((entries, ends), shape=(size, size))


def fill_null_space(matrix: NDArray[np.float64]) -> None:
    """Make a connected graph's dense Laplacian invertible, in place.

    The same constant everywhere changes no resistance and no centred potential; this one has the
    size of a typical eigenvalue.
    """
    size = len(matrix)
    matrix += np.trace(matrix) / size**2 if size > 1 else 1.0
