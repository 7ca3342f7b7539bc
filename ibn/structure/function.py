"""F(M) from responses: what is measured is an upper bound on it, by construction.

F(M) is the least mean d_IB within a cell over all ways to split the response space into M cells
of between |Y|/(2M) and 2|Y|/M (theory §1). Here the ways are those of recursive bisection, which
another partition may beat. Each partition is fitted on one half of the responses and measured on
the other, so that it holds for responses it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import pdist, squareform

from ibn.bias.edges import Bias
from ibn.bias.neighbours import NeighbourGraph
from ibn.errors import InputError
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.structure.partition import Distances, Geometry, Points, Rows, bisect

LEAST_CELL = 16  # responses that each cell of the finest partition is fitted on, on average
MOST_RESPONSES = 4000


@dataclass(frozen=True, eq=False)
class Structure:
    """An estimated structural function.

    Attributes
    ----------
    cells : ndarray of int, shape (k,)
        Numbers M of cells, powers of two.
    value : ndarray, shape (k,)
        Mean d_IB of two responses of one cell, in squared units of reward: F(M), or more by what
        bisection loses to the best partition.
    covariance : ndarray, shape (k, k)
        Of ``value``: from having only these responses (jackknife), and from the random halves.
    responses : int
        How many it was estimated from.
    """

    cells: NDArray[np.int64]
    value: NDArray[np.float64]
    covariance: NDArray[np.float64]
    responses: int

    @property
    def stderr(self) -> NDArray[np.float64]:
        """Standard error of ``value``, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))


def estimate_structure(
    points: NDArray[np.floating],
    cells: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    metric: str = "cosine",
    exponent: float = 2.0,
    scale: float = 1.0,
    groups: ArrayLike | None = None,
    most: int = MOST_RESPONSES,
    repeats: int = 4,
) -> Structure:
    """Estimate the structural function of the responses that an embedding matrix samples.

    d_IB is scale · ℓ^exponent, with ℓ as in :class:`ibn.bias.neighbours.NeighbourGraph`: squared
    length, by default, is what a reward linear in the embedding (a Bayesian last layer) has.

    Parameters
    ----------
    points : ndarray, shape (m, d)
        A row a response, drawn independently (but for ``groups``) from the response space.
    cells : array_like of int, optional
        Numbers M of cells, powers of two; by default from 1 to as many as leave each cell
        16 responses on average in either half.
    rng : numpy.random.Generator
        Halves the responses.
    metric : {"cosine", "euclidean"}
        Of ℓ.
    exponent, scale : float
        Of d_IB; positive.
    groups : array_like of int, shape (m,), optional
        Responses drawn together, such as those to one prompt: standard errors treat the groups
        as independent, not the responses.
    most : int
        Beyond so many responses, a random subset of so many is used.
    repeats : int
        Random halvings to average over, at least 2.

    Returns
    -------
    Structure
        An upper bound on F(M) at each M, with its covariance.

    Raises
    ------
    InputError
        If there are too few responses, or an argument is out of range.
    """
    graph = NeighbourGraph(points, metric=metric, exponent=exponent, scale=scale)
    rows, labels = _choose(len(graph.points), groups, most, rng)
    chosen = graph.points[rows]
    geometry: Geometry
    if exponent == 2.0:
        geometry = Points(np.sqrt(scale) * chosen)
    else:
        geometry = Distances(scale * squareform(pdist(chosen)) ** exponent)
    return _estimate(geometry, cells, labels, repeats, rng)


def structural_function_of_distances(
    distances: ArrayLike,
    cells: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    repeats: int = 4,
) -> Structure:
    """Estimate the structural function from d_IB between responses.

    Parameters
    ----------
    distances : array_like, shape (m, m)
        d_IB between any two responses: symmetric, zero on the diagonal, not negative.
    cells, rng, groups, repeats
        As for :func:`estimate_structure`.

    Raises
    ------
    InputError
        If there are too few responses, or the matrix is no matrix of distances.
    """
    matrix = np.asarray(distances, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"distances of shape {matrix.shape} are no square matrix")
    if not (np.isfinite(matrix).all() and matrix.min(initial=0.0) >= 0.0):
        raise InputError("distances must be finite and not negative")
    if np.any(np.diag(matrix)) or not np.allclose(matrix, matrix.T):
        raise InputError("distances must be symmetric, and zero from a response to itself")
    rows, labels = _choose(len(matrix), groups, len(matrix), rng)
    return _estimate(Distances(matrix[np.ix_(rows, rows)]), cells, labels, repeats, rng)


