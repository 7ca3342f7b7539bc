"""``ibn plan``: the comparisons to label next."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ibn.cli.audit import _pairs as renamed_columns
from ibn.cli.planned import (
    plan_document,
    plan_tables,
    print_document,
    replay_document,
    replay_tables,
)
from ibn.errors import InputError

if TYPE_CHECKING:
    from ibn.design.planning import Plan
    from ibn.preferences.reading import PreferenceData
    from simulations.planning import Problem, Replay

WORLD_RESPONSES = 256


@click.command(name="plan")
@click.argument("prefs", metavar="[PREFS …]", nargs=-1)
@click.option("--budget", type=click.IntRange(min=1), required=True, help="Comparisons wanted, K.")
@click.option("--out", metavar="FILE", help="Write the comparisons here, for a labelling tool.")
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
@click.option(
    "--beta", type=float, show_default="1; 1814 for --world", help="β of the labels, per reward."
)
@click.option(
    "--pool",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="With --pairs any: random pairs from which each choice starts its search.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=THEIRS",
    callback=renamed_columns,
    help="What the files call a column: --column prompt=title.",
)
@click.option(
    "--skip-identical", is_flag=True, help="Leave out responses compared with themselves."
)
@click.option(
    "--simulate",
    is_flag=True,
    help="Replay: labels drawn from the fitted model, planned against random choice and "
    "uncertainty sampling, from no labels on.",
)
@click.option("--repetitions", default=20, show_default=True, help="Of the replay.")
@click.option("--batches", default=16, show_default=True, help="The model learns between them.")
@click.option("--figure", metavar="FILE", help="Draw the replay: .svg, .png or .pdf.")
@click.option(
    "--world",
    metavar="FAMILY",
    help="Replay in the ultrametric world instead: power, logarithmic or sub-logarithmic.",
)
@click.option("--alpha", default=0.3, show_default=True, help="Decay α of the world.")
@click.option(
    "--responses", default=WORLD_RESPONSES, show_default=True, help="Drawn from the world."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    prefs: tuple[str, ...],
    out: str | None,
    simulate: bool,
    world: str | None,
    figure: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose the comparisons to label next.

    Fits a Bayesian reward model to the labels in PREFS (one or more files that ibn audit reads)
    and chooses, one after the other, the comparisons that are expected to reduce most the mean
    posterior variance of reward differences.

    The comparisons go to --out as prompt, response_a, response_b, the reduction expected of
    each, the predicted probability that a is preferred, and an empty column winner. Fill it with
    a, b or tie, and give the file to ibn after the first: ibn plan PREFS labelled.jsonl.

    \b
    Examples:
      ibn plan preferences.jsonl --budget 100 --out next.jsonl
      ibn plan preferences.jsonl --budget 100 --pairs any --max-uses 2 --out next.csv
      ibn plan preferences.jsonl --candidates pairs.jsonl --budget 50 --out next.jsonl
      ibn plan preferences.jsonl --simulate --budget 200 --figure replay.svg
      ibn plan --simulate --world power --alpha 0.3 --budget 32
    """  # noqa: D301 - the escape is for click
    start = time.perf_counter()

    def progress(message: str) -> None:
        click.echo(f"{time.perf_counter() - start:6.1f} s  {message}", err=True)

    if simulate:
        if out is not None or options["candidates"] is not None:
            raise InputError("--simulate goes with neither --out nor --candidates")
        if options["max_uses"] is not None or options["repeat"]:
            raise InputError("--simulate replays without --max-uses and --repeat")
        _check_figure(figure)
        replayed, told = _replay(prefs, world, options, progress)
        document = replay_document(replayed, told)
        if figure is not None:
            from figures.plan import write_figure

            write_figure(replayed, figure)
            progress(f"figure in {figure}")
        print_document(document, replay_tables, as_json)
        return
    if world is not None or figure is not None:
        raise InputError("--world and --figure are for --simulate")
    if not prefs:
        raise InputError("no preference file given", mend="ibn plan PREFS --budget K --out FILE")
    if out is None:
        raise InputError("nowhere to write the comparisons", mend="--out next.jsonl")
    _check_out(out)
    planned = _plan(prefs, options, progress)
    _write(out, planned)
    progress(f"{len(planned.design.pairs)} comparisons in {out}")
    print_document(plan_document(planned, out), plan_tables, as_json)


