"""Greedy designs against a twin that refits the posterior, densely, for every candidate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.design import (
    all_pairs,
    choose,
    choose_at_random,
    expected_variance,
    label_variance,
    pairs_within,
    sample_pairs,
    second_moment,
)
from ibn.errors import InputError
from ibn.learner.reward_model import RewardModel

seeds = st.integers(0, 10_000)


def random_model(rng, m, d, labels="binary"):
    factor = rng.normal(size=(d, d))
    return RewardModel(
        mean=rng.normal(size=d),
        covariance=factor @ factor.T + 0.05 * np.eye(d),
        features=rng.normal(size=(m, d)),
        scale=1.0,
        beta=float(rng.uniform(0.3, 2.0)),
        lapse=float(rng.choice([0.0, 0.1])),
        labels=labels,
        noise_variance=float(rng.uniform(0.05, 2.0)),
        own_variance=0.0,
        log_evidence=np.nan,
    )


def refitted(model, target, pairs, noise):
    """Mean variance after labels of these pairs, by one dense inverse."""
    x = model.features[pairs[:, 0]] - model.features[pairs[:, 1]]
    precision = np.linalg.inv(model.covariance) + x.T @ np.diag(1.0 / noise) @ x
    return np.trace(np.linalg.inv(precision) @ target)


def naive_greedy(model, target, pairs, budget, max_uses, repeat):
    """Try every candidate, refit, keep the best; the value after each step."""
    noise = label_variance(model, *model.difference(*pairs.T))
    chosen, values = [], []
    for _ in range(budget):
        uses = np.bincount(pairs[chosen].ravel(), minlength=len(model.features))
        free = [
            k
            for k in range(len(pairs))
            if (repeat or k not in chosen) and (max_uses is None or uses[pairs[k]].max() < max_uses)
        ]
        after = [refitted(model, target, pairs[[*chosen, k]], noise[[*chosen, k]]) for k in free]
        chosen.append(free[int(np.argmin(after))])
        values.append(min(after))
    return np.array(values)


@given(
    seeds,
    st.sampled_from(["binary", "gaussian"]),
    st.sampled_from([None, 2]),
    st.booleans(),
    st.booleans(),
)
def test_fast_greedy_is_the_naive_one(seed, labels, max_uses, repeat, within):
    rng = np.random.default_rng(seed)
    m, d = int(rng.integers(6, 9)), int(rng.integers(1, 5))
    model = random_model(rng, m, d, labels)
    group = rng.permutation(np.arange(m) % 2)
    target = second_moment(model.features, group if within else None)
    pairs = all_pairs(m)
    budget = 4
    design = choose(model, target, pairs, budget, max_uses=max_uses, repeat=repeat)
    values = naive_greedy(model, target, pairs, budget, max_uses, repeat)
    assert design.before == pytest.approx(np.trace(model.covariance @ target))
    np.testing.assert_allclose(design.before - np.cumsum(design.reduction), values, rtol=1e-7)
    assert design.after == pytest.approx(values[-1])
    assert expected_variance(model, target, design.pairs) == pytest.approx(values[-1])
    uses = np.bincount(design.pairs.ravel())
    assert max_uses is None or uses.max() <= max_uses
    assert repeat or len(np.unique(design.pairs, axis=0)) == budget


@given(seeds)
def test_second_moment_is_that_of_the_listed_pairs(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 12))
    features = rng.normal(size=(m, 3))
    group = np.append(rng.integers(0, 3, m - 2), [3, 3])
    for of, pairs in ((None, all_pairs(m)), (group, pairs_within(group))):
        x = features[pairs[:, 0]] - features[pairs[:, 1]]
        np.testing.assert_allclose(second_moment(features, of), x.T @ x / len(x), atol=1e-12)
    assert {tuple(sorted(p)) for p in pairs_within(group).tolist()} == {
        (i, j) for i, j in all_pairs(m).tolist() if group[i] == group[j]
    }


def test_second_moment_needs_a_pair():
    with pytest.raises(InputError, match="no two responses"):
        second_moment(np.zeros((3, 2)), np.arange(3))


@given(seeds, st.integers(2, 40), st.integers(1, 300))
def test_sampled_pairs_are_distinct_and_in_order(seed, m, count):
    pairs = sample_pairs(m, count, np.random.default_rng(seed))
    assert len(pairs) == min(count, m * (m - 1) // 2)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert np.all((pairs[:, 0] < pairs[:, 1]) & (pairs[:, 0] >= 0) & (pairs[:, 1] < m))


def test_sampled_pairs_are_uniform():
    rng = np.random.default_rng(0)
    counts = np.zeros((5, 5))
    for _ in range(3000):
        for i, j in sample_pairs(5, 3, rng):
            counts[i, j] += 1
    drawn = counts[np.triu_indices(5, 1)]
    assert np.abs(drawn - 900.0).max() < 5 * np.sqrt(900.0)


@given(seeds, st.sampled_from(["reduction", "variance"]))
def test_search_anywhere_improves_on_its_list_and_keeps_the_constraints(seed, criterion):
    rng = np.random.default_rng(seed)
    model = random_model(rng, 20, 4)
    target = second_moment(model.features)
    few = sample_pairs(20, 15, rng)
    excluded = sample_pairs(20, 60, rng)
    options = {"excluded": excluded, "max_uses": 2, "criterion": criterion}
    free = ~np.isin(few @ [20, 1], excluded @ [20, 1])
    budget = min(3, int(free.sum()) // 3)
    if not budget:
        return
    listed = choose(model, target, few, budget, **options)
    found = choose(model, target, few, budget, anywhere=True, **options)
    for design in (listed, found):
        codes = np.sort(design.pairs, axis=1) @ [20, 1]
        assert not np.isin(codes, excluded @ [20, 1]).any()
        assert len(np.unique(codes)) == budget
        assert np.bincount(design.pairs.ravel()).max() <= 2
        after = expected_variance(model, target, design.pairs)
        assert design.after == pytest.approx(after, rel=1e-9)
    if criterion == "reduction":
        assert found.reduction[0] >= listed.reduction[0] * (1.0 - 1e-9)


def test_search_anywhere_is_near_the_exact_greedy_choice():
    ratios = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        model = random_model(rng, 60, 8)
        target = second_moment(model.features)
        exact = choose(model, target, all_pairs(60), 20)
        found = choose(model, target, sample_pairs(60, 100, rng), 20, anywhere=True)
        ratios.append(found.reduction.sum() / exact.reduction.sum())
    assert min(ratios) > 0.97


@given(seeds)
def test_largest_variance_first(seed):
    rng = np.random.default_rng(seed)
    model = random_model(rng, 10, 3)
    pairs = all_pairs(10)
    first = choose(model, np.eye(3), pairs, 1, criterion="variance").pairs
    assert model.difference(*first.T)[1] == pytest.approx(model.difference(*pairs.T)[1].max())


@given(seeds)
def test_expected_reduction_of_a_label_by_enumeration(seed):
    """A binary label has two outcomes: average the variance left, by quadrature over x."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, 2, 2)
    _, variance = model.difference(np.array([0]), np.array([1]))
    mean = rng.uniform(-2.0, 2.0, 1) / model.beta
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x = mean + np.sqrt(variance) * nodes
    weights = weights / weights.sum()
    up = model.lapse + (1 - 2 * model.lapse) / (1 + np.exp(-model.beta * x))
    left = 0.0
    for chance in (up, 1.0 - up):
        total = weights @ chance
        centre = weights @ (chance * x) / total
        left += weights @ (chance * (x - centre) ** 2)
    noise = label_variance(model, mean, variance)
    exact = (variance - left) / variance
    np.testing.assert_allclose(variance / (noise + variance), exact, rtol=0.1)


