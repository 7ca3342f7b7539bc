"""``ibn plan`` of a leaderboard's battles: which to buy next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ibn.cli.inputs import check_out
from ibn.cli.printing import print_document, table
from ibn.cli.rank import read
from ibn.cli.replacing import keep_labels
from ibn.cli.terminal import say
from ibn.errors import InputError

if TYPE_CHECKING:
    from ibn.leaderboard.board import Leaderboard
    from ibn.leaderboard.purchase import Purchase

LISTED = 10


def plan_battles(
    path: str, budget: int, out: str | None, options: dict[str, Any], as_json: bool
) -> None:
    """Choose battles, write them to ``out`` if given, and print what they are expected to do."""
    from ibn.leaderboard.board import rank
    from ibn.leaderboard.purchase import buy
    from ibn.preferences.writing import write_records

    if out is not None:
        check_out(out, path)
        keep_labels(out)
    board = rank(read(path, options).battles, seed=options["seed"])
    found = buy(board, budget, **asked(options["ranks"]), seed=options["seed"])
    document = {"source": path, "budget": budget, "out": out, **to_json(board, found)}
    if out is not None:
        write_records(out, document["pairs"], by_people=True)
        say(f"{budget} battles in {out}", err=True)
    print_document(document, tables, as_json)


def asked(ranks: str) -> dict[str, Any]:
    """Read neighbours, top:K or item:NAME.

    Raises
    ------
    InputError
        If it is none of them.
    """
    kind, _, which = ranks.partition(":")
    if kind == "neighbours" and not which:
        return {"target": kind}
    if kind == "top" and which.isdigit():
        return {"target": kind, "top": int(which)}
    if kind == "item" and which:
        return {"target": kind, "item": which}
    raise InputError(f"unknown ranks {ranks!r}", fix="neighbours, top:5 or item:NAME")


def to_json(board: Leaderboard, found: Purchase) -> dict[str, Any]:
    """Return a purchase as JSON has it."""
    order = np.argsort(-board.centre)
    names = [str(name) for name in board.names]
    return {
        "pairs": [
            {"model_a": names[a], "model_b": names[b], "battles": int(n)}
            for a, b, n in zip(found.a, found.b, found.battles, strict=True)
        ],
        "items": [
            {
                "name": names[i],
                "ranks": [int(board.first[i]), int(board.last[i])],
                "expected_ranks": [int(found.first[i]), int(found.last[i])],
            }
            for i in order
        ],
        "neighbours": [
            {
                "better": names[i],
                "worse": names[j],
                "battles_to_separate": int(n) if np.isfinite(n) else None,
            }
            for i, j, n in zip(order[:-1], order[1:], found.needed, strict=True)
        ],
        "deviation": {
            "before": float(found.deviation_before.mean()),
            "after": float(found.deviation_after.mean()),
        },
    }


def tables(document: dict[str, Any]) -> list[Any]:
    """Lay a purchase out for a terminal."""
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
