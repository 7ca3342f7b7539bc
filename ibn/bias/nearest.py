"""Nearest neighbours among the rows of a matrix: exact, approximate, and between components."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ibn.estimate import Estimate
from ibn.kernels.select import nearest_columns, nearest_elsewhere, nearest_of, pair_distances
from ibn.threads import in_threads

BLOCK_ENTRIES = 2**23  # of one block of a distance matrix, so that memory stays bounded
PROBES = 32  # cells that an approximate search looks into
CELL_ROWS = 256  # on average, at most: beyond 65,000 rows the cost of a row no longer grows
SPARE = 2  # times k rows that it ranks by their whole distance
CARRIED = 0.95  # share of the variance in the coordinates that it looks at first
FEW_COORDINATES = 32  # that many are all looked at
AXES_ROWS = 8192  # sampled for principal components
TILE = 2**15  # columns compared with a block of rows at a time, so that products are not starved
MOST_COMPARED = 5e10  # pairs of rows, to link components by their very shortest links
ASKED = 256  # rows of a component that are compared with those near them, beyond that
ALONE = 32  # rows of a component that has no other near it, which are compared with all
ROUNDING = 1e-5  # times the largest squared norm: what a squared distance may be off


def row_blocks(rows: int, columns: int) -> list[slice]:
    """Cut the rows of a (rows, columns) matrix into blocks of bounded size."""
    step = max(1, BLOCK_ENTRIES // max(columns, 1))
    return [slice(low, min(low + step, rows)) for low in range(0, rows, step)]


def _tiles(columns: int) -> list[slice]:
    """Cut the columns of a matrix into even tiles."""
    bounds = np.linspace(0, columns, -(-columns // TILE) + 1).astype(int).tolist()
    return [slice(low, high) for low, high in pairwise(bounds)]


def lengths(
    points: NDArray[np.floating], u: NDArray[np.int64], v: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Euclidean distance between rows u and v, from their differences, so without cancellation.

    ``points``, shape (m, d); ``u``, ``v``, shape (e,). Returns shape (e,).
    """
    blocks = row_blocks(len(u), points.shape[1])
    found = in_threads(lambda block: pair_distances(points, u[block], v[block]), blocks)
    return np.concatenate([np.empty(0), *found])


