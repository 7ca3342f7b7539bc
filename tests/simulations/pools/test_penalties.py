import numpy as np
import pytest

from ibn.learner.reward_model import posterior
from ibn.preferences.comparisons import Comparisons
from ibn.simulations.pools.penalties import LEARNERS, SCALES, choices, fit_path


def data(seed=0, prompts=20, responses=4, d=3, n=150):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(prompts * responses, d))
    of = np.repeat(np.arange(prompts), responses)
    a = rng.integers(0, len(of), n)
    b = of[a] * responses + (a % responses + rng.integers(1, responses, n)) % responses
    gap = features @ np.ones(d)
    winner = np.where(rng.logistic(gap[a] - gap[b]) > 0, 1, -1)
    return features, Comparisons(np.arange(len(of)), a, b, winner=winner), of


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_the_path_is_the_posterior_of_each_scale(own):
    features, comparisons, _ = data()
    path = fit_path(features, comparisons, own)
    scales = SCALES[::2] if own else SCALES
    for scale, weights, evidence in zip(scales, path.weights, path.evidence, strict=True):
        model = posterior(features, comparisons, scale=float(scale), own_variance=own)
        np.testing.assert_allclose(weights, model.mean, atol=1e-6)
        assert evidence == pytest.approx(model.log_evidence, rel=1e-9)


def test_cross_validation_is_that_of_fits_without_the_fold():
    features, comparisons, of = data()
    path = fit_path(features, comparisons, 0.0, of)
    fold = np.unique(of[comparisons.a], return_inverse=True)[1] % 4
    total = 0.0
    for k in range(4):
        rest = posterior(features, comparisons.select(fold != k), scale=float(SCALES[4]))
        out = comparisons.select(fold == k)
        gap = (features[out.a] - features[out.b]) @ rest.mean
        total -= np.log1p(np.exp(-out.winner * gap)).sum()
    assert path.held_out[4] == pytest.approx(total / len(comparisons), rel=1e-6)


def test_the_oracle_is_best_on_the_truth_and_all_ways_choose_from_one_path():
    features, comparisons, of = data()
    truth = features @ np.ones(3)

    def loss(rewards):
        return float(np.mean((rewards - truth) ** 2))

    found = choices(features, comparisons, of, features, loss, LEARNERS)
    assert tuple(found) == LEARNERS
    assert loss(found["oracle"]) <= min(loss(found["evidence"]), loss(found["cv"]))
    assert all(np.corrcoef(rewards, truth)[0, 1] > 0.9 for rewards in found.values())
