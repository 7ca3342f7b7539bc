"""Which responses are alike: embeddings, and the graph of neighbours that the bias is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ibn.auditing.settings import AuditSettings, Progress
from ibn.bias.edges import BiasEdges
from ibn.bias.nearest import leading_components
from ibn.bias.neighbours import EXACT_ROWS, NeighbourGraph, check_embeddings
from ibn.estimate import Estimate
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.solvers.two_level import Aggregates


@dataclass(frozen=True, eq=False)
class FixedBias:
    """An inductive bias whose edges among all responses are known."""

    fixed: BiasEdges

    def edges(self, responses: NDArray) -> BiasEdges:
        """Return them; ``responses`` must be those that they join."""
        return self.fixed

    def scaled(self, factor: float) -> FixedBias:
        """Return the same edges with ``factor`` times the variance."""
        old = self.fixed
        scaled = FixedBias(BiasEdges(old.size, old.nodes, old.u, old.v, factor * old.variance))
        scaled.__dict__["aggregates"] = self.aggregates  # which depend on ratios alone
        return scaled

    @cached_property
    def aggregates(self) -> Aggregates:
        """The coarse level that serves every network over these edges."""
        fixed = self.fixed
        return Aggregates.of(fixed.size, fixed.u, fixed.v, 1.0 / fixed.variance)


@dataclass(frozen=True)
class Components:
    """Connected components over the responses."""

    comparisons: int  # by comparisons alone
    largest: int  # responses in the largest of these
    with_bias: int  # by comparisons and the neighbour graph
    links: int  # links between separate parts of the neighbour graph that were added to connect it


@dataclass(frozen=True, eq=False)
class Similarity:
    """Which responses are alike."""

    embeddings: NDArray[np.floating]  # shape (m, d): a row a response
    embedding_name: str  # what the report calls them
    embedding_file: str  # the file that they are from, if they were given
    graph: NeighbourGraph  # of the embeddings
    bias: FixedBias  # its edges, their variance in squared distance: not yet in units of reward
    links: int  # how many of the last edges connect parts that would else be separate

    def components(self, comparisons: Comparisons) -> Components:
        """Count components; node i is response i."""
        fixed = self.bias.fixed

        def labels(u: NDArray[np.int64], v: NDArray[np.int64]) -> NDArray[np.int64]:
            graph = coo_array((np.ones(len(u), np.int8), (u, v)), shape=(fixed.size, fixed.size))
            return connected_components(graph, directed=False)[1]

        own = len(fixed.u) - self.links
        alone = labels(comparisons.a, comparisons.b)
        together = labels(
            np.concatenate([fixed.u[:own], comparisons.a]),
            np.concatenate([fixed.v[:own], comparisons.b]),
        )
        largest = int(np.bincount(alone).max())
        return Components(int(alone.max()) + 1, largest, int(together.max()) + 1, self.links)

    def recall(self, rng: np.random.Generator) -> Estimate:
        """Measure the share of true neighbours tied; 1 where all were looked at."""
        m = len(self.embeddings)
        if m <= EXACT_ROWS:
            return Estimate(1.0, 0.0, m)
        return self.graph.recall(self.bias.fixed, rng.spawn(1)[0])

    def plane(self, seed: int) -> NDArray[np.float64]:
        """Coordinates of the responses along the two leading principal components."""
        from sklearn.utils.extmath import randomized_svd

        points = self.graph.points
        if len(points) > EXACT_ROWS and points.shape[1] > 2:
            return leading_components(points, 2, np.random.default_rng(seed)).astype(np.float64)
        centred = points - points.mean(axis=0)
        left, singular, _ = randomized_svd(
            centred, min(2, *centred.shape), random_state=seed % 2**32
        )
        result = np.zeros((len(points), 2))
        result[:, : len(singular)] = left * singular
        return result


def find_similarity(
    data: PreferenceData,
    settings: AuditSettings,
    embeddings: NDArray[np.floating] | None,
    embedding_name: str,
    progress: Progress,
) -> Similarity:
    """Embed the responses, unless embeddings are given, and tie each to its neighbours."""
    from ibn.bias.embeddings import FITTED, compact, embed_texts

    m, seed = len(data.responses), settings.seed
    embedding_file = "" if embeddings is None else embedding_name
    if embeddings is None:
        progress("embedding texts by TF-IDF and SVD")
        embeddings = embed_texts(data.prompts, data.responses, data.prompt_of, seed=seed)
        embedding_name = "TF-IDF and truncated SVD of prompt and response"
        if m + len(data.prompts) > FITTED:
            embedding_name += f" (axes fitted to {FITTED:,} random texts)"
    else:
        embedding_name = Path(embedding_name).name
    embeddings = compact(check_embeddings(embeddings, rows=m))
    progress(f"tying {m} responses to their neighbours")
    graph = NeighbourGraph(embeddings, settings.neighbours, settings.metric, seed=seed)
    edges, links = graph.edges_and_links(np.arange(m))
    return Similarity(embeddings, embedding_name, embedding_file, graph, FixedBias(edges), links)
