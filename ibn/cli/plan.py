"""``ibn plan``: the comparisons to label next."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ibn.cli.inputs import check_out, given_embeddings, keep_labels, reading, tell, wishes_of
from ibn.cli.printing import KINDS, print_document, table
from ibn.errors import InputError
from ibn.outputs import keep_inputs

if TYPE_CHECKING:
    from ibn.design.planning import Plan
    from ibn.preferences.reading import PreferenceData

LISTED = 10


@click.command(name="plan")
@click.argument("prefs", metavar="[PREFS …]", nargs=-1)
@click.option("--budget", type=click.IntRange(min=1), required=True, help="Comparisons wanted, K.")
@click.option("--out", metavar="FILE", help="Write the comparisons here, for a labelling tool.")
@click.option(
    "--for",
    "tool",
    type=click.Choice(["label-studio", "argilla"]),
    help="Write --out, a .json file, as this labelling tool takes it; ibn reads what it exports.",
)
@click.option(
    "--prompts",
    metavar="FILE",
    help="Write the prompts here for which new responses would help most, for ibn grow.",
)
@click.option("--candidates", metavar="FILE", help="Pairs to choose from; they need no labels.")
@click.option(
    "--pairs",
    type=click.Choice(["within", "any"]),
    show_default="within, where a prompt has two responses",
    help="Candidates: pairs within prompts, or any two responses.",
)
@click.option(
    "--target",
    type=click.Choice(["within", "any"]),
    show_default="within, where a prompt has two responses",
    help="Pairs over which the posterior variance is averaged.",
)
@click.option(
    "--max-uses",
    type=click.IntRange(min=1),
    metavar="M",
    help="At most M of the planned comparisons use a response (earlier ones do not count).",
)
@click.option("--repeat", is_flag=True, help="Pairs compared already may be chosen, also twice.")
@click.option(
    "--embeddings",
    metavar="FILE",
    help="A .npy matrix, a row a distinct (prompt, response) in order of first appearance, as for "
    "ibn audit; responses that only --candidates names follow. Default: TF-IDF with SVD.",
)
@click.option(
    "--kernel",
    type=click.Choice(["linear", "rbf", "best"]),
    default="linear",
    show_default=True,
    help="Of the reward model.",
)
@click.option("--beta", type=float, show_default="1", help="β of the labels, per reward.")
@click.option(
    "--pool",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="With --pairs any: random pairs from which each choice starts its search.",
)
@click.option(
    "--ranks",
    default="neighbours",
    show_default=True,
    metavar="WHICH",
    help="Of a leaderboard's battles: the ranks to narrow, neighbours, top:K or item:NAME.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all.")
@reading
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: tuple[str, ...],
    out: str | None,
    prompts: str | None,
    tool: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose the comparisons to label next.

    Fits a Bayesian reward model to the labels in PREFS (one or more files that ibn audit reads)
    and chooses, one after the other, the comparisons that are expected to reduce most the mean
    posterior variance of reward differences.

    The comparisons go to --out as prompt, response_a, response_b, the reduction expected of
    each, the predicted probability that a is preferred, an empty column winner, and ids and other
    columns of the candidates (of the responses, with _a and _b, where the two differ). Fill
    winner with a, b or tie, and give the file to ibn after the first: ibn plan PREFS
    labelled.jsonl.

    \b
    Examples:
      ibn plan preferences.jsonl --budget 100 --out next.jsonl
      ibn plan preferences.jsonl --budget 100 --pairs any --max-uses 2 --out next.csv
      ibn plan preferences.jsonl --candidates pairs.jsonl --budget 50 --out next.jsonl
      ibn plan battles.csv --budget 500 --ranks top:5
    """  # noqa: D301 - the escape is for click
    from ibn.cli.battle_plan import plan_battles
    from ibn.leaderboard.battle_files import holds_battles

    start = time.perf_counter()

    def progress(message: str) -> None:
        click.echo(f"{time.perf_counter() - start:6.1f} s  {message}", err=True)

    if not prefs:
        raise InputError("no preference file given", fix="ibn plan PREFS --budget K --out FILE")
    if len(prefs) == 1 and holds_battles(prefs[0], options["columns"]):
        plan_battles(prefs[0], options["budget"], out, options, as_json)
        return
    if out is None:
        raise InputError("nowhere to write the comparisons", fix="--out next.jsonl")
    check_out(out, *prefs)
    keep_labels(out)
    if tool is not None and not out.endswith(".json"):
        raise InputError(f"{tool} takes JSON", file=out, fix="name a .json file")
    if prompts is not None:
        check_out(prompts, *prefs)
        keep_inputs(prompts, [out])
    planned, offered = _plan(prefs, options, progress)
    _write(out, planned, offered, tool)
    progress(f"{len(planned.design.pairs)} comparisons in {out}")
    if prompts is not None:
        count = _write_prompts(prompts, planned)
        progress(f"{count} prompts for new responses in {prompts}")
    print_document(plan_document(planned, out), plan_tables, as_json)


def _plan(
    prefs: tuple[str, ...], options: dict[str, Any], progress: Callable[[str], None]
) -> tuple[Plan, PreferenceData]:
    """Plan; return the plan and the data that its pairs are from."""
    from ibn.design.planning import plan
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import concatenate

    wishes = wishes_of(options)
    data, waiting = _read(prefs, wishes)
    listed = options["candidates"] is not None
    if listed:
        waiting = tell(read_preferences(options["candidates"], **wishes, labelled=False))
    behind = data if waiting is None else concatenate(data, waiting)
    names = ("budget", "pairs", "target", "max_uses", "repeat", "kernel", "pool", "seed")
    planned = plan(
        data,
        candidates=waiting if options["pairs"] is None or listed else None,
        only_given=listed,
        embeddings=given_embeddings(options["embeddings"], len(behind.responses)),
        beta=1.0 if options["beta"] is None else options["beta"],
        progress=progress,
        **{name: options[name] for name in names},
    )
    return planned, behind


