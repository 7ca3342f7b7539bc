"""Bounded differences, and a share of random picks: what makes a design hold on real labels.

A linear reward says that a label of a long difference tells much. On real data long differences
are often of unlike texts, and their labels say little about typical ones. Differences count
as no longer than ``BOUND`` times the median of the pairs that matter, also among these pairs;
pairs beyond ``REACH`` medians are left out; and a share of the comparisons, one that grows with
the labels there are, is random: the labels that the others' are held against.
``python -m benchmarks labels`` measures it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibn.design.greedy import Design, choose, choose_at_random, pair_lengths
from ibn.design.target import bounded_moment
from ibn.errors import InputError
from ibn.learner.reward_model import RewardModel
from ibn.progress import Tell, silent

BOUND = 1.25  # of a difference, in median lengths
REACH = 1.5  # of what is chosen, in median lengths
CONTROL = 0.25  # least share of random comparisons
HALFWAY = 128  # labels after which half of the comparisons are random
MOST_TARGETS = 20_000
ATTEMPTS = 8  # at random picks that leave enough to choose from


def random_share(labels: int) -> float:
    """Share of random picks after so many labels.

    The first labels are worth most where the belief is widest. Later ones correct what is not
    linear, of which the belief knows nothing.
    """
    return max(CONTROL, labels / (labels + HALFWAY))


def typical_length(features: NDArray[np.float64], pairs: NDArray[np.int64]) -> float:
    """Median length of pairs' differences; of the longer half where most are alike."""
    length = pair_lengths(features, pairs)
    middle = float(np.median(length))
    return middle if middle > 0 else float(length.max(initial=1.0))


def choose_bounded(
    model: RewardModel,
    targets: NDArray[np.int64],
    pairs: NDArray[np.int64],
    budget: int,
    rng: np.random.Generator,
    *,
    control: float = CONTROL,
    anywhere: bool = False,
    excluded: NDArray[np.int64] | None = None,
    max_uses: int | None = None,
    repeat: bool = False,
    progress: Tell = silent,
) -> Design:
    """Choose comparisons by bounded differences, a share of them at random.

    Parameters
    ----------
    model : RewardModel
        As for :func:`ibn.design.choose`, as are ``anywhere``, ``excluded``, ``max_uses`` and
        ``repeat``.
    targets : ndarray of int, shape (T, 2)
        Pairs that matter, or a random sample of them.
    pairs : ndarray of int, shape (N, 2)
        Candidates, distinct; random picks are among these.
    budget : int
        Comparisons wanted, K.
    rng : numpy.random.Generator
        Of the random picks.
    control : float
        Share of random picks, between 0 and 1, rounded to a whole number of them.
    progress : callable
        Called with what comes next.

    Returns
    -------
    Design
        The random picks first, marked; what the others are expected to bring is given their
        labels. Variances are of bounded differences.
    """
    count = round(control * budget)
    unit = typical_length(model.features, targets)
    bound, reach = BOUND * unit, REACH * unit
    for attempt in range(ATTEMPTS):
        # Where uses are limited, random picks can leave responses that may not be compared.
        if attempt == ATTEMPTS - 1:
            count = 0
        try:
            first = choose_at_random(
                len(model.features), pairs, count, rng, max_uses=max_uses, repeat=repeat
            )
            design = choose(
                model,
                bounded_moment(model.features, targets, bound),
                pairs,
                budget,
                anywhere=anywhere,
                excluded=excluded,
                max_uses=max_uses,
                repeat=repeat,
                bound=bound,
                reach=reach,
                first=first,
                progress=progress,
            )
            break
        except InputError:
            if max_uses is None or count == 0:
                raise
    marked = np.arange(budget) < count
    return Design(design.pairs, design.reduction, design.before, marked)
