"""Tables beside figures: the numbers drawn, each leading to what it was drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ibn.figures.measurements import Curve
from ibn.figures.typeset import plus_minus


class Cell(NamedTuple):
    """A text, and the anchor in a report of what stands behind it, if any."""

    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """A table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]  # as many cells in each


def point(mean: float, error: float, anchor: str) -> Cell:
    """Return a measured number with its error."""
    return Cell(plus_minus(mean, error), anchor)


def by_size(title: str, curves: dict[str, Curve]) -> Table:
    """Tabulate curves: a row an n, a column a curve; ± half a 95 % interval over datasets."""
    sizes = np.unique(np.concatenate([one.n for one in curves.values()])).tolist()
    rows = []
    for n in sizes:
        cells = [Cell(f"{n:,}")]
        for one in curves.values():
            at = np.flatnonzero(one.n == n)
            found = [point(one.mean[i], one.margin[i], one.tasks[i][0]) for i in at]
            cells += found or [Cell("")]
        rows.append(cells)
    return Table(title, ("n", *curves), rows)
