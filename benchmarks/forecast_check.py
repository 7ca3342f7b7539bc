"""Forecast against realised gains of planned labels, over real sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_runs import FORECAST
from ibn.design.forecast import ACCURACY_CORRECTION, LOSS_CORRECTION, Gain

KINDS = {"log loss": (2, LOSS_CORRECTION), "accuracy": (6, ACCURACY_CORRECTION)}
RESAMPLES = 1000


@dataclass(frozen=True)
class Check:
    """How forecasts of a kind of gain compare with what happened, over sets."""

    sets: int
    slope: float  # of realised on the model's forecast, averages of a set, through the origin
    slope_interval: tuple[float, float]  # 95 %, sets resampled
    corrected_slope: float
    covered: float  # share of single forecasts whose corrected 80 % interval held what happened
    forecast: float  # mean corrected forecast
    realised: float  # mean


def check_forecasts(
    records: Sequence[dict[str, Any]], names: Sequence[str], kind: str, seed: int = 0
) -> Check | None:
    """Compare forecasts with what happened on some sets; ``None`` where there are none."""
    at, correction = KINDS[kind]
    found: dict[str, list[list[float]]] = defaultdict(list)
    for record in records:
        if record["method"] == FORECAST and record["pool"] in names:
            found[record["pool"]] += [row[at : at + 4] for row in record["rows"]]
    tables = [np.array(rows) for rows in found.values() if rows]
    if not tables:
        return None
    raw = np.array([table.mean(axis=0) for table in tables])
    held, mean = [], []
    for table in tables:
        gains = [Gain(*row[:3]).corrected(*correction) for row in table.tolist()]
        held += [g.low <= real <= g.high for g, real in zip(gains, table[:, 3], strict=True)]
        middle = Gain(*np.mean([[g.mean, g.low, g.high] for g in gains], axis=0).tolist())
        mean.append(middle.mean)
    rng = np.random.default_rng(seed)
    again = rng.integers(0, len(raw), (RESAMPLES, len(raw)))
    slopes = [_slope(raw[rows, 0], raw[rows, 3]) for rows in again]
    low, high = np.quantile(slopes, [0.025, 0.975])
    return Check(
        sets=len(raw),
        slope=_slope(raw[:, 0], raw[:, 3]),
        slope_interval=(float(low), float(high)),
        corrected_slope=_slope(np.array(mean), raw[:, 3]),
        covered=float(np.mean(held)),
        forecast=float(np.mean(mean)),
        realised=float(raw[:, 3].mean()),
    )


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(x @ y / (x @ x))
