"""Replays of labelling: what each policy leaves of the uncertainty, label by label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
)

if TYPE_CHECKING:
    from ibn.simulations.replay import Replay
    from ibn.simulations.replayed import RealReplay, SimulatedReplay

LOOKS: dict[str, dict[str, Any]] = {
    "planned": {"color": BLUE, "marker": "^", "label": "planned (A-optimal)"},
    "random": {"color": BLACK, "marker": "o", "label": "random"},
    "variance": {"color": VERMILION, "marker": "s", "label": "largest variance"},
    "longest": {"color": VERMILION, "marker": "s", "label": "longest difference"},
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


def draw_simulated(replayed: SimulatedReplay) -> Figure:
    """Draw posterior variance and squared error, side by side."""
    figure = Figure(figsize=(2 * COLUMN, 2.6), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2), QUANTITIES, strict=True):
        draw_policies(axes, replayed.found, quantity)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def draw_real(replayed: RealReplay) -> Figure:
    """Draw log loss on held-out labels against random labels seen, and each method beside it."""
    found = replayed.found
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    axes = figure.subplots()
    mean, low, high = np.array([(one.mean, *one.interval()) for one in found.curve]).T
    axes.fill_between(found.counts, low, high, color=BLACK, alpha=0.18, lw=0)
    axes.plot(found.counts, mean, ms=3.0, **LOOKS["random"])
    apart = 0.02 * found.counts[-1]
    for i, (name, method) in enumerate(found.methods.items()):
        loss = method.log_loss
        error = loss.mean - loss.interval()[0]
        place = found.budget + (i - 1) * apart  # side by side, so that none hides another
        axes.errorbar(place, loss.mean, yerr=error, ms=4.0, capsize=2.0, ls="", **LOOKS[name])
    axes.set_xlabel(f"labels beyond the {found.start} known at first")
    axes.set_ylabel("log loss on labels held out")
    axes.legend()
    return figure
