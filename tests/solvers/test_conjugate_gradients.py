import naive
import numpy as np
import pytest

from ibn.errors import InputError
from ibn.kernels.forest import NARROW, WIDTH
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.reduced import Forest


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


def balanced(rng, size):
    current = rng.normal(size=(size, WIDTH))
    return current - current.mean(axis=0)


def dense_solution(parent, conductance, u, v, weight, current):
    size = len(parent)
    child = np.flatnonzero(parent != np.arange(size))
    matrix = naive.laplacian(size, child, parent[child], conductance[child])
    matrix += naive.laplacian(size, u, v, weight)
    potential = np.linalg.pinv(matrix, hermitian=True) @ current
    return np.einsum("ik,ik->k", current, potential), potential


def check(*edges_and_current):
    """Hold both widths of blocks against the dense solution."""
    *edges, current = edges_and_current
    for width in (NARROW, WIDTH):
        check_block(*edges, current[:, :width].copy())


def check_block(parent, conductance, u, v, weight, current, tolerance=1e-12):
    energy, potential = dense_solution(parent, conductance, u, v, weight, current)
    system = Forest.of(parent, conductance, u, v, weight)
    got, none = conjugate_gradient(system, current.copy(), tolerance, False)
    assert none.shape == (0, current.shape[1])
    np.testing.assert_allclose(got, energy, rtol=1e-9, atol=1e-14)
    got, solution = conjugate_gradient(system, current.copy(), tolerance**2, True)
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
    check(parent, conductance, u, v, 10.0 ** rng.uniform(-1, 2, edges), balanced(rng, size))


@pytest.mark.parametrize("seed", range(20))
def test_conjugate_gradients_on_a_forest_that_other_edges_join(seed):
    rng = np.random.default_rng(100 + seed)
    size = int(rng.integers(2, 60))
    parent, conductance = random_forest(rng, size, int(rng.integers(1, size + 1)))
    check(parent, conductance, *connecting_edges(rng, size, size // 2), balanced(rng, size))


@pytest.mark.parametrize("seed", range(20))
def test_conjugate_gradients_on_a_forest_of_single_nodes(seed):
    rng = np.random.default_rng(200 + seed)
    size = int(rng.integers(2, 60))
    edges = connecting_edges(rng, size, size)
    check(np.arange(size), np.zeros(size), *edges, balanced(rng, size))


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
    current = balanced(rng, size)
    current[:, 0] = 0.0
    current[[0, -1], 0] = [1.0, -1.0]
    check(np.arange(size), np.zeros(size), u, v, np.ones(len(u)), current)


def test_conjugate_gradients_where_the_preconditioner_is_exact():
    rng = np.random.default_rng(8)
    parent, conductance = random_forest(rng, 80, 1)
    none = np.empty(0, int)
    check(parent, conductance, none, none, np.empty(0), balanced(rng, 80))
    loops = rng.integers(0, 80, 9)
    check(parent, conductance, loops, loops, np.ones(9), balanced(rng, 80))


def test_columns_of_unequal_difficulty_all_converge():
    rng = np.random.default_rng(4)
    size, u, v = line(200)
    current = np.zeros((size, WIDTH))
    current[:2, 0] = [1.0, -1.0]  # neighbours
    current[[0, -1], 1] = [1.0, -1.0]  # the two ends
    current[:, 2] = 1e-9 * balanced(rng, size)[:, 0]  # faint
    check(np.arange(size), np.zeros(size), u, v, np.ones(len(u)), current)  # the last has none


def test_energy_is_approached_from_below_and_iterations_are_limited():
    rng = np.random.default_rng(9)
    size, u, v = line(100)
    edges = np.arange(size), np.zeros(size), u, v, np.ones(size - 1)
    current = balanced(rng, size)
    exact, _ = dense_solution(*edges, current)
    before = np.zeros(WIDTH)
    for tolerance in (1.0, 0.5, 0.1):
        energy, _ = conjugate_gradient(Forest.of(*edges), current.copy(), tolerance, False)
        assert np.all(energy <= exact * (1 + 1e-12))
        assert np.all(energy >= before)
        before = energy
    with pytest.raises(InputError, match="within 20 iterations"):
        conjugate_gradient(Forest.of(*edges), current.copy(), 1e-15, False, most=20)


@pytest.mark.parametrize(("size", "tolerance"), [(3_000, 1e-2), (10_000, 1e-3)])
def test_a_slow_start_is_not_taken_for_convergence(size, tolerance):
    # Along a line the energy grows by ever smaller steps long before it is all there. Currents
    # at its ends have to cross it; the resistance between them is size - 1.
    _, u, v = line(size)
    current = np.zeros((size, WIDTH))
    current[[0, -1], 0] = [1.0, -1.0]
    system = Forest.of(np.arange(size), np.zeros(size), u, v, np.ones(size - 1))
    energy, _ = conjugate_gradient(system, current, tolerance, False)
    assert energy[0] == pytest.approx(size - 1, rel=2 * tolerance)
