"""Replays of labelling: rewards and labels drawn from a model, comparisons chosen by a policy.

Each repetition draws true rewards from the prior and lets every policy label the same number of
comparisons, batch by batch, starting from none; after a batch the model takes the labels in.
All policies have the same truth, the same candidates and the same model, whose hyperparameters
they know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.bias.ultrametric import Ultrametric
from ibn.design import all_pairs, choose, pairs_within, sample_pairs, second_moment
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.reward_model import RewardModel
from ibn.learner.weights import PairLabels, Settings, infer
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.threads import in_threads

POLICIES = ("planned", "random", "variance", "margin")
RESAMPLES = 1000
ROUNDING = 1e-12  # of the scale: keeps the factor of a world's covariance real


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be learnt, and from which comparisons."""

    prior: RewardModel  # before any label
    target: NDArray[np.float64]  # shape (d, d): C of the pairs that matter
    pairs: NDArray[np.int64]  # shape (N, 2): candidates
    # whether the candidates are a random sample of the pairs that may be compared, which are all:
    # see ibn.design.choose
    anywhere: bool = False


@dataclass(frozen=True, eq=False)
class Saving:
    """How many labels a policy needs for what random choice reaches with K, K over that number."""

    labels: int  # K
    variance: Estimate  # by posterior variance; each repetition gives one ratio
    error: float  # by squared error of the reward model, averaged over repetitions
    error_interval: tuple[float, float]  # 95 % bootstrap interval over repetitions


@dataclass(frozen=True, eq=False)
class Replay:
    """Curves of all repetitions."""

    labels: NDArray[np.int64]  # shape (c,): numbers of labels, from 0
    # shape (repetitions, c): by policy: mean posterior variance of the target pairs' reward
    # differences, and the mean squared error of the reward model's differences, both over the prior
    # variance
    variance: dict[str, NDArray[np.float64]]
    error: dict[str, NDArray[np.float64]]
    seed: int  # of the random streams

    def saving(self, policy: str, k: int) -> Saving:
        """Compare a policy with random choice after ``labels[k]`` labels."""
        ratios = np.array(
            [
                _ratio(self.labels, random, own, k)
                for random, own in zip(self.variance["random"], self.variance[policy], strict=True)
            ]
        )
        random, own = self.error["random"], self.error[policy]
        rng = np.random.default_rng(self.seed)
        again = rng.integers(0, len(own), (RESAMPLES, len(own)))

        def ratio(rows: NDArray[np.int64]) -> float:
            return _ratio(self.labels, _falling(random[rows]), _falling(own[rows]), k)

        low, high = np.quantile([ratio(rows) for rows in again], [0.025, 0.975])
        whole = ratio(np.arange(len(own)))
        return Saving(int(self.labels[k]), Estimate.of(ratios), whole, (float(low), float(high)))


def unlearnt(model: RewardModel) -> RewardModel:
    """Return the prior of a fitted model: its hyperparameters, and nothing learnt."""
    d = len(model.mean)
    return replace(model, mean=np.zeros(d), covariance=model.scale * np.eye(d))


def data_problem(
    prior: RewardModel,
    prompt_of: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    within: bool,
    target_within: bool,
    pool: int,
) -> Problem:
    """Make the problem of a dataset's responses: candidates within prompts, or any two."""
    target = second_moment(prior.features, prompt_of if target_within else None)
    if within:
        return Problem(prior, target, rng.permutation(pairs_within(prompt_of)))
    pairs = rng.permutation(sample_pairs(len(prompt_of), pool, rng))
    return Problem(prior, target, pairs, anywhere=True)


def world_problem(
    world: Ultrametric, responses: int, noise: LabelNoise, rng: np.random.Generator
) -> Problem:
    """Draw responses from the ultrametric world; any two are candidates, and all pairs matter.

    Features are a Cholesky factor of the responses' prior covariance, (I - d_IB) / 2, which has
    their d_IB for the variances of reward differences. Labels are continuous.
    """
    drawn = np.unique(world.sample(responses, rng))
    if len(drawn) < responses:
        raise InputError(f"{responses} responses drawn are not all different in so small a world")
    covariance = (world.scale - world.distance(drawn[:, None], drawn)) / 2.0
    covariance[np.diag_indices(responses)] += ROUNDING * world.scale
    prior = RewardModel(
        mean=np.zeros(responses),
        covariance=np.eye(responses),
        features=np.asarray(np.linalg.cholesky(covariance), dtype=np.float64),
        scale=1.0,
        beta=noise.beta,
        lapse=0.0,
        labels="gaussian",
        noise_variance=noise.variance(),
        own_variance=0.0,
        log_evidence=np.nan,
    )
    target = second_moment(prior.features)
    return Problem(prior, target, rng.permutation(all_pairs(responses)))


