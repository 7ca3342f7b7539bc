"""The neighbour graph and embeddings, against brute force and on bad input."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse.csgraph import dijkstra

from ibn.bias import nearest as nearest_rows
from ibn.bias.embeddings import embed_texts, load_embeddings
from ibn.bias.nearest import (
    Cells,
    leading_components,
    lengths,
    link_components,
    nearest,
    nearest_by_cells,
    recall,
    squared_norms,
)
from ibn.bias.neighbours import NeighbourGraph
from ibn.errors import InputError
from ibn.inference.gaussian import resistance
from ibn.inference.paths import inference_distance
from ibn.kernels.select import nearest_columns, nearest_of
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons

# Small whole numbers make ties and duplicates, which are exact in floating point.
matrices = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 12), st.integers(1, 3)),
    elements=st.integers(-3, 3).map(float),
)


def all_distances(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def edge_set(laid):
    return {(min(e), max(e)) for e in zip(laid.u.tolist(), laid.v.tolist(), strict=True)}


@given(matrices, st.integers(1, 11))
def test_nearest_equals_brute_force(points, k):
    k = min(k, len(points) - 1)
    found = nearest(points, k)
    distance = all_distances(points)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(
        np.take_along_axis(distance, found, 1), np.sort(distance, axis=1)[:, :k], atol=1e-6
    )
    assert all(len(set(row)) == k for row in found)


@given(matrices, st.integers(1, 11), st.integers(0, 9))
def test_searching_all_cells_is_exact(points, k, seed):
    k = min(k, len(points) - 1)
    found = nearest_by_cells(
        points, k, Cells.of(points, np.random.default_rng(seed)), probes=len(points)
    )
    distance = all_distances(points)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(
        np.take_along_axis(distance, found, 1), np.sort(distance, axis=1)[:, :k], atol=1e-6
    )


def test_recall_of_the_approximate_search():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(40, 16))[rng.integers(0, 40, 3000)] * 2).astype(np.float32)
    points += rng.normal(size=points.shape).astype(np.float32)
    found = nearest_by_cells(points, 10, Cells.of(points, rng), probes=12)
    rows = np.repeat(np.arange(3000), 10)
    measured = recall(points, rows, found.ravel(), 10, rng, queries=3000)
    hits = [
        len(set(row) & set(true)) / 10 for row, true in zip(found, nearest(points, 10), strict=True)
    ]
    assert measured.mean == pytest.approx(np.mean(hits))
    assert measured.stderr == pytest.approx(np.std(hits, ddof=1) / np.sqrt(3000))
    assert measured.mean > 0.9
    assert recall(points, rows, rng.permutation(found).ravel(), 10, rng).mean < 0.2


@given(matrices, st.data())
def test_nearest_columns_equal_a_sort(points, data):
    m = len(points)
    k = data.draw(st.integers(1, m - 1))
    own = np.array(data.draw(st.lists(st.integers(-1, m - 1), min_size=3, max_size=3)))[:m]
    value = squared_norms(points) - 2 * points[:3] @ points.T
    found = nearest_columns(points[:3] @ points.T, squared_norms(points), own, k)
    for row, skip, columns in zip(value, own, found, strict=False):
        order = [j for j in np.argsort(row, kind="stable") if j != skip]
        assert columns.tolist() == order[:k]


def test_cells_by_leading_components_find_most_neighbours():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 6)) @ rng.normal(size=(6, 80))
    points = (points + 0.1 * rng.normal(size=points.shape)).astype(np.float32)
    assert leading_components(points, None, rng).shape == (2000, 32)
    found = nearest_by_cells(points, 5, Cells.of(points, rng))
    rows = np.repeat(np.arange(2000), 5)
    assert recall(points, rows, found.ravel(), 5, rng).mean > 0.95
    distance = lengths(points, rows, found.ravel()).reshape(-1, 5)
    assert np.all(np.diff(distance, axis=1) > -1e-5)
    # Along two axes, centred coordinates are those of a singular value decomposition.
    flat = leading_components(points, 2, rng)
    left, singular, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(flat), np.abs(left * singular)[:, :2], rtol=0.01, atol=0.02)


@given(matrices, st.integers(1, 11), st.integers(0, 9))
def test_nearest_of_candidates(points, k, seed):
    m = len(points)
    k = min(k, m - 1)
    rows = np.arange(m)
    rng = np.random.default_rng(seed)
    others = np.stack([rng.permutation(np.delete(rows, i)) for i in rows])
    distance = all_distances(points)
    found = np.take_along_axis(distance, nearest_of(points, rows, others, k), 1)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(found, np.sort(distance, axis=1)[:, :k])


def test_links_through_near_cells_are_nearly_the_shortest(monkeypatch):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(at, 1.0, (600, 3)) for at in (0.0, 4.0, 40.0)])
    points = points.astype(np.float32)
    monkeypatch.setattr(nearest_rows, "CELL_ROWS", 10)
    cells = Cells.of(points, rng)
    # Two neighbours a row: many small components, and one cluster that has no other near it.
    u, v = np.repeat(np.arange(1800), 2), nearest_by_cells(points, 2, cells).ravel()
    exact, near = (link_components(points, u, v, cells, most) for most in (np.inf, 0.0))
    assert len(exact[0]) == len(near[0]) > 20
    shortest, other = (lengths(points, *links).sum() for links in (exact, near))
    assert shortest * (1 - 1e-5) <= other <= 1.05 * shortest


@given(matrices, st.data())
def test_links_are_a_minimum_spanning_tree_of_the_components(points, data):
    m = len(points)
    some = data.draw(st.lists(st.tuples(st.integers(0, m - 1), st.integers(0, m - 1)), max_size=6))
    u, v = np.array(some, dtype=np.int64).reshape(-1, 2).T
    graph = nx.Graph(some)
    graph.add_nodes_from(range(m))
    components = list(nx.connected_components(graph))
    cells, most = Cells.of(points, np.random.default_rng(0)), np.inf
    how = data.draw(st.sampled_from(["all", "one axis first", "near cells, which are all"]))
    if how == "one axis first":
        cells = replace(cells, short=points[:, :1])
    elif how == "near cells, which are all":
        most = 0.0
    a, b = link_components(points, u, v, None if how == "all" else cells, most)
    assert len(a) == len(components) - 1
    distance = all_distances(points)
    between = nx.Graph()
    for i, x in enumerate(components):
        for j, y in enumerate(components[:i]):
            between.add_edge(i, j, weight=distance[np.ix_(list(x), list(y))].min())
    least = nx.minimum_spanning_tree(between).size(weight="weight")
    assert lengths(points, a, b).sum() == pytest.approx(least)
    graph.add_edges_from(zip(a.tolist(), b.tolist(), strict=True))
    assert nx.is_connected(graph)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("mode", ["symmetric", "mutual"])
def test_edges_and_variances_equal_brute_force(metric, mode):
    points = np.random.default_rng(1).normal(size=(60, 4))
    laid = NeighbourGraph(points, 3, metric, mode, exponent=1.5, scale=2.0, connect=False).edges(
        np.arange(60)
    )
    if metric == "cosine":
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    distance = all_distances(points)
    names = np.argsort(distance + np.diag(np.full(60, np.inf)), axis=1)[:, :3]
    named = {(i, int(j)) for i in range(60) for j in names[i]}
    keep = all if mode == "mutual" else any
    pairs = {(min(p), max(p)) for p in named if keep(q in named for q in (p, p[::-1]))}
    assert edge_set(laid) == pairs
    np.testing.assert_allclose(laid.variance, 2.0 * distance[laid.u, laid.v] ** 1.5)


def test_duplicates_keep_a_small_positive_variance():
    points = np.array([[0.0], [0.0], [1.0], [1.0], [3.0]])
    laid = NeighbourGraph(points, 2, "euclidean", floor=0.01).edges(np.arange(5))
    between = points[laid.u, 0] - points[laid.v, 0]
    median = np.median(between[between != 0] ** 2)
    np.testing.assert_allclose(laid.variance, np.where(between, between**2, 0.01 * median))
    alike = NeighbourGraph(np.zeros((4, 2)), 2).edges(np.arange(4))
    assert np.all(alike.variance > 0)


def test_edges_among_some_rows_with_repeats():
    points = np.random.default_rng(2).normal(size=(30, 3))
    graph = NeighbourGraph(points, 4)
    rows = np.array([7, 3, 3, 20, 11, 7, 29])
    laid = graph.edges(rows)
    alone = NeighbourGraph(points[np.unique(rows)], 4).edges(np.arange(5))
    assert laid.size == 5
    np.testing.assert_array_equal(np.unique(rows)[laid.nodes], rows)
    assert edge_set(laid) == edge_set(alone)


def test_connecting_adds_links_at_the_end():
    points = np.concatenate([np.arange(5.0), 100 + np.arange(5.0), 250 + np.arange(5.0)])[:, None]
    graph = NeighbourGraph(points, 2, "euclidean")
    laid, links = graph.edges_and_links(np.arange(15))
    assert links == 2
    ends = {(4, 5), (9, 10)}
    assert {tuple(sorted(e)) for e in zip(laid.u[-2:], laid.v[-2:], strict=True)} == ends
    apart, none = NeighbourGraph(points, 2, "euclidean", connect=False).edges_and_links(
        np.arange(15)
    )
    assert none == 0
    np.testing.assert_allclose(apart.variance, laid.variance[:-2])


@pytest.mark.parametrize("seed", range(5))
def test_network_equals_dijkstra_and_pseudo_inverse(seed):
    rng = np.random.default_rng(seed)
    m, n = 25, 15
    graph = NeighbourGraph(rng.normal(size=(m, 3)), int(rng.integers(1, 5)))
    a = rng.integers(0, m, n)
    comparisons = Comparisons(np.arange(m), a, (a + rng.integers(1, m, n)) % m)
    network = build_network(graph, comparisons, 0.3)
    pairs = np.stack(np.triu_indices(m, 1), axis=1)
    dense = np.full((m, m), np.inf)
    laplacian = np.zeros((m, m))
    for u, v, variance in zip(network.u, network.v, network.variance, strict=True):
        dense[u, v] = dense[v, u] = min(dense[u, v], variance)
        laplacian[[u, v], [u, v]] += 1 / variance
        laplacian[[u, v], [v, u]] -= 1 / variance
    truth = dijkstra(np.where(np.isinf(dense), 0, dense))[tuple(pairs.T)]
    np.testing.assert_allclose(inference_distance(network, pairs), truth, rtol=1e-9)
    inverse = np.linalg.pinv(laplacian)
    own = np.diag(inverse)
    exact = (own[:, None] + own - 2 * inverse)[tuple(pairs.T)]
    np.testing.assert_allclose(resistance(network, pairs), exact, rtol=1e-6)
    assert np.all(exact <= truth * (1 + 1e-9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neighbours": 0}, "neighbours must be"),
        ({"metric": "cosin"}, "did you mean 'cosine'"),
        ({"mode": "mutuall"}, "did you mean 'mutual'"),
        ({"exponent": 0.0}, "exponent must be positive"),
        ({"scale": -1.0}, "scale must be positive"),
        ({"floor": np.nan}, "floor must be positive"),
        ({"embeddings": np.zeros(3)}, r"shape \(3,\)"),
        ({"embeddings": np.array([["a"]])}, "not numbers"),
        (
            {"embeddings": np.array([[1.0], [np.nan]])},
            "row 1 of the embeddings, counted from 0, holds NaN",
        ),
        ({"embeddings": np.array([[np.inf], [1.0]])}, "row 0 .* infinity"),
        ({"embeddings": np.array([[1e300], [1.0]])}, "row 0 .* huge"),
    ],
)
def test_bad_parameters(change, message):
    with pytest.raises(InputError, match=message):
        NeighbourGraph(**{"embeddings": np.eye(3), **change})


def test_loading_embeddings(tmp_path):
    path = tmp_path / "e.npy"
    matrix = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float16)
    np.save(path, matrix)
    loaded = load_embeddings(path, 6)
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, matrix)
    with pytest.raises(InputError, match=r"e\.npy: 6 rows of embeddings for 7 distinct responses"):
        load_embeddings(path, 7)
    matrix[4, 2] = np.nan
    np.save(path, matrix)
    with pytest.raises(InputError, match=r"e\.npy: row 4 .* NaN"):
        load_embeddings(path, 6)
    np.save(path, np.array([{}, None]))
    with pytest.raises(InputError, match=r"e\.npy"):
        load_embeddings(path, 2)
    np.save(path, np.zeros((6, 4)))
    for cut in (0, 5, 70, 200):
        short = tmp_path / f"{cut}.npy"
        short.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(InputError, match=rf"{cut}\.npy: not a \.npy file, or cut off"):
            load_embeddings(short, 6)
    damaged = bytearray(path.read_bytes())
    damaged[40:60] = b"(" * 20
    (tmp_path / "d.npy").write_bytes(damaged)
    with pytest.raises(InputError, match=r"d\.npy: not a \.npy file, or cut off"):
        load_embeddings(tmp_path / "d.npy", 6)
    np.savez(tmp_path / "e.npz", matrix)
    with pytest.raises(InputError, match="archive"):
        load_embeddings(tmp_path / "e.npz", 6)
    with pytest.raises(InputError, match="no such file"):
        load_embeddings(tmp_path / "none.npy", 6)
    with pytest.raises(InputError, match="not a regular file"):
        load_embeddings(tmp_path, 6)


def test_embedding_texts():
    prompts = ["Name a colour.", "What is 2 + 2?"]
    responses = ["Red is one.", "Blue is one.", "It is 4.", ""]
    prompt_of = np.array([0, 0, 1, 1])
    rows = embed_texts(prompts, responses, prompt_of)
    half = rows.shape[1] // 2
    np.testing.assert_array_equal(rows[0, :half], rows[1, :half])
    np.testing.assert_allclose((rows[:, :half] ** 2).sum(axis=1), 1.0)
    np.testing.assert_allclose((rows[:, half:] ** 2).sum(axis=1), [1, 1, 1, 0])
    assert rows[0, half:] @ rows[1, half:] > rows[0, half:] @ rows[2, half:]
    alone = embed_texts(["same"], responses, np.zeros(4, int))
    assert alone.shape[0] == 4
    with pytest.raises(InputError, match="no words"):
        embed_texts([""], [" ", "\n"], np.zeros(2, int))


def test_embedding_many_texts_is_repeatable():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(400)]
    responses = [" ".join(rng.choice(words, 8)) for _ in range(150)]
    prompt_of = np.arange(150) // 2
    prompts = [" ".join(rng.choice(words, 5)) for _ in range(75)]
    rows = embed_texts(prompts, responses, prompt_of, dimensions=16)
    assert rows.shape == (150, 32)
    np.testing.assert_array_equal(rows, embed_texts(prompts, responses, prompt_of, dimensions=16))
