"""``ibn replay``: planned labels against random ones, hidden and then revealed."""

from __future__ import annotations

from typing import Any

import click

from ibn.cli.inputs import planning, read_all, reading, sharing
from ibn.cli.printing import print_document, table
from ibn.cli.verbosity import note, stages
from ibn.errors import InputError

WORLD_RESPONSES = 256


@click.command(name="replay")
@click.argument("prefs", metavar="[PREFS …]", nargs=-1)
@planning
@click.option(
    "--beta", type=float, show_default="1; 1814 for --world", help="β of the labels, per reward."
)
@reading
@click.option(
    "--labels",
    type=click.Choice(["real", "simulated"]),
    show_default="real, where PREFS has twice as many as --budget to hide",
    help="Reveal the labels that PREFS has, or draw some from the fitted reward model.",
)
@click.option(
    "--repetitions",
    type=click.IntRange(1, 10**4),
    default=20,
    show_default=True,
    help="Of the replay.",
)
@click.option(
    "--batches",
    type=click.IntRange(1, 10**4),
    default=16,
    show_default=True,
    help="The model learns between them.",
)
@click.option(
    "--out",
    "--figure",
    "out",
    metavar="FILE",
    help="Draw the replay: .svg, .png or .pdf; a .json file gets what --json prints.",
)
@click.option(
    "--world",
    metavar="FAMILY",
    help="Replay in the ultrametric world instead: power, logarithmic or sub-logarithmic.",
)
@click.option("--alpha", default=0.3, show_default=True, help="Decay α of the world.")
@click.option(
    "--responses",
    type=click.IntRange(2, 10**4),
    default=WORLD_RESPONSES,
    show_default=True,
    help="Drawn from the world.",
)
@sharing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: tuple[str, ...],
    world: str | None,
    alpha: float,
    out: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Replay a plan on labels that are hidden and revealed as they are chosen.

    Splits PREFS by prompt, hides its labels, and lets ibn plan, random choice and simple rules
    each choose which to see; reward models fitted to them are judged on prompts held out. Prints
    how many random labels are worth as much. With --labels simulated, labels are drawn from a
    reward model fitted to all, and what is left of its uncertainty is measured.

    \b
    Examples:
      ibn replay preferences.jsonl --budget 200 --out replay.svg
      ibn replay --world power --alpha 0.3 --budget 32
    """  # noqa: D301 - the escape is for click
    from ibn.preferences.given import take_reading
    from ibn.simulations.replayed import RealReplay, SimulatedReplay, replay

    if out is not None:
        SimulatedReplay.check_path(out, (*prefs, options["embeddings"]))
    wishes = take_reading(options)
    with stages() as progress:
        data = _given(prefs, world, alpha, wishes)
        found = replay(data, progress=progress, **options)
        if isinstance(found, SimulatedReplay) and found.instead:
            progress.say(f"{found.instead}: labels are simulated")
    if out is not None:
        found.save(out)
        note(f"replay in {out}")
    tables = hidden_tables if isinstance(found, RealReplay) else replay_tables
    print_document(found.to_json(), tables, as_json)


def _given(prefs: tuple[str, ...], world: str | None, alpha: float, wishes: dict[str, Any]) -> Any:
    """Read what is to be replayed, or make the world."""
    if world is not None:
        from ibn.bias.ultrametric import Ultrametric

        if prefs:
            raise InputError("--world replays without PREFS", fix="leave one of the two out")
        return Ultrametric(world, alpha=alpha)
    if not prefs:
        raise InputError("nothing to replay", fix="give PREFS, or --world power")
    return read_all(prefs, wishes)


def hidden_tables(document: dict[str, Any]) -> list[Any]:
    """Lay a replay on real labels out for a terminal."""
    budget, at = document["budget"], document["counts"].index(document["budget"])
    title = f"{document['splits']} splits, {budget} real labels after {document['start']}"
    rows = table(title, "", "log loss", "right", "gain", "worth in random labels")
    random = document["curve"][at]
    accuracy = document["random_accuracy"]
    rows.add_row("random", f"{random['mean']:.4f}", f"{accuracy['mean']:.1%}", "–", str(budget))
    for name, one in document["methods"].items():
        gain, (low, high) = one["gain"], one["interval"]
        worth = " [".join(f"{x:,.0f}" for x in (one["labels"], low)) + f", {high:,.0f}]"
        rows.add_row(
            name,
            f"{one['log_loss']['mean']:.4f}",
            f"{one['accuracy']['mean']:.1%}",
            f"{gain['mean']:+.4f} ± {gain['stderr']:.4f}",
            worth,
        )
    return [rows, "inf: no number of random labels that was measured reaches it."]


def replay_tables(document: dict[str, Any]) -> list[Any]:
    """Lay a replay out for a terminal."""
    last = document["labels"][-1]
    title = f"{document['repetitions']} replays of {last} labels, {document['pairs']} pairs"
    curves = table(title, "policy", "posterior variance left", "squared error left")
    for policy, found in document["policies"].items():
        curves.add_row(policy, f"{found['variance'][-1]:.4g}", f"{found['squared_error'][-1]:.4g}")
    ratios = table(
        "Labels that random choice needs over those that the policy needs (95 % interval)",
        "policy",
        "random labels",
        "by posterior variance",
        "by squared error",
    )
    for policy, found in document["policies"].items():
        for saving in found["savings"]:
            cells = [
                f"{saving[ratio]:.2f} [{saving[interval][0]:.2f}, {saving[interval][1]:.2f}]"
                for ratio, interval in (("ratio", "interval"), ("error_ratio", "error_interval"))
            ]
            ratios.add_row(policy, str(saving["labels"]), *cells)
    return [curves, ratios]
