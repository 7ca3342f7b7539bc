"""Uncertainty after the labels: how much is left, where, and which comparisons say little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.effort import effort_for
from ibn.auditing.listing import (
    UncertainPair,
    UncertainPrompt,
    most_uncertain_pairs,
    most_uncertain_prompts,
)
from ibn.auditing.prior import Prior
from ibn.auditing.redundancy import Redundancy, measure_redundancy
from ibn.auditing.settings import AuditSettings, Progress
from ibn.auditing.uncertainty import Uncertainty, measure_uncertainty
from ibn.auditing.variances import Variances, variances_of
from ibn.network import build_network
from ibn.preferences.reading import PreferenceData

LISTED_PAIRS = 200_000  # pairs within prompts that are ranked, at most
PLOTTED_PAIRS = 20_000
SOLVED_PAIRS = 16  # pairs solved for, of a listed prompt with many


@dataclass(frozen=True, eq=False)
class Remaining:
    """What the comparisons leave uncertain."""

    after: Uncertainty  # means within and across prompts
    # the most uncertain pairs within a prompt, the most uncertain first
    pairs: tuple[UncertainPair, ...]
    prompts: tuple[UncertainPrompt, ...]  # the most uncertain prompts, the most uncertain first
    redundancy: Redundancy  # how much of what is known of the compared pairs comes from elsewhere
    variances: Variances  # of any pairs
    ranked: NDArray[np.int64]  # shape (p, 2): pairs within prompts, the most uncertain first
    # within, across: variances of many pairs of either kind
    within: NDArray[np.float64]
    across: NDArray[np.float64]
    # shape (m,): mean variance of each response: within its prompt where it has company, else
    # against all others
    of_responses: NDArray[np.float64]


def measure_remaining(
    data: PreferenceData,
    prior: Prior,
    settings: AuditSettings,
    rng: np.random.Generator,
    progress: Progress,
) -> Remaining:
    """Add the comparisons to the prior, and measure what they leave uncertain."""
    progress("uncertainty after the labels")
    pairs, m, sigma2 = prior.pairs, len(data.responses), settings.noise_variance
    exact, effort = m <= settings.exact, effort_for(m)
    network = build_network(prior.bias, data.comparisons, sigma2)
    variances = variances_of(
        network, pairs, rng, prior.bias.aggregates, exact=exact, samples=effort.samples
    )
    after = measure_uncertainty(network, variances, rng.spawn(1)[0])
    inside = pairs.list_within(LISTED_PAIRS, rng.spawn(1)[0])
    within, across = variances.of_pairs(inside), np.empty(0)
    if pairs.across:
        across = variances.of_pairs(pairs.sample_across(PLOTTED_PAIRS, rng.spawn(1)[0]))
    of_prompts = variances.of_prompts()
    own = of_prompts[data.prompt_of]
    redundancy = measure_redundancy(
        prior.compared,
        data.lines,
        variances.of_pairs(prior.compared),
        sigma2,
        solved=(prior.solved_variance, variances.solve_pairs(prior.solved)),
    )
    # A sketch is sure of means but not of a single pair: solve for what it puts at the top.
    candidates = (1 if exact else effort.candidates) * settings.listed
    ranked = inside[np.argsort(-within, kind="stable")]
    listed_pairs = most_uncertain_pairs(data, ranked[:candidates], variances.solve_pairs)
    listed_prompts = most_uncertain_prompts(
        data,
        pairs,
        np.argsort(-of_prompts, kind="stable")[:candidates],  # NaN comes last
        variances.solve_pairs,
        most=LISTED_PAIRS if exact else SOLVED_PAIRS,
        rng=rng.spawn(1)[0],
    )
    return Remaining(
        after=after,
        pairs=listed_pairs[: settings.listed],
        prompts=listed_prompts[: settings.listed],
        redundancy=redundancy,
        variances=variances,
        ranked=ranked,
        within=within,
        across=across,
        of_responses=np.where(np.isnan(own), variances.of_responses(), own),
    )
