"""Recommendations: what each idea asks, what it answers, and which of them help."""

from dataclasses import replace

import numpy as np
import pytest

from ibn.auditing.audit import audit
from ibn.auditing.inspection import inspect_data
from ibn.auditing.learned import learn_labels
from ibn.auditing.prior import measure_prior
from ibn.auditing.recommendation import Idea, Recommendation
from ibn.auditing.recommending import IDEAS, Facts, answer_all, by_effect
from ibn.auditing.remaining import measure_remaining
from ibn.auditing.scenarios import Change
from ibn.auditing.settings import AuditSettings
from ibn.auditing.similarity import find_similarity
from ibn.auditing.stages import Stages
from ibn.auditing.uncertainty import PairUncertainty, Uncertainty
from ibn.auditing.variances import ExactVariances
from ibn.estimate import Estimate
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.report.words import sentence

ACTIONS = {
    *("uncertain", "reallocate", "resolve", "recheck", "merge", "agreement", "bridge", "layout"),
    *("prompts", "plan", "plan-anywhere"),
}


def dataset(prompts=60):
    """Three answers to a prompt, two of them compared; a few quarrels and a near-duplicate."""
    rng = np.random.default_rng(0)
    m = 3 * prompts
    points = np.repeat(rng.normal(size=(prompts, 4)), 3, axis=0) + rng.normal(size=(m, 4))
    first = 3 * np.arange(prompts)
    a, b = np.concatenate([first, first[:5]]), np.concatenate([first + 1, first[:5] + 1])
    chance = 1 / (1 + np.exp(-2 * (points[a, 0] - points[b, 0])))
    winner = np.where(rng.random(len(a)) < chance, 1, -1).astype(np.int8)
    winner[-5:] = -winner[:5]
    texts = [f"answer {i} of many words" for i in range(m)]
    texts[2] = "Answer 1, of many words!"
    data = PreferenceData(
        prompts=[f"prompt {p}" for p in range(prompts)],
        responses=texts,
        prompt_of=np.repeat(np.arange(prompts), 3),
        comparisons=Comparisons(np.arange(m), a, b, winner=winner),
        lines=np.arange(1, len(a) + 1),
        source="small.jsonl",
        shape="prompt/chosen/rejected texts",
    )
    return data, points


@pytest.fixture(scope="module")
def facts():
    data, points = dataset()
    settings, rng = AuditSettings(), np.random.default_rng(0)

    def quiet(message):
        pass

    similarity = find_similarity(data, settings, points, "given", quiet)
    inspection = inspect_data(data, similarity, settings, rng, quiet)
    prior = measure_prior(data, similarity, settings, rng, quiet)
    remaining = measure_remaining(data, prior, settings, rng, quiet)
    learned = learn_labels(data, points, seed=0)
    left = PairUncertainty(Estimate(0.5, 0.01, 2), Estimate(0.9, 0.01, 2))
    layouts = {"chain": Uncertainty(left, left)}
    stages = Stages(data, settings, similarity, inspection, prior, remaining, layouts, learned)
    return Facts.of(stages, rng)


@pytest.fixture(scope="module")
def found(facts):
    return answer_all(facts)


def exact(facts, change, kind, prompts):
    """Compute the mean variance under a change from the dense posterior."""
    scenarios = facts.scenarios
    old, own = scenarios.comparisons, change.sigma2 or scenarios.sigma2
    keep = np.arange(len(old)) if change.keep is None else change.keep
    add = np.empty((0, 2), np.int64) if change.add is None else change.add
    changed = Comparisons(
        old.responses,
        np.concatenate([old.a[keep], add[:, 0]]),
        np.concatenate([old.b[keep], add[:, 1]]),
    )
    noise = np.repeat([own, change.add_sigma2 or own], [len(keep), len(add)])
    dense = ExactVariances.of(build_network(scenarios.bias, changed, noise), scenarios.pairs)
    if prompts is not None:
        return dense.of_prompts()[prompts].mean()  # each prompt has as many pairs
    return getattr(dense, kind)().mean


def test_every_idea_is_answered_once(found):
    actions = [one.action for one in found[0]]
    assert len(actions) == len(IDEAS)
    assert set(actions) == ACTIONS
    effects = [one.relative.mean for one in found[0]]
    assert effects == sorted(effects)


