"""Log loss on unseen prompts against the number of labels, by topology, on pools of responses."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import pools
from ibn.report.style import COLUMN

TITLE = "Error against labels, by topology, on pools of real responses"
CLAIMS = ("E6",)
RECORDS, NEEDS = pools.RECORDS, pools.NEEDS
SHOWN = {
    "chain": "chain",
    "tree-few": "tree, n/log n",
    "tree-n": "tree, n",
    "tree-few-grouped": "the same, few prompts",
    "kwise": "K-wise",
}


def draw() -> Figure:
    """Draw a panel a pool."""
    found = pools.documents()
    figure = Figure(figsize=(COLUMN, 1.6 * len(found) + 0.7), layout="constrained")
    panels = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axes, document in zip(panels, found, strict=True):
        for k, (topology, name) in enumerate(SHOWN.items()):
            each = pools.main(document, topology=topology, measure="log_loss", agreement=0.75)
            at = [row["n"] * (0.94 + 0.03 * k) for row in each]
            values = [row["value"] for row in each]
            look = {"color": pools.COLOURS[k], "marker": "o", "ms": 3.0, "lw": 0.9}
            axes.errorbar(at, values, pools.bars(each), label=name, **look)
        axes.set_xscale("log")
        axes.set_ylabel("log loss")
        axes.set_title(pools.named(document))
    panels[-1].set_xlabel("labels $n$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    return (
        "Log loss of labels of 75 % agreement on prompts never trained on; penalty by "
        "cross-validation over prompts; simultaneous 95 % intervals over seeds and prompts. "
        "Differences to the chain are paired and far surer than two bars beside each other say. "
        + pools.behind(pools.documents())
    )
