"""The most uncertain pairs and prompts of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.pairs import PromptPairs
from ibn.preferences.reading import PreferenceData

SHOWN_LINES = 20

Solve = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class UncertainPair:
    """Two responses to one prompt."""

    prompt: int  # position in ``PreferenceData.prompts``
    # positions in ``PreferenceData.responses``: rows of the embedding matrix
    responses: tuple[int, int]
    lines: tuple[int, ...]  # lines on which the two are compared; none where they never are
    variance: float  # posterior variance of their reward difference


@dataclass(frozen=True)
class UncertainPrompt:
    """A prompt."""

    prompt: int  # position in ``PreferenceData.prompts``
    lines: tuple[int, ...]  # lines on which its responses are compared
    responses: int  # how many distinct responses it has
    variance: float  # mean posterior variance of reward differences between them


def most_uncertain_pairs(
    data: PreferenceData, candidates: NDArray[np.int64], solve: Solve
) -> tuple[UncertainPair, ...]:
    """Sort pairs of responses, shape (p, 2), by their variance, the largest first."""
    a, b = data.comparisons.a, data.comparisons.b
    variance = solve(candidates)
    found = []
    for k in np.argsort(-variance, kind="stable"):
        i, j = (int(x) for x in np.sort(candidates[k]))
        met = ((a == i) & (b == j)) | ((a == j) & (b == i))
        lines = tuple(data.lines[met][:SHOWN_LINES].tolist())
        found.append(UncertainPair(int(data.prompt_of[i]), (i, j), lines, float(variance[k])))
    return tuple(found)


def most_uncertain_prompts(
    data: PreferenceData,
    pairs: PromptPairs,
    candidates: NDArray[np.int64],
    solve: Solve,
    *,
    most: int,
    rng: np.random.Generator,
) -> tuple[UncertainPrompt, ...]:
    """Sort prompts by the mean variance within each, the largest first.

    Prompts of a single response are left out, and all where there is one prompt. Of a prompt with
    more than ``most`` pairs random ones are solved for.
    """
    if len(pairs.size) < 2:
        return ()
    of_a, of_b = data.prompt_of[data.comparisons.a], data.prompt_of[data.comparisons.b]
    chosen = candidates[pairs.within_of[candidates] > 0].tolist()
    inside = []
    for prompt in chosen:
        members = pairs.of_prompt(prompt)
        alone = PromptPairs(np.zeros(len(members), np.int64))
        inside.append(members[alone.list_within(most, rng)])
    solved = solve(np.concatenate([np.empty((0, 2), np.int64), *inside]))
    ends = np.cumsum([len(each) for each in inside])
    found = []
    for prompt, variances in zip(chosen, np.split(solved, ends[:-1]), strict=False):
        lines = np.unique(data.lines[(of_a == prompt) | (of_b == prompt)])[:SHOWN_LINES]
        held, variance = int(pairs.size[prompt]), float(variances.mean())
        found.append(UncertainPrompt(prompt, tuple(lines.tolist()), held, variance))
    return tuple(sorted(found, key=lambda one: -one.variance))
