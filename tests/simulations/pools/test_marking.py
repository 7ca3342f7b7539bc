import numpy as np
import pytest

from ibn.errors import InputError
from ibn.simulations.pools import marking

SCORE = np.random.default_rng(0).normal(size=60)
OF = np.repeat(np.arange(10), 6)


@pytest.mark.parametrize("agreement", [0.65, 0.75, 0.9])
def test_labels_agree_as_often_as_was_asked(agreement):
    beta = marking.inverse_temperature(agreement, marking.gaps(SCORE, OF))
    pairs = np.concatenate(
        [low + np.stack(np.triu_indices(high - low, 1), 1) for low, high in marking.bounds(OF)]
    )
    many = np.tile(pairs, (200, 1))
    labels = marking.labels(many, SCORE, beta, np.random.default_rng(1))
    right = labels * np.sign(SCORE[many[:, 0]] - SCORE[many[:, 1]]) > 0
    assert abs(right.mean() - agreement) < 4 * np.sqrt(0.25 / len(many))


def test_raters_own_labels_follow_single_ratings():
    ratings, rated = np.array([1.0, 0.0, 0.5, 0.5]), np.array([0, 2, 3, 4])
    score = np.array([0.5, 0.5, 0.5])
    pairs = np.tile([[0, 1], [1, 2]], (4000, 1))
    raters = (ratings, rated)
    labels = marking.labels(pairs, score, 1.0, np.random.default_rng(0), raters).reshape(-1, 2)
    assert np.all(np.abs(labels.mean(axis=0)) < 0.06)  # a rating of 0 or 1 against ½; and a coin
    score = np.array([0.5, 0.4, 0.4])
    found = marking.own_agreement(score, np.array([1.0, 0.0, 0.4, 0.4]), rated, np.zeros(3, int))
    assert found == 0.5


@pytest.mark.parametrize("given", ["0.4", "1", "most"])
def test_an_agreement_is_a_share_above_one_half(given):
    with pytest.raises(InputError, match="agreement"):
        marking.parsed(given)
    assert marking.parsed("own") == "own"
