"""Do the intervals that are published cover? Held against fresh datasets.

    python -m ibn.simulations.coverage

draws many times what a figure is made of, some datasets of each topology and n, and counts how
often the 95 % intervals hold what all datasets together say: of the mean, of chain over tree, and
of the fitted exponent of n; under path and exact inference, for a diverse task and a plain one.

The n are small, so that thousands of datasets can be drawn. At the smallest a tree has a handful of
leaves and, for α = 1, a mean whose distribution is skewed: intervals cover less there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import click
import numpy as np
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate, quotient, slope
from ibn.inference.gaussian import mean_variance
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.preferences.noise import LabelNoise
from ibn.topology import build

ALPHAS = (0.3, 1.0)
SIZES = (16, 32, 64)
REPLICATES = 8
"""Datasets behind a published number, as in the quick profile."""
BETA = 1814.0
MEASURES = {
    "path": partial(mean_distance, rel_err=0.05, max_count=64),
    "exact": partial(mean_variance, rel_err=0.05, max_count=4),
}
TOPOLOGIES = ("chain", "tree")


@dataclass(frozen=True)
class Coverage:
    """How often a 95 % interval held the truth.

    Attributes
    ----------
    alpha, inference, quantity : float, str, str
        Of what.
    hits, trials : int
        How often, of how many.
    """

    alpha: float
    inference: str
    quantity: str
    hits: int
    trials: int

    def __str__(self) -> str:
        """Write a line of a table."""
        share = self.hits / self.trials
        return (
            f"α = {self.alpha:<4g} {self.inference:6} {self.quantity:26} "
            f"{self.hits} of {self.trials} ({share:.1%})"
        )


def measured(
    alpha: float, datasets: int, rng: np.random.Generator
) -> dict[tuple[str, str, int], NDArray[np.float64]]:
    """Measure fresh datasets: by inference, topology and n, their means, shape (datasets,)."""
    world, noise = Ultrametric("power", alpha=alpha), LabelNoise(BETA).variance()
    found = {key: np.empty(datasets) for key in product(MEASURES, TOPOLOGIES, SIZES)}
    for k, topology, n in product(range(datasets), TOPOLOGIES, SIZES):
        network = build_network(world, build(topology, world, n, rng), noise)
        for inference, measure in MEASURES.items():
            found[inference, topology, n][k] = measure(network, rng=rng).mean
    return found


def coverage(trials: int, seed: int = 0) -> list[Coverage]:
    """Count how often published intervals cover.

    Parameters
    ----------
    trials : int
        Figures drawn, each from ``REPLICATES`` fresh datasets of every topology and n.
    seed : int
        Of everything random.

    Returns
    -------
    list of Coverage
        The truth of a mean is that of all datasets drawn; of a ratio and an exponent, the ratio
        and exponent of these.
    """
    found = []
    for alpha, rng in zip(ALPHAS, np.random.default_rng(seed).spawn(len(ALPHAS)), strict=True):
        drawn = measured(alpha, trials * REPLICATES, rng)
        for inference in MEASURES:
            whole = _quantities(drawn, inference, slice(None))
            hits = dict.fromkeys(whole, 0)
            for k in range(trials):
                part = slice(k * REPLICATES, (k + 1) * REPLICATES)
                for name, one in _quantities(drawn, inference, part).items():
                    low, high = one.interval()
                    hits[name] += low <= whole[name].mean <= high
            found += [Coverage(alpha, inference, name, hits[name], trials) for name in whole]
    return found


def _quantities(
    drawn: dict[tuple[str, str, int], NDArray[np.float64]], inference: str, part: slice
) -> dict[str, Estimate]:
    """Estimate what is published from some of the datasets, as the figures do."""
    points = {
        topology: [Estimate.of(drawn[inference, topology, n][part]) for n in SIZES]
        for topology in TOPOLOGIES
    }
    last = {topology: each[-1] for topology, each in points.items()}
    found = {f"{topology}, mean, n = {SIZES[-1]}": one for topology, one in last.items()}
    found[f"chain / tree, n = {SIZES[-1]}"] = quotient(last["chain"], last["tree"])
    return found | {f"{name}, exponent of n": slope(SIZES, each) for name, each in points.items()}


@click.command()
@click.option("--trials", default=500, show_default=True, help="Figures drawn, each afresh.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
def main(trials: int, seed: int) -> None:
    """Count how often 95 % intervals over datasets hold the truth."""
    found = coverage(trials, seed)
    for one in found:
        print(one)
    shares = [one.hits / one.trials for one in found]
    print(f"coverage between {min(shares):.1%} and {max(shares):.1%}")


if __name__ == "__main__":
    main()
