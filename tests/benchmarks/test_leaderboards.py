import numpy as np
import pytest

from benchmarks import leaderboards
from ibn.leaderboard import count, maximise, rank


def test_the_counts_are_ours():
    data = leaderboards.battles(20_000)
    np.testing.assert_array_equal(leaderboards.counted(data), count(data)[0])


def test_a_bootstrap_spreads_as_the_covariance_says():
    data = leaderboards.battles(100_000)
    rows = leaderboards.bootstrap(data, maximise, 0).answer
    board = rank(data)
    np.testing.assert_allclose(rows[0], board.rewards, atol=1e-9)
    spread = rows[1:].std(axis=0, ddof=1) / np.sqrt(np.diagonal(board.covariance))
    assert spread.mean() == pytest.approx(1.0, abs=leaderboards.SPREAD)


def test_a_bootstrap_beyond_its_limit_is_cut_short(monkeypatch):
    monkeypatch.setattr(leaderboards, "LIMIT", 0.0)
    run = leaderboards.bootstrap(leaderboards.battles(20_000), maximise, 0)
    assert run.at_least
    assert len(run.answer) == 1


@pytest.mark.parametrize("make", [leaderboards.choix_fit, leaderboards.evalica_fit])
def test_peers_find_our_rewards(make):
    pytest.importorskip(make.__name__.partition("_")[0])
    data = leaderboards.battles(100_000)
    found = make()(leaderboards.counted(data))
    np.testing.assert_allclose(found - found.mean(), rank(data).rewards, atol=1e-4)
