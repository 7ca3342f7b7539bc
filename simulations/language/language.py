"""A synthetic language: everything about RLHF on it is computed exactly, win rates included.

Responses are all sequences of ``length`` tokens over a small alphabet. The reward is hierarchical:
each prefix adds its own part, of a variance that falls with its depth as the diversity α says,
so that sequences of a long common prefix have similar rewards. A reward model is fitted to
simulated labels and a policy decoded from it; since all sequences can be listed, policies are
vectors and nothing is sampled but the reward, the comparisons, their labels and where a neural
network's training starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack
from scipy.optimize import minimize
from scipy.special import expit

from ibn.bias.ultrametric import Ultrametric
from ibn.errors import STIFF, InputError
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise, simulate_labels
from ibn.theory import autoencoder
from ibn.topology import build

ALPHABET = 2
MOST_LENGTH = 14
PREFIX_DEPTH = 6  # of the linear model's features
HIDDEN = 32  # units of the neural network's layer
NETWORK_STEPS = 25  # more of them change nothing that a policy gains
TIE = 9  # decimals beyond which rewards are equal
MEMORY = 3  # tokens that the fine-tuned policy sees
DECODERS = ("regularised", "best-of-n", "rft")


@dataclass(frozen=True)
class Language:
    """One setting: a language, a budget of comparisons and how they are spent and labelled.

    Attributes
    ----------
    topology : str
        One of ``ibn.topology.TOPOLOGIES``.
    n : int
        Comparisons.
    alpha : float
        Diversity: F ~ M^(-α); small α is a diverse task.
    beta : float
        Inverse temperature of the labels, per unit of reward; rewards of two random sequences
        differ by a variance of about 1.
    leaves : int, optional
        |S| of a tree.
    length : int
        Tokens of a sequence.

    Raises
    ------
    InputError
        If the length is out of range.
    """

    topology: str
    n: int
    alpha: float = 0.3
    beta: float = 20.0
    leaves: int | None = None
    length: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MOST_LENGTH:
            raise InputError(f"length must lie between 1 and {MOST_LENGTH}, not {self.length}")

    @cached_property
    def world(self) -> Ultrametric:
        """The inductive bias: an ultrametric world whose addresses are the sequences."""
        return Ultrametric("power", self.alpha, 1.0, ALPHABET, self.length)

    @cached_property
    def sequences(self) -> NDArray[np.uint64]:
        """All responses, as addresses."""
        return np.arange(ALPHABET**self.length, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A reward and a labelled dataset.

    Attributes
    ----------
    setting : Language
        What it was drawn by.
    reward : ndarray of float, shape (m,)
        r_H of every sequence.
    comparisons : Comparisons
        Over all sequences.
    delta : ndarray of float, shape (n,)
        Their continuous labels.
    """

    setting: Language
    reward: NDArray[np.float64]
    comparisons: Comparisons
    delta: NDArray[np.float64]

    @property
    def mirrored(self) -> Labelled:
        """The same comparisons, each label as far on the other side of what is true.

        As likely as this one, and its learners err the other way where it is the labels that
        mislead them: averages over both vary less.
        """
        a, b = self.comparisons.a, self.comparisons.b
        delta = 2.0 * (self.reward[a] - self.reward[b]) - self.delta
        return replace(self, delta=delta)

    @property
    def factor(self) -> NDArray[np.float64]:
        """Cholesky's, lower, of the exact posterior's precision, whatever the labels say."""
        return _posterior_factor(self.setting, self.comparisons)

    @property
    def network(self) -> Network:
        """The induced Bayesian network."""
        noise = LabelNoise(self.setting.beta).variance()
        return build_network(self.setting.world, self.comparisons, noise)

    @property
    def variance(self) -> float:
        """Mean exact posterior variance of all pairs' reward differences, squared units."""
        inverse, info = lapack.dpotri(self.factor, lower=1)
        assert info == 0
        m = len(inverse)
        return float(2.0 * (np.trace(inverse) - 1.0 / m) / (m - 1))  # without the shift's 1/m


def draw(setting: Language, reward: NDArray[np.float64], rng: np.random.Generator) -> Labelled:
    """Draw comparisons by the topology's rule and label them from a reward."""
    world, everything = setting.world, setting.sequences
    drawn = build(setting.topology, world, setting.n, rng, leaves=setting.leaves)
    a, b = (drawn.responses[side].astype(np.int64) for side in (drawn.a, drawn.b))
    met = a != b
    a, b = a[met], b[met]
    labelled = simulate_labels(Comparisons(everything, a, b), reward, setting.beta, rng)
    assert labelled.delta is not None
    return Labelled(setting, reward, labelled, labelled.delta)


