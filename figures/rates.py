"""The table of rates, decided: the exponents claimed and what measurements leave of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ibn.figures.ledger_evidence import Claims, found
from ibn.figures.report_tables import Cell, Table
from ibn.report.style import BLACK, COLUMN, VERMILION

TITLE = "The table of rates: exponents measured beside those claimed"
CLAIMS = ("P5", "P6", "P7", "P8", "P9", "E2", "E3")
NEEDS = "one of the claims P5 to P9, E2 and E3 decided"

_CHECKS = (
    # The claim, what it is the rate of, and the check that measured it.
    ("P5", "chain, path, regime A", "attained, measured"),
    ("P6", "chain, path, regime B", "measured, comparisons combined"),
    ("P5", "chain, path, regime A, in its place", "the order it has: I n^(-α) log n"),
    ("P7", "tree, path, regime A", "attained, measured"),
    ("P7", "tree, path, regime A, in its place", "the order it has: F(|S|)"),
    ("P8", "tree, path, regime B, against the law", "measured, comparisons combined"),
    ("P9", "chain/tree, path, regime A", "fixed α, measured"),
    ("P9", "chain/tree, path, regime A, in its place", "the order it has, measured"),
    ("E2", "chain, exact, regime A", "chain, measured"),
    ("E2", "chain/tree, exact, regime A", "the order is reversed"),
    ("E3", "chain, exact, regime B", "measured, between its bounds"),
)


@dataclass(frozen=True)
class Exponent:
    """One measured curve held against a claimed rate.

    Attributes
    ----------
    claim, of, world : str
        Which claim, the rate of what, and where.
    verdict : str
        Of the check.
    claimed : dict of float
        Powers of n and of log n, ``"n"`` and ``"log_n"``.
    left : dict of sequence of float
        Slope of log(measured/claimed) against log n and log log n: value, half-width of its
        interval, and what lower-order terms may add.
    """

    claim: str
    of: str
    world: str
    verdict: str
    claimed: Mapping[str, float]
    left: Mapping[str, Sequence[float]]

    @property
    def excluded(self) -> bool:
        """Whether what is left over goes beyond error and lower-order terms."""
        return any(abs(value) > error + allowed for value, error, allowed in self.left.values())


def gather(claims: Claims) -> list[Exponent]:
    """List the exponents that the ledger's Monte Carlo checks measured."""
    return [
        Exponent(claim, of, world, each["verdict"], measured["claimed"], measured["left"])
        for claim, of, check in _CHECKS
        for each in (found(claims, claim, check),)
        if each is not None
        for world, measured in each["data"].items()
        if isinstance(measured, Mapping) and "left" in measured
    ]


def draw(exponents: list[Exponent]) -> Figure:
    """Draw what is left over of each exponent of n, a row a curve."""
    rows = len(exponents)
    figure = Figure(figsize=(COLUMN, 0.16 * rows + 1.3), layout="constrained")
    axes = figure.subplots()
    y = np.arange(rows)[::-1]
    value, error, allowed = np.array([one.left["n"] for one in exponents]).T
    axes.barh(y, 2 * allowed, left=-allowed, height=0.86, color="#e4e4e4", zorder=0.5)
    for far in (False, True):
        rest = np.array([one.excluded == far for one in exponents])
        look: dict[str, Any] = {"color": VERMILION, "marker": "D", "ms": 3.4} if far else {
            "color": BLACK, "marker": "o", "ms": 3.4
        }  # fmt: skip
        label = "beyond both: not the order" if far else "within"
        bars = axes.errorbar(value[rest], y[rest], xerr=error[rest], ls="none", **look)
        bars.set_label(label)
    axes.add_patch(Rectangle((0, -9), 0, 0, fc="#e4e4e4", label="what lower-order terms may add"))
    axes.axvline(0.0, color=BLACK, lw=0.7)
    names = [
        f"{one.claim}{' ratio' if '/' in one.of else ''}{'*' if 'place' in one.of else ''}  "
        f"{one.world}"
        for one in exponents
    ]
    axes.set_yticks(y, names, fontsize=6.5)
    axes.set_ylim(-0.7, rows - 0.3)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("exponent of $n$, measured − claimed")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=1)
    return figure


def caption(exponents: list[Exponent]) -> str:
    """Say what is drawn and which claims it speaks against."""
    against = sorted({one.claim for one in exponents if one.excluded})
    fails = sorted({one.claim for one in exponents if one.verdict == "fails"})
    failing = f"those of {', '.join(fails)} fail" if fails else "none fails"
    told = (
        f"Beyond both are curves of {', '.join(against)}"
        if against
        else "No curve goes beyond both"
    )
    return (
        "A claimed order is right if measured over claimed settles to a constant: its slope "
        "against log n is what is left over of the exponent. Bars: the interval of the ledger’s "
        f"decision. {told}. An order can also be refuted by derivation, where three decades of n "
        f"cannot tell a logarithm from a power; of these checks {failing}, and the evidence has "
        f"both. "
        "An asterisk marks the order in a claim's place. P8 is held against its law, whose first "
        "term fades too slowly for "
        "an exponent."
    )


def tables(exponents: list[Exponent]) -> list[Table]:
    """Tabulate claimed and measured exponents of n and of log n."""

    def measured(one: Exponent, name: str) -> Cell:
        value, error, allowed = one.left[name]
        digits = 3 if name == "n" else 2
        text = f"{one.claimed[name] + value:.{digits}f} ± {error:.{digits}f} (± {allowed:.2g})"
        return Cell(text, one.claim)

    rows = [
        [
            Cell(one.claim, one.claim),
            Cell(one.of),
            Cell(one.world),
            Cell(f"{one.claimed['n']:.3g}"),
            measured(one, "n"),
            Cell(f"{one.claimed['log_n']:.3g}"),
            measured(one, "log_n"),
            Cell(one.verdict, one.claim),
        ]
        for one in exponents
    ]
    columns = ("claim", "of", "world", "n^", "measured", "(log n)^", "measured", "verdict")
    title = (
        "Exponents claimed and measured, each with the other as claimed; ± the interval of the "
        "decision, in brackets what lower-order terms may add"
    )
    return [Table(title, columns, rows)]
