"""Win rates of policies chosen by trained reward models, beside the paper's."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures import trained
from figures.style import BLACK, BLUE, COLUMN, GREY, VERMILION
from figures.tables import Cell, Table
from figures.trained import anchor, documents, seeds, wins
from simulations.paper import TASKS, WINS

TITLE = "Tree against chain on real tasks: win rates beside the paper’s"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS

_LOOK: dict[tuple[str, str], dict[str, Any]] = {
    ("best-of-n", "comparisons"): {"color": BLACK, "marker": "o"},
    ("best-of-n", "tokens"): {"color": BLACK, "marker": "o", "mfc": "white"},
    ("rft", "comparisons"): {"color": VERMILION, "marker": "D"},
    ("rft", "tokens"): {"color": VERMILION, "marker": "D", "mfc": "white"},
}
_NAMES = {"best-of-n": "best of N", "rft": "fine-tuned on the best"}


def _rows(task: dict[str, Any]) -> dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]]:
    """Win rates at each decoder's largest N, by rivals and by (decoder, budget)."""
    found: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
    for key in _LOOK:
        rows = [row for row in wins(task, key[0]) if row["budget"] == key[1]]
        most = max((row["draws"] for row in rows), default=0)
        for row in rows:
            if row["draws"] == most:
                found.setdefault((row["policy"], row["against"]), {})[key] = row
    return found


def draw() -> Figure:
    """Draw a panel a task, a row for each two policies."""
    tasks = documents()
    figure = Figure(figsize=(COLUMN, 1.5 * len(tasks) + 1.1), layout="constrained")
    panels = figure.subplots(len(tasks), sharex=True, squeeze=False)[:, 0]
    used: dict[str, Any] = {}
    for axes, (task, document) in zip(panels, tasks.items(), strict=True):
        rows = _rows(document)
        for y, rivals in enumerate(WINS):
            each = rows.get(rivals, {})
            for i, (key, row) in enumerate(each.items()):
                low, high = row["rate"] - row["low"], row["high"] - row["rate"]
                at = y + 0.2 * (i - (len(each) - 1) / 2)
                label = f"{_NAMES[key[0]]}, equal {key[1]}"
                bars = axes.errorbar(
                    row["rate"], at, xerr=[[low], [high]], ms=3.4, capsize=1.2, **_LOOK[key]
                )
                used.setdefault(label, bars)
            paper = axes.plot(WINS[rivals][task], y, "x", color=BLUE, ms=5.5, mew=1.4)
            used.setdefault("the paper (PPO, 7B)", paper[0])
        axes.axvline(0.5, color=GREY, lw=0.8)
        axes.set_yticks(range(len(WINS)), [f"{a} vs {b}" for a, b in WINS])
        axes.set_ylim(len(WINS) - 0.5, -0.5)
        axes.set_title(TASKS[task])
        axes.grid(axis="y", visible=False)
    panels[-1].set_xlabel("win rate, ties half")
    figure.legend(list(used.values()), list(used), loc="outside upper left", ncols=1)
    return figure


def caption() -> str:
    """Say what is drawn."""
    tasks = documents()
    told = "; ".join(f"{TASKS[task]}: {one['gold']}, {seeds(one)}" for task, one in tasks.items())
    return (
        "How often the response of one policy scores above that of the other by the task’s gold "
        "measure, which also made the labels; bars are 95 % intervals (bootstrap over seeds and "
        f"prompts). {told}. Base is the generator untrained. The paper’s models are far larger and "
        "its judge is another, so that sign and order are what can be compared, not size."
    )


def tables() -> list[Table]:
    """Tabulate win rates beside the paper's."""
    rows = [
        [
            Cell(TASKS[task]),
            Cell(f"{policy} vs {against}"),
            Cell(f"{_NAMES[decoder]}, N = {row['draws']}"),
            Cell(budget),
            Cell(f"{row['rate']:.3f} ({row['low']:.2f}–{row['high']:.2f})", anchor(task)),
            Cell(f"{row['ties']:.0%}", anchor(task)),
            Cell(f"{row['prompts']}", anchor(task)),
            Cell(f"{WINS[policy, against][task]:.2f}"),
        ]
        for task, document in documents().items()
        for (policy, against), each in _rows(document).items()
        for (decoder, budget), row in each.items()
    ]
    columns = ("task", "", "decoder", "equal", "win rate (95 %)", "ties", "prompts", "paper")
    return [Table("Win rates at the largest N", columns, rows)]
