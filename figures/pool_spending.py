"""Many prompts with one pair each, or few with many: how to spend labels, on pools of responses."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import pools
from ibn.report.style import COLUMN, GREY
from ibn.simulations.pools.deciding import LEARNER
from ibn.simulations.pools.laying import SHARES

TITLE = "Prompts against pairs a prompt, on pools of real responses"
CLAIMS = ("E3",)
RECORDS, NEEDS = pools.RECORDS, pools.NEEDS


def _share(row: pools.Row) -> int:
    return int(row["topology"].partition("/")[2] or 1)


def draw() -> Figure:
    """Draw a panel a pool: log loss above the chain's, by share of the prompts."""
    found = pools.documents()
    figure = Figure(figsize=(COLUMN, 1.5 * len(found) + 0.7), layout="constrained")
    panels = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axes, document in zip(panels, found, strict=True):
        wanted = {"learner": LEARNER, "measure": "log_loss"}
        for k, n in enumerate(sorted({row["n"] for row in document["spent"]})):
            each = pools.rows(document, "spent", n=n, **wanted)
            apart = [row["difference"] for row in each]
            look = {"color": pools.COLOURS[k], "marker": "o", "ms": 3.0, "lw": 0.9}
            at = [_share(row) * (1.0 + 0.05 * k) for row in each]
            values = [row["value"] for row in apart]
            axes.errorbar(at, values, pools.bars(apart), label=f"n = {n:,}", **look)
        axes.axhline(0.0, color=GREY, lw=0.8)
        axes.set_xscale("log", base=2)
        axes.set_xticks(SHARES, [str(share) for share in SHARES])
        axes.minorticks_off()
        axes.set_ylabel("log loss above")
        axes.set_title(pools.named(document))
    panels[-1].set_xlabel("one of so many prompts is used")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    return (
        "Log loss on unseen prompts above that of the chain over all training prompts, where the "
        "same labels are spent on fewer prompts with more pairs each; penalty by cross-validation "
        "over prompts; simultaneous 95 % intervals over seeds and prompts. "
        + pools.behind(pools.documents())
    )
