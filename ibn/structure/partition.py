"""Balanced partitions: recursive bisection by 2-means whose cells keep within size bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

POWER_STEPS, LLOYD_STEPS = 12, 12

Rows = NDArray[np.int64]
Projection = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Geometry(Protocol):
    """Responses among which d_IB is known, as the square of a distance in a Euclidean space."""

    def __len__(self) -> int:
        """Count the responses."""
        ...

    def projection(self, rows: Rows, onto: Rows) -> Projection:
        """From weights that sum to 0 to inner products of ``rows`` with Σ weight · onto.

        One constant may be added to all of them, the same whatever the rows.
        """
        ...

    def sums(self, rows: Rows) -> NDArray[np.float64]:
        """Sum d_IB from each of ``rows`` to all of them."""
        ...


class Points:
    """Responses as points, shape (m, d): d_IB is the squared distance."""

    def __init__(self, points: NDArray[np.floating]) -> None:
        self.points = np.asarray(points - points.mean(axis=0), np.float64)

    def __len__(self) -> int:
        return len(self.points)

    def projection(self, rows: Rows, onto: Rows) -> Projection:
        """See :class:`Geometry`."""
        ends, others = self.points[rows], self.points[onto]
        return lambda weight: ends @ (weight @ others)

    def sums(self, rows: Rows) -> NDArray[np.float64]:
        """See :class:`Geometry`; through the centroid, so that no pair need be formed."""
        inside = self.points[rows] - self.points[rows].mean(axis=0)
        square = np.einsum("ij,ij->i", inside, inside)
        return len(rows) * square + square.sum()


class Distances:
    """Responses known by the d_IB between any two: a symmetric matrix, zero on its diagonal.

    What no Euclidean space holds is still split, only less well.
    """

    def __init__(self, matrix: NDArray[np.float64]) -> None:
        self.matrix = matrix

    def __len__(self) -> int:
        return len(self.matrix)

    def projection(self, rows: Rows, onto: Rows) -> Projection:
        """See :class:`Geometry`: -d/2 differs from an inner product by terms of one end alone."""
        block = -0.5 * self.matrix[np.ix_(rows, onto)]
        return lambda weight: block @ weight

    def sums(self, rows: Rows) -> NDArray[np.float64]:
        """See :class:`Geometry`."""
        return self.matrix[np.ix_(rows, rows)].sum(axis=1)


def bisect(
    geometry: Geometry, fitted: Rows, seen: Rows, depth: int, rng: np.random.Generator
) -> Iterator[tuple[list[Rows], list[Rows]]]:
    """Partition responses into 1, 2, 4, … 2^depth cells, by a rule fitted on others.

    The rule is fitted on ``fitted``, of which M cells have between 1/(2M) and 2/M each, and applied
    to ``seen``. Yields the cells of both.
    """
    cells, others = [fitted], [seen]
    yield cells, others
    for level in range(1, depth + 1):
        least, most = len(fitted) / 2 ** (level + 1), 2 * len(fitted) / 2**level
        split = [
            _split(geometry, cell, other, least, most, rng)
            for cell, other in zip(cells, others, strict=True)
        ]
        cells = [part for (parts, _) in split for part in parts]
        others = [part for (_, parts) in split for part in parts]
        yield cells, others


def _split(
    geometry: Geometry,
    fitted: Rows,
    seen: Rows,
    least: float,
    most: float,
    rng: np.random.Generator,
) -> tuple[tuple[Rows, Rows], tuple[Rows, Rows]]:
    """Split a cell in two by 2-means, each part of a size between ``least`` and ``most``."""
    size = len(fitted)
    low = min(max(int(np.ceil(least)), size - int(most), 1), size // 2)
    project = geometry.projection(fitted, fitted)
    score = _principal(project, size, rng)
    first = np.zeros(size, bool)
    first[np.argsort(score, kind="stable")[size // 2 :]] = True
    for _ in range(LLOYD_STEPS):
        weight = np.where(first, 1.0 / first.sum(), -1.0 / (size - first.sum()))
        score = project(weight)
        middle = (score[first].mean() + score[~first].mean()) / 2.0
        order = np.argsort(score, kind="stable")
        cut = int(np.clip(np.count_nonzero(score <= middle), low, size - low))
        edge = (score[order[cut - 1]] + score[order[cut]]) / 2.0
        before, first = first, np.zeros(size, bool)
        first[order[cut:]] = True
        if np.array_equal(before, first):
            break
    side = geometry.projection(seen, fitted)(weight) > edge
    return (fitted[first], fitted[~first]), (seen[side], seen[~side])


def _principal(project: Projection, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coordinates along the principal direction, roughly, by power iteration."""
    score = rng.normal(size=size)
    for _ in range(POWER_STEPS):
        score -= score.mean()
        score = project(score / max(float(np.linalg.norm(score)), 1e-300))
    return score
