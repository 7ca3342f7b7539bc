import naive
import numpy as np
import pytest

from ibn.kernels.conjugate_gradients import (
    conjugate_gradient,
    eliminate_leaves,
    pairwise_resistance,
    restore_leaves,
)

MOST = 10_000


def random_forest(rng, size, roots):
    """Parents above their children, conductances of three orders of magnitude, some roots."""
    parent = np.array([rng.integers(i + 1, size) for i in range(size - 1)] + [size - 1])
    cut = rng.choice(size, roots - 1, replace=False)
    parent[cut] = cut
    conductance = np.where(parent == np.arange(size), 0.0, 10.0 ** rng.uniform(-1, 2, size))
    return parent, conductance


def connecting_edges(rng, size, extra):
    """A random spanning tree of edges and some more, loops and parallel ones among them."""
    order = rng.permutation(size)
    u = [order[rng.integers(i)] for i in range(1, size)]
    u, v = (
        np.append(u, rng.integers(0, size, extra)),
        np.append(order[1:], rng.integers(0, size, extra)),
    )
    return u.astype(int), v.astype(int), 10.0 ** rng.uniform(-1, 1, len(u))


def balanced(rng, size, columns):
    current = rng.normal(size=(size, columns))
    return current - current.mean(axis=0)


def dense_solution(parent, conductance, u, v, weight, current):
    size = len(parent)
    child = np.flatnonzero(parent != np.arange(size))
    matrix = naive.laplacian(size, child, parent[child], conductance[child])
    matrix += naive.laplacian(size, u, v, weight)
    potential = np.linalg.pinv(matrix, hermitian=True) @ current
    return np.einsum("ik,ik->k", current, potential), potential


def check(parent, conductance, u, v, weight, current, tolerance=1e-12):
    system = parent, conductance, u, v, weight
    energy, potential = dense_solution(*system, current)
    got, none, used = conjugate_gradient(*system, current, tolerance, MOST, False)
    assert none.shape == (0, current.shape[1])
    assert used <= MOST
    np.testing.assert_allclose(got, energy, rtol=1e-9, atol=1e-14)
    got, solution, used = conjugate_gradient(*system, current, tolerance**2, MOST, True)
    assert used <= MOST
    np.testing.assert_allclose(got, energy, rtol=1e-9, atol=1e-14)
    spread = np.abs(potential).max() + 1e-300
    np.testing.assert_allclose(
        solution - solution.mean(axis=0), potential, atol=1e-8 * spread, rtol=1e-8
    )


@pytest.mark.parametrize("seed", range(20))
def test_conjugate_gradients_on_a_tree_with_other_edges(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 60))
    parent, conductance = random_forest(rng, size, 1)
    edges = int(rng.integers(0, 2 * size))
    u, v = rng.integers(0, size, (2, edges))
    check(parent, conductance, u, v, 10.0 ** rng.uniform(-1, 2, edges), balanced(rng, size, 5))


