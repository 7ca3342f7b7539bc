"""What is known of a layout before any label: measures of uncertainty, and trivial rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibn.bias.neighbours import NeighbourGraph
from ibn.inference.gaussian import resistance
from ibn.inference.paths import inference_distance
from ibn.learner.reward_model import posterior
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

NOISE = LabelNoise(1.0, "bradley-terry").variance()
PAIRS = 100  # of held-out responses, over which uncertainty is averaged
EXPLAINED, UNEXPLAINED = 2.0, 1.0
"""Variance of a reward difference within a prompt before any label, in squared log-odds: of what
the features say, and of each response's own part where there is one."""
RULES = {
    "chain": "always the chain",
    "responses": "more distinct responses",
    "prompts": "more distinct prompts",
    "length": "longer embedding differences",
}
MEASURES = {
    "kernel": "exact variance, learner's kernel",
    "own": "the same with own parts of responses",
    "graph": "exact variance, neighbour graph",
    "distance": "path distance, neighbour graph",
}
NAMES = (*RULES, *MEASURES)


def foresee(
    features: Floats,
    prompt_of: Ids,
    pairs: Ids,
    test: Ids,
    name: str,
    rng: np.random.Generator,
    *,
    graphs: bool = True,
) -> list[float]:
    """Score a layout by every rule and measure, less being better.

    Parameters
    ----------
    features : ndarray, shape (m, d)
        Of the whole pool.
    prompt_of : ndarray of int, shape (m,)
    pairs : ndarray of int, shape (n, 2)
        The comparisons.
    test : ndarray of int, shape (k, 2)
        Pairs of held-out responses.
    name : str
        The topology's.
    rng : numpy.random.Generator
        Thins the held-out pairs.
    graphs : bool
        Whether to look along the neighbour graph, which takes longest; NaN without.

    Returns
    -------
    list of float
        In the order of ``NAMES``.
    """
    used = np.unique(pairs)
    apart = features[pairs[:, 0]] - features[pairs[:, 1]]
    rules = [
        float(name not in ("chain", "across-chain")),
        -float(len(used)),
        -float(len(np.unique(prompt_of[used]))),
        -float(np.sqrt(np.sum(apart**2, axis=1)).mean()),
    ]
    test = test[np.sort(rng.permutation(len(test))[:PAIRS])]
    own, within = np.unique(test, return_inverse=True)
    rows, within = features[own], within.reshape(test.shape)
    place = np.searchsorted(used, pairs)
    layout = Comparisons(used, place[:, 0], place[:, 1], delta=np.zeros(len(pairs)))
    unit = float(np.mean(np.sum((rows[within[:, 0]] - rows[within[:, 1]]) ** 2, axis=1)))
    kernels = [
        _kernel(features[used], layout, rows, within, _scale(unit), own_variance)
        for own_variance in (0.0, UNEXPLAINED / 2.0)
    ]
    along = _along(features[used], layout, rows, within) if graphs else [np.nan, np.nan]
    return [*rules, *kernels, *along]


def _scale(unit: float) -> float:
    """Scale that gives pairs as far apart as the unit the variance explained.

    Pairs that are nowhere apart differ by nothing on any scale.
    """
    return EXPLAINED / unit if unit > np.finfo(float).tiny else EXPLAINED


def _kernel(
    features: Floats, layout: Comparisons, rows: Floats, pairs: Ids, scale: float, own: float
) -> float:
    model = posterior(
        features, layout, scale=scale, labels="gaussian", noise_variance=NOISE, own_variance=own
    )
    return float(np.mean(replace(model, features=rows).difference(*pairs.T)[1]))


def _along(features: Floats, layout: Comparisons, rows: Floats, pairs: Ids) -> list[float]:
    """Exact variance and path distance on the neighbour graph of all features."""
    everything = np.concatenate([features, rows])
    shifted = pairs + len(features)
    everyone, empty = np.arange(len(everything)), np.empty(0, np.int64)
    graph = NeighbourGraph(everything, metric="euclidean")
    unit = float(np.mean(resistance(_network(graph, Comparisons(everyone, empty, empty)), shifted)))
    graph = replace(graph, scale=_scale(unit))
    network = _network(graph, Comparisons(everyone, layout.a, layout.b))
    return [
        float(np.mean(resistance(network, shifted))),
        float(np.mean(inference_distance(network, shifted))),
    ]


def _network(graph: NeighbourGraph, comparisons: Comparisons) -> Network:
    return build_network(graph, comparisons, NOISE)
