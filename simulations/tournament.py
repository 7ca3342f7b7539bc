"""Chain against tree on the synthetic language, and what predicts reward models' errors (E6).

    python -m simulations.tournament --replicates 600 --out tournament.csv
    python -m simulations.tournament --out tournament.csv --predictors

A row is one setting, learner and topology: win rates against the chain of the same reward and
budget, computed exactly a replicate and averaged over replicates, the squared error of reward
differences, and the two predictions of it, inference distance and exact posterior variance.
"""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from ibn.distance import inference_distance
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.posterior import resistance_matrix
from simulations.language import DECODERS, LEARNERS, Language, decode, draw, win_rate

PAIRS = 256  # of responses whose inference distance is measured, a replicate
BOOTSTRAPS = 1000

TOPOLOGIES = ("chain", "tree", "tree-grown", "stratified-star", "expander")
GRID = {
    "alpha": (0.1, 0.3, 0.5, 1.0, 2.0),
    "n": (64, 256, 1024),
    "beta": (100.0, 2.0),
}


class Setting(NamedTuple):
    """A language, a budget and a label noise, and the topologies that compete in it."""

    alpha: float
    n: int
    beta: float
    length: int
    topologies: tuple[str, ...] = TOPOLOGIES


@dataclass(frozen=True)
class Outcome:
    """One setting, learner and topology, averaged over replicates.

    Every average has its standard error in the field of the same name and ``_error``.

    Attributes
    ----------
    alpha, n, beta, topology, leaves : setting
        As in :class:`simulations.language.Language`; ``leaves`` 0 where there are none.
    learner : str
        One of ``simulations.language.LEARNERS``.
    replicates : int
        Rewards drawn, each with a dataset of every topology.
    regularised, best_of_n : float
        Win rate against the chain under each decoder; 0.5 means as good.
    squared_error : float
        Mean of (Δ(y) - Δ(y'))² over all pairs, Δ the reward model's error.
    distance, variance : float
        Mean inference distance and mean exact posterior variance on the same datasets.
    """

    alpha: float
    n: int
    beta: float
    topology: str
    leaves: int
    learner: str
    replicates: int
    regularised: float
    regularised_error: float
    best_of_n: float
    best_of_n_error: float
    squared_error: float
    squared_error_error: float
    distance: float
    distance_error: float
    variance: float
    variance_error: float


MEASURES = ("regularised", "best_of_n", "squared_error", "distance", "variance")


def rivals(setting: Setting) -> list[Language]:
    """List the topologies of one setting, the chain first; trees with few and many leaves."""
    alpha, n, beta, length, topologies = setting
    few, many = round(n / np.log(n)), min(2 * n, 2 ** (length - 1))
    return [
        Language(topology, n, alpha, beta, leaves, length)
        for topology in topologies
        for leaves in ((few, many) if topology.startswith("tree") else (None,))
    ]


def run_once(setting: Setting, seed: int, replicate: int) -> NDArray:
    """Run one replicate of a setting: shape (topologies, learners, measures)."""
    with threadpool_limits(1):  # as in a worker, so that the last bits agree
        return _run_once(setting, seed, replicate)


def _run_once(setting: Setting, seed: int, replicate: int) -> NDArray:
    rng = np.random.default_rng([seed, replicate, zlib.crc32(repr(setting).encode())])
    languages = rivals(setting)
    reward = languages[0].world.rewards(languages[0].sequences, rng)
    found = np.empty((len(languages), len(LEARNERS), len(MEASURES)))
    chains: dict[tuple[str, str], NDArray[np.float64]] = {}
    for i, language in enumerate(languages):
        data = draw(language, reward, rng)
        ends = rng.integers(0, len(reward), (PAIRS, 2))
        distance = float(inference_distance(data.network, ends[ends[:, 0] != ends[:, 1]]).mean())
        m = len(reward)
        variance = float(resistance_matrix(data.network).sum() / (m * (m - 1)))
        for j, (name, learner) in enumerate(LEARNERS.items()):
            model = learner(data, rng)
            error = 2.0 * float(np.var(model - reward, ddof=1))
            wins = []
            for decoder in DECODERS:
                policy = decode(model, decoder)
                chains.setdefault((name, decoder), policy)
                wins.append(win_rate(policy, chains[name, decoder], reward))
            found[i, j] = (*wins, error, distance, variance)
    return found


def run(
    settings: Sequence[Setting], replicates: int, seed: int, jobs: int
) -> Iterator[list[Outcome]]:
    """Run each setting and yield its outcomes; the same whatever ``jobs``."""
    from joblib import Parallel, delayed

    with Parallel(jobs, batch_size=8) as parallel:
        for setting in settings:
            once = delayed(partial(run_once, setting, seed))
            drawn = np.array(parallel(once(replicate) for replicate in range(replicates)))
            yield _outcomes(setting, drawn)


def _outcomes(setting: Setting, drawn: NDArray) -> list[Outcome]:
    outcomes = []
    for i, language in enumerate(rivals(setting)):
        for j, learner in enumerate(LEARNERS):
            estimates = [Estimate.of(column) for column in drawn[:, i, j].T]
            measured = {}
            for name, estimate in zip(MEASURES, estimates, strict=True):
                measured[name] = estimate.mean
                measured[f"{name}_error"] = estimate.stderr
            outcomes.append(
                Outcome(
                    language.alpha,
                    language.n,
                    language.beta,
                    language.topology,
                    language.leaves or 0,
                    learner,
                    len(drawn),
                    **measured,
                )
            )
    return outcomes


