"""Cost against n, stage by stage."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contest import Effort
from benchmarks.large import stages
from benchmarks.timing import Curve, Result, Spread
from benchmarks.worlds import SETTING

TOPOLOGIES = ("chain", "tree")
LEAST = 1_000
POINTS_A_DECADE = 2
FITTED_DECADES = 3


def fit(n: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """Slope of log seconds against log n, and its standard error, by least squares."""
    x, y = np.log(n), np.log(seconds)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - slope * centred
    freedom = len(n) - 2
    if freedom < 1:
        return slope, float("inf")
    return slope, float(np.sqrt(rest @ rest / freedom / (centred @ centred)))


@dataclass(frozen=True)
class Scaling:
    """The case that draws cost against n.

    Attributes
    ----------
    name, what, n, small
        See ``contest.Case``; ``n`` is the largest size.
    """

    name: str
    what: str
    n: int
    small: int

    def run(self, n: int, effort: Effort) -> Result:
        """Measure from ``LEAST`` to n comparisons."""
        decades = np.log10(n / LEAST)
        count = max(2, round(POINTS_A_DECADE * decades) + 1)
        sizes = [round(size) for size in np.geomspace(LEAST, n, count)]
        start = time.perf_counter()
        for topology in TOPOLOGIES:
            stages(topology, self.small)
        first_call = time.perf_counter() - start
        curves = []
        for topology in TOPOLOGIES:
            taken: dict[str, list[Spread]] = {}
            for size in sizes:
                for stage, spread in self._measure(topology, size, effort).items():
                    taken.setdefault(stage, []).append(spread)
                effort.report(f"{self.name}: {topology}, n = {size:,}")
            for stage, spreads in taken.items():
                low = max(0, len(sizes) - POINTS_A_DECADE * FITTED_DECADES - 1)
                slope = fit(sizes[low:], [spread.median for spread in spreads[low:]])
                curves.append(Curve(f"{topology}, {stage}", sizes, spreads, *slope, sizes[low]))
        return Result(
            case=self.name,
            what=self.what,
            n=n,
            lines=[],
            verdicts=[],
            first_call=first_call,
            absent={},
            notes=[SETTING],
            curves=curves,
        )

    def _measure(self, topology: str, size: int, effort: Effort) -> dict[str, Spread]:
        seconds: dict[str, list[float]] = {}
        start = time.perf_counter()
        for _ in range(effort.rounds):
            gc.collect()
            for stage, measured in stages(topology, size).items():
                seconds.setdefault(stage, []).append(measured["seconds"])
            if time.perf_counter() - start > effort.patience:
                break
        return {stage: Spread.of(values) for stage, values in seconds.items()}


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves with their slopes into one figure."""
    import matplotlib.pyplot as plt

    from ibn.report.style import COLUMN, INFERENCE, TOPOLOGY, style

    lines = {"build": ":", "path": "-", "exact": "--"}
    assert set(INFERENCE) < set(lines)
    with style():
        figure, axes = plt.subplots(figsize=(1.6 * COLUMN, COLUMN), layout="constrained")
        for curve in curves:
            topology, stage = curve.label.split(", ")
            median = np.array([spread.median for spread in curve.seconds])
            low = median - [spread.least for spread in curve.seconds]
            high = np.array([spread.most for spread in curve.seconds]) - median
            axes.errorbar(
                curve.n,
                median,
                yerr=np.stack([low, high]),
                ls=lines[stage],
                label=f"{curve.label}: slope {curve.slope:.2f}",
                **TOPOLOGY[topology],
            )
        axes.set(xscale="log", yscale="log", xlabel="comparisons n", ylabel="seconds")
        figure.legend(loc="outside right upper")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


CASES = (
    Scaling(
        name="scaling",
        what="Cost against n: build, and either kind of inference to 1%",
        n=10_000_000,
        small=20_000,
    ),
)
