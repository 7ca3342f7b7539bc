"""Replays on real labels: worth in random labels, and nothing seen that is judged."""

import numpy as np
import pytest
from scipy.special import expit

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons
from ibn.simulations.hidden_labels import START, _Split, reached, replay_hidden


def labels(n=400, d=5, seed=0, scale=1.5):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(2 * n, d))
    a, b = np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2)
    won = rng.random(n) < expit((points[a] - points[b]) @ (scale * rng.normal(size=d)))
    winner = np.where(won, 1, -1).astype(np.int8)
    return points, Comparisons(np.arange(2 * n), a, b, winner=winner), np.repeat(np.arange(n), 2)


def test_reached_inverts_the_random_curve():
    counts, losses = [0, 10, 20, 40], np.array([0.7, 0.6, 0.62, 0.5])
    assert reached(counts, losses, 0.65) == pytest.approx(5.0)
    assert reached(counts, losses, 0.55) == pytest.approx(30.0)  # a rise by chance is levelled
    assert reached(counts, losses, 0.8) == 0.0
    assert reached(counts, losses, 0.4) == np.inf


def test_random_labels_are_worth_themselves_and_a_replay_is_repeatable():
    points, comparisons, prompt_of = labels()
    found = replay_hidden(points, comparisons, prompt_of, 40, splits=6)
    assert found.counts == (0, 10, 20, 40, 80, 160)
    curve = np.array([one.mean for one in found.curve])
    assert curve[-1] < curve[0]
    assert reached(list(found.counts), curve, np.minimum.accumulate(curve)[3]) <= 40
    again = replay_hidden(points, comparisons, prompt_of, 40, splits=6)
    assert again.methods["planned"] == found.methods["planned"]


def test_what_is_judged_is_never_chosen():
    points, comparisons, prompt_of = labels(120)
    split = _Split.of(points, comparisons, prompt_of[::2], np.random.default_rng(0))
    for policy in ("planned", "longest", "margin"):
        known = split.choose(policy, split.pool[:START], 20)
        assert len(np.unique(known)) == START + 20
        assert not np.isin(known, split.judged).any()


def test_too_few_labels_say_how_many_would_do():
    points, comparisons, prompt_of = labels(80)
    with pytest.raises(InputError, match="too few to hide 50"):
        replay_hidden(points, comparisons, prompt_of, 50)
