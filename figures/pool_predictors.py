"""Which rule or measure foresees the error of a topology, on pools of responses (E6)?"""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import pools
from ibn.figures.report_tables import Cell, Table
from ibn.report.style import COLUMN, GREY
from ibn.simulations.pools.foreseen import MEASURES, RULES

TITLE = "What foresees the error of a topology, on pools of real responses"
CLAIMS = ("E6",)
RECORDS, NEEDS = pools.RECORDS, pools.NEEDS
WORDS = {**RULES, **MEASURES}
LEARNERS = {"evidence": "penalty by evidence", "cv": "by cross-validation"}


def _rows(document: pools.Document, learner: str) -> list[pools.Row]:
    return pools.rows(document, "predicted", features=pools.first(document), learner=learner)


def draw() -> Figure:
    """Draw a panel a learner, a colour a pool."""
    found = pools.documents()
    figure = Figure(figsize=(COLUMN, 5.0), layout="constrained")
    panels = figure.subplots(len(LEARNERS), sharex=True, squeeze=False)[:, 0]
    for axes, learner in zip(panels, LEARNERS, strict=True):
        for k, document in enumerate(found):
            each = _rows(document, learner)
            at = [list(WORDS).index(row["predictor"]) + 0.2 * (k - 1) for row in each]
            look = {"color": pools.COLOURS[k], "marker": "o", "ms": 3.0, "ls": "none"}
            values = [row["value"] for row in each]
            axes.errorbar(values, at, xerr=pools.bars(each), label=pools.named(document), **look)
        axes.axvline(0.0, color=GREY, lw=0.8)
        axes.set_yticks(range(len(WORDS)), list(WORDS.values()), fontsize=6)
        axes.invert_yaxis()
        axes.set_title(LEARNERS[learner])
    panels[-1].set_xlabel("rank correlation")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    return (
        "Spearman’s rank correlation, over the topologies at one number of labels, of what is "
        "known of a layout before any label with the squared error of the reward model that is "
        "trained; within a seed, averaged over seeds, t intervals simultaneous over all. "
        + pools.behind(pools.documents())
    )


def tables() -> list[Table]:
    """Tabulate the correlations."""
    rows = [
        [
            Cell(pools.named(document)),
            Cell(learner),
            Cell(WORDS[row["predictor"]]),
            Cell(f"{row['value']:+.2f} ({row['low']:+.2f}–{row['high']:+.2f})"),
        ]
        for document in pools.documents()
        for learner in LEARNERS
        for row in _rows(document, learner)
    ]
    columns = ("pool", "penalty by", "predictor", "rank correlation (95 %)")
    return [Table("Rank correlation with the error", columns, rows)]
