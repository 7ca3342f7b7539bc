"""The cells that decide a pool: every topology at every n, and each further question at one n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ibn.simulations.pools.laying import ACROSS, SPENT, WITHIN
from ibn.simulations.pools.measuring import CEILING, STATED, Cell

CHOICES = ("evidence", "cv", "oracle")
CENTRE = 1000  # labels at which the further questions are put, or the n nearest to it


@dataclass(frozen=True)
class Plan:
    """Cells by the question that they answer, one a seed."""

    main: tuple[Cell, ...]
    ceilings: tuple[Cell, ...]
    noise: tuple[Cell, ...]  # other agreements
    spent: tuple[Cell, ...]  # many prompts with few pairs, or few with many
    across: tuple[Cell, ...]  # pairs of any two responses
    own: tuple[Cell, ...]  # an own variance of each response

    def cells(self) -> list[Cell]:
        """List all of them."""
        return [cell for each in vars(self).values() for cell in each]


def centre(ns: Sequence[int]) -> int:
    """Name the n of the further questions."""
    return min(ns, key=lambda n: abs(n - CENTRE))


def plan(
    features: Sequence[str], ns: Sequence[int], agreements: Sequence[float | str], seeds: int
) -> Plan:
    """Lay out the cells.

    Parameters
    ----------
    features : sequence of str
        The first see every n and every question; the others the n in the middle alone.
    ns : sequence of int
        Labels.
    agreements : sequence of float or "own"
        The first is that of every question; the others are had at the n in the middle.
    seeds : int
        Of each cell.
    """
    first, middle, agreement = features[0], centre(ns), agreements[0]
    own = (*CHOICES, "own", "own-cv")

    def each(
        name: str,
        n: int,
        agreement: float | str,
        topologies: tuple[str, ...],
        learners: tuple[str, ...],
        **looks: bool,
    ) -> list[Cell]:
        return [
            Cell(name, n, agreement, topologies, learners, seed, **looks) for seed in range(seeds)
        ]

    main = [
        cell
        for name in features
        for n in (ns if name == first else (middle,))
        for look in [n == middle]
        for cell in each(
            name, n, agreement, WITHIN, CHOICES, foreseen=look, graphs=look and name == first
        )
    ]
    return Plan(
        tuple(main),
        tuple(c for name in features for c in each(name, 0, STATED, CEILING, CEILING)),
        tuple(c for a in agreements[1:] for c in each(first, middle, a, WITHIN, CHOICES)),
        tuple(
            c
            for n in ns
            if middle <= n <= 3 * middle
            for c in each(first, n, agreement, SPENT, CHOICES, foreseen=True)
        ),
        tuple(each(first, middle, agreement, ("chain", *ACROSS), CHOICES)),
        tuple(each(first, middle, agreement, WITHIN, own)),
    )
