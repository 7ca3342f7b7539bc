"""Chain against other topologies on the synthetic language: exact win rates.

    python -m ibn.simulations.language.tournament --out tournament.csv
    python -m ibn.simulations.language.tournament --out tournament.csv --predictors

A row is one setting, learner and topology: win rates against the chain of the same reward and
budget, computed exactly a replicate and averaged over replicates, the squared error of reward
differences, and the two predictions of it, inference distance and exact posterior variance.
Replicates are drawn until every win rate's 95 % interval is narrow enough. What the first command
made, on seed 0, is recorded in ``simulations/recorded/tournament.csv``.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.inference.paths import inference_distance
from ibn.simulations.language.language import (
    DECODERS,
    LEARNERS,
    Labelled,
    Language,
    decode,
    draw,
    win_chances,
)
from ibn.simulations.language.outcomes import LENGTH, MEASURES, WINS, Outcome, load, save
from ibn.simulations.language.predictors import predictions, rule_correlations
from ibn.simulations.sweeping.executors import in_order
from ibn.topology import default_leaves

PAIRS = 256  # of responses whose inference distance is measured, a replicate
BATCH = 64  # replicates between two looks at the intervals

TOPOLOGIES = ("chain", "tree", "tree-grown", "stratified-star", "expander")
GRID: dict[str, Sequence[float]] = {
    "n": (32, 128, 512),
    "beta": (100.0, 2.0),
    "alpha": (0.1, 0.3, 1.0, 2.0),
}
STAGES = (("gaussian-process", "linear"), ("neural",))


class Setting(NamedTuple):
    """A language, a budget and a label noise, and what competes in it.

    What else competes changes no row but the chain's, which has the replicates that the widest
    interval asks for.
    """

    alpha: float
    n: int
    beta: float
    length: int = LENGTH
    topologies: tuple[str, ...] = TOPOLOGIES
    learners: tuple[str, ...] = tuple(LEARNERS)


def rivals(setting: Setting) -> list[Language]:
    """List the topologies of one setting, the chain first; the tree with few and many leaves."""
    alpha, n, beta, length = setting[:4]
    few, many = default_leaves(n), min(2 * n, 2**length)
    return [
        Language(topology, n, alpha, beta, leaves, length)
        for topology in setting.topologies
        for leaves in {"tree": (few, many), "tree-grown": (few,)}.get(topology, (None,))
    ]


@cache
def _libraries() -> ThreadpoolController:
    """Look up the libraries of linear algebra, which takes a while, once."""
    return ThreadpoolController()


def run_once(setting: Setting, seed: int, wanted: NDArray[np.bool_], replicate: int) -> NDArray:
    """Run one replicate of a setting, for those rivals and learners that are wanted.

    Returns
    -------
    ndarray of float, shape (rivals, learners, measures)
        NaN where nothing was wanted or measured.
    """
    with _libraries().limit(limits=1):  # as in a worker, so that the last bits agree
        return _run_once(setting, seed, wanted, replicate)


def _run_once(setting: Setting, seed: int, wanted: NDArray[np.bool_], replicate: int) -> NDArray:
    def stream(*purpose: object) -> np.random.Generator:
        # One for each purpose, so that no number depends on what else is wanted.
        key = zlib.crc32(repr((*setting[:4], *purpose)).encode())
        return np.random.default_rng([seed, replicate, key])

    languages = rivals(setting)
    world, everything = languages[0].world, languages[0].sequences
    reward = world.rewards(everything, stream("reward"))
    found = np.full((*wanted.shape, len(MEASURES)), np.nan)
    chances: dict[tuple[str, str], NDArray[np.float64]] = {}
    for i in np.flatnonzero(wanted.any(axis=1)):
        rival = languages[i].topology, languages[i].leaves
        data = draw(languages[i], reward, stream(*rival))
        if replicate < BATCH:
            found[i, :, len(WINS) + 1 :] = _uncertainty(data, stream("pairs"))
        for j in np.flatnonzero(wanted[i]):
            name = setting.learners[j]
            rng = stream(*rival, name)
            models = [LEARNERS[name](labelled, rng) for labelled in (data, data.mirrored)]
            each = [decode(model) for model in models]
            for k, decoder in enumerate(DECODERS):
                policy = np.mean([np.exp(policies[decoder]) for policies in each], axis=0)
                if i == 0:
                    chances[name, decoder] = win_chances(policy, reward)
                found[i, j, k] = policy @ chances[name, decoder]
            errors = [2.0 * np.var(model - reward, ddof=1) for model in models]
            found[i, j, len(WINS)] = np.mean(errors)
    return found


def _uncertainty(data: Labelled, rng: np.random.Generator) -> tuple[float, float]:
    """Mean inference distance, over random pairs of sequences, and mean posterior variance."""
    ends = rng.integers(0, len(data.reward), (PAIRS, 2))
    distance = inference_distance(data.network, ends[ends[:, 0] != ends[:, 1]])
    return float(distance.mean()), data.variance


def run(
    settings: Sequence[Setting], half_width: float, most: int, seed: int, jobs: int
) -> Iterator[list[Outcome]]:
    """Run each setting and yield its outcomes; the same whatever ``jobs``.

    Parameters
    ----------
    settings : sequence of Setting
        What to run.
    half_width : float
        Wanted of the 95 % intervals of all win rates of a rival and learner, which then rest.
    most : int
        Replicates after which they rest in any case.
    seed : int
        Of everything random.
    jobs : int
        Processes.
    """
    for setting in settings:
        wanted = np.ones((len(rivals(setting)), len(setting.learners)), bool)
        drawn = np.empty((0, *wanted.shape, len(MEASURES)))
        while wanted.any() and len(drawn) < most:
            batch = range(len(drawn), min(len(drawn) + BATCH, most))
            once = partial(run_once, setting, seed, wanted)
            drawn = np.concatenate([drawn, in_order(once, batch, jobs)])
            wanted = _wide(drawn, half_width) & wanted
            wanted[0] = wanted.any(axis=0)  # the chain plays against each of them
        yield _outcomes(setting, drawn)


def _wide(drawn: NDArray, half_width: float) -> NDArray[np.bool_]:
    """Tell which rivals and learners still have a win rate of too wide an interval.

    As in :func:`ibn.estimate.estimate_mean`, an interval must be narrow enough even were its
    standard error too small by two of that error's own standard deviations.
    """
    slack = 1.0 + 2.0 / np.sqrt(2.0 * max(len(drawn) - 1, 1))
    return np.array(
        [
            [
                any(
                    _estimate(drawn[:, i, j, k]).margin() * slack > half_width
                    for k in range(len(WINS))
                )
                for j in range(drawn.shape[2])
            ]
            for i in range(drawn.shape[1])
        ]
    )


def _estimate(column: NDArray[np.float64]) -> Estimate:
    return Estimate.of(column[~np.isnan(column)])


def _outcomes(setting: Setting, drawn: NDArray) -> list[Outcome]:
    outcomes = []
    for (i, language), (j, learner) in product(
        enumerate(rivals(setting)), enumerate(setting.learners)
    ):
        estimates = {name: _estimate(drawn[:, i, j, k]) for k, name in enumerate(MEASURES)}
        measured = {name: one.mean for name, one in estimates.items()}
        errors = {f"{name}_error": one.stderr for name, one in estimates.items()}
        outcomes.append(
            Outcome(
                language.alpha,
                language.n,
                language.beta,
                language.topology,
                language.leaves or 0,
                learner,
                int(estimates["squared_error"].count),
                **measured,
                **errors,
            )
        )
    return outcomes


def settings_of_grid() -> list[Setting]:
    """List all settings of the grid, once more for the learner that takes longest."""
    return [
        Setting(alpha, int(n), beta, learners=learners)
        for learners in STAGES
        for n, beta, alpha in product(*GRID.values())
    ]


def _rests(one: Outcome, half_width: float, most: int) -> bool:
    """Whether a row needs no more replicates."""
    return one.replicates >= most or one.widest <= half_width


@click.command()
@click.option(
    "--half-width", default=0.01, show_default=True, help="Wanted of every win rate's interval."
)
@click.option(
    "--most", default=6400, show_default=True, help="Replicates of a setting in any case."
)
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--jobs", default=2, show_default=True, help="Processes; rows do not depend on it.")
@click.option(
    "--predictors",
    is_flag=True,
    help="Run nothing; print how well trivial rules, then measures, rank the errors.",
)
@click.option("--out", required=True, type=Path, help="The table, a CSV file; resumed if there.")
def main(half_width: float, most: int, seed: int, jobs: int, predictors: bool, out: Path) -> None:
    """Play chain against the other topologies on the synthetic language."""
    try:
        done = load(out) if out.exists() else []
    except InputError as error:
        raise click.ClickException(str(error)) from None
    if predictors:
        if not done:
            raise click.UsageError(f"{out} has no rows yet; run without --predictors first")
        for found in (*rule_correlations(done), *predictions(done)):
            print(found)
        return
    table: dict[tuple[object, ...], list[Outcome]] = {}
    for one in done:
        table.setdefault((*one.setting, one.learner), []).append(one)
    resting = {
        key for key, rows in table.items() if all(_rests(one, half_width, most) for one in rows)
    }
    missing = [
        setting
        for setting in settings_of_grid()
        if not resting.issuperset((*setting[:3], learner) for learner in setting.learners)
    ]
    for ended, outcomes in enumerate(run(missing, half_width, most, seed, jobs), 1):
        table |= {(*one.setting, one.learner): [] for one in outcomes}
        for one in outcomes:
            table[(*one.setting, one.learner)].append(one)
        done = [one for rows in table.values() for one in rows]
        save(out, done)
        print(f"{ended} of {len(missing)} settings", file=sys.stderr)
    for one in done:
        rates = ", ".join(
            f"{name} {rate.mean:.3f} ± {rate.margin():.3f}"
            for name, rate in zip(WINS, one.wins, strict=True)
        )
        print(
            f"α {one.alpha:<4g} n {one.n:<4} β {one.beta:<4g} {one.topology:16} "
            f"|S| {one.leaves:<4} {one.learner:17} {one.replicates:5} replicates, wins: {rates}"
        )
    widest = max(one.widest for one in done)
    wide = sum(one.widest > half_width for one in done)
    print(f"widest 95 % interval: ±{widest:.4f}; {wide} of {len(done)} rows above ±{half_width:g}")


if __name__ == "__main__":
    main()
