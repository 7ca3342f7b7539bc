"""Rewards equal those of other libraries where the model is the same."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import rank

CLOSE = 1e-6


@pytest.fixture
def battles():
    rng = np.random.default_rng(0)
    rewards = rng.normal(size=6)
    a = rng.integers(0, 6, 1500)
    b = (a + rng.integers(1, 6, 1500)) % 6
    outcome = (rng.random(1500) < expit(rewards[a] - rewards[b] + 0.3)).astype(float)
    outcome[rng.random(1500) < 0.2] = 0.5
    return Battles(list("uvwxyz"), a, b, outcome)


def counts_of(battles):
    schema = pytest.importorskip("arenakit.schema")
    said = {1.0: "a", 0.0: "b", 0.5: "tie"}
    rows = zip(battles.a, battles.b, battles.outcome, strict=True)
    arena = [
        schema.Battle(model_a=battles.names[a], model_b=battles.names[b], winner=said[w])
        for a, b, w in rows
    ]
    return schema.Arena(arena, models=list(battles.names)).counts()


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_arenakits_rewards_are_ours(battles, ties):
    counts = counts_of(battles)
    from arenakit.bt import fit_bt

    assert_allclose(
        rank(battles, ties=ties).rewards, fit_bt(counts, ties, prior=0).scores, atol=CLOSE
    )


def test_arenakits_tie_model_is_ours(battles):
    counts = counts_of(battles)
    from arenakit.bt import fit_rao_kupper

    theirs, ours = fit_rao_kupper(counts, prior=0), rank(battles, ties="rao-kupper")
    assert_allclose(ours.rewards, theirs.scores, atol=CLOSE)
    # Their θ is e^λ, and our tie parameter is log λ.
    assert np.exp(ours.fitted.tie) == pytest.approx(np.log(theirs.tie_theta), abs=CLOSE)


def test_arenakits_position_effect_is_ours(battles):
    counts = counts_of(battles)
    from arenakit.bt import fit_bt

    theirs, ours = fit_bt(counts, order=True, prior=0), rank(battles, controls=["position"])
    assert_allclose(ours.rewards, theirs.scores, atol=CLOSE)
    assert ours.effects["position"].value == pytest.approx(theirs.order_log, abs=CLOSE)


def test_evalicas_rewards_are_ours(battles):
    evalica = pytest.importorskip("evalica")
    said = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    names = [battles.names[i] for i in battles.a], [battles.names[i] for i in battles.b]
    winners = [said[w] for w in battles.outcome]
    found = evalica.bradley_terry(*names, winners, tolerance=1e-12, limit=10_000)
    theirs = np.log(found.scores.reindex(battles.names).to_numpy())
    assert_allclose(rank(battles).rewards, theirs - theirs.mean(), atol=CLOSE)


def test_choix_rewards_are_ours(battles):
    choix = pytest.importorskip("choix")
    decided = battles.take(~battles.tie)
    a_won = decided.outcome == 1.0
    pairs = np.stack(
        [np.where(a_won, decided.a, decided.b), np.where(a_won, decided.b, decided.a)], axis=1
    )
    theirs = choix.ilsr_pairwise(6, pairs.tolist(), max_iter=1000, tol=1e-12)
    assert_allclose(rank(decided).rewards, theirs - theirs.mean(), atol=CLOSE)


def test_arena_ranks_contextual_model_is_ours(battles):
    """Its regularization is a setting of its own, and is off here; its pins want their own venv."""
    contextual = pytest.importorskip("arena_rank.models.contextual_bradley_terry")
    data = pytest.importorskip("arena_rank.utils.data_utils")
    import jax.numpy as jnp

    rng = np.random.default_rng(1)
    longer = rng.normal(size=len(battles.a))
    styled = replace(battles, controls={"length": longer})
    found = rank(styled, controls=["position", "length"])
    features = np.stack([np.ones(len(longer)), longer], axis=1)
    dataset = data.ContextualPairDataset(
        competitors=list(battles.names),
        pairs=jnp.array(np.stack([battles.a, battles.b], axis=1)),
        features=jnp.array(features),
        outcomes=jnp.array(battles.outcome),
        weights=jnp.ones(len(longer)),
    )
    model = contextual.ContextualBradleyTerry(6, 2, reg=0.0, ftol=1e-15, gtol=1e-12)
    model.fit(dataset)
    theirs = np.asarray(model.params["ratings"])
    assert_allclose(found.rewards, theirs - theirs.mean(), atol=CLOSE)
    effects = [found.effects["position"].value, found.effects["length"].value]
    assert_allclose(effects, np.asarray(model.params["coeffs"]), atol=CLOSE)
