"""Comparisons chosen one by one, each the best given those before: exact rank-one updates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.design.fitted_noise import label_variance
from ibn.design.target import bounding
from ibn.errors import InputError, unknown_name
from ibn.kernels.design import update_and_choose
from ibn.learner.reward_model import RewardModel
from ibn.pair_code import pair_code
from ibn.progress import Tell, silent

CRITERIA = ("reduction", "variance")
BLOCK = 4096
MOST_EXCHANGES = 6
ROUNDING = 1e-9  # of a gain
TOLD = 16  # comparisons chosen between words on how far it is
ENOUGH = 2  # candidates within reach a comparison wanted
UNLIMITED = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Design:
    """Comparisons to label next, in the order chosen.

    Attributes
    ----------
    pairs : ndarray of int, shape (K, 2)
        Positions of responses.
    reduction : ndarray of float, shape (K,)
        What each is expected to take from the mean posterior variance, given those before it.
    before : float
        The mean posterior variance before any of them.
    control : ndarray of bool, shape (K,)
        Which are random picks, so that what the others bring can be held against them.
    """

    pairs: NDArray[np.int64]
    reduction: NDArray[np.float64]
    before: float
    control: NDArray[np.bool_]

    @property
    def after(self) -> float:
        """The mean posterior variance expected after all of them."""
        return self.before - float(self.reduction.sum())


class _Learner:
    """Covariance Σ of the weights and ``pull`` ΣCΣ as comparisons come in, and what follows.

    ``step`` is ΦΣx and ΦΣCΣx of the comparison x taken in last, its σ² + xᵀΣx, and its xᵀΣCΣx.
    Differences are bounded: longer ones count as if they had the length ``bound``.
    """

    def __init__(
        self, model: RewardModel, target: NDArray[np.float64], bound: float = np.inf
    ) -> None:
        if model.own_variance:
            raise InputError(
                "designs are for reward models without own parts", fix="own_variance=0"
            )
        self.model, self.bound = model, bound
        self.covariance = model.covariance.copy()
        self.pull = self.covariance @ target @ self.covariance
        self.before = float(np.sum(self.covariance * target))
        zero = np.zeros(len(model.features))
        self.nothing: tuple[NDArray, NDArray, float, float] = (zero, zero, 1.0, 0.0)
        self.step = self.nothing
        self.pairs: list[tuple[int, int]] = []
        self.reduction: list[float] = []

    def learn(self, a: int, b: int, noise: float) -> None:
        """Take in a label of variance σ² = ``noise``."""
        features = self.model.features
        x = features[a] - features[b]
        x = x * bounding(np.linalg.norm(x), self.bound)
        v, q = self.covariance @ x, self.pull @ x
        c, t = noise + float(x @ v), float(x @ q)
        self.covariance -= np.outer(v, v / c)
        mixed = np.outer(v, (q - v * (t / c / 2.0)) / c)
        self.pull -= mixed + mixed.T
        self.step = (features @ v, features @ q, c, t)
        self.pairs.append((a, b))
        self.reduction.append(t / c)

    def design(self) -> Design:
        """Return what has been taken in."""
        pairs = np.array(self.pairs, dtype=np.int64).reshape(-1, 2)
        control = np.zeros(len(pairs), dtype=bool)
        return Design(pairs, np.array(self.reduction), self.before, control)


class _Listed:
    """Listed candidates, their variances and pulls kept up to date with a learner."""

    def __init__(
        self,
        learner: _Learner,
        pairs: NDArray[np.int64],
        left: NDArray[np.int64],
        by_variance: bool,
        reach: float,
    ) -> None:
        model = learner.model
        self.learner, self.left, self.by_variance = learner, left, by_variance
        self.a, self.b = np.ascontiguousarray(np.asarray(pairs, dtype=np.int64).T)
        reward = model.rewards()
        self.length = pair_lengths(model.features, pairs)
        self.factor = bounding(self.length, learner.bound)
        self.own, self.pull = (
            _quadratic(model.features, matrix, self.a, self.b) * self.factor**2
            for matrix in (learner.covariance, learner.pull)
        )
        gap = (reward[self.a] - reward[self.b]) * self.factor
        self.noise = label_variance(model, gap, self.own)
        self.open = self.length <= reach
        self.far = ~self.open  # may be chosen where nothing else is left
        self.code = self._code(self.a, self.b)

    def close(self, pairs: NDArray[np.int64]) -> None:
        """Let some pairs be chosen no more."""
        codes = self._code(pairs[:, 0], pairs[:, 1])
        named = self.code == codes[0] if len(codes) == 1 else np.isin(self.code, codes)
        self.open[named] = self.far[named] = False

    def widen(self) -> bool:
        """Let pairs beyond reach be chosen; return whether there are any."""
        self.open |= self.far
        some = bool(self.far.any())
        self.far[:] = False
        return some

    def _code(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        return pair_code(a, b, len(self.left))

    def best(self) -> int:
        """Take in the learner's last step; return the best candidate's position, -1 if none."""
        step, self.learner.step = self.learner.step, self.learner.nothing
        return int(
            update_and_choose(
                self.a,
                self.b,
                self.factor,
                self.open,
                self.left,
                self.noise,
                self.by_variance,
                *step,
                self.own,
                self.pull,
            )
        )


class _Partners:
    """The best partner of a response among all others, no farther than ``reach``."""

    def __init__(
        self, learner: _Learner, left: NDArray[np.int64], by_variance: bool, reach: float
    ) -> None:
        model = learner.model
        self.learner, self.left, self.by_variance = learner, left, by_variance
        self.reach = reach
        self.closed: dict[int, list[int]] = defaultdict(list)
        self.reward = model.rewards()
        self.own, self.pull = (
            np.einsum("ij,ij->i", model.features @ matrix, model.features)
            for matrix in (learner.covariance, learner.pull)
        )
        self.own_before = self.own.copy()
        self.square = np.einsum("ij,ij->i", model.features, model.features)

    def close(self, pairs: NDArray[np.int64]) -> None:
        """Let some pairs be chosen no more."""
        for a, b in pairs.tolist():
            self.closed[a].append(b)
            self.closed[b].append(a)

    def update(self) -> None:
        """Take in the learner's last step."""
        v, q, c, t = self.learner.step
        self.own -= v * v / c
        self.pull -= (2.0 * q - v * (t / c)) * v / c

    def best(self, a: int) -> tuple[int, float, float]:
        """Return the best partner of response a, its score and the noise of their label."""
        model, x = self.learner.model, self.learner.model.features[a]
        matrices = (model.covariance, self.learner.covariance, self.learner.pull)
        cross = model.features @ np.stack([x, *(matrix @ x for matrix in matrices)], axis=1)
        kinds = (self.square, self.own_before, self.own, self.pull)
        square, before, variance, pull = (
            alone[a] + alone - 2.0 * product for alone, product in zip(kinds, cross.T, strict=True)
        )
        factor = bounding(np.sqrt(np.maximum(square, 0.0)), self.learner.bound)
        before, variance, pull = (part * factor**2 for part in (before, variance, pull))
        gap = (self.reward[a] - self.reward) * factor
        noise = label_variance(model, gap, np.maximum(before, 0.0))
        score = variance if self.by_variance else pull / (noise + variance)
        score[square > self.reach**2] = -np.inf
        score[[a, *self.closed[a]]] = -np.inf
        score[self.left == 0] = -np.inf
        b = int(np.argmax(score))
        return b, float(score[b]), float(noise[b])