@lru_cache(maxsize=1)  # for a dataset and its mirrored one
def _posterior_factor(setting: Language, comparisons: Comparisons) -> NDArray[np.float64]:
    counts = _laplacian(comparisons.a, comparisons.b, len(setting.sequences))
    precision = counts / LabelNoise(setting.beta).variance() + _prior_precision(setting.world)
    factor, info = lapack.dpotrf(precision.T, lower=1, overwrite_a=1)
    if info:
        raise InputError("the posterior is singular in double precision", fix=STIFF)
    return np.asarray(factor, float)


@lru_cache(maxsize=4)
def _prior_precision(world: Ultrametric) -> NDArray[np.float64]:
    """Precision of all rewards before any label: the bias's Laplacian without its inner nodes.

    Half the distance, centred both ways and negative, is the covariance of rewards less their
    mean (Gower 1966). The sum of all rewards, which nothing identifies, is given variance 1.
    """
    everything = np.arange(world.powers[-1], dtype=np.uint64)
    half = world.distance(everything[:, None], everything) / -2.0
    half -= half.mean(axis=0)
    half -= half.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.inv(half + 1.0 / len(half) ** 2), float)


def _laplacian(a: NDArray[np.int64], b: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Laplacian of the graph of comparisons, each of weight 1."""
    met = np.bincount(a * size + b, minlength=size * size).reshape(size, size)
    weight = (met + met.T).astype(float)
    return np.diag(weight.sum(axis=0)) - weight


def _inflow(data: Labelled, pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over comparisons what pulls ``a`` up and ``b`` down, for every sequence."""
    a, b, m = data.comparisons.a, data.comparisons.b, len(data.reward)
    return np.asarray(np.bincount(a, pull, m) - np.bincount(b, pull, m), float)


Learner = Callable[[Labelled, np.random.Generator], NDArray[np.float64]]
"""Fits a reward model to labels; returns the reward of every sequence, up to a shift."""


def gaussian_process(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Fit the learner that knows the inductive bias: the exact posterior mean of the network."""
    noise = LabelNoise(data.setting.beta).variance()
    return cho_solve((data.factor, True), _inflow(data, data.delta / noise), check_finite=False)


def linear(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Fit ridge regression on indicators of all prefixes up to a depth.

    Each depth has the variance that the hierarchy gives it, so the ridge needs no tuning; what
    deeper prefixes add is taken for noise of the labels.
    """
    world, length = data.setting.world, data.setting.length
    depth = min(PREFIX_DEPTH, length)
    features = _prefix_features(world, depth)
    shift = length - depth  # sequences of one prefix have the same features
    laplacian = _laplacian(data.comparisons.a >> shift, data.comparisons.b >> shift, len(features))
    evidence = _inflow(data, data.delta).reshape(len(features), -1).sum(axis=1)
    noise = LabelNoise(data.setting.beta).variance() + 2.0 * world.half_variance[depth]
    gram = features.T @ laplacian @ features + noise * np.eye(features.shape[1])
    return np.repeat(features @ np.linalg.solve(gram, features.T @ evidence), 2**shift)


@lru_cache(maxsize=4)
def _prefix_features(world: Ultrametric, depth: int) -> NDArray[np.float64]:
    """Mark the prefixes of each prefix of a depth, scaled by their parts' standard deviations."""
    blocks = []
    for level in range(1, depth + 1):
        step = world.half_variance[level - 1] - world.half_variance[level]
        block = np.sqrt(step) * np.eye(ALPHABET**level)
        blocks.append(np.repeat(block, ALPHABET ** (depth - level), axis=0))
    return np.concatenate(blocks, axis=1)


def neural(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Train a network of one hidden layer on the tokens, by Bradley-Terry's likelihood.

    Inputs are the tokens one by one and all pairs of neighbours, and the labels' signs are all
    that is read. Weight decay is the only regularisation: about what a prior asks for under which
    the network's outputs differ as much as rewards do, and no less than a thousandth a comparison,
    without which a network that sees labels of little noise is not trained in as few steps.
    """
    inputs = _token_features(data.setting.length)
    a, b = data.comparisons.a, data.comparisons.b
    sign = np.sign(data.delta)
    used, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = place[: len(a)], place[len(a) :]
    seen = inputs[used]
    p = inputs.shape[1]
    decay = max(0.8 * HIDDEN / data.setting.beta**2, 1e-3 * len(a))

    def unpack(weights: NDArray) -> tuple[NDArray, NDArray]:
        single = weights.astype(np.float32)  # half the time, and far finer than labels tell
        return single[: p * HIDDEN].reshape(p, HIDDEN), single[p * HIDDEN :]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        inner, outer = unpack(weights)
        hidden = np.tanh(seen @ inner)
        reward = (hidden @ outer).astype(float)
        margin = sign * (reward[first] - reward[second])
        pull = -sign * expit(-margin)
        of_reward = np.bincount(first, pull, len(used)) - np.bincount(second, pull, len(used))
        of_reward = of_reward.astype(np.float32)
        back = seen.T @ (of_reward[:, None] * (1.0 - hidden * hidden)) * outer
        gradient = np.concatenate([back.ravel(), of_reward @ hidden])
        value = np.logaddexp(0.0, -margin).sum() + decay * (weights @ weights) / 2.0
        return float(value), gradient + decay * weights

    start = rng.normal(0.0, 1.0 / np.sqrt(p - 1), (p + 1) * HIDDEN)
    options = {"maxiter": NETWORK_STEPS}
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    inner, outer = unpack(weights)
    # In units of reward: the likelihood knew rewards times β.
    return (np.tanh(inputs @ inner) @ outer).astype(float) / data.setting.beta


@lru_cache(maxsize=4)
def _token_features(length: int) -> NDArray[np.float32]:
    """Tokens of every sequence as ±1, products of neighbours, and a 1 for the bias."""
    digits = np.arange(ALPHABET**length)[:, None] >> np.arange(length)[::-1]
    tokens = 2.0 * (digits & 1) - 1.0
    one = np.ones((len(tokens), 1))
    blocks = [tokens, tokens[:, 1:] * tokens[:, :-1], one]
    return np.concatenate(blocks, axis=1).astype(np.float32)


LEARNERS: dict[str, Learner] = {
    "gaussian-process": gaussian_process,
    "linear": linear,
    "neural": neural,
}


def decode(
    model: NDArray[np.float64], *, strength: float = 4.0, draws: int = 16
) -> dict[str, NDArray[np.float64]]:
    """Decode policies from a reward model, against the uniform reference policy.

    Parameters
    ----------
    model : ndarray of float, shape (m,)
        Reward of every sequence.
    strength : float
        1/τ of the KL-regularised optimum, per unit of reward.
    draws : int
        N of the best of N draws.

    Returns
    -------
    dict
        For each of ``DECODERS`` the log-probabilities, shape (m,): ``regularised`` is the optimum
        of KL-regularised RL, ``best-of-n`` the best of N draws, and ``rft`` what rejection
        sampling fine-tuning makes of the latter with a policy that sees ``MEMORY`` tokens.
    """
    # Sequences that the labels do not tell apart are ties, which rounding errors must not break.
    best = autoencoder.best_of(np.round(model, TIE), draws)
    policies = (autoencoder.gibbs(model, strength), best, fine_tune(best, MEMORY))
    return dict(zip(DECODERS, policies, strict=True))


def fine_tune(log_p: NDArray[np.float64], memory: int) -> NDArray[np.float64]:
    """Maximum-likelihood fit of a policy of limited memory to endless samples: exact.

    The policies to choose from write token by token, each token's distribution depending on its
    place and on the last ``memory`` tokens alone; with memory of all tokens they are all
    policies. The fit minimises KL(p‖q) over them, and since log q is a sum over tokens, it takes
    over p's own conditional distribution of each token given those before it that it sees.
    Rejection-sampling fine-tuning is this with best-of-N for p (Yuan et al. 2023).

    Parameters
    ----------
    log_p : ndarray of float, shape (2^L,)
        Log-probabilities of all sequences of L tokens.
    memory : int
        Tokens seen, at least 0.

    Returns
    -------
    ndarray of float, shape (2^L,)
        Log-probabilities.
    """
    p = np.exp(log_p)
    address = np.arange(len(p))
    left, log_q = len(p), np.zeros(len(p))
    seen = 1  # as many texts can stand in the memory
    while left > 1:
        left //= ALPHABET  # continuations after this token
        joint = p.reshape(-1, seen, ALPHABET, left).sum(axis=(0, 3))
        text = joint.sum(axis=1, keepdims=True)
        # Where p never comes, nor does q, by the token that led there.
        share = np.divide(joint, text, where=text > 0, out=np.full_like(joint, 1.0 / ALPHABET))
        step = np.log(share, where=share > 0, out=np.full_like(share, -np.inf))
        log_q += step.ravel()[address // left % step.size]
        seen = min(seen * ALPHABET, ALPHABET**memory)
    return log_q


def win_chances(q: NDArray[np.float64], reward: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(each sequence's reward exceeds that of a draw from q), a tie counting as half: exact.

    Parameters
    ----------
    q : ndarray of float, shape (m,)
        A policy, as probabilities.
    reward : ndarray of float, shape (m,)
        r_H, the judge.

    Returns
    -------
    ndarray of float, shape (m,)
        Its mean over a policy p is the win rate of p against q.
    """
    levels, rank = np.unique(reward, return_inverse=True)
    mass = np.bincount(rank, q, len(levels))
    return np.asarray((np.cumsum(mass) - mass / 2.0)[rank], float)


def win_rate(
    log_p: NDArray[np.float64], log_q: NDArray[np.float64], reward: NDArray[np.float64]
) -> float:
    """P(reward of a draw from p exceeds that of one from q), a tie counting as half: exact."""
    return float(np.exp(log_p) @ win_chances(np.exp(log_q), reward))
