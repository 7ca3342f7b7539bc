import math

import naive
import networkx as nx
import numpy as np
import pytest
from scipy import stats

from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError
from ibn.topology import TOPOLOGIES, build, default_leaves, grown_leaves

WORLD = Ultrametric()
BUDGETS = (1, 2, 3, 5, 7, 12, 31, 64, 200)


def spend(name, n, seed=0, world=WORLD, **options):
    return build(name, world, n, np.random.default_rng(seed), **options)


def graph_of(comparisons):
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(len(comparisons.responses)))
    graph.add_edges_from(zip(comparisons.a.tolist(), comparisons.b.tolist(), strict=True))
    return graph


@pytest.mark.parametrize("name", TOPOLOGIES)
@pytest.mark.parametrize("n", BUDGETS)
def test_the_budget_is_spent_exactly(name, n):
    comparisons = spend(name, n)
    assert len(comparisons) == n
    assert comparisons.responses.dtype == np.uint64
    assert np.all(comparisons.responses < WORLD.powers[-1])
    if "tree" not in name:  # a tree may leave some of its leaves out
        assert comparisons.uses.min() > 0


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_same_seed_spends_it_the_same_way(name):
    one, same, other = spend(name, 50, 3), spend(name, 50, 3), spend(name, 50, 4)
    for side in ("responses", "a", "b"):
        assert np.array_equal(getattr(one, side), getattr(same, side))
    assert not np.array_equal(one.responses, other.responses)


@pytest.mark.parametrize("name", ["chain", "stratified-chain"])
def test_a_chain_uses_every_response_once(name):
    comparisons = spend(name, 60)
    assert len(comparisons.responses) == 120
    assert np.all(comparisons.uses == 1)


@pytest.mark.parametrize("name", ["star", "stratified-star"])
def test_a_star_compares_its_hub_with_everything_else(name):
    graph = graph_of(spend(name, 40))
    degrees = sorted(degree for _, degree in graph.degree)
    assert degrees == [1] * 40 + [40]


