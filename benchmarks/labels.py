"""``python -m benchmarks labels``: what chosen labels are worth, on real labels hidden at first."""

from __future__ import annotations

import shlex
import sys
import time
import warnings
from pathlib import Path

import click

from benchmarks.acquisition import METHODS
from benchmarks.label_pools import read_pools
from benchmarks.label_runs import (
    FORECAST,
    FORECAST_SPLITS,
    RANDOM_CURVE,
    Job,
    Place,
    read_store,
    run_all,
)
from benchmarks.label_units import measured
from benchmarks.labels_figure import write_figure
from benchmarks.labels_page import page, taught
from benchmarks.pool_features import EMBEDDERS
from ibn.errors import InputError


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


@click.command(name="labels")
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A folder that holds some of the public files, or one file that ibn audit reads.",
)
@click.option("--splits", default=20, show_default=True, help="Of each set, by prompt.")
@click.option("--sets", default="", metavar="A,B", help="Some of the sets only.")
@click.option("--methods", default="", metavar="A,B", help="Some of the methods only.")
@click.option("--features", default=",".join(EMBEDDERS), show_default=True, metavar="A,B")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="For embeddings.")
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("labels.jsonl"),
    show_default=True,
    help="What is measured, a line a run; runs that it holds are not done again.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The page to write.")
@click.option("--processes", default=1, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of splits, choices and resamples.")
def main(
    data: Path,
    splits: int,
    sets: str,
    methods: str,
    features: str,
    cache: Path | None,
    store: Path,
    out: Path | None,
    processes: int,
    seed: int,
) -> None:
    """Hide the labels of real preference data; let each method choose which to see.

    Prints, or writes to --out, how many random labels reach what each method's labels reach on
    held-out prompts.

    \b
    Examples:
      python -m benchmarks labels --data data --out docs/labels.md
      python -m benchmarks labels --data preferences.jsonl --splits 20
    """  # noqa: D301 - the escape is for click
    warnings.filterwarnings("ignore", module="sklearn")
    start = time.perf_counter()
    known = set(METHODS)
    if unknown := set(_names(methods)) - known:
        raise click.UsageError(f"no such method: {sorted(unknown)}; there are {sorted(known)}")
    wanted = [RANDOM_CURVE, *(_names(methods) or METHODS)]
    try:
        pools = read_pools(data, _names(sets))
        jobs = [
            Job(pool.name, kind, split, method)
            for pool in pools
            for kind in _names(features)
            for split in range(splits)
            for method in wanted
        ]
        jobs += [
            Job(pool.name, kind, split, FORECAST)
            for pool in pools
            for kind in _names(features)
            for split in range(min(splits, FORECAST_SPLITS))
        ]
        for record in run_all(Place(data, cache, seed), jobs, store, processes):
            where = f"{record['pool']}, {record['features']}, split {record['split']}"
            click.echo(
                f"{time.perf_counter() - start:6.0f} s  {where}: {record['method']}", err=True
            )
    except InputError as error:
        raise click.UsageError(str(error)) from None
    chosen = {(job.pool, job.features, job.split, job.method) for job in jobs}
    records = [
        record
        for record in read_store(store)
        if (record["pool"], record["features"], record["split"], record["method"]) in chosen
    ]
    command = shlex.join(["python", "-m", "benchmarks", "labels", *sys.argv[2:]])
    text = page(pools, records, command, seed)
    if out is None:
        click.echo(text)
    else:
        (out.parent / "images").mkdir(exist_ok=True)
        name = f"images/{out.stem}.svg"
        found = measured(records)
        write_figure({pool: found[pool] for pool in taught(found)}, out.parent / name, seed=seed)
        caption = "ours in blue with its simultaneous interval, random dashed, all others in grey"
        drawn = f"![By log loss: {caption}]({name})\n\nBy log loss: {caption}.\n\n"
        heading = "## Random needs × labels"
        out.write_text(text.replace(heading, drawn + heading, 1), encoding="utf-8")


if __name__ == "__main__":
    main()
