"""Planted biases are found, with intervals that hold what was planted; sound boards are quiet."""

import numpy as np
import pytest
from scipy.special import expit

from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import rank
from ibn.leaderboard.board_probes import probe

K, N, JUDGES = 6, 6000, 100
REWARDS = np.linspace(1.2, -1.2, K)


def draw(seed=0, *, first=0.0, cycle=0.0, tied=0.1, hedger=None, taste=0.0, loud=0.0, drift=0.0):
    """Battles with a planted bias; ``loud`` is the share of one judge who loves item 5."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, K, N)
    b = (a + rng.integers(1, K, N)) % K
    judge = np.where(rng.random(N) < loud, JUDGES, rng.integers(0, JUDGES, N))
    gap = REWARDS[a] - REWARDS[b] + first
    circle = (a < 3) & (b < 3)
    gap = np.where(circle & (cycle != 0), np.where((b - a) % 3 == 1, cycle, -cycle), gap)
    tastes = taste * rng.standard_normal((JUDGES + 1, K))
    gap += tastes[judge, a] - tastes[judge, b]
    gap += np.where(judge == JUDGES, 4.0 * ((a == 5) * 1.0 - (b == 5)), 0.0)
    gap += drift * (np.arange(N) / N - 0.5) * ((a == 0) * 1.0 - (b == 0))
    chance = np.where((a == hedger) | (b == hedger), 0.8, tied) if hedger is not None else tied
    outcome = (rng.random(N) < expit(gap)).astype(float)
    outcome[rng.random(N) < chance] = 0.5
    labels = {"judge": judge, "prompt": rng.integers(0, 500, N)}
    return Battles([f"m{i}" for i in range(K)], a, b, outcome, labels=labels)


def probes(battles):
    return {x.name: x for x in probe(battles, rank(battles, draws=500))}


def flagged(battles):
    return {name for name, x in probes(battles).items() if x.flagged}


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_board_is_quiet(seed):
    assert flagged(draw(seed)) <= {"separation"}


def test_a_bonus_for_standing_first_is_reported():
    found = probes(draw(first=0.6, tied=0.0))["position"]
    assert found.flagged
    assert found.low < 0.6 < found.high
    assert "--control position" in found.advice


def test_sides_that_say_nothing_are_not_judged():
    battles = draw(first=0.6)
    turned = battles.a > battles.b
    sides = np.where(turned, battles.b, battles.a), np.where(turned, battles.a, battles.b)
    outcome = np.where(turned, 1.0 - battles.outcome, battles.outcome)
    found = probes(Battles(battles.names, *sides, outcome))["position"]
    assert found.effect is None
    assert not found.flagged


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ({"hedger": 4}, "ties"),
        ({"cycle": 1.0}, "cycles"),
        ({"taste": 1.0}, "clusters"),
        ({"loud": 0.3}, "influence"),
        ({"drift": 1.5}, "drift"),
    ],
)
def test_a_planted_bias_is_found(planted, name):
    assert name in flagged(draw(**planted))


def test_the_cycles_size_is_within_its_interval():
    found = probes(draw(cycle=1.0, tied=0.0))["cycles"]
    assert found.low < 3.0 < found.high


def test_battles_twice_are_found():
    battles = draw()
    again = battles.take(np.append(np.arange(N), np.arange(N // 10)))
    found = probes(again)["duplicates"]
    assert found.flagged
    assert found.effect == pytest.approx(0.1 / 1.1, abs=0.01)


def test_items_apart_thin_or_unevenly_met_are_named():
    battles = draw()
    apart = probes(battles.take((battles.a < 3) == (battles.b < 3)))
    assert apart["connection"].flagged
    assert "'m3', 'm4', 'm5'" in apart["connection"].found
    few = np.flatnonzero((battles.a == 5) | (battles.b == 5))[8:]
    thin = probes(battles.take(np.delete(np.arange(N), few)))
    assert thin["thin"].flagged
    assert "'m5'" in thin["thin"].found
    assert thin["balance"].flagged