def bias_distances(bias: Bias, responses: NDArray) -> NDArray[np.float64]:
    """d_IB between responses along the edges of an inductive bias alone.

    Parameters
    ----------
    bias : Bias
        Anything that lays edges, such as the ``bias`` of a network.
    responses : ndarray, shape (m,)

    Returns
    -------
    ndarray of float64, shape (m, m)
        Infinite where no path of inductive-bias edges leads.
    """
    none = np.empty(0, np.int64)
    network = build_network(bias, Comparisons(responses, none, none), 1.0)
    return dijkstra(network.least()[0], indices=network.nodes)[:, network.nodes]


def _choose(
    m: int, groups: ArrayLike | None, most: int, rng: np.random.Generator
) -> tuple[Rows, NDArray[np.int64]]:
    """Choose at most ``most`` responses and number their groups from 0 on."""
    labels = np.arange(m) if groups is None else np.asarray(groups)
    if labels.shape != (m,):
        raise InputError(f"groups of shape {labels.shape} for {m} responses")
    rows = np.arange(m) if m <= most else np.sort(rng.choice(m, most, replace=False))
    return rows, np.unique(labels[rows], return_inverse=True)[1]


def _depth(cells: ArrayLike | None, m: int) -> tuple[int, NDArray[np.int64]]:
    """Count the splits to make; check the numbers of cells asked for."""
    finest = int(np.log2(max(m // 2, 1) / LEAST_CELL)) if m >= 2 * LEAST_CELL else 0
    if finest < 1:
        raise InputError(
            f"{m} responses are too few for a structural function",
            fix=f"give at least {4 * LEAST_CELL}",
        )
    wanted = 2 ** np.arange(finest + 1) if cells is None else np.atleast_1d(np.asarray(cells))
    powers = np.log2(np.maximum(wanted, 1))
    if not wanted.size or np.any(wanted < 1) or np.any(powers % 1):
        raise InputError(f"numbers of cells must be powers of two, not {wanted.tolist()}")
    if powers.max() > finest:
        raise InputError(
            f"{m} responses are too few for {wanted.max()} cells", fix=f"at most {2**finest}"
        )
    return int(powers.max()), np.unique(wanted.astype(np.int64))


def _estimate(
    geometry: Geometry,
    cells: ArrayLike | None,
    groups: NDArray[np.int64],
    repeats: int,
    rng: np.random.Generator,
) -> Structure:
    m, count = len(geometry), int(groups.max(initial=0)) + 1
    depth, wanted = _depth(cells, min(m, 2 * count))
    if repeats < 2:
        raise InputError(f"repeats must be at least 2, not {repeats}")
    values = np.zeros((repeats, depth + 1))
    pulls = np.zeros((depth + 1, m))
    for value in values:
        chosen = np.isin(groups, rng.permutation(count)[: count // 2])
        halves = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        for fitted, seen in (halves, halves[::-1]):
            partitions = bisect(geometry, fitted, seen, depth, rng)
            for level, (_, parts) in enumerate(partitions):
                mean, pull = _within(geometry, parts)
                value[level] += mean / 2.0
                for part, one in zip(parts, pull, strict=True):
                    pulls[level, part] += one / (2.0 * len(seen) * repeats)
    by_group = np.array([np.bincount(groups, pull, count) for pull in pulls])
    covariance = count * np.cov(by_group, bias=True) + np.cov(values.T) / repeats
    at = np.log2(wanted).astype(int)
    return Structure(wanted, values.mean(axis=0)[at], covariance[np.ix_(at, at)], m)


def _within(geometry: Geometry, parts: list[Rows]) -> tuple[float, list[NDArray[np.float64]]]:
    """Mean d_IB of a response and another of its cell, and each response's pull on that mean.

    The pull is the jackknife's: (count - 1) times what leaving the response out changes.
    """
    sizes = np.array([len(part) for part in parts])
    sums = [geometry.sums(part) if len(part) else np.empty(0) for part in parts]
    totals = np.array([one.sum() for one in sums])
    terms = np.where(sizes > 1, totals / np.maximum(sizes - 1, 1), 0.0)
    count = sizes[sizes > 1].sum()  # a response alone in its cell has no other
    mean = terms.sum() / count
    pull = []
    for one, size, total, term in zip(sums, sizes, totals, terms, strict=True):
        left = (total - 2.0 * one) / (size - 2) if size > 2 else np.zeros(size)
        gone = {0: 0, 1: 0, 2: 2}.get(int(size), 1)
        pull.append((count - 1) * (mean - (terms.sum() - term + left) / max(count - gone, 1)))
    return float(mean), pull
