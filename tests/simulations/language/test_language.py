import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize
from scipy.special import logsumexp

from ibn.inference.gaussian import posterior_mean, resistance_matrix
from ibn.simulations.language import language
from ibn.simulations.language.language import (
    LEARNERS,
    MEMORY,
    Language,
    decode,
    draw,
    fine_tune,
    win_rate,
)
from ibn.theory import autoencoder

SMALL = Language("chain", 48, alpha=0.7, beta=50.0, length=6)


def data_of(setting=SMALL, seed=0):
    rng = np.random.default_rng(seed)
    reward = setting.world.rewards(setting.sequences, rng)
    return draw(setting, reward, rng)


@given(st.integers(2, 12), st.integers(0, 2**16))
@settings(max_examples=50, deadline=None)
def test_win_rates_are_those_of_all_pairs(m, seed):
    rng = np.random.default_rng(seed)
    reward = rng.integers(0, 5, m).astype(float)
    p, q = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(m))
    naive = sum(
        p[i] * q[j] * ((reward[i] > reward[j]) + 0.5 * (reward[i] == reward[j]))
        for i in range(m)
        for j in range(m)
    )
    assert win_rate(np.log(p), np.log(q), reward) == pytest.approx(naive)
    assert win_rate(np.log(p), np.log(p), reward) == pytest.approx(0.5)


def test_rewards_of_long_common_prefixes_are_alike():
    rng = np.random.default_rng(0)
    setting = Language("chain", 8, alpha=1.0, length=5)
    drawn = np.array([setting.world.rewards(setting.sequences, rng) for _ in range(4000)])
    for y, depth in ((1, 4), (2, 3), (8, 1), (16, 0)):
        squared = (drawn[:, 0] - drawn[:, y]) ** 2
        error = squared.std() / np.sqrt(len(squared))
        assert abs(squared.mean() - setting.world.distance_at(depth)) < 4 * error


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_learn(name):
    few = [_error(name, Language("chain", 16, 0.7, 50.0, length=6), seed) for seed in range(4)]
    many = [_error(name, Language("chain", 256, 0.7, 50.0, length=6), seed) for seed in range(4)]
    assert np.mean(many) < 0.7 * np.mean(few)


def _error(name, setting, seed):
    data = data_of(setting, seed)
    model = LEARNERS[name](data, np.random.default_rng(seed))
    return np.var(model - data.reward)


def test_the_linear_model_is_the_posterior_mean_where_its_prefixes_are_all_there_is():
    setting = Language("chain", 40, alpha=0.7, beta=3.0, length=5)
    data = data_of(setting)
    linear, exact = (LEARNERS[name](data, None) for name in ("linear", "gaussian-process"))
    assert np.allclose(linear - linear.mean(), exact - exact.mean(), atol=1e-8)


@pytest.mark.parametrize("topology", ["chain", "tree", "expander"])
@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 100.0), (2.0, 1.0)])
def test_the_exact_learner_and_its_variance_are_those_of_the_network(topology, alpha, beta):
    data = data_of(Language(topology, 30, alpha, beta, length=6))
    model = LEARNERS["gaussian-process"](data, None)
    mean = posterior_mean(data.network, data.comparisons)
    assert np.allclose(model - model.mean(), mean, atol=1e-9)
    pairs = 64 * 63
    assert data.variance == pytest.approx(resistance_matrix(data.network).sum() / pairs, rel=1e-9)


def test_the_linear_model_is_ridge_regression_on_prefix_indicators():
    setting = Language("tree", 50, alpha=0.4, beta=5.0, length=8)
    data = data_of(setting)
    half = setting.world.half_variance
    prefixes = [(y >> (8 - k), k) for k in range(1, 7) for y in range(0, 256, 2 ** (8 - k))]
    features = np.array(
        [
            [np.sqrt(half[k - 1] - half[k]) * (y >> (8 - k) == prefix) for prefix, k in prefixes]
            for y in range(256)
        ]
    )
    x = features[data.comparisons.a] - features[data.comparisons.b]
    noise = np.pi**2 / 3 / 5.0**2 + 2 * half[6]
    weights = np.linalg.solve(x.T @ x + noise * np.eye(x.shape[1]), x.T @ data.delta)
    assert np.allclose(LEARNERS["linear"](data, None), features @ weights, atol=1e-9)


