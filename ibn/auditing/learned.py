"""What a reward model fitted to the labels says: held-out labels, label noise, doubtful labels.

The rest of the audit looks at which comparisons were made; this looks at what was answered.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from ibn.auditing.effort import Effort, effort_for
from ibn.auditing.evaluation import Evaluation, evaluate, prior_variance, restrict
from ibn.auditing.learning_curve import LearningCurve, learning_curve
from ibn.auditing.settings import Progress
from ibn.bias.nearest import leading_components
from ibn.design import Design, pairs_within
from ibn.design.bounded import MOST_TARGETS, choose_bounded, random_share
from ibn.design.offers import Offers, offers
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.cross_validation import cross_validated, shares_responses
from ibn.learner.hyperparameters import Hyperparameter
from ibn.learner.reward_model import NODES, WEIGHTS, RewardModel, fit, posterior
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.threads import in_threads

SPLITS = 5
PLAN_WORK, LEAST_BUDGET = 2**23, 50  # responses times planned pairs, at about 1 µs each
LISTED = 10
SHARE = 0.1  # of the comparisons: what a plan may cost


@dataclass(frozen=True)
class DoubtedLabel:
    """A label that the model, fitted without it, thinks unlikely."""

    line: int  # its line in the file
    # the preferred one and the other, positions in ``PreferenceData.responses``
    responses: tuple[int, int]
    probability: float  # of this label, predicted by the model fitted to other prompts' labels


@dataclass(frozen=True, eq=False)
class LabelFindings:
    """What a Bayesian reward model, linear in the embeddings, makes of the labels."""

    evaluation: Evaluation  # how well held-out labels are predicted
    curve: LearningCurve  # the same from fewer labels
    comparisons: int  # comparisons used: all, or a random sample of so many
    dimensions: int  # columns of the embeddings used: all, or so many leading principal components
    carried: float  # share of the embeddings' variance in them
    scale: Hyperparameter  # prior variance of a weight, fitted by marginal likelihood, β being 1
    # prior_variance, posterior_variance: mean variance of the reward difference of the compared
    # pairs before and after the labels, with β = 1; standard errors over pairs
    prior_variance: Estimate
    posterior_variance: Estimate
    # label noise: how often a label is expected to prefer the worse of the two responses of a
    # compared pair; standard error over pairs
    error: Estimate
    # Least and largest at the ends of the 95 % intervals of the hyperparameters fitted: how far the
    # noise is known. From 0 to 1/2 where it is not.
    error_interval: tuple[float, float]
    # how often a second label of a compared pair is expected to agree with a first
    repeat_agreement: Estimate
    doubted: tuple[DoubtedLabel, ...]  # the least likely labels

    @property
    def predicts(self) -> bool:
        """Whether held-out labels are predicted better than by a coin, by two standard errors."""
        loss = self.evaluation.model.log_loss
        return loss.mean + 2.0 * loss.stderr < float(np.log(2.0))


@dataclass(frozen=True, eq=False)
class TrialPlans:
    """What ``ibn plan`` would choose under the fitted model."""

    budget: int
    # within, anywhere: chosen among pairs within prompts, and among all pairs, if enough are left
    within: Design
    anywhere: Design | None


@dataclass(frozen=True, eq=False)
class LearnedLabels:
    """What the labels say, for the report and for what to do next."""

    found: LabelFindings  # for the report
    model: RewardModel  # without own parts, of the responses below
    rows: NDArray[np.int64]  # shape (k,): those responses, of all
    comparisons: Comparisons  # that it is fitted to
    doubted: NDArray[np.int64]  # shape (k,): comparisons, the most doubted label first, of all
    compared: NDArray[np.int64]  # shape (k, 2): their pairs, as rows of the model
    plans: TrialPlans | None  # ``None`` where there is nothing to choose from

    @property
    def rechecked(self) -> int:
        """How many of the doubted are worth a second label: a tenth."""
        return min(len(self.doubted), max(1, round(SHARE * len(self.doubted))))


@dataclass(frozen=True, eq=False)
class _Sample:
    """The comparisons and embeddings that the model is fitted to.

    ``which`` are the comparisons and ``rows`` the responses, of all; ``carried`` is the share of
    the embeddings' variance that their columns hold.
    """

    which: NDArray[np.int64]
    rows: NDArray[np.int64]
    comparisons: Comparisons
    embeddings: NDArray[np.floating]
    carried: float
    reduced: bool


def learn_labels(
    data: PreferenceData,
    embeddings: NDArray[np.floating],
    *,
    seed: int,
    progress: Progress = lambda message: None,
) -> LearnedLabels | None:
    """Fit a reward model to the labels, hold some out, and plan with it.

    ``None`` stands for no labels, or too few. ``seed`` is that of splits, samples and random plans.
    """
    if data.comparisons.winner is None or not np.any(data.comparisons.winner):
        return None
    rng = np.random.default_rng([seed, 5])
    effort = effort_for(len(data.responses))
    sample = _sample(data, embeddings, effort, rng)
    comparisons, prompt_of = sample.comparisons, data.prompt_of[sample.rows]
    progress(f"held-out labels, {SPLITS} splits")
    try:
        evaluation = evaluate(
            sample.embeddings, comparisons, prompt_of, splits=SPLITS, seed=seed, progress=progress
        )
    except InputError:
        return None
    curve = learning_curve(sample.embeddings, comparisons, prompt_of, evaluation, seed=seed)
    progress("label noise")
    with threadpool_limits(1 if effort.reduction else None, user_api="blas"):
        # On matrices so small a second thread would only wait.
        model = fit(sample.embeddings, comparisons, seed=seed)
    doubted, probability = _doubted(comparisons, evaluation)
    found = _findings(data, sample, model, evaluation, curve, doubted, probability)
    progress("what to do next: ibn plan")
    if model.own_variance:  # ibn plan knows no own parts
        model = fit(sample.embeddings, comparisons, own_variance=0.0, intervals=False, seed=seed)
    if shares_responses(comparisons):
        model = cross_validated(model, comparisons, prompt_of[comparisons.a], seed=seed)
    compared = np.stack([comparisons.a, comparisons.b], axis=1)
    plans = try_plans(model, prompt_of, compared, len(data.comparisons), effort, rng)
    return LearnedLabels(
        found=found,
        model=model,
        rows=sample.rows,
        comparisons=comparisons,
        doubted=sample.which[doubted],
        compared=compared[doubted],
        plans=plans,
    )


def _sample(
    data: PreferenceData, embeddings: NDArray[np.floating], effort: Effort, rng: np.random.Generator
) -> _Sample:
    """Take all comparisons and columns, or as many as the effort allows."""
    n, comparisons = len(data.comparisons), data.comparisons
    which, rows = np.arange(n), np.arange(len(data.responses))
    if n > effort.comparisons:
        which = np.sort(rng.choice(n, effort.comparisons, replace=False))
        comparisons = restrict(comparisons, np.isin(np.arange(n), which))
        ends = np.concatenate([comparisons.a, comparisons.b])
        rows, place = np.unique(ends, return_inverse=True)
        a, b = np.split(place, 2)
        comparisons = replace(comparisons, responses=comparisons.responses[rows], a=a, b=b)
    whole = some = embeddings[rows]
    columns = effort.dimensions(whole.shape[1])
    reduced = columns < whole.shape[1]
    if reduced:
        some = leading_components(whole, columns, rng)
    carried = float(some.var(axis=0).sum() / whole.var(axis=0).sum())
    return _Sample(which, rows, comparisons, some, carried, reduced)


def _doubted(
    comparisons: Comparisons, evaluation: Evaluation
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Order comparisons by the probability of their labels, the least first; and these."""
    winner = comparisons.winner
    assert winner is not None
    probability = np.where(winner > 0, evaluation.probability, 1.0 - evaluation.probability)
    probability[winner == 0] = 1.0  # a tie is no label to doubt
    order = np.argsort(probability, kind="stable")
    return order[winner[order] != 0], probability


