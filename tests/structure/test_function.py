"""F(M) from responses: exact sums, honest errors, an upper bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform

import ibn
from ibn.bias.neighbours import NeighbourGraph
from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.errors import InputError
from ibn.structure import (
    bias_distances,
    estimate_structure,
    structural_function_of_distances,
)
from ibn.structure.function import _within
from ibn.structure.partition import Distances, Points, bisect


def rng(seed=0):
    return np.random.default_rng(seed)


def of_world(world, m, seed, **options):
    draws = rng(seed)
    y = world.sample(m, draws)
    distances = world.distance(y[:, None], y[None, :])
    return structural_function_of_distances(distances, rng=draws, **options)


def naive_within(distances, parts):
    """Mean over responses of the mean distance to the others of the cell."""
    means = [
        np.mean([distances[i, j] for j in part if j != i])
        for part in parts
        if len(part) > 1
        for i in part
    ]
    return np.mean(means)


@pytest.mark.parametrize("sizes", [(3, 2, 1, 7, 0), (2, 2), (13,)])
def test_mean_and_pull_are_those_of_leaving_one_out(sizes):
    m = sum(sizes)
    distances = squareform(pdist(rng(1).normal(size=(m, 3)), "sqeuclidean"))
    parts = np.split(rng(2).permutation(m), np.cumsum(sizes)[:-1])
    mean, pulls = _within(Distances(distances), parts)
    assert mean == pytest.approx(naive_within(distances, parts))
    count = sum(size for size in sizes if size > 1)
    for part, pull in zip(parts, pulls, strict=True):
        for i, one in zip(part, pull, strict=True):
            rest = [other[other != i] for other in parts]
            if len(part) > 1 and any(len(other) > 1 for other in rest):
                expected = (count - 1) * (mean - naive_within(distances, rest))
                assert one == pytest.approx(expected)


@given(arrays(float, (9, 2), elements=st.floats(-5, 5)))
def test_points_and_their_distances_are_one_geometry(points):
    """Sums agree; projections differ by one constant, the same for any rows."""
    flat, full = Points(points), Distances(squareform(pdist(points, "sqeuclidean")))
    rows, onto = np.arange(4), np.arange(3, 9)
    assert np.allclose(flat.sums(rows), full.sums(rows))
    weight = np.array([1.0, 2.0, -1.0, -3.0, 0.5, 0.5])
    every = np.arange(9)
    shift = flat.projection(every, onto)(weight) - full.projection(every, onto)(weight)
    assert np.ptp(shift) < 1e-9


@given(st.integers(16, 200), st.integers(0, 10))
def test_cells_keep_within_half_and_twice_their_share(m, seed):
    points = rng(seed).standard_t(2, size=(2 * m, 3))
    laid, seen = np.arange(m), np.arange(m, 2 * m)
    for cells, others in bisect(Points(points), laid, seen, int(np.log2(m / 8)), rng(seed)):
        sizes = np.array([len(cell) for cell in cells])
        share = m / len(cells)
        assert sizes.min() >= np.floor(share / 2)
        assert sizes.max() <= np.ceil(2 * share)
        assert np.array_equal(np.sort(np.concatenate(cells)), laid)
        assert np.array_equal(np.sort(np.concatenate(others)), seen)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_the_ultrametric_worlds_is_met(family, alpha):
    """An upper bound, up to sampling error, that bisection attains to 1 %."""
    world = Ultrametric(family, alpha=alpha, scale=2.0)
    found = of_world(world, 640, 3)
    exact = world.structural_function(found.cells)
    assert found.cells.tolist() == [1, 2, 4, 8, 16]
    assert np.all(found.value > exact - 4 * found.stderr)
    assert np.all(found.value < 1.01 * exact + 4 * found.stderr)


def test_standard_errors_are_those_between_samples():
    world = Ultrametric(alpha=0.5)
    found = [of_world(world, 400, seed) for seed in range(40)]
    spread = np.std([one.value for one in found], axis=0, ddof=1)
    said = np.sqrt(np.mean([one.stderr**2 for one in found], axis=0))
    assert np.all(spread < 1.3 * said)
    assert np.all(said < 3.0 * spread)


def test_no_structure_shows_none():
    """Cells laid on other responses cannot find what is not there."""
    points = rng().normal(size=(400, 300))
    found = estimate_structure(points, rng=rng(), metric="euclidean")
    assert found.value[-1] > 0.98 * found.value[0]


def test_points_and_distances_give_the_same():
    points = rng().normal(size=(200, 4))
    by_points = estimate_structure(points, rng=rng(1), metric="euclidean", scale=3.0)
    distances = 3.0 * squareform(pdist(points, "sqeuclidean"))
    by_distances = structural_function_of_distances(distances, rng=rng(1))
    assert np.allclose(by_points.value, by_distances.value)
    assert np.allclose(by_points.covariance, by_distances.covariance)


def test_another_exponent_is_another_distance():
    points = rng().normal(size=(128, 4))
    found = estimate_structure(points, rng=rng(1), metric="euclidean", exponent=1.0)
    other = structural_function_of_distances(squareform(pdist(points)), rng=rng(1))
    assert np.allclose(found.value, other.value)


def test_responses_drawn_together_count_once():
    points = rng().normal(size=(200, 4))
    twice = np.repeat(points, 2, axis=0)
    groups = np.repeat(np.arange(200), 2)
    once = estimate_structure(points, [1, 2], rng=rng(1))
    naive = estimate_structure(twice, [1, 2], rng=rng(1))
    grouped = estimate_structure(twice, [1, 2], rng=rng(1), groups=groups)
    assert grouped.stderr[0] == pytest.approx(once.stderr[0], rel=0.2)
    assert naive.stderr[0] < 0.85 * once.stderr[0]


def test_responses_all_alike_have_no_spread():
    found = estimate_structure(np.ones((100, 3)), rng=rng())
    assert np.all(found.value == 0)


def test_groups_of_very_different_sizes_are_halved_all_the_same():
    groups = np.minimum(np.arange(400), 63)
    found = estimate_structure(rng().normal(size=(400, 3)), rng=rng(), groups=groups)
    assert found.cells.tolist() == [1, 2, 4]
    assert np.isfinite(found.covariance).all()


def test_a_bias_gives_its_distances():
    world = Ultrametric(alpha=0.4)
    y = np.unique(world.sample(30, rng()))
    expected = world.distance(y[:, None], y[None, :])
    assert np.allclose(bias_distances(world, y), expected)
    graph = NeighbourGraph(rng().normal(size=(70, 3)), neighbours=3)
    distances = bias_distances(graph, np.arange(70))
    assert structural_function_of_distances(distances, rng=rng()).cells.tolist() == [1, 2]


def test_the_same_seed_gives_the_same_and_many_are_thinned():
    points = rng().normal(size=(300, 4))
    first, second = (estimate_structure(points, rng=rng(5), most=128) for _ in range(2))
    assert np.array_equal(first.value, second.value)
    assert first.responses == 128
    assert first.cells[-1] == 4
    assert np.array_equal(ibn.estimate_structure(points, [2], rng=rng()).cells, [2])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda x: estimate_structure(x[:20], rng=rng()), "20 responses are too few"),
        (lambda x: estimate_structure(x, [3], rng=rng()), "powers of two, not"),
        (lambda x: estimate_structure(x, [64], rng=rng()), "too few for 64 cells"),
        (
            lambda x: estimate_structure(x, rng=rng(), repeats=1),
            "repeats must be at least 2",
        ),
        (lambda x: estimate_structure(x, rng=rng(), groups=[1]), "groups of shape"),
        (lambda x: estimate_structure(x * np.nan, rng=rng()), "holds NaN"),
        (lambda x: structural_function_of_distances(x, rng=rng()), "no square matrix"),
        (lambda x: structural_function_of_distances(x @ x.T, rng=rng()), "not negative"),
        (
            lambda x: structural_function_of_distances(abs(x @ x.T), rng=rng()),
            "zero from a response to itself",
        ),
    ],
)
def test_bad_input_is_told(call, told):
    with pytest.raises(InputError, match=told):
        call(rng().normal(size=(100, 5)))
