"""Rewards of items from their battles: Newton's method on the likelihood, or under Jeffreys' prior.

The log-odds of a row are ``slope · (r_a - r_b) + x · β``. Rewards are determined up to a constant
in each group of items that battles join; every group gets mean 0.

Jeffreys' prior has density √det I, I the Fisher information of rewards, effects and tie
parameter together. For Bradley-Terry it adds to each row half its leverage in
wins and as much in losses; the leverage of the battles between a and b is their Fisher
information times the effective resistance between a and b, and all leverages together are the
number of rewards that are free (Foster). So it is worth one battle, half won and half lost, an
item, takes the leading bias out of the rewards (Firth 1993), and keeps them finite where an item
won or lost everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ibn.errors import InputError
from ibn.leaderboard.battles import Tally
from ibn.leaderboard.tie_models import HalfWins, OutcomeModel, Slopes

MOST_STEPS = 100
TOLERANCE = 1e-9  # of the maximum, in standard deviations
LONGEST_STEP = 3.0  # of log-odds
HALVINGS = 40
DIFFERENCE = 1e-4  # of log-odds or the tie parameter, for slopes: right to some 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """Rewards where the likelihood, or likelihood times prior, is greatest.

    Attributes
    ----------
    rewards : ndarray of float, shape (K,)
        Their mean is 0 in each group.
    effects : ndarray of float, shape (q,)
        Of the covariates.
    tie : float
        Tie parameter of the outcome model; 0 without one.
    covariance : ndarray of float, shape (K + q, K + q)
        Inverse Fisher information of rewards and effects, the tie parameter accounted for.
    log_likelihood : float
    slopes : Slopes
        Of the outcome model at the maximum, by row.
    leverage : ndarray of float, shape (m,)
        Of each row.
    """

    rewards: Floats
    effects: Floats
    tie: float
    covariance: Floats
    log_likelihood: float
    slopes: Slopes
    leverage: Floats


def groups_of(rows: Tally) -> NDArray[np.int64]:
    """Say which group each item is in, those that battles join; shape (K,)."""
    ones = np.ones(len(rows.a))
    graph = csr_array((ones, (rows.a, rows.b)), shape=(rows.items, rows.items))
    return connected_components(graph, directed=False)[1]


def fit(
    rows: Tally,
    model: OutcomeModel | None = None,
    *,
    jeffreys: bool = False,
    start: Fit | None = None,
) -> Fit:
    """Find the maximum.

    Parameters
    ----------
    rows : Tally
        For the likelihood alone, of battles with a maximum: see
        :func:`ibn.leaderboard.standing.standing`.
    model : OutcomeModel, optional
        Half wins for ties, by default.
    jeffreys : bool
        Multiply the likelihood by Jeffreys' prior.
    start : Fit, optional
        Where to begin.

    Raises
    ------
    InputError
        If no maximum is found.
    """
    model = model or HalfWins()
    k, q = rows.items, rows.x.shape[1]
    group = groups_of(rows)
    size = np.bincount(group)
    theta = np.zeros(k + q + 1)
    if start is not None:
        theta = np.concatenate([start.rewards, start.effects, [start.tie]])

    def evaluate(theta: Floats) -> _Point:
        return _evaluate(rows, model, theta, group, size, jeffreys)

    now = evaluate(theta)
    free = k + q + int(model.tied)
    for _ in range(MOST_STEPS):
        move = now.inverse @ now.gradient
        gain = float(now.gradient @ move)
        if gain <= TOLERANCE**2 * free:
            break
        length = min(1.0, LONGEST_STEP / float(np.abs(move).max()))
        for _ in range(HALVINGS):
            then = evaluate(theta + length * move)
            if now.objective - then.objective <= 1e-12 * abs(now.objective):
                break
            length /= 2.0
        theta, now = theta + length * move, then
    else:
        raise InputError(
            "the rewards of greatest likelihood were not found",
            fix="some item all but never loses, or wins; leave it out, or use the prior",
        )
    rewards = theta[:k] - (np.bincount(group, theta[:k]) / size)[group]
    return Fit(
        rewards=rewards,
        effects=theta[k : k + q],
        tie=float(theta[-1]),
        covariance=now.covariance[: k + q, : k + q],
        log_likelihood=now.log_likelihood,
        slopes=now.slopes,
        leverage=now.leverage,
    )


@dataclass(frozen=True, eq=False)
class _Point:
    """The likelihood and its curvature at one place.

    ``objective``, ``gradient`` and ``inverse`` are with the prior, if there is one.
    """

    objective: float
    log_likelihood: float
    gradient: Floats
    inverse: Floats
    covariance: Floats
    slopes: Slopes
    leverage: Floats


def _evaluate(
    rows: Tally,
    model: OutcomeModel,
    theta: Floats,
    group: NDArray[np.int64],
    size: NDArray[np.int64],
    jeffreys: bool,
) -> _Point:
    k, q = rows.items, rows.x.shape[1]
    slope = np.ones(len(rows.a)) if rows.slope is None else rows.slope
    log_odds = slope * (theta[rows.a] - theta[rows.b]) + rows.x @ theta[k : k + q]
    tie = float(theta[-1])
    slopes = model.at(log_odds, tie)
    covariance, log_det = invert(assemble(rows, slopes, rows.weight, model.tied), k, group, size)
    with_tie = covariance[:, -1]  # is known where leverage is taken
    variance = variances(rows, covariance - np.outer(with_tie, with_tie) / with_tie[-1])
    leverage = rows.weight * slopes.information * variance
    inverse = covariance
    pull = (rows.score * slopes.slope).sum(axis=0)
    objective = log_likelihood = float((rows.score * slopes.log_chance).sum())
    tie_pull = float((rows.score * slopes.tie_slope).sum()) if model.tied else 0.0
    if jeffreys:
        known = _Known.of(rows, covariance)
        by_odds, by_tie = _information_slopes(model, log_odds, tie)
        pull = pull + rows.weight * known.times(by_odds) / 2.0
        if model.tied:
            tie_pull += float(rows.weight @ known.times(by_tie)) / 2.0
        objective += log_det / 2.0
        # The prior is as battles that number the leverage, and curves as they do.
        joint = rows.weight * known.times(_information(slopes))
        inverse, _ = invert(assemble(rows, slopes, rows.weight + joint, model.tied), k, group, size)
    gradient = np.concatenate([project(rows, pull), [tie_pull]])
    return _Point(objective, log_likelihood, gradient, inverse, covariance, slopes, leverage)


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of each row's log-odds and of the tie parameter: (co)variances, by row."""

    odds: Floats
    both: Floats
    tie: float

    @classmethod
    def of(cls, rows: Tally, covariance: Floats) -> _Known:
        k = rows.items
        slope = np.ones(len(rows.a)) if rows.slope is None else rows.slope
        column = covariance[:, -1]
        both = slope * (column[rows.a] - column[rows.b]) + rows.x @ column[k:-1]
        return cls(variances(rows, covariance), both, float(covariance[-1, -1]))

    def times(self, information: Floats) -> Floats:
        """Trace of the covariance times each row's information, given as (3, m)."""
        odds, both, tie = information
        return self.odds * odds + 2.0 * self.both * both + self.tie * tie


