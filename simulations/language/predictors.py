"""What predicts how good a trained reward model is: inference distance or exact variance (E6)?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ibn.simulations.language.language import LEARNERS
from ibn.simulations.language.outcomes import WINS, Outcome
from ibn.simulations.language.rules import RULES, score_table

BOOTSTRAPS = 1000


class Interval(NamedTuple):
    """A number and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write all three, or the number alone where there is no interval."""
        if self.low != self.low:
            return f"{self.value:+.3f} (too few for an interval)"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


class Ranking(NamedTuple):
    """How well the two measures rank, and by how much the variance does better than the distance.

    Attributes
    ----------
    distance, variance, difference : Interval
        Of mean inference distance, of mean exact posterior variance, and the second less the
        first, paired: above 0 the exact variance predicts better.
    """

    distance: Interval
    variance: Interval
    difference: Interval

    def __str__(self) -> str:
        """Write all three."""
        return f"distance {self.distance}  variance {self.variance}  difference {self.difference}"


@dataclass(frozen=True)
class Prediction:
    """How well the two measures rank datasets by what is learnt from them.

    Attributes
    ----------
    learner : str
        One of ``ibn.simulations.language.language.LEARNERS``.
    target : str
        ``squared_error`` of the reward model, or the decoder whose losses to the chain, 1 less
        the win rate, are ranked. For the losses, each measure is taken relative to the chain's.
    within : str
        ``all`` points, or ``setting``: only those of equal α, n and β, whose rank correlations
        are averaged; there the topology alone makes the difference.
    points : int
        Datasets ranked.
    ranking : Ranking
        Spearman's correlations with the target; intervals by bootstrap over settings.
    """

    learner: str
    target: str
    within: str
    points: int
    ranking: Ranking

    def __str__(self) -> str:
        """Write a line of a table."""
        return (
            f"{self.learner:17} {self.target:14} {self.within:8} {self.points:4} points  "
            f"{self.ranking}"
        )


@dataclass(frozen=True)
class RuleCorrelation:
    """How well a trivial rule ranks the datasets of a setting, as in :class:`Prediction`.

    Attributes
    ----------
    learner, target : str
        As there.
    rule : str
        One of ``RULES``.
    correlation : Interval
        Spearman's within settings, averaged; by bootstrap over these.
    """

    learner: str
    target: str
    rule: str
    correlation: Interval

    def __str__(self) -> str:
        """Write a line of a table."""
        return f"{self.learner:17} {self.target:14} {RULES[self.rule]:30} {self.correlation}"


def rule_correlations(outcomes: Sequence[Outcome], seed: int = 0) -> list[RuleCorrelation]:
    """Correlate each trivial rule with each target within settings.

    Parameters
    ----------
    outcomes, seed
        As for :func:`predictions`.
    """
    found = []
    for learner, groups, resampled in _by_learner(outcomes, seed):
        for target in ("squared_error", *WINS):
            alone = np.array([rule_spearman(group, target) for group in groups])
            low, high = np.quantile(alone[resampled].mean(axis=1), [0.025, 0.975], axis=0)
            for rule, *ends in zip(RULES, alone.mean(axis=0), low, high, strict=True):
                found.append(RuleCorrelation(learner, target, rule, Interval(*map(float, ends))))
    return found


def rule_spearman(group: Sequence[Outcome], target: str) -> NDArray[np.float64]:
    """Rank correlation of each rule's score with a target among a setting's outcomes."""
    points = np.column_stack([score_table(group), table(group, target)[:, 2]])
    return np.asarray(np.corrcoef(rankdata(points, axis=0).T)[:-1, -1])


def _by_learner(
    outcomes: Sequence[Outcome], seed: int
) -> Iterator[tuple[str, list[list[Outcome]], NDArray[np.int64]]]:
    """Each learner with its outcomes by setting, and which settings each resample consists of."""
    for learner in LEARNERS:
        mine = [one for one in outcomes if one.learner == learner]
        settings = sorted({one.setting for one in mine})
        if settings:
            rng = np.random.default_rng(seed)
            resampled = rng.integers(0, len(settings), (BOOTSTRAPS, len(settings)))
            yield learner, [[o for o in mine if o.setting == at] for at in settings], resampled


def predictions(outcomes: Sequence[Outcome], seed: int = 0) -> list[Prediction]:
    """Correlate each measure with each target, over all points and within settings.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of any settings and learners, each with a chain.
    seed : int
        Of the bootstrap.
    """
    found = []
    for learner, groups, resampled in _by_learner(outcomes, seed):
        count = sum(map(len, groups))
        for target in ("squared_error", *WINS):
            # Columns: distance, variance, target.
            tables = [table(group, target) for group in groups]
            for within, ranking in correlate(tables, resampled).items():
                found.append(Prediction(learner, target, within, count, ranking))
    return found


def correlate(
    tables: Sequence[NDArray[np.float64]], resampled: NDArray[np.int64]
) -> dict[str, Ranking]:
    """Rank correlations of distance and of variance with a target, and their difference.

    Parameters
    ----------
    tables : sequence of ndarray, shape (points, 3)
        Distance, variance and target of the points of each group.
    resampled : ndarray of int, shape (bootstraps, groups)
        Which groups each resample consists of.

    Returns
    -------
    dict
        Under ``all`` those of all points together, under ``setting`` the mean of each group's own.
    """
    alone = np.array([spearman(points) for points in tables])
    pooled = [spearman(np.concatenate([tables[k] for k in rows])) for rows in resampled]
    both = {
        "all": (spearman(np.concatenate(tables)), np.array(pooled)),
        "setting": (alone.mean(axis=0), alone[resampled].mean(axis=1)),
    }
    return {name: intervals(value, draws) for name, (value, draws) in both.items()}


def intervals(values: NDArray[np.float64], draws: NDArray[np.float64]) -> Ranking:
    """Bootstrap intervals of a ranking's three numbers, from draws of shape (bootstraps, 3)."""
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    return Ranking(*map(Interval, *(x.tolist() for x in (values, low, high))))


def table(group: Sequence[Outcome], target: str) -> NDArray[np.float64]:
    """Distance, variance and target of a setting's outcomes, shape (points, 3)."""
    (chain,) = (one for one in group if one.topology == "chain")
    if target == "squared_error":
        rows = [(one.distance, one.variance, one.squared_error) for one in group]
    else:
        rows = [
            (
                one.distance / chain.distance,
                one.variance / chain.variance,
                1.0 - getattr(one, target),
            )
            for one in group
        ]
    return np.array(rows)


def spearman(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank correlation of distance with the target, of variance with it, and the difference."""
    correlation = np.corrcoef(rankdata(points, axis=0).T)[:2, 2]
    return np.append(correlation, correlation[1] - correlation[0])
