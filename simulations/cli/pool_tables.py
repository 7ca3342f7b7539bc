"""A pool's verdicts as tables for a terminal."""

from __future__ import annotations

from typing import Any

from ibn.cli.printing import table
from ibn.simulations.pools.deciding import COIN, LEARNER, TREES
from ibn.simulations.pools.foreseen import MEASURES, RULES

WORDS = {"accuracy": "pair accuracy", "log_loss": "log loss", "error": "squared error"}


def shown(row: dict[str, Any], digits: int = 3) -> str:
    """Write a value with its interval."""
    return f"{row['value']:.{digits}f} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"


def pool_tables(found: dict[str, Any]) -> list[Any]:
    """Lay a document of ``ibn validate --pool`` out."""
    made = [_ceilings(found)]
    keys = dict.fromkeys((r["features"], r["n"], r["agreement"]) for r in found["compared"])
    for key in keys:
        made.append(_compared(found["compared"], key, "within prompts"))
        made.append(_wins(found["wins"], key))
    for kind, title in (
        ("noise", "other label noise"),
        ("spent", "one of so many prompts, with so many times the pairs"),
        ("across", "any two responses, of whatever prompts"),
    ):
        for key in dict.fromkeys((r["features"], r["n"], r["agreement"]) for r in found[kind]):
            made.append(_compared(found[kind], key, title))
    made += [_fall(found), _variances(found), _penalties(found), _predicted(found), _units(found)]
    return made


def _ceilings(found: dict[str, Any]) -> Any:
    made = table(
        f"{found['pool']}: {found['responses']} responses to {found['prompts']} prompts, "
        f"{found['pairs']} pairs within them; {found['seeds']} seeds. The ceiling: the same "
        "learner on the true scores",
        *("features", "dimensions", "pair accuracy", "best of", "wins over a random response"),
        "decides",
    )
    for row in found["ceiling"]:
        decides = "little: near a coin" if row["accuracy"]["value"] < COIN else "something"
        made.add_row(
            row["features"],
            str(found["features"][row["features"]]),
            shown(row["accuracy"]),
            str(row["best_of"]),
            shown(row["wins"]),
            decides,
        )
    return made


def _of(rows: list[dict[str, Any]], key: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [r for r in rows if (r["features"], r["n"], r["agreement"]) == key]


def _compared(rows: list[dict[str, Any]], key: tuple[Any, ...], title: str) -> Any:
    features, n, agreement = key
    made = table(
        f"{features}, n = {n}, agreement {agreement}: {title}; difference to the chain "
        "(simultaneous 95 %)",
        *("topology", "responses", "prompts", "words read"),
        *(f"{WORDS[m]}, {LEARNER}" for m in ("accuracy", "log_loss")),
        *("accuracy, to the chain", "log loss, to the chain"),
    )
    mine = [r for r in _of(rows, key) if r["learner"] == LEARNER]
    for row in (r for r in mine if r["measure"] == "accuracy"):
        loss = next(
            r for r in mine if r["measure"] == "log_loss" and r["topology"] == row["topology"]
        )
        apart = [shown(r["difference"]) if row["topology"] != "chain" else "" for r in (row, loss)]
        made.add_row(
            row["topology"],
            *(f"{row[k]:.0f}" for k in ("responses", "prompts", "words")),
            f"{row['value']:.3f}",
            f"{loss['value']:.3f}",
            *apart,
        )
    return made


def _wins(rows: list[dict[str, Any]], key: tuple[Any, ...]) -> Any:
    features, n, agreement = key
    mine = _of(rows, key)
    draws = list(dict.fromkeys(r["draws"] for r in mine))
    made = table(
        f"{features}, n = {n}, agreement {agreement}: win rates of the best of N "
        "(simultaneous 95 %)",
        *("tree", "against", *(f"N = {d}" for d in draws)),
    )
    for name in ("chain", *TREES):
        for kind in ("against_chain", "same", "against_base"):
            cells = {
                r["draws"]: shown(r) for r in mine if (r["topology"], r["kind"]) == (name, kind)
            }
            if cells:
                made.add_row(name, kind.replace("_", " "), *(cells.get(d, "") for d in draws))
    return made


def _penalties(found: dict[str, Any]) -> Any:
    made = table(
        "How the penalty is chosen: log loss above the oracle's (simultaneous 95 %)",
        *("setting", "topology", "learner", "log loss above the oracle's"),
    )
    for row in found["penalties"]:
        made.add_row(
            f"{row['features']}, n = {row['n']}", row["topology"], row["learner"], shown(row)
        )
    return made


def _predicted(found: dict[str, Any]) -> Any:
    made = table(
        "E6: rank correlation with the trained models' squared error, over topologies at equal n",
        *("setting", "learner", "predictor", "rank correlation", "less the exact variance's"),
        "of the means of all seeds",
    )
    for row in found["predicted"]:
        made.add_row(
            f"{row['features']}, n = {row['n']}",
            row["learner"],
            {**RULES, **MEASURES}[row["predictor"]],
            shown(row, 2),
            shown(row["difference"], 2) if row["predictor"] != "kernel" else "",
            f"{row['of_means']:.2f}",
        )
    return made


def _units(found: dict[str, Any]) -> Any:
    made = table(
        "Label units: chain labels that reach the same log loss, over n (simultaneous 95 %)",
        *("setting", "topology", "chain labels over n"),
    )
    for row in found["units"]:
        made.add_row(f"{row['features']}, n = {row['n']}", row["topology"], in_units(row))
    return made


def in_units(row: dict[str, Any]) -> str:
    """Write label units; where the chain's curve ends, that there may be less or more."""
    least, most = row["ends"]

    def bounded(value: float) -> str:
        sign = "≤ " if value <= least * 1.001 else "≥ " if value >= most * 0.999 else ""
        return f"{sign}{value:.2f}"

    return f"{bounded(row['value'])} [{bounded(row['low'])}, {bounded(row['high'])}]"


def _variances(found: dict[str, Any]) -> Any:
    made = table(
        "Prompts against pairs a prompt: exact variance and error, over the chain's",
        *("setting", "layout", "variance, kernel", "variance, with own parts", "squared error"),
    )
    for row in found["foreseen"]:
        made.add_row(
            f"{row['features']}, n = {row['n']}",
            row["topology"],
            *(f"{row[key]:.3f}" for key in ("kernel", "own", "error")),
        )
    return made


def _fall(found: dict[str, Any]) -> Any:
    made = table(
        "How the chain's log loss falls with labels, c + A n^-ρ, beside the exact rate",
        *("ρ fitted", "α of the features", "α / (1 + α)", "their structure"),
    )
    row = found["fall"]
    if not row:
        made.add_row("too few numbers of labels", "", "", "")
        return made
    least, most = row["range"]
    alpha = (
        [f"{row[k]:.3g}" for k in ("alpha", "alpha_low", "alpha_high")] if "alpha" in row else []
    )
    ends = f"[{row['low']:.2f}, {row['high']:.2f}] of {least:g} to {most:g}"
    made.add_row(
        f"{row['fitted']:.2f} {ends}",
        f"{alpha[0]} [{alpha[1]}, {alpha[2]}]" if alpha else "",
        f"{row['predicted']:.2f}" if alpha else "",
        row.get("words", ""),
    )
    return made
