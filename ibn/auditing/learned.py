"""What a reward model fitted to the labels says: held-out labels, label noise, doubtful labels.

The rest of the audit looks at which comparisons were made; this looks at what was answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from ibn.auditing.advice import SHARE, Recommendation
from ibn.auditing.effort import effort_for
from ibn.auditing.evaluation import Evaluation, evaluate, select
from ibn.bias.nearest import leading_components
from ibn.design import (
    Design,
    choose,
    choose_at_random,
    expected_variance,
    pairs_within,
    second_moment,
)
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.hyperparameters import Hyperparameter
from ibn.learner.reward_model import NODES, WEIGHTS, RewardModel, fit, posterior
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.threads import in_threads

SPLITS = 5
PLAN_WORK, LEAST_PLANNED = 2**23, 50  # responses times planned pairs, at about 1 µs each
RANDOM_PLANS = 10
LISTED = 10


@dataclass(frozen=True)
class DoubtedLabel:
    """A label that the model, fitted without it, thinks unlikely.

    Attributes
    ----------
    line : int
        Its line in the file.
    responses : tuple of int
        The preferred one and the other, positions in ``PreferenceData.responses``.
    probability : float
        Of this label, predicted by the model fitted to other prompts' labels.
    """

    line: int
    responses: tuple[int, int]
    probability: float


@dataclass(frozen=True, eq=False)
class Learned:
    """What a Bayesian reward model, linear in the embeddings, makes of the labels.

    Attributes
    ----------
    evaluation : Evaluation
        How well held-out labels are foretold.
    comparisons : int
        Comparisons used: all, or a random sample of so many.
    dimensions : int
        Columns of the embeddings used: all, or so many leading principal components.
    carried : float
        Share of the embeddings' variance in them.
    scale : Hyperparameter
        Prior variance of a weight, fitted by marginal likelihood, β being 1.
    prior_variance, posterior_variance : Estimate
        Mean variance of the reward difference of the compared pairs before and after the labels,
        with β = 1; standard errors over pairs.
    error : Estimate
        Label noise: how often a label is expected to prefer the worse of the two responses of a
        compared pair; standard error over pairs.
    error_interval : tuple of float
        Least and largest at the ends of the 95 % intervals of the hyperparameters fitted: how far
        the noise is known. From 0 to 1/2 where it is not.
    repeat_agreement : Estimate
        How often a second label of a compared pair is expected to agree with a first.
    doubted : tuple of DoubtedLabel
        The least likely labels.
    """

    evaluation: Evaluation
    comparisons: int
    dimensions: int
    carried: float
    scale: Hyperparameter
    prior_variance: Estimate
    posterior_variance: Estimate
    error: Estimate
    error_interval: tuple[float, float]
    repeat_agreement: Estimate
    doubted: tuple[DoubtedLabel, ...]

    @property
    def foretells(self) -> bool:
        """Whether held-out labels are foretold better than by a coin, by two standard errors."""
        loss = self.evaluation.model.log_loss
        return loss.mean + 2.0 * loss.stderr < float(np.log(2.0))


def learn(
    data: PreferenceData,
    embeddings: NDArray[np.floating],
    *,
    seed: int,
    progress: Callable[[str], None] = lambda message: None,
) -> tuple[Learned, tuple[Recommendation, ...], NDArray[np.int64]] | None:
    """Fit a reward model to the labels, hold some out, and plan with it.

    Parameters
    ----------
    data : PreferenceData
    embeddings : ndarray, shape (m, d)
        A row a response.
    seed : int
        Of splits, samples and random plans.
    progress : callable, optional
        Told what comes next.

    Returns
    -------
    learned : Learned
    recommendations : tuple of Recommendation
        What ``ibn plan`` would lower.
    doubted : ndarray of int, shape (n,)
        Comparisons, the most doubted label first.
    None
        Where there are no labels, or too few.
    """
    if data.comparisons.winner is None or not np.any(data.comparisons.winner):
        return None
    rng = np.random.default_rng([seed, 5])
    n = len(data.comparisons)
    which, rows, comparisons = np.arange(n), np.arange(len(data.responses)), data.comparisons
    effort = effort_for(len(data.responses))
    if n > effort.comparisons:
        which = np.sort(rng.choice(n, effort.comparisons, replace=False))
        rows, comparisons = _among_compared(select(comparisons, np.isin(np.arange(n), which)))
    embeddings, prompt_of = embeddings[rows], data.prompt_of[rows]
    whole = embeddings
    if effort.dimensions is not None:
        embeddings = leading_components(embeddings, effort.dimensions, rng)
    assert comparisons.winner is not None
    progress(f"held-out labels, {SPLITS} splits")
    try:
        evaluation = evaluate(
            embeddings, comparisons, prompt_of, splits=SPLITS, seed=seed, progress=progress
        )
    except InputError:
        return None
    progress("label noise")
    with threadpool_limits(1 if effort.dimensions else None, user_api="blas"):
        # On matrices so small a second thread would only wait.
        model = fit(embeddings, comparisons, seed=seed)
    a, b = comparisons.a, comparisons.b
    scale = model.hyperparameters["scale"]
    errors, agreements = _label_errors(model, a, b)
    corners = product(*(_ends(model, name) for name in ("scale", "own_variance")))
    try:
        fitted = in_threads(lambda at: _with(model, comparisons, *at), corners)
        ends = [float(_label_errors(one, a, b)[0].mean()) for one in fitted]
    except InputError:  # an interval so wide that its end has no posterior in double precision
        ends = [0.0, 0.5]
    _, variance = model.difference(a, b)
    x = model.features[a] - model.features[b]
    prior = model.scale * np.einsum("ij,ij->i", x, x) + 2.0 * model.own_variance
    won = np.where(comparisons.winner > 0, evaluation.probability, 1.0 - evaluation.probability)
    won[comparisons.winner == 0] = 1.0  # a tie is no label to doubt
    order = np.argsort(won, kind="stable")
    order = order[comparisons.winner[order] != 0]
    lines = data.lines[which]
    learned = Learned(
        evaluation=evaluation,
        comparisons=len(which),
        dimensions=embeddings.shape[1],
        carried=float(embeddings.var(axis=0).sum() / whole.var(axis=0).sum()),
        scale=scale,
        prior_variance=Estimate.of(prior),
        posterior_variance=Estimate.of(variance),
        error=Estimate.of(errors),
        error_interval=(min(ends), max(ends)),
        repeat_agreement=Estimate.of(agreements),
        doubted=tuple(
            DoubtedLabel(
                int(lines[k]),
                (int(rows[a[k]]), int(rows[b[k]]))
                if comparisons.winner[k] > 0
                else (int(rows[b[k]]), int(rows[a[k]])),
                float(won[k]),
            )
            for k in order[:LISTED]
        ),
    )
    progress("what to do next: ibn plan")
    if model.own_variance:  # ibn plan knows no own parts
        model = fit(embeddings, comparisons, own_variance=0.0, intervals=False, seed=seed)
    planned = _plan(model, data.source, prompt_of, n, effort.planned, rng)
    if len(which) < n:
        sample = f"; planned among the responses of {len(which):,} comparisons drawn at random"
        if embeddings is not whole:
            sample += f", by {learned.dimensions} principal components of the embeddings"
        planned = tuple(replace(one, why=one.why + sample) for one in planned)
    if not learned.foretells:
        doubt = "; but this model foretells held-out labels no better than a coin"
        planned = tuple(replace(one, supported=False, why=one.why + doubt) for one in planned)
    return learned, planned, which[order]


def _label_errors(
    model: RewardModel, a: NDArray[np.int64], b: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(a label prefers the worse) and P(two labels agree) of each pair, over the posterior."""
    mean, variance = model.difference(a, b)
    deviation = np.sqrt(variance)
    error, agree = np.zeros((2, len(mean)))
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        p = model.lapse + (1 - 2 * model.lapse) * expit(
            -model.beta * np.abs(mean + deviation * node)
        )
        error += weight * p
        agree += weight * (p**2 + (1 - p) ** 2)
    return error, agree


