"""Leaderboards: Bradley-Terry rewards of few items from many battles, no inductive bias.

Battles are counted into a K × K matrix once; the likelihood, its maximum by Newton's method and
its curvature then cost K² and K³, whatever their number. Intervals are simultaneous: all hold at
once with the probability stated, which intervals item by item do not (with 200 items, 95 % each,
ten of them are expected to miss).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, log_expit

from ibn.errors import InputError
from ibn.kernels.extremes import greatest_differences
from ibn.preferences.comparisons import Comparisons

MOST_ITEMS = 20_000
MOST_STEPS = 100
TOLERANCE = 1e-9  # of the maximum, in standard deviations
DRAWS = 4000
BLOCK = 256
NAMED = 5
LONGEST_NAME = 40


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Maximum-likelihood Bradley-Terry rewards, with simultaneous intervals.

    Attributes
    ----------
    names : sequence
        The items.
    rewards : ndarray of float, shape (K,)
        In nats of log-odds, their mean 0: P(i beats j) = σ(r_i - r_j).
    low, high : ndarray of float, shape (K,)
        Simultaneous intervals of the rewards against the mean: with probability ``level`` all
        hold at once.
    first, last : ndarray of int, shape (K,)
        Simultaneous intervals of the ranks, 1 the best: rank 1 + the number of items that are
        better, among those whose difference has an interval above 0. They follow from the
        simultaneous intervals of all differences, so with probability ``level`` all hold at once.
    covariance : ndarray of float, shape (K, K)
        Asymptotic, of the rewards: the inverse Fisher information at the maximum; with ties,
        which a count of half a win each understates the evenness of, the sandwich that their
        actual spread gives.
    battles, ties : int
        How many there were.
    level : float
        Of the intervals.
    item_width, pair_width : float
        Half widths of the intervals in standard errors: the ``level`` quantile of the greatest
        |z| over items, and over pairs of items, of the Gaussian above, by simulation.
    """

    names: Sequence[str]
    rewards: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    covariance: NDArray[np.float64]
    battles: int
    ties: int
    level: float
    item_width: float
    pair_width: float

    def difference(self, i: int, j: int) -> tuple[float, float, float]:
        """r_i - r_j, and the ends of its simultaneous interval among all pairs."""
        variance = self.covariance[i, i] + self.covariance[j, j] - 2.0 * self.covariance[i, j]
        gap = float(self.rewards[i] - self.rewards[j])
        half = self.pair_width * float(np.sqrt(variance))
        return gap, gap - half, gap + half


