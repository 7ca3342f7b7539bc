"""Uncertainty before the labels: what the inductive bias alone says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.effort import effort_for
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.settings import AuditSettings, Progress
from ibn.auditing.similarity import FixedBias, Similarity
from ibn.auditing.uncertainty import Uncertainty, measure_uncertainty
from ibn.auditing.variances import variances_of
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData


@dataclass(frozen=True, eq=False)
class Prior:
    """What is uncertain before any label."""

    bias: FixedBias  # the inductive bias in units of reward
    pairs: PromptPairs  # the pairs of responses that means are over
    compared: NDArray[np.int64]  # shape (n, 2): those that the dataset compares
    before: Uncertainty  # what it leaves
    # shape (k, 2): the same, or random ones of them where there are many responses
    solved: NDArray[np.int64]
    solved_variance: NDArray[np.float64]  # shape (k,): their variances


def measure_prior(
    data: PreferenceData,
    similarity: Similarity,
    settings: AuditSettings,
    rng: np.random.Generator,
    progress: Progress,
) -> Prior:
    """Scale the bias to the variance asked for, and measure what it leaves uncertain."""
    progress("uncertainty before the labels")
    pairs, m = PromptPairs(data.prompt_of), len(data.responses)
    compared = np.stack([data.comparisons.a, data.comparisons.b], axis=1)
    exact = m <= settings.exact
    none = Comparisons(np.arange(m), np.empty(0, np.int64), np.empty(0, np.int64))
    unscaled, noise = similarity.bias, settings.noise_variance
    variances = variances_of(
        build_network(unscaled, none, noise),
        pairs,
        rng,
        unscaled.aggregates,
        exact=exact,
        samples=0,
    )
    factor = settings.bias_scale / variances.overall().mean
    bias = unscaled.scaled(factor)
    network = build_network(bias, none, noise)
    before = measure_uncertainty(network, variances.scaled(factor), rng.spawn(1)[0])
    solved = compared
    if not exact:
        some = rng.spawn(1)[0].permutation(len(compared))[: effort_for(m).solved]
        solved = compared[some]
    return Prior(bias, pairs, compared, before, solved, factor * variances.solve_pairs(solved))
