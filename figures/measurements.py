"""What a sweep measured, read from its CSV and gathered into curves."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError
from ibn.preferences.noise import LabelNoise
from ibn.theory.rates import Rate, regime_of
from ibn.topology import default_leaves

Rows = NDArray[np.void]
"""A structured array, a field for each of ``COLUMNS``."""

COLUMNS: dict[str, type] = {
    "task": str,
    "topology": str,
    "n": int,
    "family": str,
    "alpha": float,
    "scale": float,
    "branching": int,
    "beta": float,
    "leaves": int,
    "inference": str,
    "replicate": int,
    "seed": int,
    "mean": float,
    "stderr": float,
    "count": int,
    "seconds": float,
}
"""The columns of a sweep that figures read; others may follow them."""

_WORDS = {int: "a whole number", float: "a number"}
_DTYPE = [(name, object if kind is str else kind) for name, kind in COLUMNS.items()]


def read(path: str | os.PathLike[str]) -> Rows:
    """Read the rows of a sweep.

    Parameters
    ----------
    path : path-like
        The CSV file that ``ibn sweep`` writes.

    Returns
    -------
    structured ndarray
        A row a task, with the fields of ``COLUMNS``.

    Raises
    ------
    InputError
        If the file is empty or lacks a column, or a row lacks a value, holds one of the wrong
        kind, or no positive mean with a finite error.
    """
    rows = []
    with open(path, newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        try:
            missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
            if missing:
                raise InputError(
                    "no column " + ", ".join(missing),
                    file=path,
                    line=1,
                    fix="give a file that ibn sweep wrote",
                )
            rows = [_row(cells, path, lines.line_num) for cells in lines]
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"not a CSV file: {error}", file=path) from None
    if not rows:
        raise InputError("holds no results", file=path, fix="run ibn sweep")
    return np.array(rows, dtype=_DTYPE)


def _row(cells: dict[str, str], path: str | os.PathLike[str], line: int) -> tuple:
    values = []
    for name, kind in COLUMNS.items():
        try:
            values.append(kind(cells[name]))
        except (TypeError, ValueError):
            raise InputError(
                f"{name} is {cells[name]!r}, not {_WORDS[kind]}"
                if cells[name] is not None
                else f"the row ends before {name}",
                file=path,
                line=line,
            ) from None
    measured = dict(zip(COLUMNS, values, strict=True))
    mean, stderr = measured["mean"], measured["stderr"]
    if not (measured["n"] > 0 and 0 < mean < np.inf and 0 <= stderr < np.inf):
        raise InputError(
            f"{mean:g} ± {stderr:g} at n = {measured['n']} is no measured uncertainty",
            file=path,
            line=line,
        )
    return tuple(values)


class World(NamedTuple):
    """The parameters that the rows of one set of curves share."""

    family: str
    alpha: float
    scale: float
    branching: int
    beta: float

    @property
    def sigma2(self) -> float:
        """Variance σ² of one label under a flat prior (theory M1)."""
        return LabelNoise(self.beta).variance()

    def regimes(self, n: ArrayLike) -> list[str]:
        """Regimes that these sizes lie in, in order: ``"A"``, ``"B"`` or both."""
        each = regime_of(self.family, n, self.alpha or 1.0, self.scale, self.sigma2)
        return np.unique(each).tolist()

    def evaluate(self, rate: Rate, n: ArrayLike, leaves: ArrayLike) -> NDArray[np.float64]:
        """Evaluate a rate in this world, with |S| = ``leaves``."""
        return rate.evaluate(n, self.alpha or 1.0, self.scale, self.sigma2, leaves)

    @property
    def slug(self) -> str:
        """A name fit for a file."""
        return f"{self.family}-a{self.alpha:g}-i{self.scale:g}-b{self.branching}-beta{self.beta:g}"


MAIN = World("power", 0.3, 1.0, 2, 1814.0)


def worlds(rows: Rows) -> list[tuple[World, Rows]]:
    """Split rows by world, in order of first appearance."""
    each = [World(*values) for values in rows[list(World._fields)].tolist()]
    return [(world, rows[[w == world for w in each]]) for world in dict.fromkeys(each)]


def first(rows: Rows) -> tuple[World, Rows]:
    """Return the world that a report shows first, the README's where it was measured."""
    each = worlds(rows)
    return next((one for one in each if one[0] == MAIN), each[0])


@dataclass(frozen=True, eq=False)
class Curve:
    """Measured uncertainty against n, replicates merged.

    Attributes
    ----------
    n : ndarray of int, shape (k,)
        Numbers of comparisons, increasing.
    mean, stderr : ndarray of float, shape (k,)
        In squared units of reward.
    leaves : ndarray of int, shape (k,)
        |S| of a tree, else 0.
    tasks : tuple of tuple of str
        The rows behind each point.
    """

    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    stderr: NDArray[np.float64]
    leaves: NDArray[np.int64]
    tasks: tuple[tuple[str, ...], ...]

    def __truediv__(self, other: Curve) -> Curve:
        """Divide by another curve at the sizes measured for both; |S| is the one there is.

        The two being independent, their relative errors add in squares.
        """
        n, here, there = np.intersect1d(self.n, other.n, return_indices=True)
        mean = self.mean[here] / other.mean[there]
        error = np.hypot(
            self.stderr[here] / self.mean[here], other.stderr[there] / other.mean[there]
        )
        leaves = np.maximum(self.leaves[here], other.leaves[there])
        tasks = tuple(self.tasks[i] + other.tasks[j] for i, j in zip(here, there, strict=True))
        return Curve(n, mean, mean * error, leaves, tasks)


def curve(rows: Rows, topology: str, inference: str) -> Curve:
    """Gather the rows of one topology and inference into a curve.

    Where a tree was measured at several |S|, the one nearest to the theory's n / log n is taken;
    where one dataset was measured more than once, its most precise row.

    Parameters
    ----------
    rows : structured ndarray
        Rows of one world.
    topology, inference : str
        Which to take.

    Returns
    -------
    Curve
        Of length 0 where there are no such rows.
    """
    chosen = rows[(rows["topology"] == topology) & (rows["inference"] == inference)]
    chosen = chosen[np.argsort(chosen["stderr"], kind="stable")]
    points = []
    for n in np.unique(chosen["n"]):
        here = chosen[chosen["n"] == n]
        nearest = np.argmin(np.abs(np.log(np.maximum(here["leaves"], 1) / default_leaves(n))))
        here = here[here["leaves"] == here["leaves"][nearest]]
        datasets = np.stack([here["seed"], here["replicate"]], axis=1)
        here = here[np.unique(datasets, axis=0, return_index=True)[1]]
        points.append(
            (*merge(here["mean"], here["stderr"]), here["leaves"][0], tuple(here["task"]))
        )
    means, stderrs, leaves, tasks = zip(*points, strict=True) if points else ((), (), (), ())
    sizes = np.unique(chosen["n"])
    return Curve(sizes, np.array(means), np.array(stderrs), np.array(leaves, dtype=int), tasks)


def merge(means: NDArray[np.float64], stderrs: NDArray[np.float64]) -> tuple[float, float]:
    """Average replicates: their mean and its standard error.

    Each replicate's own error is that of estimating on its dataset; datasets differ besides. The
    variance of the average is the larger of what the replicates' errors give and what their
    spread gives, which is the moment estimate of a random-effects model.
    """
    count = len(means)
    within = float(np.sqrt(np.sum(np.square(stderrs)))) / count
    between = float(np.std(means, ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    return float(np.mean(means)), max(within, between)
