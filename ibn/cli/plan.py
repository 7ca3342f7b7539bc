"""``ibn plan``: the comparisons to label next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ibn.cli.inputs import check_out, planning, reading, sharing, tell
from ibn.cli.printing import KINDS, print_document, table
from ibn.cli.verbosity import note, stages
from ibn.errors import InputError
from ibn.plurals import count_of
from ibn.preferences.replacing import keep_labels

if TYPE_CHECKING:
    from ibn.preferences.reading import PreferenceData

LISTED = 10


@click.command(name="plan")
@click.argument("prefs", metavar="[PREFS …]", nargs=-1)
@planning
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
@click.option(
    "--candidates",
    metavar="FILE",
    help="Pairs to choose from; they need no labels. In --embeddings, responses that they alone "
    "name follow the others.",
)
@click.option(
    "--max-uses",
    type=click.IntRange(1, 2**31 - 1),
    metavar="M",
    help="At most M of the planned comparisons use a response (earlier ones do not count).",
)
@click.option("--repeat", is_flag=True, help="Pairs compared already may be chosen, also twice.")
@click.option("--beta", type=float, show_default="1", help="β of the labels, per reward.")
@click.option(
    "--ranks",
    default="neighbours",
    show_default=True,
    metavar="WHICH",
    help="Of a leaderboard's battles: the ranks to narrow, neighbours, top:K or item:NAME.",
)
@reading
@sharing
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
    from ibn.design.next_comparisons import plan
    from ibn.design.planned import Plan, check_tool
    from ibn.leaderboard.battle_files import holds_battles
    from ibn.preferences.given import take_reading
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.writing import write_records

    if not prefs:
        raise InputError("no preference file given", fix="ibn plan PREFS --budget K --out FILE")
    if len(prefs) == 1 and holds_battles(prefs[0], options["columns"]):
        _plan_battles(prefs[0], out, options, as_json)
        return
    if out is None:
        raise InputError("nowhere to write the comparisons", fix="--out next.jsonl")
    inputs = (*prefs, options["candidates"], options["embeddings"])
    check_out(out, *inputs)
    keep_labels(out)
    check_tool(tool, out)
    if prompts is not None:
        check_out(prompts, *inputs, out)
        keep_labels(prompts)
    wishes = take_reading(options)
    if options["candidates"] is not None:
        given = read_preferences(options["candidates"], **wishes, labelled=False)
        options["candidates"] = tell(given)
    options["beta"] = 1.0 if options["beta"] is None else options["beta"]
    with stages() as progress:
        planned = plan(_read(prefs, wishes), progress=progress, **options)
        assert isinstance(planned, Plan)
        planned.save(out, tool=tool)
        progress.say(f"{len(planned.design.pairs)} comparisons in {out}")
        if prompts is not None:
            rows = planned.prompts()
            write_records(prompts, rows)
            progress.say(f"{len(rows)} prompts for new responses in {prompts}")
    print_document({"out": out, **planned.to_json()}, plan_tables, as_json)


def _read(prefs: tuple[str, ...], wishes: dict[str, Any]) -> list[PreferenceData]:
    """Read the labels of all files, and the pairs that wait for one, and say what was read."""
    from ibn.preferences.reading import read_for_planning

    read = []
    for path in prefs:
        found, waits = read_for_planning(path, **wishes)
        if found is not None:
            read.append(tell(found))
        if waits is not None:
            waiting = f"{count_of(len(waits.comparisons), 'pair')} without a label"
            note(f"{path}: {waiting}{'' if found else ', none has one'}")
            read.append(waits)
    return read


def _plan_battles(path: str, out: str | None, options: dict[str, Any], as_json: bool) -> None:
    """Choose battles, write them to ``out`` if given, and print what they are expected to do."""
    from ibn.design.next_comparisons import plan

    if out is not None:
        check_out(out, path)
        keep_labels(out)
    names = ("budget", "ranks", "seed", "columns", "winner", "strict")
    bought = plan(path, **{name: options[name] for name in names})
    if out is not None:
        bought.save(out)
        note(f"{options['budget']} battles in {out}")
    print_document({"out": out, **bought.to_json()}, battle_tables, as_json)


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


def battle_tables(document: dict[str, Any]) -> list[Any]:
    """Lay battles to buy out for a terminal."""
    from rich.text import Text

    from ibn.leaderboard.names import shown

    bought = table("First battles", "", "", "battles")
    for row in document["pairs"][:LISTED]:
        ends = (Text(shown(row[x])) for x in ("model_a", "model_b"))
        bought.add_row(*ends, f"{row['battles']:,}")
    ranks = table("Ranks, now and expected", "", "now", "expected")
    for row in document["items"]:
        now, then = ("–".join(map(str, dict.fromkeys(row[x]))) for x in ("ranks", "expected_ranks"))
        ranks.add_row(Text(shown(row["name"])), now, then)
    apart = table("Battles that would tell neighbours apart", "", "", "battles")
    for row in document["neighbours"]:
        number = row["battles_to_separate"]
        shown_number = "endless" if number is None else f"{number:,}"
        apart.add_row(Text(shown(row["better"])), Text(shown(row["worse"])), shown_number)
    deviation = document["deviation"]
    words = f"Mean deviation of the differences asked for: {deviation['before']:.3f} now, "
    return [bought, ranks, apart, words + f"{deviation['after']:.3f} expected"]
