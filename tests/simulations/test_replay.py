"""Replays of labelling: reproducible, calibrated, and right about how many labels are saved."""

import numpy as np
import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError
from ibn.preferences.noise import LabelNoise
from ibn.simulations.replay import Problem, Replay, replay, world_problem


def world(rng):
    return world_problem(Ultrametric("power", alpha=0.5), 16, LabelNoise(5.0), rng)


def binary(rng):
    """The same, its labels binary."""
    from dataclasses import replace

    problem = world(rng)
    prior = replace(problem.prior, labels="binary", beta=2.0, noise_variance=np.nan)
    return Problem(prior, problem.target, problem.pairs)


def test_features_of_a_world_have_its_distances_for_variances():
    place, rng = Ultrametric("logarithmic", alpha=0.7), np.random.default_rng(0)
    problem = world_problem(place, 12, LabelNoise(1.0), rng)
    again = np.unique(place.sample(12, np.random.default_rng(0)))
    a, b = problem.pairs.T
    np.testing.assert_allclose(
        problem.prior.difference(a, b)[1], place.distance(again[a], again[b]), rtol=1e-6
    )
    with pytest.raises(InputError, match="not all different"):
        world_problem(Ultrametric(digits=2), 12, LabelNoise(1.0), rng)


def test_same_seed_same_replay():
    first, second, other = (
        replay(binary, 6, batches=3, repetitions=2, seed=seed) for seed in (1, 1, 2)
    )
    for policy in first.error:
        np.testing.assert_array_equal(first.error[policy], second.error[policy])
        assert not np.array_equal(first.error[policy], other.error[policy])


def test_posterior_variance_is_the_mean_squared_error():
    """Truth and labels come from the model, so its uncertainty must be right on average."""
    found = replay(binary, 20, batches=2, repetitions=60, seed=0, policies=("planned", "random"))
    for policy in ("planned", "random"):
        gap = found.error[policy] - found.variance[policy]
        stderr = gap.std(axis=0, ddof=1) / np.sqrt(len(gap))
        assert np.all(np.abs(gap.mean(axis=0)) < 4.0 * stderr)
        assert gap.shape == (60, 3)


def test_savings_by_hand():
    labels = np.array([0, 10, 20, 30, 40])
    halving = 0.5 ** (labels / 20.0)
    faster = 0.5 ** (labels / 10.0)
    curves = {"random": np.tile(halving, (3, 1)), "planned": np.tile(faster, (3, 1))}
    found = Replay(labels, curves, curves, seed=0)
    for k in (1, 2, 4):
        saving = found.saving("planned", k)
        assert saving.labels == labels[k]
        assert saving.variance.mean == pytest.approx(2.0)
        assert saving.error == pytest.approx(2.0)
        assert saving.error_interval == pytest.approx((2.0, 2.0))
    swapped = {"random": curves["planned"], "planned": curves["random"]}
    # Never as good within the labels there are: compared at its own level.
    assert Replay(labels, swapped, swapped, 0).saving("planned", 4).error == pytest.approx(0.5)


def test_where_random_choice_has_learnt_nothing_one_label_counts_as_needed():
    labels = np.array([0, 4])
    curves = {"random": np.ones((3, 2)), "planned": np.tile([1.0, 0.5], (3, 1))}
    saving = Replay(labels, curves, curves, seed=0).saving("planned", 1)
    assert saving.variance.mean == saving.error == 4.0
    assert saving.variance.stderr == 0.0


def test_bad_numbers():
    with pytest.raises(InputError, match="120 candidates for a budget of 121"):
        replay(world, 121, repetitions=2)
    with pytest.raises(InputError, match="repetitions must be at least 2"):
        replay(world, 8, batches=2, repetitions=1)
    with pytest.raises(InputError, match="batches must lie between"):
        replay(world, 8, batches=9)
