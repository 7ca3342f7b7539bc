"""Ways to choose which pairs of a pool to label next, behind one interface.

A method is a function ``(state, k, rng) -> indices``: k of the state's open candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from benchmarks.pool_learners import Belief, laplace
from ibn.design.bounded import choose_bounded, random_share
from ibn.design.greedy import choose
from ibn.learner.reward_model import RewardModel
from ibn.pair_code import pair_code

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
ENSEMBLE = 8
THOMPSON_ROUNDS = 8
OPTIMISM = 1.0  # standard deviations that DeltaUCB adds
PROMPT_WEIGHT = 1.0  # of BAL-PM's prompt entropy beside the information
UNLIMITED = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class State:
    """What is known when pairs are to be chosen."""

    features: NDArray[np.float64]  # shape (m, d): of responses
    prompt_of: NDArray[np.int64]  # shape (m,)
    prompts: NDArray[np.float64]  # shape (prompts, e)
    pairs: NDArray[np.int64]  # shape (N, 2): candidates, positions of responses
    x: NDArray[np.float64]  # shape (N, d): their differences
    open: NDArray[np.bool_]  # shape (N,): not labelled yet
    labelled: NDArray[np.int64]  # shape (n,): candidates, in the order labelled
    sign: NDArray[np.float64]  # shape (n,): +1 where the first was preferred, -1 the second
    belief: Belief

    @property
    def prompt(self) -> NDArray[np.int64]:
        """The prompt of each candidate."""
        return self.prompt_of[self.pairs[:, 0]]

    def gap(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Posterior mean and variance of each candidate's reward difference."""
        own = np.einsum("ij,ij->i", self.x @ self.belief.covariance, self.x)
        return self.x @ self.belief.mean, own


Method = Callable[[State, int, np.random.Generator], NDArray[np.int64]]


