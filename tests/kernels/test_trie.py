import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.bias.ultrametric import ADDRESS_BITS, FAMILIES, Ultrametric
from ibn.kernels.trie import (
    build_trie,
    common_depth,
    common_depths,
    inject_pairs,
    locate,
    pack_keys,
    unpack_sorted,
)


@st.composite
def worlds(draw):
    return Ultrametric(
        family=draw(st.sampled_from(FAMILIES)),
        alpha=draw(st.floats(0.1, 1.5)),
        branching=draw(st.integers(2, 5)),
        digits=draw(st.integers(1, 6)),
    )


@st.composite
def addresses_of(draw, world, low, high):
    """A few addresses, many of them close relatives of one another."""
    top = int(world.powers[-1])
    words = draw(st.lists(st.integers(0, top - 1), min_size=low, max_size=high))
    kin = draw(st.lists(st.integers(0, world.digits), min_size=len(words), max_size=len(words)))
    for i in range(1, len(words)):  # share `kin` leading digits with the address before
        cut = int(world.powers[world.digits - kin[i]])
        words[i] = words[i - 1] // cut * cut + words[i] % cut
    return np.array(words, np.uint64)


@st.composite
def cases(draw):
    """A world, the sorted distinct addresses of a trie in it, and queries."""
    world = draw(worlds())
    known = np.unique(draw(addresses_of(world, 1, 12)))
    queries = draw(addresses_of(world, 1, 12))
    for i in range(len(queries)):  # some of them known already
        if draw(st.integers(0, 3)) == 0:
            queries[i] = known[draw(st.integers(0, len(known) - 1))]
    return world, known, queries


def test_common_depth_counts_shared_digits():
    rng = np.random.default_rng(0)
    for branching in (2, 3, 4, 5, 7, 8, 10, 16, 1000):
        world = Ultrametric(branching=branching)
        x = world.sample(60, rng)
        cut = world.powers[rng.integers(0, world.digits + 1, 60)]
        y = x // cut * cut + world.sample(60, rng) % cut
        words = [[naive.digits_of(a, branching, world.digits) for a in side] for side in (x, y)]
        expected = [naive.shared(*pair) for pair in zip(*words, strict=True)]
        assert common_depths(x, y, world.powers, world.digit_bits).tolist() == expected
        assert [
            common_depth(a, b, world.powers, world.digit_bits) for a, b in zip(x, y, strict=True)
        ] == expected
        if world.digit_bits:  # the bit trick and the search agree
            assert common_depths(x, y, world.powers, 0).tolist() == expected


def test_common_depth_at_the_ends_of_the_address_space():
    for branching in (2, 3, 8):
        world = Ultrametric(branching=branching)
        last = world.powers[-1] - np.uint64(1)
        ends = np.array([0, last, last, 0], np.uint64)
        other = np.array([last, 0, last, 1], np.uint64)
        depth = common_depths(ends, other, world.powers, world.digit_bits)
        assert depth.tolist() == [0, 0, world.digits, world.digits - 1]


@given(cases())
def test_trie_is_the_naive_trie(case):
    world, known, _ = case
    parent, depth = build_trie(known, world.powers, world.digit_bits)
    words = [naive.digits_of(a, world.branching, world.digits) for a in known]
    expected = naive.prefix_trie(words)
    prefix = naive.node_prefixes(known, parent, depth, world.branching, world.digits)
    assert prefix[: len(known)] == words
    assert len(set(prefix)) == len(prefix) == len(expected)
    assert {prefix[i]: prefix[parent[i]] for i in range(len(prefix))} == expected
    root = len(parent) - 1
    assert parent[root] == root
    assert np.all(parent[:root] > np.arange(root))
    # Postorder: inner nodes are numbered in the order in which their last leaf ends.
    last_leaf = np.arange(len(parent))
    for i in range(root):
        last_leaf[parent[i]] = last_leaf[i]
    assert np.all(np.diff(last_leaf[len(known) :]) >= 0)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(0, ADDRESS_BITS - 6))
def test_sort_by_packed_keys_is_unique(values, shift):
    addresses = np.array(values, np.uint64) << np.uint64(shift)
    keys = pack_keys(addresses, ADDRESS_BITS)
    keys.sort()
    distinct, rank = unpack_sorted(addresses, keys, ADDRESS_BITS)
    expected, inverse = np.unique(addresses, return_inverse=True)
    assert distinct.tolist() == expected.tolist()
    assert rank.tolist() == inverse.tolist()


def test_sort_by_packed_keys_mends_ties_of_the_leading_bits():
    # With this many addresses the keys drop their last bits, in which alone these differ.
    rng = np.random.default_rng(1)
    addresses = (rng.integers(0, 50, 20_000, np.uint64) << np.uint64(20)) + rng.integers(
        0, 2**11, 20_000, np.uint64
    )
    keys = pack_keys(addresses, ADDRESS_BITS)
    keys.sort()
    distinct, rank = unpack_sorted(addresses, keys, ADDRESS_BITS)
    assert np.array_equal(distinct, np.unique(addresses))
    assert np.array_equal(distinct[rank], addresses)


