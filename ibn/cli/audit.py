"""``ibn audit``: the uncertainty of a real preference dataset."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.inputs import reading
from ibn.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ibn.auditing.result import Audit
    from ibn.preferences.reading import PreferenceData


@click.command(name="audit")
@click.argument("prefs", metavar="PREFS")
@click.option("--out", metavar="FILE", help="Write the report, one HTML page, here.")
@click.option(
    "--embeddings",
    metavar="FILE",
    help="A .npy matrix, a row a distinct (prompt, response), in order of first appearance, the "
    "preferred response of a comparison before the other. Default: TF-IDF with truncated SVD.",
)
@click.option("--beta", default=1.0, show_default=True, help="β of the labels, per unit of reward.")
@click.option(
    "--bias-scale",
    default=2.0,
    show_default=True,
    help="Variance, before any label, of the reward difference of two random responses.",
)
@click.option(
    "--noise",
    default="bradley-terry",
    show_default=True,
    help="Reading of a label's noise: bradley-terry (binary), logistic or fisher (continuous).",
)
@click.option(
    "--neighbours",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Of each response in the graph.",
)
@click.option(
    "--metric", default="cosine", show_default=True, help="Between embeddings: or euclidean."
)
@click.option(
    "--replicates", default=8, show_default=True, help="Draws of each topology compared with."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of everything random.",
)
@click.option(
    "--max-variance",
    type=float,
    metavar="X",
    help="Gate: exit with status 1 where the mean posterior variance is above X.",
)
@click.option(
    "--max-variance-of",
    type=click.Choice(["within", "across"]),
    help="Which mean the gate looks at: over pairs within prompts or across prompts.  [default: "
    "within; across, if no prompt has two responses]",
)
@reading
@click.option(
    "--merge-near-duplicates",
    is_flag=True,
    help="Take responses to one prompt, and prompts, for one where they differ in case, "
    "punctuation, white space or a tenth of their words at most, unless a label tells them apart.",
)
@click.option(
    "--show-texts", is_flag=True, help="Quote the last words of prompts; mind what they say."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: str,
    out: str | None,
    embeddings: str | None,
    max_variance: float | None,
    max_variance_of: str | None,
    columns: dict[str, str],
    skip_identical: bool,
    merge_near_duplicates: bool,
    show_texts: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Report the uncertainty of a real preference dataset.

    Joins the comparisons in PREFS (JSONL, JSON, CSV or Parquet, each also .gz; a directory that
    Hugging Face datasets saved, or owner/name[:split] on its hub) with a graph of similar responses
    into the induced Bayesian network, and measures how uncertain reward differences stay: how much
    the labels told, where they told least, what as many comparisons under other topologies would
    have told, which comparisons are redundant or contradict each other, and what to do next, with
    the effect of each computed.

    \b
    Examples:
      ibn audit preferences.jsonl --out report.html
      ibn audit preferences.csv.gz --embeddings embeddings.npy --beta 1.5 --out report.html
      ibn audit preferences.parquet --json > audit.json

    As a gate, in GitHub Actions for instance: the step fails (exit status 1) where the mean
    posterior variance is above the limit, and the report is kept either way.

    \b
      - run: pip install 'ibn[parquet]'
      - run: ibn audit data/preferences.jsonl --max-variance 0.8 --out report.html
      - uses: actions/upload-artifact@v4
        if: always()
        with: {name: audit, path: report.html}

    Exit status: 0 within the limit, 1 above it, 2 for bad usage or a file that cannot be read.
    """  # noqa: D301 - the escape is for click
    if max_variance is not None and not max_variance >= 0:
        raise InputError(f"--max-variance must not be negative, not {max_variance}")
    if max_variance_of is not None and max_variance is None:
        raise InputError("--max-variance-of without --max-variance", fix="give a limit")
    if out is not None:
        if not Path(out).parent.is_dir():
            raise InputError("no such directory", file=Path(out).parent)
        if Path(out).is_dir():
            raise InputError("a directory", file=out, fix="name a file")
    start = time.perf_counter()

    def progress(message: str) -> None:
        click.echo(f"{time.perf_counter() - start:6.1f} s  {message}", err=True)

    from ibn.preferences.reading import read_preferences

    data = read_preferences(
        prefs, columns=columns, on_identical="skip" if skip_identical else "error"
    )
    if embeddings is not None:
        from ibn.bias.embeddings import load_embeddings

        options["embeddings"] = load_embeddings(embeddings, len(data.responses))
        options["embedding_name"] = Path(embeddings).name
    if merge_near_duplicates:
        from ibn.preferences.near_duplicates import find_near_duplicates
        from ibn.preferences.near_duplicates import merge_near_duplicates as merge

        progress("merging near-duplicates")
        data, kept = merge(data, find_near_duplicates(data, seed=options["seed"]))
        if embeddings is not None:
            options["embeddings"] = options["embeddings"][kept]
    from ibn.auditing.audit import audit

    found = audit(data, progress=progress, **options)
    gate = None if max_variance is None else _gate(found, max_variance, max_variance_of)
    quoted = data if show_texts else None
    if out is not None:
        progress("writing the report")
        from ibn.report.audit_page import write_report

        write_report(found, out, quoted, gate)
    document = found.to_json()
    if gate:
        document["gate"] = gate
    if as_json:
        click.echo(json.dumps(document))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        for table in _tables(found, quoted):
            console.print(table)
    if out is not None:
        progress(f"report in {out}")
    if gate and not gate["passed"]:
        click.echo(
            f"ibn: the mean posterior variance {gate['of']} prompts, {gate['variance']:.4g}, is "
            f"above {max_variance:g}",
            err=True,
        )
        return 1
    return 0


