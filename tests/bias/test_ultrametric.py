import math

import naive
import numpy as np
import pytest
from scipy import stats

from ibn.bias.ultrametric import ADDRESS_BITS, FAMILIES, Ultrametric
from ibn.errors import InputError

SMALL = [
    Ultrametric(family=family, alpha=alpha, scale=scale, branching=branching, digits=digits)
    for family, alpha, scale in zip(FAMILIES, (0.4, 1.3, 0.7), (1.0, 2.5, 0.3), strict=True)
    for branching, digits in ((2, 6), (3, 4), (4, 3), (5, 2))
]
IDS = [f"{w.family}-B{w.branching}" for w in SMALL]


def pairwise(world):
    """d_IB between all addresses of a small world, from their digits and the formulas of §3."""
    size = int(world.powers[-1])
    words = [naive.digits_of(i, world.branching, world.digits) for i in range(size)]
    b, alpha = world.branching, world.alpha
    g = {
        "power": lambda k: b ** (-alpha * k),
        "logarithmic": lambda k: (1 + k * math.log(b)) ** -alpha,
        "sub-logarithmic": lambda k: 1 / (1 + math.log(1 + k)),
    }[world.family]
    return np.array(
        [[0.0 if x == y else world.scale * g(naive.shared(x, y)) for y in words] for x in words]
    )


@pytest.mark.parametrize("world", SMALL, ids=IDS)
def test_distance_is_that_of_the_formulas(world):
    everything = np.arange(int(world.powers[-1]), dtype=np.uint64)
    expected = pairwise(world)
    got = world.distance(everything[:, None], everything[None, :])
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("world", SMALL, ids=IDS)
def test_distance_is_an_ultrametric(world):
    d = pairwise(world)
    assert np.all(d[:, None, :] <= np.maximum(d[:, :, None], d[None, :, :]) + 1e-12)


@pytest.mark.parametrize("world", SMALL, ids=IDS)
def test_variances_along_the_edges_add_up_to_the_distance(world):
    rng = np.random.default_rng(0)
    responses = rng.permutation(np.repeat(world.sample(12, rng), 2))  # some of them repeated
    laid = world.edges(responses)
    assert np.all(laid.variance > 0)
    assert laid.size == len(laid.trie.parent) == len(laid.u) + 1
    assert np.array_equal(laid.u, np.arange(laid.size - 1))  # edge i joins node i to its parent
    assert np.array_equal(laid.v, laid.trie.parent[:-1])
    assert np.array_equal(laid.trie.addresses, np.unique(responses))
    assert np.array_equal(laid.trie.addresses[laid.nodes], responses)
    lengths = naive.shortest(laid.size, laid.u, laid.v, laid.variance)
    np.testing.assert_allclose(
        lengths[np.ix_(laid.nodes, laid.nodes)],
        world.distance(responses[:, None], responses[None, :]),
        rtol=1e-12,
        atol=1e-15,
    )


def test_a_single_response_hangs_from_the_root():
    for branching in (2, 3):
        world = Ultrametric(branching=branching)
        laid = world.edges(np.array([5, 5], np.uint64))
        assert (laid.size, laid.nodes.tolist(), laid.u.tolist()) == (2, [0, 0], [0])
        assert laid.variance[0] == pytest.approx(0.5)


@pytest.mark.parametrize("world", SMALL, ids=IDS)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_structural_function_is_the_mean_within_a_cell(world, depth):
    # Enumeration, the cut-off tail of the infinite hierarchy put back: a pair that the K digits
    # do not tell apart lies in one leaf, whose mean distance is F(B^K).
    cell = int(world.powers[world.digits - depth])
    d = pairwise(world)
    tail = world.structural_function(float(world.branching) ** world.digits)
    blocks = [d[i : i + cell, i : i + cell] + tail * np.eye(cell) for i in range(0, len(d), cell)]
    expected = np.mean([block.mean() for block in blocks])
    got = world.structural_function(float(world.branching) ** depth)
    assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("branching", [2, 3, 10])
def test_structural_function_by_sampling(family, branching):
    world = Ultrametric(family=family, alpha=0.5, branching=branching)
    rng = np.random.default_rng(branching)
    for depth in (0, 3):
        cell = world.powers[world.digits - depth]
        start = world.sample(200_000, rng) // cell * cell
        x, y = (start + rng.integers(0, cell, len(start), dtype=np.uint64) for _ in range(2))
        d = world.distance(x, y)
        expected = world.structural_function(float(branching) ** depth)
        assert abs(d.mean() - expected) < 4.5 * d.std() / math.sqrt(len(d))


def test_structural_function_takes_arrays_and_decreases():
    for family in FAMILIES:
        values = Ultrametric(family=family).structural_function([[1, 2, 3.5], [8, 1e4, 1e12]])
        assert values.shape == (2, 3)
        assert np.all(np.diff(values.ravel()) < 0)
        assert np.all(values > 0)


def test_power_family_has_a_closed_form():
    # Σ (1 - 1/B) B^(-j) I B^(-α(k + j)) = I M^(-α) (1 - 1/B) / (1 - B^(-1-α)).
    world = Ultrametric(alpha=0.3, scale=2.0, branching=3)
    cells = np.array([1.0, 9.0, 500.0])
    expected = 2.0 * cells**-0.3 * (1 - 1 / 3) / (1 - 3**-1.3)
    np.testing.assert_allclose(world.structural_function(cells), expected, rtol=1e-12)


