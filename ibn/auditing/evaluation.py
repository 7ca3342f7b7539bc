"""Whether a reward model fitted to part of the comparisons predicts the others' labels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ibn.auditing.scoring import (
    Bin,
    Fifth,
    Scores,
    by_split,
    fifths_of,
    hits_of,
    log_losses,
    reliability,
    scores_of,
)
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.reward_model import RewardModel, fit
from ibn.preferences.comparisons import Comparisons
from ibn.threads import in_threads


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What held-out comparisons say about a reward model."""

    splits: int  # random splits; every comparison is held out in one
    # {"prompt", "comparison"}: What is held out together. Comparisons are only where they tie all
    # prompts together, as on a leaderboard.
    split_by: str
    count: int  # comparisons
    # model, baseline: of the Bayesian reward model, and of scikit-learn's ``LogisticRegressionCV``
    # on differences of the same embeddings
    model: Scores
    baseline: Scores
    # log loss of the baseline minus that of the model, split by split: positive is better
    gain: Estimate
    reliability: list[Bin]  # of the model's predictions, all splits
    # from the most to the least uncertain, by measure: ``label`` is minus the distance of the
    # predicted probability from 1/2; ``ratio`` minus the size of the posterior mean of r(a) - r(b)
    # in its posterior deviations; ``variance`` its posterior variance; ``remaining`` that over the
    # prior one
    fifths: dict[str, list[Fifth]]
    hyperparameters: list[dict[str, float]]  # as fitted, split by split
    # probability, mean, variance, remaining: shape (n,): predictions for each comparison by the
    # split that held it out: P(a is preferred), mean and variance of r(a) - r(b), and the share of
    # its prior variance that remains
    probability: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    remaining: NDArray[np.float64]