@pytest.mark.parametrize("seed", range(20))
def test_conjugate_gradients_on_a_forest_that_other_edges_join(seed):
    rng = np.random.default_rng(100 + seed)
    size = int(rng.integers(2, 60))
    parent, conductance = random_forest(rng, size, int(rng.integers(1, size + 1)))
    check(parent, conductance, *connecting_edges(rng, size, size // 2), balanced(rng, size, 4))


@pytest.mark.parametrize("seed", range(20))
def test_conjugate_gradients_on_a_forest_of_single_nodes(seed):
    rng = np.random.default_rng(200 + seed)
    size = int(rng.integers(2, 60))
    edges = connecting_edges(rng, size, size)
    check(np.arange(size), np.zeros(size), *edges, balanced(rng, size, 3))


def complete(size):
    u, v = np.triu_indices(size, 1)
    return size, u, v


def cycle(size):
    return size, np.arange(size), np.roll(np.arange(size), -1)


def cube(dimension):
    node = np.arange(2**dimension)
    bit = 2 ** np.arange(dimension)
    u, v = np.repeat(node, dimension), (node[:, None] ^ bit).ravel()
    return len(node), u[u < v], v[u < v]


def line(size):
    return size, np.arange(size - 1), np.arange(1, size)


def spokes(size):
    return size, np.zeros(size - 1, int), np.arange(1, size)


@pytest.mark.parametrize(
    "graph",
    [complete(2), complete(5), complete(40), cycle(7), cycle(60), cube(3), cube(6), line(3),
     line(50), spokes(10), spokes(50)],
    ids=["K2", "K5", "K40", "C7", "C60", "Q3", "Q6", "P3", "P50", "S10", "S50"],
)  # fmt: skip
def test_conjugate_gradients_stop_well_where_they_converge_at_once(graph):
    # Symmetric graphs have few eigenvalues: the residual is pure rounding after a few iterations.
    size, u, v = graph
    rng = np.random.default_rng(size)
    current = balanced(rng, size, 4)
    current[:, 0] = 0.0
    current[[0, -1], 0] = [1.0, -1.0]
    check(np.arange(size), np.zeros(size), u, v, np.ones(len(u)), current)


def test_conjugate_gradients_where_the_preconditioner_is_exact():
    rng = np.random.default_rng(8)
    parent, conductance = random_forest(rng, 80, 1)
    none = np.empty(0, int)
    check(parent, conductance, none, none, np.empty(0), balanced(rng, 80, 6))
    loops = rng.integers(0, 80, 9)
    check(parent, conductance, loops, loops, np.ones(9), balanced(rng, 80, 6))


def test_columns_of_unequal_difficulty_all_converge():
    rng = np.random.default_rng(4)
    size, u, v = line(200)
    current = np.zeros((size, 4))
    current[:2, 0] = [1.0, -1.0]  # neighbours
    current[[0, -1], 1] = [1.0, -1.0]  # the two ends
    current[:, 2] = 1e-9 * balanced(rng, size, 1)[:, 0]  # faint
    check(np.arange(size), np.zeros(size), u, v, np.ones(len(u)), current)  # the last has none


def test_energy_is_approached_from_below_and_iterations_are_counted():
    rng = np.random.default_rng(9)
    size, u, v = line(100)
    system = np.arange(size), np.zeros(size), u, v, np.ones(size - 1)
    current = balanced(rng, size, 2)
    exact, _ = dense_solution(*system, current)
    before = np.zeros(2)
    for most in (1, 5, 20, 60):
        energy, _, used = conjugate_gradient(*system, current, 1e-15, most, False)
        assert used == most + 1
        assert np.all(energy <= exact * (1 + 1e-12))
        assert np.all(energy > before)
        before = energy


@pytest.mark.parametrize(("size", "tolerance"), [(3_000, 1e-2), (10_000, 1e-3)])
def test_a_slow_start_is_not_taken_for_convergence(size, tolerance):
    # Along a line the energy grows by ever smaller steps long before it is all there. Currents
    # at its ends have to cross it; the resistance between them is size - 1.
    _, u, v = line(size)
    current = np.zeros((size, 1))
    current[[0, -1], 0] = [1.0, -1.0]
    energy, _, _ = conjugate_gradient(
        np.arange(size), np.zeros(size), u, v, np.ones(size - 1), current, tolerance, 40_000, False
    )
    assert energy[0] == pytest.approx(size - 1, rel=2 * tolerance)


# --- leaves ------------------------------------------------------------------------------------


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
    role = np.where(np.arange(size) >= leaves, 0, np.select([uses == 0, uses == 1], [2, 1], 0))
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
    flow = balanced(rng, size, 1)[:, 0]
    kept = np.flatnonzero(role == 0)
    expected, energy = naive.schur(matrix, kept, flow)
    reduced = np.stack([flow, np.zeros(size), -2.0 * flow], axis=1)
    spent = eliminate_leaves(parent, stem, a, b, sigma2, role, reduced)
    assert np.all(reduced[role != 0] == 0.0)
    np.testing.assert_allclose(reduced[kept], np.outer(expected, [1, 0, -2]), atol=1e-12)
    np.testing.assert_allclose(spent, energy * np.array([1, 0, 4]), rtol=1e-10, atol=1e-12)

    solution = np.linalg.pinv(matrix, hermitian=True) @ flow
    potential = np.where(role == 0, solution, np.nan)
    restore_leaves(parent, stem, a, b, sigma2, role, flow, potential)
    np.testing.assert_allclose(potential, solution, atol=1e-10)


def test_pairwise_resistance_reads_the_lower_triangle():
    rng = np.random.default_rng(2)
    size, u, v = cycle(150)
    matrix = naive.laplacian(size, u, v, rng.uniform(0.5, 2.0, size)) + 1.0
    inverse = np.linalg.inv(matrix)
    nodes = rng.integers(0, size, 130)
    own = np.diag(inverse)[nodes]
    expected = own[:, None] + own - 2.0 * inverse[np.ix_(nodes, nodes)]
    lower = np.asfortranarray(np.where(np.tri(size, dtype=bool), inverse, np.nan))
    np.testing.assert_allclose(pairwise_resistance(lower, nodes), expected, atol=1e-12)
