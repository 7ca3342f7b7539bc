"""A neighbour graph over an embedding matrix: the inductive bias of real data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ibn.bias.edges import BiasEdges
from ibn.bias.nearest import (
    Cells,
    lengths,
    link_components,
    nearest,
    nearest_by_cells,
    recall,
)
from ibn.checks import one_of, positions, positive, whole
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.pair_code import pair_code, pair_of

METRICS = ("cosine", "euclidean")
MODES = ("symmetric", "mutual")
EXACT_ROWS = 20_000  # up to here all are compared with all, within a minute


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """Responses tied to their nearest neighbours in an embedding.

    Neighbours at distance ℓ get an edge of variance scale · ℓ^exponent. Exponent 2 is what a
    reward linear in the embedding would have (a Bayesian last layer), 1 a rougher reward. No edge
    has less than ``floor`` times the variance of the median edge between neighbours: different
    responses of the same embedding may still differ in reward.

    Attributes
    ----------
    embeddings : ndarray of float, shape (m, d)
        A row a response.
    neighbours : int
        k >= 1, how many neighbours each response names (fewer where there are fewer).
    metric : {"cosine", "euclidean"}
        ℓ is the Euclidean distance, for ``cosine`` between rows scaled to length 1, so that
        ℓ² = 2 (1 - cos); rows of zeros stay at the origin.
    mode : {"symmetric", "mutual"}
        Whether an edge needs one of its ends to name the other, or both.
    exponent, scale, floor : float
        The variance of an edge, see above; all positive.
    connect : bool
        Whether to join components by the shortest links between them (a minimum spanning tree
        of the components). Their variance follows the same rule.
    seed : int
        Of the approximate search that serves more than 20,000 rows.

    Raises
    ------
    InputError
        If a parameter is out of range or unknown, or an embedding is not finite.
    """

    embeddings: NDArray[np.floating]
    neighbours: int = 10
    metric: str = "cosine"
    mode: str = "symmetric"
    exponent: float = 2.0
    scale: float = 1.0
    floor: float = 1e-3
    connect: bool = True
    seed: int = 0
    points: NDArray[np.floating] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        one_of("metric", self.metric, METRICS)
        one_of("mode", self.mode, MODES)
        whole("neighbours", self.neighbours, 1)
        whole("seed", self.seed)
        for name in ("exponent", "scale", "floor"):
            positive(name, getattr(self, name))
        points = check_embeddings(self.embeddings)
        if self.metric == "cosine":
            norm = np.linalg.norm(points, axis=1, keepdims=True)
            points = np.divide(points, norm, out=np.zeros_like(points), where=norm > 0)
        object.__setattr__(self, "points", points)

    def edges(self, responses: NDArray[np.int64]) -> BiasEdges:
        """List the edges among the nearest of these responses, see :meth:`edges_and_links`."""
        return self.edges_and_links(responses)[0]

    def edges_and_links(self, responses: NDArray[np.int64]) -> tuple[BiasEdges, int]:
        """List the edges among the nearest of these responses.

        Parameters
        ----------
        responses : ndarray of int, shape (m,)
            Rows of ``embeddings``, repeats allowed; neighbours are sought among these alone.

        Returns
        -------
        edges : BiasEdges
            A node each distinct row, in the order of the rows.
        links : int
            How many of the last edges are links that ``connect`` added.
        """
        rows = positions("responses", responses, len(self.points), of="the rows of embeddings")
        rows, nodes = np.unique(rows, return_inverse=True)
        points = self.points if len(rows) == len(self.points) else self.points[rows]
        cells = None
        if len(rows) > EXACT_ROWS:
            cells = Cells.of(points, np.random.default_rng(self.seed))
        u, v = self._neighbours(points, cells)
        first = len(u)
        if self.connect:
            links = link_components(points, u, v, cells)
            u, v = np.concatenate([u, links[0]]), np.concatenate([v, links[1]])
        variance = lengths(points, u, v) ** self.exponent
        positive = variance[:first][variance[:first] > 0]
        least = self.floor * (float(np.median(positive)) if positive.size else 1.0)
        variance = self.scale * np.maximum(variance, least)
        return BiasEdges(len(rows), nodes, u, v, variance), len(u) - first

    def recall(self, edges: BiasEdges, rng: np.random.Generator) -> Estimate:
        """Measure the share of true nearest neighbours that a symmetric graph ties, on a sample.

        1 up to 20,000 rows, but for ties; beyond, neighbours are sought approximately.

        Parameters
        ----------
        edges : BiasEdges
            The edges among all rows.
        rng : numpy.random.Generator
            Chooses the sample.
        """
        ends = np.concatenate([edges.u, edges.v]), np.concatenate([edges.v, edges.u])
        k = min(int(self.neighbours), edges.size - 1)
        return recall(self.points, *ends, k, rng)

    def _neighbours(
        self, points: NDArray[np.floating], cells: Cells | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of neighbours, each once."""
        m = len(points)
        k = min(int(self.neighbours), m - 1)
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        found = nearest(points, k) if cells is None else nearest_by_cells(points, k, cells)
        near, far = np.repeat(np.arange(m), k), found.ravel()
        pair, named = np.unique(pair_code(near, far, m), return_counts=True)
        if self.mode == "mutual":
            pair = pair[named == 2]
        return pair_of(pair, m)


def check_embeddings(
    matrix: NDArray, *, rows: int | None = None, file: object = None
) -> NDArray[np.floating]:
    """Check an embedding matrix and return it, shape (m, d), as float32 or float64.

    ``rows`` there must be, the number of distinct responses; ``file`` is where it comes from, for
    the error. Raises InputError if it is not a matrix of finite numbers with that many rows.
    """
    try:
        matrix = np.asarray(matrix)
    except ValueError:
        raise InputError("embeddings are rows of different lengths", file=file) from None
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(
            f"embeddings of shape {matrix.shape} are no matrix of a row a response", file=file
        )
    if matrix.dtype.kind not in "fiu":
        raise InputError(f"embeddings of type {matrix.dtype}, not numbers", file=file)
    if rows is not None and len(matrix) != rows:
        raise InputError(
            f"{len(matrix)} rows of embeddings for {rows} distinct responses",
            file=file,
            fix="one row a distinct (prompt, response), in order of first appearance, chosen "
            "before rejected",
        )
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float32 if matrix.dtype == np.float16 else np.float64)
    with np.errstate(over="ignore"):
        reach = 8.0 * np.einsum("ij,ij->i", matrix, matrix)  # no squared distance is above it
    bad = np.flatnonzero(~np.isfinite(reach))
    if bad.size:
        row = matrix[bad[0]]
        held = "infinity" if np.isinf(row).any() else "huge numbers"
        held = "NaN" if np.isnan(row).any() else held
        raise InputError(f"row {bad[0]} of the embeddings, counted from 0, holds {held}", file=file)
    return matrix
