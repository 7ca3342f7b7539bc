import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit

from ibn.leaderboard.battles import Battles, tally
from ibn.leaderboard.board import rank
from ibn.leaderboard.bradley_terry import fit
from ibn.leaderboard.tie_models import MODELS

ODDS = np.linspace(-3.0, 3.0, 7)
STEP = 1e-5


def drawn(model, rewards, tie, n, rng):
    k = len(rewards)
    a = rng.integers(0, k, n)
    b = (a + rng.integers(1, k, n)) % k
    win, tied, _ = np.exp(MODELS[model].at(rewards[a] - rewards[b], tie).log_chance)
    dice = rng.random(n)
    outcome = np.where(dice < win, 1.0, np.where(dice < win + tied, 0.5, 0.0))
    return Battles([str(i) for i in range(k)], a, b, outcome)


@pytest.mark.parametrize("name", ["davidson", "rao-kupper"])
def test_slopes_are_those_of_the_chances(name):
    model = MODELS[name]
    at = model.at(ODDS, 0.3)
    chance = np.exp(at.log_chance)
    assert_allclose(chance.sum(axis=0), 1.0)
    by_odds = model.at(ODDS + STEP, 0.3), model.at(ODDS - STEP, 0.3)
    by_tie = model.at(ODDS, 0.3 + STEP), model.at(ODDS, 0.3 - STEP)
    for (up, down), slope in ((by_odds, at.slope), (by_tie, at.tie_slope)):
        assert_allclose((up.log_chance - down.log_chance) / (2 * STEP), slope, atol=1e-8)
    assert_allclose((chance * at.slope**2).sum(axis=0), at.information)


@pytest.mark.parametrize("name", ["davidson", "rao-kupper"])
def test_the_fit_is_where_an_optimiser_ends_up(name):
    rng = np.random.default_rng(0)
    battles = drawn(name, rng.normal(size=4), 0.2, 500, rng)
    rows = tally(battles)

    def cost(theta):
        gap = theta[rows.a] - theta[rows.b]
        at = MODELS[name].at(gap, theta[-1])
        return -(rows.score * at.log_chance).sum() + theta[:4].mean() ** 2

    found = minimize(cost, np.zeros(5), options={"gtol": 1e-7}).x
    fitted = fit(rows, MODELS[name])
    assert_allclose(fitted.rewards, found[:4] - found[:4].mean(), atol=1e-4)
    assert fitted.tie == pytest.approx(found[4], abs=1e-4)


@pytest.mark.parametrize("name", ["davidson", "rao-kupper"])
def test_rewards_come_back_from_many_battles(name):
    rng = np.random.default_rng(1)
    rewards = rng.normal(size=6)
    board = rank(drawn(name, rewards, 0.2, 40_000, rng), ties=name)
    off = board.rewards - (rewards - rewards.mean())
    assert (np.abs(off) < 4 * np.sqrt(np.diagonal(board.covariance))).all()
    assert board.fitted.tie == pytest.approx(0.2, abs=0.05)


def test_without_losses_a_tie_model_rests_on_the_prior():
    """Wins and ties alone may come of rewards however far apart."""
    outcome = np.array([1.0] * 15 + [0.5] * 5)
    battles = Battles(["x", "y"], np.zeros(20, int), np.ones(20, int), outcome)
    for name in ("davidson", "rao-kupper"):
        board = rank(battles, ties=name)
        assert board.prior
        assert 0.0 < board.rewards[0] < 5.0


def test_jeffreys_prior_adds_half_a_win_and_half_a_loss_between_two():
    battles = Battles(["x", "y"], np.zeros(9, int), np.ones(9, int), np.arange(9) < 7.0)
    found = fit(tally(battles), jeffreys=True).rewards
    assert found[0] - found[1] == pytest.approx(np.log(7.5 / 2.5))


@pytest.mark.parametrize("name", ["half", "davidson", "rao-kupper"])
def test_jeffreys_prior_is_the_root_of_the_information(name):
    """The maximum of log-likelihood plus half the log determinant, by an optimiser."""
    rng = np.random.default_rng(0)
    tied = MODELS[name].tied
    rows = tally(drawn(name, rng.normal(size=4), 0.2 * tied, 30, rng))
    x = np.eye(4)[rows.a] - np.eye(4)[rows.b]

    def cost(free):
        rewards, tie = np.append(free[:3], 0.0), free[3] * tied
        at = MODELS[name].at(rewards[rows.a] - rewards[rows.b], tie)
        slopes = np.concatenate([at.slope[:, :, None] * x[:, :3], at.tie_slope[:, :, None]], axis=2)
        chance = rows.weight * np.exp(at.log_chance)
        chance[1] *= tied  # half wins are no outcome of their own
        information = np.einsum("om,omi,omj->ij", chance, slopes, slopes)
        size = 3 + tied
        determinant = np.linalg.slogdet(information[:size, :size])[1]
        return -(rows.score * at.log_chance).sum() - determinant / 2

    found = minimize(cost, np.zeros(4), options={"gtol": 1e-8}).x
    fitted = fit(rows, MODELS[name], jeffreys=True)
    rewards = np.append(found[:3], 0.0)
    assert_allclose(fitted.rewards, rewards - rewards.mean(), atol=1e-4)
    assert fitted.tie == pytest.approx(found[3] * tied, abs=1e-4)


@pytest.mark.parametrize("name", ["davidson", "rao-kupper"])
def test_a_newcomer_of_ties_alone_is_ranked(name):
    """Item 0 never beat 1 and the newcomer only tied: a prior on rewards alone has no maximum."""
    a, b = np.repeat([0, 0, 0, 1], [149, 51, 1, 5]), np.repeat([1, 1, 2, 2], [149, 51, 1, 5])
    outcome = np.repeat([0.5, 0.0, 0.5, 0.5], [149, 51, 1, 5])
    board = rank(Battles(["x", "y", "new"], a, b, outcome), ties=name)
    assert np.isfinite(board.centre).all()
    assert board.centre[0] < board.centre[1]


def test_leverages_add_up_to_the_rewards_that_are_free():
    rng = np.random.default_rng(0)
    rows = tally(drawn("half", rng.normal(size=7), 0.0, 200, rng))
    assert fit(rows).leverage.sum() == pytest.approx(6.0)


def test_both_bad_ties_are_counted_apart():
    battles = Battles(
        ["x", "y"],
        np.zeros(4, int),
        np.ones(4, int),
        np.array([1.0, 0.0, 0.5, 0.5]),
        both_bad=np.array([False, False, False, True]),
    )
    board = rank(battles)
    assert (board.ties, board.both_bad) == (2, 1)


def test_expected_scores_are_what_half_wins_estimate():
    rng = np.random.default_rng(0)
    battles = drawn("davidson", np.array([1.0, 0.0]), 1.0, 20_000, rng)
    board = rank(battles)
    share = np.where(battles.a == 0, battles.outcome, 1.0 - battles.outcome).mean()
    assert expit(board.rewards[0] - board.rewards[1]) == pytest.approx(share)
