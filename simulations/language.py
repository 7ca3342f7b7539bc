"""A synthetic language: everything about RLHF on it is computed exactly, win rates included.

Responses are all sequences of ``length`` tokens over a small alphabet. The reward is hierarchical:
each prefix adds its own part, of a variance that falls with its depth as the diversity α says,
so that sequences of a long common prefix have similar rewards. A reward model is fitted to
simulated labels and a policy decoded from it; since all sequences can be listed, policies are
vectors and nothing is sampled but the reward, the comparisons and their labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from ibn import autoencoder
from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError, unknown_name
from ibn.network import Network, build_network
from ibn.posterior import posterior_mean
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise, simulate_labels
from ibn.topology import build

ALPHABET = 2
MOST_LENGTH = 14
PREFIX_DEPTH = 6  # of the linear model's features
HIDDEN = 32  # units of the neural network's layer
NETWORK_STEPS = 150
DECODERS = ("regularised", "best-of-n")


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

    @property
    def world(self) -> Ultrametric:
        """The inductive bias: an ultrametric world whose addresses are the sequences."""
        return Ultrametric("power", self.alpha, 1.0, ALPHABET, self.length)

    @property
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
    network : Network
        The induced Bayesian network of the two.
    """

    setting: Language
    reward: NDArray[np.float64]
    comparisons: Comparisons
    delta: NDArray[np.float64]
    network: Network


def draw(setting: Language, reward: NDArray[np.float64], rng: np.random.Generator) -> Labelled:
    """Draw comparisons by the topology's rule and label them from a reward."""
    world, everything = setting.world, setting.sequences
    drawn = build(setting.topology, world, setting.n, rng, leaves=setting.leaves)
    a, b = (drawn.responses[side].astype(np.int64) for side in (drawn.a, drawn.b))
    met = a != b
    unlabelled = Comparisons(everything, a[met], b[met])
    labelled = simulate_labels(unlabelled, reward, setting.beta, rng)
    network = build_network(world, labelled, LabelNoise(setting.beta).variance())
    assert labelled.delta is not None
    return Labelled(setting, reward, labelled, labelled.delta, network)


Learner = Callable[[Labelled, np.random.Generator], NDArray[np.float64]]
"""Fits a reward model to labels; returns the reward of every sequence, up to a shift."""


def gaussian_process(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Fit the learner that knows the inductive bias: the exact posterior mean of the network."""
    return posterior_mean(data.network, data.comparisons)


def linear(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Fit ridge regression on indicators of all prefixes up to a depth.

    Each depth has the variance that the hierarchy gives it, so the ridge needs no tuning; what
    deeper prefixes add is taken for noise of the labels.
    """
    setting = data.setting
    world = setting.world
    depth = min(PREFIX_DEPTH, setting.length)
    steps = np.append(world.half_variance[:depth] - world.half_variance[1 : depth + 1], 0.0)[:-1]
    blocks = []
    for level in range(1, depth + 1):
        prefix = setting.sequences.astype(np.int64) // ALPHABET ** (setting.length - level)
        block = np.zeros((len(prefix), ALPHABET**level))
        block[np.arange(len(prefix)), prefix] = np.sqrt(steps[level - 1])
        blocks.append(block)
    features = np.concatenate(blocks, axis=1)
    a, b, delta = data.comparisons.a, data.comparisons.b, data.delta
    difference = features[a] - features[b]
    noise = LabelNoise(setting.beta).variance() + 2.0 * world.half_variance[depth]
    gram = difference.T @ difference + noise * np.eye(features.shape[1])
    return features @ np.linalg.solve(gram, difference.T @ delta)


def neural(data: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:
    """Train a network of one hidden layer on the tokens, by Bradley-Terry's likelihood.

    Inputs are the tokens one by one and all pairs of neighbours; weight decay is the only
    regularisation, and the labels' signs are all that is read.
    """
    setting = data.setting
    digits = setting.sequences.astype(np.int64)[:, None] >> np.arange(setting.length)[::-1]
    tokens = 2.0 * (digits & 1) - 1.0
    inputs = np.concatenate([tokens, tokens[:, 1:] * tokens[:, :-1]], axis=1)
    a, b = data.comparisons.a, data.comparisons.b
    sign = np.sign(data.delta)
    used, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = place[: len(a)], place[len(a) :]
    seen = inputs[used]
    p = inputs.shape[1]
    shape = (p + 1, HIDDEN)
    decay = 1e-3 * len(a)

    def unpack(weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        inner = weights[: shape[0] * HIDDEN].reshape(shape)
        return inner[:-1], inner[-1], weights[shape[0] * HIDDEN :]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        inner, shift, outer = unpack(weights)
        hidden = np.tanh(seen @ inner + shift)
        reward = hidden @ outer
        margin = sign * (reward[first] - reward[second])
        pull = -sign * expit(-margin)
        of_reward = np.bincount(first, pull, len(used)) - np.bincount(second, pull, len(used))
        back = np.outer(of_reward, outer) * (1.0 - hidden**2)
        gradient = np.concatenate([(seen.T @ back).ravel(), back.sum(axis=0), hidden.T @ of_reward])
        value = np.logaddexp(0.0, -margin).sum() + decay * (weights @ weights) / 2.0
        return float(value), gradient + decay * weights

    start = rng.normal(0.0, 1.0 / np.sqrt(p), shape[0] * HIDDEN + HIDDEN)
    options = {"maxiter": NETWORK_STEPS}
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    inner, shift, outer = unpack(weights)
    # In units of reward: the likelihood knew rewards times β.
    return np.tanh(inputs @ inner + shift) @ outer / setting.beta


LEARNERS: dict[str, Learner] = {
    "gaussian-process": gaussian_process,
    "linear": linear,
    "neural": neural,
}


def decode(
    model: NDArray[np.float64], decoder: str, *, strength: float = 4.0, draws: int = 16
) -> NDArray[np.float64]:
    """Decode a policy from a reward model, against the uniform reference policy.

    Parameters
    ----------
    model : ndarray of float, shape (m,)
        Reward of every sequence.
    decoder : {"regularised", "best-of-n"}
        The optimum of KL-regularised RL, or the best of N draws, which rejection-sampling
        fine-tuning imitates.
    strength : float
        1/τ of the KL-regularised optimum, per unit of reward.
    draws : int
        N.

    Returns
    -------
    ndarray of float, shape (m,)
        Log-probabilities.
    """
    if decoder not in DECODERS:
        raise unknown_name("decoder", decoder, DECODERS)
    if decoder == "regularised":
        return autoencoder.gibbs(model, strength)
    return autoencoder.best_of(model, draws)


def win_rate(
    log_p: NDArray[np.float64], log_q: NDArray[np.float64], reward: NDArray[np.float64]
) -> float:
    """P(reward of a draw from p exceeds that of one from q), a tie counting as half: exact.

    Parameters
    ----------
    log_p, log_q : ndarray of float, shape (m,)
        Policies, as log-probabilities.
    reward : ndarray of float, shape (m,)
        r_H, the judge.
    """
    levels, rank = np.unique(reward, return_inverse=True)
    p = np.bincount(rank, np.exp(log_p), len(levels))
    q = np.bincount(rank, np.exp(log_q), len(levels))
    below = np.cumsum(q) - q
    return float(p @ (below + q / 2.0))
