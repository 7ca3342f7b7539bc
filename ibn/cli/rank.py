"""``ibn rank``: a leaderboard of few items from many battles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ibn.leaderboard import Leaderboard


@click.command(name="rank")
@click.argument("prefs", metavar="BATTLES")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Probability with which all intervals hold at once.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the simulation behind the intervals' widths.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(prefs: str, level: float, seed: int, as_json: bool) -> int:
    """Rank a few items, such as models in an arena, by many battles.

    BATTLES is a file with columns model_a, model_b and winner (model_a, model_b or tie), or
    chosen and rejected: JSONL, JSON, CSV or Parquet, each also .gz. Rewards are Bradley-Terry's
    of greatest likelihood, without any inductive bias, in nats of log-odds about their mean;
    a tie is half a win each. All intervals, of rewards and of ranks, hold at once with the
    probability --level.

    \b
    Examples:
      ibn rank battles.csv
      ibn rank battles.jsonl.gz --json > leaderboard.json
    """  # noqa: D301 - the escape is for click
    from ibn.leaderboard import rank
    from ibn.preferences.reading import read_preferences

    data = read_preferences(prefs)
    board = rank(data.comparisons, data.responses, level=level, seed=seed)
    if as_json:
        click.echo(json.dumps(to_json(board)))
        return 0
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("rank", "item", "reward", "interval"):
        table.add_column(column, justify="left" if column == "item" else "right")
    for row in to_json(board)["items"]:
        first, last = row["ranks"]
        table.add_row(
            f"{first}" if first == last else f"{first}–{last}",
            " ".join(row["name"].split()),
            f"{row['reward']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{board.battles:,} battles, {board.ties:,} of them ties. Intervals hold all at once with "
        f"probability {level:g}: {board.item_width:.2f} standard errors each way, "
        f"{board.pair_width:.2f} for differences."
    )
    return 0


def to_json(board: Leaderboard) -> dict[str, Any]:
    """Return the board as JSON has it, the best item first."""
    order = sorted(range(len(board.names)), key=lambda i: -board.rewards[i])
    return {
        "battles": board.battles,
        "ties": board.ties,
        "level": board.level,
        "item_width": board.item_width,
        "pair_width": board.pair_width,
        "items": [
            {
                "name": str(board.names[i]),
                "reward": float(board.rewards[i]),
                "low": float(board.low[i]),
                "high": float(board.high[i]),
                "stderr": float(board.covariance[i, i] ** 0.5),
                "ranks": [int(board.first[i]), int(board.last[i])],
            }
            for i in order
        ],
    }
