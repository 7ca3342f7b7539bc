"""Contradictions against brute force on small graphs."""

from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn.auditing import contradictions
from ibn.auditing.contradictions import feedback_bounds, find_contradictions
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData


def dataset(m, labels):
    """Build a dataset from (a, b, winner) triples."""
    a, b, winner = (np.array(x) for x in zip(*labels, strict=True))
    return PreferenceData(
        prompts=["p"],
        responses=[str(i) for i in range(m)],
        prompt_of=np.zeros(m, np.int64),
        comparisons=Comparisons(np.arange(m), a, b, winner=winner.astype(np.int8)),
        lines=np.arange(1, len(a) + 1),
        source="s",
    )


M = 5
LABELS = st.lists(
    st.tuples(st.sampled_from(list(permutations(range(M), 2))), st.sampled_from([1, 1, -1, 0])).map(
        lambda x: (*x[0], x[1])
    ),
    min_size=1,
    max_size=25,
)


def condensed(labels):
    net, count = {}, {}
    for a, b, winner in labels:
        u, v = min(a, b), max(a, b)
        won = winner if a == u else -winner
        net[u, v] = net.get((u, v), 0) + won
        count.setdefault((u, v), []).append(won)
    return net, count


@given(LABELS)
def test_counts_equal_brute_force(labels):
    found = find_contradictions(dataset(M, labels))
    net, labels_of = condensed(labels)
    beats = {(u, v) if w > 0 else (v, u): abs(w) for (u, v), w in net.items() if w}
    assert found.pairs == len(net)
    decided = {pair: [w for w in won if w] for pair, won in labels_of.items()}
    assert found.repeated == sum(len(won) > 1 for won in decided.values())
    assert found.disagreeing == sum({1, -1} <= set(won) for won in decided.values())
    agree = [x == y for won in decided.values() for x, y in combinations(won, 2)]
    assert (found.agreement is None) == (not agree)
    if agree:
        assert found.agreement.mean == pytest.approx(np.mean(agree))
    cyclic = triads = 0
    for triple in combinations(range(M), 3):
        edges = [e for e in beats if set(e) <= set(triple)]
        if len(edges) == 3:
            triads += 1
            cyclic += len({u for u, _ in edges}) == 3
    assert (found.triads, found.cyclic_triads) == (triads, cyclic)
    graph = nx.DiGraph(list(beats))
    inside = [e for e in beats if nx.has_path(graph, e[1], e[0])]
    assert found.in_cycles == len(inside)
    assert found.components == len(
        {frozenset(c) for c in nx.strongly_connected_components(graph) if len(c) > 1}
    )
    undirected = nx.Graph(list(net))
    assert found.loops == len(nx.cycle_basis(undirected))
    least = min(
        sum(w for (u, v), w in beats.items() if order[u] > order[v])
        for order in permutations(range(M))
    )
    assert found.feedback_least == found.feedback_most == least
    doubtful = {tuple(sorted(e)) for e in inside} | {
        pair for pair, won in decided.items() if {1, -1} <= set(won)
    }
    assert set(map(tuple, found.doubtful.tolist())) == doubtful
    for cycle in found.cycles:
        steps = [(step.better, step.worse) for step in cycle]
        assert all(step in beats for step in steps)
        assert [x for _, x in steps] == [x for x, _ in steps[1:]] + [steps[0][0]]
        for step in cycle:
            for line in step.lines:
                assert set(labels[line - 1][:2]) == {step.better, step.worse}


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_bounds_hold_where_exactness_is_given_up(seed):
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    for u, v in combinations(range(6), 2):
        a, b = (u, v) if rng.random() < 0.5 else (v, u)
        graph.add_edge(a, b, weight=int(rng.integers(1, 4)))
    exact = feedback_bounds(graph)
    assert exact[0] == exact[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contradictions, "EXACT_EDGES", 0)
        for most in (contradictions.GREEDY_RESPONSES, 0):
            patch.setattr(contradictions, "GREEDY_RESPONSES", most)
            low, high = feedback_bounds(graph)
            assert low <= exact[0] <= high


def test_a_circle_and_a_quarrel():
    found = find_contradictions(
        dataset(5, [(0, 1, 1), (1, 2, 1), (0, 2, -1), (3, 4, 1), (3, 4, 1), (3, 4, -1)])
    )
    (cycle,) = found.cycles
    assert sorted(step.lines for step in cycle) == [(1,), (2,), (3,)]
    assert (found.feedback_least, found.feedback_most) == (1, 1)
    (quarrel,) = found.disagreements
    assert (quarrel.responses, quarrel.wins, quarrel.lines) == ((3, 4), (2, 1), (4, 5, 6))
    assert found.agreement.mean == pytest.approx(1 / 3)


def test_without_labels_nothing_contradicts():
    data = dataset(3, [(0, 1, 1), (1, 2, 1)])
    data = PreferenceData(**{**vars(data), "comparisons": data.comparisons.labelled()})
    found = find_contradictions(data)
    assert (found.repeated, found.in_cycles, found.agreement) == (0, 0, None)


def test_agreement_error_is_between_pairs():
    rng = np.random.default_rng(0)
    labels = [(2 * i, 2 * i + 1, int(rng.choice([1, -1], p=[0.8, 0.2]))) for i in range(500)]
    labels += [(a, b, int(rng.choice([1, -1], p=[0.8, 0.2]))) for a, b, _ in labels]
    found = find_contradictions(dataset(1000, labels))
    expected = 0.8**2 + 0.2**2
    assert abs(found.agreement.mean - expected) < 4 * found.agreement.stderr
    assert found.agreement.stderr == pytest.approx(
        np.sqrt(expected * (1 - expected) / 500), rel=0.1
    )


def test_large_random_graphs_take_no_long():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 1500, 4500)
    b = (a + rng.integers(1, 1500, 4500)) % 1500
    winner = rng.choice([1, -1], 4500)
    found = find_contradictions(dataset(1500, list(zip(a, b, winner, strict=True))))
    assert found.largest > 1000
    assert 0 < found.feedback_least < found.feedback_most < 2250
