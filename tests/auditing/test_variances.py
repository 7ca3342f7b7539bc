"""Variances of all pairs against a dense inverse, and samples against these."""

import naive
import networkx as nx
import numpy as np
import pytest
from auditing.small_data import all_pairs, dataset

from ibn.auditing.pairs import PromptPairs
from ibn.auditing.variances import ExactVariances, SampledVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.network import build_network


class TestPosteriors:
    rng = np.random.default_rng(5)
    data = dataset([3, 2, 4, 1, 2], 9, rng)
    network = build_network(NeighbourGraph(rng.normal(size=(12, 2)), 3), data.comparisons, 0.5)
    pairs = PromptPairs(data.prompt_of)
    exact = ExactVariances.of(network, pairs)

    def truth(self):
        laplacian = nx.laplacian_matrix(
            naive.graph_of(self.network), weight="conductance"
        ).toarray()
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