@pytest.mark.parametrize("degree", [2, 4, 6, 10])
@pytest.mark.parametrize("count", [11, 30, 101])
def test_an_expander_is_regular_and_connected(degree, count):
    graph = graph_of(spend("expander", count * degree // 2, degree=degree))
    assert {d for _, d in graph.degree} == {degree}
    assert len(graph) == count
    assert nx.is_connected(graph)


@pytest.mark.parametrize("n", BUDGETS)
@pytest.mark.parametrize("degree", [2, 4, 6])
def test_an_expander_of_any_budget_is_connected_and_nearly_regular(n, degree):
    graph = graph_of(spend("expander", n, degree=degree))
    assert nx.is_connected(graph)
    degrees = [d for _, d in graph.degree]
    assert max(degrees) <= max(degree, n)
    if n >= 2 * degree:
        assert max(degrees) == degree
        assert min(degrees) >= degree - 2


def test_an_expander_expands():
    # The spectral gap of a random 4-regular graph is near 4 - 2√3 (Friedman 2008), a path's near 0.
    graph = nx.Graph(graph_of(spend("expander", 1000)))
    values = np.linalg.eigvalsh(nx.laplacian_matrix(graph).toarray().astype(float))
    assert values[1] > 0.3
    assert nx.diameter(graph) < 4 * math.log(500)


def test_kwise_compares_all_pairs_of_each_group():
    for group in (2, 3, 4, 6):
        pairs = group * (group - 1) // 2
        graph = nx.Graph(graph_of(spend("kwise", 5 * pairs, group=group)))
        assert graph.number_of_edges() == 5 * pairs
        parts = [graph.subgraph(part) for part in nx.connected_components(graph)]
        assert [len(part) for part in parts] == [group] * 5
        assert all(part.number_of_edges() == pairs for part in parts)


@pytest.mark.parametrize("n", range(1, 14))
def test_an_incomplete_group_is_complete_as_far_as_it_goes(n):
    graph = graph_of(spend("kwise", n, group=4))
    parts = sorted(
        (graph.subgraph(part) for part in nx.connected_components(graph)),
        key=lambda part: -part.number_of_edges(),
    )
    edges = [part.number_of_edges() for part in parts]
    assert edges == [6] * (n // 6) + [n % 6] * (n % 6 > 0)
    if left := n % 6:  # no more responses than so many comparisons need
        assert len(parts[-1]) == next(k for k in (2, 3, 4) if k * (k - 1) // 2 >= left)
    assert not any(
        count > 1 for count in map(graph.number_of_edges, *zip(*graph.edges(), strict=True))
    )


@pytest.mark.parametrize("name", ["tree", "stratified-tree", "tree-grown"])
def test_pairs_of_a_tree_are_uniform(name):
    comparisons = spend(name, 20_000, leaves=9)
    assert len(comparisons.responses) == 9
    counts = np.zeros((9, 9))
    np.add.at(counts, (comparisons.a, comparisons.b), 1)
    assert np.all(np.diag(counts) == 0)
    assert stats.chisquare(counts[~np.eye(9, dtype=bool)]).pvalue > 1e-4


def test_a_tree_has_n_over_log_n_leaves_unless_told():
    for n in (1, 2, 3, 100, 10_000):
        assert default_leaves(n) == max(2, round(n / math.log(max(n, 2))))
        assert len(spend("tree", n).responses) == default_leaves(n)
    assert len(spend("tree", 100, leaves=17).responses) == 17
    assert len(spend("chain", 10, leaves=17).responses) == 20  # others have no use for it


@pytest.mark.parametrize("name", [name for name in TOPOLOGIES if name.startswith("stratified")])
def test_stratified_topologies_cover_each_cell_once(name):
    # Budgets for which the number of responses is a power of 2, so that cells are subtrees.
    budget = {"chain": 32, "star": 63, "expander": 128, "kwise": 96, "tree": 100}
    rule = name.removeprefix("stratified-")
    options = {"leaves": 64} if rule == "tree" else {}
    comparisons = spend(name, budget[rule], **options)
    cells = comparisons.responses // WORLD.powers[WORLD.digits - 6]
    assert sorted(cells.tolist()) == list(range(64))


@pytest.mark.parametrize("name", ["star", "stratified-star"])
def test_the_hub_of_a_star_may_be_any_response(name):
    first = [spend(name, 7, seed).responses[0] for seed in range(300)]
    octant = np.array(first) // WORLD.powers[WORLD.digits - 3]
    assert stats.chisquare(np.bincount(octant.astype(int), minlength=8)).pvalue > 1e-4


# --- grown trees -------------------------------------------------------------------------------


def grow(count, seed=0, world=WORLD, **options):
    return grown_leaves(world, count, np.random.default_rng(seed), **options)


def prefixes(leaves, world, digits):
    return (leaves // world.powers[world.digits - digits]).tolist()


@pytest.mark.parametrize("branching", [2, 3, 4])
@pytest.mark.parametrize("segment", [1, 2, 3])
def test_a_full_grown_tree_has_so_many_children_a_node(branching, segment):
    world = Ultrametric(branching=branching)
    leaves = grow(8, world=world, growth=2, segment=segment)
    for level in (1, 2, 3):
        seen = prefixes(leaves, world, level * segment)
        assert len(set(seen)) == 2**level
        below = np.unique(np.array(sorted(set(seen))) // branching**segment, return_counts=True)[1]
        assert np.all(below == 2)  # siblings are distinct and every parent has two


def test_growth_by_all_values_of_a_segment_is_stratified():
    leaves = grow(64, growth=4, segment=2)
    assert sorted(prefixes(leaves, WORLD, 6)) == list(range(64))


def test_a_grown_tree_is_thinned_at_random():
    kept = [min(grow(3, seed, growth=4, segment=2)) // WORLD.powers[-3] for seed in range(600)]
    # 3 of 4 children stay; the least that does is the first with probability 3/4.
    assert np.mean(np.array(kept) == 0) == pytest.approx(0.75, abs=5 * math.sqrt(0.1875 / 600))


def test_siblings_may_meet_where_they_are_drawn_independently():
    same = [len(set(prefixes(grow(2, seed, distinct=False), WORLD, 1))) == 1 for seed in range(600)]
    assert np.mean(same) == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / 600))
    assert all(len(set(prefixes(grow(2, seed), WORLD, 1))) == 2 for seed in range(50))


def test_the_rest_of_a_grown_address_is_uniform():
    leaves = np.concatenate([grow(4, seed) for seed in range(500)])
    rest = (leaves % WORLD.powers[WORLD.digits - 2]) // WORLD.powers[WORLD.digits - 5]
    assert stats.chisquare(np.bincount(rest.astype(int), minlength=8)).pvalue > 1e-4


def test_every_option_of_a_grown_tree_gets_through():
    comparisons = spend("tree-grown", 30, leaves=9, growth=3, segment=2, distinct=True)
    assert (
        sorted(np.unique(prefixes(comparisons.responses, WORLD, 2), return_counts=True)[1])
        == [3] * 3
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"growth": 3}, "3 distinct siblings need segments of more than 1 digits"),
        ({"growth": 1}, "growth"),
        ({"growth": 0}, "growth"),
        ({"segment": 0, "distinct": False}, "segment"),
        ({"segment": -1}, "segment"),
        ({"segment": 61}, "segment"),
    ],
)
def test_a_tree_that_cannot_grow_is_refused(options, problem):
    with pytest.raises(InputError, match=problem):
        grow(8, **options)


def test_a_world_too_shallow_for_its_leaves_is_refused():
    with pytest.raises(InputError, match="3 digits are too few for 9 leaves"):
        grow(9, world=Ultrametric(digits=3))
    assert len(grow(8, world=Ultrametric(digits=3))) == 8


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOPOLOGIES)
@pytest.mark.parametrize("n", [0, -1, 2.5, math.nan, math.inf])
def test_a_budget_must_be_a_whole_number_above_zero(name, n):
    with pytest.raises(InputError, match="n must be a whole number above 0"):
        spend(name, n)


def test_a_whole_budget_may_be_a_float():
    assert len(spend("chain", 1e1)) == 10


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("chian", "chain"), ("expnder", "expander"), ("stratified-sta", "stratified-star"),
     ("tree_grown", "tree-grown"), ("Star", "star"), ("k-wise", "kwise")],
)  # fmt: skip
def test_an_unknown_topology_suggests_the_nearest(name, nearest):
    with pytest.raises(InputError, match=f"unknown topology '{name}'.*'{nearest}'"):
        spend(name, 5)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("tree", {"leaves": 1}, "at least 2 leaves"),
        ("tree-grown", {"leaves": 0}, "at least 2 leaves"),
        ("expander", {"degree": 3}, "degree of an expander must be even"),
        ("expander", {"degree": 0}, "degree of an expander must be even"),
        ("kwise", {"group": 1}, "at least 2 responses"),
        ("chain", {"degree": 4}, "degree"),  # an option of another topology
    ],
)
def test_bad_options_are_refused(name, options, problem):
    with pytest.raises(InputError, match=problem):
        spend(name, 10, **options)


@pytest.mark.parametrize("name", ["stratified-star", "tree-grown"])
def test_a_world_that_cannot_is_told_so(name):
    with pytest.raises(InputError, match="world"):
        spend(name, 5, world=naive.Pool(30))


@pytest.mark.parametrize("name", naive.POOLED)
def test_a_finite_pool_of_rows_is_a_world(name):
    comparisons = spend(name, 25, world=naive.Pool(10))
    assert len(comparisons) == 25
    assert comparisons.responses.max() < 10
