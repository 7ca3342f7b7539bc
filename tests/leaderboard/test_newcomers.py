"""Intervals of boards with newcomers; ``benchmarks.leaderboard_coverage`` has the whole table."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel

import ibn
from benchmarks.leaderboard_coverage import Cell, chances, cover, pairs, truth
from ibn.leaderboard.battles import Battles, tally
from ibn.leaderboard.board import rank

BOARDS = 80


@pytest.mark.parametrize("ties", ["half", "davidson", "rao-kupper"])
@pytest.mark.parametrize(("battles", "share"), [(2, 0.8), (6, 0.4)])
def test_all_differences_hold_at_once(ties, battles, share):
    found = cover(Cell(8, 2, battles, share, ties), BOARDS, 0, Parallel(n_jobs=1))
    assert found.differences > 0.95 - 4 * np.sqrt(0.95 * 0.05 / BOARDS)
    assert found.rewards > 0.95 - 4 * np.sqrt(0.95 * 0.05 / BOARDS)
    assert found.ranks >= found.differences


def test_a_newcomers_error_is_that_of_its_few_battles():
    """Two ties with well-known items: the information on the difference is a half."""
    rng = np.random.default_rng(0)
    old = rng.integers(0, 10, 1425)
    a = np.append(old, [10, 10])
    b = np.append((old + rng.integers(1, 10, 1425)) % 10, [0, 1])
    outcome = np.append((rng.random(1425) < 0.5).astype(float), [0.5, 0.5])
    board = rank(Battles([str(i) for i in range(11)], a, b, outcome))
    variance = board.covariance[10, 10] + board.covariance[5, 5] - 2 * board.covariance[10, 5]
    assert np.sqrt(variance) == pytest.approx(np.sqrt(2), rel=0.02)


def test_half_wins_are_judged_by_what_infinite_battles_would_give():
    cell = Cell(5, 1, 6, 0.5, "half")
    rng = np.random.default_rng(0)
    a, b = pairs(cell, rng)
    rewards = rng.standard_normal(5)
    win, tied = chances(cell, rewards[a] - rewards[b])
    names = [str(i) for i in range(5)]
    right = truth(cell, tally(Battles(names, a, b, np.full(len(a), 0.5))), rewards)
    many = [np.repeat(x, 3) for x in (a, b)]
    outcome = np.tile([1.0, 0.5, 0.0], len(a))
    count = np.stack([win, tied, 1.0 - win - tied], axis=1).ravel() * 1e4
    board = rank(Battles(names, *many, outcome, count=count))
    np.testing.assert_allclose(board.rewards, right, atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
def test_items_that_stand_alone_raise_no_warning(seed):
    rng = np.random.default_rng(seed)
    rows = [{"model_a": "a", "model_b": "b", "winner": "model_a"}]
    rows += [
        {"model_a": f"m{i}", "model_b": f"m{j}", "winner": str(rng.choice(["model_a", "tie"]))}
        for i, j in rng.integers(0, 6, (4, 2))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        board = ibn.rank(rows)
    assert not np.isnan(board.high - board.centre).any()
