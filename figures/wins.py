"""Win rates of policies chosen by trained reward models, beside the paper's."""

from __future__ import annotations

from itertools import product
from typing import Any

from matplotlib.figure import Figure

from ibn.figures import trained
from ibn.figures.report_tables import Cell, Table
from ibn.figures.trained import anchor, behind, documents, wins
from ibn.report.style import BLACK, BLUE, COLUMN, GREEN, GREY, VERMILION
from ibn.simulations.paper import TASKS, WINS

TITLE = "Tree against chain on real tasks: win rates beside the paper’s"
CLAIMS = ("E6",)
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS

_DECODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "best-of-n": ("best of N", {"color": BLACK, "marker": "o"}),
    "rft": ("fine-tuned on the best", {"color": VERMILION, "marker": "D"}),
    "policy-optimisation": ("policy optimised", {"color": GREEN, "marker": "s"}),
}
_BUDGETS: dict[str, dict[str, Any]] = {"comparisons": {}, "tokens": {"mfc": "white"}}


def _rows(task: dict[str, Any]) -> dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]]:
    """Win rates at each decoder's largest N, by rivals and by (decoder, budget)."""
    found: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
    for key in product(_DECODERS, _BUDGETS):
        rows = [row for row in wins(task, key[0]) if row["budget"] == key[1]]
        most = max((row["draws"] for row in rows), default=0)
        for row in rows:
            if row["draws"] == most:
                found.setdefault((row["policy"], row["against"]), {})[key] = row
    return found


def draw() -> Figure:
    """Draw a panel a task, a row for each two policies."""
    tasks = documents()
    found = {task: _rows(document) for task, document in tasks.items()}
    most = max(len(each) for rows in found.values() for each in rows.values())
    size = (COLUMN, (0.27 * most + 0.45) * len(tasks) + 0.15 * most + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(tasks), sharex=True, squeeze=False)[:, 0]
    used: dict[str, Any] = {}
    for axes, (task, rows) in zip(panels, found.items(), strict=True):
        for y, rivals in enumerate(WINS):
            each = rows.get(rivals, {})
            for i, (key, row) in enumerate(each.items()):
                low, high = row["rate"] - row["low"], row["high"] - row["rate"]
                at = y + 0.8 * (i - (len(each) - 1) / 2) / most
                name, color = _DECODERS[key[0]]
                label = f"{name}, equal {key[1]}"
                look = {**color, **_BUDGETS[key[1]]}
                bars = axes.errorbar(
                    row["rate"], at, xerr=[[low], [high]], ms=3.4, capsize=1.2, **look
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
    judged = "; ".join(f"{TASKS[task]}: {one['gold']}" for task, one in tasks.items())
    most = max(row["draws"] for one in tasks.values() for row in wins(one))
    contests = [
        row
        for one in tasks.values()
        for row in one["win_rates"]
        if (row["policy"], row["against"]) == ("tree", "chain")
    ]
    clear = sum(not row["low"] <= 0.5 <= row["high"] for row in contests)
    return (
        "How often the response of one policy scores above that of the other by the task’s gold "
        "measure, which also made the labels; bars are 95 % intervals (bootstrap over seeds and "
        f"prompts), and N is {most}. At every N and budget, {clear} of {len(contests)} win rates "
        f"of tree over chain are clear of ½. {judged}. {behind(tasks)} Base is the generator "
        "untrained. The paper’s models are far larger and its judge is another, so that sign and "
        "order are what can be compared, not size."
    )


def tables() -> list[Table]:
    """Tabulate win rates beside the paper's."""
    rows = [
        [
            Cell(TASKS[task]),
            Cell(f"{policy} vs {against}"),
            Cell(f"{_DECODERS[decoder][0]}, N = {row['draws']}"),
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
