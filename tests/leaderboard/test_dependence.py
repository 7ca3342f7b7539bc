"""Battles that depend on each other, on covariates, or on who judges."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import expit

from ibn.cli import main
from ibn.errors import InputError
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import rank
from ibn.leaderboard.intervals import deviations

K = 5


def meetings(n, rng):
    a = rng.integers(0, K, n)
    return a, (a + rng.integers(1, K, n)) % K


def board_of(log_odds, a, b, rng, **columns):
    outcome = (rng.random(len(a)) < expit(log_odds)).astype(float)
    return Battles([f"m{i}" for i in range(K)], a, b, outcome, **columns)


def holds(board, rewards):
    off = board.centre - rewards
    off = np.abs(off[:, None] - off)
    return (off <= board.pair_width * deviations(board.spread, board.standing.group)).all()


def test_clusters_cover_where_independent_battles_do_not():
    """Sixty judges of 20 battles, each with a taste: the board is of the mean judge."""
    rng = np.random.default_rng(0)
    rewards = np.linspace(0.5, -0.5, K)
    rounds, apart, together = 80, 0, 0
    for _ in range(rounds):
        a, b = meetings(1200, rng)
        judge = np.repeat(np.arange(60), 20)
        taste = 1.5 * rng.standard_normal((60, K))
        gap = rewards[a] - rewards[b] + taste[judge, a] - taste[judge, b]
        battles = board_of(gap, a, b, rng, labels={"judge": judge})
        # Averaging over tastes draws log-odds together by about this factor.
        right = rewards / np.sqrt(1 + 0.346 * 2 * 1.5**2)
        apart += holds(rank(battles, draws=200), right)
        together += holds(rank(battles, cluster="judge", draws=200), right)
    assert apart / rounds < 0.7
    assert together / rounds > 0.85


def test_clusters_of_one_battle_are_independent_battles():
    rng = np.random.default_rng(1)
    a, b = meetings(20_000, rng)
    battles = board_of(np.zeros(20_000), a, b, rng, labels={"judge": np.arange(20_000)})
    ratio = rank(battles, cluster="judge").spread / rank(battles).spread
    np.testing.assert_allclose(np.diagonal(ratio), 1.0, atol=0.05)


def test_clusters_that_are_few_or_absent_are_refused():
    rng = np.random.default_rng(0)
    a, b = meetings(100, rng)
    battles = board_of(np.zeros(100), a, b, rng, labels={"judge": np.arange(100) % 3})
    with pytest.raises(InputError, match="3 clusters"):
        rank(battles, cluster="judge")
    with pytest.raises(InputError, match="no label 'prompt'"):
        rank(battles, cluster="prompt")


def test_the_effect_of_style_is_taken_out():
    """Item 0 writes long answers, and length is worth 0.8: only its bonus lifts it."""
    rng = np.random.default_rng(0)
    a, b = meetings(8000, rng)
    length = rng.normal(size=(2, 8000)) + 2.0 * (np.stack([a, b]) == 0)
    longer = length[0] - length[1]
    battles = board_of(0.8 * longer, a, b, rng, controls={"length": longer})
    found = rank(battles, controls=["length", "position"])
    low, high = found.effects["length"].interval
    assert low < 0.8 < high
    assert abs(found.effects["position"].value) < 0.15
    assert abs(found.rewards[0]) < 0.25
    assert rank(battles).rewards[0] > 0.8


def test_covariates_of_few_values_are_added_up_to_the_same():
    rng = np.random.default_rng(0)
    a, b = meetings(500, rng)
    battles = board_of(np.zeros(500), a, b, rng, controls={"x": rng.integers(0, 3, 500) * 1.0})
    jittered = battles.controls["x"] + 1e-9 * rng.normal(size=500)
    one = rank(battles, controls=["x"])
    each = rank(
        Battles(battles.names, a, b, battles.outcome, controls={"x": jittered}), controls=["x"]
    )
    np.testing.assert_allclose(one.rewards, each.rewards, atol=1e-6)
    assert one.effects["x"].stderr == pytest.approx(each.effects["x"].stderr, rel=1e-5)


def test_unreliable_judges_count_less():
    rng = np.random.default_rng(0)
    rewards = np.linspace(1.0, -1.0, K)
    a, b = meetings(4000, rng)
    judge = rng.integers(0, 40, 4000)
    careless = judge < 20
    battles = board_of(np.where(careless, 0.0, 2.0) * (rewards[a] - rewards[b]), a, b, rng,
                       labels={"judge": judge})  # fmt: skip
    board = rank(battles, reliability=True)
    of_judge = np.array([board.judges[str(j)] for j in range(40)])
    assert of_judge[:20].max() < of_judge[20:].min()

    def error(found):
        return np.abs(found.rewards / found.rewards.std() - rewards / rewards.std()).max()

    assert error(board) < error(rank(battles)) + 0.05


def test_equal_judges_change_nothing():
    rng = np.random.default_rng(0)
    a, b = meetings(3000, rng)
    rewards = np.linspace(1.0, -1.0, K)
    battles = board_of(
        rewards[a] - rewards[b], a, b, rng, labels={"judge": rng.integers(0, 9, 3000)}
    )
    off = rank(battles, reliability=True).centre - rank(battles).centre
    assert np.abs(off).max() < 0.05


def test_counts_are_battles_and_weights_are_not():
    a, b = np.array([0, 0, 1]), np.array([1, 1, 0])
    outcome, seven = np.array([1.0, 0.0, 1.0]), np.array([7.0, 3.0, 2.0])
    names = ["x", "y"]
    counted = rank(Battles(names, a, b, outcome, count=seven))
    rows = np.repeat(np.arange(3), seven.astype(int))
    written_out = rank(Battles(names, a[rows], b[rows], outcome[rows]))
    np.testing.assert_allclose(counted.rewards, written_out.rewards)
    np.testing.assert_allclose(counted.low, written_out.low)
    weighed = rank(Battles(names, a, b, outcome, weight=seven))
    p = expit(weighed.centre[0] - weighed.centre[1])
    expected = (seven**2).sum() / seven.sum() ** 2 / (p * (1 - p))
    assert deviations(weighed.spread, np.zeros(2, int))[0, 1] ** 2 == pytest.approx(expected)


def test_each_category_has_its_board(tmp_path):
    file = tmp_path / "battles.csv"
    rows = "x,y,model_a,code\n" * 6 + "x,y,model_b,code\n" * 2 + "x,y,model_b,prose\n" * 5
    file.write_text("model_a,model_b,winner,category\n" + rows + "y,z,tie,prose\n")
    run = CliRunner().invoke(main, ["rank", str(file), "--by", "category", "--json"])
    found = json.loads(run.stdout)["by"]
    assert [row["name"] for row in found["code"]["items"]] == ["x", "y"]
    assert len(found["prose"]["items"]) == 3
    assert "prose" in CliRunner().invoke(main, ["rank", str(file), "--by", "category"]).stdout
