"""What planned labels brought, beside the random ones of the same plans.

Random picks are a fair sample of what could be chosen, so their labels also tell how well a model
predicts: they are what every fit is judged by, none by a model that has seen it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.estimate import Estimate
from ibn.learner.log_loss import log_losses
from ibn.learner.reward_model import SCALE_SPREAD, fit
from ibn.preferences.comparisons import Comparisons

FOLDS = 5
LEAST = 10  # labels of either kind that are compared
CLEAR = 2.0  # standard errors of a difference that decides
PLANNED, RANDOM = "plan", "random"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ControlFindings:
    """Log loss on random picks' labels that the fit had not seen, per label.

    Attributes
    ----------
    planned, random : int
        Labels of either kind.
    used : int
        How many of either kind the fits were given beside the earlier labels.
    before : float
        Log loss of a fit to the earlier labels; ln 2 where there are none.
    gain_planned, gain_random : Estimate
        By how much the log loss fell with the labels of either kind.
    difference : Estimate
        Gain of the planned ones less that of the random ones; its standard error is over the
        labels judged, with the fits as they are.
    """

    planned: int
    random: int
    used: int
    before: float
    gain_planned: Estimate
    gain_random: Estimate
    difference: Estimate

    @property
    def verdict(self) -> str:
        """What the evidence says, in words."""
        off = self.difference
        if off.mean > CLEAR * off.stderr:
            return "planned labels brought more than random ones"
        if off.mean < -CLEAR * off.stderr:
            return "random will do: planned labels brought less than random ones"
        return "planned and random labels cannot be told apart yet"


def compare_control(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    chosen_by: list[str],
    *,
    seed: int = 0,
) -> ControlFindings | None:
    """Compare what planned and random labels brought.

    Parameters
    ----------
    embeddings : ndarray, shape (m, p)
        A row a response.
    comparisons : Comparisons
        All labels.
    chosen_by : list of str, length n
        "plan" or "random" for the labels of plans, anything else for earlier ones.
    seed : int
        Of the folds.

    Returns
    -------
    ControlFindings or None
        ``None`` where there are fewer than ``LEAST`` labels of either kind.
    """
    who = np.array(chosen_by)
    planned, random = np.flatnonzero(who == PLANNED), np.flatnonzero(who == RANDOM)
    if min(len(planned), len(random)) < LEAST:
        return None
    rng = np.random.default_rng(seed)
    earlier = (who != PLANNED) & (who != RANDOM)
    fold = rng.permutation(len(random)) % FOLDS
    used = min(len(planned), len(random) - len(random) // FOLDS)
    some = np.isin(np.arange(len(who)), rng.permutation(planned)[:used])
    losses = np.empty((3, len(random)))
    with threadpool_limits(1, user_api="blas"):
        losses[0] = _losses(embeddings, comparisons, earlier, random, seed)
        losses[1] = _losses(embeddings, comparisons, earlier | some, random, seed)
        for number in range(FOLDS):
            judged = fold == number
            train = earlier | np.isin(np.arange(len(who)), random[~judged][:used])
            losses[2, judged] = _losses(embeddings, comparisons, train, random[judged], seed)
    return ControlFindings(
        planned=len(planned),
        random=len(random),
        used=used,
        before=float(losses[0].mean()),
        gain_planned=Estimate.of(losses[0] - losses[1]),
        gain_random=Estimate.of(losses[0] - losses[2]),
        difference=Estimate.of(losses[2] - losses[1]),
    )


def _losses(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    train: Mask,
    judged: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """Log loss on some labels of a model fitted to others; a coin's where there are none."""
    if not train.any():
        return np.full(len(judged), np.log(2.0))
    model = fit(
        embeddings,
        comparisons.select(train),
        own_variance=0.0,
        scale_spread=SCALE_SPREAD,
        intervals=False,
        seed=seed,
    )
    chance = model.probability(comparisons.a[judged], comparisons.b[judged])
    return log_losses(chance, comparisons.preferred[judged])