def rank(
    comparisons: Comparisons,
    names: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Leaderboard:
    """Rank items by their battles.

    Parameters
    ----------
    comparisons : Comparisons
        The battles, with ``winner``; the items are its responses. A tie is half a win each.
    names : sequence of str, optional
        What the items are called; by default their numbers.
    level : float
        Probability with which all intervals hold, between 0 and 1.
    draws : int
        Of the simulation that finds the widths of the intervals.
    seed : int
        Of that simulation.

    Raises
    ------
    InputError
        If labels are missing, items do not hang together by battles, or some never lose to the
        others (the likelihood then has no maximum), naming the items.
    """
    if comparisons.winner is None:
        raise InputError("a leaderboard needs winner for every battle")
    if not 0.0 < level < 1.0:
        raise InputError(f"the level must lie between 0 and 1, not {level}")
    if draws < 100:
        raise InputError(f"there must be at least 100 draws, not {draws}")
    k = len(comparisons.responses)
    names = [str(name) for name in range(k)] if names is None else names
    if k < 2:
        raise InputError("a leaderboard needs at least 2 items")
    if k > MOST_ITEMS:
        raise InputError(
            f"{k} items are too many for a leaderboard of at most {MOST_ITEMS}",
            fix="audit them: responses that are hardly reused need an inductive bias",
        )
    wins, ties = count(comparisons)
    half = wins + ties / 2.0
    require_maximum(half, names)
    rewards = maximise(half)
    covariance = _covariance(rewards, wins, ties)
    rng = np.random.default_rng(seed)
    item_width, pair_width = widths(covariance, level, draws, rng)
    half_width = item_width * np.sqrt(np.diagonal(covariance))
    variance = np.diagonal(covariance)
    gap = rewards[:, None] - rewards
    reach = pair_width * np.sqrt(variance[:, None] + variance - 2.0 * covariance)
    return Leaderboard(
        names=names,
        rewards=rewards,
        low=rewards - half_width,
        high=rewards + half_width,
        first=1 + np.count_nonzero(gap < -reach, axis=1),
        last=k - np.count_nonzero(gap > reach, axis=1),
        covariance=covariance,
        battles=len(comparisons),
        ties=int(ties.sum()) // 2,
        level=level,
        item_width=item_width,
        pair_width=pair_width,
    )


def count(comparisons: Comparisons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count battles: how often each item beat each other, and tied with it; both (K, K)."""
    assert comparisons.winner is not None
    k = len(comparisons.responses)
    # One pass: three outcomes side by side, a's index slowest.
    key = (comparisons.a * k + comparisons.b) * 3 + (comparisons.winner + 1)
    lost, tied, won = np.moveaxis(np.bincount(key, minlength=3 * k * k).reshape(k, k, 3), 2, 0)
    return (won + lost.T).astype(float), (tied + tied.T).astype(float)


def require_maximum(wins: NDArray[np.float64], names: Sequence[str]) -> None:
    """Check Ford's condition: in every division in two, either side beats the other somewhere.

    Raises
    ------
    InputError
        If it fails, naming the items that no battle joins to the rest, or that never lose to it.
    """
    beats = csr_array(wins > 0)
    groups, group = connected_components(beats, directed=False)
    if groups > 1:
        _complain("no battle joins {} to the rest", np.bincount(group), group, names)
    groups, group = connected_components(beats, connection="strong")
    if groups > 1:
        winner, loser = (group[end] for end in beats.nonzero())
        beaten = np.bincount(loser[winner != loser], minlength=groups) > 0
        size = np.where(beaten, len(names) + 1, np.bincount(group))
        _complain("{} never lose to the others: their rewards are infinite", size, group, names)


def _complain(
    problem: str, size: NDArray[np.int64], group: NDArray[np.int64], names: Sequence[str]
) -> None:
    members = np.flatnonzero(group == np.argmin(size))
    told = ", ".join(repr(shorten(names[i], LONGEST_NAME)) for i in members[:NAMED])
    told += f" and {len(members) - NAMED} more" if len(members) > NAMED else ""
    raise InputError(problem.format(told), fix="leave them out, or add battles")


def maximise(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the maximum of the likelihood by Newton's method.

    Parameters
    ----------
    wins : ndarray of float, shape (K, K)
        How often each item beat each other; halves for ties. Ford's condition holds.

    Returns
    -------
    ndarray of float, shape (K,)
        Rewards, their mean 0.
    """
    k = len(wins)
    battles = wins + wins.T
    share = wins.sum(axis=1) / battles.sum(axis=1)
    reward = np.log(share / (1.0 - share))
    reward -= reward.mean()

    def log_likelihood(reward: NDArray[np.float64]) -> float:
        return float((wins * log_expit(reward[:, None] - reward)).sum())

    now = log_likelihood(reward)
    for _ in range(MOST_STEPS):
        chance = expit(reward[:, None] - reward)
        gradient = (wins - battles * chance).sum(axis=1)
        move = cho_solve(_grounded(battles * chance * chance.T), gradient)
        gain = float(gradient @ move)
        if gain <= TOLERANCE**2 * k:
            return reward - reward.mean()
        length = 1.0
        while (then := log_likelihood(reward + length * move)) < now - 1e-12 * abs(now):
            length /= 2.0
        reward, now = reward + length * move, then
    raise InputError(
        "the rewards of greatest likelihood were not found",
        fix="some item all but never loses, or wins; leave it out, or add battles",
    )


def _grounded(weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Factorise the weighted Laplacian, its null space filled in, which keeps means at 0."""
    laplacian = -weight
    laplacian[np.diag_indices(len(weight))] += weight.sum(axis=1)
    typical = np.trace(laplacian) / len(weight)
    try:
        return cho_factor(laplacian + typical / len(weight), lower=True)
    except LinAlgError:
        raise InputError(
            "rewards lie too far apart for a curvature",
            fix="some item all but never loses, or wins; leave it out, or add battles",
        ) from None


def _covariance(
    rewards: NDArray[np.float64], wins: NDArray[np.float64], ties: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Asymptotic covariance of the rewards, centred; see :class:`Leaderboard`."""
    k = len(rewards)
    chance = expit(rewards[:, None] - rewards)
    battles = wins + wins.T + ties
    centre = np.eye(k) - 1.0 / k
    inverse = centre @ cho_solve(_grounded(battles * chance * chance.T), centre)
    if not ties.any():
        return inverse
    spread = wins * chance.T**2 + wins.T * chance**2 + ties * (0.5 - chance) ** 2
    meat = -spread
    meat[np.diag_indices(k)] += spread.sum(axis=1)
    return inverse @ meat @ inverse


def widths(
    covariance: NDArray[np.float64], level: float, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Quantiles of the greatest |z| over items and over pairs, z ~ N(0, covariance)."""
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    variance = np.diagonal(covariance)
    pair = np.sqrt(np.maximum(variance[:, None] + variance - 2.0 * covariance, 0.0))
    deviation = np.sqrt(variance)
    items, pairs = [], []
    for low in range(0, draws, BLOCK):  # blocks that stay in the processor's cache
        z = root @ rng.standard_normal((len(root), min(BLOCK, draws - low)))
        items.append(np.abs(z / deviation[:, None]).max(axis=0))
        pairs.append(greatest_differences(z, pair))
    item, of_pair = (float(np.quantile(np.concatenate(x), level)) for x in (items, pairs))
    return item, of_pair
