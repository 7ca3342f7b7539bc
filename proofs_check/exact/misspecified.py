"""E2 for a learner whose α is not the world's: its true error, chain against tree."""

from __future__ import annotations

import numpy as np

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.asymptotics import gather, listed
from ibn.proofs_check.claim import CHECK_ERROR, Check, Context, Finding, judged
from ibn.proofs_check.exact.freedom import difference_covariance
from ibn.proofs_check.measured import Noise
from ibn.topology import build

ALPHAS = (0.3, 1.0)
FACTORS = (0.5, 2.0)  # the learner's α over the world's
PAIRS = 256
DIGITS = 20  # deeper levels of the steeper learner would have no variance


def squared_error(
    world: Ultrametric,
    learner: Ultrametric,
    comparisons: Comparisons,
    sigma2: float,
    rng: np.random.Generator,
) -> float:
    """Mean squared error of a learner's posterior mean over fresh pairs, exactly.

    Its weights follow from its own prior K', its error from the world's K: with w = K'ₓ(K' + σ²)⁻¹
    the error of a pair is its own variance - 2 w Kₓ + w (K + σ²) w'.
    """
    ends = comparisons.responses[comparisons.a], comparisons.responses[comparisons.b]
    drawn = world.sample(2 * PAIRS, rng)
    fresh = drawn[:PAIRS], drawn[PAIRS:]
    noise = sigma2 * np.eye(len(comparisons))
    believed = difference_covariance(learner, ends, ends) + noise
    weights = np.linalg.solve(believed, difference_covariance(learner, ends, fresh))
    cross = difference_covariance(world, ends, fresh)
    spread = (difference_covariance(world, ends, ends) + noise) @ weights
    error = world.distance(*fresh) - np.sum(weights * (2.0 * cross - spread), axis=0)
    return float(error.mean())


def another_alpha() -> Check:
    """Check that chain/tree stays below 1 for a learner of half or twice the world's α."""

    def run(context: Context) -> Finding:
        rng = context.rng("E2 another α")
        full = context.profile == "full"
        numbers = (64, 256, 1024) if full else (64, 256)
        level = 1.0 - CHECK_ERROR / (len(ALPHAS) * len(FACTORS) * len(numbers))
        found = {}
        for alpha in ALPHAS:
            world = Ultrametric(alpha=alpha, digits=DIGITS)
            for factor in FACTORS:
                learner = Ultrametric(alpha=factor * alpha, digits=DIGITS)
                errors = [
                    {
                        name: _errors(name, world, learner, n, rng, 24 if full else 12)
                        for name in ("chain", "tree")
                    }
                    for n in numbers
                ]
                ratio = [one["chain"].mean / one["tree"].mean for one in errors]
                most = [
                    one["chain"].interval(level)[1] / one["tree"].interval(level)[0]
                    for one in errors
                ]
                least = [
                    one["chain"].interval(level)[0] / one["tree"].interval(level)[1]
                    for one in errors
                ]
                below = all(0 < high < 1 for high in most)
                words = (
                    f"chain/tree = {listed(ratio)}, at most {max(most):.2f}, n = {listed(numbers)}"
                )
                name = f"world α = {alpha:g}, learner {factor * alpha:g}"
                found[name] = Finding(judged(below, max(least) > 1), words, {"ratio": ratio})
        return gather(found)

    return Check(
        "a learner of another α",
        "Monte Carlo",
        run,
        full="n to 1024, not 256, and 24 datasets of each size, not 12",
    )


def _errors(
    name: str,
    world: Ultrametric,
    learner: Ultrametric,
    n: int,
    rng: np.random.Generator,
    datasets: int,
) -> Estimate:
    sigma2 = Noise(share=0.1).at(world, n)
    drawn = (build(name, world, n, rng) for _ in range(datasets))
    return Estimate.of(np.array([squared_error(world, learner, one, sigma2, rng) for one in drawn]))
