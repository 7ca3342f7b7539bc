"""Planted boards of arenakit through its probes and ours.

``python -m benchmarks.leaderboard_probes`` prints a row a board.
Ours are also run on boards without a defect, drawn with other seeds, to see how often chance
alone flags one.
"""

from __future__ import annotations

from collections import Counter

import click
import numpy as np

from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import rank
from ibn.leaderboard.board_probes import Probe, probe

QUIET = "even-board"


def battles_of(arena: object) -> Battles:
    """Take an arena of arenakit as battles."""
    a, b, y, judge, prompt = (
        np.asarray(getattr(arena, name)) for name in ("a", "b", "y", "voter", "item")
    )
    return Battles(
        names=list(arena.models),  # type: ignore[attr-defined]
        a=a.astype(np.int64),
        b=b.astype(np.int64),
        outcome=np.array([1.0, 0.0, 0.5])[y],
        labels={"judge": judge, "prompt": prompt},
    )


def ours(arena: object) -> list[Probe]:
    """Return our probes that are flagged."""
    battles = battles_of(arena)
    return [x for x in probe(battles, rank(battles)) if x.flagged]


def said(found: Probe) -> str:
    """Write a probe's name, effect and interval."""
    ends = "" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.name} {found.effect:.2f}{ends}"


@click.command()
@click.option("--resamples", default=400, show_default=True, help="Of arenakit's bootstrap.")
@click.option("--quiet-boards", default=100, show_default=True, help="Sound boards for ours.")
def main(resamples: int, quiet_boards: int) -> None:
    """Print what each of arenakit's probes and ours flagged, a row a planted board."""
    from arenakit.demo import DEMOS
    from arenakit.probes import run_audit

    click.echo("| board | planted, by arenakit | arenakit flags | ours flag |")
    click.echo("| --- | --- | --- | --- |")
    for demo in DEMOS:
        arena = demo.build()
        theirs = ", ".join(sorted(run_audit(arena, n_resamples=resamples).flags))
        mine = ", ".join(map(said, ours(arena)))
        click.echo(f"| {demo.key} | {', '.join(demo.expect)} | {theirs} | {mine} |")
    sound = next(demo for demo in DEMOS if demo.key == QUIET)
    counted = Counter(x.name for seed in range(quiet_boards) for x in ours(sound.build(seed + 1)))
    alarms = ", ".join(f"{name} {count}" for name, count in counted.items()) or "none"
    click.echo(f"\nOf {quiet_boards} sound boards, flagged by chance: {alarms}")


if __name__ == "__main__":
    main()
