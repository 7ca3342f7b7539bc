"""Do a pool's intervals cover? Held against fresh pools, where the truth is known.

    python -m ibn.simulations.pools.covering

makes pools of random features, a linear reward and parts of each response's own, runs the cells of
``ibn validate --pool`` on each, and counts how often the intervals hold what all pools together
say: of each difference between topologies alone, and of all of a table at once. Prompts,
responses, splits, layouts and labels are all drawn afresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from ibn.simulations.pools.choosing import MEASURES
from ibn.simulations.pools.clustered import Means
from ibn.simulations.pools.deciding import taken
from ibn.simulations.pools.measuring import Cell, Prepared, load_prepared, measure
from ibn.simulations.sweeping.executors import in_order

PROMPTS, RESPONSES, DIMENSIONS = 60, 6, 8
LABELS = 120
TOPOLOGIES = ("chain", "tree-few", "tree-half-grouped", "kwise")
LEARNER = "cv"
COMPARED = ("accuracy", "log_loss", "against_chain@4")


@dataclass(frozen=True)
class Covered:
    """How often intervals held the truth."""

    quantity: str
    hits: int
    trials: int

    def __str__(self) -> str:
        """Write a line of a table."""
        share = self.hits / self.trials
        error = (share * (1 - share) / self.trials) ** 0.5
        return f"{self.quantity:45} {self.hits} of {self.trials} ({share:.1%} ± {error:.1%})"


def made_up(rng: np.random.Generator) -> Prepared:
    """Make a pool: features, a reward that adds them up, and an own part of each response."""
    m = PROMPTS * RESPONSES
    features = rng.normal(size=(PROMPTS, RESPONSES, DIMENSIONS))
    features -= features.mean(axis=1, keepdims=True)
    rows = features.reshape(m, DIMENSIONS) / np.sqrt(2.0 * DIMENSIONS)
    score = rows.sum(axis=1) + 0.5 * rng.normal(size=m)
    return Prepared(
        np.repeat(np.arange(PROMPTS), RESPONSES),
        score,
        score,
        np.arange(m + 1),
        np.ones(m, np.int64),
        np.ones(PROMPTS, np.int64),
        {"made-up": rows},
        str(rng.integers(2**62)),
    )


def trial(seeds: int, seed: int, number: int) -> dict[str, Means]:
    """Run the cells of a fresh pool and compare topologies; by measure."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    pool = made_up(rng)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "prepared.npz"
        pool.save(path)
        answers = [
            measure(
                str(path),
                # Each pool's splits, layouts and labels are its own.
                Cell("made-up", LABELS, 0.75, TOPOLOGIES, (LEARNER,), 1000 * number + k),
            )
            for k in range(seeds)
        ]
        load_prepared.cache_clear()
    assert all(name in MEASURES for name in COMPARED)
    found = {}
    for name in COMPARED:
        against = None if name.startswith("against") else 0
        where = [(i, 0, name) for i in range(1, len(TOPOLOGIES))]
        found[name] = taken(answers, where, against)
    return found


def coverage(trials: int, seeds: int, seed: int = 0, jobs: int = 1) -> list[Covered]:
    """Count how often the intervals cover.

    Parameters
    ----------
    trials : int
        Pools.
    seeds : int
        Of each.
    seed : int
        Of everything random.
    jobs : int
        Processes; the counts do not depend on it.
    """
    each = in_order(partial(trial, seeds, seed), range(trials), jobs)
    counted = []
    for name in COMPARED:
        drawn = [one[name] for one in each]
        truth = np.mean([one.value for one in drawn], axis=0)
        alone = np.array([_alone(one, truth) for one in drawn])
        at_once = [bool(np.all(np.abs(one.value - truth) <= one.reach())) for one in drawn]
        for i, topology in enumerate(TOPOLOGIES[1:]):
            counted.append(Covered(f"{name}, {topology}, alone", int(alone[:, i].sum()), trials))
        counted.append(Covered(f"{name}, all at once", sum(at_once), trials))
    return counted


def _alone(found: Means, truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    reach = t.ppf(0.975, found.seeds - 1) * np.sqrt(np.diagonal(found.covariance))
    return np.asarray(np.abs(found.value - truth) <= reach)


@click.command()
@click.option("--trials", default=300, show_default=True, help="Pools, each afresh.")
@click.option("--seeds", default=20, show_default=True, help="Of each pool.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
def main(trials: int, seeds: int, seed: int, jobs: int) -> None:
    """Count how often a pool's 95 % intervals hold the truth."""
    found = coverage(trials, seeds, seed, jobs)
    for one in found:
        print(one)
    shares = [one.hits / one.trials for one in found]
    print(f"coverage between {min(shares):.1%} and {max(shares):.1%}")


if __name__ == "__main__":
    main()
