"""Prompts held out: who is held out, what is kept, and the curve against dense posteriors."""

from itertools import pairwise

import numpy as np
import pytest

from ibn.auditing.held_out import LEAST_PROMPTS, SHARES, hold_out
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.scenarios import Scenarios
from ibn.auditing.similarity import FixedBias
from ibn.auditing.variances import ExactVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons

PROMPTS, ANSWERS, SIGMA2 = 50, 3, 1.5
PROMPT_OF = np.repeat(np.arange(PROMPTS), ANSWERS)


@pytest.fixture(scope="module")
def comparisons():
    """One comparison a prompt, a second for every other, and ten across prompts."""
    first = ANSWERS * np.arange(PROMPTS)
    a = np.concatenate([first, first[::2], first[:10]])
    b = np.concatenate([first + 1, first[::2] + 2, first[10:20]])
    return Comparisons(np.arange(PROMPTS * ANSWERS), a, b)


@pytest.fixture(scope="module")
def held(comparisons):
    return hold_out(comparisons, PROMPT_OF, np.random.default_rng(3))


def test_what_is_kept_says_nothing_about_prompts_held_out(comparisons, held):
    assert len(held.prompts) == PROMPTS // 5
    across = PROMPT_OF[comparisons.a] != PROMPT_OF[comparisons.b]
    for change in (*held.growing, held.fewer, held.again):
        assert not np.isin(PROMPT_OF[comparisons.a[change.keep]], held.prompts).any()
        assert not across[change.keep].any()


def test_shares_grow_by_whole_prompts(comparisons, held):
    kept = [set(change.keep.tolist()) for change in held.growing]
    assert all(few <= more for few, more in pairwise(kept))
    inside = np.flatnonzero(PROMPT_OF[comparisons.a] == PROMPT_OF[comparisons.b])
    for share, keep in zip(SHARES, kept, strict=True):
        labelled = {int(PROMPT_OF[comparisons.a[k]]) for k in keep}
        assert len(labelled) == round(share * (PROMPTS - len(held.prompts)))
        own = np.isin(PROMPT_OF[comparisons.a[inside]], list(labelled))
        assert keep == set(inside[own].tolist())


def test_second_labels_cost_as_much_as_new_prompts(held):
    every = held.growing[-1].keep
    assert held.added == len(every) - len(held.fewer.keep) > 0
    assert len(held.again.keep) == len(every)
    assert set(held.again.keep) == set(held.fewer.keep)
    assert set(held.fewer.keep) < set(every)


def test_too_few_prompts_are_not_held_out(comparisons):
    few = Comparisons(
        comparisons.responses,
        comparisons.a[: LEAST_PROMPTS - 1],
        comparisons.b[: LEAST_PROMPTS - 1],
    )
    assert hold_out(few, PROMPT_OF, np.random.default_rng(0)) is None


def test_the_curve_is_that_of_dense_posteriors(comparisons, held):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(PROMPTS * ANSWERS, 3))
    bias = FixedBias(NeighbourGraph(points, 4).edges(comparisons.responses))
    pairs = PromptPairs(PROMPT_OF)
    scenarios = Scenarios.of(bias, comparisons, SIGMA2, pairs, rng)
    curve = held.curve(scenarios.samples)
    for k, change in enumerate(held.growing):
        kept = Comparisons(
            comparisons.responses, comparisons.a[change.keep], comparisons.b[change.keep]
        )
        exact = ExactVariances.of(build_network(bias, kept, SIGMA2), pairs).of_prompts()
        own = np.unique(PROMPT_OF[kept.a])
        assert curve.comparisons[k] == len(kept)
        for estimate, prompts in ((curve.labelled[k], own), (curve.unlabelled[k], held.prompts)):
            assert abs(estimate.mean - exact[prompts].mean()) < 4 * estimate.stderr
