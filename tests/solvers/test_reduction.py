from dataclasses import replace

import naive
import networkx as nx
import numpy as np
import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.kernels.series import ONCE, STAYS, UNUSED, may_hold_cliques
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.reduction import reduce_network
from ibn.topology import build

CASES = [naive.random_case(seed, 25) for seed in range(1000, 1000 + 2 * len(naive.CASES))]


def reduced_edges(reduced):
    parent, stem = reduced.tree()
    child = np.flatnonzero(parent != np.arange(len(parent)))
    u, v, variance = reduced.others()
    return (
        np.concatenate([child, u]),
        np.concatenate([parent[child], v]),
        np.concatenate([stem[child], variance]),
    )


@pytest.mark.parametrize(("name", "network"), CASES, ids=[name for name, _ in CASES])
def test_what_stays_is_as_far_apart_as_before(name, network):
    reduced = reduce_network(network)
    size = len(reduced.kept)
    before = naive.shortest(network.size, network.u, network.v, network.variance)
    after = naive.shortest(size, *reduced_edges(reduced))
    np.testing.assert_allclose(
        after, before[np.ix_(reduced.kept, reduced.kept)], rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize(("name", "network"), CASES, ids=[name for name, _ in CASES])
@pytest.mark.parametrize("resistances", [False, True])
def test_what_stays_has_the_same_resistances(name, network, resistances):
    reduced = reduce_network(network, resistances=resistances)
    size = len(reduced.kept)
    u, v, variance = reduced_edges(reduced)
    after = Network(size, np.arange(size), u, v, variance, np.zeros(len(u), np.int8))
    before = replace(network, nodes=np.arange(network.size))
    old = reduced.kept[reduced.kept < network.size]  # centres of stars are new
    new = reduced.number[old]
    np.testing.assert_allclose(
        naive.resistance_matrix(after)[np.ix_(new, new)],
        naive.resistance_matrix(before)[np.ix_(old, old)],
        rtol=1e-6,
        atol=1e-10,
    )


@pytest.mark.parametrize(("name", "network"), CASES, ids=[name for name, _ in CASES])
def test_roles_count_the_comparisons_of_leaves(name, network):
    reduced = reduce_network(network)
    if network.trie is None:
        assert np.all(reduced.role == STAYS)
        assert np.array_equal(reduced.kept, np.arange(network.size))
        return
    first = network.bias_edges
    told = network.u[first:] != network.v[first:]
    ends = np.concatenate([network.u[first:][told], network.v[first:][told]])
    uses = np.bincount(ends, minlength=network.size)
    leaves = np.arange(network.size) < len(network.trie.addresses)
    expected = np.where(leaves & (uses == 0), UNUSED, np.where(leaves & (uses == 1), ONCE, STAYS))
    assert np.array_equal(reduced.role, expected)
    assert np.array_equal(reduced.kept, np.flatnonzero(expected == STAYS))
    assert np.array_equal(reduced.number[reduced.kept], np.arange(len(reduced.kept)))
    assert np.all(reduced.number[expected != STAYS] == -1)


@pytest.mark.parametrize("seed", range(30))
def test_no_node_is_kept_for_what_has_no_comparison(seed):
    rng = np.random.default_rng(seed)
    world = Ultrametric()
    responses = world.sample(60, rng)
    a, b = np.array([rng.choice(60, 2, replace=False) for _ in range(seed % 12 + 1)]).T
    network = build_network(world, Comparisons(responses, a, b), 0.1)
    parent, compared = network.trie.parent, slice(network.bias_edges, None)
    u, v = network.u[compared], network.v[compared]
    ends = np.append(u, v)[np.tile(u != v, 2)]
    above = {int(np.flatnonzero(parent == np.arange(network.size))[0])}
    for node in ends.tolist():
        while parent[node] != node:
            node = int(parent[node])
            above.add(node)
    uses = np.bincount(ends, minlength=network.size)
    reduced = reduce_network(network, resistances=True)
    assert reduced.kept.tolist() == sorted(above | set(np.flatnonzero(uses > 1).tolist()))


def test_a_chain_keeps_no_leaves():
    world = Ultrametric()
    comparisons = build("chain", world, 500, np.random.default_rng(0))
    network = build_network(world, comparisons, 0.1)
    reduced = reduce_network(network)
    assert len(reduced.kept) == network.size - 1000
    assert len(reduced.others()[0]) == 500


def kwise_network(n, group, sigma2=0.1):
    world = Ultrametric()
    return build_network(
        world, build("kwise", world, n, np.random.default_rng(1), group=group), sigma2
    )


@pytest.mark.parametrize("group", [3, 4, 7])
def test_cliques_become_stars(group):
    pairs = group * (group - 1) // 2
    network = kwise_network(5 * pairs, group, 0.1)
    reduced = reduce_network(network, resistances=True)
    centres = len(reduced.parent) - network.size
    assert centres == 5
    assert len(reduced.a) == 5 * group
    np.testing.assert_allclose(reduced.sigma2, 0.1 / group)
    assert np.all(reduced.role[: 5 * group] == ONCE)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("another variance", 4),
        ("a missing comparison", 4),
        ("a repeated comparison", 4),
        ("a repeated comparison for a missing one", 4),
        ("a link between two groups", 3),
        ("an outsider", 4),
    ],
)
def test_what_is_no_clique_of_equals_stays_as_it_is(change, left):
    world = Ultrametric()
    full = build("kwise", world, 30, np.random.default_rng(2), group=4)
    a, b, sigma2 = full.a.tolist(), full.b.tolist(), [0.1] * 30
    if change == "another variance":
        sigma2[0] = 0.2
    elif change == "a missing comparison":
        a, b, sigma2 = a[1:], b[1:], sigma2[1:]
    elif change == "a repeated comparison":
        a, b, sigma2 = [*a, b[0]], [*b, a[0]], [*sigma2, 0.1]
    elif change == "a repeated comparison for a missing one":
        a[0], b[0] = b[1], a[1]
    elif change == "a link between two groups":
        a, b, sigma2 = [*a, 0], [*b, 4], [*sigma2, 0.1]
    responses = full.responses
    if change == "an outsider":
        responses = np.append(responses, world.sample(1, np.random.default_rng(9)))
        a, b, sigma2 = [*a, 0], [*b, 20], [*sigma2, 0.1]
    network = build_network(world, Comparisons(responses, a, b), np.array(sigma2))
    reduced = reduce_network(network, resistances=True)
    assert len(reduced.parent) - network.size == left
    # And whatever became of it, it is the same network.
    size = len(reduced.parent)
    child = np.flatnonzero(reduced.parent != np.arange(size))
    after = Network(
        size,
        network.nodes,
        np.concatenate([child, reduced.a]),
        np.concatenate([reduced.parent[child], reduced.b]),
        np.concatenate([reduced.stem[child], reduced.sigma2]),
        np.zeros(len(child) + len(reduced.a), np.int8),
    )
    np.testing.assert_allclose(
        naive.resistance_matrix(after), naive.resistance_matrix(network), rtol=1e-8, atol=1e-12
    )


