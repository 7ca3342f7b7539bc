"""``ibn audit``: the uncertainty of a real preference dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ibn.cli.inputs import check_out, read_all, reading, sharing
from ibn.cli.printing import print_document, table
from ibn.cli.terminal import say
from ibn.cli.verbosity import stages
from ibn.errors import InputError
from ibn.preferences.replacing import keep_labels
from ibn.progress import AUDIT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ibn.auditing.result import Audit
    from ibn.preferences.reading import PreferenceData


@click.command(name="audit", context_settings={"show_default": True})
@click.argument("prefs", metavar="PREFS")
@click.argument("after", metavar="[AFTER]", required=False)
@click.option(
    "--out",
    metavar="FILE",
    help="Write the report, one HTML page, here; a .json file gets what --json prints, an .svg, "
    ".png or .pdf the picture.",
)
@click.option(
    "--embeddings",
    metavar="FILE",
    help="A .npy matrix with a row for each distinct (prompt, response), in order of first "
    "appearance, the preferred response of a comparison before the other: ibn embed writes one. "
    "By default TF-IDF with truncated SVD.",
)
@click.option(
    "--beta",
    default=1.0,
    help="How decisively labels follow rewards: the inverse temperature, per unit of reward.",
)
@click.option(
    "--bias-scale",
    default=2.0,
    help="Variance, before any label, of the reward difference of two random responses.",
)
@click.option(
    "--noise",
    default="bradley-terry",
    help="How a label's noise is read: bradley-terry (binary), logistic or fisher (continuous).",
)
@click.option(
    "--neighbours",
    type=click.IntRange(1, 1000),
    default=10,
    help="How many nearest neighbours each response is tied to.",
)
@click.option(
    "--metric", default="cosine", help="Distance between embeddings: cosine or euclidean."
)
@click.option(
    "--replicates",
    type=click.IntRange(2, 1000),
    default=8,
    help="How often each other topology is drawn, at random.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    help="Seed of everything random: the same seed gives the same report.",
)
@click.option(
    "--max-variance",
    type=float,
    metavar="X",
    help="Exit with status 1 where the mean posterior variance is above X.",
)
@click.option(
    "--max-variance-of",
    type=click.Choice(["within", "across"]),
    help="Which mean must not be above X: over pairs within prompts or across prompts.  [default: "
    "within; across, if no prompt has two responses]",
)
@reading
@click.option(
    "--merge-near-duplicates",
    is_flag=True,
    help="Take responses to one prompt, and prompts, for one where they differ in case, "
    "punctuation, white space or a tenth of their words at most, unless a label prefers one.",
)
@click.option(
    "--show-texts",
    is_flag=True,
    help="Quote the last words of prompts in the report; check first that you may share them.",
)
@click.option(
    "--recheck",
    metavar="FILE",
    help="Write the most doubted tenth of the pairs here, to be labelled once more.",
)
@sharing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: str,
    after: str | None,
    out: str | None,
    show_texts: bool,
    recheck: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Report the uncertainty of a real preference dataset.

    Joins the comparisons in PREFS (JSONL, JSON, CSV or Parquet, each also .gz; a directory that
    Hugging Face datasets saved, or owner/name[:split] on its hub) with a graph of similar responses
    into the induced Bayesian network, and measures how uncertain reward differences stay. The
    report says how much the labels taught and where they taught least, what as many comparisons
    under other topologies would have taught, which comparisons are redundant or contradict each
    other, and what to do next, with the computed effect of each.

    With AFTER, compares two states of a dataset, or two datasets: how well reward models fitted to
    either predict the labels of prompts held out of both.

    \b
    Examples:
      ibn audit preferences.jsonl --out report.html
      ibn audit preferences.csv.gz --embeddings embeddings.npy --beta 1.5 --out report.html
      ibn audit preferences.parquet --json > audit.json
      ibn audit before.jsonl after.jsonl

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
    from ibn.auditing.audit import Audit, audit
    from ibn.auditing.gate import check_limit
    from ibn.preferences.given import take_reading

    check_limit(options["max_variance"], options["max_variance_of"])
    reading = take_reading(options)
    if after is not None:
        if out or options["max_variance"] is not None or recheck:
            raise InputError(
                "two files are compared, not audited", fix="leave out --out and other outputs"
            )
        _compare(read_all((prefs,), reading), read_all((after,), reading), options, as_json)
        return 0
    ending = ""
    if out is not None:
        ending = Audit.check_path(out, (prefs, options["embeddings"]))
    if recheck is not None:
        check_out(recheck, prefs, options["embeddings"], out)
        keep_labels(recheck)
    with stages(AUDIT) as progress:
        found = audit(read_all((prefs,), reading), progress=progress, **options)
        if recheck is not None:
            progress.say(f"{_write_doubted(found, recheck)} pairs to label once more in {recheck}")
        if out is not None:
            progress("writing the report")
            found.save(out, **({"show_texts": show_texts} if ending in Audit.endings else {}))
            progress.say(f"report in {out}")
    quoted = found.data if show_texts else None
    print_document(found.to_json(), lambda _: _tables(found, quoted), as_json)
    gate = found.gate
    if gate and not gate.passed:
        say(
            f"ibn: the mean posterior variance {gate.of} prompts, {gate.variance:.4g}, is "
            f"above {gate.max_variance:g}",
            err=True,
        )
        return 1
    return 0


def _compare(
    before: PreferenceData,
    after: PreferenceData,
    options: dict[str, Any],
    as_json: bool,
) -> None:
    """Compare two states of a dataset, or two datasets."""
    from ibn.auditing.two_states import compare_states
    from ibn.bias.embeddings import given_embeddings
    from ibn.preferences.uniting import unite
    from ibn.results import plain
    from ibn.threads import at_most

    rows = given_embeddings(options["embeddings"], len(unite(before, after)[0].responses))
    with at_most(options["jobs"]), stages() as progress:
        found = compare_states(
            before, after, embeddings=rows, seed=options["seed"], progress=progress
        )
    document = plain(found)
    for name, judged in (("on_first", found.on_first), ("on_second", found.on_second)):
        document[name]["verdict"] = found.verdict(judged)
    print_document(document, _compared_tables, as_json)


def _compared_tables(document: dict[str, Any]) -> list[RenderableType]:
    """Lay the comparison of two states out for a terminal."""

    def shown(value: dict[str, Any], sign: str = "") -> str:
        return f"{value['mean']:{sign}.4f} ± {value['stderr']:.4f}"

    laid: list[RenderableType] = []
    sources, counts = document["sources"], document["labels"]
    fits = [
        *(f"{source}, {count:,} labels" for source, count in zip(sources, counts, strict=True)),
        f"the larger, {min(counts):,} of them",
    ]
    for key, source in zip(("on_first", "on_second"), sources, strict=True):
        judged = document[key]
        title = f"Held-out labels of {source}, predicted by a model fitted to others of"
        each = table(title, "", "right", "log loss")
        for fit, accuracy, loss in zip(fits, judged["accuracy"], judged["log_loss"], strict=True):
            each.add_row(fit, f"{accuracy['mean']:.1%} ± {accuracy['stderr']:.1%}", shown(loss))
        gain, equal = shown(judged["gain"], "+"), shown(judged["gain_equal"], "+")
        laid += [
            each,
            f"The second lowers the log loss by {gain}, with as many labels of either by {equal}: "
            f"{judged['verdict']}.",
        ]
    return laid


def _write_doubted(found: Audit, path: str) -> int:
    """Write the pairs whose labels a model fitted to the others thinks least likely."""
    from ibn.preferences.writing import carried, comparison_records, write_records

    if found.learned is None or not found.learned.rechecked:
        raise InputError("no reward model could be fitted, so no label is doubted")
    data = found.data
    chosen = found.learned.doubted[: found.learned.rechecked]
    comparisons = data.comparisons
    pairs = np.stack([comparisons.a, comparisons.b], axis=1)[chosen]
    # The preferred response is a: sides are swapped at random, so that nothing tells a labeller.
    turned = np.random.default_rng(found.settings.seed).random(len(chosen)) < 0.5
    pairs[turned] = pairs[turned][:, ::-1]
    columns: dict[str, Any] = {"winner": [""] * len(chosen), "relabel": [True] * len(chosen)}
    if data.row_of is not None:
        rows = np.where(turned[:, None], data.row_of[chosen][:, ::-1], data.row_of[chosen])
        columns |= carried(data, rows, "ab", columns)
    write_records(path, comparison_records(data, pairs, columns), by_people=True)
    return len(chosen)


def _tables(found: Audit, quoted: PreferenceData | None) -> list[RenderableType]:
    """Put the findings into sentences and tables for a terminal."""
    from rich.text import Text

    from ibn.report.passages import lines_of, snippet
    from ibn.report.words import costs, have, to_do, with_error

    columns = ("variance\nwithin a prompt", "across\nprompts", "distance\nwithin a prompt")
    left = table("Uncertainty of reward differences", "layout", *columns, "across\nprompts")
    left.columns[0].no_wrap, left.columns[0].min_width = True, 19
    rows = {"no labels": found.prior.before, "this data": found.posterior.after, **found.layouts}
    for name, uncertainty in rows.items():
        both = (uncertainty.within, uncertainty.across)
        cells = [
            with_error(getattr(kind, what)).replace(" ± ", "±") if kind else "–"
            for what in ("variance", "distance")
            for kind in both
        ]
        left.add_row(name, *cells, style="bold" if name == "this data" else None)

    def listed(title: str, held: str, items: Iterable[tuple[Any, str]]) -> Any:
        begun = table(title, "variance", "lines", held, *(["prompt"] if quoted else []))
        for column in begun.columns:
            column.justify, column.no_wrap = "left", True
        begun.columns[0].justify = "right"
        for one, what in items:
            words = [Text(snippet(quoted.prompts[one.prompt], 32))] if quoted else []
            begun.add_row(f"{one.variance:.3f}", lines_of(one.lines), what, *words)
        return begun

    prompts = ((one, str(one.responses)) for one in found.posterior.prompts)
    pairs = ((one, " and ".join(map(str, one.responses))) for one in found.posterior.pairs)
    tables = [
        listed("Most uncertain prompts", "responses", prompts),
        listed("Most uncertain pairs within a prompt", "rows", pairs),
    ]
    numbered = [f"  {number}. {line}" for number, line in enumerate(to_do(found), 1)]
    said = "\n".join([*have(found), *costs(found), "What to do next:", *numbered])
    return [said, left, *(each for each in tables if each.row_count)]
