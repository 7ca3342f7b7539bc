"""Leaves taken out of a network and put back, against dense algebra."""

import naive
import numpy as np
import pytest

from ibn.kernels.series import (
    ONCE,
    STAYS,
    UNUSED,
    count_uses,
    eliminate_leaves,
    leaves_above,
    restore_leaves,
)


def leafy(rng):
    """A tree whose leaves have no comparison, one, or several, of every combination of ends."""
    inner = int(rng.integers(1, 8))
    leaves = int(rng.integers(2, 16))
    size = leaves + inner
    parent = np.concatenate(
        [
            rng.integers(leaves, size, leaves),
            [rng.integers(i + 1, size) for i in range(leaves, size - 1)],
            [size - 1],
        ]
    ).astype(int)
    stem = np.append(10.0 ** rng.uniform(-1, 1, size - 1), 0.0)
    a, b = [], []
    free = list(rng.permutation(leaves))
    while len(free) > 1 and rng.random() < 0.8:
        kind = rng.random()
        near = free.pop()
        if kind < 0.5:
            far = free.pop()  # both used once
        elif kind < 0.8:
            far = int(rng.integers(leaves, size))  # with an inner node
        else:
            far, other = free.pop(), int(rng.integers(leaves, size))
            a.append(far)  # the far one is used twice
            b.append(other)
        a.append(near)
        b.append(far)
    a, b = np.array(a, int), np.array(b, int)
    sigma2 = 10.0 ** rng.uniform(-1, 1, len(a))
    uses = np.bincount(np.concatenate([a, b]), minlength=size)
    role = np.where(uses == 0, UNUSED, np.where(uses == 1, ONCE, STAYS))
    bare = np.zeros(size, bool)  # whole subtrees without a comparison
    for i in range(size - 1) if rng.random() < 0.5 else ():
        bare[i] = uses[i] == 0 and bare[:i][parent[:i] == i].all()
    role[leaves:] = np.where(bare[leaves:], UNUSED, STAYS)
    return parent, stem, a, b, sigma2, role.astype(np.int8)


@pytest.mark.parametrize("seed", range(30))
def test_leaves_are_eliminated_and_restored_as_a_dense_solution_has_them(seed):
    rng = np.random.default_rng(seed)
    parent, stem, a, b, sigma2, role = leafy(rng)
    size = len(parent)
    child = np.arange(size - 1)
    matrix = naive.laplacian(
        size,
        np.concatenate([child, a]),
        np.concatenate([parent[:-1], b]),
        1.0 / np.concatenate([stem[:-1], sigma2]),
    )
    flow = rng.normal(size=size)
    flow -= flow.mean()
    kept = np.flatnonzero(role == STAYS)
    expected, energy = naive.schur(matrix, kept, flow)
    reduced = np.stack([flow, np.zeros(size), -2.0 * flow], axis=1)
    leaves, last = np.flatnonzero(role != STAYS), count_uses(size, a, b)[1]
    dissipated = eliminate_leaves(leaves, last, parent, stem, a, b, sigma2, role, reduced)
    assert np.all(reduced[role != STAYS] == 0.0)
    np.testing.assert_allclose(reduced[kept], np.outer(expected, [1, 0, -2]), atol=1e-12)
    np.testing.assert_allclose(dissipated, energy * np.array([1, 0, 4]), rtol=1e-10, atol=1e-12)

    solution = np.linalg.pinv(matrix, hermitian=True) @ flow
    potential = np.where(role == STAYS, solution, np.nan)
    restore_leaves(parent, stem, a, b, sigma2, role, flow, potential)
    np.testing.assert_allclose(potential, solution, atol=1e-10)


@pytest.mark.parametrize("seed", range(30))
def test_only_leaves_that_current_passes_need_be_eliminated(seed):
    rng = np.random.default_rng(100 + seed)
    parent, stem, a, b, sigma2, role = leafy(rng)
    nodes = rng.integers(0, len(parent), 3)
    flow = np.zeros((len(parent), 2))
    for node in (*nodes, *parent[nodes]):
        flow[node] += rng.normal(size=2)
    rest = count_uses(len(parent), a, b)[1], parent, stem, a, b, sigma2, role
    some, every = flow.copy(), flow.copy()
    dissipated = eliminate_leaves(leaves_above(parent, role, nodes), *rest, some)
    expected = eliminate_leaves(np.flatnonzero(role != STAYS), *rest, every)
    np.testing.assert_allclose(some, every, atol=1e-14)
    np.testing.assert_allclose(dissipated, expected, rtol=1e-12)
