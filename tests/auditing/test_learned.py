"""What the labels say: noise and doubt of labels that were made with both known."""

import numpy as np
import pytest
from scipy.special import expit

from ibn.auditing import effort
from ibn.auditing.learned import LISTED, learn_labels
from ibn.design import choose_at_random, expected_variance, pairs_within
from ibn.design.bounded import BOUND, typical_length
from ibn.design.target import bounded_moment
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData


def dataset(prompts=300, *, scale=4.0, seed=0):
    """Two answers to a prompt, compared once; rewards linear in the embedding."""
    rng = np.random.default_rng(seed)
    m = 2 * prompts
    points = rng.normal(size=(m, 4))
    reward = points @ rng.normal(0, np.sqrt(scale / 8), 4)
    a, b = np.arange(0, m, 2), np.arange(1, m, 2)
    better = expit(reward[a] - reward[b])
    winner = np.where(rng.random(prompts) < better, 1, -1).astype(np.int8)
    data = PreferenceData(
        prompts=[f"prompt {p}" for p in range(prompts)],
        responses=[f"response {i}" for i in range(m)],
        prompt_of=np.repeat(np.arange(prompts), 2),
        comparisons=Comparisons(np.arange(m), a, b, winner=winner),
        lines=np.arange(1, prompts + 1) * 10,
        source="small.jsonl",
        shape="prompt/chosen/rejected texts",
    )
    return data, points, better


@pytest.fixture(scope="module")
def learned():
    data, points, better = dataset()
    return data, better, learn_labels(data, points, seed=0)


def test_label_noise_is_that_of_the_world(learned):
    _, better, said = learned
    error = float(np.minimum(better, 1 - better).mean())
    low, high = said.found.error_interval
    assert 0.0 < low < said.found.error.mean < high < 0.5
    assert said.found.error.mean == pytest.approx(error, abs=0.05)
    agree = float((better**2 + (1 - better) ** 2).mean())
    assert said.found.repeat_agreement.mean == pytest.approx(agree, abs=0.05)
    assert said.found.predicts
    assert said.found.posterior_variance.mean < said.found.prior_variance.mean


def test_doubted_labels_are_the_least_probable(learned):
    data, _, said = learned
    assert sorted(said.doubted) == list(range(len(data.comparisons)))
    probability = [one.probability for one in said.found.doubted]
    assert probability == sorted(probability)
    assert len(probability) == LISTED
    assert probability[0] < 0.5
    a, b, winner = data.comparisons.a, data.comparisons.b, data.comparisons.winner
    for one, k in zip(said.found.doubted, said.doubted, strict=False):
        assert one.line == data.lines[k]
        ends = (a[k], b[k]) if winner[k] > 0 else (b[k], a[k])
        assert one.responses == ends
        p = said.found.evaluation.probability[k]
        assert one.probability == pytest.approx(p if winner[k] > 0 else 1 - p)


def test_plans_beat_random_pairs_and_cost_a_tenth(learned):
    data, _, said = learned
    plans = said.plans
    assert plans.budget == len(data.comparisons) // 10
    prompt_of = data.prompt_of[said.rows]
    listed = pairs_within(prompt_of)
    bound = BOUND * typical_length(said.model.features, listed)
    moment = bounded_moment(said.model.features, listed, bound)
    rng = np.random.default_rng(0)
    random = np.mean(
        [
            expected_variance(
                said.model,
                moment,
                choose_at_random(len(prompt_of), listed, plans.budget, rng),
                bound=bound,
            )
            for _ in range(10)
        ]
    )
    assert plans.within.after < random < plans.within.before
    assert len(plans.anywhere.pairs) == plans.budget


def test_no_labels_or_too_few_say_nothing():
    data, points, _ = dataset(20)
    bare = Comparisons(data.responses and np.arange(40), data.comparisons.a, data.comparisons.b)
    tied = bare.labelled(winner=np.zeros(20, np.int8))
    few = Comparisons(np.arange(40), bare.a[:5], bare.b[:5], winner=np.ones(5, np.int8))
    for comparisons in (bare, tied, few):
        some = PreferenceData(
            data.prompts,
            data.responses,
            data.prompt_of,
            comparisons,
            data.lines,
            data.source,
            data.shape,
        )
        assert learn_labels(some, points, seed=0) is None


def test_labels_at_random_support_no_plan():
    data, points, _ = dataset(scale=0.0, seed=1)
    said = learn_labels(data, points, seed=0)
    assert not said.found.predicts
    low, high = said.found.error_interval
    assert high == pytest.approx(0.5, abs=0.06)
    assert low < high


def test_many_comparisons_are_sampled_and_columns_reduced(monkeypatch):
    monkeypatch.setattr(effort, "FULL_UP_TO", 50)
    monkeypatch.setattr(effort, "LEAST_FROM", 500)
    monkeypatch.setattr(effort, "LEAST_COMPARISONS", 120)
    monkeypatch.setattr(effort, "LEAST_DIMENSIONS", 3)
    data, points, _ = dataset()
    said = learn_labels(data, points, seed=0)
    assert (said.found.comparisons, said.found.dimensions) == (120, 3)
    assert 0.6 < said.found.carried < 1.0
    assert len(said.doubted) == 120
