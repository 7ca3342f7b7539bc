"""Audit: how uncertain a reward model trained on a real preference dataset must be, and where."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ibn.auditing.advise import agreement_of, by_effect, recommend
from ibn.auditing.contradictions import find_contradictions
from ibn.auditing.effort import effort_for
from ibn.auditing.learned import learn
from ibn.auditing.listing import most_uncertain_pairs, most_uncertain_prompts
from ibn.auditing.measure import WITHIN, FiniteWorld, Laid, measure, measure_topologies
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.redundancy import measure_redundancy
from ibn.auditing.result import (
    Assumptions,
    Audit,
    Components,
    UncertainPair,
    UncertainPrompt,
)
from ibn.auditing.scenarios import Scenarios
from ibn.auditing.task_structure import measure_structure
from ibn.auditing.uncertainty import PairUncertainty, Uncertainty
from ibn.auditing.variances import ExactPosterior, Posterior, SampledPosterior
from ibn.bias.edges import BiasEdges
from ibn.bias.nearest import leading_components
from ibn.bias.neighbours import EXACT_ROWS, METRICS, NeighbourGraph, check_embeddings
from ibn.errors import InputError, unknown_name
from ibn.estimate import Estimate
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.near_duplicates import find_near_duplicates
from ibn.preferences.noise import LabelNoise
from ibn.preferences.reading import PreferenceData
from ibn.threads import in_threads
from ibn.topology import TOPOLOGIES

__all__ = [
    "COMPARED",
    "Assumptions",
    "Audit",
    "Components",
    "PairUncertainty",
    "UncertainPair",
    "UncertainPrompt",
    "Uncertainty",
    "audit",
]

COMPARED = (
    *("chain", "tree", "star", "expander", "kwise"),
    *("stratified-star", "stratified-expander", WITHIN),
)
KNOWN = (*(name for name in TOPOLOGIES if name != "tree-grown"), WITHIN)
EXACT_RESPONSES = 4000
LISTED_PAIRS = 200_000
PLOTTED_PAIRS = 20_000
SOLVED_PAIRS = 16


def audit(
    data: PreferenceData,
    *,
    embeddings: NDArray[np.floating] | None = None,
    embedding_name: str = "given",
    beta: float = 1.0,
    noise: str = "bradley-terry",
    bias_scale: float = 2.0,
    neighbours: int = 10,
    metric: str = "cosine",
    topologies: Sequence[str] = COMPARED,
    replicates: int = 8,
    listed: int = 10,
    exact: int = EXACT_RESPONSES,
    labels: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> Audit:
    """Measure how uncertain reward differences stay, given a dataset's comparisons.

    The inductive bias is a graph of nearest neighbours among the responses' embeddings, its
    variances scaled so that before any label the reward difference of two random responses has
    variance ``bias_scale``. Uncertainty, layouts and redundancy depend on which comparisons were
    made, not on what the labels said.

    Parameters
    ----------
    data : PreferenceData
        The dataset.
    embeddings : ndarray, shape (m, d), optional
        A row a response, in the order of ``data.responses``; by default TF-IDF with truncated
        SVD of the texts, prompt and response side by side.
    embedding_name : str
        What the report calls them.
    beta : float
        Inverse temperature of the labels, per unit of reward.
    noise : {"bradley-terry", "logistic", "fisher"}
        Reading of a label's noise: a binary label (at P = 1/2, 4/β²) or a continuous one.
    bias_scale : float
        Prior variance of the reward difference of two random responses. The default, 2, is that
        of rewards of unit variance; only its product with β² matters, besides the unit.
    neighbours : int
        Of each response in the graph.
    metric : {"cosine", "euclidean"}
        Distance between embeddings.
    topologies : sequence of str
        What to compare with: names of ``ibn.topology.TOPOLOGIES`` but ``tree-grown``, and
        ``within-prompt``: random pairs that answer the same prompt.
    replicates : int
        Independent draws of each topology, at least 2.
    listed : int
        How many of the most uncertain pairs and prompts to list.
    exact : int
        Up to this many responses all pairs are computed; with more, means come with a sampling
        error and the listed prompts are found by a sketch.
    labels : bool
        Whether to fit a reward model to what the labels say, too, for held-out log loss,
        calibration, label noise and plans.
    seed : int
        Of everything random.
    progress : callable, optional
        Told what comes next.

    Raises
    ------
    InputError
        If embeddings or a parameter cannot be used.
    """
    began = time.perf_counter()
    label_noise = LabelNoise(beta, noise)
    if not 1e-100 <= bias_scale <= 1e100:
        raise InputError(f"the bias scale must be positive and of moderate size, not {bias_scale}")
    if not 1e-5 <= beta * np.sqrt(bias_scale) <= 1e5:  # beyond, solving would lose digits
        raise InputError(
            f"beta {beta} and bias scale {bias_scale} make labels all but worthless or faultless",
            fix="beta² times the scale must lie between 1e-10 and 1e10",
        )
    if replicates < 2:
        raise InputError(f"replicates must be at least 2, not {replicates}")
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    for name in topologies:
        if name not in KNOWN:
            raise unknown_name("topology", name, KNOWN)
    comparisons, m = data.comparisons, len(data.responses)
    if embeddings is None:
        progress("embedding texts by TF-IDF and SVD")
        from ibn.bias.embeddings import embed_texts

        embeddings = embed_texts(data.prompts, data.responses, data.prompt_of, seed=seed)
        embedding_name = "TF-IDF and truncated SVD of prompt and response"
    embeddings = check_embeddings(embeddings, rows=m)
    progress(f"tying {m} responses to their neighbours")
    graph = NeighbourGraph(embeddings, neighbours, metric, seed=seed)
    laid, links = graph.edges_and_links(np.arange(m))
    unscaled = Laid(laid)
    sampled, effort = m > exact, effort_for(m)
    pairs = PromptPairs(data.prompt_of)
    root = np.random.default_rng(seed)

    def stream() -> np.random.Generator:
        return root.spawn(1)[0]

    def posterior_of(network: Network, samples: int) -> Posterior:
        if sampled:
            return SampledPosterior.of(
                network, pairs, effort.probes, stream(), unscaled.aggregates, samples
            )
        return ExactPosterior.of(network, pairs)

    sigma2 = label_noise.variance()
    progress("contradictions, near-duplicates and structural function")
    own_stream = stream()
    searches: list[Callable[[], Any]] = [
        lambda: find_near_duplicates(data, seed=seed),
        lambda: measure_structure(graph.points, bias_scale, data.prompt_of, own_stream),
        lambda: find_contradictions(data),
    ]
    near, structure, contradictions = in_threads(lambda find: find(), searches)
    progress("uncertainty before the labels")
    none = Comparisons(np.arange(m), np.empty(0, np.int64), np.empty(0, np.int64))
    prior = posterior_of(build_network(unscaled, none, sigma2), 0)
    factor = bias_scale / prior.overall().mean
    bias = unscaled.scaled(factor)
    unlabelled = build_network(bias, none, sigma2)
    before = measure(unlabelled, prior.scaled(factor), stream(), exact=not sampled)
    compared = np.stack([comparisons.a, comparisons.b], axis=1)
    solved = compared
    if sampled:
        solved = compared[stream().permutation(len(compared))[: effort.solved]]
    prior_solved = factor * prior.solve_pairs(solved)
    del prior
    progress("uncertainty after the labels")
    network = build_network(bias, comparisons, sigma2)
    posterior = posterior_of(network, effort.samples)
    after = measure(network, posterior, stream(), exact=not sampled)
    inside = pairs.list_within(LISTED_PAIRS, stream())
    inside_variance = posterior.of_pairs(inside)
    outside_variance = np.empty(0)
    if pairs.across:
        outside_variance = posterior.of_pairs(pairs.sample_across(PLOTTED_PAIRS, stream()))
    of_prompts, of_responses = posterior.of_prompts(), posterior.of_responses()
    own = of_prompts[data.prompt_of]
    redundancy = measure_redundancy(
        compared,
        data.lines,
        posterior.of_pairs(compared),
        sigma2,
        solved=(prior_solved, posterior.solve_pairs(solved)),
    )
    # A sketch is sure of means but not of a single pair: solve for what it puts at the top.
    candidates = (effort.candidates if sampled else 1) * listed
    top_pairs = inside[np.argsort(-inside_variance, kind="stable")[:candidates]]
    listed_pairs = most_uncertain_pairs(data, top_pairs, posterior.solve_pairs)[:listed]
    top_prompts = np.argsort(-of_prompts, kind="stable")[:candidates]  # NaN comes last
    most = SOLVED_PAIRS if sampled else LISTED_PAIRS
    listed_prompts = most_uncertain_prompts(
        data, pairs, top_prompts, posterior.solve_pairs, most=most, rng=stream()
    )[:listed]
    found = measure_topologies(
        [name for name in topologies if name != WITHIN or pairs.within],
        FiniteWorld.of(graph.points),
        pairs,
        len(comparisons),
        bias,
        sigma2,
        stream(),
        replicates=replicates,
        progress=progress,
    )
    learned = learn(data, embeddings, seed=seed, progress=progress) if labels else None
    kind = "within" if pairs.within else "across"
    merged = np.flatnonzero(near.response_into != np.arange(m))
    most_uncertain = inside if len(inside) else pairs.sample_across(LISTED_PAIRS, stream())
    most_uncertain = most_uncertain[np.argsort(-posterior.of_pairs(most_uncertain), kind="stable")]
    recommendations, curve = recommend(
        Scenarios.of(bias, comparisons, sigma2, pairs, stream()),
        kind=kind,
        beta=beta,
        bias_scale=bias_scale,
        implied=redundancy.implied,
        doubtful=contradictions.doubtful,
        doubted=compared[learned[2]] if learned else np.empty((0, 2), np.int64),
        near=np.stack([near.response_into[merged], merged], axis=1),
        uncertain=most_uncertain,
        topologies=found,
        after=after,
        prompt_of=data.prompt_of,
        rng=stream(),
        progress=progress,
    )
    uses = comparisons.uses
    recall = graph.recall(laid, stream()) if m > EXACT_ROWS else Estimate(1.0, 0.0, m)
    return Audit(
        source=data.source,
        shape=data.shape,
        comparisons=len(comparisons),
        prompts=len(data.prompts),
        responses=m,
        ties=0 if comparisons.winner is None else int(np.sum(comparisons.winner == 0)),
        reuse=float(uses.mean()),
        uses=np.bincount(uses),
        components=_components(comparisons, laid, links),
        before=before,
        after=after,
        topologies=found,
        uncertain_pairs=listed_pairs,
        uncertain_prompts=listed_prompts,
        redundancy=redundancy,
        contradictions=contradictions,
        near_duplicates=near,
        structure=structure,
        recommendations=by_effect((*recommendations, *(learned[1] if learned else ()))),
        learned=learned[0] if learned else None,
        curve=curve,
        assumptions=Assumptions(
            beta=beta,
            noise=noise,
            noise_variance=sigma2,
            bias_scale=bias_scale,
            agreement=agreement_of(beta, bias_scale),
            embedding=embedding_name,
            dimensions=embeddings.shape[1],
            metric=metric,
            neighbours=min(neighbours, m - 1),
            edges=len(laid.u),
            recall=recall.mean,
            recall_stderr=recall.stderr,
            exact=not sampled,
        ),
        effort=effort if sampled else None,
        seconds=time.perf_counter() - began,
        compared=compared,
        within_variance=stream().permutation(inside_variance)[:PLOTTED_PAIRS],
        across_variance=outside_variance,
        position=_plane(graph.points, seed),
        response_variance=np.where(np.isnan(own), of_responses, own),
    )


def _components(comparisons: Comparisons, laid: BiasEdges, links: int) -> Components:
    """Count components; node i is response i."""

    def labels(u: NDArray[np.int64], v: NDArray[np.int64]) -> NDArray[np.int64]:
        graph = coo_array((np.ones(len(u), np.int8), (u, v)), shape=(laid.size, laid.size))
        return connected_components(graph, directed=False)[1]

    own = len(laid.u) - links
    alone = labels(comparisons.a, comparisons.b)
    together = labels(
        np.concatenate([laid.u[:own], comparisons.a]), np.concatenate([laid.v[:own], comparisons.b])
    )
    return Components(
        int(alone.max()) + 1, int(np.bincount(alone).max()), int(together.max()) + 1, links
    )


def _plane(points: NDArray[np.floating], seed: int) -> NDArray[np.float64]:
    """Coordinates along the two leading principal components."""
    from sklearn.utils.extmath import randomized_svd

    if len(points) > EXACT_ROWS and points.shape[1] > 2:
        return leading_components(points, 2, np.random.default_rng(seed)).astype(np.float64)
    centred = points - points.mean(axis=0)
    left, singular, _ = randomized_svd(centred, min(2, *centred.shape), random_state=seed)
    result = np.zeros((len(points), 2))
    result[:, : len(singular)] = left * singular
    return result