def _information(slopes: Slopes) -> Floats:
    """Fisher information of one battle on log-odds, on both, and on the tie parameter, (3, m)."""
    chance = np.exp(slopes.log_chance)
    both = (chance * slopes.slope * slopes.tie_slope).sum(axis=0)
    return np.stack([slopes.information, both, (chance * slopes.tie_slope**2).sum(axis=0)])


def _information_slopes(model: OutcomeModel, log_odds: Floats, tie: float) -> tuple[Floats, Floats]:
    """Slopes of the information in the log-odds and in the tie parameter, by differences."""

    def between(up: Slopes, down: Slopes) -> Floats:
        return (_information(up) - _information(down)) / (2.0 * DIFFERENCE)

    by_odds = between(model.at(log_odds + DIFFERENCE, tie), model.at(log_odds - DIFFERENCE, tie))
    by_tie = between(model.at(log_odds, tie + DIFFERENCE), model.at(log_odds, tie - DIFFERENCE))
    return by_odds, by_tie


def project(rows: Tally, pull: Floats) -> Floats:
    """Add up slopes in the log-odds, row by row, into slopes in rewards and effects, (K + q,)."""
    scaled = pull if rows.slope is None else pull * rows.slope
    items = np.bincount(rows.a, scaled, rows.items) - np.bincount(rows.b, scaled, rows.items)
    return np.concatenate([items, pull @ rows.x]).astype(np.float64)


