import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import studentized_range

import ibn
from ibn.cli import main
from ibn.errors import InputError
from ibn.kernels.extremes import greatest_differences
from ibn.leaderboard import rank
from ibn.leaderboard.battles import Battles, tally
from ibn.leaderboard.bradley_terry import fit
from ibn.leaderboard.intervals import widths


def battles(rewards, n, rng, *, tied=0.0):
    k = len(rewards)
    a = rng.integers(0, k, n)
    b = (a + rng.integers(1, k, n)) % k
    winner = np.where(rng.random(n) < expit(rewards[a] - rewards[b]), 1, -1)
    winner[rng.random(n) < tied] = 0
    return ibn.Comparisons(np.arange(k), a, b, winner=winner.astype(np.int8))


@given(st.integers(0, 50))
def test_counts_are_those_of_a_loop(seed):
    data = battles(np.zeros(5), 60, np.random.default_rng(seed), tied=0.3)
    wins, ties = np.zeros((5, 5)), np.zeros((5, 5))
    for a, b, winner in zip(data.a, data.b, data.winner, strict=True):
        if winner:
            wins[(a, b) if winner > 0 else (b, a)] += 1
        else:
            ties[a, b] += 1
            ties[b, a] += 1
    rows = tally(Battles.of(data))
    a, b = rows.a, rows.b
    assert_allclose(rows.score, [wins[a, b], ties[a, b], wins[b, a]])
    assert_allclose(rows.weight.sum(), len(data))


@given(st.integers(0, 20))
def test_rewards_are_where_an_optimiser_ends_up(seed):
    rng = np.random.default_rng(seed)
    data = battles(rng.normal(size=5), 300, rng, tied=0.1)
    a, b, share = data.a, data.b, (1 + data.winner) / 2

    def cost(r):
        gap = r[a] - r[b]
        return -(share @ log_expit(gap) + (1 - share) @ log_expit(-gap)) + r.mean() ** 2

    found = minimize(cost, np.zeros(5), options={"gtol": 1e-7}).x
    assert_allclose(rank(data).rewards, found - found.mean(), atol=1e-4)


def test_the_covariance_is_the_inverse_information():
    rng = np.random.default_rng(0)
    data = battles(rng.normal(size=6), 800, rng)
    board = rank(data)
    information = np.zeros((6, 6))
    for a, b in zip(data.a, data.b, strict=True):
        x = np.eye(6)[a] - np.eye(6)[b]
        p = expit(board.rewards @ x)
        information += p * (1 - p) * np.outer(x, x)
    assert_allclose(
        board.covariance, np.linalg.pinv(information, rcond=1e-9, hermitian=True), atol=1e-9
    )


def test_ties_narrow_the_spread_as_they_vary_less():
    """With battles in plenty the spread is the sandwich of the actual residuals."""
    rng = np.random.default_rng(0)
    data = battles(rng.normal(size=4), 20_000, rng, tied=0.5)
    board = rank(data)
    bread, meat = np.zeros((4, 4)), np.zeros((4, 4))
    for a, b, winner in zip(data.a, data.b, data.winner, strict=True):
        x = np.eye(4)[a] - np.eye(4)[b]
        p = expit(board.rewards @ x)
        bread += p * (1 - p) * np.outer(x, x)
        meat += ((1 + winner) / 2 - p) ** 2 * np.outer(x, x)
    inverse = np.linalg.pinv(bread, rcond=1e-9, hermitian=True)
    assert_allclose(board.spread, inverse @ meat @ inverse, rtol=0.02, atol=1e-6)
    assert_allclose(board.covariance, inverse, rtol=1e-3, atol=1e-9)


@given(st.integers(0, 20), st.integers(2, 9))
def test_the_greatest_differences_are_those_of_all_pairs(seed, k):
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(k, 7))
    deviation = rng.uniform(0.5, 2.0, (k, k))
    expected = [
        max(abs(z[i] - z[j]) / deviation[i, j] for i in range(k) for j in range(i + 1, k))
        for z in draws.T
    ]
    assert_allclose(greatest_differences(draws, deviation), expected)


def test_the_widths_of_independent_items_are_known():
    """With two items there is one difference; with many, Šidák's and Tukey's quantiles."""
    rng = np.random.default_rng(0)
    two = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert_allclose(widths(two, 0.95, 40_000, rng), 1.96, atol=0.03)
    item, pair = widths(np.eye(40) - 1 / 40, 0.95, 20_000, rng)
    assert item == pytest.approx(3.22, abs=0.05)
    assert pair == pytest.approx(studentized_range.ppf(0.95, 40, np.inf) / np.sqrt(2), abs=0.05)


def test_simultaneous_intervals_cover_all_items_at_once_as_often_as_they_say():
    rng = np.random.default_rng(0)
    rewards = rng.normal(0, 0.7, 12)
    centred = rewards - rewards.mean()
    place = 1 + np.argsort(np.argsort(-rewards))
    every = alone = ranks = 0
    rounds = 300
    for number in range(rounds):
        board = rank(battles(rewards, 4000, rng), draws=500, seed=number)
        inside = (board.low < centred) & (centred < board.high)
        every += inside.all()
        half = 1.96 * np.sqrt(np.diagonal(board.covariance))
        alone += (np.abs(board.rewards - centred) < half).all()
        ranks += ((board.first <= place) & (place <= board.last)).all()
    error = np.sqrt(0.95 * 0.05 / rounds)
    assert abs(every / rounds - 0.95) < 4 * error
    assert alone / rounds < 0.8  # what intervals item by item would do
    assert ranks / rounds > 0.95 - 4 * error