def evaluate(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    prompt_of: NDArray[np.int64],
    *,
    splits: int = 5,
    kernel: str = "linear",
    lapse: float | None = 0.0,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> Evaluation:
    """Hold out prompts, fit to the rest, and compare predictions with the held-out labels.

    ``embeddings``, shape (m, p): a row a response; ``comparisons``: with ``winner``; ``prompt_of``,
    shape (m,): the prompt of each response; ``splits``: at least 2. Prompts are dealt at random
    into as many parts, each held out once. ``kernel``, ``lapse``: as for
    ``ibn.learner.reward_model.fit``; ``seed``: of the splits. Raises InputError if labels are
    missing or there are too few prompts or comparisons.
    """
    if comparisons.winner is None:
        raise InputError("held-out labels need winner for every comparison")
    if splits < 2:
        raise InputError(f"there must be at least 2 splits, not {splits}")
    group, split_by = groups_of(comparisons, prompt_of, splits)
    part = deal(group, splits, np.random.default_rng(seed))

    def predict(number: int) -> tuple[dict[str, float], NDArray[np.float64]]:
        progress(f"split {number + 1} of {splits}")
        held = part == number
        options: dict[str, Any] = {"kernel": kernel, "lapse": lapse, "seed": seed}
        model = fit(embeddings, restrict(comparisons, ~held), intervals=False, **options)
        a, b = comparisons.a[held], comparisons.b[held]
        theirs = logistic_regression(embeddings, comparisons, ~held, group, seed)(a, b)
        ours = (model.probability(a, b), *model.difference(a, b), prior_variance(model, a, b))
        values = {name: fitted.value for name, fitted in model.hyperparameters.items()}
        return values, np.stack([*ours, theirs])

    with warnings.catch_warnings():  # whose filters all threads share
        warnings.simplefilter("ignore", FutureWarning)  # about defaults that releases disagree on
        found = in_threads(predict, range(splits))
    predicted = np.empty((5, len(comparisons)))
    for number, (_, values) in enumerate(found):
        predicted[:, part == number] = values
    target = comparisons.preferred
    rng = np.random.default_rng([seed, 1])
    ours, theirs = (scores_of(p, target, part, rng) for p in (predicted[0], predicted[4]))
    losses = [by_split(log_losses(p, target), part) for p in (predicted[4], predicted[0])]
    probability, mean, variance, prior, _ = predicted
    measures = _measures(probability, mean, variance, prior)
    hits = hits_of(probability, target)
    return Evaluation(
        splits=splits,
        split_by=split_by,
        count=len(comparisons),
        model=ours,
        baseline=theirs,
        gain=Estimate.of(losses[0] - losses[1]),
        reliability=reliability(probability, target),
        fifths={name: fifths_of(measure, hits, rng) for name, measure in measures.items()},
        hyperparameters=[fitted for fitted, _ in found],
        probability=probability,
        mean=mean,
        variance=variance,
        remaining=measures["remaining"],
    )


def _measures(
    probability: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    prior: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Measure how uncertain each label is predicted to be, in four ways."""
    deviation, none = np.sqrt(variance), np.zeros(len(variance))
    return {
        "label": -np.abs(probability - 0.5),
        "ratio": -np.divide(np.abs(mean), deviation, out=none, where=deviation > 0),
        "variance": variance,
        "remaining": np.divide(variance, prior, out=np.ones(len(prior)), where=prior > 0),
    }


def groups_of(
    comparisons: Comparisons, prompt_of: NDArray[np.int64], splits: int
) -> tuple[NDArray[np.int64], str]:
    """Group comparisons that must be held out together.

    Returns ``group``, shape (n,): prompts that a comparison joins are one group. Where that leaves
    fewer groups than splits, a group is the comparisons of one pair of responses. ``split_by``.
    Raises InputError if even then there are fewer groups than splits.
    """
    ends = prompt_of[comparisons.a], prompt_of[comparisons.b]
    size = int(np.max(prompt_of)) + 1
    joined = coo_array((np.ones(len(comparisons), np.int8), ends), shape=(size, size))
    group = connected_components(joined, directed=False)[1][ends[0]]
    split_by = "prompt"
    if len(np.unique(group)) < splits:
        pair = np.sort(np.stack([comparisons.a, comparisons.b]), axis=0)
        group = np.unique(pair, axis=1, return_inverse=True)[1].ravel()
        split_by = "comparison"
    if (found := len(np.unique(group))) < 2 * splits:
        raise InputError(f"{found} different comparisons are too few for {splits} splits")
    return group, split_by


def deal(group: NDArray[np.int64], splits: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal groups at random into parts of as many groups, within one; the part of each member."""
    names, at = np.unique(group, return_inverse=True)
    return (rng.permutation(len(names)) % splits)[at]


def restrict(comparisons: Comparisons, chosen: NDArray[np.bool_]) -> Comparisons:
    """Pick some of the comparisons, over the same responses."""
    return comparisons.select(chosen)


def prior_variance(
    model: RewardModel, a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Variance of r(a) - r(b) before any label."""
    x = model.features[a] - model.features[b]
    return model.scale * np.einsum("ij,ij->i", x, x) + 2.0 * model.own_variance


def logistic_regression(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    train: NDArray[np.bool_],
    group: NDArray[np.int64],
    seed: int,
) -> Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]:
    """Fit scikit-learn's ``LogisticRegressionCV`` to differences of embeddings.

    As it should be used: each comparison both ways round and no intercept, the penalty chosen
    by log loss among 10 from 1e-4 to 1e4, in 5 folds that keep groups together. Ties count half
    for each side.

    Returns P(a preferred to b), of rows of ``embeddings``.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import GroupKFold

    a, b = comparisons.a[train], comparisons.b[train]
    share = comparisons.preferred[train]
    difference = np.asarray(embeddings, float)[a] - embeddings[b]
    rows = np.concatenate([difference, -difference])
    # A row either way for a win; a tie is four rows of half the weight.
    label = np.concatenate([np.ones(len(a)), np.zeros(len(a))])
    weight = np.concatenate([share, share])
    tied = share < 1
    rows = np.concatenate([rows, difference[tied], -difference[tied]])
    label = np.concatenate([label, np.zeros(tied.sum()), np.ones(tied.sum())])
    weight = np.concatenate([weight, 1.0 - share[tied], 1.0 - share[tied]])
    together = np.concatenate([group[train]] * 2 + [group[train][tied]] * 2)
    kept = weight > 0
    rows, label, weight, together = rows[kept], label[kept], weight[kept], together[kept]
    folds = GroupKFold(5, shuffle=True, random_state=seed % 2**32).split(rows, label, together)
    model = LogisticRegressionCV(
        Cs=10, cv=list(folds), scoring="neg_log_loss", fit_intercept=False, max_iter=1000
    )
    model.fit(rows, label, sample_weight=weight)
    reward = embeddings @ np.ravel(model.coef_)
    return lambda a, b: expit(reward[a] - reward[b])