def _read(
    prefs: tuple[str, ...], wishes: dict[str, Any]
) -> tuple[PreferenceData, PreferenceData | None]:
    """Read the labels of all files, and the pairs that wait for one."""
    from ibn.preferences.reading import read_for_planning
    from ibn.preferences.uniting import concatenate, without_comparisons

    labelled: PreferenceData | None = None
    waiting: PreferenceData | None = None
    for path in prefs:
        found, waits = read_for_planning(path, **wishes)
        if found is not None:
            labelled = tell(found) if labelled is None else concatenate(labelled, tell(found))
        if waits is not None:
            said = f"{len(waits.comparisons):,} pairs wait for a label"
            click.echo(f"{path}: {said}{'' if found else ', none has one'}", err=True)
            waiting = waits if waiting is None else concatenate(waiting, waits)
    if labelled is None:
        assert waiting is not None
        labelled = without_comparisons(waiting)
    return labelled, waiting


def _write(out: str, planned: Plan, offered: PreferenceData, tool: str | None) -> None:
    from ibn.design.candidates import rows_behind
    from ibn.preferences.labelling_tools import TOOLS
    from ibn.preferences.writing import carried, comparison_records, write_records

    pairs = planned.design.pairs
    columns: dict[str, Any] = {
        "expected_reduction": planned.design.reduction.tolist(),
        "probability_a": planned.probability.tolist(),
        "winner": [""] * len(pairs),
    }
    if planned.again.any():
        columns["relabel"] = planned.again.tolist()
    rows = rows_behind(offered, pairs)
    kept = {} if rows is None else carried(offered, rows, "ab", columns)
    records = comparison_records(planned.data, pairs, {**columns, **kept})
    if tool is not None:
        records = (TOOLS[tool](number, record) for number, record in enumerate(records, 1))
    write_records(out, records)


def _write_prompts(path: str, planned: Plan) -> int:
    """Write as many prompts as comparisons, those first whose responses are known the least."""
    from ibn.design.prompts_in_need import prompts_in_need
    from ibn.preferences.writing import said, write_records

    data = planned.data
    count = np.bincount(data.prompt_of, minlength=len(data.prompts))
    which, variance = prompts_in_need(planned.model, data.prompt_of)
    which = which[: len(planned.design.pairs)]
    spoken = said(data.prompt_messages) or data.prompts
    write_records(
        path,
        (
            {
                "prompt": spoken[p],
                "responses": int(count[p]),
                "variance": float(v) if np.isfinite(v) else None,
            }
            for p, v in zip(which.tolist(), variance.tolist(), strict=False)
        ),
    )
    return len(which)


def plan_document(planned: Plan, out: str) -> dict[str, Any]:
    """Make the JSON document of a plan."""
    design, random = planned.design, planned.random
    return {
        "out": out,
        "source": planned.data.source,
        "labels": len(planned.data.comparisons),
        "responses": len(planned.data.responses),
        "budget": len(design.pairs),
        "candidates": planned.candidates,
        "pairs": planned.pairs,
        "target": planned.target,
        "scale": planned.model.scale,
        "beta": planned.model.beta,
        "relabels": int(planned.again.sum()),
        "variance": {
            "before": design.before,
            "planned": design.after,
            "random": {"mean": random.mean, "stderr": random.stderr, "count": random.count},
        },
        "comparisons": [
            {"a": a, "b": b, "expected_reduction": reduction, "probability_a": probability}
            for (a, b), reduction, probability in zip(
                design.pairs.tolist(),
                design.reduction.tolist(),
                planned.probability.tolist(),
                strict=True,
            )
        ],
    }


def plan_tables(document: dict[str, Any]) -> list[Any]:
    """Lay a plan out for a terminal."""
    variance = document["variance"]
    title = f"Mean posterior variance of reward differences {KINDS[document['target']]}"
    left = table(title, "", "variance", "share")
    before, random = variance["before"], variance["random"]
    at_random = f"{random['mean']:.4g} ± {random['stderr']:.1g}"
    rows = {
        f"now, after {document['labels']} labels": f"{before:.4g}",
        f"after {document['budget']} more at random": at_random,
        f"after the {document['budget']} planned": f"{variance['planned']:.4g}",
    }
    values = (before, random["mean"], variance["planned"])
    for (name, cell), value in zip(rows.items(), values, strict=True):
        left.add_row(name, cell, f"{value / before:.3f}")
    listed = table("First comparisons", "responses", "reduction", "P(a)")
    for row in document["comparisons"][:LISTED]:
        ends = f"{row['a']} and {row['b']}"
        listed.add_row(ends, f"{row['expected_reduction']:.3g}", f"{row['probability_a']:.2f}")
    candidates = f"{document['candidates']:,} candidates, {KINDS[document['pairs']]}"
    said = [f"{candidates}; {document['responses']:,} responses", left, listed]
    if document["relabels"]:
        said.append(
            f"Too few pairs are without a label: {document['relabels']} of the "
            f"{document['budget']} have one and are to get a second (column relabel). New "
            "responses would give new pairs: --prompts FILE names the prompts where they would "
            "help most, for ibn grow."
        )
    return said
