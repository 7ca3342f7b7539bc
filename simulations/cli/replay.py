"""``ibn replay``: planned labels against random ones, hidden and then revealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.inputs import planning, read_all, reading
from ibn.cli.printing import print_document, table
from ibn.cli.verbosity import note, stages
from ibn.errors import InputError
from ibn.outputs import check_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ibn.preferences.reading import PreferenceData
    from ibn.progress import Stages
    from ibn.simulations.replay import Problem, Replay

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
@click.option("--figure", metavar="FILE", help="Draw the replay: .svg, .png or .pdf.")
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: tuple[str, ...],
    world: str | None,
    figure: str | None,
    labels: str | None,
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
      ibn replay preferences.jsonl --budget 200 --figure replay.svg
      ibn replay --world power --alpha 0.3 --budget 32
    """  # noqa: D301 - the escape is for click
    _check_figure(figure, (*prefs, options["embeddings"]))
    simulated = labels == "simulated" or world is not None or figure is not None
    with stages() as progress:
        read = _read(prefs, options, progress) if prefs and world is None else None
        real = None if simulated or not read else _replay_real(*read, options, labels, progress)
        if real is None:
            replayed, about = _replay(prefs, read, world, options, progress)
    if real is not None:
        print_document(real, hidden_tables, as_json)
        return
    if figure is not None:
        from ibn.simulations.replay_figure import draw_into

        draw_into(replayed, figure)
        note(f"figure in {figure}")
    print_document(replay_document(replayed, about), replay_tables, as_json)


def _read(
    prefs: tuple[str, ...], options: dict[str, Any], progress: Stages
) -> tuple[PreferenceData, NDArray[np.floating]]:
    """Read the labels, and embed the responses."""
    from ibn.bias.embeddings import given_embeddings
    from ibn.design.planning import embedded
    from ibn.preferences.given import take_reading

    data = read_all(prefs, take_reading(options))
    given = given_embeddings(options["embeddings"], len(data.responses))
    return data, embedded(data, given, options["seed"], progress)


def _replay_real(
    data: PreferenceData,
    embeddings: NDArray[np.floating],
    options: dict[str, Any],
    labels: str | None,
    progress: Stages,
) -> dict[str, Any] | None:
    """Replay on the labels of PREFS; ``None`` where there are too few of them."""
    from ibn.results import plain
    from ibn.simulations.hidden_labels import replay_hidden

    try:
        found = replay_hidden(
            embeddings,
            data.comparisons,
            data.prompt_of,
            options["budget"],
            splits=options["repetitions"],
            seed=options["seed"],
            progress=progress,
        )
    except InputError as error:
        if labels == "real":
            raise
        progress.say(f"{error.problem}: labels are simulated")
        return None
    return {"source": data.source, **plain(found)}


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


def _check_figure(figure: str | None, inputs: tuple[str | None, ...]) -> None:
    if figure is None:
        return
    check_file(figure, inputs)
    if Path(figure).suffix not in (".svg", ".png", ".pdf"):
        raise InputError("unknown kind of figure", file=figure, fix="name it .svg, .png or .pdf")


def _replay(
    prefs: tuple[str, ...],
    read: tuple[PreferenceData, NDArray[np.floating]] | None,
    world: str | None,
    options: dict[str, Any],
    progress: Stages,
) -> tuple[Replay, dict[str, Any]]:
    from ibn.simulations.replay import data_problem, replay, world_problem

    names = ("budget", "batches", "repetitions", "seed")
    common = {name: options[name] for name in names}
    if world is not None:
        from ibn.bias.ultrametric import Ultrametric
        from ibn.preferences.noise import LabelNoise

        if prefs:
            raise InputError("--world replays without PREFS", fix="leave one of the two out")
        place = Ultrametric(world, alpha=options["alpha"])
        noise = LabelNoise(1814.0 if options["beta"] is None else options["beta"])
        count = options["responses"]
        if count < 3:
            raise InputError(f"the world needs at least 3 responses, not {count}")
        about = {"world": world, "alpha": place.alpha, "beta": noise.beta, "responses": count}
        found = replay(
            lambda rng: world_problem(place, count, noise, rng),
            policies=("planned", "random", "variance"),  # continuous labels have no margin
            progress=progress,
            **common,
        )
        return found, {**about, "pairs": "any", "target": "any"}
    if read is None:
        raise InputError("nothing to replay", fix="give PREFS, or --world power")
    import numpy as np

    from ibn.design.planning import LANDMARKS
    from ibn.learner.reward_model import fit
    from ibn.simulations.replay import unlearnt

    data, embeddings = read
    beta = 1.0 if options["beta"] is None else options["beta"]
    model = fit(
        embeddings,
        data.comparisons,
        kernel=options["kernel"],
        beta=beta,
        own_variance=0.0,
        landmarks=LANDMARKS,
        seed=options["seed"],
        progress=progress,
    )
    shared = "within" if np.bincount(data.prompt_of).max() > 1 else "any"
    pairs, target = options["pairs"] or shared, options["target"] or shared
    prior = unlearnt(model)

    def draw(rng: np.random.Generator) -> Problem:
        return data_problem(
            prior,
            data.prompt_of,
            rng,
            within=pairs == "within",
            target_within=target == "within",
            pool=max(options["pool"], 2 * options["budget"]),
        )

    about = {"source": data.source, "responses": len(data.responses), "beta": beta}
    about |= {
        "scale": model.scale,
        "features": model.features.shape[1],
        "kernel": options["kernel"],
    }
    return replay(draw, progress=progress, **common), {**about, "pairs": pairs, "target": target}


def replay_document(found: Replay, about: dict[str, Any]) -> dict[str, Any]:
    """Make the JSON document of a replay; ``about`` says what was replayed."""
    last = len(found.labels) - 1
    shown = sorted({max(1, last // 4), max(1, last // 2), last})
    document: dict[str, Any] = {**about, "repetitions": len(found.variance["random"])}
    document |= {"seed": found.seed, "labels": found.labels.tolist(), "policies": {}}
    for policy, variance in found.variance.items():
        savings = []
        for k in shown if policy != "random" else []:
            saving = found.saving(policy, k)
            low, high = saving.variance.interval()
            savings.append(
                {
                    "labels": saving.labels,
                    "ratio": saving.variance.mean,
                    "stderr": saving.variance.stderr,
                    "interval": [low, high],
                    "error_ratio": saving.error,
                    "error_interval": list(saving.error_interval),
                }
            )
        document["policies"][policy] = {
            "variance": variance.mean(axis=0).tolist(),
            "squared_error": found.error[policy].mean(axis=0).tolist(),
            "savings": savings,
        }
    return document


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
