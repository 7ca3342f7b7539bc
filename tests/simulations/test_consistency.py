"""The autoencoder end to end: what it measures, and that it converges."""

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.simulations import consistency
from ibn.simulations.consistency import LEARNERS, Autoencoder, Reconstruction, measure, reconstruct


def test_the_same_seed_gives_the_same_reconstruction():
    setting = Autoencoder("tree", 100, digits=5)
    first, second = (reconstruct(setting, np.random.default_rng(1)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("topology", ["chain", "tree"])
def test_measures_obey_what_is_known_of_them(learner, topology):
    found = reconstruct(
        Autoencoder(topology, 200, digits=5, learner=learner), np.random.default_rng(2)
    )
    assert 0 < found.kl <= found.log_ratio
    assert found.total_variation <= np.sqrt(found.kl / 2)  # Pinsker
    assert found.total_variation <= np.tanh(found.log_ratio / 2)
    assert found.mean_variance <= found.largest_variance
    assert found.predicted <= 2.0**2 / 4 * found.largest_variance
    assert found.kl == pytest.approx(found.second_order, rel=0.5)


@pytest.mark.parametrize("learner", LEARNERS)
def test_more_labels_reconstruct_better_with_every_learner(learner):
    rng = np.random.default_rng(3)
    few, many = (
        measure([Autoencoder("tree", n, digits=5, learner=learner)], 12, rng)[0].measures
        for n in (30, 3000)
    )
    for name in ("kl", "total_variation", "squared_error", "largest_variance"):
        assert many[name].interval(0.999)[1] < few[name].interval(0.999)[0]


@pytest.mark.parametrize("learner", LEARNERS)
def test_error_and_divergence_are_what_the_posterior_predicts(learner):
    setting = Autoencoder("chain", 2000, digits=5, beta=1.0, learner=learner)
    found = measure([setting], 60, np.random.default_rng(4))[0].measures
    for outcome, prediction in (("squared_error", "mean_variance"), ("kl", "predicted")):
        ratio = found[outcome].mean / found[prediction].mean
        stderr = found[outcome].stderr / found[prediction].mean
        # Labels taken as Gaussian are averaged, which wastes some of logistic labels' evidence
        # but is calibrated all the same.
        assert abs(ratio - 1.0) < 5 * stderr + 0.05
        assert stderr < 0.1


def test_the_right_likelihood_beats_averaging_and_signs_carry_least():
    """Fisher information of a logistic label, a Gaussian of its variance, a sign: 1/3, 3/π², ≤ 1/4
    times β²."""
    errors = {
        learner: measure(
            [Autoencoder("chain", 3000, digits=4, beta=1.0, learner=learner)],
            80,
            np.random.default_rng(5),
        )[0].measures["mean_variance"]
        for learner in LEARNERS
    }
    assert errors["logistic"].mean < errors["gaussian"].mean < errors["binary"].mean
    ratio = errors["logistic"].mean / errors["gaussian"].mean
    assert ratio == pytest.approx(9 / np.pi**2, abs=0.03)


def test_random_pairs_estimate_what_all_pairs_give(monkeypatch):
    setting = Autoencoder("tree", 500, digits=6)
    exact = reconstruct(setting, np.random.default_rng(6))
    monkeypatch.setattr(consistency, "DENSE_RESPONSES", 0)
    estimated = reconstruct(setting, np.random.default_rng(6))
    assert estimated.kl == exact.kl
    assert estimated.mean_variance == pytest.approx(exact.mean_variance, rel=0.1)
    assert estimated.predicted == pytest.approx(exact.predicted, rel=0.1)
    assert np.isnan(estimated.largest_variance)


def test_the_largest_world_runs():
    found = reconstruct(Autoencoder("tree", 20_000, digits=14), np.random.default_rng(7))
    assert 0 < found.kl < 1
    assert found.squared_error == pytest.approx(found.mean_variance, rel=0.5)


def test_every_measure_comes_with_its_error():
    result = measure([Autoencoder("chain", 20, digits=3)], 5, np.random.default_rng(8))[0]
    assert set(result.measures) == set(Reconstruction.__dataclass_fields__)
    assert all(m.count == 5 and m.stderr > 0 for m in result.measures.values())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Autoencoder("chain", 10, digits=15), "digits"),
        (Autoencoder("chain", 10, digits=3, learner="linear"), "learner"),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        reconstruct(setting, np.random.default_rng(9))