def test_answers_are_those_of_the_dense_posterior(facts, found):
    answers = {one.action: one for one in found[0]}
    again = replace(facts, rng=np.random.default_rng(5))
    again.__dict__["at_random"] = facts.at_random
    again.__dict__["held"] = facts.held
    checked = 0
    for propose in (idea for idea in IDEAS if idea.__name__ not in ("bridge", "resolve")):
        idea = propose(again)  # these draw nothing of their own, so they are the ideas answered
        if not isinstance(idea, Idea):
            continue
        answer = answers[idea.action]
        now, then = (
            exact(facts, change, idea.kind, idea.prompts) for change in (idea.base, idea.change)
        )
        assert abs(answer.change.mean - (then - now)) <= 4 * answer.change.stderr + 1e-4 * now
        assert abs(answer.then.mean - then) <= 4 * answer.then.stderr + 1e-4 * now
        if idea.instead is not None:
            other = exact(facts, idea.instead, idea.kind, idea.prompts)
            error = answer.otherwise.stderr
            assert abs(answer.otherwise.mean - other) <= 4 * error + 1e-4 * now
        checked += 1
    assert checked == 6


def test_ideas_cost_what_they_say(facts, found):
    labels = {one.action: one.labels for one in found[0]}
    n = len(facts.scenarios.comparisons)
    assert labels["uncertain"] == labels["recheck"] == labels["bridge"] == round(0.1 * n)
    assert labels["resolve"] == 5
    assert labels["reallocate"] == labels["merge"] == labels["agreement"] == 0


def test_ideas_that_do_not_apply_are_left_out(facts):
    found = facts.found
    into = np.arange(len(found.data.responses))
    inspection = replace(
        found.inspection,
        contradictions=replace(found.inspection.contradictions, doubtful=np.empty((0, 2), int)),
        near_duplicates=replace(found.inspection.near_duplicates, response_into=into),
    )
    bare = replace(facts, found=replace(found, inspection=inspection, layouts={}, learned=None))
    actions = {one.action for one in answer_all(bare)[0]}
    assert actions == {"uncertain", "reallocate", "agreement", "bridge", "prompts"}


def recommendation(now, then, stderr, otherwise=None, *, supported=True):
    change = Estimate(then - now, stderr, 100)
    other = None if otherwise is None else Estimate(otherwise, 0.0, 100)
    value = Estimate(then, stderr, 100)
    numbers = (Estimate(now, 0.0, 1), value, change)
    return Recommendation("a", "Do it", "why", 3, "variance", *numbers, "else", other, supported)


def test_what_helps_lowers_clearly_and_more_than_the_alternative():
    assert recommendation(1.0, 0.9, 0.01).helps
    assert not recommendation(1.0, 0.99, 0.01).helps
    assert not recommendation(1.0, 1.1, 0.01).helps
    assert not recommendation(1.0, 0.9995, 0.0).helps  # too little to matter
    assert recommendation(1.0, 0.9, 0.01, otherwise=0.95).helps
    assert not recommendation(1.0, 0.9, 0.01, otherwise=0.85).helps
    assert not recommendation(1.0, 0.9, 0.01, supported=False).helps


def test_the_sentence_has_the_numbers():
    said = sentence(recommendation(2.0, 1.5, 0.02, otherwise=1.75))
    assert said == "Do it: variance 2.000 → 1.500 (−25.0% ± 1.0%); else: 1.750."


def test_effects_sort_the_best_first():
    some = [recommendation(1.0, then, 0.01) for then in (0.9, 1.1, 0.5)]
    assert [one.then.mean for one in by_effect(some)] == [0.5, 0.9, 1.1]


def test_an_idea_without_a_known_value_takes_it_from_its_base():
    draws = {"base": np.array([2.0, 4.0]), "tried": np.array([1.0, 2.0])}
    base, tried = Change("base"), Change("tried")
    idea = Idea("x", "t", "w", 1, tried, "within", None, base=base, prompts=np.array([0]))
    answer = idea.answer(lambda change: draws[change.name])
    assert (answer.now.mean, answer.then.mean, answer.change.mean) == (3.0, 1.5, -1.5)
    assert answer.quantity == "mean posterior variance within prompts that have no labels yet"
    assert answer.otherwise is None


def test_a_single_prompt_is_weighed_across_nothing():
    data, points = dataset(1)
    found = audit(data, embeddings=points, topologies=(), labels=False)
    assert not {"bridge", "prompts", "layout"} & {one.action for one in found.recommendations}
    assert found.curve is None
