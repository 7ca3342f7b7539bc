"""Audit: how uncertain a reward model trained on a real preference dataset must be, and where.

A line of stages, each a function from what was found before to what it finds.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.inspection import inspect_data
from ibn.auditing.layouts import FiniteWorld, measure_layouts
from ibn.auditing.learned import learn_labels
from ibn.auditing.prior import measure_prior
from ibn.auditing.recommending import recommend
from ibn.auditing.remaining import measure_remaining
from ibn.auditing.result import Audit, build_result
from ibn.auditing.settings import COMPARED, WITHIN, AuditSettings, Progress
from ibn.auditing.similarity import find_similarity
from ibn.auditing.stages import Stages
from ibn.preferences.reading import PreferenceData

__all__ = ["COMPARED", "Audit", "AuditSettings", "audit"]


def audit(
    data: PreferenceData,
    *,
    embeddings: NDArray[np.floating] | None = None,
    embedding_name: str = "given",
    progress: Progress = lambda message: None,
    **options: Any,
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
        Where they are from, for the report.
    progress : callable, optional
        Called with what comes next.
    **options
        Fields of :class:`AuditSettings`: beta, noise, bias_scale, neighbours, metric, topologies,
        replicates, listed, exact, labels, seed.

    Raises
    ------
    InputError
        If embeddings or an option cannot be used.

    Examples
    --------
    >>> import ibn
    >>> data = ibn.read_preferences("preferences.jsonl")  # doctest: +SKIP
    >>> ibn.audit(data, beta=1.5, seed=0).remaining  # doctest: +SKIP
    """
    began = time.perf_counter()
    settings = AuditSettings(**options)
    rng = np.random.default_rng(settings.seed)  # each stage spawns its streams, in this order
    similarity = find_similarity(data, settings, embeddings, embedding_name, progress)
    inspection = inspect_data(data, similarity, settings, rng, progress)
    prior = measure_prior(data, similarity, settings, rng, progress)
    remaining = measure_remaining(data, prior, settings, rng, progress)
    layouts = measure_layouts(
        [name for name in settings.topologies if name != WITHIN or prior.pairs.within],
        FiniteWorld.of(similarity.graph.points),
        prior.pairs,
        len(data.comparisons),
        prior.bias,
        settings.noise_variance,
        rng.spawn(1)[0],
        replicates=settings.replicates,
        progress=progress,
    )
    learned = None
    if settings.labels:
        learned = learn_labels(data, similarity.embeddings, seed=settings.seed, progress=progress)
    stages = Stages(data, settings, similarity, inspection, prior, remaining, layouts, learned)
    found = build_result(stages, recommend(stages, rng.spawn(1)[0], progress), rng)
    return replace(found, seconds=time.perf_counter() - began)