def squared_norms(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Square the length of each row."""
    return np.einsum("ij,ij->i", points, points)


def nearest(points: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Find the k rows nearest to each row by comparing all with all.

    ``points``, shape (m, d); ``k``: 1 <= k < m. Returns shape (m, k): from near to far, itself left
    out.
    """
    m = len(points)
    norms, rows = squared_norms(points), np.arange(m)
    return np.concatenate(
        [nearest_columns(points[i] @ points.T, norms, rows[i], k) for i in row_blocks(m, m)]
    )


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows in cells around centres: an inverted file (Jégou et al. 2011).

    There are about √m cells, of at most ``CELL_ROWS`` rows on average, around centres found by
    k-means.

    Attributes
    ----------
    short : ndarray of float32, shape (m, k)
        Coordinates along the leading principal components, which carry ``CARRIED`` of the variance:
        fewer, and of fewer digits, they cost a fraction of the time.
    cell : ndarray of int, shape (m,)
        The cell of each row.
    order : ndarray of int, shape (m,)
        The rows, cell by cell.
    start : ndarray of int, shape (cells + 1,)
        Where in ``order`` each cell begins, and the last one ends.
    apart : ndarray of float, shape (cells, cells)
        Squared distances between centres, but for a term a row; least on the diagonal.
    """

    short: NDArray[np.float32]
    cell: NDArray[np.int64]
    order: NDArray[np.int64]
    start: NDArray[np.int64]
    apart: NDArray[np.floating]

    @classmethod
    def of(cls, points: NDArray[np.floating], rng: np.random.Generator) -> Cells:
        """Put rows into cells. ``rng`` chooses the samples that axes and centres are fitted to."""
        m = len(points)
        short = leading_components(points, None, rng).astype(np.float32)
        centres = _centres(short, max(1, round(m / min(np.sqrt(m), CELL_ROWS))), rng)
        cell = _closest(short, centres)
        order = np.argsort(cell, kind="stable")
        start = np.searchsorted(cell[order], np.arange(len(centres) + 1))
        apart = squared_norms(centres) - 2.0 * centres @ centres.T
        np.fill_diagonal(apart, -np.inf)
        return cls(short, cell, order, start, apart)

    def near(self, i: int, rows: int, probes: int = PROBES) -> NDArray[np.int64]:
        """List the rows of the cells nearest to cell i, its own first.

        They are ``probes`` cells, and more where these hold fewer than so many rows.
        """
        ranked = np.argsort(self.apart[i])
        enough = int(np.searchsorted(np.cumsum(np.diff(self.start)[ranked]), rows)) + 1
        near = ranked[: max(probes, enough)]
        return np.concatenate([self.order[self.start[j] : self.start[j + 1]] for j in near])


def nearest_by_cells(
    points: NDArray[np.floating], k: int, cells: Cells, probes: int = PROBES
) -> NDArray[np.int64]:
    """Find most of the k rows nearest to each row.

    Each row is compared with those of the ``probes`` cells whose centres are nearest to its own
    cell's, along the cells' few axes; the best few are then ranked by their distances in full. What
    this misses, :func:`recall` measures.

    ``points``, shape (m, d); ``k``: 1 <= k < m; ``cells``: of these points. Returns shape (m, k):
    from near to far, itself left out.
    """
    m, short = len(points), cells.short
    width = min(SPARE * k, m - 1)
    norms = squared_norms(short)
    result = np.empty((m, k), np.int64)

    size = np.diff(cells.start)

    def search(i: int) -> None:
        near = cells.near(i, width + 1, probes)
        candidates, norm = short[near], norms[near]
        for block in row_blocks(size[i], len(near)):
            product = candidates[block] @ candidates.T
            own = np.arange(block.start, block.stop)
            found = near[nearest_columns(product, norm, own, width)]
            result[near[block]] = nearest_of(points, near[block], found, k)

    in_threads(search, np.flatnonzero(size).tolist())
    return result


def leading_components(
    points: NDArray[np.floating], kept: int | None, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Find coordinates along the leading principal components of a sample of the rows.

    ``points``, shape (m, d); ``kept``: how many; by default as many as carry ``CARRIED`` of the
    variance, at least ``FEW_COORDINATES``; ``rng``: chooses the sample. Returns shape (m, kept):
    the points themselves where little would be saved.
    """
    m, d = points.shape
    if d <= (kept or FEW_COORDINATES):
        return points
    sample = points[rng.choice(m, min(m, AXES_ROWS), replace=False)].astype(np.float64)
    centre = sample.mean(axis=0)
    power, axes = np.linalg.eigh((sample - centre).T @ (sample - centre))
    if kept is None:
        carried = np.cumsum(power[::-1])
        enough = int(np.searchsorted(carried, CARRIED * carried[-1])) + 1
        kept = max(FEW_COORDINATES, enough)
        if kept > d // 2:
            return points
    leading = np.ascontiguousarray(axes[:, ::-1][:, :kept], points.dtype)
    shift = centre.astype(points.dtype) @ leading
    project = in_threads(lambda block: points[block] @ leading - shift, row_blocks(m, d))
    return np.concatenate(project)


def _centres(
    points: NDArray[np.floating], cells: int, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Fit centres to a sample by a few rounds of Lloyd's k-means."""
    sample = points[rng.choice(len(points), min(len(points), 32 * cells), replace=False)]
    centres = sample[:cells].copy()
    for _ in range(5):
        cell = _closest(sample, centres)
        count = np.bincount(cell, minlength=cells)
        used = count > 0
        member = csr_array(
            (np.ones(len(sample), points.dtype), (cell, np.arange(len(sample)))),
            shape=(cells, len(sample)),
        )
        centres[used] = (member @ sample)[used] / count[used, None].astype(points.dtype)
    return centres


def _closest(points: NDArray[np.floating], centres: NDArray[np.floating]) -> NDArray[np.int64]:
    """Find the centre nearest to each row."""
    norms, turned = squared_norms(centres), np.ascontiguousarray(-2.0 * centres.T)

    def search(block: slice) -> NDArray[np.int64]:
        squared = points[block] @ turned
        squared += norms
        return np.argmin(squared, axis=1)

    return np.concatenate(in_threads(search, row_blocks(len(points), len(centres))))


def recall(
    points: NDArray[np.floating],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    k: int,
    rng: np.random.Generator,
    queries: int = 512,
) -> Estimate:
    """Measure the share of the true k nearest rows that arcs lead to, on a sample of rows.

    ``points``, shape (m, d); ``u``, ``v``, shape (e,): arcs, from u to v; ``k``: 1 <= k < m;
    ``rng``: chooses the rows; ``queries``: how many of them, each compared with all rows; the
    standard error is over them.
    """
    m = len(points)
    rows = np.sort(rng.choice(m, min(m, queries), replace=False))
    norms = squared_norms(points)

    def search(block: slice) -> NDArray[np.int64]:
        some, found = rows[block], []
        for tile in _tiles(m):
            inside = (some >= tile.start) & (some < tile.stop)
            own = np.where(inside, some - tile.start, -1)
            product = points[some] @ points[tile].T
            found.append(tile.start + nearest_columns(product, norms[tile], own, k))
        return nearest_of(points, some, np.concatenate(found, axis=1), k)

    true = np.concatenate(in_threads(search, row_blocks(len(rows), TILE)))
    asked = np.zeros(m, bool)
    asked[rows] = True
    arcs = asked[u]
    known = u[arcs].astype(np.int64) * m + v[arcs]
    return Estimate.of(np.isin(rows[:, None] * m + true, known).mean(axis=1))


def _nearest_elsewhere(
    points: NDArray[np.floating], label: NDArray[np.integer], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Find the row nearest to each of some rows among those of another label.

    Returns them and the squared distances, but for ``ROUNDING``.
    """
    norms = squared_norms(points)

    def search(block: slice) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        some = rows[block]
        found, least = np.zeros(len(some), np.int64), np.full(len(some), np.inf)
        for tile in _tiles(len(points)):
            product = points[some] @ points[tile].T
            column, value = nearest_elsewhere(product, norms[tile], label[tile], label[some])
            found = np.where(value < least, tile.start + column, found)
            least = np.minimum(value, least)
        return found, least + norms[some]

    parts = in_threads(search, row_blocks(len(rows), TILE))
    found, squared = (np.concatenate(each) for each in zip(*parts, strict=True))
    return found, squared


def _contenders(
    points: NDArray[np.floating],
    short: NDArray[np.floating],
    label: NDArray[np.integer],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Leave out rows that the shortest link out of their label cannot begin at.

    Along a few orthogonal axes rows are no further apart than they are, so that a row whose
    nearest is too far away there is out of the question.
    """
    partner, least = _nearest_elsewhere(short, label, rows)
    shortest = np.full(label.max() + 1, np.inf)
    np.minimum.at(shortest, label[rows], lengths(points, rows, partner) ** 2)
    slack = ROUNDING * squared_norms(short).max()
    return rows[least <= shortest[label[rows]] + slack]


def _near_elsewhere(
    cells: Cells, label: NDArray[np.integer], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find, for some rows of each label, the nearest row of another label in near cells.

    Returns the rows for which there is one, and these. Of a label for which there is none at all, a
    few rows are compared with all rows instead.
    """
    rows = _some_of_each(label, rows, ASKED)
    norms = squared_norms(cells.short)
    found = np.full(len(rows), -1)
    order = np.argsort(cells.cell[rows], kind="stable")
    held, start = np.unique(cells.cell[rows][order], return_index=True)

    def search(job: tuple[int, NDArray[np.int64]]) -> None:
        i, mine = job
        near = cells.near(i, 1)
        candidates = cells.short[near]
        for block in row_blocks(len(mine), len(near)):
            some = rows[mine[block]]
            product = cells.short[some] @ candidates.T
            column, value = nearest_elsewhere(product, norms[near], label[near], label[some])
            found[mine[block]] = np.where(np.isfinite(value), near[column], -1)

    in_threads(search, list(zip(held.tolist(), np.split(order, start[1:]), strict=True)))
    alone = rows[~np.isin(label[rows], label[rows[found >= 0]])]
    rows, found = rows[found >= 0], found[found >= 0]
    if len(alone):
        alone = _some_of_each(label, alone, ALONE)
        far, _ = _nearest_elsewhere(cells.short, label, alone)
        rows, found = np.concatenate([rows, alone]), np.concatenate([found, far])
    return rows, found


def _some_of_each(
    label: NDArray[np.integer], rows: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """Pick at most so many rows of each label, evenly."""
    rows = rows[np.argsort(label[rows], kind="stable")]
    _, first, count = np.unique(label[rows], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(first, count)
    return rows[place % np.repeat(-(-count // most), count) == 0]


def link_components(
    points: NDArray[np.floating],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    cells: Cells | None = None,
    most: float = MOST_COMPARED,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the shortest links that join the components of a graph into one.

    Borůvka's rounds: every component but the largest takes the shortest link out of it, which is
    enough for the links to be a minimum spanning tree of the components. The cost is that of
    comparing all rows outside the largest component with all rows, a round. Where these are more
    than ``most`` pairs, only some rows of each component look into near cells, and links may not be
    the shortest.

    ``points``, shape (m, d); ``u``, ``v``, shape (e,): edges of the graph; ``cells``: of these
    points, along whose few axes rows are compared first. Returns ``u, v``: the links, one fewer
    than there are components.
    """
    m = len(points)
    links_u, links_v = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    while True:
        ends = np.concatenate([u, *links_u]), np.concatenate([v, *links_v])
        graph = csr_array((np.ones(len(ends[0]), np.int8), ends), shape=(m, m))
        count, label = connected_components(graph, directed=False)
        if count <= 1:
            return np.concatenate(links_u), np.concatenate(links_v)
        rows = np.flatnonzero(label != np.argmax(np.bincount(label)))
        if cells is not None and len(rows) * m > most:
            rows, partner = _near_elsewhere(cells, label, rows)
        else:
            if cells is not None:
                rows = _contenders(points, cells.short, label, rows)
            partner, _ = _nearest_elsewhere(points, label, rows)
        # The shortest link of each component; of links as short, any that closes no circle.
        length = lengths(points, rows, partner)
        order = np.lexsort((length, label[rows]))
        shortest = order[np.unique(label[rows][order], return_index=True)[1]]
        shortest = shortest[np.argsort(length[shortest], kind="stable")]
        joined = DisjointSet(range(count))
        chosen = [i for i in shortest if joined.merge(label[rows[i]], label[partner[i]])]
        links_u.append(rows[chosen])
        links_v.append(partner[chosen])
