"""Hostile values given to public constructors and functions: an InputError or a right answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibn
from ibn import (
    Battles,
    Comparisons,
    Estimate,
    InputError,
    LabelNoise,
    NeighbourGraph,
    Network,
    RewardModel,
    Ultrametric,
)
from ibn.network import build_network

RNG = np.random.default_rng(0)

ARRAYS = st.sampled_from(
    [
        [],
        [0, 1],
        [1, 2],
        [1.0, 2.0],
        [0.5, 1.0],
        [np.nan, 1.0],
        [np.inf, 1.0],
        [-1, 1],
        [2**70, 1],
        [10**400, 1],
        [0, 1, 2],
        [[0, 1]],
        [[0], [1, 2]],
        [True, False],
        ["0", "1"],
        [None, 1],
        [1j, 2],
        np.array([0, 1], object),
        np.array([1, 2], np.uint64),
        np.array([2**63, 1], np.uint64),
        np.array([1, 2], np.int8),
        np.array(["2020-01-01"] * 2, "M8[D]"),
        np.zeros((2, 2)),
        np.float64(1.0),
        "ab",
        {"a": 1},
        None,
        1,
    ]
)
SCALARS = st.sampled_from(
    [0, 1, 2, -1, 0.5, 1e-300, 1e300, 1e400, np.nan, -np.inf, 10**400, True, "1", None, 1j, [1.0]]
)
NAMES = st.sampled_from(
    ["cosine", "logistic", "power", "", None, 3, ["power"], np.array(["a", "b"])]
)


def attempt(make, *arguments, **options):
    """Make it; None where it is refused in one line."""
    with np.errstate(all="ignore"):
        try:
            return make(*arguments, **options)
        except InputError:
            return None


HOSTILE = settings(max_examples=400, deadline=None)


@HOSTILE
@given(ARRAYS, ARRAYS, ARRAYS, ARRAYS, ARRAYS, ARRAYS)
def test_comparisons(a, b, delta, winner, share, weight):
    found = attempt(Comparisons, np.arange(3), a, b, delta, winner, share, weight)
    if found is None:
        return
    n = len(found)
    assert found.a.tolist() == [int(x) for x in a]
    assert found.b.tolist() == [int(x) for x in b]
    assert ((found.a >= 0) & (found.a < 3) & (found.b >= 0) & (found.b < 3)).all()
    for name in ("delta", "winner", "share", "weight"):
        values = getattr(found, name)
        assert values is None or (values.shape == (n,) and np.isfinite(values).all())
    if found.winner is not None:
        assert np.isin(found.winner, (-1, 0, 1)).all()


@HOSTILE
@given(ARRAYS, ARRAYS, ARRAYS, ARRAYS, ARRAYS)
def test_battles(a, b, outcome, weight, number):
    found = attempt(Battles, ["x", "y", "z"], a, b, outcome, weight, number)
    if found is not None:
        assert found.a.tolist() == [int(x) for x in a]
        assert ((found.outcome >= 0) & (found.outcome <= 1)).all()


@HOSTILE
@given(ARRAYS, ARRAYS, ARRAYS, ARRAYS, SCALARS, ARRAYS)
def test_networks(u, v, variance, kind, size, nodes):
    found = attempt(Network, size, nodes, u, v, variance, kind)
    if found is not None:
        assert found.u.tolist() == [int(x) for x in u]
        assert found.variance.tolist() == [float(x) for x in variance]
        matrix = attempt(ibn.resistance_matrix, found)
        assert matrix is None or (np.isfinite(matrix).all() and (matrix >= 0).all())


@HOSTILE
@given(ARRAYS)
def test_pairs_and_noise_variances(values):
    comparisons = Comparisons(np.arange(4), [0, 1], [1, 2])
    bias = NeighbourGraph(np.random.default_rng(0).normal(size=(4, 2)))
    network = attempt(build_network, bias, comparisons, values)
    assert network is None or np.isfinite(network.variance).all()
    network = build_network(bias, comparisons, 1.0)
    for ask in (ibn.resistance, ibn.inference_distance):
        for pairs in (values, [values]):
            found = attempt(ask, network, pairs)
            assert found is None or np.isfinite(found).all()
    assert attempt(build_network, bias, values, 1.0) is None


@HOSTILE
@given(SCALARS, NAMES, SCALARS)
def test_label_noise(beta, reading, p):
    found = attempt(LabelNoise, beta, reading)
    if found is not None:
        variance = attempt(found.variance, p)
        assert variance is None or 0 < variance < np.inf


@HOSTILE
@given(NAMES, SCALARS, SCALARS, SCALARS, SCALARS, ARRAYS)
def test_ultrametric(family, alpha, scale, branching, digits, responses):
    found = attempt(Ultrametric, family, alpha, scale, branching, digits)
    if found is not None:
        assert np.isfinite(found.half_variance).all()
        attempt(found.edges, responses)


@HOSTILE
@given(ARRAYS, SCALARS, NAMES, NAMES, SCALARS, ARRAYS)
def test_neighbour_graphs(embeddings, neighbours, metric, mode, scale, responses):
    attempt(NeighbourGraph, embeddings, neighbours, metric, mode)
    found = attempt(NeighbourGraph, np.eye(3), neighbours, scale=scale)
    if found is not None:
        edges = attempt(found.edges, responses)
        assert edges is None or (edges.variance > 0).all()


@HOSTILE
@given(ARRAYS, ARRAYS, ARRAYS, SCALARS, SCALARS, NAMES)
def test_reward_models(mean, covariance, features, scale, beta, labels):
    def made(mean, covariance, features, labels):
        return RewardModel(mean, covariance, features, scale, beta, 0.0, labels, 1.0, 0.0, 0.0)

    attempt(made, mean, covariance, features, labels)
    found = attempt(made, [1.0, 2.0], np.eye(2), np.eye(2), "binary")
    if found is not None:
        attempt(found.difference, mean, features)
        attempt(found.rewards, features)


@HOSTILE
@given(SCALARS, SCALARS, SCALARS, SCALARS)
def test_estimates(mean, stderr, number, level):
    found = attempt(Estimate, mean, stderr, number)
    if found is not None:
        attempt(found.interval, level)


@HOSTILE
@given(ARRAYS, SCALARS, ARRAYS)
def test_gibbs(reward, beta, reference):
    found = attempt(ibn.gibbs, reward, beta, reference)
    if found is not None and reference is None:
        assert np.exp(found).sum() == pytest.approx(1.0)


@HOSTILE
@given(SCALARS, st.sampled_from([None, 0, "seed", np.random.RandomState(0)]))
def test_random_means(rel_err, rng):
    network = Network(3, np.arange(3), [0, 1], [1, 2], [1.0, 2.0], np.zeros(2, np.int8))
    for ask in (ibn.mean_variance, ibn.mean_distance):
        assert attempt(ask, network, rel_err=0.5, rng=rng) is None
        found = attempt(ask, network, rel_err=rel_err, rng=RNG, max_count=64)
        assert found is None or 1.0 <= found.mean <= 3.0
    assert attempt(ibn.posterior_samples, network, 1, rng) is None
    assert attempt(ibn.simulate_labels, Comparisons([0, 1], [0], [1]), [0.0, 1.0], 1.0, rng) is None


# --- faults on record ---------------------------------------------------------------------------


def test_codes_of_winners_are_three():
    ends = [0, 0, 1, 1, 0], [1, 1, 2, 2, 2]
    with pytest.raises(InputError, match="winner 4 is 2, not"):
        Comparisons(np.arange(3), *ends, winner=[1, -1, 1, -1, 2])
    with pytest.raises(InputError, match="true and false"):
        Comparisons(np.arange(2), [0, 0], [1, 1], winner=np.array([True, False]))
    with pytest.raises(InputError, match=r"winner 0 is 0\.7"):
        Comparisons(np.arange(2), [0, 0], [1, 1], winner=[0.7, -1.0])


@pytest.mark.parametrize("kind", [int, float, np.uint8])
def test_a_winner_of_0_and_1_alone_may_be_another_code(kind):
    winner = np.array([1, 0, 1], kind)
    with pytest.raises(InputError, match="1 and 0 alone"):
        Comparisons(np.arange(2), [0] * 3, [1] * 3, winner=winner)
    meant = Comparisons(np.arange(2), [0] * 3, [1] * 3, winner=winner.astype(np.int8))
    assert meant.preferred.tolist() == [1.0, 0.5, 1.0]
    mixed = Comparisons(np.arange(2), [0] * 3, [1] * 3, winner=[1, 0, -1])
    assert mixed.select([0, 1]).winner.tolist() == [1, 0]


def test_what_was_checked_cannot_be_written_to():
    winner = np.array([1, -1])
    comparisons = Comparisons(np.arange(2), [0, 0], [1, 1], winner=winner)
    winner[0] = 7
    assert comparisons.winner.tolist() == [1, -1]
    with pytest.raises(ValueError, match="read-only"):
        comparisons.winner[0] = 7
    with pytest.raises(ValueError, match="read-only"):
        Battles.of(comparisons).outcome[0] = 7


def test_a_network_spoilt_later_is_refused():
    variance = np.array([1.0, 2.0])
    network = Network(3, np.arange(3), np.array([0, 1]), np.array([1, 2]), variance, [0, 0])
    variance[0] = -1.0
    for ask in (ibn.resistance, ibn.inference_distance):
        with pytest.raises(InputError, match=r"variance 0 is -1\.0"):
            ask(network, [[0, 2]])
    with pytest.raises(InputError, match=r"variance 0 is -1\.0"):
        ibn.resistance_matrix(network)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"u": [0, 3]}, "u names 3, outside the nodes"),
        ({"u": [0, -1]}, "u names -1"),
        ({"u": [0.5, 1]}, "whole numbers"),
        ({"nodes": [0, 5]}, "nodes names 5"),
        ({"variance": [1.0, np.nan]}, "variance 1 is nan"),
        ({"variance": [1.0, 0.0]}, "variance 1 is 0.0, not positive"),
        ({"variance": [1.0]}, "variance has shape"),
        ({"kind": [1, 0]}, "must come before"),
        ({"kind": [0, 2]}, "kind must be 0"),
        ({"size": 0}, "size must be"),
        ({"size": 2.5}, "size must be"),
    ],
)
def test_bad_networks_are_refused(change, problem):
    parts = {"size": 3, "nodes": [0, 2], "u": [0, 1], "v": [1, 2]}
    parts |= {"variance": [1.0, 2.0], "kind": [0, 1]}
    Network(**parts)
    with pytest.raises(InputError, match=problem):
        Network(**(parts | change))


def test_rows_of_features_do_not_wrap_around():
    model = RewardModel([1.0], [[1.0]], [[0.0], [1.0]], 1.0, 1.0, 0.0, "binary", np.nan, 0.0, 0.0)
    with pytest.raises(InputError, match="a names -1"):
        model.difference([-1], [0])
    with pytest.raises(InputError, match="b names 2"):
        model.probability([0], [2])
