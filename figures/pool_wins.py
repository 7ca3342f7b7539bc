"""Tree over chain on real responses: win rates of the best of N, beside the paper's."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import pools
from ibn.figures.report_tables import Cell, Table
from ibn.report.style import BLACK, COLUMN, GREY
from ibn.simulations.paper import TASKS, WINS
from ibn.simulations.pools.deciding import LEARNER

TITLE = "Tree over chain on pools of real responses"
CLAIMS = ("E6",)
RECORDS, NEEDS = pools.RECORDS, pools.NEEDS
SIZES = {"tree-few": "n/log n", "tree-half": "n/2", "tree-n": "n", "tree-2n": "2n"}


def _rows(document: pools.Document, topology: str) -> list[pools.Row]:
    return pools.rows(
        document,
        "wins",
        features=pools.first(document),
        n=pools.largest(document),
        topology=topology,
        kind="against_chain",
        learner=LEARNER,
    )


def draw() -> Figure:
    """Draw a panel a pool."""
    found = pools.documents()
    figure = Figure(figsize=(COLUMN, 1.6 * len(found) + 0.7), layout="constrained")
    panels = figure.subplots(len(found), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, document in zip(panels, found, strict=True):
        for k, (topology, size) in enumerate(SIZES.items()):
            each = _rows(document, topology)
            at = [row["draws"] * (0.94 + 0.04 * k) for row in each]
            color, values = pools.COLOURS[k], [row["value"] for row in each]
            look = {"color": color, "marker": "o", "ms": 3.2, "lw": 0.9, "label": f"|S| = {size}"}
            axes.errorbar(at, values, pools.bars(each), **look)
        for task, rate in WINS["tree", "chain"].items():
            axes.axhline(rate, color=BLACK, lw=0.7, ls=":")
            axes.text(33, rate, f"paper, {TASKS[task]}", ha="right", va="bottom", fontsize=6)
        axes.axhline(0.5, color=GREY, lw=0.8)
        axes.set_xscale("log", base=2)
        axes.set_xticks([2, 4, 8, 16, 32], ["2", "4", "8", "16", "32"])
        axes.set_ylabel("win rate")
        axes.set_title(f"{pools.named(document)}, n = {pools.largest(document):,}")
    panels[-1].set_xlabel("draws $N$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    return (
        "How often the best of N by a reward model of the tree’s labels scores above the best of "
        "N by one of the chain’s, each of draws of its own, on prompts that neither was trained "
        "on; ties half. Penalty by cross-validation over prompts, labels of 75 % agreement, "
        "simultaneous 95 % intervals over seeds and prompts. "
        f"{pools.behind(pools.documents())} Dotted: the paper’s (PPO, 7B, other tasks and judge)."
    )


def tables() -> list[Table]:
    """Tabulate the win rates."""
    rows = [
        [
            Cell(pools.named(document)),
            Cell(f"{row['n']:,}"),
            Cell(size),
            Cell(f"{row['draws']}"),
            Cell(f"{row['value']:.3f} ({row['low']:.3f}–{row['high']:.3f})"),
        ]
        for document in pools.documents()
        for topology, size in SIZES.items()
        for row in _rows(document, topology)
    ]
    return [Table("Tree over chain", ("pool", "n", "|S|", "N", "win rate (95 %)"), rows)]