def test_the_neural_network_follows_its_gradient(monkeypatch):
    """What L-BFGS is given as the gradient is that of the loss, up to single precision."""
    seen = []

    def spy(loss, start, **options):
        def value(weights):
            return loss(weights)[0]

        def gradient(weights):
            return loss(weights)[1]

        size = np.linalg.norm(gradient(start))
        seen.append(check_grad(value, gradient, start, epsilon=1e-2) / size)
        return minimize(loss, start, **options)

    monkeypatch.setattr(language, "minimize", spy)
    LEARNERS["neural"](data_of(), np.random.default_rng(0))
    assert seen[0] < 0.02


def test_mirrored_labels_have_the_opposite_noise():
    data = data_of()
    truth = data.reward[data.comparisons.a] - data.reward[data.comparisons.b]
    assert np.allclose(data.mirrored.delta - truth, truth - data.delta)
    assert np.allclose(data.mirrored.mirrored.delta, data.delta)


def test_decoders_are_those_of_the_autoencoder():
    reward = np.random.default_rng(0).normal(size=32)
    policies = decode(reward)
    best = autoencoder.best_of(reward, 16)
    assert np.allclose(policies["best-of-n"], best)
    assert np.array_equal(policies["regularised"], autoencoder.gibbs(reward, 4.0))
    assert np.allclose(policies["rft"], fine_tune(best, MEMORY))


def test_rounding_errors_break_no_ties():
    rng = np.random.default_rng(0)
    reward = rng.normal(size=8).repeat(4)
    policy = decode(reward + 1e-13 * rng.normal(size=32))["best-of-n"]
    assert np.allclose(policy, autoencoder.best_of(reward, 16))


@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 2**16))
@settings(max_examples=15, deadline=None)
def test_fine_tuning_is_the_nearest_policy_of_limited_memory(length, memory, seed):
    """Against a numerical minimisation of KL(p‖q) over one logit a place, memory and token."""
    p = np.random.default_rng(seed).dirichlet(np.full(2**length, 0.7)) + 1e-6
    p /= p.sum()
    tokens = np.arange(2**length)[:, None] >> np.arange(length)[::-1] & 1
    table, cells = {}, []
    for y in tokens:
        texts = [(t, tuple(y[max(t - memory, 0) : t])) for t in range(length)]
        cells.append([table.setdefault(text, len(table)) for text in texts])
    cells = np.array(cells)

    def log_policy(logit):
        margin = np.where(tokens == 1, 1.0, -1.0) * logit[cells]
        return -np.logaddexp(0.0, -margin).sum(axis=1)

    def divergence(logit):
        return p @ (np.log(p) - log_policy(logit))

    numeric = minimize(divergence, np.zeros(len(table)), method="BFGS")
    log_q = fine_tune(np.log(p), memory)
    assert logsumexp(log_q) == pytest.approx(0.0, abs=1e-12)
    assert p @ (np.log(p) - log_q) == pytest.approx(numeric.fun, abs=1e-6)
    assert np.allclose(log_q, log_policy(numeric.x), atol=0.02)
    if memory >= length - 1:
        assert np.allclose(log_q, np.log(p))


def test_fine_tuning_takes_what_never_comes():
    log_q = fine_tune(np.log(np.array([0.5, 0.5, 1e-300, 1e-300])) * [1, 1, np.inf, np.inf], 1)
    assert np.array_equal(np.exp(log_q), [0.5, 0.5, 0.0, 0.0])


def test_the_mean_variance_is_the_mean_error_of_the_exact_learner():
    """The posterior variance is what it says: the expected squared error of the posterior mean."""
    gaps = []
    for seed in range(60):
        data = data_of(Language("chain", 24, 0.5, 1e4, length=5), seed)
        model = LEARNERS["gaussian-process"](data, None)
        gaps.append(2.0 * np.var(model - data.reward, ddof=1) - data.variance)
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(len(gaps))
