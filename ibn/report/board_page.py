"""The page of a leaderboard: its picture, the table, who can be told apart, and the probes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ibn.leaderboard.board import Leaderboard
from ibn.leaderboard.intervals import deviations
from ibn.leaderboard.names import shown
from ibn.report.standalone import environment, picture
from ibn.report.style import BLUE, COLUMN, GREY, VERMILION, style

MOST_DRAWN = 100
LONGEST = 40  # characters of a name in the picture


def board_page(board: Leaderboard, document: dict[str, Any]) -> str:
    """Write a leaderboard as one self-contained HTML page.

    Parameters
    ----------
    board : Leaderboard
    document : dict
        As ``ibn rank --json`` prints it.
    """
    made = environment()
    made.filters["shown"] = shown
    with style():
        image = picture(draw(board))
    better, k = told_apart(board), len(board.names)
    return made.get_template("board.html.j2").render(
        doc=document,
        image=image,
        drawn=min(k, MOST_DRAWN),
        separated=float(np.count_nonzero(better)) / max(k * (k - 1), 1),
    )


def told_apart(board: Leaderboard) -> NDArray[np.int64]:
    """Say for each two items, best first, whether the first is better (1), worse (-1) or open."""
    order = np.argsort(-board.centre)
    reach = board.pair_width * deviations(board.spread, board.standing.group)
    gap = board.centre[:, None] - board.centre
    return (np.where(gap > reach, 1, 0) - np.where(gap < -reach, 1, 0))[np.ix_(order, order)]


def draw(board: Leaderboard) -> Figure:
    """Draw the intervals of the best items, and beside them who can be told apart from whom."""
    order = np.argsort(-board.centre)[:MOST_DRAWN]
    k = len(order)
    height = 0.17 * k + 0.8
    figure = Figure(figsize=(2.0 * COLUMN, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2), sharey=True)
    place = np.arange(k)
    low, high = board.low[order], board.high[order]
    known = np.isfinite(low) & np.isfinite(high)
    left.hlines(place[known], low[known], high[known], color=GREY)
    left.plot(board.rewards[order], place, "o", ms=3.0, color=BLUE)
    # The names are no formulas, whatever they hold.
    left.set_yticks(place, [shown(board.names[i], LONGEST) for i in order], parse_math=False)
    left.set(xlabel="reward against the mean, nats", ylim=(k - 0.5, -0.5))
    left.set_title(f"Intervals that hold at once ({board.level:.0%})")
    better = told_apart(board)[:k, :k]
    for sign, color in ((1, BLUE), (-1, VERMILION)):
        rows, columns = np.nonzero(better == sign)
        right.scatter(columns + 1, rows, s=min(20.0, 800.0 / k), marker="s", color=color, lw=0)
    if not better.any():
        right.text(0.5, 0.5, "no two are told apart", transform=right.transAxes, ha="center")
    right.set(xlim=(0.5, k + 0.5), xlabel="than the item of this place")
    right.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    right.set_title("Better (blue) or worse (red)")
    right.grid(visible=False)
    return figure