def random(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose uniformly."""
    return rng.choice(np.flatnonzero(state.open), k, replace=False)


def top(state: State, score: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Take the k open candidates of the largest score."""
    score = np.where(state.open, score, -np.inf)
    return np.argpartition(-score, k - 1)[:k] if k < len(score) else np.arange(k)


@njit(cache=True, nogil=True)
def greedy_determinant(x, weight, covariance, is_open, group, left, k):
    """Choose k rows, each with the largest weight · xᵀΣx given those before it.

    ``left``: by group, how many of it may be chosen; brought up to date, as is ``is_open``.
    """
    sigma = covariance.copy()
    own = np.empty(len(x))
    for i in range(len(x)):
        own[i] = x[i] @ sigma @ x[i]
    chosen = np.empty(k, np.int64)
    for step in range(k):
        best, most = -1, -1.0
        for i in range(len(x)):
            if is_open[i] and left[group[i]] > 0 and weight[i] * own[i] > most:
                best, most = i, weight[i] * own[i]
        if best < 0:
            return chosen[:step]
        chosen[step] = best
        is_open[best] = False
        left[group[best]] -= 1
        v = sigma @ x[best]
        c = 1.0 / weight[best] + x[best] @ v
        sigma -= np.outer(v, v / c)
        along = x @ v
        own -= along * along / c
    return chosen


def _determinant(
    state: State, k: int, covariance: NDArray[np.float64], a_prompt: int = UNLIMITED
) -> NDArray[np.int64]:
    chance = expit(state.x @ state.belief.mean)
    weight = np.maximum(chance * (1.0 - chance), 1e-12)
    is_open, found = state.open.copy(), np.empty(0, np.int64)
    while len(found) < k:  # where every prompt has been used, all are free again
        left = np.full(int(state.prompt.max()) + 1, a_prompt)
        more = greedy_determinant(
            state.x, weight, covariance, is_open, state.prompt, left, k - len(found)
        )
        found = np.append(found, more)
    return found


def d_optimal(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose by the determinant of the batch's own information, weighed by p (1 - p)."""
    return _determinant(state, k, state.belief.scale * np.eye(state.x.shape[1]))


def past_aware(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose by the determinant of past and new information (Shen, Sun and Ton 2025)."""
    return _determinant(state, k, state.belief.covariance)


def past_aware_prompts(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose as past-aware D-optimal does, one pair a prompt until all are used."""
    return _determinant(state, k, state.belief.covariance, 1)


def information(state: State) -> NDArray[np.float64]:
    """Mutual information of each candidate's label and the weights (BALD), in nats."""
    mean, variance = state.gap()
    chance = expit(mean[:, None] + np.sqrt(variance)[:, None] * NODES)
    weight = NODE_WEIGHTS / NODE_WEIGHTS.sum()
    return _entropy(chance @ weight) - _entropy(chance) @ weight


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return -xlogy(p, p) - xlogy(1.0 - p, 1.0 - p)


def bald(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the labels that tell most about the weights, one by one (Houlsby et al. 2011)."""
    return top(state, information(state), k)


def bal_pm(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose by BALD plus the log distance to the nearest prompt chosen (after Melo et al. 2024).

    The entropy of the chosen prompts is estimated by nearest neighbours, so that a prompt
    adds the logarithm of its distance to the nearest one chosen. Both terms are standardised.
    """
    worth = _standard(information(state), state.open)
    prompt, found = state.prompt, np.empty(k, np.int64)
    near = np.full(len(state.prompts), np.inf)
    for p in np.unique(prompt[state.labelled]):
        near = np.minimum(near, np.linalg.norm(state.prompts - state.prompts[p], axis=1))
    is_open = state.open.copy()
    for step in range(k):
        far = np.zeros(len(prompt))
        if np.isfinite(near).all():
            far = _standard(np.log(near + 1e-3)[prompt], is_open)
        score = np.where(is_open, worth + PROMPT_WEIGHT * far, -np.inf)
        found[step] = i = int(np.argmax(score))
        is_open[i] = False
        near = np.minimum(near, np.linalg.norm(state.prompts - state.prompts[prompt[i]], axis=1))
    return found


def _standard(score: NDArray[np.float64], some: NDArray[np.bool_]) -> NDArray[np.float64]:
    spread = score[some].std()
    return (score - score[some].mean()) / (spread if spread > 0 else 1.0)


def info_max(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the largest posterior variances of the reward difference (Saha 2021)."""
    return top(state, state.gap()[1], k)


def margin(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the labels whose probability is nearest to 1/2; at random before any label."""
    return top(state, -np.abs(state.gap()[0]) - 1e-9 * rng.random(len(state.x)), k)


def delta_ucb(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the largest upper bounds of the reward gap (DeltaUCB, ActiveUltraFeedback 2026)."""
    mean, variance = state.gap()
    return top(state, np.abs(mean) + OPTIMISM * np.sqrt(variance), k)


def longest(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the longest differences of embeddings."""
    return top(state, np.linalg.norm(state.x, axis=1), k)


def ensemble(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose where models of bootstrap resamples disagree most; at random before any label."""
    if not len(state.labelled):
        return random(state, k, rng)
    x = state.x[state.labelled] * state.sign[:, None]
    chance = []
    for _ in range(ENSEMBLE):
        again = rng.integers(0, len(x), len(x))
        chance.append(expit(state.x @ laplace(x[again], state.belief.scale, None).mean))
    return top(state, np.var(chance, axis=0), k)


def k_center(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose, one by one, what is farthest from all labelled (Sener and Savarese 2018).

    x and -x are one pair: the nearer of both counts.
    """
    square = np.einsum("ij,ij->i", state.x, state.x)
    near = np.full(len(square), np.inf)

    def come(i: int) -> None:
        product = np.abs(state.x @ state.x[i])
        np.minimum(near, square + square[i] - 2.0 * product, out=near)

    for i in state.labelled:
        come(i)
    found = np.empty(k, np.int64)
    for step in range(k):
        first = not np.isfinite(near).all()
        score = np.where(state.open, rng.random(len(near)) if first else near, -np.inf)
        score[found[:step]] = -np.inf
        found[step] = int(np.argmax(score))
        come(found[step])
    return found


def _thompson(state: State, k: int, rng: np.random.Generator, reverse: bool) -> NDArray[np.int64]:
    """Visit prompts in random order, each with draws of its own; take the pair of two favourites.

    The favourites of two draws of the weights are compared where they differ and form a
    candidate; with ``reverse`` the favourite of one draw and the least favoured of the other.
    """
    root = np.linalg.cholesky(state.belief.covariance)
    codes = {(a, b): i for i, (a, b) in enumerate(state.pairs.tolist())}
    order = np.argsort(state.prompt_of, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(state.prompt_of[order])) + 1)
    members = [some for some in members if len(some) > 1]
    free, found = state.open.copy(), []
    for _ in range(THOMPSON_ROUNDS):
        for p in rng.permutation(len(members)):
            some = members[p]
            draws = state.belief.mean[:, None] + root @ rng.normal(size=(len(root), 2))
            reward = state.features[some] @ draws
            first = some[np.argmax(reward[:, 0])]
            second = some[np.argmin(reward[:, 1]) if reverse else np.argmax(reward[:, 1])]
            i = codes.get((first, second), codes.get((second, first), -1))
            if i >= 0 and free[i]:
                free[i] = False
                found.append(i)
                if len(found) == k:
                    return np.array(found)
    rest = rng.choice(np.flatnonzero(free), k - len(found), replace=False)
    return np.append(np.array(found, np.int64), rest)


def thompson(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Compare the favourites of two draws (double Thompson; Wu and Liu 2016)."""
    return _thompson(state, k, rng, reverse=False)


def reverse_thompson(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Compare the best of one draw with the worst of another (DRTS, ActiveUltraFeedback 2026)."""
    return _thompson(state, k, rng, reverse=True)


def reward_model(state: State) -> RewardModel:
    """Say what is believed as the planner has it."""
    return RewardModel(
        mean=state.belief.mean,
        covariance=state.belief.covariance,
        features=state.features,
        scale=state.belief.scale,
        beta=1.0,
        lapse=0.0,
        labels="binary",
        noise_variance=np.nan,
        own_variance=0.0,
        log_evidence=state.belief.evidence,
    )


def _places(state: State, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    size = len(state.features)
    codes = pair_code(state.pairs[:, 0], state.pairs[:, 1], size)
    order = np.argsort(codes)
    return order[np.searchsorted(codes[order], pair_code(pairs[:, 0], pairs[:, 1], size))]


def ours(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose as `ibn plan` does: bounded differences, and a growing share at random."""
    free, share = state.pairs[state.open], random_share(len(state.labelled))
    design = choose_bounded(reward_model(state), state.pairs, free, k, rng, control=share)
    return _places(state, design.pairs)


def variance_reduction(state: State, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose by reduction of the mean variance of unbounded differences, what ibn plan once did."""
    free = state.pairs[state.open]
    x = state.x
    return _places(state, choose(reward_model(state), x.T @ x / len(x), free, k).pairs)


METHODS: dict[str, Method] = {
    "random": random,
    "ours": ours,
    "variance_reduction": variance_reduction,
    "d_optimal": d_optimal,
    "past_aware": past_aware,
    "past_aware_prompts": past_aware_prompts,
    "bald": bald,
    "bal_pm": bal_pm,
    "thompson": thompson,
    "reverse_thompson": reverse_thompson,
    "delta_ucb": delta_ucb,
    "info_max": info_max,
    "margin": margin,
    "ensemble": ensemble,
    "k_center": k_center,
    "longest": longest,
}
