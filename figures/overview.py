"""Chain over tree in every world of a sweep: families and label noise side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.figures import ratio
from ibn.figures.fit import LEAVES, Fit
from ibn.figures.measurements import Rows, World, worlds
from ibn.report.style import BLACK, COLUMN, INFERENCE

TITLE = "Chain over tree in every world"
CLAIMS = ("P9", "E2")
NEEDS = "chain and tree at two or more common n, in two or more worlds"

Worlds = Sequence[tuple[World, dict[str, list[Fit]]]]
"""The worlds and the fits of each one's figure ``ratio``."""


def gather(rows: Rows) -> Worlds:
    """Find the worlds that the figure ``ratio`` shows, if there are two or more."""
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    found = [(world, fits) for world, fits in each if fits]
    return found if len(found) > 1 else []


def draw(each: Worlds) -> Figure:
    """Draw a row a world and a column for each inference and |S|: the ratio at the largest n."""
    columns = [
        (inference, rule)
        for inference, rule in product(INFERENCE, LEAVES)
        if any(ratio.of(fits, inference, rule) for _, fits in each)
    ]
    rows = sorted(each, key=lambda one: one[0].rank)
    figure = Figure(figsize=(COLUMN, 0.19 * len(rows) + 1.3), layout="constrained")
    axes = figure.subplots()
    found = [[ratio.of(fits, *column) for column in columns] for _, fits in rows]
    values = np.array([[one.curve.mean[-1] if one else np.nan for one in row] for row in found])
    reach = float(np.nanmax(np.abs(np.log(values)))) or 1.0
    shade: dict[str, Any] = {"cmap": "RdBu", "vmin": -reach, "vmax": reach, "aspect": "auto"}
    axes.imshow(np.log(values), **shade)
    for (i, row), j in product(enumerate(found), range(len(columns))):
        if (one := row[j]) is not None:
            strong = abs(np.log(values[i, j])) > 0.6 * reach
            look: dict[str, Any] = {"color": "white" if strong else BLACK, "size": 6.5}
            shown = f"{values[i, j]:.3g}" + ("" if one.curve.side else " ·")
            axes.text(j, i, shown, ha="center", va="center", **look)
    names = [f"{inference}\n{rule}" for inference, rule in columns]
    axes.set_xticks(range(len(columns)), names)
    axes.set_yticks(range(len(rows)), [world.name for world, _ in rows])
    axes.tick_params(length=0.0, top=True, bottom=False, labeltop=True, labelbottom=False)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    figure.supxlabel("blue: the tree leaves less; red: the chain does", fontsize=8)
    return figure


def caption(each: Worlds) -> str:
    """Say what is drawn, and count what the largest sizes show."""
    shown = []
    for inference, rule in product(INFERENCE, LEAVES):
        last = [one for _, fits in each if (one := ratio.of(fits, inference, rule)) is not None]
        sides = [one.curve.side for one in last]
        if last:
            shown.append(
                f"under {inference} inference at |S| = {rule} the tree leaves less uncertainty in "
                f"{sides.count(1)} of {len(last)} worlds and the chain in {sides.count(-1)}"
            )
    return (
        "Measured uncertainty of the chain over that of the tree at the largest n, a row a world "
        "(family, α, label noise), a column a kind of inference and |S|; a dot where the 99 % "
        f"interval over datasets holds 1. Elsewhere, {'; '.join(shown)}."
    )
