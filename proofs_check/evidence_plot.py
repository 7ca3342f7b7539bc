"""What a claim's measured orders leave over, drawn: one picture a claim of rates."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ibn.outputs import write_text
from ibn.proofs_check.claim import Verdict
from ibn.proofs_check.evidence_tables import slopes
from ibn.report.style import BLACK, COLUMN, GREY, VERMILION, style

Rows = list[tuple[str, Sequence[float]]]
_PLAIN = str.maketrans({"𝒜": "A", "ℬ": "B"})  # letters that the figures' font lacks


def rows_of(verdict: Verdict) -> Rows:
    """List what each measured order leaves over, by check and world; empty where none is."""
    return [
        (_typeset(f"{check.name}: {world}"), left)
        for check in verdict.claim.checks
        for world, left in slopes(verdict.findings[check.name].data).items()
    ]


def _typeset(name: str) -> str:
    """Write a name in the figures' font, its powers raised."""
    return re.sub(r"(\w+)\^\(([^()]*)\)", r"$\1^{\2}$", name.translate(_PLAIN))


def draw(rows: Rows) -> Figure:
    """Draw what is left over of each power of n, beside what lower-order terms may add."""
    figure = Figure(figsize=(2.2 * COLUMN, 0.19 * len(rows) + 0.7), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(rows))[::-1]
    for at, (_, (left, error, owed)) in zip(place, rows, strict=True):
        axes.barh(at, 2 * owed, left=-owed, height=0.8, color="#e4e4e4", zorder=0.5)
        beyond = abs(left) > error + owed
        color = VERMILION if beyond else BLACK
        axes.errorbar(left, at, xerr=error, fmt="D" if beyond else "o", ms=3.6, color=color)
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_yticks(place, [name for name, _ in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("measured less claimed power of n (grey: what lower-order terms may add)")
    return figure


def save(verdict: Verdict, folder: Path) -> str:
    """Write a claim's picture into a folder; returns its name, empty where there is none."""
    rows = rows_of(verdict)
    if not rows:
        return ""
    name, stream = f"claims-{verdict.claim.id.lower()}.svg", io.StringIO()
    with style():
        draw(rows).savefig(stream, format="svg", metadata={"Date": None})
    write_text(folder / name, stream.getvalue())
    return name
