"""Audit: how uncertain a reward model trained on a real preference dataset must be, and where.

A line of stages, each a function from what was found before to what it finds.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.gate import check_limit, hold
from ibn.auditing.inspection import inspect_data
from ibn.auditing.layouts import FiniteWorld, measure_layouts
from ibn.auditing.learned import learn_labels
from ibn.auditing.prior import measure_prior
from ibn.auditing.recommending import recommend
from ibn.auditing.remaining import measure_remaining
from ibn.auditing.result import Audit, build_result
from ibn.auditing.settings import COMPARED, WITHIN, AuditSettings
from ibn.auditing.similarity import find_similarity
from ibn.auditing.stages import Stages
from ibn.bias.embeddings import given_embeddings
from ibn.preferences.given import preferences_of, take_reading
from ibn.preferences.near_duplicates import find_near_duplicates
from ibn.preferences.near_duplicates import merge_near_duplicates as merge
from ibn.preferences.reading import PreferenceData
from ibn.progress import AUDIT, Tell, telling
from ibn.threads import at_most

__all__ = ["COMPARED", "Audit", "AuditSettings", "audit"]

Embeddings = NDArray[np.floating] | str | os.PathLike[str]


def audit(
    data: Any,
    *,
    embeddings: Embeddings | None = None,
    embedding_name: str = "given",
    max_variance: float | None = None,
    max_variance_of: str | None = None,
    merge_near_duplicates: bool = False,
    jobs: int | None = None,
    progress: bool | Tell = False,
    **options: Any,
) -> Audit:
    """Measure how uncertain reward differences stay, given a dataset's comparisons.

    The inductive bias is a graph of nearest neighbours among the responses' embeddings, its
    variances scaled so that before any label the reward difference of two random responses has
    variance ``bias_scale``. Uncertainty, layouts and redundancy depend on which comparisons were
    made, not on what the labels said.

    Parameters
    ----------
    data : path-like, list of dict, DataFrame, Dataset, Table or PreferenceData
        The dataset, whatever :func:`ibn.read_preferences` reads or has read.
    embeddings : ndarray, shape (m, d), or path of a ``.npy`` file, optional
        A row a response, in the order of ``data.responses``; by default TF-IDF with truncated
        SVD of the texts, prompt and response side by side.
    embedding_name : str
        Where they are from, for the report.
    max_variance : float, optional
        A limit on the mean posterior variance, held in ``gate`` of what is returned.
    max_variance_of : {"within", "across"}, optional
        Which mean is limited; by default within prompts, or across where none has two responses.
    merge_near_duplicates : bool
        Whether responses to one prompt, and prompts, that differ little are taken for one.
    jobs : int, optional
        Cores used at most; the answer does not depend on it.
    progress : bool or callable
        Whether to tell on standard error what comes next, or what is called with it.
    **options
        Fields of :class:`AuditSettings`: beta, noise, bias_scale, neighbours, metric, topologies,
        replicates, listed, exact, labels, seed. Options of :func:`ibn.read_preferences`: columns,
        winner, score, no_prompt, strict.

    Returns
    -------
    Audit
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If the data cannot be read, or embeddings or an option cannot be used.

    Examples
    --------
    >>> import ibn
    >>> rows = [
    ...     {"prompt": f"Question {i}", "chosen": f"a kind answer {i}", "rejected": f"no {i}"}
    ...     for i in range(12)
    ... ]
    >>> found = ibn.audit(rows, labels=False)
    >>> print(found.headline)  # doctest: +NORMALIZE_WHITESPACE
    list: 12 comparisons of 24 responses to 12 prompts; the labels leave 67.5% of the
    uncertainty within prompts
    >>> list(found.to_frame().layout[:3])
    ['no labels', 'this data', 'chain']
    """
    check_limit(max_variance, max_variance_of)
    reading = take_reading(options)
    settings = AuditSettings(**options)
    with at_most(jobs), telling(progress, AUDIT) as tell:
        began = time.perf_counter()
        data = preferences_of(data, **reading)
        if isinstance(embeddings, (str, os.PathLike)):
            embedding_name = os.fspath(embeddings)
        rows = given_embeddings(embeddings, len(data.responses))
        if merge_near_duplicates:
            tell("merging near-duplicates")
            data, kept = merge(data, find_near_duplicates(data, seed=settings.seed))
            rows = None if rows is None else rows[kept]
        found = _audit(data, settings, rows, embedding_name, tell)
        gate = None
        if max_variance is not None:
            gate = hold(found.posterior.after, max_variance, max_variance_of)
        return replace(found, gate=gate, seconds=time.perf_counter() - began)


def _audit(
    data: PreferenceData,
    settings: AuditSettings,
    embeddings: NDArray[np.floating] | None,
    embedding_name: str,
    progress: Tell,
) -> Audit:
    """Go through the stages, each from what was found before."""
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
    return build_result(stages, recommend(stages, rng.spawn(1)[0], progress), rng)
