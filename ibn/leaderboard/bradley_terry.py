"""Rewards of items from their battles: Newton's method on the likelihood, or under Jeffreys' prior.

The log-odds of a row are ``slope · (r_a - r_b) + x · β``. Rewards are determined up to a constant
in each group of items that battles join; every group gets mean 0.

Jeffreys' prior has density √det I(r). For Bradley-Terry it adds to each row half its leverage in
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
            fell = now.log_likelihood - then.log_likelihood > 1e-12 * abs(now.log_likelihood)
            if jeffreys or not fell:  # the prior pulls the likelihood down
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
    """The likelihood and its curvature at one place; ``inverse`` is with the prior's curvature."""

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
    slopes = model.at(log_odds, float(theta[-1]))
    information = assemble(rows, slopes, rows.weight, model.tied)
    even_pull, even_information = _even_battle(model, float(theta[-1])) if jeffreys else (0.0, 0.0)
    information[-1, -1] += even_information
    covariance = invert(information, k, group, size)
    with_tie = covariance[:, -1]  # is known where leverage is taken
    variance = variances(rows, covariance - np.outer(with_tie, with_tie) / with_tie[-1])
    leverage = rows.weight * slopes.information * variance
    inverse = covariance
    pull = (rows.score * slopes.slope).sum(axis=0)
    log_likelihood = float((rows.score * slopes.log_chance).sum())
    if jeffreys:
        pull = pull + leverage * slopes.curve / 2.0
        # The prior is as battles that number the leverage, and curves as they do.
        curved = assemble(rows, slopes, rows.weight + leverage, model.tied)
        curved[-1, -1] += even_information
        inverse = invert(curved, k, group, size)
    tie_pull = float((rows.score * slopes.tie_slope).sum()) if model.tied else 0.0
    gradient = np.concatenate([project(rows, pull), [tie_pull + even_pull]])
    return _Point(log_likelihood, gradient, inverse, covariance, slopes, leverage)


def _even_battle(model: OutcomeModel, tie: float) -> tuple[float, float]:
    """Slope in τ of one battle between equals, half tied and half decided, and its information."""
    even = model.at(np.zeros(1), tie)
    pull = even.tie_slope[:, 0] @ np.array([0.25, 0.5, 0.25])
    return float(pull), float(np.exp(even.log_chance[:, 0]) @ even.tie_slope[:, 0] ** 2)


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
) -> Floats:
    """Invert the information about each group's mean."""
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
    return inverse


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
