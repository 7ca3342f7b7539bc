"""``ibn validate --pool``: topologies decided on a pool of scored responses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ibn.cli.inputs import renamed
from ibn.errors import InputError
from ibn.strict_json import dumps

Command = TypeVar("Command", bound=Callable[..., Any])
SHARES = "0.75,0.65,0.9"
MOST_LABELS = 1_000_000


def _numbers(ctx: click.Context, param: click.Parameter, given: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(float(item)) for item in given.split(",")}))
    except (ValueError, OverflowError):  # 1e999 is infinite
        found = ()
    if not found or found[0] < 8 or found[-1] > MOST_LABELS:
        raise click.BadParameter(
            f"{given!r} is no list of whole numbers from 8 to {MOST_LABELS:,}, as 100,1e3"
        )
    return found


def pool_options(command: Command) -> Command:
    """Give a command the options of ``--pool``."""
    options = (
        click.option(
            "--pool",
            metavar="FILE",
            help="Decide topologies on scored responses instead: prompt, response, score.",
        ),
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="NAME=THEIRS",
            callback=renamed,
            help="With --pool: what the file calls prompt or response. response=*.text takes the "
            "field text of every column that is an object.",
        ),
        click.option("--score", metavar="COLUMN", help="With --pool: the score's column."),
        click.option(
            "--link",
            default="none",
            show_default=True,
            help="With --pool: none, or logit where the score is a probability of winning.",
        ),
        click.option(
            "--n",
            "ns",
            default="100,300,1000,3000",
            show_default=True,
            callback=_numbers,
            help="With --pool: numbers of labels.",
        ),
        click.option(
            "--agreement",
            default=SHARES,
            show_default=True,
            help="With --pool: how often labels name the better response; own: the raters' own.",
        ),
        click.option(
            "--features",
            default="tfidf,plain,tfidf-gp",
            show_default=True,
            help="With --pool: tfidf, plain, given (--embeddings) or NAME=MODEL of ibn embed, "
            "each also with -gp behind it, for a Gaussian process.",
        ),
        click.option(
            "--embeddings",
            metavar="FILE",
            help="With --pool: a .npy matrix, a row a distinct response, prompts together in "
            "order of first appearance.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def decide(
    pool: str,
    out: Path,
    seeds: int,
    jobs: int,
    as_json: bool,
    options: dict[str, Any],
) -> None:
    """Run the plan of a pool, print what it says, and keep it in ``out``."""
    import numpy as np

    from ibn.bias.embeddings import given_embeddings
    from ibn.cli.printing import print_document
    from ibn.cli.verbosity import note
    from ibn.cli.verbosity import tasks as counting
    from ibn.outputs import keep_inputs, write_text
    from ibn.simulations.cli.pool_tables import pool_tables
    from ibn.simulations.pools.deciding import document
    from ibn.simulations.pools.gridding import plan
    from ibn.simulations.pools.marking import OWN, parsed
    from ibn.simulations.pools.measuring import run
    from ibn.simulations.pools.preparing import prepare
    from ibn.simulations.pools.scored_pool import read_pool

    agreements = [parsed(item) for item in options["agreement"].split(",")]
    named = [item.partition("=") for item in options["features"].split(",")]
    features = tuple(name for name, _, _ in named)
    embedders = {name: model for name, _, model in named if model}
    read = read_pool(pool, options["columns"], options["score"], options["link"])
    if OWN in agreements and np.diff(read.rated).max() == 1:
        raise InputError("no response has two ratings", file=pool, fix="leave out --agreement own")
    if seeds == 1:
        raise InputError("one seed gives no interval", fix="--seeds 20")
    result = out / "pool.json"
    keep_inputs(result, (pool, options["embeddings"]))
    out.mkdir(parents=True, exist_ok=True)

    note(f"{pool}: {len(read.responses)} responses to {len(read.prompts)} prompts; {read.left_out} "
        "left out, alone under their prompt")  # fmt: skip
    given = given_embeddings(options["embeddings"], len(read.responses))
    prepare(read, features, out, embedders, given, note)
    planned = plan(features, options["ns"], agreements, seeds or 20)
    with counting() as display:
        run(planned.cells(), out, jobs=jobs, progress=display)
    found = document(Path(pool).name.partition(".")[0], planned, out)
    write_text(result, dumps(found) + "\n")
    print_document(found, pool_tables, as_json)
