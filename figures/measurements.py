"""What a sweep measured, read from its CSV and gathered into curves."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.bias.ultrametric import FAMILIES
from ibn.errors import InputError
from ibn.estimate import Estimate, quotient
from ibn.preferences.noise import LabelNoise
from ibn.regular_file import require_regular
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

CLEAR = 0.99
"""Level of the interval that must leave out 1 for one topology to be called better."""
NEAR = 0.1
"""How far, in the logarithm, a tree's |S| may lie from the one wanted."""
_WHOLE = np.iinfo(np.int64)
_WORDS = {int: "a whole number of 64 bits", float: "a number"}
_DTYPE = [(name, object if kind is str else kind) for name, kind in COLUMNS.items()]


def read(path: str | os.PathLike[str]) -> Rows:
    """Read the rows of a sweep.

    They come as a structured array, a row a task, with the fields of ``COLUMNS``.

    Raises InputError if the file is empty or lacks a column, or a row lacks a value, holds one of
    the wrong kind, or no positive mean with a finite error.
    """
    require_regular(path)
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
            if kind is int and not _WHOLE.min <= values[-1] <= _WHOLE.max:
                raise ValueError
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
    def name(self) -> str:
        """A short name, as figures label their rows."""
        alpha = f" {self.alpha:g}" if self.alpha else ""
        return f"{self.family}{alpha}, β = {self.beta:g}"

    @property
    def rank(self) -> tuple[int, float, float]:
        """Its place among worlds: by family, then few labels first, then α."""
        return list(FAMILIES).index(self.family), -self.beta, self.alpha

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
    """Measured uncertainty against n, over the datasets of each n."""

    n: NDArray[np.int64]  # shape (k,): numbers of comparisons, increasing
    # in squared units of reward: the mean over datasets, with the error of their spread
    points: tuple[Estimate, ...]
    leaves: NDArray[np.int64]  # shape (k,): |S| of a tree, else 0
    tasks: tuple[tuple[str, ...], ...]  # the rows behind each point

    @property
    def mean(self) -> NDArray[np.float64]:
        """Means, shape (k,)."""
        return np.array([one.mean for one in self.points])

    @property
    def stderr(self) -> NDArray[np.float64]:
        """Standard errors, shape (k,); NaN where there is one dataset, whose kin are not known."""
        errors = np.array([one.stderr for one in self.points])
        return np.where(np.isfinite(errors), errors, np.nan)

    @property
    def margin(self) -> NDArray[np.float64]:
        """Half widths of 95 % intervals over datasets, shape (k,); NaN where there is one."""
        margins = np.array([one.margin() for one in self.points])
        return np.where(np.isfinite(margins), margins, np.nan)

    @property
    def side(self) -> int:
        """1 or -1 where the last point's 99 % interval lies above or below 1, else 0."""
        low, high = self.points[-1].interval(CLEAR)
        return int(low > 1.0) - int(high < 1.0)

    def __truediv__(self, other: Curve) -> Curve:
        """Divide by an independent curve at the sizes of both; |S| is the one there is."""
        n, here, there = np.intersect1d(self.n, other.n, return_indices=True)
        pairs = list(zip(here, there, strict=True))
        points = tuple(quotient(self.points[i], other.points[j]) for i, j in pairs)
        tasks = tuple(self.tasks[i] + other.tasks[j] for i, j in pairs)
        return Curve(n, points, np.maximum(self.leaves[here], other.leaves[there]), tasks)


def curve(
    rows: Rows, topology: str, inference: str, aim: Callable[[int], float] | None = None
) -> Curve:
    """Gather the rows of one topology and inference into a curve.

    Where one dataset was measured more than once, its most precise row is taken. Each dataset
    counts once, whatever its own row's error: that error is part of the spread.

    ``rows``: rows of one world.
    ``aim``: |S| wanted of a tree, a function of n: sizes at which no tree comes near are left out.
    Otherwise, where a tree was measured at several |S|, the nearest to n / log n is taken.

    It has length 0 where there are no such rows.
    """
    chosen = rows[(rows["topology"] == topology) & (rows["inference"] == inference)]
    chosen = chosen[np.argsort(chosen["stderr"], kind="stable")]
    found = []
    for n in np.unique(chosen["n"]).tolist():
        here = chosen[chosen["n"] == n]
        away = np.abs(np.log(np.maximum(here["leaves"], 1) / (aim or default_leaves)(n)))
        if aim is not None and away.min() > NEAR:
            continue
        here = here[here["leaves"] == here["leaves"][np.argmin(away)]]
        datasets = np.stack([here["seed"], here["replicate"]], axis=1)
        here = here[np.unique(datasets, axis=0, return_index=True)[1]]
        found.append((n, Estimate.of(here["mean"]), here["leaves"][0], tuple(here["task"])))
    sizes, points, leaves, tasks = zip(*found, strict=True) if found else ((), (), (), ())
    return Curve(np.array(sizes, int), points, np.array(leaves, int), tasks)
