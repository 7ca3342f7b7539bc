"""Bounded designs against a twin that refits; forecasts against what is known exactly."""

from dataclasses import replace

import numpy as np
import pytest
from design.test_greedy import random_model
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from ibn.design import all_pairs, choose, expected_variance, label_variance
from ibn.design.bounded import choose_bounded, random_share, typical_length
from ibn.design.forecast import Gain, forecast, updated
from ibn.design.target import bounded_moment

seeds = st.integers(0, 10_000)


def naive_rows(model, pairs, bound):
    """Bounded differences and the variance of a label of each, pair by pair."""
    rows, noise = [], []
    for a, b in pairs:
        x = model.features[a] - model.features[b]
        x = x * min(1.0, bound / np.linalg.norm(x))
        rows.append(x)
        noise.append(label_variance(model, x @ model.mean, x @ model.covariance @ x))
    return np.array(rows), np.array(noise)


def naive_variance(model, target, rows, noise):
    precision = np.linalg.inv(model.covariance) + rows.T @ np.diag(1.0 / noise) @ rows
    return np.trace(np.linalg.inv(precision) @ target)


@given(seeds, st.sampled_from([0.5, 1.5, np.inf]), st.sampled_from([0, 2]), st.booleans())
def test_bounded_greedy_is_the_naive_one(seed, bound, given_first, anywhere):
    rng = np.random.default_rng(seed)
    model = random_model(rng, 7, 3)
    pairs = all_pairs(7)
    first = pairs[rng.choice(len(pairs), given_first, replace=False)]
    target = bounded_moment(model.features, pairs, bound)
    found = choose(model, target, pairs, 4, bound=bound, first=first, anywhere=anywhere)
    np.testing.assert_array_equal(found.pairs[:given_first], first)
    chosen = [pairs.tolist().index(sorted(pair)) for pair in found.pairs.tolist()]
    rows, noise = naive_rows(model, pairs, bound)
    before = np.trace(model.covariance @ target)
    for step in range(4):
        so_far = chosen[:step]
        after = {
            k: naive_variance(model, target, rows[[*so_far, k]], noise[[*so_far, k]])
            for k in range(len(pairs))
            if k not in so_far
        }
        assert before - after[chosen[step]] == pytest.approx(found.reduction[step], abs=1e-9)
        if step >= given_first:
            assert after[chosen[step]] == pytest.approx(min(after.values()), rel=1e-7)
        before = after[chosen[step]]
    assert expected_variance(model, target, found.pairs, bound=bound) == pytest.approx(before)


def test_no_pair_beyond_reach_is_chosen_while_there_are_others():
    rng = np.random.default_rng(0)
    model = random_model(rng, 30, 4)
    pairs = all_pairs(30)
    length = np.linalg.norm(model.features[pairs[:, 0]] - model.features[pairs[:, 1]], axis=1)
    reach = float(np.median(length))
    target = bounded_moment(model.features, pairs, np.inf)
    for anywhere in (False, True):
        found = choose(model, target, pairs, 40, reach=reach, anywhere=anywhere).pairs
        x = model.features[found[:, 0]] - model.features[found[:, 1]]
        assert np.linalg.norm(x, axis=1).max() <= reach
    few = choose(model, target, pairs, 300, reach=reach).pairs
    assert len(np.unique(few, axis=0)) == 300


def test_random_picks_come_first_and_are_marked():
    model = random_model(np.random.default_rng(1), 20, 3)
    pairs = all_pairs(20)
    found = choose_bounded(model, pairs, pairs, 40, np.random.default_rng(2), control=0.3)
    assert found.control.sum() == 12
    assert found.control[:12].all()
    assert len(np.unique(np.sort(found.pairs, axis=1), axis=0)) == 40
    again = choose_bounded(model, pairs, pairs, 40, np.random.default_rng(2), control=0.3)
    np.testing.assert_array_equal(again.pairs, found.pairs)
    assert choose_bounded(
        model, pairs, pairs, 5, np.random.default_rng(2), control=1.0
    ).control.all()


def test_the_random_share_grows_with_labels():
    shares = [random_share(n) for n in (0, 32, 128, 1024)]
    assert shares[0] == shares[1] == 0.25
    assert shares[2] == 0.5
    assert shares[3] == pytest.approx(8 / 9)


