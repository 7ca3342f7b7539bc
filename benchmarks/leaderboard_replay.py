"""Battles bought by plan against other rules, replayed on real battles whose outcomes are hidden.

``python -m benchmarks.leaderboard_replay battles.csv`` begins with few battles of each pair chosen
at random, then buys in rounds, by one rule each: *plan* (ibn plan), *uniform* (pairs at random),
*near* (pairs that stand next to each other, as arenas match), *few* (pairs of the items with the
fewest battles). A bought battle is one of the file's of that pair, drawn with replacement, so
that a rule may buy more of a pair than the file has; pairs that never met cannot be bought. What
counts is how many neighbours of the whole file's board are told apart, and at how many battles.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from ibn.estimate import Estimate
from ibn.leaderboard.battle_files import read_battles
from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import Leaderboard, rank
from ibn.leaderboard.intervals import deviations
from ibn.leaderboard.purchase import buy

DRAWS = 500

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rule = Callable[[Leaderboard, int, NDArray[np.bool_], np.random.Generator], tuple[Ints, Ints]]


class Pool:
    """The file's battles, by pair."""

    def __init__(self, battles: Battles) -> None:
        self.battles = battles
        k = len(battles.names)
        low, high = np.minimum(battles.a, battles.b), np.maximum(battles.a, battles.b)
        self.order = np.argsort(low * k + high, kind="stable")
        key = (low * k + high)[self.order]
        self.start = np.searchsorted(key, np.arange(k * k))
        self.size = np.bincount(key, minlength=k * k)
        self.allowed = (self.size.reshape(k, k) + self.size.reshape(k, k).T) > 0

    def draw(self, a: Ints, b: Ints, rng: np.random.Generator) -> Ints:
        """Draw a battle of each pair, as positions in the file."""
        code = np.minimum(a, b) * len(self.battles.names) + np.maximum(a, b)
        place = np.floor(rng.random(len(code)) * self.size[code]).astype(np.int64)
        return self.order[self.start[code] + place]


