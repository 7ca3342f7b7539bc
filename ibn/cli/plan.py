"""``ibn plan``: the comparisons to label next."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from ibn.cli.inputs import check_out, given_embeddings, reading, tell, wishes_of
from ibn.cli.printing import KINDS, print_document, table
from ibn.cli.replacing import keep_labels
from ibn.cli.terminal import say
from ibn.errors import InputError
from ibn.plurals import count_of

if TYPE_CHECKING:
    from ibn.design.control import ControlFindings
    from ibn.design.planning import Plan
    from ibn.preferences.reading import PreferenceData

LISTED = 10
CHOSEN_BY = "chosen_by"
OWN = ("expected_reduction", "probability_a", CHOSEN_BY, "relabel")
SUPERSEDED = {*OWN, *(f"original_{name}" for name in OWN)}  # what an earlier plan said of a pair


@click.command(name="plan")
@click.argument("prefs", metavar="[PREFS …]", nargs=-1)
@click.option(
    "--budget", type=click.IntRange(1, 10**6), required=True, help="Comparisons wanted, K."
)
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
    type=click.IntRange(1, 10**6),
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
    from ibn.auditing.result import plain
    from ibn.cli.battle_plan import plan_battles
    from ibn.leaderboard.battle_files import holds_battles

    start = time.perf_counter()

    def progress(message: str) -> None:
        say(f"{time.perf_counter() - start:6.1f} s  {message}", err=True)

    if not prefs:
        raise InputError("no preference file given", fix="ibn plan PREFS --budget K --out FILE")
    if len(prefs) == 1 and holds_battles(prefs[0], options["columns"]):
        plan_battles(prefs[0], options["budget"], out, options, as_json)
        return
    if out is None:
        raise InputError("nowhere to write the comparisons", fix="--out next.jsonl")
    inputs = (*prefs, options["candidates"], options["embeddings"])
    check_out(out, *inputs)
    keep_labels(out)
    if tool is not None and not out.endswith(".json"):
        raise InputError(f"{tool} takes JSON", file=out, fix="name a .json file")
    if prompts is not None:
        check_out(prompts, *inputs, out)
        keep_labels(prompts)
    planned, offered, control = _plan(prefs, options, progress)
    _write(out, planned, offered, tool)
    progress(f"{len(planned.design.pairs)} comparisons in {out}")
    if prompts is not None:
        count = _write_prompts(prompts, planned)
        progress(f"{count} prompts for new responses in {prompts}")
    document = plan_document(planned, out)
    if control is not None:
        document["control"] = {**plain(control), "verdict": control.verdict}
    print_document(document, plan_tables, as_json)


def _plan(
    prefs: tuple[str, ...], options: dict[str, Any], progress: Callable[[str], None]
) -> tuple[Plan, PreferenceData, ControlFindings | None]:
    """Plan; return the plan, the data that its pairs are from, and what earlier plans brought."""
    from ibn.design.control import compare_control
    from ibn.design.planning import embedded, plan
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import concatenate

    wishes = wishes_of(options)
    data, waiting = _read(prefs, wishes)
    listed = options["candidates"] is not None
    if listed:
        waiting = tell(read_preferences(options["candidates"], **wishes, labelled=False))
    behind = data if waiting is None else concatenate(data, waiting)
    given = given_embeddings(options["embeddings"], len(behind.responses))
    points = embedded(behind, given, options["seed"], progress)
    control = compare_control(
        points[: len(data.responses)], data.comparisons, _chosen_by(data), seed=options["seed"]
    )
    names = ("budget", "pairs", "target", "max_uses", "repeat", "kernel", "pool", "seed")
    planned = plan(
        data,
        candidates=waiting if options["pairs"] is None or listed else None,
        only_given=listed,
        embeddings=points,
        beta=1.0 if options["beta"] is None else options["beta"],
        progress=progress,
        **{name: options[name] for name in names},
    )
    return planned, behind, control


def _chosen_by(data: PreferenceData) -> list[str]:
    """Say of each label whether a plan chose its pair, or chance; nothing of those before plans."""
    if data.row_of is None:
        return [""] * len(data.comparisons)
    return [str(data.rows[row].get(CHOSEN_BY, "")) for row in data.row_of[:, 0].tolist()]


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
            said = f"{count_of(len(waits.comparisons), 'pair')} without a label"
            say(f"{path}: {said}{'' if found else ', none has one'}", err=True)
            waiting = waits if waiting is None else concatenate(waiting, waits)
    if labelled is None:
        assert waiting is not None
        labelled = without_comparisons(waiting)
    return labelled, waiting


def _write(out: str, planned: Plan, offered: PreferenceData, tool: str | None) -> None:
    from ibn.design.candidates import rows_behind
    from ibn.design.control import PLANNED, RANDOM
    from ibn.preferences.labelling_tools import TOOLS
    from ibn.preferences.writing import carried, comparison_records, write_records

    pairs = planned.design.pairs
    columns: dict[str, Any] = {
        "expected_reduction": planned.design.reduction.tolist(),
        "probability_a": planned.probability.tolist(),
        "winner": [""] * len(pairs),
        CHOSEN_BY: np.where(planned.design.control, RANDOM, PLANNED).tolist(),
    }
    if planned.again.any():
        columns["relabel"] = planned.again.tolist()
    rows = rows_behind(offered, pairs)
    kept = {} if rows is None else carried(offered, rows, "ab", columns)
    kept = {name: values for name, values in kept.items() if name not in SUPERSEDED}
    order = _file_order(planned)
    mixed = {name: [values[i] for i in order] for name, values in {**columns, **kept}.items()}
    records = comparison_records(planned.data, pairs[order], mixed)
    if tool is not None:
        records = (TOOLS[tool](number, record) for number, record in enumerate(records, 1))
    write_records(out, records, by_people=True)


def _file_order(planned: Plan) -> NDArray[np.int64]:
    """Mix random picks with the others, so that a part of the file, labelled, has both."""
    count = len(planned.design.pairs)
    if not planned.design.control.any():
        return np.arange(count)
    return np.random.default_rng(count).permutation(count)


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
    from ibn.auditing.result import plain

    design, random, order = planned.design, planned.random, _file_order(planned)
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
        "random_picks": int(planned.design.control.sum()),
        "forecast": plain(planned.forecast),
        "variance": {
            "before": design.before,
            "planned": design.after,
            "random": {"mean": random.mean, "stderr": random.stderr, "count": random.count},
        },
        "comparisons": [
            {"a": a, "b": b, "expected_reduction": reduction, "probability_a": probability}
            for (a, b), reduction, probability in zip(
                design.pairs[order].tolist(),
                design.reduction[order].tolist(),
                planned.probability[order].tolist(),
                strict=True,
            )
        ],
    }


def _brought(control: dict[str, Any]) -> str:
    """Say what the labels of earlier plans brought."""
    gains = (control["gain_planned"], control["gain_random"])
    planned, random = (f"{gain['mean']:.4f} ± {gain['stderr']:.4f}" for gain in gains)
    off = control["difference"]
    return (
        f"Of earlier plans, {control['used']} planned labels lowered the log loss on random picks "
        f"by {planned}, as many random ones by {random}; difference {off['mean']:+.4f} ± "
        f"{off['stderr']:.4f}: {control['verdict']}."
    )


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
    candidates = count_of(document["candidates"], "candidate")
    said = [
        f"{candidates}, {KINDS[document['pairs']]}; {count_of(document['responses'], 'response')}",
        left,
        listed,
    ]
    if document["random_picks"]:
        said.append(
            f"{document['random_picks']} of the {document['budget']} are random picks (column "
            "chosen_by): once labelled, the next plan says what the others brought beside them."
        )
    gain = document["forecast"]["accuracy"]
    said.append(
        "Forecast beside as many random labels, on new prompts: pair accuracy "
        f"{100 * gain['mean']:+.2f} points, 80 % interval {100 * gain['low']:+.2f} to "
        f"{100 * gain['high']:+.2f}. On real labels such forecasts did not hold on average "
        "(docs/labels.md); the random picks will tell."
    )
    if control := document.get("control"):
        said.append(_brought(control))
    if document["relabels"]:
        said.append(
            f"Too few pairs are without a label: {document['relabels']} of the "
            f"{document['budget']} have one and are to get a second (column relabel). New "
            "responses would give new pairs: --prompts FILE names the prompts where they would "
            "help most, for ibn grow."
        )
    return said
