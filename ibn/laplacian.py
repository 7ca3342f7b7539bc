"""Weighted graph Laplacians, sparse and dense, and the currents that edges inject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def laplacian(
    size: int, u: NDArray[np.integer], v: NDArray[np.integer], conductance: NDArray[np.float64]
) -> csr_array:
    """Assemble the Laplacian of a graph, as lean as SciPy allows; parallel edges add up.

    ``size``: number of nodes; ``u``, ``v``, shape (e,): ends of each edge, a loop counting for
    nothing; ``conductance``, shape (e,): its weight. Returns shape (size, size).
    """
    conductance = _without_loops(u, v, conductance)
    u, v = u.astype(np.int32, copy=False), v.astype(np.int32, copy=False)
    nodes = np.arange(size, dtype=np.int32)
    degree = degrees(size, u, v, conductance)
    entries = np.concatenate([degree, -conductance, -conductance])
    ends = np.concatenate([nodes, u, v]), np.concatenate([nodes, v, u])
    return csr_array((entries, ends), shape=(size, size))


def grounded(
    size: int, u: NDArray[np.integer], v: NDArray[np.integer], conductance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Assemble a connected graph's dense Laplacian and fill in its null space, in Fortran order.

    The same constant everywhere makes it invertible and changes no resistance and no centred
    potential; this one has the size of a typical eigenvalue. See :func:`laplacian`.
    """
    conductance = _without_loops(u, v, conductance)
    flat = np.bincount(u * np.int64(size) + v, -conductance, size * size)
    matrix = np.asarray(flat, np.float64).reshape(size, size)
    matrix = matrix + matrix.T
    matrix[np.diag_indices(size)] += degrees(size, u, v, conductance)
    matrix += np.trace(matrix) / size**2 if size > 1 else 1.0
    return matrix.T


def _without_loops(
    u: NDArray[np.integer], v: NDArray[np.integer], conductance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Set loops to 0: put on the diagonal and taken off again they leave rounding errors."""
    loop = u == v
    return np.where(loop, 0.0, conductance) if loop.any() else conductance


def degrees(
    size: int, u: NDArray[np.integer], v: NDArray[np.integer], conductance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Total conductance at each node, shape (size,)."""
    found = np.bincount(u, conductance, size) + np.bincount(v, conductance, size)
    return np.asarray(found, np.float64)


def currents(
    size: int, u: NDArray[np.integer], v: NDArray[np.integer], pull: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add up what each edge's pull, from v to u, injects at the nodes, shape (size,)."""
    return np.asarray(np.bincount(u, pull, size) - np.bincount(v, pull, size), np.float64)
