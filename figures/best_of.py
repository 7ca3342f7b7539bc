"""Best-of-N: how a policy's win rate grows with the draws its reward model chooses from."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import trained
from ibn.figures.report_tables import Cell, Table
from ibn.figures.trained import anchor, behind, documents, wins
from ibn.report.style import COLUMN, GREY, TOPOLOGY
from ibn.simulations.paper import TASKS

TITLE = "Best of N: does the tree’s reward model keep improving where the chain’s saturates?"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS


def draw() -> Figure:
    """Draw a panel a task: win rate against the base model, by N."""
    tasks = documents()
    figure = Figure(figsize=(COLUMN, 1.55 * len(tasks) + 0.6), layout="constrained")
    panels = figure.subplots(len(tasks), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (task, document) in zip(panels, tasks.items(), strict=True):
        rows = [row for row in wins(document) if row["budget"] == "comparisons"]
        draws = sorted({row["draws"] for row in rows})
        for shift, topology in ((0.97, "chain"), (1.03, "tree")):
            own = [row for row in rows if (row["policy"], row["against"]) == (topology, "base")]
            own = sorted(own, key=lambda row: row["draws"])
            rate = [row["rate"] for row in own]
            bars = [
                [row["rate"] - row["low"] for row in own],
                [row["high"] - row["rate"] for row in own],
            ]
            at = [row["draws"] * shift for row in own]
            axes.errorbar(at, rate, bars, lw=0.9, label=f"{topology} vs base", **TOPOLOGY[topology])
        axes.axhline(0.5, color=GREY, lw=0.8)
        axes.set_xscale("log", base=2)
        axes.set_xticks(draws, [str(n) for n in draws])
        axes.minorticks_off()
        axes.set_ylabel("win rate")
        axes.set_title(TASKS[task])
    panels[-1].set_xlabel("draws $N$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    tasks = documents()
    most = max(row["draws"] for one in tasks.values() for row in wins(one))
    return (
        "Of N responses of the base model the reward model chooses one; it wins where the gold "
        "measure scores it above a draw. Equal comparisons; bars are 95 % intervals "
        f"(bootstrap over seeds and prompts). {behind(tasks)} The paper reports, for "
        f"N = 4 to 512, a tree model that keeps improving where the chain’s saturates; here "
        f"N goes up to {most}."
    )


def tables() -> list[Table]:
    """Tabulate the curves."""
    rows = [
        [
            Cell(TASKS[task]),
            Cell(f"{row['policy']} vs {row['against']}"),
            Cell(f"{row['draws']}"),
            Cell(f"{row['rate']:.3f} ({row['low']:.2f}–{row['high']:.2f})", anchor(task)),
        ]
        for task, document in documents().items()
        for row in wins(document)
        if row["budget"] == "comparisons"
    ]
    return [Table("Best of N at equal comparisons", ("task", "", "N", "win rate (95 %)"), rows)]