def test_noise_of_a_label_of_a_known_difference_is_its_inverse_information():
    rng = np.random.default_rng(1)
    model = random_model(rng, 2, 2)
    p = 1 / (1 + np.exp(-model.beta * 0.7))
    share = 1 - 2 * model.lapse
    chance = model.lapse + share * p
    information = (share * model.beta * p * (1 - p)) ** 2 / (chance * (1 - chance))
    found = label_variance(model, np.array([0.7]), np.zeros(1))
    np.testing.assert_allclose(found, 1 / information)


def test_too_few_candidates_and_unknown_criterion():
    model = random_model(np.random.default_rng(0), 4, 2)
    target = second_moment(model.features)
    with pytest.raises(InputError, match="only 2 comparisons can be chosen for a budget of 3"):
        choose(model, target, all_pairs(4), 3, max_uses=1)
    with pytest.raises(InputError, match="only 2 comparisons"):
        choose_at_random(4, all_pairs(4), 3, np.random.default_rng(0), max_uses=1)
    with pytest.raises(InputError, match="without own parts"):
        choose(replace(model, own_variance=1.0), target, all_pairs(4), 1)
    with pytest.raises(InputError, match="did you mean 'reduction'"):
        choose(model, target, all_pairs(4), 1, criterion="reductoin")


@given(seeds, st.booleans(), st.sampled_from([None, 2]))
def test_random_choice_keeps_the_constraints(seed, repeat, max_uses):
    rng = np.random.default_rng(seed)
    pairs = all_pairs(8)
    chosen = choose_at_random(8, pairs, 6, rng, max_uses=max_uses, repeat=repeat)
    assert chosen.shape == (6, 2)
    assert repeat or len(np.unique(chosen, axis=0)) == 6
    assert max_uses is None or np.bincount(chosen.ravel()).max() <= max_uses
    many = choose_at_random(8, pairs[:2], 5, rng, repeat=True)
    assert len(many) == 5