def replay(
    draw: Callable[[np.random.Generator], Problem],  # gives the problem of a repetition
    budget: int,  # labels, K
    *,
    batches: int = 16,  # number of batches: the model learns between them, and is measured
    repetitions: int = 20,  # at least 2
    seed: int = 0,
    policies: Sequence[str] = POLICIES,
    progress: Callable[[str], None] = lambda message: None,
) -> Replay:
    """Replay the labelling of ``budget`` comparisons by each policy.

    ``planned`` chooses by expected reduction of the mean posterior variance; ``variance``, the
    reward difference of the largest posterior variance; ``margin``, the label whose probability
    under the mean rewards is nearest to 1/2; ``random``, uniformly. None labels a pair twice.

    ``policies``: which; random choice must be among them for :meth:`Replay.saving`.

    Raises InputError if a number is out of range, or there are fewer candidates than labels.
    """
    if repetitions < 2:
        raise InputError(f"repetitions must be at least 2, not {repetitions}")
    if not 1 <= batches <= budget:
        raise InputError(f"batches must lie between 1 and the budget, {budget}, not {batches}")
    labels = np.unique(np.linspace(0, budget, batches + 1).astype(np.int64))
    shape = (repetitions, len(labels))
    variance = {policy: np.empty(shape) for policy in policies}
    error = {policy: np.empty(shape) for policy in policies}
    streams = np.random.SeedSequence(seed).spawn(repetitions)

    def repeat(r: int) -> None:
        progress(f"repetition {r + 1} of {repetitions}")
        rng = np.random.default_rng(streams[r])
        problem = draw(rng)
        if budget > len(problem.pairs):
            raise InputError(f"{len(problem.pairs)} candidates for a budget of {budget}")
        prior = problem.prior
        truth = prior.mean + np.linalg.cholesky(prior.covariance) @ rng.normal(size=len(prior.mean))
        for policy, own in zip(policies, rng.spawn(len(policies)), strict=True):
            curve = _label(problem, policy, truth, labels, own)
            variance[policy][r], error[policy][r] = curve / curve[0, 0]

    with threadpool_limits(1, user_api="blas"):
        in_threads(repeat, range(repetitions))
    return Replay(labels, variance, error, seed)


def _label(
    problem: Problem,
    policy: str,
    truth: NDArray[np.float64],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return posterior variance and squared error at each number of labels, shape (2, c)."""
    model, target = problem.prior, problem.target
    reward = model.features @ truth
    settings = Settings(model.scale, model.beta, model.lapse, model.noise_variance)
    compared = np.empty((0, 2), np.int64)
    answers = np.empty(0)
    curve = np.empty((2, len(labels)))

    def measure(k: int) -> None:
        miss = model.mean - truth
        curve[:, k] = np.sum(model.covariance * target), miss @ target @ miss

    measure(0)
    found = None
    for k, count in enumerate(np.diff(labels).tolist(), 1):
        chosen = _choose(problem, policy, model, count, compared, rng)
        difference = reward[chosen[:, 0]] - reward[chosen[:, 1]]
        if model.labels == "gaussian":
            fresh = rng.logistic(difference, 1.0 / model.beta)
        else:
            up = rng.logistic(model.beta * difference) > 0
            flipped = rng.random(count) < model.lapse
            fresh = np.where(up != flipped, 1.0, -1.0)
        compared, answers = np.concatenate([compared, chosen]), np.concatenate([answers, fresh])
        a, b = compared.T
        everyone = np.arange(len(reward))
        comparisons = Comparisons(
            everyone, a, b, delta=answers, winner=np.sign(answers).astype(np.int8)
        )
        read = PairLabels.of(model.features, comparisons, model.labels)
        found = infer(read, settings, found)
        model = replace(model, mean=found.mean, covariance=found.covariance())
        measure(k)
    return curve


def _choose(
    problem: Problem,
    policy: str,
    model: RewardModel,
    count: int,
    compared: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Choose the next batch; candidates are in random order, and none is compared twice."""
    if policy in ("planned", "variance"):
        return choose(
            model,
            problem.target,
            problem.pairs,
            count,
            anywhere=problem.anywhere,
            excluded=compared,
            criterion="reduction" if policy == "planned" else "variance",
        ).pairs
    m = len(model.features)
    pairs = problem.pairs[~np.isin(problem.pairs @ [m, 1], compared @ [m, 1])]
    if policy == "random":
        return pairs[rng.choice(len(pairs), count, replace=False)]
    reward = model.rewards()
    gap = np.abs(reward[pairs[:, 0]] - reward[pairs[:, 1]])
    return pairs[np.argsort(gap, kind="stable")[:count]]


def _falling(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean curve, its rises by chance levelled."""
    return np.minimum.accumulate(curves.mean(axis=0))


def _needed(labels: NDArray[np.int64], curve: NDArray[np.float64], level: float) -> float:
    """Labels at which a falling curve first reaches a level, log-linear between its points."""
    k = int(np.argmax(curve <= level))
    if k == 0:
        return float(labels[0])
    share = np.log(curve[k - 1] / level) / np.log(curve[k - 1] / curve[k])
    return float(labels[k - 1] + share * (labels[k] - labels[k - 1]))


def _ratio(
    labels: NDArray[np.int64],
    random: NDArray[np.float64],
    own: NDArray[np.float64],
    k: int,
) -> float:
    """Labels that random choice needs over those that a policy needs, at random's level at k.

    Where the policy never gets there, at its own level at k. Labels are whole: where random choice
    has learnt nothing, the policy counts as having needed one.
    """
    if own[-1] <= random[k]:
        return float(labels[k]) / max(_needed(labels, own, random[k]), 1.0)
    return _needed(labels, random, own[k]) / float(labels[k])