def test_all_cliques_of_a_large_network_become_stars():
    # Pairs of nodes must not collide where node numbers are large.
    network = kwise_network(600_000, 3)
    assert network.size > 2**20
    reduced = reduce_network(network, resistances=True)
    assert len(reduced.parent) - network.size == 200_000


def test_a_quick_look_misses_no_clique():
    for seed in range(300):
        rng = np.random.default_rng(seed)
        size = 12
        node = rng.permutation(size)
        if seed % 2:  # a clique on some nodes, anything on the others
            k = int(rng.integers(3, 6))
            first, second = np.triu_indices(k, 1)
            rest = node[rng.integers(k, size, (2, int(rng.integers(0, 8))))]
            rest = rest[:, rest[0] != rest[1]]
            ends = np.concatenate([np.stack([node[first], node[second]]), rest], axis=1)
        else:
            ends = node[rng.integers(0, size, (2, int(rng.integers(0, 14))))]
            ends = ends[:, ends[0] != ends[1]]
        ends = ends[:, rng.permutation(ends.shape[1])]
        graph = nx.MultiGraph(list(ends.T.tolist()))
        cliques = [
            part
            for part in nx.connected_components(graph)
            if len(part) > 2
            and graph.subgraph(part).number_of_edges() == len(part) * (len(part) - 1) // 2
            and len(nx.Graph(graph.subgraph(part)).edges) == graph.subgraph(part).number_of_edges()
        ]
        uses = np.bincount(ends.ravel(), minlength=size)
        assert may_hold_cliques(ends[0], ends[1], uses) >= bool(cliques)
        if seed % 2:
            assert cliques


def test_a_quick_look_rules_out_what_has_no_cliques():
    rng = np.random.default_rng(0)
    for topology in ("star", "tree", "expander", "chain"):
        drawn = build(topology, Ultrametric(), 2000, rng)
        assert not may_hold_cliques(drawn.a, drawn.b, drawn.uses)
