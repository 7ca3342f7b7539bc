"""The audit: its parts against brute force, and the whole on data small enough to check."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from auditing.small_data import all_pairs, dataset
from scipy.sparse.csgraph import dijkstra

from ibn.auditing.audit import audit
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.variances import ExactVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.errors import InputError
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import read_preferences
from ibn.report.passages import snippet
from ibn.report.words import costs, have

KINDS = ("within", "across")
SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(3)
    data = dataset([4, 1, 2, 5, 3, 2], 20, rng)
    embeddings = rng.normal(size=(17, 3))
    return data, embeddings, audit(data, embeddings=embeddings, neighbours=3, seed=1)


def test_audit_equals_brute_force(small):
    data, embeddings, found = small
    graph = NeighbourGraph(embeddings, 3)
    every, same = all_pairs(data.prompt_of)
    nothing = Comparisons(np.arange(17), np.empty(0, np.int64), np.empty(0, np.int64))

    def matrices(network):
        variance = ExactVariances.of(network, PromptPairs(data.prompt_of)).of_pairs(every)
        return variance, dijkstra(network.least()[0])[tuple(every.T)]

    scale = 2.0 / matrices(build_network(graph, nothing, 1.0))[0].mean()
    graph = NeighbourGraph(embeddings, 3, scale=scale)
    for spent, uncertainty in (
        (nothing, found.prior.before),
        (data.comparisons, found.posterior.after),
    ):
        variance, distance = matrices(build_network(graph, spent, 4.0))
        for pairs, mask in ((uncertainty.within, same), (uncertainty.across, ~same)):
            assert pairs.variance.mean == pytest.approx(variance[mask].mean())
            assert pairs.distance.mean == pytest.approx(distance[mask].mean())
            assert pairs.variance.stderr == pairs.distance.stderr == 0.0
            assert pairs.variance.count == mask.sum()
    order = np.argsort(-np.where(same, variance, 0))[:10]
    expected = [tuple(pair) for pair in every[order].tolist()]
    assert [pair.responses for pair in found.posterior.pairs] == expected
    np.testing.assert_allclose([p.variance for p in found.posterior.pairs], variance[order])
    for pair in found.posterior.pairs:
        a, b = data.comparisons.a, data.comparisons.b
        lines = [int(k + 1) for k in range(20) if {int(a[k]), int(b[k])} == set(pair.responses)]
        assert list(pair.lines) == lines
    means = [prompt.variance for prompt in found.posterior.prompts]
    assert means == sorted(means, reverse=True)
    assert len(means) == 5  # one of the six prompts has a single response
    for prompt in found.posterior.prompts:
        mine = same & (data.prompt_of[every[:, 0]] == prompt.prompt)
        assert prompt.variance == pytest.approx(variance[mine].mean())
        of_lines = data.prompt_of[data.comparisons.a[np.array(prompt.lines) - 1]]
        assert set(of_lines) == {prompt.prompt}


def test_audit_counts(small):
    data, _, found = small
    graph = nx.Graph(zip(data.comparisons.a, data.comparisons.b, strict=True))
    graph.add_nodes_from(range(17))
    parts = list(nx.connected_components(graph))
    assert found.components.comparisons == len(parts)
    assert found.components.largest == max(map(len, parts))
    assert found.components.with_bias == 1 + found.components.links == 1
    document = found.to_json()
    counts = [document[what] for what in ("comparisons", "prompts", "responses", "ties")]
    assert counts == [20, 6, 17, 0]
    assert found.reuse == pytest.approx(40 / 17)
    assert found.uses @ np.arange(len(found.uses)) == 40


def test_document_is_json(small):
    _, _, found = small
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    after = document["uncertainty"]["after_labels"]["within_prompt"]
    assert after["variance"]["mean"] == found.posterior.after.within.variance.mean
    assert set(document["topologies"]) >= {"chain", "tree", "star", "expander", "within-prompt"}
    assert document["reuse"]["mean"] == found.reuse


def test_resistance_never_above_distance(small):
    _, _, found = small
    for left in (found.prior.before, found.posterior.after, *found.layouts.values()):
        for pairs in (left.within, left.across):
            assert pairs.variance.mean < pairs.distance.mean + 4 * pairs.distance.stderr


def test_same_seed_same_findings(small):
    data, embeddings, found = small
    again = audit(data, embeddings=embeddings, neighbours=3, seed=1).to_json()
    assert {**again, "seconds": 0} == {**found.to_json(), "seconds": 0}


def test_sampling_agrees_with_all_pairs(small):
    data, embeddings, exact = small
    sampled = audit(data, embeddings=embeddings, neighbours=3, seed=2, exact=0)
    assert sampled.effort
    assert not exact.effort
    moments = [(one.prior.before, one.posterior.after) for one in (sampled, exact)]
    for moment in zip(*moments, strict=True):
        for kind in KINDS:
            some, every = (getattr(one, kind) for one in moment)
            # Scaling the prior by its sampled mean shares the error of that mean.
            assert some.variance.mean == pytest.approx(every.variance.mean, rel=0.2)
            assert some.distance.mean == pytest.approx(every.distance.mean, rel=0.2)
            assert some.variance.stderr > 0
    assert sampled.posterior.pairs[0].responses in {p.responses for p in exact.posterior.pairs}


def test_units_scale():
    data = dataset([3, 3, 2], 6, np.random.default_rng(0))
    embeddings = np.random.default_rng(1).normal(size=(8, 2))
    one = audit(data, embeddings=embeddings, topologies=())
    two = audit(data, embeddings=embeddings, topologies=(), beta=0.5, bias_scale=8.0)
    assert two.posterior.after.within.variance.mean == pytest.approx(
        4 * one.posterior.after.within.variance.mean
    )
    assert two.remaining == pytest.approx(one.remaining)
    assert two.settings.agreement == pytest.approx(one.settings.agreement)


def test_without_a_prior_a_chain_is_left_with_its_noise():
    data = dataset([2] * 6, 6, np.random.default_rng(0))
    embeddings = np.random.default_rng(1).normal(size=(12, 2))
    compared = set(
        map(frozenset, zip(data.comparisons.a.tolist(), data.comparisons.b.tolist(), strict=True))
    )
    found = audit(
        data, embeddings=embeddings, topologies=(), bias_scale=1e7, beta=2.0, noise="logistic"
    )
    assert any(frozenset(pair.responses) in compared for pair in found.posterior.pairs)
    noise = np.pi**2 / 12
    for pair in found.posterior.pairs:
        if frozenset(pair.responses) in compared:
            uses = len(pair.lines)
            assert pair.variance == pytest.approx(noise / uses, rel=1e-3)


def test_agreement_of_labels():
    data = dataset([2, 2], 2, np.random.default_rng(0))
    found = audit(data, embeddings=np.eye(4), topologies=(), beta=1.5, bias_scale=3.0)
    draws = np.abs(np.random.default_rng(0).normal(0, np.sqrt(3.0), 10**6))
    assert found.settings.agreement == pytest.approx(
        np.mean(1 / (1 + np.exp(-1.5 * draws))), abs=1e-3
    )


@pytest.mark.parametrize("exact", [0, 100])
def test_a_single_prompt(exact):
    data = dataset([9], 12, np.random.default_rng(0))
    found = audit(data, replicates=2, exact=exact)
    assert found.posterior.after.across is None
    assert found.posterior.prompts == ()
    assert len(found.posterior.pairs) == 10
    assert found.to_json()["uncertainty"]["after_labels"]["across_prompts"] is None
    assert not any("cross prompts" in sentence for sentence in [*have(found), *costs(found)])


@pytest.mark.parametrize("exact", [0, 100])
def test_prompts_of_one_response_each(exact):
    data = dataset([1] * 8, 6, np.random.default_rng(0), across=True)
    found = audit(data, replicates=2, exact=exact)
    assert found.posterior.after.within is None
    assert found.posterior.pairs == found.posterior.prompts == ()
    assert "within-prompt" not in found.layouts
    assert found.remaining < 1
    assert np.isfinite(found.posterior.of_responses).all()


def test_the_smallest_dataset():
    found = audit(dataset([2], 1, np.random.default_rng(0)), replicates=2)
    # Prior 2 and noise 4, in parallel; every topology has only this pair to compare.
    assert found.posterior.after.within.variance.mean == pytest.approx(4 / 3)
    for left in found.layouts.values():
        assert left.within.distance.mean == pytest.approx(2.0)


def test_separate_parts_are_joined_and_counted():
    rng = np.random.default_rng(0)
    centres = np.repeat([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]], 6, axis=0)
    data = dataset([6, 6, 6], 10, rng)
    embeddings = np.empty((18, 2))
    embeddings[np.argsort(data.prompt_of, kind="stable")] = centres + rng.normal(size=(18, 2))
    found = audit(data, embeddings=embeddings, neighbours=3, metric="euclidean", replicates=2)
    assert (found.components.with_bias, found.components.links) == (3, 2)
    assert "2 added links" in " ".join([*have(found), *costs(found)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 0.0}, "beta must be positive"),
        ({"noise": "bradley"}, "did you mean 'bradley-terry'"),
        ({"bias_scale": -1.0}, "bias scale must be positive"),
        ({"bias_scale": np.inf}, "bias scale must be positive"),
        ({"beta": 1e6}, "all but worthless or faultless"),
        ({"neighbours": 0}, "neighbours must be"),
        ({"metric": "cos"}, "did you mean 'cosine'"),
        ({"replicates": 1}, "replicates must be at least 2"),
        ({"topologies": ["chian"]}, "did you mean 'chain'"),
        ({"embeddings": np.zeros((3, 2))}, "3 rows of embeddings for 4 distinct responses"),
        ({"embeddings": np.full((4, 2), np.nan)}, "row 0 .* NaN"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        audit(dataset([2, 2], 2, np.random.default_rng(0)), **options)


def test_snippets_are_one_line_of_printable_words():
    assert snippet("a\nb\tc", 10) == "a b c"
    assert snippet("x" * 50 + " the end \x1b[31m?", 20) == "…the end �[31m?"


@pytest.mark.parametrize(
    ("name", "reuse"), [("hh_harmless", 1.0), ("gsm8k_model_solutions", 1671 * 2 / 2010)]
)
def test_real_data(name, reuse):
    path = SHARED / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    data = read_preferences(path)
    found = audit(data, topologies=("chain",), replicates=2, exact=0)
    assert found.reuse == pytest.approx(reuse)
    for moment in (found.prior.before, found.posterior.after):
        assert moment.within.variance.mean < moment.across.variance.mean
    assert 0 < found.remaining < 1
    assert found.posterior.after.within.variance.mean < found.posterior.after.within.distance.mean
