"""How often a leaderboard's intervals hold all at once.

``python -m benchmarks.leaderboard_coverage`` prints the table.

Boards of items with some 200 battles each and of newcomers with few, rewards standard Gaussian
and drawn anew for each board. Ties come at a constant rate, whatever the rewards, where they
count as half a win, and the truth is then what infinitely many battles of the same pairs would
give; or from the model of ties that is fitted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product

import click
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit

from ibn.leaderboard.battles import Battles, Tally, tally
from ibn.leaderboard.board import rank
from ibn.leaderboard.bradley_terry import fit
from ibn.leaderboard.tie_models import MODELS

ESTABLISHED = 200  # battles of an item that is no newcomer, on average
DRAWS = 1000
CHUNK = 50

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """A kind of board."""

    items: int
    newcomers: int
    battles: int
    tie_share: float
    ties: str


@dataclass(frozen=True)
class Covered:
    """How often the intervals of a kind of board all held: of differences, rewards and ranks."""

    cell: Cell
    boards: int
    differences: float
    rewards: float
    ranks: float

    @property
    def stderr(self) -> float:
        """Standard error of the first."""
        return float(np.sqrt(self.differences * (1.0 - self.differences) / self.boards))


def pairs(cell: Cell, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw who meets whom: established items among each other, newcomers with them."""
    old = cell.items - cell.newcomers
    a = rng.integers(0, old, old * ESTABLISHED // 2)
    b = (a + rng.integers(1, old, len(a))) % old
    new = np.repeat(np.arange(old, cell.items), cell.battles)
    return np.concatenate([a, new]), np.concatenate([b, rng.integers(0, old, len(new))])


def chances(cell: Cell, log_odds: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities of a win and of a tie."""
    if cell.ties in ("half", "drop"):
        return (1.0 - cell.tie_share) * expit(log_odds), np.full_like(log_odds, cell.tie_share)
    even = cell.tie_share
    tie = (
        np.log(2.0 * even / (1.0 - even))
        if cell.ties == "davidson"
        else np.log(2 * np.arctanh(even))
    )
    win, tied, _ = np.exp(MODELS[cell.ties].at(log_odds, float(tie)).log_chance)
    return win, tied


def truth(cell: Cell, rows: Tally, rewards: Floats) -> Floats:
    """Return what is estimated: rewards that the expected shares of wins would give."""
    if cell.ties != "half" or not cell.tie_share:
        return rewards - rewards.mean()
    win, tied = chances(cell, rewards[rows.a] - rewards[rows.b])
    share = win + tied / 2.0
    score = np.stack([share, np.zeros_like(share), 1.0 - share])
    return fit(replace(rows, score=rows.weight * score)).rewards


def holds(cell: Cell, seed: np.random.SeedSequence) -> tuple[bool, bool, bool]:
    """Draw one board and see whether all intervals of differences, rewards and ranks hold."""
    rng = np.random.default_rng(seed)
    a, b = pairs(cell, rng)
    rewards = rng.standard_normal(cell.items)
    win, tied = chances(cell, rewards[a] - rewards[b])
    dice = rng.random(len(a))
    outcome = np.where(dice < win, 1.0, np.where(dice < win + tied, 0.5, 0.0))
    battles = Battles([str(i) for i in range(cell.items)], a, b, outcome)
    board = rank(battles, ties=cell.ties, draws=DRAWS, seed=int(rng.integers(2**31)))
    right = truth(cell, tally(battles), rewards)
    inside = (board.low <= right) & (right <= board.high)
    variance = np.diagonal(board.spread)
    reach = board.pair_width * np.sqrt(variance[:, None] + variance - 2.0 * board.spread)
    off = board.centre - right
    within = np.abs(off[:, None] - off) <= reach + 1e-12
    place = 1 + np.argsort(np.argsort(-right))
    placed = (board.first <= place) & (place <= board.last)
    return bool(within.all()), bool(inside.all()), bool(placed.all())


def cover(cell: Cell, boards: int, seed: int, parallel: Parallel) -> Covered:
    """Count over many boards of a kind."""
    seeds = np.random.SeedSequence(seed).spawn(boards)
    chunks = [seeds[low : low + CHUNK] for low in range(0, boards, CHUNK)]

    def count(chunk: list[np.random.SeedSequence]) -> list[tuple[bool, bool, bool]]:
        return [holds(cell, each) for each in chunk]

    found = [x for chunk in parallel(delayed(count)(chunk) for chunk in chunks) for x in chunk]
    return Covered(cell, boards, *(float(share) for share in np.mean(found, axis=0)))


def cells(
    items: list[int], battles: list[int], shares: list[float], ties: list[str]
) -> Iterator[Cell]:
    """List the kinds of board: one newcomer, and a third of the board."""
    for k, m, share, way in product(items, battles, shares, ties):
        if share or way in ("half", "drop"):
            for newcomers in sorted({1, k // 3}):
                yield Cell(k, newcomers, m, share, way)


def numbers(text: str) -> list[float]:
    """Split a list of numbers."""
    return [float(each) for each in text.split(",")]


@click.command()
@click.option("--boards", default=1000, show_default=True, help="Boards a cell.")
@click.option("--items", default="3,10,30,60", show_default=True, help="Items a board.")
@click.option("--battles", default="2,3,6,20", show_default=True, help="Battles of a newcomer.")
@click.option("--tie-shares", default="0,0.4,0.8", show_default=True, help="Shares of ties.")
@click.option("--ties", default="half", show_default=True, help="How ties are counted.")
@click.option("--seed", default=0, show_default=True, help="Of the boards.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(
    boards: int,
    items: str,
    battles: str,
    tie_shares: str,
    ties: str,
    seed: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Print how often 95 % intervals hold all at once, a row a kind of board."""
    wanted = cells(
        [int(k) for k in numbers(items)],
        [int(m) for m in numbers(battles)],
        numbers(tie_shares),
        ties.split(","),
    )
    found = []
    if not as_json:
        click.echo(
            "| items | newcomers | their battles | ties | as | differences | rewards | ranks |"
        )
        click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with Parallel(n_jobs=jobs) as parallel:
        for cell in wanted:
            row = cover(cell, boards, seed, parallel)
            found.append(row)
            if not as_json:
                click.echo(
                    f"| {cell.items} | {cell.newcomers} | {cell.battles} | {cell.tie_share:g} | "
                    f"{cell.ties} | {row.differences:.3f} ± {row.stderr:.3f} | {row.rewards:.3f} | "
                    f"{row.ranks:.3f} |"
                )
    if as_json:
        click.echo(json.dumps([asdict(row) for row in found]))
        return
    all_shares = [row.differences for row in found]
    click.echo(f"\ndifferences: {min(all_shares):.3f} to {max(all_shares):.3f}")


if __name__ == "__main__":
    main()