def assemble(rows: Tally, slopes: Slopes, weight: Floats, tied: bool) -> Floats:
    """Build the Fisher information of rewards, effects and tie parameter, (K + q + 1,) squared."""
    k, q = rows.items, rows.x.shape[1]
    matrix = np.zeros((k + q + 1, k + q + 1))
    matrix[: k + q, : k + q] = gram(rows, weight * slopes.information)
    if tied:
        chance = np.exp(slopes.log_chance)
        crossed = weight * (chance * slopes.slope * slopes.tie_slope).sum(axis=0)
        matrix[-1, :-1] = matrix[:-1, -1] = project(rows, crossed)
        matrix[-1, -1] = weight @ (chance * slopes.tie_slope**2).sum(axis=0)
    return matrix


def gram(rows: Tally, weight: Floats) -> Floats:
    """Σ weight · d dᵀ over rows, where log-odds = d · (rewards, effects); (K + q,) squared."""
    k = rows.items
    slope = np.ones(len(rows.a)) if rows.slope is None else rows.slope
    weights = np.asarray(weight * slope**2, np.float64)
    joint = np.bincount(rows.a * k + rows.b, weights, k * k).reshape(k, k)
    joint = joint + joint.T
    laplacian: Floats = np.diag(joint.sum(axis=1)) - joint
    if not rows.x.shape[1]:
        return laplacian
    scaled = rows.x * (weight * slope)[:, None]
    cross = np.stack(
        [np.bincount(rows.a, c, k) - np.bincount(rows.b, c, k) for c in scaled.T], axis=1
    )
    return np.block([[laplacian, cross], [cross.T, rows.x.T @ (rows.x * weight[:, None])]])


def invert(
    information: Floats, k: int, group: NDArray[np.int64], size: NDArray[np.int64]
) -> tuple[Floats, float]:
    """Invert the information about each group's mean; also the logarithm of its determinant."""
    indicator = (group[:, None] == np.arange(len(size))) / np.sqrt(size)
    scale = max(float(np.trace(information[:k, :k])) / k, 1e-300)
    grounded = information.copy()
    shift = indicator @ indicator.T
    grounded[:k, :k] += scale * shift
    if not grounded[-1, -1]:
        grounded[-1, -1] = 1.0
    factor, failed = dpotrf(grounded, lower=True)
    if failed:
        raise InputError(
            "rewards lie too far apart for a curvature, or covariates say the same",
            fix="some item all but never loses, or wins; leave it out, or a covariate",
        )
    lower = np.tril(dpotri(factor, lower=True)[0])
    inverse = lower + np.tril(lower, -1).T
    inverse[:k, :k] -= shift / scale
    log_det = 2.0 * float(np.log(np.diagonal(factor)).sum()) - len(size) * float(np.log(scale))
    return inverse, log_det


def variances(rows: Tally, covariance: Floats) -> Floats:
    """Variance of each row's log-odds, shape (m,)."""
    k, q = rows.items, rows.x.shape[1]
    own = np.diagonal(covariance)
    a, b = rows.a, rows.b
    found = own[a] + own[b] - 2.0 * covariance[a, b]
    if rows.slope is not None:
        found = found * rows.slope**2
    if q:
        cross = covariance[:k, k : k + q]
        slope = np.ones(len(a)) if rows.slope is None else rows.slope
        found = found + 2.0 * slope * (rows.x * (cross[a] - cross[b])).sum(axis=1)
        found = found + ((rows.x @ covariance[k : k + q, k : k + q]) * rows.x).sum(axis=1)
    return found