def choose(
    model: RewardModel,
    target: NDArray[np.float64],
    pairs: NDArray[np.int64],
    budget: int,
    *,
    anywhere: bool = False,
    excluded: NDArray[np.int64] | None = None,
    max_uses: int | None = None,
    repeat: bool = False,
    criterion: str = "reduction",
    bound: float = np.inf,
    reach: float = np.inf,
    first: NDArray[np.int64] | None = None,
    progress: Tell = silent,
) -> Design:
    """Choose comparisons greedily, each the best given those before.

    Among N listed candidates the choice is exact: their gains are kept up to date by two
    products of the features with a vector. This costs O(m d² + N d) once and O(m d + d² + N)
    a comparison. With ``anywhere`` the list is only where to look first: one of the two responses
    of the best listed pair gets the best partner among all, then that partner, and so on until
    nothing changes. That is at least as good a step as the list's best and, but for a cap on the
    exchanges, a local optimum among all m (m - 1) / 2 pairs, none of which need be listed, at
    the same cost.

    What a label is expected to tell is that under ``model``: between batches, take in the labels
    and ask anew.

    Parameters
    ----------
    model : RewardModel
        What is known so far, about the responses that the candidates name; without own parts
        (``own_variance`` 0), whose share in several labels of one response it does not follow.
    target : ndarray, shape (d, d)
        C of the pairs that matter, from :func:`ibn.design.second_moment`.
    pairs : ndarray of int, shape (N, 2)
        Candidates, distinct.
    budget : int
        Comparisons wanted, K.
    anywhere : bool
        Whether any two responses may be compared, listed or not.
    excluded : ndarray of int, shape (e, 2), optional
        Pairs that may not be chosen.
    max_uses : int, optional
        At most so many of the chosen comparisons use a response.
    repeat : bool
        Whether a pair may be chosen again: several labels of one pair.
    criterion : {"reduction", "variance"}
        ``variance`` chooses the most uncertain reward difference instead, whatever the target:
        uncertainty sampling, greedily D-optimal where all labels are equally noisy.
    bound : float
        Longer differences of features count as if they had this length; so they should in
        ``target``.
    reach : float
        Pairs of longer differences are not chosen, unless the others are too few.
    first : ndarray of int, shape (f, 2), optional
        Comparisons that come first whatever their gain, part of the budget.
    progress : callable
        Called now and then with how many are chosen.

    Raises
    ------
    InputError
        If the constraints leave too few candidates, or the criterion is unknown.
    """
    if criterion not in CRITERIA:
        raise unknown_name("criterion", criterion, CRITERIA)
    learner = _Learner(model, target, bound)
    left = _uses_left(len(model.features), max_uses)
    if np.sum(pair_lengths(model.features, pairs) <= reach) < ENOUGH * budget:
        reach = np.inf
    listed = _Listed(learner, pairs, left, criterion == "variance", reach)
    partners = _Partners(learner, left, criterion == "variance", reach)
    if excluded is not None:
        excluded = np.asarray(excluded, dtype=np.int64).reshape(-1, 2)
        listed.close(excluded)
        partners.close(excluded)

    def take(a: int, b: int, noise: float) -> None:
        learner.learn(a, b, noise)
        if anywhere:
            partners.update()
        left[[a, b]] -= 1
        if not repeat:
            listed.close(np.array([[a, b]]))
            partners.close(np.array([[a, b]]))

    given = np.empty((0, 2), np.int64) if first is None else first
    for (a, b), noise in zip(given.tolist(), _noise(model, given, bound), strict=True):
        take(a, b, float(noise))
        listed.best()  # brings it up to date
    for picked in range(len(given), budget):
        if picked % TOLD == 0:
            progress(f"comparison {picked + 1:,} of {budget:,}")
        if (k := listed.best()) < 0 and listed.widen():
            partners.reach, k = np.inf, listed.best()
        if k < 0:
            raise _too_few(len(learner.pairs), budget)
        a, b, noise = int(listed.a[k]), int(listed.b[k]), float(listed.noise[k])
        if anywhere:
            score = (
                listed.own[k] if listed.by_variance else listed.pull[k] / (noise + listed.own[k])
            )
            a, b, noise = _exchange(partners, a, b, noise, float(score))
        take(a, b, noise)
    return learner.design()


