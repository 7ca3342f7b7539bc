"""Contradictions: labels of one pair that disagree, and majorities that go round in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ibn.estimate import Estimate
from ibn.preferences.reading import PreferenceData

LISTED = 10
SHOWN_LINES = 20
EXACT_EDGES = 400  # of a component, up to which the least feedback is sought exactly
GREEDY_RESPONSES = 2000  # of a component, up to which an order is sought step by step
MOST_CYCLES = 500
ROUNDS = 50
SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One step of a cycle: ``better`` is preferred to ``worse`` by a majority of labels."""

    better: int
    worse: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Disagreement:
    """A pair whose labels disagree."""

    responses: tuple[int, int]  # positions in ``PreferenceData.responses``
    wins: tuple[int, int]  # how many labels prefer each
    ties: int
    lines: tuple[int, ...]  # where, the first few


@dataclass(frozen=True, eq=False)
class Contradictions:
    """How far labels contradict each other."""

    pairs: int  # distinct pairs compared
    repeated: int  # pairs with two labels or more, ties left aside
    disagreeing: int  # of these, pairs preferred both ways: annotators' disagreement
    # How often two labels of one pair agree, over all pairs of labels of repeated pairs; its
    # standard error is over pairs of responses. ``None`` where no pair is repeated.
    agreement: Estimate | None
    # Independent undirected cycles of the graph of comparisons: the places where a circle of
    # preferences could show. Where there is none, none can.
    loops: int
    # triads, cyclic_triads: Triples of responses all compared with each other, by majorities
    # without ties, and those of them that go round in a circle. Labels at random would make it a
    # quarter.
    triads: int
    cyclic_triads: int
    # components, largest: strongly connected components of more than one response, and the
    # responses in the largest
    components: int
    largest: int
    in_cycles: int  # pairs of responses whose majority lies on a cycle
    # feedback_least, feedback_most: Bounds of the fewest labels, net of a pair's own disagreement,
    # to turn around before no cycle is left: the minimum feedback arc set. They are equal where it
    # is known exactly.
    feedback_least: int
    feedback_most: int
    # examples, a shortest cycle through the weakest majority of each component
    cycles: tuple[tuple[Step, ...], ...]
    disagreements: tuple[Disagreement, ...]  # the most even disagreements
    # shape (k, 2): pairs that disagree or lie on a cycle: where another label would be a judge
    doubtful: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Condensed:
    """Comparisons by pair, each pair's smaller response first.

    ``first`` and ``second`` count the labels that prefer either; ``pair`` and ``order`` find the
    comparisons of a pair.
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    ties: NDArray[np.int64]
    order: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, data: PreferenceData) -> _Condensed:
        comparisons = data.comparisons
        a, b, m = comparisons.a, comparisons.b, len(data.responses)
        winner = comparisons.winner
        if winner is None:
            winner = np.zeros(len(a), np.int8)
        u, v = np.minimum(a, b), np.maximum(a, b)
        won = np.where(a == u, winner, -winner)
        key, pair = np.unique(u * m + v, return_inverse=True)
        first, second, ties = (
            np.bincount(pair[won == sign], minlength=len(key)) for sign in (1, -1, 0)
        )
        order = np.argsort(pair, kind="stable")
        start = np.searchsorted(pair[order], np.arange(len(key) + 1))
        return cls(key // m, key % m, first, second, ties, order, start)

    def lines(self, data: PreferenceData, pair: int) -> tuple[int, ...]:
        some = self.order[self.start[pair] : self.start[pair + 1]][:SHOWN_LINES]
        return tuple(data.lines[some].tolist())


def find_contradictions(data: PreferenceData, *, listed: int = LISTED) -> Contradictions:
    """Find disagreements and cycles among the labels of a dataset.

    Labels of one pair are first condensed to their majority, so that annotators' disagreement is
    counted apart from cycles between pairs; pairs without a majority are in no cycle.

    ``listed``: how many examples of either to list.
    """
    pairs, m = _Condensed.of(data), len(data.responses)
    labels = pairs.first + pairs.second
    both = np.flatnonzero((pairs.first > 0) & (pairs.second > 0))
    net = pairs.first - pairs.second
    clear = np.flatnonzero(net)
    up = net[clear] > 0
    better = np.where(up, pairs.u[clear], pairs.v[clear])
    worse = np.where(up, pairs.v[clear], pairs.u[clear])
    beats = csr_array((np.ones(len(clear), np.int64), (better, worse)), shape=(m, m))
    strong = connected_components(beats, connection="strong")[1]
    size = np.bincount(strong, minlength=1)
    cyclic = np.flatnonzero(strong[better] == strong[worse])
    triads, turning = _triads(beats)
    least = most = 0
    cycles: list[tuple[Step, ...]] = []
    by_component = cyclic[np.argsort(strong[better[cyclic]], kind="stable")]
    bounds = np.flatnonzero(np.diff(strong[better[by_component]])) + 1
    place = {(int(u), int(v)): k for k, (u, v) in enumerate(zip(pairs.u, pairs.v, strict=True))}
    for members in np.split(by_component, bounds) if len(cyclic) else []:
        graph: nx.DiGraph = nx.DiGraph()
        weight = np.abs(net[clear[members]])
        ends = zip(better[members].tolist(), worse[members].tolist(), weight.tolist(), strict=True)
        graph.add_weighted_edges_from(ends)
        low, high = feedback_bounds(graph)
        least, most = least + low, most + high
        cycles.append(
            tuple(
                Step(x, y, pairs.lines(data, place[min(x, y), max(x, y)]))
                for x, y in _weakest_cycle(graph)
            )
        )
    cycles.sort(key=len)
    undirected = csr_array((np.ones(len(pairs.u)), (pairs.u, pairs.v)), shape=(m, m))
    parts = connected_components(undirected, directed=False, return_labels=False)
    even = both[np.argsort(np.abs(net[both]) / labels[both], kind="stable")][:listed]
    doubtful = np.union1d(both, clear[cyclic])
    return Contradictions(
        pairs=len(pairs.u),
        repeated=int(np.count_nonzero(labels > 1)),
        disagreeing=len(both),
        agreement=_agreement(pairs.first, pairs.second),
        loops=len(pairs.u) - m + int(parts),
        triads=triads,
        cyclic_triads=turning,
        components=int(np.count_nonzero(size > 1)),
        largest=int(size.max()) if np.any(size > 1) else 0,
        in_cycles=len(cyclic),
        feedback_least=least,
        feedback_most=most,
        cycles=tuple(cycles[:listed]),
        disagreements=tuple(
            Disagreement(
                (int(pairs.u[k]), int(pairs.v[k])),
                (int(pairs.first[k]), int(pairs.second[k])),
                int(pairs.ties[k]),
                pairs.lines(data, int(k)),
            )
            for k in even
        ),
        doubtful=np.stack([pairs.u[doubtful], pairs.v[doubtful]], axis=1),
    )


def _agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> Estimate | None:
    """How often two labels of a pair agree: a ratio estimate over pairs of responses."""
    labels = first + second
    first, second, labels = (x[labels > 1].astype(float) for x in (first, second, labels))
    if not len(labels):
        return None
    total = labels * (labels - 1) / 2
    same = (first * (first - 1) + second * (second - 1)) / 2
    mean = float(same.sum() / total.sum())
    count = len(labels)
    if count == 1:
        return Estimate(mean, 0.0, 1)
    rest = same - mean * total
    stderr = np.sqrt(count / (count - 1) * np.sum(rest**2)) / total.sum()
    return Estimate(mean, float(stderr), count)


def _triads(beats: csr_array) -> tuple[int, int]:
    """Count triples all of whose pairs are decided, and those that are cycles."""
    either = beats + beats.T
    triads = int((either @ either).multiply(either).sum()) // 6
    turning = int((beats @ beats).multiply(beats.T).sum()) // 3
    return triads, turning


def _weakest_cycle(graph: nx.DiGraph) -> Iterator[tuple[int, int]]:
    """Walk a shortest cycle through the edge of least weight."""
    u, v, _ = min(graph.edges(data="weight"), key=lambda edge: (edge[2], edge[:2]))
    path = nx.shortest_path(graph, v, u)
    return zip([u, *path[:-1]], path, strict=True)


def feedback_bounds(graph: nx.DiGraph) -> tuple[int, int]:
    """Bound the least weight of edges whose removal leaves no cycle.

    Cycles are covered at least cost, by integer programming, until the cover leaves none
    uncovered (the cutting planes of Grötschel, Jünger and Reinelt 1985); where that is too large
    or takes too long, edge-disjoint cycles bound it from below and an ordering by wins minus
    losses from above (Eades, Lin and Smyth 1993).

    ``graph``: with positive integer ``weight`` on its edges. Returns ``least, most``: equal where
    the answer is exact.
    """
    edges = list(graph.edges)
    low = sum(
        min(graph.edges[edge]["weight"] for edge in cycle)
        for cycle in islice(_disjoint_cycles(graph), MOST_CYCLES)
    )
    high = _ordered_feedback(graph)
    if low < high and len(edges) <= EXACT_EDGES:
        bound, cover = _least_cover(graph)
        low, high = max(low, bound), min(high, cover)
    return low, high


def _disjoint_cycles(graph: nx.DiGraph) -> Iterator[list[tuple[int, int]]]:
    """Take out cycle after cycle."""
    rest = nx.DiGraph(graph.edges)
    while True:
        try:
            cycle = [(u, v) for u, v, *_ in nx.find_cycle(rest)]
        except nx.NetworkXNoCycle:
            return
        yield cycle
        rest.remove_edges_from(cycle)


def _ordered_feedback(graph: nx.DiGraph) -> int:
    """Weight of the edges against an order: sinks last, sources first, else most won over lost."""
    out = dict(graph.out_degree(weight="weight"))
    in_ = dict(graph.in_degree(weight="weight"))
    left, rank, low, high = set(graph), {}, 0, len(graph)
    if len(graph) > GREEDY_RESPONSES:
        rank = {x: k for k, x in enumerate(sorted(graph, key=lambda x: (in_[x] - out[x], x)))}
        left = set()
    while left:
        sinks = [x for x in left if not out[x]]
        sources = [x for x in left if out[x] and not in_[x]]
        chosen = sinks or sources or [max(left, key=lambda x: (out[x] - in_[x], -x))]
        for x in chosen:
            if sinks:
                high -= 1
                rank[x] = high
            else:
                rank[x] = low
                low += 1
            left.discard(x)
            for _, y, weight in graph.out_edges(x, data="weight"):
                in_[y] -= weight
            for y, _, weight in graph.in_edges(x, data="weight"):
                out[y] -= weight
    return sum(weight for x, y, weight in graph.edges(data="weight") if rank[x] > rank[y])


def _least_cover(graph: nx.DiGraph) -> tuple[int, int]:
    """Cover all cycles at least weight: a lower bound and, where found, the answer."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    edges = {edge: k for k, edge in enumerate(graph.edges)}
    weight = np.array([graph.edges[edge]["weight"] for edge in edges], dtype=float)
    rows, columns, count, bound = [], [], 0, 0
    removed: set[tuple[int, int]] = set()
    for _ in range(ROUNDS):
        rest = nx.DiGraph(edge for edge in edges if edge not in removed)
        uncovered = list(_disjoint_cycles(rest))
        if not uncovered:
            return bound, bound
        for cycle in uncovered:
            rows += [count] * len(cycle)
            columns += [edges[edge] for edge in cycle]
            count += 1
        matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, len(edges)))
        found = milp(
            weight,
            integrality=np.ones(len(edges)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, lb=1),
            options={"time_limit": SECONDS},
        )
        if not found.success:
            break
        bound = round(found.fun)
        removed = {edge for edge, k in edges.items() if found.x[k] > 0.5}
    return bound, int(weight.sum())
