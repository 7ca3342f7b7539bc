"""How well held-out labels are predicted from fewer labels: measured, not modelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.auditing.evaluation import Evaluation, deal, groups_of, restrict
from ibn.auditing.scoring import scores_of
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.reward_model import fit
from ibn.preferences.comparisons import Comparisons
from ibn.threads import in_threads

SHARES = (1 / 4, 1 / 2)  # of the prompts that are not held out; all of them are known already
LEAST_LABELS = 8


@dataclass(frozen=True)
class LearningCurve:
    """Held-out accuracy and log loss by the number of labels fitted to."""

    labels: tuple[int, ...]
    accuracy: tuple[Estimate, ...]
    log_loss: tuple[Estimate, ...]


def learning_curve(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    prompt_of: NDArray[np.int64],
    evaluation: Evaluation,
    *,
    seed: int,
) -> LearningCurve:
    """Fit to a quarter and to half of each split's prompts, held-out labels being the same.

    ``embeddings``, ``comparisons``, ``prompt_of``, ``seed``: those that ``evaluation`` is of.
    """
    splits = evaluation.splits
    group, _ = groups_of(comparisons, prompt_of, splits)
    part = deal(group, splits, np.random.default_rng(seed))
    place = np.random.default_rng([seed, 2]).permutation(int(group.max()) + 1)[group]
    rank = np.argsort(np.argsort(place, kind="stable"), kind="stable") / len(place)

    def predict(job: tuple[float, int]) -> NDArray[np.float64]:
        share, number = job
        held = part == number
        try:
            train = restrict(comparisons, ~held & (rank < share))
            model = fit(embeddings, train, intervals=False, seed=seed)
        except InputError:
            return np.full(int(held.sum()), 0.5)
        return model.probability(comparisons.a[held], comparisons.b[held])

    shares = [s for s in SHARES if s * len(part) * (1.0 - 1.0 / splits) >= LEAST_LABELS]
    jobs = [(share, number) for share in shares for number in range(splits)]
    with threadpool_limits(1, user_api="blas"):
        found = dict(zip(jobs, in_threads(predict, jobs), strict=True))
    labels, scores = [], []
    for share in shares:
        probability = np.empty(len(part))
        for number in range(splits):
            probability[part == number] = found[share, number]
        target = comparisons.preferred
        scores.append(scores_of(probability, target, part, np.random.default_rng([seed, 1])))
        labels.append(round(share * len(part) * (1.0 - 1.0 / splits)))
    labels.append(round(len(part) * (1.0 - 1.0 / splits)))
    scores.append(evaluation.model)
    return LearningCurve(
        tuple(labels),
        tuple(one.accuracy for one in scores),
        tuple(one.log_loss for one in scores),
    )
