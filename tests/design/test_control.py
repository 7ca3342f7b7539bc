"""Planned labels beside random ones: the right one wins where one is better, else neither."""

import numpy as np
from scipy.special import expit

from ibn.design.control import compare_control
from ibn.preferences.comparisons import Comparisons


def world(planned_tell, seed=0, n=240):
    """A reward of 6 features; planned pairs differ in them, or in nothing that matters."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(2 * n, 6))
    weight = 1.5 * rng.normal(size=6)
    kind = np.array(["random"] * (n // 2) + ["plan"] * (n // 2))
    if not planned_tell:
        points[n + 1 :: 2] = points[n::2] + 1e-6 * rng.normal(size=(n // 2, 6))
    a, b = np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2)
    won = rng.random(n) < expit((points[a] - points[b]) @ weight)
    labels = Comparisons(np.arange(2 * n), a, b, winner=np.where(won, 1, -1).astype(np.int8))
    return points, labels, kind.tolist()


def test_labels_that_tell_nothing_lose():
    found = compare_control(*world(False))
    assert found.verdict.startswith("random will do")
    assert found.gain_random.mean > 3 * found.gain_random.stderr
    assert (found.planned, found.random, found.used) == (120, 120, 96)


def test_equal_labels_are_seldom_told_apart():
    verdicts = [compare_control(*world(True, seed)).verdict for seed in range(20)]
    assert sum("cannot be told apart" in each for each in verdicts) >= 15


def test_few_labels_say_nothing():
    points, labels, kind = world(True)
    kind = ["plan"] * 5 + kind[5:]
    assert compare_control(points, labels, ["" if k == "random" else k for k in kind]) is None


def test_no_model_is_judged_by_labels_that_it_saw():
    """Labels at random: a fit that had seen those that it is judged by would gain."""
    points, labels, kind = world(True)
    rng = np.random.default_rng(5)
    noise = np.where(rng.random(len(labels)) < 0.5, 1, -1).astype(np.int8)
    blind = Comparisons(labels.responses, labels.a, labels.b, winner=noise)
    found = compare_control(points, blind, kind)
    assert found.gain_random.mean < 2 * found.gain_random.stderr + 0.01
