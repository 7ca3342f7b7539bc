"""Judges of unequal reliability: each has their own multiple of the rewards' differences.

Judge j's log-odds of a against b are s_j (r_a - r_b). One who clicks at random has s_j near 0, a
keen one more than 1. The log s_j are Gaussian about 0 with a spread that is found from the judges
themselves (empirical Bayes), so that a judge of few battles is taken as usual. Rewards and s are
found in turns; the intervals of rewards take s as known.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibn.leaderboard.battles import Tally
from ibn.leaderboard.bradley_terry import Floats, fit
from ibn.leaderboard.tie_models import OutcomeModel

ROUNDS = 50
CLOSE = 1e-4  # change of log s at which the turns end
STARTING_SPREAD, LEAST_SPREAD = 0.5, 0.05  # standard deviation of log s
LONGEST_STEP = 1.0  # of log s


def with_reliability(rows: Tally, judges: NDArray[np.int64], model: OutcomeModel) -> Tally:
    """Return the same rows with each judge's reliability as their slope.

    Parameters
    ----------
    rows : Tally
        Of battles, those of different judges apart.
    judges : ndarray of int, shape (n,)
        The judge of each battle.
    model : OutcomeModel
    """
    codes = np.unique(judges, return_inverse=True)[1]
    judge = np.zeros(len(rows.a), np.int64)
    judge[rows.row] = codes
    log_slope = np.zeros(int(judge.max()) + 1)
    spread = STARTING_SPREAD
    fitted = None
    for _ in range(ROUNDS):
        rows = replace(rows, slope=np.exp(log_slope)[judge])
        fitted = fit(rows, model, jeffreys=True, start=fitted)
        gap = fitted.rewards[rows.a] - fitted.rewards[rows.b]
        fixed = rows.x @ fitted.effects
        before = log_slope
        log_slope, variance = _slopes(rows, model, fitted.tie, gap, fixed, judge, before, spread)
        spread = max(float(np.sqrt(np.mean(log_slope**2 + variance))), LEAST_SPREAD)
        if np.abs(log_slope - before).max() < CLOSE:
            break
    return replace(rows, slope=np.exp(log_slope)[judge])


def _slopes(
    rows: Tally,
    model: OutcomeModel,
    tie: float,
    gap: Floats,
    fixed: Floats,
    judge: NDArray[np.int64],
    log_slope: Floats,
    spread: float,
) -> tuple[Floats, Floats]:
    """Take one step towards the likeliest log s of each judge; and its variance."""
    part = np.exp(log_slope)[judge] * gap  # the slope of the log-odds in log s
    slopes = model.at(part + fixed, tie)
    pull = (rows.score * slopes.slope).sum(axis=0) * part
    weight = rows.weight * slopes.information * part**2
    count = len(log_slope)
    curve = np.bincount(judge, weight, count) + 1.0 / spread**2
    step = (np.bincount(judge, pull, count) - log_slope / spread**2) / curve
    moved = log_slope + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    return moved, np.asarray(1.0 / curve, np.float64)
