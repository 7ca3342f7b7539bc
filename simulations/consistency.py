"""Distributional consistency, measured: the autoencoder run end to end on finite worlds.

A reward is drawn from the inductive bias, comparisons are drawn and labelled, a reward model is
fitted, a policy decoded and held against the human distribution, as the number of comparisons
grows (theory M3 and M4).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError, unknown_name
from ibn.estimate import Estimate
from ibn.inference.gaussian import posterior_mean, resistance_matrix
from ibn.inference.laplace import laplace
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise, simulate_labels
from ibn.solvers.reduced import ReducedSolver
from ibn.theory import autoencoder
from ibn.topology import build

LEARNERS = ("gaussian", "logistic", "binary")
MOST_DIGITS = 14
DENSE_RESPONSES = 2**10  # all pairs are solved up to here, random ones beyond
PAIRS = 2**10
PROBES = 8
TOLERANCE = 1e-4  # of their energies, far below the spread from probe to probe


@dataclass(frozen=True)
class Autoencoder:
    """One setting of the whole pipeline p_H → r_H → D → r_RM → p_LM."""

    topology: str  # one of ibn.topology.TOPOLOGIES
    # number of comparisons. In a finite world they come to reuse responses even in a chain; those
    # that meet a response with itself are left out
    n: int
    digits: int = 8  # the world has 2^digits responses, 14 digits at most
    # of the ultrametric world, as in ibn.Ultrametric
    family: str = "power"
    alpha: float = 0.5
    scale: float = 1.0
    beta: float = 2.0  # inverse temperature of labels, of p_H and of the decoder
    # gaussian, logistic or binary: what the reward model takes labels for: Gaussian observations of
    # variance π²/(3β²), to be averaged; logistic ones; or their signs under Bradley-Terry. The
    # latter two give the posterior's mode and Laplace's variances
    learner: str = "gaussian"
    leaves: int | None = None  # |S| of the tree


@dataclass(frozen=True)
class Reconstruction:
    """How well one policy reconstructs one human distribution."""

    kl: float  # KL(p_H‖p_LM), in nats
    total_variation: float  # between p_H and p_LM
    # greatest |log p_LM(y)/p_H(y)|, which bounds the relative error of every probability
    log_ratio: float
    # (β²/4) E[(Δ(y) - Δ(y'))²], y and y' from p_H: the leading term of kl (theory M4), from the
    # error that was made
    second_order: float
    # the same from the posterior alone, without p_H: (β²/4) E[Var[r(y) - r(y')]], y and y' from
    # p_LM
    predicted: float
    squared_error: float  # mean of (Δ(y) - Δ(y'))² over uniform pairs
    mean_variance: float  # mean posterior variance over uniform pairs
    # greatest posterior variance of any pair; NaN beyond DENSE_RESPONSES responses
    largest_variance: float


def reconstruct(setting: Autoencoder, rng: np.random.Generator) -> Reconstruction:
    """Run the autoencoder once, with a reward, comparisons and labels of its own.

    Raises InputError if the setting is out of range.
    """
    if not 1 <= setting.digits <= MOST_DIGITS:
        raise InputError(f"digits must lie between 1 and {MOST_DIGITS}, not {setting.digits}")
    world = Ultrametric(setting.family, setting.alpha, setting.scale, 2, setting.digits)
    human = world.rewards(np.arange(2**setting.digits, dtype=np.uint64), rng)
    drawn = build(setting.topology, world, setting.n, rng, leaves=setting.leaves)
    network, labelled = encode(world, drawn, human, setting.beta, rng)
    network, model = _fit(setting, network, labelled)

    log_human = autoencoder.gibbs(human, setting.beta)
    log_policy = autoencoder.gibbs(model, setting.beta)
    error = model - human
    weights = np.stack([np.full(len(human), 1.0 / len(human)), np.exp(log_policy)])
    (mean_variance, policy_variance), largest = _variances(network, weights, rng)
    return Reconstruction(
        kl=autoencoder.kl_divergence(log_human, log_policy),
        total_variation=autoencoder.total_variation(log_human, log_policy),
        log_ratio=float(np.abs(log_policy - log_human).max()),
        second_order=autoencoder.second_order_loss(log_human, error, setting.beta),
        predicted=setting.beta**2 / 4.0 * policy_variance,
        squared_error=2.0 * float(np.var(error)),
        mean_variance=mean_variance,
        largest_variance=largest,
    )


def encode(
    world: Ultrametric,
    drawn: Comparisons,
    human: NDArray[np.float64],  # rewards of all responses of a finite world
    beta: float,
    rng: np.random.Generator,
) -> tuple[Network, Comparisons]:
    """Label comparisons, those of a response with itself left out, and build their network."""
    a, b = (drawn.responses[side].astype(np.int64) for side in (drawn.a, drawn.b))
    everything = np.arange(len(human), dtype=np.uint64)
    pairs = Comparisons(everything, a[a != b], b[a != b])
    labelled = simulate_labels(pairs, human, beta, rng)
    return build_network(world, labelled, LabelNoise(beta).variance()), labelled


def _fit(
    setting: Autoencoder, network: Network, labelled: Comparisons
) -> tuple[Network, NDArray[np.float64]]:
    """Return the reward model and the Gaussian network of its posterior variances."""
    if setting.learner not in LEARNERS:
        raise unknown_name("learner", setting.learner, LEARNERS)
    if setting.learner == "gaussian":
        return network, posterior_mean(network, labelled)
    fitted = laplace(network, labelled, setting.beta, setting.learner)
    return fitted.network, fitted.rewards


def _variances(
    network: Network, weights: NDArray[np.float64], rng: np.random.Generator
) -> tuple[list[float], float]:
    """Mean posterior variance over pairs drawn from each row of weights, and the greatest."""
    if weights.shape[1] <= DENSE_RESPONSES:
        variance = resistance_matrix(network)
        return [float(w @ variance @ w) for w in weights], float(variance.max())
    # Unit currents between q random pairs dissipate q times the mean variance, in expectation.
    inflow = np.zeros((network.size, PROBES * len(weights)))
    for column in range(inflow.shape[1]):
        row = weights[column // PROBES]
        ends = rng.choice(len(row), 2 * PAIRS, p=row / row.sum())
        np.add.at(inflow[:, column], network.nodes[ends[:PAIRS]], 1.0)
        np.subtract.at(inflow[:, column], network.nodes[ends[PAIRS:]], 1.0)
    energy = ReducedSolver.of(network).energy(inflow, TOLERANCE).reshape(len(weights), PROBES)
    return (energy.mean(axis=1) / PAIRS).tolist(), float("nan")


@dataclass(frozen=True)
class Consistency:
    """A setting and what its replicates average to: one estimate for each measure."""

    setting: Autoencoder
    measures: dict[str, Estimate]


def measure(
    settings: Sequence[Autoencoder], replicates: int, rng: np.random.Generator
) -> list[Consistency]:
    """Run each setting several times over, each time with a reward and labels of its own.

    ``settings``: what to run, such as the same topology at several n.
    ``replicates``: independent runs of each, at least 2.
    """
    results = []
    for setting in settings:
        start = time.perf_counter()
        runs = [reconstruct(setting, rng) for _ in range(replicates)]
        seconds = time.perf_counter() - start
        columns = {
            field.name: np.array([getattr(run, field.name) for run in runs])
            for field in fields(Reconstruction)
        }
        measures = {name: Estimate.of(draws, seconds) for name, draws in columns.items()}
        results.append(Consistency(setting, measures))
    return results
