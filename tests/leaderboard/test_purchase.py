import json

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from scipy.special import expit

from ibn.cli import main
from ibn.errors import InputError
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import rank
from ibn.leaderboard.intervals import deviations
from ibn.leaderboard.purchase import BATCHES, buy, information, needed


@pytest.fixture
def board():
    rng = np.random.default_rng(0)
    rewards = rng.normal(size=6)
    a = rng.integers(0, 6, 400)
    b = (a + rng.integers(1, 6, 400)) % 6
    outcome = (rng.random(400) < expit(rewards[a] - rewards[b])).astype(float)
    return rank(Battles([f"m{i}" for i in range(6)], a, b, outcome))


def pinned(laplacian):
    return np.linalg.pinv(laplacian, rcond=1e-9, hermitian=True)


def test_expected_deviations_are_those_of_the_network_with_the_battles(board):
    found = buy(board, 50)
    network = pinned(board.spread)
    for a, b, n in zip(found.a, found.b, found.battles, strict=True):
        x = np.eye(6)[a] - np.eye(6)[b]
        network += n * information(board, np.array([a]), np.array([b])) * np.outer(x, x)
    expected = deviations(pinned(network), np.zeros(6, int))
    assert_allclose(found.deviation_after, expected[tuple(found.target.T)])
    assert found.battles.sum() == 50
    assert (found.deviation_after <= found.deviation_before).all()


def test_the_first_battle_is_the_best_of_all(board):
    """A naive search over every pair, each tried in the network itself."""
    found = buy(board, 1)
    order = np.argsort(-board.centre)
    target = np.stack([order[:-1], order[1:]])
    gap = board.centre[target[0]] - board.centre[target[1]]
    now = deviations(board.spread, np.zeros(6, int))[tuple(target)] ** 2
    worth = {}
    for a, b in zip(*np.triu_indices(6, 1), strict=True):
        x = np.eye(6)[a] - np.eye(6)[b]
        added = information(board, np.array([a]), np.array([b])) * np.outer(x, x)
        then = deviations(pinned(pinned(board.spread) + added), np.zeros(6, int))[tuple(target)]
        worth[a, b] = ((now - then**2) / (gap**2 + now)).sum()
    assert (found.a[0], found.b[0]) == max(worth, key=worth.get)


def test_the_battles_needed_tell_neighbours_apart(board):
    number = needed(board)
    order = np.argsort(-board.centre)
    for i, j, n in zip(order[:-1], order[1:], number, strict=True):
        resistance = deviations(board.spread, np.zeros(6, int))[i, j] ** 2
        worth = information(board, np.array([i]), np.array([j]))[0]
        gap = board.centre[i] - board.centre[j]
        after = np.sqrt(1 / (1 / resistance + n * worth))
        assert gap >= board.pair_width * after - 1e-9
        if n:
            before = np.sqrt(1 / (1 / resistance + (n - 1) * worth))
            assert gap < board.pair_width * before


def test_one_items_battles_are_its_own(board):
    found = buy(board, 40, target="item", item="m3")
    assert (found.target[:, 0] == 3).all()
    assert ((found.a == 3) | (found.b == 3)).all()


def test_top_is_the_best_against_the_rest(board):
    found = buy(board, 40, target="top", top=2)
    assert set(found.target[:, 0]) == set(np.argsort(-board.centre)[:2])
    assert len(found.target) == 8


def test_only_pairs_that_are_allowed_are_bought(board):
    allowed = np.zeros((6, 6), bool)
    allowed[0, 1:] = allowed[1:, 0] = True
    found = buy(board, BATCHES + 50, allowed=allowed)
    assert ((found.a == 0) | (found.b == 0)).all()
    assert found.battles.sum() == BATCHES + 50


def test_items_that_never_met_are_made_to_meet():
    outcome = np.array([1.0, 0.0, 1.0, 0.0])
    ends = np.array([0, 0, 2, 2]), np.array([1, 1, 3, 3])
    found = buy(rank(Battles(list("abcd"), *ends, outcome)), 20)
    assert any((a < 2) != (b < 2) for a, b in zip(found.a, found.b, strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, "budget"),
        ({"budget": 5, "target": "top", "top": 6}, "top"),
        ({"budget": 5, "target": "item", "item": "zz"}, "no item"),
    ],
)
def test_bad_wishes_are_refused(board, options, message):
    with pytest.raises(InputError, match=message):
        buy(board, **options)


@pytest.mark.parametrize("ranks", ["neighbours", "top:1", "item:x"])
def test_the_command_names_battles(tmp_path, ranks):
    file, out = tmp_path / "battles.csv", tmp_path / "next.csv"
    file.write_text("model_a,model_b,winner\n" + "x,y,model_a\ny,z,model_a\nz,x,tie\n" * 9)
    options = ["plan", str(file), "--budget", "30", "--ranks", ranks, "--out", str(out), "--json"]
    found = json.loads(CliRunner().invoke(main, options).stdout)
    assert sum(row["battles"] for row in found["pairs"]) == 30
    assert out.read_text().startswith("model_a,model_b,battles")
    assert CliRunner().invoke(main, options[:-1]).exit_code == 0


def test_unknown_ranks_are_refused(tmp_path):
    file = tmp_path / "battles.csv"
    file.write_text("model_a,model_b,winner\nx,y,tie\n")
    found = CliRunner().invoke(main, ["plan", str(file), "--budget", "3", "--ranks", "best"])
    assert found.exit_code == 2
    assert "top:5" in found.output
