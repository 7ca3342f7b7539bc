import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks import (
    building,
    commands,
    distances,
    large,
    posteriors,
    resistances,
    sweeping,
    time_growth,
)
from benchmarks.contest import Effort
from benchmarks.distances import Clusters
from benchmarks.process import run
from benchmarks.searchers import SEARCHERS, Graph
from benchmarks.worlds import dataset, network_of
from ibn.inference.paths import inference_distance
from ibn.network import Network

ONE_ROUND = Effort(rounds=1)
CONTESTS = [
    (building.CASES[0], 300),
    *((case, 200) for case in distances.CASES),
    *((case, 2000) for case in posteriors.CASES),
    (resistances.CASES[0], 40),
    (sweeping.CASES[0], 20),
]


@pytest.mark.parametrize(("case", "n"), CONTESTS, ids=[case.name for case, _ in CONTESTS])
def test_everyone_agrees(case, n, monkeypatch):
    monkeypatch.setattr("benchmarks.machine.TRIAD", 2**12)
    result = replace(case, small=20).run(n, ONE_ROUND)
    assert len(result.lines) > 1
    assert all("failed" not in why for why in result.absent.values())
    for line in result.lines:
        assert line.agreement is None or line.agreement.holds, line
        assert line.seconds.median > 0
    assert result.lines[0].agreement is not None
    assert {verdict.met for verdict in result.verdicts} == {None}


@pytest.mark.parametrize("searcher", SEARCHERS, ids=lambda searcher: searcher.name)
def test_searchers_find_inference_distances(searcher):
    if find_spec(searcher.module) is None:
        pytest.skip("not installed")
    network = network_of(dataset("tree", 100))
    responses = np.arange(10)
    search = searcher.load(Graph.of(network))
    found = search(network.nodes[responses[:2]], network.nodes[responses])
    pairs = np.stack([np.repeat(responses[:2], 10), np.tile(responses, 2)], axis=1)
    np.testing.assert_allclose(found.ravel(), inference_distance(network, pairs), rtol=1e-12)


def test_a_searcher_stays_away_from_graphs_too_large_for_it():
    graph = Graph.of(network_of(dataset("chain", 20)))
    assert replace(SEARCHERS[0], most_edges=5).why_absent(graph)
    assert replace(SEARCHERS[0], module="no_such_library").why_absent(graph) == "not installed"
    assert SEARCHERS[0].why_absent(graph) is None


def test_the_graph_keeps_the_least_of_parallel_edges():
    u, v = np.array([0, 1, 1, 2]), np.array([1, 0, 2, 2])
    network = Network(3, np.arange(3), u, v, np.array([3.0, 2.0, 5.0, 1.0]), np.zeros(4, np.int8))
    graph = Graph.of(network)
    assert sorted(zip(graph.u, graph.v, graph.length, strict=True)) == [(0, 1, 2.0), (1, 2, 5.0)]


def test_clusters_tell_between_from_within():
    rng = np.random.default_rng(0)
    distance = 10.0 + rng.normal(0, 2.0, (4000, 1)) + rng.normal(0, 3.0, (4000, 8))
    clusters = Clusters.of(distance, pool=10**9)
    assert clusters.mean == pytest.approx(10.0, abs=0.2)
    assert clusters.between == pytest.approx(4.0, rel=0.1)
    assert clusters.stderr == pytest.approx(np.sqrt((4.0 + 9.0 / 8) / 4000), rel=0.1)
    assert Clusters.of(distance, pool=1).stderr == pytest.approx(2.0, rel=0.1)


def test_the_solver_stops_by_the_oracle_or_the_clock():
    laplacian = csr_array(np.array([[2.0, -1, -1], [-1, 2.0, -1], [-1, -1, 2.0]]))
    flow = np.array([1.0, -1.0, 0.0])
    _, energy, iterations = posteriors.solve(laplacian, flow, None, 2 / 3, most=60.0)
    assert energy == pytest.approx(2 / 3)
    assert iterations == 1
    seconds, *_ = posteriors.solve(laplacian, flow, None, 5.0, most=-1.0)
    assert seconds < 1.0


def test_large_measures_every_stage():
    result = large.CASES[1].run(500, ONE_ROUND)
    assert [line.who for line in result.lines] == ["ibn, build", "ibn, path", "ibn, exact"]
    assert result.lines[-1].peak > 2**24
    assert all(line.agreement.holds for line in result.lines[1:])


def test_scaling_fits_every_curve():
    result = replace(time_growth.CASES[0], small=50).run(4000, ONE_ROUND)
    assert [curve.label for curve in result.curves] == [
        f"{topology}, {stage}"
        for topology in ("chain", "tree")
        for stage in ("build", "path", "exact")
    ]
    assert all(curve.n[0] == 1000 and curve.n[-1] == 4000 for curve in result.curves)


def test_fit_recovers_a_power():
    n = [10, 100, 1000, 10_000]
    slope, stderr = time_growth.fit(n, [3.0 * k**1.2 for k in n])
    assert slope == pytest.approx(1.2)
    assert stderr < 1e-9


def test_help_is_measured():
    case = next(case for case in commands.CASES if case.name == "startup-help")
    result = replace(case, rounds=1).run(1, ONE_ROUND)
    assert result.lines[0].who == "`ibn --help`"
    assert result.verdicts[0].met is not None


def test_a_command_is_measured_by_itself_alone():
    ballast = np.ones(2**25)  # 256 MiB, which a child of this process would inherit
    ended = run([sys.executable, "-c", "print('done')"])
    assert ended.output == "done\n"
    assert 2**20 < ended.peak < 2**27 < ballast.nbytes
    assert ended.seconds > 0


def test_a_command_that_fails_says_why():
    with pytest.raises(RuntimeError, match="exit status 3: out of paper"):
        run([sys.executable, "-c", "import sys; print('out of paper', file=sys.stderr); exit(3)"])
