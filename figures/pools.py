"""Pools of scored responses: what ``ibn validate --pool`` put on record, gathered for figures."""

from __future__ import annotations

from typing import Any

from ibn.report.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from ibn.simulations import recorded
from ibn.simulations.pools.deciding import LEARNER

RECORDS = "pool-"
NEEDS = "simulations/recorded/pool-FILE.json, which ibn validate --pool FILE --json prints"
NAMES = {
    "alpaca_eval_pool": "AlpacaEval",
    "ted_zh_en_mqm": "TED translations",
    "gsm8k_model_solutions": "GSM8K solutions",
}
COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE)

Document = dict[str, Any]
Row = dict[str, Any]


def documents() -> list[Document]:
    """Read what is on record."""
    return [recorded.load(path.stem) for path in recorded.files(RECORDS)]


def named(document: Document) -> str:
    """Name a pool for people."""
    return str(NAMES.get(document["pool"], document["pool"]))


def first(document: Document) -> str:
    """Name the features that every question was put to."""
    return str(next(iter(document["ceiling"]))["features"])


def largest(document: Document) -> int:
    """Name the most labels."""
    return max(row["n"] for row in document["compared"])


def rows(document: Document, table: str, **wanted: Any) -> list[Row]:
    """Pick rows of a table."""
    return [r for r in document[table] if all(r[key] == value for key, value in wanted.items())]


def main(document: Document, **wanted: Any) -> list[Row]:
    """Pick the rows of the first features and the learner that cross-validates."""
    return rows(document, "compared", features=first(document), learner=LEARNER, **wanted)


def bars(each: list[Row]) -> list[list[float]]:
    """Lengths of error bars."""
    return [[r["value"] - r["low"] for r in each], [r["high"] - r["value"] for r in each]]


def behind(found: list[Document]) -> str:
    """Say how much is behind the numbers."""
    each = ", ".join(
        f"{named(d)} {d['responses']:,} responses to {d['prompts']} prompts" for d in found
    )
    seeds = {d["seeds"] for d in found}
    return f"{each}; {'/'.join(map(str, sorted(seeds)))} seeds each."
