"""What ``ibn plan`` prints: documents, and the same as tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ibn.design.planning import Plan
    from simulations.planning import Replay

LISTED = 10
KINDS = {"within": "within prompts", "any": "of any two responses", "given": "given"}


def replay_document(found: Replay, told: dict[str, Any]) -> dict[str, Any]:
    """Make the JSON document of a replay; ``told`` says what was replayed."""
    last = len(found.labels) - 1
    shown = sorted({max(1, last // 4), max(1, last // 2), last})
    document: dict[str, Any] = {**told, "repetitions": len(found.variance["random"])}
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


def print_document(
    document: dict[str, Any], tables: Callable[[dict[str, Any]], list[Any]], as_json: bool
) -> None:
    """Print a document, as it is or as tables for people."""
    if as_json:
        click.echo(json.dumps(document))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for table in tables(document):
        console.print(table)


def _table(title: str, *columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    return table


def plan_tables(document: dict[str, Any]) -> list[Any]:
    """Lay a plan out for a terminal."""
    variance = document["variance"]
    title = f"Mean posterior variance of reward differences {KINDS[document['target']]}"
    table = _table(title, "", "variance", "share")
    before, random = variance["before"], variance["random"]
    at_random = f"{random['mean']:.4g} ± {random['stderr']:.1g}"
    rows = {
        f"now, after {document['labels']} labels": f"{before:.4g}",
        f"after {document['budget']} more at random": at_random,
        f"after the {document['budget']} planned": f"{variance['planned']:.4g}",
    }
    values = (before, random["mean"], variance["planned"])
    for (name, cell), value in zip(rows.items(), values, strict=True):
        table.add_row(name, cell, f"{value / before:.3f}")
    listed = _table("First comparisons", "responses", "reduction", "P(a)")
    for row in document["comparisons"][:LISTED]:
        ends = f"{row['a']} and {row['b']}"
        listed.add_row(ends, f"{row['expected_reduction']:.3g}", f"{row['probability_a']:.2f}")
    candidates = f"{document['candidates']:,} candidates, {KINDS[document['pairs']]}"
    return [f"{candidates}; {document['responses']:,} responses", table, listed]


def replay_tables(document: dict[str, Any]) -> list[Any]:
    """Lay a replay out for a terminal."""
    last = document["labels"][-1]
    title = f"{document['repetitions']} replays of {last} labels, {document['pairs']} pairs"
    curves = _table(title, "policy", "posterior variance left", "squared error left")
    for policy, found in document["policies"].items():
        curves.add_row(policy, f"{found['variance'][-1]:.4g}", f"{found['squared_error'][-1]:.4g}")
    ratios = _table(
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
