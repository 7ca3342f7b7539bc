"""``python -m benchmarks.calibration``: whether the reward model predicts real held-out labels."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from benchmarks.foresight import AgainstMore, Correlation, against_more
from ibn.auditing.evaluation import Evaluation, evaluate
from ibn.auditing.scoring import Scores
from ibn.bias.text_models import embed
from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.preferences.reading import read_preferences
from ibn.results import plain

CALIBRATED = 0.05
DATASETS = ("hh_harmless.jsonl", "gsm8k_model_solutions.jsonl")


def rising(evaluation: Evaluation, measure: str) -> bool:
    """Whether accuracy never falls from the most to the least uncertain fifth."""
    accuracy = [fifth.accuracy.mean for fifth in evaluation.fifths[measure]]
    return all(b >= a for a, b in pairwise(accuracy))


def verdicts(evaluation: Evaluation, against: AgainstMore) -> dict[str, bool]:
    """Hold the figures against what is asked of them, to the letter."""
    return {
        "log loss no worse than logistic regression": evaluation.gain.mean >= 0.0,
        "pooled calibration error at most 0.05": (
            evaluation.model.pooled_calibration_error <= CALIBRATED
        ),
        "mean calibration error of a split at most 0.05": (
            evaluation.model.calibration_error.mean <= CALIBRATED
        ),
        **{
            f"accuracy rises through the fifths by {measure}": rising(evaluation, measure)
            for measure in evaluation.fifths
        },
        "variance correlates with squared error": against.variance.low > 0.0,
        "remaining variance correlates with relative squared error": against.remaining.low > 0.0,
    }


@click.command()
@click.argument("where", metavar="PATH", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--embedder",
    default="tfidf",
    show_default=True,
    help="How texts are embedded, as for ibn embed.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory for embeddings, made where there is none.",
)
@click.option(
    "--kernel",
    default="linear",
    show_default=True,
    help="Kernel of the reward model: linear, rbf or best.",
)
@click.option(
    "--splits",
    default=5,
    show_default=True,
    help="How many parts prompts are dealt into, each held out once.",
)
@click.option(
    "--resamples", default=1000, show_default=True, help="How often the bootstrap resamples."
)
@click.option("--seed", default=0, show_default=True, help="Seed of splits and bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(
    where: Path,
    embedder: str,
    cache: Path | None,
    kernel: str,
    splits: int,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    r"""Fit reward models to real preferences and compare them with the held-out labels.

    PATH is a preference file, or a directory that holds hh_harmless.jsonl and
    gsm8k_model_solutions.jsonl.

    \b
    Examples:
      python -m benchmarks.calibration preferences.jsonl
      python -m benchmarks.calibration data --embedder all-MiniLM-L6-v2 --cache embeddings
    """
    files = [where / name for name in DATASETS] if where.is_dir() else [where]
    documents = []
    for file in files:

        def tell(text: str, name: str = file.stem) -> None:
            click.echo(f"{name}: {text}", err=True)

        try:
            data = read_preferences(file)
            kept = None
            if cache is not None:
                cache.mkdir(parents=True, exist_ok=True)
                label = "".join(c if c.isalnum() else "-" for c in embedder).strip("-")
                kept = cache / f"{file.stem}.{label}.npy"
            tell("embedding")
            rows = embed(
                data.prompts, data.responses, data.prompt_of, embedder, cache=kept, seed=seed
            )
            options: dict[str, Any] = {
                "splits": splits,
                "kernel": kernel,
                "seed": seed,
                "progress": tell,
            }
            found = evaluate(rows, data.comparisons, data.prompt_of, **options)
            against = against_more(
                rows, data.comparisons, data.prompt_of, resamples=resamples, **options
            )
        except InputError as error:
            raise click.UsageError(str(error)) from None
        decided = verdicts(found, against)
        if as_json:
            documents.append(
                {
                    "file": file.name,
                    "embedder": embedder,
                    "kernel": kernel,
                    "evaluation": plain(found),
                    "against_more": against.to_json(),
                    "verdicts": decided,
                }
            )
            continue
        click.echo(f"{file.name}, {found.count:,} comparisons, {embedder}, {kernel} kernel")
        for line in lines(found, against):
            click.echo(f"  {line}")
        for what, holds in decided.items():
            click.echo(f"  {'yes' if holds else 'NO '}  {what}")
    if as_json:
        click.echo(json.dumps(documents))


def lines(found: Evaluation, against: AgainstMore) -> list[str]:
    """Write the figures, a line each."""
    fitted = [
        f"{name} {', '.join(f'{split[name]:.3g}' for split in found.hyperparameters)}"
        for name in found.hyperparameters[0]
    ]
    said = [
        f"{found.splits} splits by {found.split_by}; fitted: {'; '.join(fitted)}",
        f"reward model:        {_scores(found.model)}",
        f"logistic regression: {_scores(found.baseline)}",
        f"gain in log loss: {_plus_minus(found.gain)}",
    ]
    for measure, fifths in found.fifths.items():
        accuracy = ", ".join(_plus_minus(fifth.accuracy, 3) for fifth in fifths)
        said.append(f"accuracy by fifths, most uncertain first, by {measure}: {accuracy}")
    said += [
        f"squared error against four times the data, with the variance: {_rank(against.variance)}",
        f"the same, each over the prior variance: {_rank(against.remaining)}",
        f"mean squared error over what was predicted: {_plus_minus(against.ratio, 3)}",
    ]
    return said


def _scores(scores: Scores) -> str:
    chance = scores.by_chance
    return (
        f"log loss {_plus_minus(scores.log_loss)}, accuracy {_plus_minus(scores.accuracy)}, "
        f"calibration error {_plus_minus(scores.calibration_error)} a split, "
        f"{scores.pooled_calibration_error:.4f} pooled ({chance.mean:.4f} ± {chance.stderr:.4f} "
        "were all predictions right)"
    )


def _plus_minus(estimate: Estimate, digits: int = 4) -> str:
    return f"{estimate.mean:.{digits}f} ± {estimate.stderr:.{digits}f}"


def _rank(found: Correlation) -> str:
    return (
        f"Spearman {found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f} "
        f"({found.expected:.3f} were the model right)"
    )


if __name__ == "__main__":
    main()
