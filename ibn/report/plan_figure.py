"""The pictures of plans: what the labels to come are expected to bring."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ibn.design.planned import Plan
from ibn.leaderboard.names import shown
from ibn.leaderboard.purchase import Purchase
from ibn.report.style import BLUE, COLUMN, GREY, ORANGE

LONGEST = 40  # characters of a name
MOST_DRAWN = 100


def draw_plan(planned: Plan) -> Figure:
    """Draw the mean posterior variance as the planned labels come in, and after random ones."""
    figure = Figure(figsize=(COLUMN, 2.4), layout="constrained")
    axes = figure.subplots()
    design, random = planned.design, planned.random
    left = design.before - np.concatenate([[0.0], np.cumsum(design.reduction)])
    axes.plot(np.arange(len(left)), left, color=BLUE, label="planned, random picks first")
    look: dict[str, Any] = {"fmt": "o", "ms": 4.0, "color": ORANGE, "label": "as many at random"}
    axes.errorbar([len(left) - 1], [random.mean], yerr=[random.stderr], **look)
    axes.set(xlabel="labels to come", ylabel="mean posterior variance", ylim=(0.0, None))
    axes.legend(loc="lower left")
    return figure


def draw_purchase(bought: Purchase) -> Figure:
    """Draw the intervals of the ranks, now and expected with the battles."""
    board = bought.board
    order = np.argsort(-board.centre)[:MOST_DRAWN]
    place = np.arange(len(order))
    figure = Figure(figsize=(1.4 * COLUMN, 0.17 * len(order) + 0.8), layout="constrained")
    axes = figure.subplots()
    axes.hlines(place - 0.15, board.first[order], board.last[order], color=GREY, label="now")
    axes.hlines(place + 0.15, bought.first[order], bought.last[order], color=BLUE, label="expected")
    axes.plot(board.first[order], place - 0.15, "|", color=GREY)
    axes.plot(bought.first[order], place + 0.15, "|", color=BLUE)
    # The names are no formulas, whatever they hold.
    axes.set_yticks(place, [shown(board.names[i], LONGEST) for i in order], parse_math=False)
    axes.set(xlabel="rank", ylim=(len(order) - 0.5, -0.5))
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
    return figure