@given(cases())
def test_locate_finds_the_edge_on_which_an_address_hangs(case):
    world, known, queries = case
    parent, depth = build_trie(known, world.powers, world.digit_bits)
    child, branch = locate(known, parent, depth, queries, world.powers, world.digit_bits)
    prefix = naive.node_prefixes(known, parent, depth, world.branching, world.digits)
    number = {node: i for i, node in enumerate(prefix)}
    for j, query in enumerate(queries):
        word = naive.digits_of(query, world.branching, world.digits)
        deepest = max(
            naive.shared(word, naive.digits_of(a, world.branching, world.digits)) for a in known
        )
        # The node under the point: the shallowest whose prefix goes through it.
        through = [node for node in prefix if node[:deepest] == word[:deepest]]
        under = min((node for node in through if len(node) >= deepest), key=len)
        assert branch[j] == deepest
        assert child[j] == number[under]


def dense_injection(world, known, queries, current):
    """Insert the queries into a whole network and eliminate what they add densely."""
    whole = world.edges(np.concatenate([known, queries]))
    flow = np.zeros(whole.size)
    np.add.at(flow, whole.nodes[len(known) :], current)
    matrix = naive.laplacian(whole.size, whole.u, whole.v, 1.0 / whole.variance)
    parent, depth = build_trie(known, world.powers, world.digit_bits)
    wanted = naive.node_prefixes(known, parent, depth, world.branching, world.digits)
    there = naive.node_prefixes(
        whole.trie.addresses, whole.trie.parent, whole.trie.depth, world.branching, world.digits
    )
    number = {node: i for i, node in enumerate(there)}
    return len(parent), naive.schur(matrix, np.array([number[node] for node in wanted]), flow)


def injected(world, known, ends):
    """What ``inject_pairs`` makes of pairs of addresses, shape (p, 2)."""
    parent, depth = build_trie(known, world.powers, world.digit_bits)
    sides = []
    for side in np.ascontiguousarray(ends.T):
        found = locate(known, parent, depth, side, world.powers, world.digit_bits)
        sides.append((side, *found))
    inflow = np.zeros(len(parent))
    spent = inject_pairs(
        parent, depth, *sides, world.half_variance, world.powers, world.digit_bits, inflow
    )
    return inflow, spent


@given(cases())
def test_injection_is_dense_elimination_pair_by_pair(case):
    world, known, queries = case
    ends = np.resize(queries, (len(queries), 2))
    inflow, spent = 0.0, 0.0
    for pair in ends:
        _, (flow, energy) = dense_injection(world, known, pair, np.array([1.0, -1.0]))
        got, alone = injected(world, known, pair[None])
        np.testing.assert_allclose(got, flow, atol=1e-9)
        assert alone == pytest.approx(energy, rel=1e-9, abs=1e-12)
        inflow, spent = inflow + flow, spent + energy
    got, together = injected(world, known, ends)
    np.testing.assert_allclose(got, inflow, atol=1e-9 * len(ends))
    assert together == pytest.approx(spent, rel=1e-9, abs=1e-12 * len(ends))


@pytest.mark.parametrize(
    ("known", "pair"),
    [
        ([5], [5, 5]),  # one response, asked for at either end
        ([5], [4, 7]),  # one response, others beside it
        ([3, 4, 5], [32, 63]),  # above the root's only child
        ([0, 63], [31, 32]),  # on either side of the root
        ([8, 12], [9, 9]),  # one stranger
        ([8, 12], [9, 11]),  # on either side of an edge's middle
        ([40, 41], [16, 17]),  # strangers that share a stem
        ([40, 41, 50], [32, 36]),  # on one edge, at unlike depths
    ],
)
def test_injection_by_hand(known, pair):
    world = Ultrametric(digits=6, alpha=0.7)
    known, pair = np.array(known, np.uint64), np.array(pair, np.uint64)
    _, (flow, energy) = dense_injection(world, known, pair, np.array([1.0, -1.0]))
    got, spent = injected(world, known, pair[None])
    np.testing.assert_allclose(got, flow, atol=1e-12)
    assert spent == pytest.approx(energy, abs=1e-12)


def test_what_injection_leaves_out_averages_to_nothing():
    world = Ultrametric(digits=4, alpha=0.7)
    known = np.array([2, 3, 11], np.uint64)
    total = exact = 0.0
    for ends in np.ndindex(16, 16):  # all that two pairs can be, ends exchanged
        x, y = (np.array(end, np.uint64) for end in ends)
        for pairs in ([[x, y], [y, 5]], [[x, y], [5, y]], [[y, x], [y, 5]], [[y, x], [5, y]]):
            pairs = np.array(pairs, np.uint64)
            flow, spent = injected(world, known, pairs)
            _, (same, energy) = dense_injection(
                world, known, pairs.ravel(), np.array([1.0, -1.0, 1.0, -1.0])
            )
            np.testing.assert_allclose(flow, same, atol=1e-12)
            total, exact = total + spent, exact + energy
    assert total == pytest.approx(exact, rel=1e-12)
