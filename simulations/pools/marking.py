"""Labels of a pool's pairs: Bradley-Terry of a set agreement, or the raters' own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from ibn.errors import InputError

OWN = "own"
Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


def parsed(given: str) -> float | str:
    """Read an agreement: a share between 1/2 and 1, or ``own``.

    >>> parsed("0.75")
    0.75
    """
    if given == OWN:
        return OWN
    try:
        share = float(given)
    except ValueError:
        share = 0.0
    if not 0.5 < share < 1:
        raise InputError(f"agreement {given!r}", fix="a share between 0.5 and 1, or own")
    return share


def gaps(score: Floats, prompt_of: Ids) -> Floats:
    """Size of all score differences within prompts that are not 0."""
    found = []
    for low, high in bounds(prompt_of):
        own = score[low:high]
        found.append((own[:, None] - own)[np.triu_indices(high - low, 1)])
    every = np.abs(np.concatenate(found))
    return every[every > 0]


def bounds(prompt_of: Ids) -> Ids:
    """Where each prompt's responses begin and end, shape (prompts, 2)."""
    ends = np.cumsum(np.bincount(prompt_of))
    return np.column_stack([ends - np.bincount(prompt_of), ends])


def inverse_temperature(agreement: float, gap: Floats) -> float:
    """Find β at which Bradley-Terry labels name the better response of a pair so often.

    ``gap``: sizes of the score differences; averaged over pairs that differ.

    >>> import numpy as np
    >>> round(inverse_temperature(0.75, np.array([1.0, 1.0])), 4)
    1.0986
    """
    unit = float(np.median(gap))

    def excess(log_beta: float) -> float:
        return float(expit(np.exp(log_beta) * gap / unit).mean()) - agreement

    return float(np.exp(brentq(excess, -12.0, 12.0))) / unit


def labels(
    pairs: Ids,
    score: Floats,
    beta: float,
    rng: np.random.Generator,
    raters: tuple[Floats, Ids] | None = None,
) -> NDArray[np.int8]:
    """Label pairs: +1 where the first is preferred, -1 where the second is.

    ``raters``: ratings of all responses and where each one's begin: a label then draws one rating
    of either side, and prefers the higher; a coin decides between equal ones.
    """
    if raters is None:
        gap = rng.logistic(beta * (score[pairs[:, 0]] - score[pairs[:, 1]]))
    else:
        ratings, first = raters
        drawn = ratings[first[pairs] + rng.integers(0, (np.diff(first))[pairs])]
        gap = drawn[:, 0] - drawn[:, 1]
        gap = np.where(gap == 0, rng.random(len(pairs)) - 0.5, gap)
    return np.where(gap > 0, 1, -1).astype(np.int8)


def own_agreement(score: Floats, ratings: Floats, first: Ids, prompt_of: Ids) -> float:
    """How often labels of the raters' own name the response of the better mean: exactly."""
    right = total = 0.0
    for low, high in bounds(prompt_of):
        each = [ratings[first[i] : first[i + 1]] for i in range(low, high)]
        for i, j in zip(*np.triu_indices(high - low, 1), strict=True):
            gap = score[low + i] - score[low + j]
            if gap:
                wins = (np.sign(gap * (each[i][:, None] - each[j])) + 1.0) / 2.0
                right, total = right + float(wins.mean()), total + 1.0
    return right / total