def test_a_typical_length_where_most_differences_are_none():
    features = np.array([[0.0], [0.0], [0.0], [0.0], [3.0]])
    assert typical_length(features, np.array([[0, 1], [1, 2], [2, 3], [3, 4]])) == 3.0
    assert typical_length(features, all_pairs(5)[[3, 6]]) == 3.0


@given(seeds)
def test_bounded_moment_is_a_mean_over_pairs(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(6, 3))
    pairs = all_pairs(6)
    rows = [features[a] - features[b] for a, b in pairs]
    rows = [x if np.linalg.norm(x) <= 1.0 else x / np.linalg.norm(x) for x in rows]
    expected = np.mean([np.outer(x, x) for x in rows], axis=0)
    np.testing.assert_allclose(bounded_moment(features, pairs, 1.0), expected, atol=1e-12)


def test_labels_are_taken_in_as_quadrature_says():
    won = np.array([1.0, 1.0, 0.0, 1.0])
    x = np.array([[0.5], [1.0], [0.7], [0.2]])
    mode, root = updated(np.array([0.3]), np.array([[0.8**0.5]]), x, won)
    grid = np.linspace(-8, 8, 400_001)
    log = -((grid - 0.3) ** 2) / 1.6
    for row, label in zip(x[:, 0], won, strict=True):
        log -= np.logaddexp(0.0, -(2.0 * label - 1.0) * row * grid)
    assert mode[0] == pytest.approx(grid[np.argmax(log)], abs=1e-4)
    at = np.argmax(log)
    step = grid[1] - grid[0]
    far = 1000
    curvature = (2 * log[at] - log[at - far] - log[at + far]) / (far * step) ** 2
    assert root[0, 0] ** 2 == pytest.approx(1.0 / curvature, rel=1e-3)


@pytest.mark.parametrize("beta", [1.0, 1e3, 1e6, 1e9])
def test_labels_however_sharp_are_taken_in(beta):
    rng = np.random.default_rng(5)
    x, cold = rng.normal(size=(2, 4)), np.linalg.cholesky(0.3 * np.eye(4) + 0.1)
    mode, root = updated(np.zeros(4), cold, beta * x, np.array([1.0, 0.0]))
    assert np.isfinite(mode).all()
    assert np.isfinite(root).all()
    assert np.linalg.svd(root)[1].max() <= np.linalg.svd(cold)[1].max()  # no label adds doubt
    if beta <= 1e3:  # where the stationary point and the precision are exact enough to compare
        prior, sign = np.linalg.inv(cold @ cold.T), np.array([1.0, -1.0])
        short = expit(-sign * (beta * x @ mode))
        np.testing.assert_allclose(beta * x.T @ (sign * short), prior @ mode, atol=1e-3)
        unseen = np.linalg.svd(x)[2][2:]  # what no label tells of stays as uncertain as it was
        seen = unseen @ np.linalg.inv(root @ root.T) @ unseen.T
        np.testing.assert_allclose(seen, unseen @ prior @ unseen.T, rtol=1e-4)


def test_nothing_is_gained_by_random_labels_and_something_by_good_ones():
    rng = np.random.default_rng(3)
    model = replace(random_model(rng, 60, 4), mean=np.zeros(4), covariance=0.3 * np.eye(4))
    pairs = all_pairs(60)

    def draw(rng):
        return pairs[rng.choice(len(pairs), 20, replace=False)]

    target = bounded_moment(model.features, pairs, np.inf)
    planned = choose(model, target, pairs, 20).pairs
    gained = forecast(model, planned, draw, pairs, np.random.default_rng(4), corrected=False)
    assert gained.log_loss.low < gained.log_loss.mean < gained.log_loss.high
    assert gained.log_loss.mean > 0.0
    nothing = forecast(
        model, draw(rng), draw, pairs, np.random.default_rng(5), draws=200, corrected=False
    )
    assert abs(nothing.log_loss.mean) < gained.log_loss.mean
    shrunk = forecast(model, planned, draw, pairs, np.random.default_rng(4))
    assert abs(shrunk.log_loss.mean) < abs(gained.log_loss.mean)


def test_a_corrected_gain():
    gain = Gain(2.0, 1.0, 4.0).corrected(0.5, 2.0)
    assert (gain.mean, gain.low, gain.high) == (1.0, -1.0, 5.0)
