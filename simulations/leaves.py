"""Trees by the number |S| of responses that they reuse, beside the chain.

    python -m ibn.simulations.leaves --out leaves.csv

measures chain, tree and grown tree at |S| = n/log n, which the paper's analysis takes, and at n/2,
n, 1.14 n and 2n, and prints chain over tree for each n, under path and exact inference, with 95 %
intervals over datasets. The store is that of a sweep: the same command does only what is missing.
At |S| = 1.14 n the giant component of the comparisons holds the most leaves (claim T5).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import click
import numpy as np

from ibn.estimate import Estimate, quotient
from ibn.progress import Display
from ibn.simulations.cli.executing import executing
from ibn.simulations.sweeping.grid import Grid, leaves_at
from ibn.simulations.sweeping.row import Row
from ibn.simulations.sweeping.sweep import run
from ibn.simulations.sweeping.task import INFERENCES

RULES = ("n/log(n)", "n/2", "n", "1.14*n", "2*n")
"""|S| of the trees, as expressions in n."""
TREES = {"tree": ("independent leaves", RULES), "tree-grown": ("grown leaves", RULES[:-1])}
"""Names of the trees, and the rules measured: grown leaves at 2n take hours and show no more."""


def over_datasets(rows: Sequence[Row], **wanted: str | int) -> Estimate:
    """Average the rows whose tasks have these values: one row a dataset, of which the mean is one.

    Parameters
    ----------
    rows : sequence of Row
        Of any sweep.
    **wanted
        Values of fields of :class:`ibn.simulations.sweeping.task.Task`.

    Returns
    -------
    Estimate
        Its error is that of the spread between datasets, its count that of datasets.
    """
    chosen = [
        row.estimate.mean
        for row in rows
        if all(getattr(row.task, name) == value for name, value in wanted.items())
    ]
    return Estimate.of(np.array(chosen))


@click.command()
@click.option("--n", default="1e3:1e6:4", show_default=True, help="Numbers of comparisons.")
@click.option("--alpha", default="0.3", show_default=True, help="Decay α, one value.")
@click.option("--beta", default="1814", show_default=True, help="Inverse temperature, one value.")
@click.option("--rel-err", default=0.02, show_default=True, help="Precision within a dataset.")
@click.option("--replicates", default=6, show_default=True, help="Datasets of each kind.")
@click.option("--seed", default=0, show_default=True, help="Seed of all random streams.")
@click.option("--out", required=True, type=Path, help="The results store; resumed if there.")
@executing
def main(
    n: str,
    alpha: str,
    beta: str,
    rel_err: float,
    replicates: int,
    seed: int,
    out: Path,
    jobs: int,
    cluster: str | None,
) -> None:
    """Measure chain over tree at several |S| and print the table."""
    tasks = [
        task
        for topology, (_, rules) in {"chain": ("", RULES[:1]), **TREES}.items()
        for task in Grid(
            topology=topology,
            n=n,
            alpha=alpha,
            beta=beta,
            leaves=rules,
            rel_err=rel_err,
            replicates=replicates,
            seed=seed,
        ).tasks()
    ]
    with Display() as display:
        rows = run(tasks, out, jobs=jobs, cluster=cluster, progress=display)
    print(f"chain / tree, α = {alpha}, β = {beta}, 95 % intervals over {replicates} datasets each")
    sizes = sorted({row.task.n for row in rows})
    kinds = [(topology, words, rule) for topology, (words, each) in TREES.items() for rule in each]
    for size, (topology, words, rule) in product(sizes, kinds):
        told = []
        for inference in INFERENCES:
            alike: dict[str, str | int] = {"n": size, "inference": inference}
            chain = over_datasets(rows, topology="chain", **alike)
            tree = over_datasets(rows, topology=topology, leaves=leaves_at(rule, size), **alike)
            ratio = quotient(chain, tree)
            told.append(f"{inference} {ratio.mean:.4f} ± {ratio.margin():.4f}")
        print(f"n = {size:<9,} {words:18} |S| = {rule:9} {'   '.join(told)}")


if __name__ == "__main__":
    main()
