from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from ibn.simulations.language import predictors
from ibn.simulations.language.language import LEARNERS
from ibn.simulations.language.outcomes import Outcome
from ibn.simulations.language.predictors import predictions, rule_correlations
from ibn.simulations.language.rules import scores


def table(draw):
    """Rows of 12 settings; ``draw(rng)`` gives win rate, error, distance and variance of each."""
    rng = np.random.default_rng(0)
    rows = []
    for alpha in (0.1, 0.2, 0.3, 0.4):
        for n in (8, 16, 32):
            for topology in ("chain", "tree", "star", "expander"):
                win, error, distance, variance = draw(rng)
                rows += [
                    Outcome(
                        alpha, n, 1.0, topology, 0, learner, 9,
                        *(win, 0.0, win, 0.0, win, 0.0),
                        *(error, 0.0, distance, 0.0, variance, 0.0),
                    )
                    for learner in LEARNERS
                ]  # fmt: skip
    return rows


@pytest.fixture(autouse=True)
def _few_bootstraps(monkeypatch):
    monkeypatch.setattr(predictors, "BOOTSTRAPS", 200)


def test_predictions_rank_what_they_should():
    def draw(rng):
        error = rng.random()
        return rng.random(), error, 1.0 - error, error**3

    for one in predictions(table(draw)):
        if one.target == "squared_error":
            assert one.points == 48
            assert one.ranking.variance == pytest.approx((1.0, 1.0, 1.0))
            assert one.ranking.distance == pytest.approx((-1.0, -1.0, -1.0))
            assert one.ranking.difference == pytest.approx((2.0, 2.0, 2.0))


def test_predictions_of_the_learners_that_there_are():
    rows = [row for row in table(lambda rng: rng.random(4)) if row.learner == "neural"]
    assert {one.learner for one in predictions(rows)} == {"neural"}


def test_predictions_are_spearmans_correlations():
    def draw(rng):
        error, win = rng.random(2)
        return win, error, error + 2.0 * rng.random(), error + rng.random()

    rows = table(draw)
    mine = [row for row in rows if row.learner == "linear"]
    groups = [mine[i : i + 4] for i in range(0, 48, 4)]
    found = {(one.target, one.within): one for one in predictions(rows) if one.learner == "linear"}
    errors = [row.squared_error for row in mine]
    for name in ("distance", "variance"):
        values = [getattr(row, name) for row in mine]
        one = found["squared_error", "all"]
        assert getattr(one.ranking, name).value == pytest.approx(
            spearmanr(values, errors).statistic
        )
        one = found["rft", "setting"]
        naive = [
            spearmanr([getattr(row, name) for row in group], [-row.rft for row in group]).statistic
            for group in groups
        ]
        assert getattr(one.ranking, name).value == pytest.approx(np.mean(naive))
        ratios = [getattr(row, name) / getattr(group[0], name) for group in groups for row in group]
        one = found["best_of_n", "all"]
        naive = spearmanr(ratios, [-row.best_of_n for row in mine]).statistic
        assert getattr(one.ranking, name).value == pytest.approx(naive)
    for one in found.values():
        distance, variance, difference = one.ranking
        assert difference.value == pytest.approx(variance.value - distance.value)
        for interval in one.ranking:
            assert interval.low <= interval.value <= interval.high


def test_rules_score_what_they_say():
    few, many = (
        Outcome(0.3, 64, 1.0, "tree", leaves, "linear", 9, *(12 * [0.5])) for leaves in (8, 64)
    )
    chain = Outcome(0.3, 64, 1.0, "chain", 0, "linear", 9, *(12 * [0.5]))
    assert scores(chain)["chain"] < scores(few)["chain"]
    assert scores(chain)["distinct"] < scores(many)["distinct"] < scores(few)["distinct"]
    assert -8 <= scores(few)["distinct"] < -7
    assert scores(few)["length"] == pytest.approx(scores(chain)["length"], rel=0.1)


def test_rules_are_ranked_like_measures():
    def draw(rng):
        return rng.random(4)

    rows = [
        row if row.topology != "chain" else replace(row, squared_error=2.0) for row in table(draw)
    ]
    for one in rule_correlations(rows):
        if (one.rule, one.target) == ("chain", "squared_error"):
            # The chain errs most: the rule is wrong wherever it speaks, and silent on the rest.
            naive = spearmanr([0, 1, 1, 1], [4, 1, 2, 3]).statistic
            assert one.correlation.value == pytest.approx(naive)
