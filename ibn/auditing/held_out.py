"""Prompts held out: what labels on other prompts tell about those that have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.advice import SHARE, Recommendation
from ibn.auditing.effort import effort_for
from ibn.auditing.scenarios import Samples, Scenarios
from ibn.estimate import Estimate

HELD_OUT = 0.2
LEAST_PROMPTS = 40


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Mean posterior variance within prompts against the share of prompts with labels.

    Attributes
    ----------
    comparisons : tuple of int
        How many were used.
    labelled, unlabelled : tuple of Estimate
        Over the prompts they are about, and over prompts held out from all.
    """

    comparisons: tuple[int, ...]
    labelled: tuple[Estimate, ...]
    unlabelled: tuple[Estimate, ...]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Prompts held out, to see what labels on others tell about them.

    Attributes
    ----------
    prompts : ndarray of int
        Those held out.
    of_comparison : ndarray of int, shape (n,)
        The prompt of each comparison.
    shares : tuple of float
        Of the other prompts, on the learning curve.
    keep : dict of str to ndarray of int
        Comparisons on the other prompts by what is kept: growing shares of the prompts; fewer of
        them; and fewer, some labelled twice to make as many comparisons as on all.
    added : int
        Comparisons that all prompts have more than the fewer.
    """

    prompts: NDArray[np.int64]
    of_comparison: NDArray[np.int64]
    shares: tuple[float, ...]
    keep: Mapping[str, NDArray[np.int64]]
    added: int

    def curve(self, then: Mapping[str, Samples]) -> LearningCurve:
        """Lay the shares out, given samples under each of ``keep``."""
        points = [(self.keep[f"{x:.1%}"], then[f"{x:.1%} prompts"]) for x in self.shares]
        return LearningCurve(
            comparisons=tuple(len(keep) for keep, _ in points),
            labelled=tuple(
                Estimate.of(posterior.draws("within", np.unique(self.of_comparison[keep])))
                for keep, posterior in points
            ),
            unlabelled=tuple(
                Estimate.of(posterior.draws("within", self.prompts)) for _, posterior in points
            ),
        )

    def recommended(self, then: Mapping[str, Samples], extra: int) -> Recommendation:
        """Weigh labels of new prompts against second labels of known ones."""
        before, most, second = (
            then[f"{name} prompts"].draws("within", self.prompts)
            for name in ("fewer", f"{1:.1%}", "fewer, twice labelled")
        )
        return Recommendation(
            "prompts",
            f"Label {extra:,} pairs of new prompts rather than known ones again",
            f"measured by holding out {len(self.prompts):,} prompts: the last {self.added:,} "
            "comparisons on new prompts",
            extra,
            "mean posterior variance within prompts that have no labels yet",
            Estimate.of(before),
            Estimate.of(most),
            Estimate.of(most - before),
            "second labels of known pairs",
            Estimate.of(second),
        )


def hold_out(
    scenarios: Scenarios, prompt_of: NDArray[np.int64], rng: np.random.Generator
) -> HeldOut | None:
    """Hold prompts out; None if there are too few.

    Parameters
    ----------
    scenarios : Scenarios
        The dataset's network.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response.
    rng : numpy.random.Generator
        Chooses them.
    """
    of_comparison = prompt_of[scenarios.comparisons.a]
    inside = of_comparison == prompt_of[scenarios.comparisons.b]
    prompts = np.unique(of_comparison[inside])
    if len(prompts) < LEAST_PROMPTS:
        return None
    order = rng.permutation(prompts)
    held = round(HELD_OUT * len(order))
    rest = order[held:]

    def of_prompts(share: float) -> NDArray[np.int64]:
        some = rest[: max(1, round(share * len(rest)))]
        return np.flatnonzero(inside & np.isin(of_comparison, some))

    shares = effort_for(len(prompt_of)).shares
    keep = {f"{share:.1%}": of_prompts(share) for share in shares}
    fewer = of_prompts(1.0 / (1.0 + SHARE))
    added = len(keep[f"{1:.1%}"]) - len(fewer)
    if added:
        again = rng.choice(fewer, added, replace=added > len(fewer))
        keep |= {"fewer": fewer, "fewer, twice labelled": np.sort(np.concatenate([fewer, again]))}
    return HeldOut(order[:held], of_comparison, shares, keep, added)
