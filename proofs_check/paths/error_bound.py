"""P4: inference distance bounds the error of a reward model that follows the network."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.inference.gaussian import posterior_mean, resistance
from ibn.inference.paths import inference_distance, optimal_path
from ibn.network import HUMAN_PREFERENCE, Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    HOLDS,
    ROUNDING,
    UNDECIDED,
    Check,
    Claim,
    Context,
    Finding,
    as_stated,
    decided,
)
from ibn.topology import build


def p4(factor: float = 1.0, turned: bool = False) -> Claim:
    """Inference distance bounds the error of a reward model that follows the network.

    Parameters
    ----------
    factor : float
        The bound is factor times d.
    turned : bool
        Claim it as a lower bound instead.
    """
    relation = r"\ge" if turned else r"\le"
    return Claim(
        id="P4",
        statement=(
            "The expected squared error of a reward model's r(y1) − r(y2) is at most d(y1, y2): "
            "equal to d if it follows the best path alone, and to the effective resistance if it "
            "is the Gaussian posterior mean."
        ),
        latex=r"\mathbb{E}\big[(\hat r(y_1)-\hat r(y_2)-r_H(y_1)+r_H(y_2))^2\big]"
        + relation
        + r" d(y_1,y_2)",
        source="paper",
        assumptions=(
            "r_H is drawn from the inductive bias (well-specified prior); it fails for a reward "
            "that the bias holds to be impossible",
            "labels are continuous and have variance σ² = π²/(3β²); only second moments matter, so "
            "they may be logistic or Gaussian. It fails for binary labels with the same σ²",
            "the error is a mean over rewards and labels, not a bound for each dataset",
        ),
        readings=as_stated(
            Check("covariance algebra", "rigorous numeric", partial(_exact_error, factor, turned)),
            Check(
                "simulated models",
                "Monte Carlo",
                partial(_simulated_error, factor, turned),
                full="40,000 rewards and labels each, not 4000",
            ),
            Check("assumptions", "rigorous numeric", partial(_needed, factor, turned)),
            why="the posterior mean errs by the effective resistance, at most d (E1), given a "
            "right prior and continuous labels",
        ),
        rests_on=("M1", "P1", "E1", "T0"),
    )


def _small_networks(
    beta: float, rng: np.random.Generator
) -> list[tuple[str, Network, Comparisons]]:
    world = Ultrametric(alpha=0.5, digits=8)
    sigma2 = LabelNoise(beta).variance()
    result = []
    for name in ("chain", "tree", "stratified-star", "expander"):
        comparisons = build(name, world, 12, rng, leaves=6)
        result.append((name, build_network(world, comparisons, sigma2), comparisons))
    return result


def _gain(network: Network, comparisons: Comparisons) -> NDArray[np.float64]:
    """Matrix of the posterior mean, which is linear in the labels; shape (m, n)."""
    unit = np.eye(len(comparisons))
    columns = [posterior_mean(network, comparisons.labelled(delta=row)) for row in unit]
    return np.stack(columns, axis=1)


def _path_gain(network: Network, comparisons: Comparisons, pair: NDArray) -> NDArray[np.float64]:
    """Weights of the labels in the estimate of r(y1) - r(y2) that follows the best path alone."""
    path = optimal_path(network, *network.nodes[pair].tolist())
    weights = np.zeros(len(comparisons))
    used = path.kind == HUMAN_PREFERENCE
    label = path.edges[used] - network.bias_edges
    forward = network.nodes[comparisons.a[label]] == path.nodes[:-1][used]
    weights[label] = np.where(forward, 1.0, -1.0)
    return weights


def _distinct_pairs(network: Network) -> NDArray[np.int64]:
    pairs = np.stack(np.triu_indices(len(network.nodes), 1), axis=1)
    return pairs[network.nodes[pairs[:, 0]] != network.nodes[pairs[:, 1]]]


def _exact_error(factor: float, turned: bool, context: Context) -> Finding:
    rng = context.rng("P4 exact")
    counted, broken, off_resistance, off_distance, ratios = 0, "", 0.0, 0.0, []
    for name, network, comparisons in _small_networks(1.5, rng):
        assert network.trie is not None
        world, noise = network.trie.world, network.variance[-1]
        # Prior covariance up to a common shift: minus half the variogram.
        address = comparisons.responses
        prior = -0.5 * world.distance(address[:, None], address[None, :])
        design = np.zeros((len(comparisons), len(address)))
        design[np.arange(len(comparisons)), comparisons.a] += 1.0
        design[np.arange(len(comparisons)), comparisons.b] -= 1.0
        pairs = _distinct_pairs(network)
        contrast = np.zeros((len(pairs), len(address)))
        contrast[np.arange(len(pairs)), pairs[:, 0]] = 1.0
        contrast[np.arange(len(pairs)), pairs[:, 1]] = -1.0

        def errors(
            gain: NDArray,
            prior: NDArray = prior,
            design: NDArray = design,
            contrast: NDArray = contrast,
            noise: float = noise,
        ) -> NDArray:
            left = gain @ design - contrast
            return np.einsum("pi,ij,pj->p", left, prior, left) + noise * (gain**2).sum(axis=1)

        posterior = errors(contrast @ _gain(network, comparisons))
        path = errors(np.stack([_path_gain(network, comparisons, pair) for pair in pairs]))
        d = inference_distance(network, pairs)
        exact = resistance(network, pairs)
        off_resistance = max(off_resistance, float(np.max(np.abs(posterior / exact - 1))))
        off_distance = max(off_distance, float(np.max(np.abs(path / d - 1))))
        slack = ROUNDING * d
        bad = posterior < factor * d - slack if turned else posterior > factor * d + slack
        counted += len(pairs)
        ratios.append(posterior / d)
        if bad.any() and not broken:
            worst = int(np.flatnonzero(bad)[0])
            broken = (
                f"{name}, responses {pairs[worst].tolist()}: error {posterior[worst]:.4f} against "
                f"{factor:g} d = {factor * d[worst]:.4f}"
            )
    share = np.concatenate(ratios)
    identical = off_resistance < 1e-7 and off_distance < 1e-7
    return Finding(
        decided(identical and not broken),
        f"{counted} pairs of four networks of 12 comparisons: error of the posterior mean equals "
        f"the effective resistance (within {off_resistance:.0e}), of the best-path estimate d "
        f"(within {off_distance:.0e}); the first is {share.min():.2f} to {share.max():.2f} d"
        + (f". Counterexample: {broken}." if broken else "."),
        {"least": float(share.min()), "most": float(share.max()), "pairs": counted},
    )


def _simulated_error(factor: float, turned: bool, context: Context) -> Finding:
    rng = context.rng("P4 simulated")
    count = 4000 if context.profile == "quick" else 40_000
    beta, parts, verdict = 1.5, [], HOLDS
    networks = _small_networks(beta, rng)
    level = 1.0 - CHECK_ERROR / (2 * len(networks))
    for name, network, comparisons in networks:
        assert network.trie is not None
        world = network.trie.world
        rewards = np.stack([world.rewards(comparisons.responses, rng) for _ in range(count)], 1)
        difference = rewards[comparisons.a] - rewards[comparisons.b]
        delta = rng.logistic(difference, 1.0 / beta)  # as simulate_labels, of all rewards at once
        pairs = _distinct_pairs(network)
        truth = rewards[pairs[:, 0]] - rewards[pairs[:, 1]]
        total = inference_distance(network, pairs).sum()
        fitted = _gain(network, comparisons) @ delta
        followed = np.stack([_path_gain(network, comparisons, pair) for pair in pairs]) @ delta
        missed = fitted[pairs[:, 0]] - fitted[pairs[:, 1]] - truth
        model = Estimate.of((missed**2).sum(0) / total)
        path = Estimate.of(((followed - truth) ** 2).sum(0) / total)
        low, high = model.interval(level)
        path_low, path_high = path.interval(level)
        refuted = (high < factor) if turned else (low > factor)
        shown = (low >= factor) if turned else (high <= factor)
        if refuted or not path_low <= 1.0 <= path_high:
            verdict = FAILS
        elif not shown and verdict == HOLDS:
            verdict = UNDECIDED
        parts.append(
            f"{name} {model.mean:.3f} [{low:.3f}, {high:.3f}], path alone {path.mean:.3f} "
            f"[{path_low:.3f}, {path_high:.3f}]"
        )
    return Finding(
        verdict,
        "Mean squared error over mean d, rewards drawn from the bias and logistic labels: "
        + "; ".join(parts)
        + f". Claimed {'at least' if turned else 'at most'} {factor:g}.",
    )


def _needed(factor: float, turned: bool, context: Context) -> Finding:
    """Compute what happens without each assumption: the bound must break, or it is idle."""
    # A reward that differs by ten prior deviations inside a pair that no label tells apart.
    surprising = 100.0
    # One binary label on a difference of prior N(0, V): E[Var] = V - E[r]^2, by quadrature.
    prior, sigma2 = 100.0, LabelNoise(1.0).variance()
    x = np.linspace(-12.0, 12.0, 20_001)
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    difference = np.sqrt(prior) * x
    mean = float(np.sum(weight * difference * 2.0 / (1.0 + np.exp(-difference))))
    binary, d = prior - mean**2, min(prior, sigma2)
    # A claim of a lower bound has no use for either.
    breaks = surprising > factor and binary > factor * d
    return Finding(
        decided(breaks or turned),
        f"Without a well-specified prior: two responses of d = d_IB = 1, never labelled, whose "
        f"true rewards differ by 10: error {surprising:g} > d. Without continuous labels: one "
        f"binary label (β = 1) on a difference of prior variance {prior:g} leaves an expected "
        f"variance of {binary:.1f}, while d = min(prior, π²/3) = {d:.2f}; the first grows like "
        "(1 − 2/π) times the prior variance, so that no other σ² mends it.",
        {"binary_error": binary, "binary_d": d},
    )