def _findings(
    data: PreferenceData,
    sample: _Sample,
    model: RewardModel,
    evaluation: Evaluation,
    curve: LearningCurve,
    doubted: NDArray[np.int64],
    probability: NDArray[np.float64],
) -> LabelFindings:
    comparisons = sample.comparisons
    a, b, winner = comparisons.a, comparisons.b, comparisons.winner
    assert winner is not None
    errors, agreements = _label_errors(model, a, b)
    _, variance = model.difference(a, b)
    listed = []
    for k in doubted[:LISTED]:
        ends = (int(sample.rows[a[k]]), int(sample.rows[b[k]]))
        line = int(data.lines[sample.which[k]])
        preferred_first = ends if winner[k] > 0 else ends[::-1]
        listed.append(DoubtedLabel(line, preferred_first, float(probability[k])))
    return LabelFindings(
        evaluation=evaluation,
        curve=curve,
        comparisons=len(sample.which),
        dimensions=sample.embeddings.shape[1],
        carried=sample.carried,
        scale=model.hyperparameters["scale"],
        prior_variance=Estimate.of(prior_variance(model, a, b)),
        posterior_variance=Estimate.of(variance),
        error=Estimate.of(errors),
        error_interval=_error_interval(model, comparisons),
        repeat_agreement=Estimate.of(agreements),
        doubted=tuple(listed),
    )


