"""What labels are expected to bring, against simulation and against each other."""

import numpy as np
import pytest
from scipy.special import expit

from ibn.auditing.expected_accuracy import Outlook, expected_accuracy, information
from ibn.learner.reward_model import before_labels, posterior
from ibn.preferences.comparisons import Comparisons


@pytest.mark.parametrize(("prior", "left"), [(1.0, 1.0), (1.0, 0.4), (6.0, 0.5), (0.3, 0.0)])
def test_accuracy_is_that_of_simulated_labels(prior, left):
    rng = np.random.default_rng(0)
    mean = np.sqrt(prior - left) * rng.normal(size=400_000)
    reward = mean + np.sqrt(left) * rng.normal(size=mean.size)
    label = rng.random(mean.size) < expit(reward)
    right = (label == (mean > 0)).mean()
    found = expected_accuracy(np.array([prior]), np.array([left]))[0]
    assert found == pytest.approx(right, abs=0.003)


@pytest.fixture
def outlook():
    rng = np.random.default_rng(1)
    model = before_labels(rng.normal(size=(120, 5)), scale=2.0)
    return Outlook.of(model, np.repeat(np.arange(40), 3), rng)


def test_nothing_known_is_a_coin(outlook):
    assert outlook.accuracy() == pytest.approx(0.5, abs=1e-6)


def test_random_labels_are_worth_themselves(outlook):
    assert outlook.worth(outlook.accuracy(30 * outlook.typical), 30) == pytest.approx(30, rel=0.01)


def test_longer_differences_tell_more(outlook):
    listed = np.stack([np.arange(0, 120, 3), np.arange(1, 120, 3)], axis=1)
    length = np.square(outlook.model.features[listed[:, 0]] - outlook.model.features[listed[:, 1]])
    order = np.argsort(length.sum(axis=1))
    short, long = (outlook.accuracy(information(outlook.model, listed[some])) for some in
                   (order[:10], order[-10:]))  # fmt: skip
    assert long > short > 0.5


def test_without_pairs_within_prompts_there_is_no_outlook():
    model = before_labels(np.random.default_rng(0).normal(size=(9, 3)))
    assert Outlook.of(model, np.arange(9), np.random.default_rng(0)) is None


def test_the_forecast_is_what_a_fit_to_simulated_labels_reaches():
    """Labels of a world that is the model's: accuracy on new pairs is as expected."""
    rng = np.random.default_rng(3)
    found, said = [], []
    for _ in range(40):
        points = rng.normal(size=(400, 6))
        base = before_labels(points, scale=3.0)
        reward = base.features @ (np.sqrt(3.0) * rng.normal(size=6))
        a, b = np.arange(0, 400, 2), np.arange(1, 400, 2)
        label = np.where(rng.random(200) < expit(reward[a] - reward[b]), 1, -1).astype(np.int8)
        kept = Comparisons(np.arange(400), a[:60], b[:60], winner=label[:60])
        model = posterior(base.features, kept, scale=3.0)
        said.append(Outlook.of(model, np.repeat(np.arange(200), 2), rng).accuracy())
        found.append(((model.difference(a[60:], b[60:])[0] > 0) == (label[60:] > 0)).mean())
    error = np.std(np.subtract(found, said), ddof=1) / np.sqrt(40)
    assert abs(np.mean(found) - np.mean(said)) < 4 * error + 0.005