def _gate(found: Audit, limit: float, kind: str | None) -> dict[str, Any]:
    """Hold a mean posterior variance against its limit."""
    kind = kind or ("within" if found.after.within else "across")
    pairs = found.after.within if kind == "within" else found.after.across
    if pairs is None:
        raise InputError(f"no two responses are {kind} prompts: there is no such variance")
    measured = pairs.variance
    return {
        "max_variance": limit,
        "of": kind,
        "variance": measured.mean,
        "stderr": measured.stderr,
        "passed": measured.mean <= limit,
    }


def _tables(found: Audit, quoted: PreferenceData | None) -> list[RenderableType]:
    """Lay the findings out for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ibn.report.words import advice, lines_of, plus_minus, snippet, summary

    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "title_style": "bold"}
    left = Table(title="Uncertainty of reward differences", **look)
    left.add_column("layout", no_wrap=True, min_width=19)
    for column in ("variance\nwithin a prompt", "across\nprompts"):
        left.add_column(column, justify="right")
    for column in ("distance\nwithin a prompt", "across\nprompts"):
        left.add_column(column, justify="right")
    rows = {"no labels": found.before, "this data": found.after, **found.topologies}
    for name, uncertainty in rows.items():
        both = (uncertainty.within, uncertainty.across)
        cells = [
            plus_minus(getattr(kind, what)).replace(" ± ", "±") if kind else "–"
            for what in ("variance", "distance")
            for kind in both
        ]
        left.add_row(name, *cells, style="bold" if name == "this data" else None)
    prompts = Table(title="Most uncertain prompts", **look)
    pairs = Table(title="Most uncertain pairs within a prompt", **look)
    for table, held in ((prompts, "responses"), (pairs, "rows")):
        table.add_column("variance", justify="right")
        for column in ("lines", held, *(["prompt"] if quoted else [])):
            table.add_column(column, no_wrap=True)
    for prompt in found.uncertain_prompts:
        words = [Text(snippet(quoted.prompts[prompt.prompt], 32))] if quoted else []
        prompts.add_row(
            f"{prompt.variance:.3f}", lines_of(prompt.lines), str(prompt.responses), *words
        )
    for pair in found.uncertain_pairs:
        words = [Text(snippet(quoted.prompts[pair.prompt], 32))] if quoted else []
        ends = " and ".join(map(str, pair.responses))
        pairs.add_row(f"{pair.variance:.3f}", lines_of(pair.lines), ends, *words)
    listed = [table for table in (prompts, pairs) if table.row_count]
    to_do = [f"  {number}. {line}" for number, line in enumerate(advice(found), 1)]
    told = "\n".join([*summary(found), "What to do next:", *to_do])
    return [told, left, *listed]
