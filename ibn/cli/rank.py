"""``ibn rank``: a leaderboard of few items from many battles."""

from __future__ import annotations

from typing import Any

import click

from ibn.cli.bounded import Between
from ibn.cli.inputs import choosing, sharing
from ibn.cli.terminal import terminal
from ibn.strict_json import dumps


@click.command(name="rank")
@click.argument("path", metavar="BATTLES")
@click.option(
    "--ties",
    type=click.Choice(["half", "drop", "davidson", "rao-kupper"]),
    default="half",
    show_default=True,
    help="A tie is half a win each, is left out, or is an outcome in a model of ties.",
)
@click.option(
    "--both-bad",
    type=click.Choice(["tie", "drop"]),
    default="tie",
    show_default=True,
    help="Battles whose two sides are both called bad are ties, or are left out.",
)
@click.option(
    "--prior",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Jeffreys' prior is worth one battle an item, half won. It is used where an item won or "
    "lost everything (auto), always (on) or never (off).",
)
@click.option(
    "--cluster",
    metavar="LABEL",
    help="Battles that share a label, such as judge or prompt, may depend on each other.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar="NAME",
    help="Take out the effect of a covariate: position, or NAME for columns NAME_a and NAME_b.",
)
@click.option(
    "--reliability", is_flag=True, help="Judges differ in how reliable they are; needs judges."
)
@click.option("--by", metavar="LABEL", help="Rank each category apart too, such as category.")
@click.option("--probes", is_flag=True, help="Say what biases the leaderboard.")
@click.option(
    "--out",
    metavar="FILE",
    help="Write a page with all of it here, as HTML; a .json file gets what --json prints, an "
    ".svg, .png or .pdf the picture.",
)
@click.option(
    "--level",
    type=Between(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Probability with which all intervals hold at once.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the simulation behind the intervals' widths.",
)
@choosing
@sharing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(path: str, as_json: bool, out: str | None, **options: Any) -> int:
    """Rank a few items, such as models in an arena, by many battles.

    BATTLES is a file with columns model_a, model_b and winner (model_a, model_b, tie, the
    winner's name, or 1, 0.5, 0), or chosen and rejected: JSONL, JSON, CSV or Parquet, each also
    .gz. It may have weight, count, judge, prompt, category and time. Rewards are Bradley-Terry's
    of greatest likelihood, without any inductive bias, in nats of log-odds about their mean. All
    intervals, of rewards and of ranks, hold at once with the probability --level.

    \b
    Examples:
      ibn rank battles.csv
      ibn rank battles.csv --probes --out board.html
      ibn rank battles.jsonl.gz --ties davidson --control length --json > leaderboard.json
    """  # noqa: D301 - the escape is for click
    from ibn.leaderboard.ranking import Leaderboard, rank

    if out is not None:
        page = Leaderboard.check_path(out, [path]) in Leaderboard.endings
        options["probes"] = options["probes"] or page
    board = rank(path, **options)
    if out is not None:
        board.save(out)
    document = board.to_json()
    if as_json:
        click.echo(dumps(document))
        return 0
    _print(document)
    return 0


def _print(document: dict[str, Any]) -> None:
    """Print a board for people."""
    console = terminal()
    console.print(_table("", document))
    for name, board in document.get("by", {}).items():
        console.print(_table(name, board))
    for row in document.get("probes", ()):
        sign = "!" if row["flagged"] else "?" if row["effect"] is None else " "
        console.print(f"{sign} {row['name']}: {row['found']} {row['advice']}".rstrip())
    for name, effect in document["effects"].items():
        low, high = effect["interval"]
        console.print(f"Effect of {name}: {effect['value']:+.3f} ({low:+.3f} to {high:+.3f})")
    notes = [f"Battles: {document['battles']:,}, ties among them: {document['ties']:,}"]
    if document["both_bad"]:
        notes[0] += f", both bad: {document['both_bad']:,}"
    notes.append(
        f"Intervals hold all at once with probability {document['level']:g}: "
        f"{document['item_width']:.2f} deviations each way, {document['pair_width']:.2f} for "
        "differences"
    )
    if document["prior"]:
        notes.append("Rewards are under Jeffreys' prior, worth one battle an item, half won")
    if document["skipped"]:
        from ibn.leaderboard.battle_files import LEFT_OUT

        notes.append(f"Left out, {LEFT_OUT}: {document['skipped']:,}")
    if document["unused"]:
        from ibn.leaderboard.names import shown

        notes.append("Columns not used: " + ", ".join(shown(x) for x in document["unused"]))
    console.print(". ".join(notes) + ".")


def _table(title: str, document: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ibn.leaderboard.names import shown

    table = Table(box=box.SIMPLE_HEAD, title=Text(shown(title)) if title else None)
    for column in ("rank", "item", "reward", "interval", "battles", ""):
        left = column in ("item", "")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    for row in document["items"]:
        first, last = row["ranks"]
        ends = [f"{row[x]:+.3f}" if row[x] is not None else "?" for x in ("low", "high")]
        table.add_row(
            f"{first}" if first == last else f"{first}–{last}",
            Text(shown(row["name"])),
            f"{row['reward']:+.3f}",
            " to ".join(ends),
            f"{row['battles']:,}",
            ", ".join(row["flags"]),
        )
    return table