def settings_of_grid(length: int) -> list[Setting]:
    """List α, n, β and length of all settings."""
    values = product(GRID["alpha"], GRID["n"], GRID["beta"])
    return [Setting(float(alpha), int(n), float(beta), length) for alpha, n, beta in values]


def load(path: Path) -> list[Outcome]:
    """Read a table of outcomes.

    Raises
    ------
    InputError
        If it is no such table.
    """
    kinds = {field.name: field.type for field in fields(Outcome)}
    readers = {"float": float, "int": int, "str": str}
    with open(path, newline="") as stream:
        rows = csv.DictReader(stream)
        if rows.fieldnames != list(kinds):
            raise InputError("no table of a tournament", file=path, line=1)
        found = []
        for number, row in enumerate(rows, 2):
            try:
                values = {name: readers[str(kinds[name])](row[name]) for name in kinds}
            except (TypeError, ValueError):
                raise InputError("not a row of a tournament", file=path, line=number) from None
            found.append(Outcome(**values))
    return found


def save(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write a table of outcomes, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    with open(beside, "w", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Outcome)])
        writer.writeheader()
        writer.writerows(asdict(outcome) for outcome in outcomes)
    beside.replace(path)


@dataclass(frozen=True)
class Prediction:
    """How well a measure ranks datasets by the error of the reward models trained on them.

    Attributes
    ----------
    learner, measure : str
        Which learner, and ``distance`` or ``variance``.
    within : str
        ``all`` points, or only those of equal α, n and β, whose rank correlations are averaged:
        there the topology alone makes the difference.
    points : int
        Datasets ranked.
    correlation : float
        Spearman's.
    low, high : float
        95 % interval: bootstrap over settings.
    """

    learner: str
    measure: str
    within: str
    points: int
    correlation: float
    low: float
    high: float


def predictions(outcomes: Sequence[Outcome], seed: int = 0) -> list[Prediction]:
    """Correlate each measure with the measured error, over all points and within settings."""
    rng = np.random.default_rng(seed)
    found = []
    for learner, measure in product(LEARNERS, ("distance", "variance")):
        groups: dict[tuple[float, int, float], list[tuple[float, float]]] = {}
        for one in outcomes:
            if one.learner == learner:
                key = (one.alpha, one.n, one.beta)
                groups.setdefault(key, []).append((getattr(one, measure), one.squared_error))
        tables = [np.array(points) for points in groups.values()]
        alone = np.array([_spearman(table) for table in tables])
        resampled = rng.integers(0, len(tables), (BOOTSTRAPS, len(tables)))
        pooled = [_spearman(np.concatenate([tables[k] for k in rows])) for rows in resampled]
        both = (
            ("all", _spearman(np.concatenate(tables)), np.array(pooled)),
            ("setting", float(alone.mean()), alone[resampled].mean(axis=1)),
        )
        for within, correlation, draws in both:
            low, high = np.quantile(draws, [0.025, 0.975])
            points = sum(map(len, tables))
            found.append(
                Prediction(learner, measure, within, points, correlation, float(low), float(high))
            )
    return found


def _spearman(points: NDArray) -> float:
    ranks = rankdata(points, axis=0)
    return float(np.corrcoef(ranks.T)[0, 1])


@click.command()
@click.option("--replicates", default=600, show_default=True, help="Rewards drawn a setting.")
@click.option("--length", default=9, show_default=True, help="Tokens of a sequence.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", default=2, show_default=True, help="Processes; rows do not depend on it.")
@click.option("--predictors", is_flag=True, help="Run nothing; tell what predicts the errors.")
@click.option("--out", required=True, type=Path, help="The table, a CSV file; resumed if there.")
def main(replicates: int, length: int, seed: int, jobs: int, predictors: bool, out: Path) -> None:
    """Play chain against the other topologies on the synthetic language."""
    done = load(out) if out.exists() else []
    if predictors:
        for found in predictions(done):
            print(
                f"{found.learner:17} {found.measure:9} {found.within:8} {found.points:4} points  "
                f"{found.correlation:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
            )
        return
    known = {(one.alpha, one.n, one.beta) for one in done if one.replicates >= replicates}
    missing = [s for s in settings_of_grid(length) if s[:3] not in known]
    done = [one for one in done if (one.alpha, one.n, one.beta) in known]
    for ended, outcomes in enumerate(run(missing, replicates, seed, jobs), 1):
        done += outcomes
        save(out, done)
        print(f"{ended} of {len(missing)} settings", file=sys.stderr)
    for one in done:
        print(
            f"α {one.alpha:<4g} n {one.n:<5} β {one.beta:<4g} {one.topology:16} "
            f"|S| {one.leaves:<5} {one.learner:17} against chain: "
            f"{one.regularised:.3f} ± {one.regularised_error:.3f} regularised, "
            f"{one.best_of_n:.3f} ± {one.best_of_n_error:.3f} best of n"
        )


if __name__ == "__main__":
    main()
