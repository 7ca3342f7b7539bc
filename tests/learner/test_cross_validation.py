"""The scale by cross-validation: as good as the evidence's, and better where labels share."""

import numpy as np
import pytest
from scipy.special import expit

from ibn.learner.cross_validation import cross_validated, shares_responses
from ibn.learner.reward_model import fit
from ibn.preferences.comparisons import Comparisons


def world(prompts, each, labels, own, seed):
    """Responses with a part of their own beside the features; ``labels`` of each pair."""
    rng = np.random.default_rng(seed)
    m = prompts * each
    points = rng.normal(size=(m + 400, 12))
    reward = 0.4 * points @ rng.normal(size=12) / 3 + own * rng.normal(size=m + 400)
    prompt_of = np.repeat(np.arange(prompts), each)
    i, j = np.triu_indices(each, 1)
    first = np.concatenate([p * each + i for p in range(prompts)])
    second = np.concatenate([p * each + j for p in range(prompts)])
    a, b = np.repeat(first, labels), np.repeat(second, labels)
    new = m + np.arange(400).reshape(2, 200)

    def winner(a, b):
        won = rng.random(len(a)) < expit(reward[a] - reward[b])
        return np.where(won, 1, -1).astype(np.int8)

    everyone = np.arange(m + 400)
    train = Comparisons(everyone, a, b, winner=winner(a, b))
    test = Comparisons(everyone, new[0], new[1], winner=winner(*new))
    return points, train, prompt_of[a], test


def loss(model, test):
    chance = model.probability(test.a, test.b)
    return float(-np.log(np.where(test.winner > 0, chance, 1.0 - chance)).mean())


def test_few_responses_of_many_labels_are_not_believed_too_much():
    gains = []
    for seed in range(5):
        points, train, group, test = world(10, 5, 6, own=2.0, seed=seed)
        model = fit(points, train, own_variance=0.0, intervals=False)
        found = cross_validated(model, train, group)
        assert found.scale < model.scale
        gains.append(loss(model, test) - loss(found, test))
    assert np.mean(gains) > 0.02


def test_fresh_pairs_keep_about_the_scale_of_the_evidence():
    points, train, group, test = world(300, 2, 1, own=0.0, seed=0)
    assert not shares_responses(train)
    model = fit(points, train, own_variance=0.0, intervals=False)
    found = cross_validated(model, train, group)
    assert loss(found, test) == pytest.approx(loss(model, test), abs=0.02)


def test_one_group_leaves_the_model_as_it_is():
    points, train, group, _ = world(10, 3, 1, own=0.0, seed=0)
    model = fit(points, train, own_variance=0.0, intervals=False)
    assert cross_validated(model, train, np.zeros_like(group)) is model
    assert shares_responses(train)