def by_plan(
    board: Leaderboard, number: int, allowed: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Buy what ibn plan names."""
    found = buy(board, number, allowed=allowed)
    return np.repeat(found.a, found.battles), np.repeat(found.b, found.battles)


def uniform(
    board: Leaderboard, number: int, allowed: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Buy pairs at random."""
    u, v = np.nonzero(np.triu(allowed))
    chosen = rng.integers(0, len(u), number)
    return u[chosen], v[chosen]


def near(
    board: Leaderboard, number: int, allowed: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Buy, for an item at random, the allowed opponent of nearest reward, or the second nearest."""
    gap = np.abs(board.centre[:, None] - board.centre)
    gap[~allowed] = np.inf
    nearest = np.argsort(gap, axis=1)[:, :2]
    a = rng.integers(0, len(gap), number)
    return a, nearest[a, rng.integers(0, 2, number)]


def few(
    board: Leaderboard, number: int, allowed: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Buy, for the item with the fewest battles, an opponent at random; again and again."""
    count = board.of_item.astype(float)
    ends = np.empty((2, number), np.int64)
    for n in range(number):
        a = int(np.argmin(count + rng.random(len(count))))
        b = int(rng.choice(np.flatnonzero(allowed[a])))
        ends[:, n] = a, b
        count[[a, b]] += 1
    return ends[0], ends[1]


RULES: dict[str, Rule] = {"plan": by_plan, "uniform": uniform, "near": near, "few": few}


def told_apart(board: Leaderboard, upper: Ints, lower: Ints) -> int:
    """Count pairs that the board tells apart the right way round."""
    reach = board.pair_width * deviations(board.spread, board.standing.group)[upper, lower]
    return int(np.count_nonzero(board.centre[upper] - board.centre[lower] > reach))


def replay(
    pool: Pool, rule: str, steps: Ints, upper: Ints, lower: Ints, seed: int
) -> list[tuple[int, float]]:
    """Buy to each number of battles in turn; neighbours told apart, and mean width of ranks."""
    rng = np.random.default_rng(seed)  # all rules begin with the same battles
    u, v = np.nonzero(np.triu(pool.allowed))
    spanning = np.arange(len(u)) if len(u) <= steps[0] else rng.permutation(len(u))[: steps[0]]
    extra = rng.integers(0, len(u), steps[0] - len(spanning))
    chosen = np.concatenate([spanning, extra])
    have = pool.draw(u[chosen], v[chosen], rng)
    found = []
    for step in steps:
        if step > len(have):
            a, b = RULES[rule](board, step - len(have), pool.allowed, rng)  # noqa: F821
            have = np.concatenate([have, pool.draw(a, b, rng)])
        board = rank(pool.battles.take(have), draws=DRAWS)
        width = float(np.mean(board.last - board.first))
        found.append((told_apart(board, upper, lower), width))
    return found


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--start", default=2000, show_default=True, help="Battles to begin with.")
@click.option("--end", default=16_000, show_default=True, help="Battles at the end.")
@click.option("--rounds", default=7, show_default=True, help="Purchases in between.")
@click.option("--replicates", default=10, show_default=True, help="Replays of each rule.")
@click.option("--every", default=6, show_default=True, help="Neighbours: so many places apart.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(
    path: Path,
    start: int,
    end: int,
    rounds: int,
    replicates: int,
    every: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Print how many neighbours each rule tells apart, by battles bought, with 95 % intervals."""
    battles = read_battles(path).battles
    pool = Pool(battles)
    order = np.argsort(-rank(battles).centre)
    upper, lower = order[:-every], order[every:]
    steps = np.linspace(start, end, rounds + 1).astype(np.int64)
    names = [(rule, seed) for rule in RULES for seed in range(replicates)]
    rows = Parallel(n_jobs=jobs)(
        delayed(replay)(pool, rule, steps, upper, lower, seed) for rule, seed in names
    )
    found = np.array(rows, dtype=float).reshape(len(RULES), replicates, len(steps), 2)
    document = {"pairs": len(upper), "steps": steps.tolist(), "rules": {}}
    for i, rule in enumerate(RULES):
        document["rules"][rule] = {
            "told_apart": [_interval(found[i, :, s, 0]) for s in range(len(steps))],
            "mean_rank_width": [_interval(found[i, :, s, 1]) for s in range(len(steps))],
            "against_uniform": [
                _interval(found[i, :, s, 0] - found[1, :, s, 0]) for s in range(len(steps))
            ],
            "needed": _interval(_needed(steps, found[i, :, :, 0], found[1, :, -1, 0])),
        }
    if as_json:
        click.echo(json.dumps(document))
        return
    click.echo(
        f"Of {len(upper)} pairs {every} places apart, told apart (and mean width of ranks):\n"
    )
    click.echo("| battles | " + " | ".join(RULES) + " | plan − uniform |")
    click.echo("| --- " * (len(RULES) + 2) + "|")
    for s, step in enumerate(steps):
        cells = [
            f"{x['told_apart'][s]['mean']:.1f} ({x['mean_rank_width'][s]['mean']:.1f})"
            for x in document["rules"].values()
        ]
        gain = document["rules"]["plan"]["against_uniform"][s]
        cells.append(f"{gain['mean']:+.1f} [{gain['low']:+.1f}, {gain['high']:+.1f}]")
        click.echo(f"| {step:,} | {' | '.join(cells)} |")
    click.echo("\nBattles that tell apart as many as uniform does at the end:")
    for rule, x in document["rules"].items():
        mean, low, high = (x["needed"][end] for end in ("mean", "low", "high"))
        click.echo(f"{rule}: {mean:,.0f} [{low:,.0f}, {high:,.0f}]")


def _needed(steps: Ints, found: Floats, wanted: Floats) -> Floats:
    """Battles at which each replay has told so many pairs apart, in between by a straight line.

    A replay that never does is given the last number, which is then at least what it needs.
    """
    rising = np.maximum.accumulate(found, axis=1)
    rows = zip(rising, wanted, strict=True)
    return np.array([np.interp(each, row, steps) for row, each in rows])


def _interval(values: Floats) -> dict[str, float]:
    estimate = Estimate.of(values)
    low, high = estimate.interval()
    return {"mean": estimate.mean, "low": low, "high": high}


if __name__ == "__main__":
    main()
