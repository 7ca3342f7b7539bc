"""Nearest neighbours among the rows of a matrix: exact, approximate, and between components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

BLOCK_ENTRIES = 2**23  # of one block of a distance matrix, so that memory stays bounded


def row_blocks(rows: int, columns: int) -> list[slice]:
    """Cut the rows of a (rows, columns) matrix into blocks of bounded size."""
    step = max(1, BLOCK_ENTRIES // max(columns, 1))
    return [slice(low, min(low + step, rows)) for low in range(0, rows, step)]


def lengths(
    points: NDArray[np.floating], u: NDArray[np.int64], v: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Euclidean distance between rows u and v, from their differences, so without cancellation.

    Parameters
    ----------
    points : ndarray of float, shape (m, d)
    u, v : ndarray of int, shape (e,)

    Returns
    -------
    ndarray of float64, shape (e,)
    """
    result = np.empty(len(u))
    for block in row_blocks(len(u), points.shape[1]):
        difference = points[u[block]].astype(np.float64) - points[v[block]]
        result[block] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return result


def _squared_distances(
    x: NDArray[np.floating], y: NDArray[np.floating], y_norms: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Squared distances between rows, up to rounding."""
    product = x @ y.T
    product *= -2.0
    product += np.einsum("ij,ij->i", x, x)[:, None]
    product += y_norms
    return product


def nearest(points: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Find the k rows nearest to each row by comparing all with all.

    Parameters
    ----------
    points : ndarray of float, shape (m, d)
    k : int
        1 <= k < m.

    Returns
    -------
    ndarray of int, shape (m, k)
        From near to far, itself left out; which of equally distant rows is open.
    """
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    return search.kneighbors(return_distance=False).astype(np.int64)


def nearest_by_cells(
    points: NDArray[np.floating], k: int, rng: np.random.Generator, probes: int = 16
) -> NDArray[np.int64]:
    """Find most of the k rows nearest to each row: an inverted file (Jégou et al. 2011).

    Rows fall into about √m cells around centres found by k-means; each is compared with those
    of the ``probes`` cells whose centres are nearest to its own cell's. What this misses,
    :func:`recall` measures.

    Parameters
    ----------
    points : ndarray of float, shape (m, d)
    k : int
        1 <= k < m.
    rng : numpy.random.Generator
        Chooses the sample that the centres are fitted to.
    probes : int
        Cells searched; more are searched where these hold too few rows.

    Returns
    -------
    ndarray of int, shape (m, k)
        From near to far, itself left out.
    """
    m = len(points)
    centres = _centres(points, max(1, round(np.sqrt(m))), rng)
    cell = np.concatenate(
        [_closest(points[block], centres) for block in row_blocks(m, len(centres))]
    )
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(len(centres) + 1))
    members = [order[low:high] for low, high in zip(start[:-1], start[1:], strict=True)]
    size = np.diff(start)
    between = _squared_distances(centres, centres, np.einsum("ij,ij->i", centres, centres))
    norms = np.einsum("ij,ij->i", points, points)
    result = np.empty((m, k), np.int64)
    for i in np.flatnonzero(size):
        ranked = np.argsort(between[i])
        enough = int(np.searchsorted(np.cumsum(size[ranked]), k + 1)) + 1
        near = np.concatenate([members[j] for j in ranked[: max(probes, enough)]])
        candidates = points[near]
        for block in row_blocks(size[i], len(near)):
            rows = members[i][block]
            distance = _squared_distances(points[rows], candidates, norms[near])
            distance[rows[:, None] == near] = np.inf
            best = np.argpartition(distance, k - 1, axis=1)[:, :k]
            rank = np.argsort(np.take_along_axis(distance, best, 1), axis=1)
            result[rows] = near[np.take_along_axis(best, rank, 1)]
    return result


def _centres(
    points: NDArray[np.floating], cells: int, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Fit centres to a sample by a few rounds of Lloyd's k-means."""
    sample = points[rng.choice(len(points), min(len(points), 32 * cells), replace=False)]
    centres = sample[:cells].copy()
    for _ in range(5):
        nearest_centre = np.concatenate(
            [_closest(sample[block], centres) for block in row_blocks(len(sample), cells)]
        )
        count = np.bincount(nearest_centre, minlength=cells)
        member = csr_array(
            (np.ones(len(sample), points.dtype), (nearest_centre, np.arange(len(sample)))),
            shape=(cells, len(sample)),
        )
        used = count > 0
        centres[used] = (member @ sample)[used] / count[used, None].astype(points.dtype)
    return centres


def _closest(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.int64]:
    """The row of y nearest to each row of x."""
    return np.argmin(np.einsum("ij,ij->i", y, y) - 2.0 * (x @ y.T), axis=1)


def recall(
    points: NDArray[np.floating],
    found: NDArray[np.int64],
    rng: np.random.Generator,
    queries: int = 256,
) -> float:
    """Share of the true k nearest rows that a search found, on a sample of rows.

    Parameters
    ----------
    points : ndarray of float, shape (m, d)
    found : ndarray of int, shape (m, k)
        What the search found for each row.
    rng : numpy.random.Generator
        Chooses the rows.
    queries : int
        How many of them, each compared with all rows.
    """
    m, k = found.shape
    rows = rng.choice(m, min(m, queries), replace=False)
    norms = np.einsum("ij,ij->i", points, points)
    hits = 0
    for block in row_blocks(len(rows), m):
        some = rows[block]
        distance = _squared_distances(points[some], points, norms)
        distance[np.arange(len(some)), some] = np.inf
        # Ties count as found: which of equally distant rows is nearest is open.
        furthest = np.partition(distance, k - 1, axis=1)[:, k - 1 : k]
        hits += np.count_nonzero(np.take_along_axis(distance, found[some], 1) <= furthest)
    return hits / (len(rows) * k)


def link_components(
    points: NDArray[np.floating], u: NDArray[np.int64], v: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the shortest links that join the components of a graph into one.

    Borůvka's rounds: every component but the largest takes the shortest link out of it, which is
    enough for the links to be a minimum spanning tree of the components. The cost is that of
    comparing all rows outside the largest component with all rows, a round.

    Parameters
    ----------
    points : ndarray of float, shape (m, d)
    u, v : ndarray of int, shape (e,)
        Edges of the graph.

    Returns
    -------
    u, v : ndarray of int
        The links, one fewer than there are components.
    """
    m = len(points)
    norms = np.einsum("ij,ij->i", points, points)
    links_u, links_v = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    while True:
        ends = np.concatenate([u, *links_u]), np.concatenate([v, *links_v])
        graph = csr_array((np.ones(len(ends[0]), np.int8), ends), shape=(m, m))
        count, label = connected_components(graph, directed=False)
        if count <= 1:
            return np.concatenate(links_u), np.concatenate(links_v)
        rows = np.flatnonzero(label != np.argmax(np.bincount(label)))
        partner = np.empty(len(rows), np.int64)
        for block in row_blocks(len(rows), m):
            distance = _squared_distances(points[rows[block]], points, norms)
            distance[label[rows[block]][:, None] == label] = np.inf
            partner[block] = np.argmin(distance, axis=1)
        # The shortest link of each component; of links as short, any that closes no circle.
        length = lengths(points, rows, partner)
        order = np.lexsort((length, label[rows]))
        shortest = order[np.unique(label[rows][order], return_index=True)[1]]
        shortest = shortest[np.argsort(length[shortest], kind="stable")]
        joined = DisjointSet(range(count))
        chosen = [i for i in shortest if joined.merge(label[rows[i]], label[partner[i]])]
        links_u.append(rows[chosen])
        links_v.append(partner[chosen])