def test_neither_the_order_nor_the_sides_matter():
    rng = np.random.default_rng(1)
    data = battles(rng.normal(size=5), 300, rng, tied=0.2)
    order = rng.permutation(300)
    other = ibn.Comparisons(
        data.responses, data.b[order], data.a[order], winner=-data.winner[order]
    )
    assert_allclose(rank(other).rewards, rank(data).rewards, atol=1e-9)
    assert_allclose(rank(other).low, rank(data).low, atol=1e-9)


def test_a_difference_has_the_interval_of_its_pair():
    data = battles(np.array([1.0, 0.0, -1.0]), 900, np.random.default_rng(0))
    board = rank(data)
    gap, low, high = board.difference(0, 2)
    assert gap == pytest.approx(board.rewards[0] - board.rewards[2])
    assert low < 2.0 < high
    assert list(board.first) == list(board.last) == [1, 2, 3]


def test_a_lopsided_count_has_its_maximum():
    wins = np.array([[0.0, 1e6, 1.0], [1.0, 0.0, 1e6], [1.0, 1.0, 0.0]])
    a, b = np.nonzero(wins)
    rows = tally(Battles(list("abc"), a, b, np.ones(6), count=wins[a, b]))
    reward = fit(rows, start=fit(rows, jeffreys=True)).rewards
    slope = wins - (wins + wins.T) * expit(reward[:, None] - reward)
    assert np.abs(slope.sum(axis=1)).max() < 1e-3


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 1), (1, 0), (2, 3), (3, 2), (3, 4), (4, 2)], r"no battle joins 'A', 'B' to the rest"),
        ([(0, 1), (1, 0), (0, 2), (2, 3), (3, 4), (4, 2)], r"'A', 'B' never lose to the others"),
        ([(0, 1), (1, 2), (2, 3), (3, 4), (4, 1)], r"'A' never lose"),
    ],
)
def test_rewards_that_do_not_exist_are_refused_naming_the_items(pairs, message):
    a, b = np.array(pairs).T
    data = ibn.Comparisons(np.arange(5), a, b, winner=np.ones(len(a), np.int8))
    with pytest.raises(InputError, match=message):
        rank(data, list("ABCDE"), prior="off")


def test_bad_parameters_are_refused():
    data = battles(np.zeros(3), 100, np.random.default_rng(0))
    with pytest.raises(InputError, match="level"):
        rank(data, level=1.0)
    with pytest.raises(InputError, match="draws"):
        rank(data, draws=10)
    with pytest.raises(InputError, match="winner"):
        rank(ibn.Comparisons(data.responses, data.a, data.b))


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_command_ranks_an_arenas_battles(tmp_path, ending):
    rng = np.random.default_rng(0)
    rewards = np.array([1.5, 0.0, -1.5])
    data = battles(rewards, 600, rng, tied=0.1)
    said = {1: "model_a", -1: "model_b", 0: "tie"}
    rows = [
        {"model_a": f"model {a}", "model_b": f"model {b}", "winner": said[int(w)]}
        for a, b, w in zip(data.a, data.b, data.winner, strict=True)
    ]
    file = tmp_path / f"battles.{ending}"
    if ending == "csv":
        lines = ["model_a,model_b,winner", *(",".join(row.values()) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    file.write_text("\n".join(lines))
    told = CliRunner().invoke(main, ["rank", str(file), "--json"])
    found = json.loads(told.stdout)
    assert [row["name"] for row in found["items"]] == ["model 0", "model 1", "model 2"]
    assert [row["ranks"] for row in found["items"]] == [[1, 1], [2, 2], [3, 3]]
    assert found["battles"] == 600
    table = CliRunner().invoke(main, ["rank", str(file)]).stdout
    assert "model 0" in table
    assert "hold all at once" in table


def test_an_effect_that_could_be_the_items_own_is_refused():
    names, a, b = ["x", "y", "z"], np.array([0, 0, 0, 0]), np.array([1, 1, 2, 2])
    outcome = np.array([1.0, 0.0, 0.5, 0.5])
    always_first = Battles(names, a, b, outcome)
    with pytest.raises(InputError, match="position could as well be that of the items"):
        rank(always_first, controls=["position"])
    # Once the other way round, and it is known.
    turned = Battles(names, np.append(a, 1), np.append(b, 0), np.append(outcome, 0.5))
    assert rank(turned, controls=["position"]).effects["position"].stderr > 0
    twice = {"one": np.array([1.0, 2.0, 0.5, 0.0, 3.0]), "two": np.array([2.0, 4.0, 1.0, 0.0, 6.0])}
    with pytest.raises(InputError, match="one and two could as well be"):
        rank(replace(turned, controls=twice), controls=["one", "two"])
    vast = replace(turned, controls={"vast": np.array([1e200, 0.0, 1.0, 2.0, 3.0])})
    with pytest.raises(InputError, match=r"vast has values beyond 1e\+15"):
        rank(vast, controls=["vast"])
    nothing = replace(turned, controls={"nothing": np.zeros(5)})
    with pytest.raises(InputError, match="nothing could as well be"):
        rank(nothing, controls=["nothing"])
