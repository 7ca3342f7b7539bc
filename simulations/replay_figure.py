"""Replays of labelling: what each policy leaves of the uncertainty, label by label."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ibn.estimate import Estimate
from ibn.report.style import (
    BLACK,
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    VERMILION,
    decimal_ticks,
    style,
    write_figure,
)
from ibn.simulations.replay import Replay

LOOKS: dict[str, dict[str, Any]] = {
    "planned": {"color": BLUE, "marker": "^", "label": "planned (A-optimal)"},
    "random": {"color": BLACK, "marker": "o", "label": "random"},
    "variance": {"color": VERMILION, "marker": "s", "label": "largest variance"},
    "margin": {"color": GREEN, "marker": "D", "label": "probability nearest 1/2"},
}
QUANTITIES = {"variance": "mean posterior variance", "error": "mean squared error"}


def draw_policies(axes: Axes, found: Replay, quantity: str) -> Axes:
    """Draw means over repetitions with bands of their 95 % intervals, over the prior's."""
    for policy, curves in getattr(found, quantity).items():
        look = LOOKS[policy]
        each = [Estimate.of(column) for column in curves[:, 1:].T]
        low, high = np.array([one.interval() for one in each]).T
        x, mean = found.labels[1:], [one.mean for one in each]
        axes.fill_between(x, np.maximum(low, 1e-12), high, color=look["color"], alpha=0.18, lw=0)
        axes.plot(x, mean, ms=3.0, **look)
    axes.axhline(1.0, color=GREY, lw=0.7, ls=":")
    axes.set_ylim(bottom=0.0)
    if min(curves[:, -1].min() for curves in getattr(found, quantity).values()) < 0.1:
        axes.set_yscale("log")
        decimal_ticks(axes.yaxis)
    axes.set(xlabel="labels", ylabel=f"{QUANTITIES[quantity]}\nover that before any label")
    return axes


def draw(found: Replay) -> Figure:
    """Draw posterior variance and squared error, side by side."""
    figure = Figure(figsize=(2 * COLUMN, 2.6), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2), QUANTITIES, strict=True):
        draw_policies(axes, found, quantity)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def draw_into(found: Replay, path: str | os.PathLike[str]) -> None:
    """Draw a replay into a file; its suffix tells the kind."""
    with style():
        write_figure(draw(found), Path(path))