def pair_lengths(features: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Length of each pair's difference of features."""
    a, b = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    found = np.empty(len(a))
    for low in range(0, len(a), BLOCK):
        i, j = a[low : low + BLOCK], b[low : low + BLOCK]
        found[low : low + BLOCK] = np.linalg.norm(features[i] - features[j], axis=1)
    return found


def _noise(model: RewardModel, pairs: NDArray[np.int64], bound: float) -> NDArray[np.float64]:
    """Variance of a label of each pair, its difference bounded."""
    mean, variance = model.difference(*pairs.T)
    factor = bounding(pair_lengths(model.features, pairs), bound)
    return label_variance(model, mean * factor, variance * factor**2)


def _exchange(
    partners: _Partners, a: int, b: int, noise: float, score: float
) -> tuple[int, int, float]:
    """Improve a pair by the best partner of one end, then of the other, in turn."""
    unchanged = 0
    for _ in range(MOST_EXCHANGES):
        other, better, its_noise = partners.best(a)
        if better > score * (1.0 + ROUNDING):
            b, score, noise, unchanged = other, better, its_noise, 0
        else:
            unchanged += 1
        if unchanged == 2:
            break
        a, b = b, a
    return a, b, noise


def _quadratic(
    features: NDArray[np.float64],
    matrix: NDArray[np.float64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(φ(a) - φ(b))ᵀ M (φ(a) - φ(b)) of each pair, in blocks of bounded size."""
    product, found = features @ matrix, np.empty(len(a))
    if 4 * len(a) > len(features) ** 2:  # nearly all pairs: one matrix product is faster
        gram = product @ features.T
        alone = gram.diagonal()
        return np.maximum(alone[a] + alone[b] - 2.0 * gram[a, b], 0.0)
    for low in range(0, len(a), BLOCK):
        i, j = a[low : low + BLOCK], b[low : low + BLOCK]
        part = np.einsum("ij,ij->i", features[i] - features[j], product[i] - product[j])
        found[low : low + BLOCK] = np.maximum(part, 0.0)
    return found


def choose_at_random(
    m: int,
    pairs: NDArray[np.int64],
    budget: int,
    rng: np.random.Generator,
    *,
    max_uses: int | None = None,
    repeat: bool = False,
) -> NDArray[np.int64]:
    """Choose comparisons at random among listed candidates.

    ``m``: number of responses; ``pairs``, ``budget``, ``max_uses``, ``repeat``: as for
    :func:`choose`. Returns shape (K, 2). Raises InputError if fewer than K candidates, taken in
    random order, meet the constraint.
    """
    pairs = np.asarray(pairs, dtype=np.int64)
    rounds = max(1, -(-budget // len(pairs))) if repeat and len(pairs) else 1
    order = np.concatenate([rng.permutation(len(pairs)) for _ in range(rounds)])
    if max_uses is not None:
        left = _uses_left(m, max_uses)
        allowed = []
        for k in order.tolist():
            if left[pairs[k]].all():
                left[pairs[k]] -= 1
                allowed.append(k)
        order = np.array(allowed, dtype=np.int64)
    if len(order) < budget:
        raise _too_few(len(order), budget)
    return pairs[order[:budget]]


def expected_variance(
    model: RewardModel,
    target: NDArray[np.float64],
    pairs: NDArray[np.int64],
    *,
    bound: float = np.inf,
) -> float:
    """Mean posterior variance of the target pairs expected after labels of given pairs.

    ``bound``: as for :func:`choose`.
    """
    a, b = np.asarray(pairs, dtype=np.int64).T
    x = model.features[a] - model.features[b]
    x = x * bounding(np.linalg.norm(x, axis=1), bound)[:, None]
    noise = _noise(model, pairs, bound)
    if len(a) < x.shape[1]:  # the smaller of two systems
        reach = x @ model.covariance
        reduction = np.linalg.solve(np.diag(noise) + reach @ x.T, reach @ target @ reach.T)
        return float(np.sum(model.covariance * target) - np.trace(reduction))
    root = np.linalg.cholesky(model.covariance)
    x = (x / np.sqrt(noise)[:, None]) @ root
    information = np.eye(len(root)) + x.T @ x
    return float(np.trace(np.linalg.solve(information, root.T @ target @ root)))


def _uses_left(m: int, max_uses: int | None) -> NDArray[np.int64]:
    return np.full(m, UNLIMITED if max_uses is None else max_uses, dtype=np.int64)


def _too_few(found: int, budget: int) -> InputError:
    return InputError(
        f"only {found} comparisons can be chosen for a budget of {budget}",
        fix="ask for fewer, give more candidates, or allow more uses or repeats",
    )
