"""Mean inference distance, beside single-source searches to the same standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import Contest, Contestant, Faster, Run, Trial, timed
from benchmarks.precision import draws_needed
from benchmarks.searchers import SEARCHERS, Graph, Search, Searcher
from benchmarks.timing import Agreement
from benchmarks.worlds import SETTING, WORLD, Stream, dataset, network_of, whole_network
from ibn.estimate import Estimate
from ibn.inference.paths import inference_distance, mean_distance
from ibn.network import Network

REL_ERR = 0.01
SOURCES_A_RUN = 2  # one a core, for the library that searches in parallel
STUDIED_SOURCES, TARGETS_EACH = 256, 32
CHECKED_TARGETS = 32


@dataclass(frozen=True)
class Clusters:
    """How distances spread within and between sources.

    Attributes
    ----------
    mean, stderr : float
        Of the distance, each source, and each target, taken as one cluster.
    between : float
        Variance, between sources, of the mean distance from a source.
    """

    mean: float
    stderr: float
    between: float

    @classmethod
    def of(cls, distances: NDArray[np.float64], pool: int) -> Clusters:
        """Analyse the variance of distances, shape (sources, targets), from a pool of targets."""
        sources, targets = distances.shape
        means = distances.mean(axis=1)
        within = float(distances.var(axis=1, ddof=1).mean())
        total = float(means.var(ddof=1))
        between = total - within / targets
        # A distance is symmetric, so that targets vary as sources do.
        stderr = (total / sources + max(between, 0.0) / pool) ** 0.5
        return cls(float(means.mean()), stderr, between)

    @property
    def variation(self) -> float:
        """Standard deviation over mean, between sources of many targets each."""
        return max(self.between, 0.0) ** 0.5 / self.mean


def _targets(n: int) -> int:
    """Query responses in the peers' graph: enough that what they add to the error is nothing."""
    return int(np.clip(n // 50, 1000, 20_000))


def _prepare(topology: str, n: int) -> Trial:
    comparisons = dataset(topology, n)
    network = network_of(comparisons)
    rng = Stream.QUERIES.rng()
    queries = WORLD.sample(STUDIED_SOURCES + _targets(n), rng)
    whole, positions = whole_network(comparisons, queries)
    sources, targets = positions[:STUDIED_SOURCES], positions[STUDIED_SOURCES:]
    studied = np.repeat(sources, TARGETS_EACH)
    pairs = np.stack([studied, rng.choice(targets, len(studied))], axis=1)
    found = inference_distance(whole, pairs).reshape(-1, TARGETS_EACH)
    clusters = Clusters.of(found, len(targets))
    needed = draws_needed(clusters.variation, REL_ERR, 2)

    def estimate(number: int) -> Estimate:
        return mean_distance(network, rel_err=REL_ERR, rng=Stream.ESTIMATOR.rng(number))

    def check(found: Estimate) -> Agreement:
        z = (found.mean - clusters.mean) / np.hypot(found.stderr, clusters.stderr)
        text = f"{found.mean:.4g} ± {found.stderr:.1g}; {z:+.1f} standard errors off"
        return Agreement(abs(z) < 4 and found.relative_error <= REL_ERR, text)

    graph = Graph.of(whole)
    reasons = {searcher.name: searcher.why_absent(graph) for searcher in SEARCHERS}
    return Trial(
        ours=Contestant("ibn mean_distance", timed(estimate), check),
        peers=[
            _searching(searcher, graph, whole, sources, targets, needed)
            for searcher in SEARCHERS
            if reasons[searcher.name] is None
        ],
        absent={name: reason for name, reason in reasons.items() if reason},
        notes=(
            SETTING,
            f"The peers' graph has {graph.size:,} nodes and {len(graph.u):,} edges: the dataset "
            f"with {len(queries):,} uniform queries in it. Sources vary in their mean distance by "
            f"{clusters.variation:.1%} (standard deviation over mean, from {STUDIED_SOURCES} "
            f"sources with {TARGETS_EACH} targets each), so that {needed} of them, each with a "
            f"great many targets, give a standard error of {REL_ERR:.0%}; our own stopping rule, "
            "wary of errors estimated from few draws, would ask for "
            f"{draws_needed(clusters.variation, REL_ERR, 2, wary=True)}. **Peers' times are "
            "extrapolated**: loading the graph, and seconds a source, measured on a few, times the "
            "smaller number.",
        ),
    )


def _searching(
    searcher: Searcher,
    graph: Graph,
    whole: Network,
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    needed: int,
) -> Contestant:
    """Make a contestant of a library; its graph, loaded on the first run, serves them all."""
    loaded: list[tuple[Search, float]] = []
    measured = 0

    def run(number: int) -> Run:
        nonlocal measured
        if not loaded:
            start = time.perf_counter()
            search = searcher.load(graph)
            loaded.append((search, time.perf_counter() - start))
        search, loading = loaded[0]
        chosen = np.take(sources, SOURCES_A_RUN * number + np.arange(SOURCES_A_RUN), mode="wrap")
        start = time.perf_counter()
        found = search(whole.nodes[chosen], whole.nodes[targets])
        each = (time.perf_counter() - start) / SOURCES_A_RUN
        measured += SOURCES_A_RUN
        note = f"{loading:.3g} s to load + {needed} sources × {each:.3g} s; {measured} measured"
        return Run(loading + needed * each, (chosen, found), note=note)

    def check(answer: tuple[NDArray[np.int64], NDArray[np.float64]]) -> Agreement:
        chosen, found = answer
        some = targets[:CHECKED_TARGETS]
        pairs = np.stack([np.repeat(chosen, len(some)), np.tile(some, len(chosen))], axis=1)
        ours = inference_distance(whole, pairs)
        worst = float(np.max(np.abs(found[:, : len(some)].ravel() / ours - 1.0)))
        return Agreement(worst < 1e-6, f"distances within {worst:.0e} of ours")

    return Contestant(searcher.name, run, check)


def _case(topology: str, times: float) -> Contest:
    prepare: Callable[[int], Trial] = partial(_prepare, topology)
    return Contest(
        name=f"distance-{topology}",
        what=f"Mean inference distance to {REL_ERR:.0%} standard error, {topology}",
        n=1_000_000,
        small=2_000,
        prepare=prepare,
        targets=(Faster(times),),
    )


CASES = tuple(
    _case(topology, times)
    for topology, times in {"chain": 100, "tree": 20, "star": 20, "expander": 20}.items()
)
