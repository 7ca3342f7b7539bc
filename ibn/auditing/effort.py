"""How much an audit computes: everything for few responses, less of what costs most for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FULL_UP_TO = 20_000  # responses for which everything is computed
LEAST_FROM = 100_000  # responses from which the least must do: 160,000 comparisons within 120 s

LEAST_COMPARISONS = 4000  # that the reward model is fitted to; half of the most
LEAST_DIMENSIONS = 128  # principal components carry most of the variance; a fit costs their cube
LEAST_PLANNED = 200  # pairs that ibn plan is tried with: enough to see what it saves


@dataclass(frozen=True)
class Effort:
    """How much of each thing is computed where not all of it is."""

    reduction: float  # how far between everything, 0, and the least, 1
    probes: int  # probes of each mean posterior variance, at least
    probes_within: float  # share of a block of probes that goes to the mean within prompts
    samples: int  # samples of the posterior, by which single pairs are ranked
    # pairs and prompts solved for, as a multiple of those listed: the ones that samples rank first
    candidates: int
    solved: int  # comparisons solved for, to tell what labels and inductive bias imply
    # distances_within, distances_across: pairs whose inference distance is found, at least and at
    # most
    distances_within: tuple[int, int]
    distances_across: tuple[int, int]
    # share of the draws of each topology made before the spread between them is believed
    draws: float
    # draw_within, draw_across: pairs whose inference distance is found in one draw of a topology
    draw_within: int
    draw_across: int
    # relative error allowed in the energy of a posterior sample, except for means across prompts
    tolerance: float
    pair_tolerance: float  # relative error allowed in the variance of a pair that is solved for
    comparisons: int  # comparisons that the reward model is fitted to, at most

    def between(self, full: float, least: float) -> float:
        """Go from ``full`` to ``least``, by equal ratios, as far as the effort is reduced."""
        return full ** (1.0 - self.reduction) * least**self.reduction

    def dimensions(self, columns: int) -> int:
        """Columns of the embeddings that the reward model is fitted to; all, or down to 128."""
        return min(columns, round(self.between(columns, LEAST_DIMENSIONS)))

    def planned(self, affordable: int) -> int:
        """Pairs that ``ibn plan`` is tried with; what is affordable, or down to 200."""
        return min(affordable, round(self.between(affordable, LEAST_PLANNED)))


def effort_for(responses: int) -> Effort:
    """Reduce the effort smoothly, from 20,000 responses to 100,000."""
    span = np.log(LEAST_FROM / FULL_UP_TO)
    reduction = float(np.clip(np.log(max(responses, 1) / FULL_UP_TO) / span, 0.0, 1.0))

    def between(full: float, least: float) -> float:
        return full ** (1.0 - reduction) * least**reduction

    def whole(full: int, least: int) -> int:
        return round(between(full, least))

    return Effort(
        reduction=reduction,
        probes=whole(64, 18),  # each averages over all responses, so fewer tell as much
        probes_within=between(1 / 2, 1 / 4),  # likewise, over all prompts
        samples=whole(64, 16),  # a variance to 18 % or 35 %: enough to rank before solving
        candidates=whole(4, 2),
        solved=whole(64, 16),  # one solution of the network each
        distances_within=(256, whole(2048, 1024)),  # a search each; near ends are found soon
        distances_across=(whole(256, 64), whole(2048, 128)),  # far ends cost the most
        draws=between(1, 1 / 4),
        draw_within=whole(256, 128),
        draw_across=whole(256, 16),
        tolerance=between(1e-6, 1e-4),  # beside a sampling error of a hundredth
        pair_tolerance=between(1e-5, 1e-3),  # as many digits as are shown, or nearly
        comparisons=whole(2 * LEAST_COMPARISONS, LEAST_COMPARISONS),
    )
