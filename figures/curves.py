"""Measured curves with their rates drawn through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from ibn.figures.fit import Fit
from ibn.figures.typeset import significant, tex
from ibn.report.style import legend_above


def draw_curves(
    axes: Axes, fits: Sequence[Fit], names: Sequence[str], looks: Sequence[dict], title: str
) -> None:
    """Draw points with bars of 95 % intervals over datasets, and dashed the anchored rates.

    ``axes``: where; n is on its logarithmic x-axis.
    ``names``, ``looks``: name of each in the legend, before its rate with constant and claim, and
    its marker.
    """
    handles, labels = [], []
    for fit, name, look in zip(fits, names, looks, strict=True):
        curve = fit.curve
        handle: tuple[Any, ...] = (
            axes.errorbar(curve.n, curve.mean, curve.margin, ls="none", **look),
        )
        if fit.rate is not None:
            handle += tuple(axes.plot(*fit.line(), color=look["color"], ls="--", lw=0.9))
            name += f"   {significant(fit.constant)}"
            name += "" if fit.rate.expression == 1 else f" × ${tex(fit.rate.expression)}$"
            name += f"  ({fit.rate.claim})"
        handles.append(handle)
        labels.append(name)
    regimes = sorted({regime for fit in fits for regime in fit.regimes})
    axes.set_xscale("log")
    axes.set_xlabel("comparisons $n$")
    legend_above(axes, handles, labels, f"{title}, regime {' to '.join(regimes)}")
