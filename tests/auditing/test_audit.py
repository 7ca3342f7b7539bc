"""The audit: its parts against brute force, and the whole on data small enough to check."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from ibn.auditing.audit import audit
from ibn.auditing.layouts import FiniteWorld, lay_out, measure_layouts
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.similarity import FixedBias
from ibn.auditing.variances import ExactVariances, SampledVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.errors import InputError
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData, read_preferences
from ibn.report.words import costs, have, snippet
from ibn.topology import build

KINDS = ("within", "across")
SHARED = Path(__file__).parents[2] / "shared" / "data"


def dataset(sizes, n, rng, *, across=False):
    """Prompts with these numbers of responses, and n random comparisons, one a line."""
    prompt_of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    pairs = PromptPairs(prompt_of)
    a, b = (pairs.sample_across if across else pairs.sample_within)(n, rng).T
    m = len(prompt_of)
    return PreferenceData(
        prompts=[f"prompt {p}" for p in range(len(sizes))],
        responses=[f"response {i}" for i in range(m)],
        prompt_of=prompt_of,
        comparisons=Comparisons(np.arange(m), a, b, winner=np.ones(n, np.int8)),
        lines=np.arange(1, n + 1),
        source="small.jsonl",
        shape="prompt/chosen/rejected texts",
    )


def all_pairs(prompt_of):
    i, j = np.triu_indices(len(prompt_of), 1)
    same = prompt_of[i] == prompt_of[j]
    return np.stack([i, j], axis=1), same


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(3)
    data = dataset([4, 1, 2, 5, 3, 2], 20, rng)
    embeddings = rng.normal(size=(17, 3))
    return data, embeddings, audit(data, embeddings=embeddings, neighbours=3, seed=1)


class TestPairs:
    prompt_of = np.array([2, 0, 2, 1, 0, 2, 2, 3])
    pairs = PromptPairs(prompt_of)

    def test_lists_every_pair_within_a_prompt(self):
        every, same = all_pairs(self.prompt_of)
        listed = np.sort(self.pairs.list_within(100, np.random.default_rng(0)), axis=1)
        assert sorted(map(tuple, listed)) == sorted(map(tuple, every[same]))
        assert (self.pairs.within, self.pairs.across) == (same.sum(), (~same).sum())

    @pytest.mark.parametrize("kind", ["within", "across"])
    def test_samples_are_uniform(self, kind):
        every, same = all_pairs(self.prompt_of)
        wanted = every[same if kind == "within" else ~same]
        draws = getattr(self.pairs, f"sample_{kind}")(20_000, np.random.default_rng(1))
        found, count = np.unique(np.sort(draws, axis=1), axis=0, return_counts=True)
        np.testing.assert_array_equal(found, wanted)
        expected = 20_000 / len(wanted)
        chi2 = ((count - expected) ** 2 / expected).sum()
        assert chi2 < len(wanted) - 1 + 4 * np.sqrt(2 * (len(wanted) - 1))

    def test_lists_no_more_than_asked(self):
        listed = PromptPairs(np.zeros(50, np.int64)).list_within(300, np.random.default_rng(0))
        assert 250 < len(np.unique(np.sort(listed, axis=1), axis=0)) == len(listed) <= 300


class TestPosteriors:
    rng = np.random.default_rng(5)
    data = dataset([3, 2, 4, 1, 2], 9, rng)
    network = build_network(NeighbourGraph(rng.normal(size=(12, 2)), 3), data.comparisons, 0.5)
    pairs = PromptPairs(data.prompt_of)
    exact = ExactVariances.of(network, pairs)

    def truth(self):
        laplacian = nx.laplacian_matrix(self.network.to_networkx(), weight="conductance").toarray()
        inverse = np.linalg.pinv(laplacian)
        own = np.diag(inverse)
        return own[:, None] + own - 2 * inverse

    def test_exact_means_equal_brute_force(self):
        variance = self.truth()
        every, same = all_pairs(self.data.prompt_of)
        each = variance[tuple(every.T)]
        assert self.exact.overall().mean == pytest.approx(each.mean())
        assert self.exact.within().mean == pytest.approx(each[same].mean())
        assert self.exact.across().mean == pytest.approx(each[~same].mean())
        assert self.exact.within().stderr == 0.0
        np.testing.assert_allclose(self.exact.of_pairs(every), each)
        np.testing.assert_allclose(self.exact.of_responses(), variance.sum(axis=0) / 11)
        of_prompts = self.exact.of_prompts()
        for prompt, mean in enumerate(of_prompts):
            mine = same & (self.data.prompt_of[every[:, 0]] == prompt)
            if mine.any():
                assert mean == pytest.approx(each[mine].mean())
            else:
                assert np.isnan(mean)
        assert self.exact.scaled(3.0).within().mean == pytest.approx(3 * each[same].mean())

    def test_samples_agree_with_the_exact_posterior(self):
        rng = np.random.default_rng(0)
        sampled = SampledVariances.of(self.network, self.pairs, 4000, rng)
        for kind in ("overall", "within", "across"):
            estimate, exact = getattr(sampled, kind)(), getattr(self.exact, kind)()
            assert abs(estimate.mean - exact.mean) < 4 * estimate.stderr
            assert estimate.stderr < 0.03 * exact.mean
        every, _ = all_pairs(self.data.prompt_of)
        np.testing.assert_allclose(sampled.of_pairs(every), self.exact.of_pairs(every), rtol=0.15)
        np.testing.assert_allclose(sampled.of_prompts(), self.exact.of_prompts(), rtol=0.15)
        np.testing.assert_allclose(sampled.of_responses(), self.exact.of_responses(), rtol=0.15)
        half = sampled.scaled(0.5)
        assert half.within().mean == pytest.approx(sampled.within().mean / 2)


class TestLayouts:
    world = FiniteWorld.of(np.random.default_rng(0).normal(size=(20, 2)))
    pairs = PromptPairs(np.arange(20) // 2)

    @pytest.mark.parametrize("draw", ["sample", "stratified"])
    @pytest.mark.parametrize("count", [1, 7, 20, 40, 53])
    def test_draws_use_responses_evenly(self, draw, count):
        drawn = getattr(self.world, draw)(count, np.random.default_rng(count))
        uses = np.bincount(drawn, minlength=20)
        assert len(drawn) == count
        assert uses.max() - uses.min() <= (1 if count % 20 else 0)

    def test_strata_cover_the_order(self):
        place = np.argsort(self.world.order)
        for seed in range(20):
            drawn = self.world.stratified(5, np.random.default_rng(seed))
            assert sorted(place[drawn] // 4) == [0, 1, 2, 3, 4]

    def test_order_keeps_neighbours_together(self):
        points = np.random.default_rng(1).normal(size=(512, 2))
        order = FiniteWorld.of(points).order
        assert sorted(order) == list(range(512))
        step = np.linalg.norm(np.diff(points[order], axis=0), axis=1).mean()
        assert step < 0.5 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()

    def test_a_chain_on_enough_responses_is_a_chain(self):
        spent = lay_out("chain", self.world, self.pairs, 10, np.random.default_rng(0))
        np.testing.assert_array_equal(spent.uses, 1)

    @pytest.mark.parametrize("n", [1, 10, 73])
    @pytest.mark.parametrize("name", ["chain", "tree", "star", "expander", "stratified-kwise"])
    def test_spends_the_budget_on_distinct_responses(self, name, n):
        for seed in range(20):
            spent = lay_out(name, self.world, self.pairs, n, np.random.default_rng(seed))
            assert len(spent) == n
            assert np.all(spent.a != spent.b)
            assert len(spent.responses) == 20

    def test_the_layout_is_the_topologys(self):
        drawn = build("expander", self.world, 20, np.random.default_rng(4))
        spent = lay_out("expander", self.world, self.pairs, 20, np.random.default_rng(4))
        np.testing.assert_array_equal(drawn.responses[drawn.a], spent.a)
        np.testing.assert_array_equal(drawn.responses[drawn.b], spent.b)

    def test_within_prompt_uses_each_pair_before_any_again(self):
        spent = lay_out("within-prompt", self.world, self.pairs, 25, np.random.default_rng(0))
        np.testing.assert_array_equal(spent.a // 2, spent.b // 2)
        assert set(np.bincount(spent.a // 2)) == {2, 3}

    def test_intervals_cover_the_mean_over_topologies(self):
        rng = np.random.default_rng(0)
        bias = FixedBias(NeighbourGraph(rng.normal(size=(20, 2)), 3).edges(np.arange(20)))
        exact = [
            ExactVariances.of(
                build_network(bias, lay_out("tree", self.world, self.pairs, 15, rng), 1.0),
                self.pairs,
            )
            for _ in range(600)
        ]
        means = {kind: np.mean([getattr(p, kind)().mean for p in exact]) for kind in KINDS}
        hits = dict.fromkeys(KINDS, 0)
        for _ in range(50):
            found = measure_layouts(
                ["tree"], self.world, self.pairs, 15, bias, 1.0, rng, replicates=4
            )["tree"]
            for kind in KINDS:
                low, high = getattr(found, kind).variance.interval()
                hits[kind] += low <= means[kind] <= high
        assert all(hit >= 42 for hit in hits.values())  # 47.5 expected, 42 is 3.5 deviations below


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
    for spent, uncertainty in ((nothing, found.before), (data.comparisons, found.after)):
        variance, distance = matrices(build_network(graph, spent, 4.0))
        for pairs, mask in ((uncertainty.within, same), (uncertainty.across, ~same)):
            assert pairs.variance.mean == pytest.approx(variance[mask].mean())
            assert pairs.distance.mean == pytest.approx(distance[mask].mean())
            assert pairs.variance.stderr == pairs.distance.stderr == 0.0
            assert pairs.variance.count == mask.sum()
    order = np.argsort(-np.where(same, variance, 0))[:10]
    expected = [tuple(pair) for pair in every[order].tolist()]
    assert [pair.responses for pair in found.uncertain_pairs] == expected
    np.testing.assert_allclose([p.variance for p in found.uncertain_pairs], variance[order])
    for pair in found.uncertain_pairs:
        a, b = data.comparisons.a, data.comparisons.b
        lines = [int(k + 1) for k in range(20) if {int(a[k]), int(b[k])} == set(pair.responses)]
        assert list(pair.lines) == lines
    means = [prompt.variance for prompt in found.uncertain_prompts]
    assert means == sorted(means, reverse=True)
    assert len(means) == 5  # one of the six prompts has a single response
    for prompt in found.uncertain_prompts:
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
    assert (found.comparisons, found.prompts, found.responses, found.ties) == (20, 6, 17, 0)
    assert found.reuse == pytest.approx(40 / 17)
    assert found.uses @ np.arange(len(found.uses)) == 40


def test_document_is_json(small):
    _, _, found = small
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    after = document["uncertainty"]["after_labels"]["within_prompt"]
    assert after["variance"]["mean"] == found.after.within.variance.mean
    assert set(document["topologies"]) >= {"chain", "tree", "star", "expander", "within-prompt"}
    assert document["reuse"]["mean"] == found.reuse


def test_resistance_never_above_distance(small):
    _, _, found = small
    for left in (found.before, found.after, *found.topologies.values()):
        for pairs in (left.within, left.across):
            assert pairs.variance.mean < pairs.distance.mean + 4 * pairs.distance.stderr


def test_same_seed_same_findings(small):
    data, embeddings, found = small
    again = audit(data, embeddings=embeddings, neighbours=3, seed=1).to_json()
    assert {**again, "seconds": 0} == {**found.to_json(), "seconds": 0}


def test_sampling_agrees_with_all_pairs(small):
    data, embeddings, exact = small
    sampled = audit(data, embeddings=embeddings, neighbours=3, seed=2, exact=0)
    assert not sampled.assumptions.exact
    for moment in ("before", "after"):
        for kind in KINDS:
            some, every = (getattr(getattr(x, moment), kind) for x in (sampled, exact))
            # Scaling the prior by its sampled mean shares the error of that mean.
            assert some.variance.mean == pytest.approx(every.variance.mean, rel=0.2)
            assert some.distance.mean == pytest.approx(every.distance.mean, rel=0.2)
            assert some.variance.stderr > 0
    assert sampled.uncertain_pairs[0].responses in {p.responses for p in exact.uncertain_pairs}


def test_units_scale():
    data = dataset([3, 3, 2], 6, np.random.default_rng(0))
    embeddings = np.random.default_rng(1).normal(size=(8, 2))
    one = audit(data, embeddings=embeddings, topologies=())
    two = audit(data, embeddings=embeddings, topologies=(), beta=0.5, bias_scale=8.0)
    assert two.after.within.variance.mean == pytest.approx(4 * one.after.within.variance.mean)
    assert two.remaining == pytest.approx(one.remaining)
    assert two.assumptions.agreement == pytest.approx(one.assumptions.agreement)


def test_without_a_prior_a_chain_is_left_with_its_noise():
    data = dataset([2] * 6, 6, np.random.default_rng(0))
    embeddings = np.random.default_rng(1).normal(size=(12, 2))
    compared = set(
        map(frozenset, zip(data.comparisons.a.tolist(), data.comparisons.b.tolist(), strict=True))
    )
    found = audit(
        data, embeddings=embeddings, topologies=(), bias_scale=1e7, beta=2.0, noise="logistic"
    )
    assert any(frozenset(pair.responses) in compared for pair in found.uncertain_pairs)
    noise = np.pi**2 / 12
    for pair in found.uncertain_pairs:
        if frozenset(pair.responses) in compared:
            uses = len(pair.lines)
            assert pair.variance == pytest.approx(noise / uses, rel=1e-3)


def test_agreement_of_labels():
    data = dataset([2, 2], 2, np.random.default_rng(0))
    found = audit(data, embeddings=np.eye(4), topologies=(), beta=1.5, bias_scale=3.0)
    draws = np.abs(np.random.default_rng(0).normal(0, np.sqrt(3.0), 10**6))
    assert found.assumptions.agreement == pytest.approx(
        np.mean(1 / (1 + np.exp(-1.5 * draws))), abs=1e-3
    )


@pytest.mark.parametrize("exact", [0, 100])
def test_a_single_prompt(exact):
    data = dataset([9], 12, np.random.default_rng(0))
    found = audit(data, replicates=2, exact=exact)
    assert found.after.across is None
    assert found.uncertain_prompts == ()
    assert len(found.uncertain_pairs) == 10
    assert found.to_json()["uncertainty"]["after_labels"]["across_prompts"] is None
    assert not any("cross prompts" in sentence for sentence in [*have(found), *costs(found)])


@pytest.mark.parametrize("exact", [0, 100])
def test_prompts_of_one_response_each(exact):
    data = dataset([1] * 8, 6, np.random.default_rng(0), across=True)
    found = audit(data, replicates=2, exact=exact)
    assert found.after.within is None
    assert found.uncertain_pairs == found.uncertain_prompts == ()
    assert "within-prompt" not in found.topologies
    assert found.remaining < 1
    assert np.isfinite(found.response_variance).all()


def test_the_smallest_dataset():
    found = audit(dataset([2], 1, np.random.default_rng(0)), replicates=2)
    # Prior 2 and noise 4, in parallel; every topology has only this pair to compare.
    assert found.after.within.variance.mean == pytest.approx(4 / 3)
    for left in found.topologies.values():
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
    for moment in (found.before, found.after):
        assert moment.within.variance.mean < moment.across.variance.mean
    assert 0 < found.remaining < 1
    assert found.after.within.variance.mean < found.after.within.distance.mean
