"""Prompts held out, to see what labels of other prompts tell about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.recommendation import SHARE
from ibn.auditing.scenarios import Change, Samples
from ibn.estimate import Estimate
from ibn.preferences.comparisons import Comparisons

HELD_OUT = 0.2  # share of the prompts
LEAST_PROMPTS = 40
SHARES = (0.125, 0.25, 0.5, 1.0)  # of the other prompts, on the learning curve


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Mean posterior variance within prompts against the share of prompts with labels."""

    comparisons: tuple[int, ...]  # how many were used
    # labelled, unlabelled: over the prompts they are about, and over prompts held out from all
    labelled: tuple[Estimate, ...]
    unlabelled: tuple[Estimate, ...]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Prompts held out."""

    prompts: NDArray[np.int64]  # those held out
    of_comparison: NDArray[np.int64]  # shape (n,): the prompt of each comparison
    # to the comparisons of growing shares of the other prompts, the last of all of them
    growing: tuple[Change, ...]
    # fewer, again: to the comparisons of fewer of the other prompts; and to these with some
    # labelled twice, so that there are as many as of all
    fewer: Change
    again: Change
    added: int  # comparisons that all prompts have more than the fewer

    def curve(self, samples: Callable[[Change], Samples]) -> LearningCurve:
        """Give the learning curve, from samples under each of ``growing``."""
        kept, labelled, unlabelled = [], [], []
        for change in self.growing:
            assert change.keep is not None
            own = np.unique(self.of_comparison[change.keep])
            kept.append(len(change.keep))
            labelled.append(Estimate.of(samples(change).draws("within", own)))
            unlabelled.append(Estimate.of(samples(change).draws("within", self.prompts)))
        return LearningCurve(tuple(kept), tuple(labelled), tuple(unlabelled))


def hold_out(
    comparisons: Comparisons, prompt_of: NDArray[np.int64], rng: np.random.Generator
) -> HeldOut | None:
    """Hold random prompts out; ``None`` if too few have comparisons of their own responses."""
    of_comparison = prompt_of[comparisons.a]
    inside = of_comparison == prompt_of[comparisons.b]
    prompts = np.unique(of_comparison[inside])
    if len(prompts) < LEAST_PROMPTS:
        return None
    order = rng.permutation(prompts)
    held = round(HELD_OUT * len(order))
    rest = order[held:]

    def of_prompts(share: float) -> NDArray[np.int64]:
        some = rest[: max(1, round(share * len(rest)))]
        return np.flatnonzero(inside & np.isin(of_comparison, some))

    growing = tuple(Change(f"{share:.1%} of the prompts", of_prompts(share)) for share in SHARES)
    fewer = of_prompts(1.0 / (1.0 + SHARE))
    added = len(of_prompts(1.0)) - len(fewer)
    again = fewer
    if added:
        twice = rng.choice(fewer, added, replace=added > len(fewer))
        again = np.sort(np.concatenate([fewer, twice]))
    return HeldOut(
        order[:held],
        of_comparison,
        growing,
        Change("fewer prompts", fewer),
        Change("fewer prompts, some labelled twice", again),
        added,
    )
