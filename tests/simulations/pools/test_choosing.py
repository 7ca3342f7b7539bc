from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from ibn.simulations.pools.choosing import MEASURES, outcomes


def naive(model, rival, score, beta):
    """All draws one by one."""
    k, found = len(score), {}
    pairs = list(combinations(range(k), 2))
    apart = [(i, j) for i, j in pairs if score[i] != score[j]]
    right = [(model[i] - model[j]) * (score[i] - score[j]) > 0 for i, j in apart]
    found["accuracy"] = np.mean(right)
    p = np.array([expit(beta * (score[i] - score[j])) for i, j in pairs])
    q = np.array([expit(model[i] - model[j]) for i, j in pairs])
    found["log_loss"] = -np.mean(p * np.log(q) + (1 - p) * np.log(1 - q))
    found["error"] = np.mean(
        [(model[i] - model[j] - beta * (score[i] - score[j])) ** 2 for i, j in pairs]
    )

    def win(i, j):
        return (np.sign(score[i] - score[j]) + 1) / 2

    for n in (2, 4):
        draws = list(combinations(range(k), n))
        ours = [max(draw, key=lambda i: model[i]) for draw in draws]
        theirs = [max(draw, key=lambda i: rival[i]) for draw in draws]
        best = np.mean([max(score[i] for i in draw) for draw in draws])
        found[f"regret@{n}"] = best - np.mean([score[i] for i in ours])
        found[f"against_base@{n}"] = np.mean([win(i, j) for i in ours for j in range(k)])
        found[f"against_chain@{n}"] = np.mean([win(i, j) for i in ours for j in theirs])
        found[f"same@{n}"] = np.mean([win(i, j) for i, j in zip(ours, theirs, strict=True)])
    return found


@pytest.mark.parametrize("seed", range(3))
def test_outcomes_are_those_of_all_draws_one_by_one(seed):
    rng = np.random.default_rng(seed)
    model, rival = rng.normal(size=(2, 1, 6))
    score = rng.integers(0, 4, (1, 6)).astype(float)
    found = outcomes([model], score, 0.7, [rival])[0, :, 0]
    for name, value in naive(model[0], rival[0], score[0], 0.7).items():
        assert found[MEASURES.index(name)] == pytest.approx(value, abs=1e-12), name
    assert np.isnan(found[MEASURES.index("regret@8")])


def test_a_prompt_of_equal_scores_has_no_accuracy_and_wins_half():
    score = np.ones((1, 4))
    found = outcomes([np.arange(4.0)[None]], score, 1.0, [np.arange(4.0)[None]])[0, :, 0]
    assert np.isnan(found[0])
    assert found[MEASURES.index("against_base@2")] == 0.5
