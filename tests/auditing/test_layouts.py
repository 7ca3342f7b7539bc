"""Layouts: what they compare, and intervals of what they leave."""

import numpy as np
import pytest

from ibn.auditing.layouts import FiniteWorld, lay_out, measure_layouts
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.similarity import FixedBias
from ibn.auditing.variances import ExactVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.network import build_network
from ibn.topology import build

KINDS = ("within", "across")


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