@pytest.mark.parametrize("world", SMALL, ids=IDS)
def test_samples_are_uniform(world):
    size = int(world.powers[-1])
    draws = world.sample(100 * size, np.random.default_rng(1))
    assert draws.dtype == np.uint64
    assert draws.max() < size
    counts = np.bincount(draws.astype(int), minlength=size)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_full_worlds_use_all_their_bits():
    for branching in (2, 3, 4, 5, 10, 1000):
        world = Ultrametric(branching=branching)
        assert branching**world.digits <= 2**ADDRESS_BITS < branching ** (world.digits + 1)
        draws = world.sample(2000, np.random.default_rng(0))
        top = draws // world.powers[-2]  # first digit
        assert set(np.unique(top)) <= set(range(branching))
        assert draws.max() > 0.99 * float(world.powers[-1])


@pytest.mark.parametrize("world", SMALL, ids=IDS)
@pytest.mark.parametrize("depth", [1, 2])
def test_stratified_samples_meet_each_cell_once(world, depth):
    count = int(world.powers[depth])
    cell = world.powers[world.digits - depth]
    for seed in range(20):
        draws = world.stratified(count, np.random.default_rng(seed))
        assert sorted((draws // cell).tolist()) == list(range(count))


@pytest.mark.parametrize("count", [1, 5, 7, 50, 64])
def test_stratified_samples_cover_evenly_and_uniformly(count):
    world = Ultrametric(digits=6)
    rng = np.random.default_rng(2)
    draws = np.array([np.sort(world.stratified(count, rng)) for _ in range(2000)]).astype(int)
    edges = np.arange(count + 1) * 64 // count
    assert np.all((edges[:-1] <= draws) & (draws < edges[1:]))
    width = np.diff(edges)
    for i in np.flatnonzero(width > 1):
        assert stats.chisquare(np.bincount(draws[:, i] - edges[i])).pvalue > 1e-6


def test_stratified_samples_come_in_random_order():
    world = Ultrametric()
    first = [world.stratified(8, np.random.default_rng(seed)).argmin() for seed in range(400)]
    assert stats.chisquare(np.bincount(first, minlength=8)).pvalue > 1e-4


def test_more_strata_than_addresses_still_lie_in_the_world():
    draws = Ultrametric(digits=3).stratified(20, np.random.default_rng(0))
    assert len(draws) == 20
    assert set(draws.tolist()) == set(range(8))


@pytest.mark.parametrize("world", SMALL[:3], ids=IDS[:3])
def test_rewards_differ_by_the_distance(world):
    rng = np.random.default_rng(11)
    responses = np.append(world.sample(9, rng), np.uint64(3))
    responses = np.append(responses, responses[:2])  # the same response has the same reward
    draws = np.array([world.rewards(responses, rng) for _ in range(4000)])
    assert np.array_equal(draws[:, -2:], draws[:, :2])
    difference = draws[:, :, None] - draws[:, None, :]
    variance = (difference**2).mean(axis=0)
    expected = world.distance(responses[:, None], responses[None, :])
    apart = expected > 0
    spread = math.sqrt(2 / len(draws))  # of a chi-square over its degrees of freedom
    assert np.abs(variance[apart] / expected[apart] - 1).max() < 5 * spread
    assert np.abs(variance[~apart]).max() == 0.0
    mean = difference.mean(axis=0)[apart] / np.sqrt(expected[apart] / len(draws))
    assert np.abs(mean).max() < 5


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"family": "pover"}, "unknown family 'pover'.*'power'"),
        ({"alpha": 0}, "alpha must be positive"),
        ({"alpha": -0.3}, "alpha must be positive"),
        ({"alpha": math.nan}, "alpha must be positive"),
        ({"alpha": math.inf}, "alpha must be positive"),
        ({"scale": 0.0}, "scale must be positive"),
        ({"branching": 1}, "branching"),
        ({"branching": 2.5}, "branching"),
        ({"branching": math.nan}, "branching"),
        ({"branching": 2**61}, "branching"),
        ({"digits": 0}, "digits must lie between 1 and 60"),
        ({"digits": 61}, "digits must lie between 1 and 60"),
        ({"digits": 2.5}, "digits"),
        ({"digits": 40, "branching": 3}, "digits must lie between 1 and 37"),
    ],
)
def test_bad_parameters_are_refused(options, problem):
    with pytest.raises(InputError, match=problem):
        Ultrametric(**options)


def test_variances_that_underflow_are_refused():
    # 2^(-20 · 59) is no positive number; an edge of variance 0 has no conductance.
    with pytest.raises(InputError, match="alpha"):
        Ultrametric(alpha=20.0)
    assert np.all(np.diff(Ultrametric(alpha=3.0).half_variance) < 0)


def test_a_whole_branching_number_may_be_a_float():
    whole, real = Ultrametric(branching=3), Ultrametric(branching=3.0)
    assert np.array_equal(whole.powers, real.powers)


@pytest.mark.parametrize("branching", [2, 3])
def test_addresses_outside_the_world_are_refused(branching):
    world = Ultrametric(branching=branching, digits=3)
    with pytest.raises(InputError, match="address"):
        world.edges(np.array([1, branching**3], np.uint64))


def test_signed_whole_numbers_are_addresses():
    world = Ultrametric(digits=8)
    x, y = np.array([3, 200, 7]), np.array([5, 201, 7])
    expected = world.distance(x.astype(np.uint64), y.astype(np.uint64))
    np.testing.assert_array_equal(world.distance(x, y), expected)
    laid = world.edges(x)
    assert laid.nodes.tolist() == [0, 2, 1]
    assert laid.trie.addresses.dtype == np.uint64


def test_no_responses_are_refused():
    with pytest.raises(InputError, match="response"):
        Ultrametric().edges(np.array([], np.uint64))
