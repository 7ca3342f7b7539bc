import naive
import numpy as np
import pytest

from ibn.kernels.search import HUB_DEGREE, arcs_from_edges, path_lengths


def random_graph(rng, size, edges, *, hubs, whole):
    """Edges with loops, parallel edges and ties; the first ``hubs`` nodes meet most of them."""
    u = rng.integers(0, size, edges)
    v = rng.integers(0, size, edges)
    if hubs:
        at_hub = rng.random(edges) < 0.8
        u[at_hub] = rng.integers(0, hubs, at_hub.sum())
    weight = rng.integers(1, 8, edges).astype(float) if whole else rng.exponential(size=edges)
    return u, v, weight


def naive_distances(lengths, sources, source_offset, targets, target_offset, bound):
    through = (
        source_offset[:, :, None]
        + lengths[sources[:, :, None], targets[:, None, :]]
        + target_offset[:, None, :]
    )
    return np.minimum(bound, through.min(axis=(1, 2)))


GRAPHS = {
    "sparse": {"size": 60, "edges": 90, "hubs": 0},
    "scattered": {"size": 80, "edges": 40, "hubs": 0},
    "one hub": {"size": 200, "edges": 260, "hubs": 1},
    "several hubs": {"size": 300, "edges": 900, "hubs": 6},
    "hubs and islands": {"size": 500, "edges": 420, "hubs": 3},
    "tiny": {"size": 2, "edges": 3, "hubs": 0},
}


@pytest.mark.parametrize("whole", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("graph", GRAPHS)
def test_path_lengths_are_dijkstras(graph, whole):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        options = GRAPHS[graph]
        size = options["size"]
        u, v, weight = random_graph(rng, whole=whole, **options)
        if options["hubs"]:
            degree = np.bincount(np.concatenate([u[u != v], v[u != v]]), minlength=size)
            assert degree[: options["hubs"]].min() > HUB_DEGREE
        lengths = naive.shortest(size, u, v, weight)
        p = 400
        sources, targets = rng.integers(0, size, (2, p, 2))
        offset = rng.integers(0, 4, (2, p, 2)).astype(float)
        if not whole:
            offset *= rng.random((2, p, 2))
        one = rng.random(p) < 0.5  # ports that are nodes: both entries agree, at distance 0
        sources[one, 1], targets[one, 1] = sources[one, 0], targets[one, 0]
        offset[:, one] = 0.0
        bound = np.where(rng.random(p) < 0.7, np.inf, rng.exponential(3.0, p))
        arcs = arcs_from_edges(size, u, v, weight)
        got = path_lengths(*arcs, sources, offset[0], targets, offset[1], bound)
        expected = naive_distances(lengths, sources, offset[0], targets, offset[1], bound)
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_long_detours_around_hubs():
    # From hub to hub the direct edge is dear; the way round goes over each hub's last arcs.
    rng = np.random.default_rng(3)
    leaves = 3 * HUB_DEGREE
    u = np.concatenate([np.zeros(leaves, int), np.ones(leaves, int), [0]])
    v = np.concatenate([np.arange(2, leaves + 2), np.arange(leaves + 2, 2 * leaves + 2), [1]])
    weight = np.concatenate([rng.random(2 * leaves), [10.0]])
    heavy = np.argmax(weight[:leaves]), leaves + np.argmax(weight[leaves:-1])
    u, v = np.append(u, v[heavy[0]]), np.append(v, v[heavy[1]])
    weight = np.append(weight, 0.01)
    size = 2 * leaves + 2
    lengths = naive.shortest(size, u, v, weight)
    arcs = arcs_from_edges(size, u, v, weight)
    pairs = rng.integers(0, size, (2, 2000))
    pairs[:, :3] = [[0, 1, 0], [1, 0, 0]]
    ends = [np.repeat(side[:, None], 2, axis=1) for side in pairs]
    zero, free = np.zeros((2000, 2)), np.full(2000, np.inf)
    got = path_lengths(*arcs, ends[0], zero, ends[1], zero, free)
    np.testing.assert_allclose(got, lengths[pairs[0], pairs[1]], rtol=1e-12)
    assert got[0] == pytest.approx(weight[heavy[0]] + weight[heavy[1]] + 0.01)


def test_a_bound_that_cannot_be_beaten_is_returned():
    arcs = arcs_from_edges(3, np.array([0]), np.array([1]), np.array([5.0]))
    ends = np.array([[0, 0], [0, 0], [2, 2]]), np.array([[1, 1], [1, 1], [0, 0]])
    zero = np.zeros((3, 2))
    bound = np.array([1.0, 9.0, np.inf])
    assert path_lengths(*arcs, ends[0], zero, ends[1], zero, bound).tolist() == [1, 5, np.inf]


def test_a_graph_without_edges():
    none = np.empty(0, np.int64)
    arcs = arcs_from_edges(2, none, none, np.empty(0))
    ends = np.array([[0, 0], [1, 1]])
    offset = np.array([[0.25, 0.5], [2.0, 1.0]])
    got = path_lengths(*arcs, ends, offset, np.zeros((2, 2), int), offset, np.full(2, np.inf))
    assert got.tolist() == [0.5, np.inf]


@pytest.mark.parametrize("graph", GRAPHS)
def test_arcs_hold_every_edge_twice_in_order(graph):
    rng = np.random.default_rng(5)
    size = GRAPHS[graph]["size"]
    u, v, weight = random_graph(rng, whole=True, **GRAPHS[graph])
    start, lazy, head, length = arcs_from_edges(size, u, v, weight)
    tail = np.repeat(np.arange(size), np.diff(start))
    real = u != v
    expected = sorted(
        zip(
            np.concatenate([u[real], v[real]]).tolist(),
            np.concatenate([v[real], u[real]]).tolist(),
            np.tile(weight[real], 2).tolist(),
            strict=True,
        )
    )
    assert sorted(zip(tail.tolist(), head.tolist(), length.tolist(), strict=True)) == expected
    is_hub = np.diff(start) > HUB_DEGREE
    for node in range(size):
        eager, late = slice(start[node], lazy[node]), slice(lazy[node], start[node + 1])
        if is_hub[node]:
            assert is_hub[head[eager]].all()
            assert not is_hub[head[late]].any()
            assert np.all(np.diff(length[late]) >= 0)
        else:
            assert lazy[node] == start[node + 1]