def _check_out(out: str) -> None:
    from ibn.preferences.files import file_format

    file_format(out)
    if not Path(out).parent.is_dir():
        raise InputError("no such directory", file=Path(out).parent)


def _check_figure(figure: str | None) -> None:
    if figure is None:
        return
    if Path(figure).suffix not in (".svg", ".png", ".pdf"):
        raise InputError("unknown kind of figure", file=figure, mend="name it .svg, .png or .pdf")
    if not Path(figure).parent.is_dir():
        raise InputError("no such directory", file=Path(figure).parent)


def _read(prefs: tuple[str, ...], options: dict[str, Any]) -> PreferenceData:
    """Read one file or several behind each other."""
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import concatenate

    identical: Literal["error", "skip"] = "skip" if options["skip_identical"] else "error"
    first, *others = (
        read_preferences(path, columns=options["columns"], on_identical=identical) for path in prefs
    )
    for other in others:
        first = concatenate(first, other)
    return first


def _load(options: dict[str, Any], rows: int) -> Any:
    if options["embeddings"] is None:
        return None
    from ibn.bias.embeddings import load_embeddings

    return load_embeddings(options["embeddings"], rows)


def _plan(prefs: tuple[str, ...], options: dict[str, Any], progress: Callable[[str], None]) -> Plan:
    from ibn.design.planning import plan
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import unite

    data, candidates = _read(prefs, options), None
    if options["candidates"] is not None:
        candidates = read_preferences(
            options["candidates"], columns=options["columns"], labelled=False
        )
        data, candidates = unite(data, candidates)
    names = ("budget", "pairs", "target", "max_uses", "repeat", "kernel", "pool", "seed")
    return plan(
        data,
        candidates=candidates,
        embeddings=_load(options, len(data.responses)),
        beta=1.0 if options["beta"] is None else options["beta"],
        progress=progress,
        **{name: options[name] for name in names},
    )


def _write(out: str, planned: Plan) -> None:
    from ibn.preferences.writing import write_comparisons

    pairs = planned.design.pairs
    columns = {
        "expected_reduction": planned.design.reduction.tolist(),
        "probability_a": planned.probability.tolist(),
        "winner": [""] * len(pairs),
    }
    write_comparisons(out, planned.data, pairs, columns)


def _replay(
    prefs: tuple[str, ...],
    world: str | None,
    options: dict[str, Any],
    progress: Callable[[str], None],
) -> tuple[Replay, dict[str, Any]]:
    from simulations.planning import data_problem, replay, world_problem

    names = ("budget", "batches", "repetitions", "seed")
    common = {name: options[name] for name in names}
    if world is not None:
        from ibn.bias.ultrametric import Ultrametric
        from ibn.preferences.noise import LabelNoise

        if prefs:
            raise InputError("--world replays without PREFS", mend="leave one of the two out")
        place = Ultrametric(world, alpha=options["alpha"])
        noise = LabelNoise(1814.0 if options["beta"] is None else options["beta"])
        count = options["responses"]
        if count < 3:
            raise InputError(f"the world needs at least 3 responses, not {count}")
        told = {"world": world, "alpha": place.alpha, "beta": noise.beta, "responses": count}
        found = replay(
            lambda rng: world_problem(place, count, noise, rng),
            policies=("planned", "random", "variance"),  # continuous labels have no margin
            progress=progress,
            **common,
        )
        return found, {**told, "pairs": "any", "target": "any"}
    if not prefs:
        raise InputError("nothing to replay", mend="give PREFS, or --world power")
    import numpy as np

    from ibn.design.planning import LANDMARKS, embedded
    from ibn.reward_model import fit
    from simulations.planning import unlearnt

    data = _read(prefs, options)
    embeddings = embedded(data, _load(options, len(data.responses)), options["seed"], progress)
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

    told = {"source": data.source, "responses": len(data.responses), "beta": beta}
    told |= {"scale": model.scale, "features": model.features.shape[1], "kernel": options["kernel"]}
    return replay(draw, progress=progress, **common), {**told, "pairs": pairs, "target": target}
