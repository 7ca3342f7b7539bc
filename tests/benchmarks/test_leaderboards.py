import numpy as np
import pytest

from benchmarks import leaderboards
from ibn.leaderboard import Battles, rank
from ibn.leaderboard.battles import tally
from ibn.leaderboard.bradley_terry import fit


def test_the_counts_are_ours():
    data = leaderboards.battles(20_000)
    rows = tally(Battles.of(data))
    counted = leaderboards.counted(data)
    np.testing.assert_array_equal(counted[rows.a, rows.b], rows.score[0])
    np.testing.assert_array_equal(counted[rows.b, rows.a], rows.score[2])


def likeliest(wins):
    a, b = np.nonzero(wins)
    names = [str(i) for i in range(len(wins))]
    return fit(tally(Battles(names, a, b, np.ones(len(a)), count=wins[a, b]))).rewards


def test_a_bootstrap_spreads_as_the_covariance_says():
    data = leaderboards.battles(100_000)
    rows = leaderboards.bootstrap(data, likeliest, 0).answer
    board = rank(data)
    np.testing.assert_allclose(rows[0], board.rewards, atol=1e-9)
    spread = rows[1:].std(axis=0, ddof=1) / np.sqrt(np.diagonal(board.covariance))
    assert spread.mean() == pytest.approx(1.0, abs=leaderboards.SPREAD)


def test_a_bootstrap_beyond_its_limit_is_cut_short(monkeypatch):
    monkeypatch.setattr(leaderboards, "LIMIT", 0.0)
    run = leaderboards.bootstrap(leaderboards.battles(20_000), likeliest, 0)
    assert run.at_least
    assert len(run.answer) == 1


@pytest.mark.parametrize("make", [leaderboards.choix_fit, leaderboards.evalica_fit])
def test_peers_find_our_rewards(make):
    pytest.importorskip(make.__name__.partition("_")[0])
    data = leaderboards.battles(100_000)
    found = make()(leaderboards.counted(data))
    np.testing.assert_allclose(found - found.mean(), rank(data).rewards, atol=1e-4)
