"""A plan replayed on real labels: hidden, revealed as they are chosen, judged on prompts held out.

Each split holds a part of the prompts out. Of the others' labels a few at random are known; the
planner, random choice and simple rules each choose which to see next, and reward models fitted to
what each has seen are judged by the held-out labels. What a method is worth is the number of random
labels that reach the same mean log loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ibn.auditing.evaluation import groups_of
from ibn.auditing.scoring import hits_of
from ibn.bias.nearest import leading_components
from ibn.design.bounded import choose_bounded, random_share
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.learner.log_loss import log_losses
from ibn.learner.reward_model import SCALE_SPREAD, RewardModel, fit
from ibn.preferences.comparisons import Comparisons
from ibn.threads import in_threads

HELD_OUT = 0.3  # of the prompts
START = 32  # random labels that are known at first
BATCHES = 4  # the model learns between them
COLUMNS = 64  # principal components of the embeddings, for speed
TIMES = (0.25, 0.5, 1.0, 2.0, 4.0)  # the budget, at which random choice is measured
RESAMPLES = 2000
POLICIES = ("planned", "longest", "margin")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Worth:
    """A method beside random choice.

    Attributes
    ----------
    log_loss, accuracy : Estimate
        Of held-out labels, over splits.
    gain : Estimate
        Log loss of as many random labels less the method's, split by split. Splits share labels,
        so its error is somewhat too small.
    labels : float
        Random labels that reach the method's mean log loss, beyond those known at first.
    interval : tuple of float
        Of 95 %, by resampling splits; infinite where no number of random labels measured does.
    """

    log_loss: Estimate
    accuracy: Estimate
    gain: Estimate
    labels: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class HiddenLabels:
    """A replay on real labels: ``counts`` of random labels, their ``curve``, and each method."""

    budget: int
    start: int
    splits: int
    counts: tuple[int, ...]
    curve: tuple[Estimate, ...]
    random_accuracy: Estimate
    methods: dict[str, Worth]


def replay_hidden(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    prompt_of: Ints,
    budget: int,
    *,
    splits: int = 20,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> HiddenLabels:
    """Replay a plan of ``budget`` labels on the labels of ``comparisons``.

    ``embeddings``, ``prompt_of``: of the responses, as for ``ibn.auditing.evaluation.evaluate``.
    Raises InputError if there are too few labels to hide.
    """
    group, _ = groups_of(comparisons, prompt_of, 2)
    rng = np.random.default_rng(seed)
    if embeddings.shape[1] > COLUMNS:
        embeddings = leading_components(embeddings, COLUMNS, rng)
    drawn = [
        _Split.of(embeddings, comparisons, group, np.random.default_rng(stream))
        for stream in np.random.SeedSequence(seed).spawn(splits)
    ]
    least = min(len(split.pool) for split in drawn) - START
    if budget > least // 2:
        raise InputError(
            f"{len(comparisons):,} labels are too few to hide {budget:,}",
            fix=f"replay --budget {max(least // 2, 1)} or less, or --labels simulated",
        )
    counts = sorted({round(t * budget) for t in TIMES if round(t * budget) <= least} | {0})
    random = np.empty((splits, len(counts), 2))
    own = {policy: np.empty((splits, 2)) for policy in POLICIES}

    def label(k: int) -> None:
        progress(f"split {k + 1} of {splits}")
        split = drawn[k]
        order = split.rng.permutation(split.pool)
        for i, count in enumerate(counts):
            random[k, i] = split.judge(order[: START + count])
        for policy in POLICIES:
            own[policy][k] = split.judge(split.choose(policy, order[:START], budget))

    with threadpool_limits(1, user_api="blas"):
        in_threads(label, range(splits))
    return _compare(budget, counts, random, own, np.random.default_rng([seed, 1]))


@dataclass(frozen=True, eq=False)
class _Split:
    """Labels to choose from, ``pool``, and those held out, ``judged``: positions of comparisons."""

    embeddings: NDArray[np.floating]
    comparisons: Comparisons
    pool: Ints
    judged: Ints
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        embeddings: NDArray[np.floating],
        comparisons: Comparisons,
        group: Ints,
        rng: np.random.Generator,
    ) -> _Split:
        names = rng.permutation(np.unique(group))
        held = np.isin(group, names[: max(1, round(HELD_OUT * len(names)))])
        pool = np.flatnonzero(~held)
        pairs = np.sort(np.stack([comparisons.a, comparisons.b])[:, pool], axis=0)
        pool = pool[np.sort(np.unique(pairs, axis=1, return_index=True)[1])]  # a label a pair
        return cls(embeddings, comparisons, pool, np.flatnonzero(held), rng)

    def fit(self, known: Ints) -> RewardModel:
        return fit(
            self.embeddings,
            self.comparisons.select(np.isin(np.arange(len(self.comparisons)), known)),
            own_variance=0.0,
            scale_spread=SCALE_SPREAD,
            intervals=False,
        )

    def judge(self, known: Ints) -> tuple[float, float]:
        """Log loss and accuracy on the labels held out."""
        a, b = self.comparisons.a[self.judged], self.comparisons.b[self.judged]
        chance, target = self.fit(known).probability(a, b), self.comparisons.preferred[self.judged]
        return float(log_losses(chance, target).mean()), float(hits_of(chance, target).mean())

    def choose(self, policy: str, known: Ints, budget: int) -> Ints:
        """Choose in batches, the model learning between them; return all that is then known."""
        pairs = np.stack([self.comparisons.a, self.comparisons.b], axis=1)
        for count in np.diff(np.linspace(0, budget, BATCHES + 1).astype(int)).tolist():
            if not count:
                continue
            model, free = self.fit(known), self.pool[~np.isin(self.pool, known)]
            if policy == "planned":
                share = random_share(len(known))
                chosen = choose_bounded(
                    model, pairs[self.pool], pairs[free], count, self.rng, control=share
                ).pairs
                code = pairs[free] @ [len(model.features), 1]
                wanted = chosen @ [len(model.features), 1]
                order = np.argsort(code)
                picked = order[np.searchsorted(code, wanted, sorter=order)]
            else:
                picked = np.argsort(-_score(policy, model, pairs[free]), kind="stable")[:count]
            known = np.concatenate([known, free[picked]])
        return known


def _score(policy: str, model: RewardModel, pairs: Ints) -> Floats:
    a, b = pairs.T
    if policy == "longest":
        return np.linalg.norm(model.features[a] - model.features[b], axis=1)
    reward = model.rewards()
    return -np.abs(reward[a] - reward[b])


def _compare(
    budget: int,
    counts: list[int],
    random: Floats,
    own: dict[str, Floats],
    rng: np.random.Generator,
) -> HiddenLabels:
    splits, at = len(random), counts.index(budget)
    again = rng.integers(0, splits, (RESAMPLES, splits))
    methods = {}
    for policy, scores in own.items():
        drawn = [
            reached(counts, random[rows, :, 0].mean(axis=0), float(scores[rows, 0].mean()))
            for rows in again
        ]
        low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
        methods[policy] = Worth(
            log_loss=Estimate.of(scores[:, 0]),
            accuracy=Estimate.of(scores[:, 1]),
            gain=Estimate.of(random[:, at, 0] - scores[:, 0]),
            labels=reached(counts, random[:, :, 0].mean(axis=0), float(scores[:, 0].mean())),
            interval=(float(low), float(high)),
        )
    return HiddenLabels(
        budget,
        START,
        splits,
        tuple(counts),
        tuple(Estimate.of(column) for column in random[:, :, 0].T),
        Estimate.of(random[:, at, 1]),
        methods,
    )


def reached(counts: list[int], losses: Floats, level: float) -> float:
    """Random labels whose mean log loss, chance rises levelled, first reaches a level.

    Between counts it is linear; infinite where none measured does.
    """
    falling = np.minimum.accumulate(losses)
    if level >= falling[0]:
        return 0.0
    if level < falling[-1]:
        return np.inf
    k = int(np.argmax(falling <= level))
    share = (falling[k - 1] - level) / (falling[k - 1] - falling[k])
    return float(counts[k - 1] + share * (counts[k] - counts[k - 1]))