def _error_interval(model: RewardModel, comparisons: Comparisons) -> tuple[float, float]:
    """Least and largest label error at the ends of the hyperparameters' intervals."""
    intervals = []
    for name in ("scale", "own_variance"):  # or its value, where it is not fitted
        fitted = model.hyperparameters.get(name)
        intervals.append((fitted.low, fitted.high) if fitted else (getattr(model, name),))

    def error(corner: tuple[float, ...]) -> float:
        there = posterior(
            model.features,
            comparisons,
            scale=corner[0],
            own_variance=corner[1],
            beta=model.beta,
            lapse=model.lapse,
        )
        return float(_label_errors(there, comparisons.a, comparisons.b)[0].mean())

    try:
        found = in_threads(error, product(*intervals))
    except (InputError, np.linalg.LinAlgError, RuntimeError):  # the last is SuperLU's
        return 0.0, 0.5  # an interval so wide that its end has no posterior in double precision
    return min(found), max(found)


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


def try_plans(
    model: RewardModel,
    prompt_of: NDArray[np.int64],
    compared: NDArray[np.int64],
    n: int,
    effort: Effort,
    rng: np.random.Generator,
) -> TrialPlans | None:
    """Plan a tenth more of ``n`` labels, among the responses that the model was fitted to.

    ``compared``, shape (k, 2): pairs that have a label; they get a second only where too few are
    without one, as in ``ibn plan``.
    """
    m, listed = len(prompt_of), len(pairs_within(prompt_of))
    affordable = effort.planned(max(LEAST_BUDGET, PLAN_WORK // m))
    budget = min(max(1, round(SHARE * n)), affordable, listed)
    if listed < 2:
        return None
    within = offers(prompt_of, compared, budget, rng)
    across: Offers | None = None
    with suppress(InputError):  # so few responses that all their pairs have labels
        across = offers(prompt_of, compared, budget, rng, kind="any")
    targets = pairs_within(prompt_of)
    targets = targets[rng.permutation(len(targets))[:MOST_TARGETS]]
    control, (near_rng, far_rng) = random_share(len(compared)), rng.spawn(2)

    def design(job: tuple[Offers | None, np.random.Generator]) -> Design | None:
        offered, picks = job
        if offered is None:
            return None
        return choose_bounded(
            model,
            targets,
            offered.pairs,
            budget,
            picks,
            control=control,
            anywhere=offered.anywhere,
            excluded=compared if offered.anywhere else None,
        )

    near, far = in_threads(design, ((within, near_rng), (across, far_rng)))
    assert near is not None
    return TrialPlans(budget, near, far)
