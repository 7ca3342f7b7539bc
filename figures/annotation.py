"""What annotators read: chain and tree, beside the paper's."""

from __future__ import annotations

from matplotlib.figure import Figure

from ibn.figures import trained
from ibn.figures.report_tables import Cell, Table, point
from ibn.figures.trained import Documents, anchor, behind, documents, mean_of, models
from ibn.report.style import BLACK, COLUMN, TOPOLOGY
from ibn.simulations.paper import READ, TASKS

TITLE = "What an annotator reads: chain and tree"
CLAIMS = ()
RECORDS, NEEDS = trained.RECORDS, trained.NEEDS


def measured(tasks: Documents, field: str = "read") -> dict[str, dict[str, tuple[float, float]]]:
    """Tokens read a comparison, mean and standard error over seeds, by task and topology.

    ``field``: read or read_whole: without the shared prefix, or with it.
    """
    return {
        task: {
            topology: mean_of(
                [
                    row[field]
                    for row in models(document)
                    if (row["topology"], row["budget"]) == (topology, "comparisons")
                ]
            )
            for topology in READ
        }
        for task, document in tasks.items()
    }


def draw() -> Figure:
    """Draw tokens read a comparison, a group a task, and the paper's lengths beside."""
    found = measured(documents())
    figure = Figure(figsize=(COLUMN, 2.7), layout="constrained")
    axes = figure.subplots()
    for shift, topology in ((-0.2, "chain"), (0.2, "tree")):
        mean, error = zip(*[each[topology] for each in found.values()], strict=True)
        places = [i + shift for i in range(len(found))]
        color = TOPOLOGY[topology]["color"]
        axes.bar(places, mean, 0.36, color=color, alpha=0.6, label=f"{topology}, here")
        axes.errorbar(places, mean, error, ls="none", color=BLACK, lw=0.9)
        paper = [READ[topology][task] for task in found]
        marker = TOPOLOGY[topology]["marker"]
        look = {"color": color, "marker": marker, "ms": 5.0, "mec": BLACK, "mew": 0.8}
        axes.plot(places, paper, ls="none", label=f"{topology}, paper", **look)
    axes.set_xticks(range(len(found)), [TASKS[task] for task in found])
    axes.set_ylabel("tokens read")
    axes.grid(axis="x", visible=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn and what the tree saves."""
    tasks = documents()
    saved = "; ".join(
        f"{TASKS[task]} {1 - each['tree'][0] / each['chain'][0]:.0%}"
        for task, each in measured(tasks).items()
    )
    return (
        "Bars: mean tokens that are read for one comparison, the two responses together, of the "
        "tree without their common prefix; with one standard error over seeds. Here the tree "
        f"saves: {saved}. Points: the mean length that the paper reports, of longer responses by "
        f"larger models, so that only tree over chain can be compared. {behind(tasks)}"
    )


def tables() -> list[Table]:
    """Tabulate tokens read beside the paper's."""
    tasks = documents()
    found, whole = measured(tasks), measured(tasks, "read_whole")
    rows = [
        [
            Cell(TASKS[task]),
            *[point(*found[task][topology], anchor(task)) for topology in READ],
            point(*whole[task]["tree"], anchor(task)),
            Cell(f"{found[task]['tree'][0] / found[task]['chain'][0]:.2f}", anchor(task)),
            Cell(f"{READ['tree'][task] / READ['chain'][task]:.2f}"),
        ]
        for task in tasks
    ]
    columns = ("task", "chain", "tree", "tree, prefix read", "tree / chain", "paper’s tree / chain")
    return [Table("Tokens read a comparison, ± one standard error over seeds", columns, rows)]
