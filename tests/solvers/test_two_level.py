"""Two-level conjugate gradients, against dense algebra."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.auditing.pairs import PromptPairs
from ibn.auditing.variances import columns_within, probe
from ibn.errors import InputError
from ibn.kernels.aggregates import WIDTH
from ibn.network import Network
from ibn.solvers.two_level import DAMPING, Aggregates, TwoLevel
from ibn.threads import in_threads


def aggregated(network, most=None):
    return Aggregates.of(network.size, network.u, network.v, 1.0 / network.variance, most)


def resistances(network):
    inverse = np.linalg.pinv(network.laplacian().toarray())
    own = np.diag(inverse)
    return own[:, None] + own - 2.0 * inverse


@given(st.integers(1, 80), st.integers(0, 60), st.integers(0, 10**6), st.integers(1, 20))
def test_aggregates_are_connected_and_few(size, extra, seed, most):
    network = naive.random_network(size, extra, seed)
    made = aggregated(network, most)
    assert made.count <= max(most, 1) or made.count < size
    np.testing.assert_array_equal(np.unique(made.of_node), np.arange(made.count))
    assert sorted(made.place) == list(range(size))
    ordered = made.of_node[np.argsort(made.place)]
    assert np.all(np.diff(ordered) >= 0)
    group = np.arange(size)
    while np.any(group < len(made.parent)):
        assert np.all(np.diff(made.parent[group]) >= 0)
        group = made.parent[group]
    np.testing.assert_array_equal(group - len(made.parent), ordered)


@given(st.integers(2, 40), st.integers(0, 60), st.integers(0, 10**6), st.integers(1, 9))
def test_the_preconditioner_is_the_sum_of_all_levels(size, extra, seed, most):
    network = naive.random_network(size, extra, seed)
    made = aggregated(network, most)
    system = TwoLevel.of(network, made)
    order = np.argsort(made.place)
    whole = system.unit * network.laplacian().toarray()[order][:, order]
    coarse = np.eye(made.count)[made.of_node[order]]
    filled = coarse.T @ whole @ coarse
    filled += np.trace(filled) / made.count**2 if made.count > 1 else 1.0
    wanted = coarse @ np.linalg.inv(filled) @ coarse.T
    group, damping = np.arange(size), 1.0
    while group.max() < len(made.parent):
        member = (group[:, None] == np.unique(group)).astype(float)
        out = np.diag(member.T @ whole @ member)
        wanted += (
            damping
            * member
            @ np.diag(np.divide(1.0, out, where=out > 1e-9, out=0 * out))
            @ member.T
        )
        group, damping = made.parent[group], DAMPING
    r = np.zeros((size, WIDTH), system.weight.dtype)
    r[:, : min(size, WIDTH)] = np.eye(size, min(size, WIDTH))
    z, product = np.empty_like(r), np.empty(WIDTH)
    system.measure(r, np.zeros(WIDTH), z, product)
    np.testing.assert_allclose(z, wanted @ r, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_allclose(product, np.einsum("ij,ij->j", r, z), rtol=1e-5)


def test_mean_coarse_energy_is_the_mean_over_all_pairs():
    network = naive.random_network(30, 25, 1)
    system = TwoLevel.of(network, aggregated(network, 6))
    i, j = np.triu_indices(30, 1)
    inflow = np.zeros((30, len(i)))
    inflow[i, np.arange(len(i))] = 1.0
    inflow[j, np.arange(len(i))] = -1.0
    assert system.mean_coarse_energy() == pytest.approx(system.coarse_energy(inflow).mean())


def test_probes_are_unbiased_and_the_control_variate_narrows_them():
    # Three parts that hang together by weak links: most of the spread is due to few modes.
    rng = np.random.default_rng(0)
    parts = [naive.random_network(40, 80, seed) for seed in range(3)]
    u = np.concatenate([*(40 * i + part.u for i, part in enumerate(parts)), [0, 41]])
    v = np.concatenate([*(40 * i + part.v for i, part in enumerate(parts)), [40, 81]])
    variance = np.concatenate([*(part.variance for part in parts), [30.0, 30.0]])
    network = Network(120, np.arange(120), u, v, variance, np.zeros(len(u), np.int8))
    pairs = PromptPairs(rng.permutation(np.repeat(np.arange(40), [1, 2, 3, 6] * 10)))
    made = aggregated(network)
    system = TwoLevel.of(network, made)
    mean = system.mean_coarse_energy()
    blocks = [probe(system, mean, pairs, r) for r in rng.spawn(200)]
    truth = resistances(network)
    i, j = np.triu_indices(120, 1)
    same = pairs.prompt_of[i] == pairs.prompt_of[j]
    overall = np.concatenate([block.overall for block in blocks])
    within = np.concatenate([block.within for block in blocks])
    assert len(within) == 200 * columns_within(pairs)
    for found, exact in ((overall, truth[i, j].mean()), (within, truth[i, j][same].mean())):
        error = found.std() / np.sqrt(len(found))
        assert abs(found.mean() - exact) < 4 * error + 0.002 * exact
    bare = []
    for _ in range(200):
        order, inflow = rng.permutation(120), np.zeros(120)
        inflow[order[:60]], inflow[order[60:]] = 1.0, -1.0
        bare.append(system.energy(inflow[:, None], 1e-6)[0] / 60)
    assert overall.std() < 0.7 * np.std(bare)


def test_threads_keep_order_and_pass_errors_on():
    assert in_threads(lambda x: x * x, range(20)) == [x * x for x in range(20)]

    def fail(x):
        raise InputError("no")

    with pytest.raises(InputError):
        in_threads(fail, range(5))
