"""The macro level on finite response spaces: decoders and what they lose."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from ibn.errors import InputError
from ibn.theory import autoencoder as ae

sizes = st.integers(2, 12)
seeds = st.integers(0, 2**32 - 1)


def random_policy(size, rng):
    return ae.gibbs(rng.normal(size=size), 1.0)


@given(sizes, seeds, st.floats(0.1, 50.0))
def test_a_gibbs_policy_is_normalised_and_ignores_a_common_shift(size, seed, beta):
    reward = np.random.default_rng(seed).normal(size=size)
    policy = ae.gibbs(reward, beta)
    assert_allclose(np.exp(policy).sum(), 1.0)
    assert_allclose(ae.gibbs(reward + 7.0, beta), policy, atol=1e-10)
    assert_allclose(np.diff(policy), beta * np.diff(reward), atol=1e-10)


def test_a_cold_policy_over_the_largest_space_does_not_underflow():
    reward = np.linspace(0.0, 1.0, ae.MOST_RESPONSES)
    policy = ae.gibbs(reward, 1e6)
    assert np.isfinite(policy).all()
    assert ae.kl_divergence(policy, ae.gibbs(reward[::-1], 1e6)) == pytest.approx(1e6, rel=0.01)


@pytest.mark.parametrize("with_reference", [False, True])
def test_gibbs_is_where_an_optimiser_ends_up(with_reference):
    rng = np.random.default_rng(1)
    reward, beta = rng.normal(size=6), 1.7
    reference = random_policy(6, rng) if with_reference else None

    def cost(logit):
        return -ae.objective(log_softmax(logit), reward, beta, reference)

    found = minimize(cost, rng.normal(size=6), options={"gtol": 1e-9})
    best = ae.gibbs(reward, beta, reference)
    assert_allclose(np.exp(log_softmax(found.x)), np.exp(best), atol=1e-6)
    assert ae.objective(best, reward, beta, reference) >= -found.fun


@given(sizes, seeds)
def test_the_lead_of_gibbs_is_a_divergence(size, seed):
    rng = np.random.default_rng(seed)
    reward, policy, reference = rng.normal(size=size), *(random_policy(size, rng) for _ in "ab")
    for log_reference in (None, reference):
        best = ae.gibbs(reward, 2.0, log_reference)
        lead = ae.objective(best, reward, 2.0, log_reference) - ae.objective(
            policy, reward, 2.0, log_reference
        )
        assert_allclose(lead, ae.kl_divergence(policy, best) / 2.0, atol=1e-12)


def naive_best_of(reward, draws, p):
    """Every sequence of draws, ties for the best shared among the draws."""
    result = np.zeros(len(p))
    for sequence in product(range(len(p)), repeat=draws):
        ranks = [reward[y] for y in sequence]
        winners = [y for y in sequence if reward[y] == max(ranks)]
        for winner in winners:
            result[winner] += np.prod([p[y] for y in sequence]) / len(winners)
    return result


@pytest.mark.parametrize("draws", [1, 2, 3, 5])
@pytest.mark.parametrize("reward", [(0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 1.0, 1.0), (2.0,) * 4])
def test_best_of_n_is_exact_with_and_without_ties(reward, draws):
    p = np.array([0.1, 0.4, 0.2, 0.3])
    found = ae.best_of(np.array(reward), draws, np.log(p))
    assert_allclose(np.exp(found), naive_best_of(reward, draws, p), atol=1e-14)


def test_best_of_n_keeps_out_what_the_reference_leaves_out():
    with np.errstate(divide="ignore"):
        reference = np.log(np.array([0.5, 0.5, 0.0]))
    found = ae.best_of(np.array([0.0, 1.0, 2.0]), 4, reference)
    assert_allclose(np.exp(found), [1 / 16, 15 / 16, 0.0], atol=1e-14)


@pytest.mark.parametrize("draws", [2, 16, 4096])
def test_best_of_n_stays_within_its_known_divergence_from_the_reference(draws):
    """KL(best of N ‖ reference) is at most log N - (N - 1)/N, nearly so without big atoms."""
    size = ae.MOST_RESPONSES
    known = np.log(draws) - (draws - 1) / draws
    kl = ae.kl_divergence(ae.best_of(np.arange(size, dtype=float), draws), ae.uniform(size))
    assert kl <= known
    assert kl == pytest.approx(known, rel=0.02)


@given(sizes, seeds, st.floats(0.3, 3.0), st.floats(0.3, 3.0))
def test_dpo_on_all_labels_decodes_as_regularised_rl(size, seed, beta, strength):
    rng = np.random.default_rng(seed)
    reward, reference = rng.normal(size=size), random_policy(size, rng)
    a, b = np.triu_indices(size, 1)
    preferred = expit(beta * (reward[a] - reward[b]))
    found = ae.direct_preference(a, b, preferred, strength, reference)
    assert_allclose(found, ae.gibbs(reward, beta / strength, reference), atol=1e-8)


def test_dpo_minimises_its_own_loss():
    rng = np.random.default_rng(3)
    reference, strength = random_policy(5, rng), 0.4
    a, b = rng.integers(0, 5, 60), rng.integers(1, 5, 60)
    b = (a + b) % 5
    preferred = rng.integers(0, 2, 60).astype(float)

    def loss(logit):
        ratio = log_softmax(logit) - reference
        h = strength * (ratio[a] - ratio[b])
        return np.mean(np.logaddexp(0, h) - preferred * h)

    found = ae.direct_preference(a, b, preferred, strength, reference)
    other = minimize(loss, np.zeros(5), options={"gtol": 1e-9})
    assert loss(found) <= other.fun + 1e-12
    assert_allclose(np.exp(found), np.exp(log_softmax(other.x)), atol=1e-4)


def test_dpo_on_the_largest_space_lands_on_the_same_policy():
    rng = np.random.default_rng(4)
    size = 2**12
    reward, reference = rng.normal(size=size), random_policy(size, rng)
    a = rng.integers(0, size, 16 * size)
    b = (a + rng.integers(1, size, len(a))) % size
    found = ae.direct_preference(a, b, expit(reward[a] - reward[b]), 1.0, reference)
    assert ae.total_variation(found, ae.gibbs(reward, 1.0, reference)) < 1e-10


@pytest.mark.parametrize(
    ("a", "b", "preferred"),
    [([0, 1], [1, 2], [1.0, 1.0]), ([0, 0], [1, 1], [0.0, 1.0])],
    ids=["one wins all", "one is never compared"],
)
def test_dpo_without_an_optimum_says_so(a, b, preferred):
    with pytest.raises(InputError, match="never lose"):
        ae.direct_preference(np.array(a), np.array(b), np.array(preferred), 1.0, ae.uniform(3))


@given(sizes, seeds, st.floats(0.01, 5.0))
def test_the_reconstruction_loss_is_the_divergence_and_within_its_bounds(size, seed, beta):
    rng = np.random.default_rng(seed)
    human, error = rng.normal(size=size), rng.normal(size=size)
    log_human = ae.gibbs(human, beta)
    kl = ae.kl_divergence(log_human, ae.gibbs(human + error, beta))
    p = np.exp(log_human)
    exact = np.log(p @ np.exp(beta * error)) - beta * (p @ error)
    assert_allclose(kl, exact, rtol=1e-6, atol=1e-14)
    assert kl <= (beta * np.ptp(error)) ** 2 / 8.0 * (1 + 1e-12)


def test_the_leading_term_is_the_mean_over_pairs():
    rng = np.random.default_rng(5)
    log_human, error, beta = random_policy(7, rng), rng.normal(size=7), 0.8
    p = np.exp(log_human)
    pairs = p @ (error[:, None] - error[None, :]) ** 2 @ p
    assert ae.second_order_loss(log_human, error, beta) == pytest.approx(beta**2 / 4 * pairs)


def test_entropy_and_distances_of_known_policies():
    with np.errstate(divide="ignore"):
        certain = np.log(np.array([1.0, 0.0]))
    even = ae.uniform(2)
    assert ae.entropy(certain) == 0.0
    assert ae.entropy(even) == pytest.approx(np.log(2))
    assert ae.kl_divergence(certain, even) == pytest.approx(np.log(2))
    assert ae.kl_divergence(even, certain) == np.inf
    assert ae.total_variation(certain, even) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ae.gibbs(np.zeros(3), 0.0), "beta"),
        (lambda: ae.gibbs(np.array([0.0, np.inf]), 1.0), "finite"),
        (lambda: ae.gibbs(np.zeros(2**14 + 1), 1.0), "16384"),
        (lambda: ae.gibbs(np.zeros((2, 2)), 1.0), "has shape"),
        (lambda: ae.best_of(np.zeros(3), 0), "whole number"),
        (
            lambda: ae.direct_preference(
                np.array([0]), np.array([1]), np.array([0.5]), 1.0, np.array([0.0, -np.inf])
            ),
            "reference",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