def _ends(model: RewardModel, name: str) -> tuple[float, ...]:
    """Return the ends of a hyperparameter's interval, or its value where it is not fitted."""
    fitted = model.hyperparameters.get(name)
    return (fitted.low, fitted.high) if fitted else (getattr(model, name),)


def _with(
    model: RewardModel, comparisons: Comparisons, scale: float, own_variance: float
) -> RewardModel:
    """Return the posterior, had the hyperparameters been others."""
    return posterior(
        model.features,
        comparisons,
        scale=scale,
        beta=model.beta,
        lapse=model.lapse,
        own_variance=own_variance,
    )


def _among_compared(comparisons: Comparisons) -> tuple[NDArray[np.int64], Comparisons]:
    """Find the responses that take part, and the same comparisons over these alone."""
    rows, place = np.unique(np.concatenate([comparisons.a, comparisons.b]), return_inverse=True)
    a, b = place[: len(comparisons)], place[len(comparisons) :]
    return rows, replace(comparisons, responses=comparisons.responses[rows], a=a, b=b)


def _plan(
    model: RewardModel,
    source: str,
    prompt_of: NDArray[np.int64],
    n: int,
    most: int | None,
    rng: np.random.Generator,
) -> tuple[Recommendation, ...]:
    """Say what comparisons chosen by ``ibn plan`` would lower, in the fitted model.

    The plan is made among the responses that the model was fitted to.
    """
    candidates = pairs_within(prompt_of)
    m = len(prompt_of)
    affordable = max(LEAST_PLANNED, PLAN_WORK // m)
    budget = min(max(1, round(SHARE * n)), most or affordable, affordable, len(candidates))
    if not budget or len(candidates) < 2:
        return ()
    target = second_moment(model.features, prompt_of)
    drawn = [choose_at_random(m, candidates, budget, rng) for _ in range(RANDOM_PLANS)]
    random = Estimate.of(
        np.array(in_threads(lambda pairs: expected_variance(model, target, pairs), drawn))
    )
    designs = in_threads(
        lambda anywhere: choose(model, target, candidates, budget, anywhere=anywhere, repeat=True),
        (False, True),
    )

    def recommended(action: str, title: str, why: str, design: Design) -> Recommendation:
        return Recommendation(
            action,
            title,
            why,
            budget,
            "mean posterior variance within prompts under the fitted reward model",
            Estimate(design.before, 0.0, 1),
            Estimate(design.after, 0.0, 1),
            Estimate(design.after - design.before, 0.0, 1),
            "as many random pairs within prompts",
            random,
        )

    call = f"ibn plan {Path(source).name} --budget {budget} --repeat"
    return (
        recommended(
            "plan",
            f"Label {budget:,} pairs within prompts, chosen by ibn plan",
            f"{call}: the pairs that lower the variance of the fitted reward model most",
            designs[0],
        ),
        recommended(
            "plan-anywhere",
            f"Label {budget:,} pairs of any prompts, chosen by ibn plan",
            f"{call} --pairs any --target within: where annotators can compare answers to "
            "different prompts",
            designs[1],
        ),
    )
